//! Short links in memory, by host and code.
//!
//! The one rule: a link is found only under its own host, and a code in any case. Of two links with
//! one code, which older data may have, the one with the lower id answers, in any order of arrival.

use super::settings::{Settings, web_address};
use crate::redirect::code;
use axum::http::HeaderValue;
use schemas::{LinkId, WorkspaceNo, directory};
use std::{collections::HashMap, sync::Arc};

/// A link that can be opened.
#[derive(Clone, Debug)]
pub struct ShortLink {
    /// The link.
    pub link_id: LinkId,
    /// Its tenant.
    pub workspace_no: WorkspaceNo,
    /// Its code, as the owner typed it.
    pub short_code: Box<str>,
    /// Where it leads, ready for a header.
    destination: HeaderValue,
    /// How it redirects; absent for a link that only has a destination.
    pub settings: Option<Box<Settings>>,
}

impl ShortLink {
    /// Reads an entry. `None` for a link that must not be opened: its code is no code, or its
    /// destination is not an http or https address that fits into a header.
    fn of(entry: &directory::Link) -> Option<Self> {
        if !code::is_code(&entry.short_code) {
            return None;
        }
        let destination = web_address(&entry.destination)?;
        Some(Self {
            link_id: entry.link_id,
            workspace_no: entry.workspace_no,
            short_code: entry.short_code.as_str().into(),
            destination,
            settings: Settings::of(&entry.settings, &format_args!("link {}", entry.link_id)),
        })
    }

    /// Where it leads, byte for byte.
    #[must_use]
    pub const fn destination(&self) -> &HeaderValue {
        &self.destination
    }

    /// Where it leads, as text.
    #[must_use]
    pub fn destination_text(&self) -> &str {
        // Made from text, so it is text.
        std::str::from_utf8(self.destination.as_bytes()).unwrap_or_default()
    }
}

/// The links of one code: nearly always one.
#[derive(Clone, Debug)]
struct Slot {
    first: Arc<ShortLink>,
    /// Further links with the same code, by id.
    others: Vec<Arc<ShortLink>>,
}

/// A link and the version of its row. Deleted links stay, so that an older entry stays ignored.
#[derive(Clone, Debug)]
struct Known {
    row_version: i64,
    link: Option<(Arc<str>, Arc<ShortLink>)>,
}

/// All short links. Without a host of its own, it keeps none.
#[derive(Clone, Debug, Default)]
pub(super) struct ShortLinks {
    /// The host of links that name none.
    own_host: Option<Arc<str>>,
    known: HashMap<LinkId, Known>,
    hosts: HashMap<Arc<str>, HashMap<Box<str>, Slot>>,
}

impl ShortLinks {
    pub(super) fn of_host(own_host: Option<Arc<str>>) -> Self {
        Self {
            own_host,
            ..Self::default()
        }
    }

    /// Links without any, for the same host.
    pub(super) fn emptied(&self) -> Self {
        Self::of_host(self.own_host.clone())
    }

    /// The number of links that can be opened, shown as a metric.
    pub(super) fn len(&self) -> usize {
        self.hosts.values().map(HashMap::len).sum()
    }

    /// Applies an entry. An entry with a lower version than the known one changes nothing.
    pub(super) fn apply(&mut self, entry: &directory::Link) {
        let Some(own_host) = &self.own_host else {
            return;
        };
        let host = match &entry.host {
            Some(host) => self.shared(host),
            None => Arc::clone(own_host),
        };
        // Number 0 is no tenant's.
        if entry.workspace_no == WorkspaceNo::NONE {
            return;
        }
        let known = self.known.get(&entry.link_id);
        if known.is_some_and(|known| known.row_version > entry.row_version) {
            return;
        }
        let link = (!entry.deleted).then(|| ShortLink::of(entry)).flatten();
        let link = link.map(|link| (host, Arc::new(link)));
        let next = Known {
            row_version: entry.row_version,
            link: link.clone(),
        };
        let before = self.known.insert(entry.link_id, next);
        if let Some((host, before)) = before.and_then(|before| before.link)
            && let Some(codes) = self.hosts.get_mut(&host)
        {
            remove(codes, &before);
        }
        if let Some((host, link)) = link {
            add(self.hosts.entry(host).or_default(), link);
        }
    }

    /// One text for each host, shared by its links.
    fn shared(&self, host: &str) -> Arc<str> {
        let known = self.hosts.get_key_value(host);
        known.map_or_else(|| host.into(), |(known, _)| Arc::clone(known))
    }

    /// The host of links that name none.
    pub(super) fn own_host(&self) -> Option<&str> {
        self.own_host.as_deref()
    }

    /// The link with this id, and its host.
    pub(super) fn by_id(&self, id: LinkId) -> Option<(&Arc<str>, &Arc<ShortLink>)> {
        let (host, link) = self.known.get(&id)?.link.as_ref()?;
        Some((host, link))
    }

    /// The link with this code on this host, in any case. `of` leaves out the links of some tenants.
    pub(super) fn find(
        &self,
        host: &str,
        code: &str,
        of: impl Fn(WorkspaceNo) -> bool,
    ) -> Option<&Arc<ShortLink>> {
        let slot = self.hosts.get(host)?.get(&*code::folded(code))?;
        let mut all = std::iter::once(&slot.first).chain(&slot.others);
        all.find(|link| of(link.workspace_no))
    }
}

fn add(codes: &mut HashMap<Box<str>, Slot>, link: Arc<ShortLink>) {
    let code = code::folded(&link.short_code).into_owned().into_boxed_str();
    let Some(slot) = codes.remove(&code) else {
        let others = Vec::new();
        codes.insert(
            code,
            Slot {
                first: link,
                others,
            },
        );
        return;
    };
    let mut all = slot.others;
    all.extend([slot.first, link]);
    put(codes, code, all);
}

fn remove(codes: &mut HashMap<Box<str>, Slot>, link: &ShortLink) {
    let code = code::folded(&link.short_code).into_owned().into_boxed_str();
    if let Some(slot) = codes.remove(&code) {
        let mut all = slot.others;
        all.push(slot.first);
        all.retain(|other| other.link_id != link.link_id);
        put(codes, code, all);
    }
}

fn put(codes: &mut HashMap<Box<str>, Slot>, code: Box<str>, mut all: Vec<Arc<ShortLink>>) {
    all.sort_unstable_by_key(|link| link.link_id);
    let mut all = all.into_iter();
    if let Some(first) = all.next() {
        let others = all.collect();
        codes.insert(code, Slot { first, others });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    const HOST: &str = "go.example";

    fn links() -> ShortLinks {
        ShortLinks::of_host(Some(HOST.into()))
    }

    fn entry(id: u128, code: &str, row_version: i64) -> directory::Link {
        directory::Link {
            link_id: LinkId(Uuid::from_u128(id)),
            workspace_no: WorkspaceNo(7),
            destination: format!("https://shop.example/{id}/{row_version}"),
            short_code: code.to_owned(),
            host: None,
            settings: directory::LinkSettings::default(),
            deleted: false,
            row_version,
        }
    }

    fn led(links: &ShortLinks, host: &str, code: &str) -> Option<String> {
        let link = links.find(host, code, |_| true)?;
        Some(link.destination_text().to_owned())
    }

    #[test]
    fn a_code_is_found_in_any_case_on_its_own_host_only() {
        let mut links = links();
        links.apply(&entry(1, "LectureFeedback", 1));
        for code in ["lecturefeedback", "LECTUREFEEDBACK", "LectureFeedback"] {
            assert!(led(&links, HOST, code).is_some(), "{code}");
            for host in ["s.example", "example", "go.example.evil", ""] {
                assert_eq!(led(&links, host, code), None, "{host}");
            }
        }
        assert_eq!(led(&links, HOST, "lecture"), None);
    }

    #[test]
    fn one_code_on_two_hosts_is_two_links_and_a_moved_link_leaves_its_host() {
        let mut links = links();
        let other = |row_version, host: Option<&str>| directory::Link {
            host: host.map(str::to_owned),
            ..entry(2, "promo", row_version)
        };
        links.apply(&entry(1, "promo", 1));
        links.apply(&other(1, Some("s.example")));
        let both = |links: &ShortLinks| {
            [HOST, "s.example"].map(|host| led(links, host, "promo").unwrap_or_default())
        };
        let led = ["https://shop.example/1/1", "https://shop.example/2/1"];
        assert_eq!(both(&links), led);
        let tenant = |no| links.find("s.example", "promo", |of| of == WorkspaceNo(no));
        assert!(tenant(7).is_some() && tenant(8).is_none());
        links.apply(&other(2, Some("t.example")));
        assert_eq!(both(&links), ["https://shop.example/1/1", ""]);
    }

    #[test]
    fn a_program_without_a_host_keeps_no_link() {
        let mut links = ShortLinks::default();
        links.apply(&entry(1, "promo", 1));
        assert_eq!((led(&links, HOST, "promo"), links.len()), (None, 0));
    }

    #[test]
    fn a_renamed_link_frees_its_code_at_once() {
        let mut links = links();
        links.apply(&entry(1, "old", 1));
        links.apply(&entry(1, "new", 2));
        assert_eq!(led(&links, HOST, "old"), None);
        links.apply(&entry(2, "old", 1));
        assert_eq!(
            led(&links, HOST, "old").as_deref(),
            Some("https://shop.example/2/1")
        );
        assert_eq!(
            led(&links, HOST, "new").as_deref(),
            Some("https://shop.example/1/2")
        );
    }

    #[test]
    fn destinations_that_a_redirect_must_not_have_are_not_served() {
        for destination in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "shop.example/x",
            "https://shop.example/\r\nSet-Cookie: a=b",
            "https://shop.example/\u{0}",
            "",
        ] {
            let mut links = links();
            links.apply(&directory::Link {
                destination: destination.to_owned(),
                ..entry(1, "promo", 1)
            });
            assert_eq!(led(&links, HOST, "promo"), None, "{destination:?}");
        }
        let mut links = links();
        links.apply(&directory::Link {
            destination: "HTTPS://shop.example/ü".to_owned(),
            ..entry(1, "promo", 1)
        });
        assert!(led(&links, HOST, "promo").is_some());
    }

    proptest! {
        /// In any order of entries: the newest version of each link decides, and of several
        /// links with one code the first one.
        #[test]
        fn the_links_equal_a_plain_list_of_the_newest_versions(
            given in prop::collection::vec((0u128..4, 0i64..6, 0usize..3, any::<bool>()), 0..24),
        ) {
            let codes = ["a", "A", "b"];
            let mut links = links();
            let mut newest: BTreeMap<u128, directory::Link> = BTreeMap::new();
            for (id, row_version, code, deleted) in given {
                let entry = directory::Link { deleted, ..entry(id, codes[code], row_version) };
                links.apply(&entry);
                let known = newest.get(&id).map(|known| known.row_version);
                if known.is_none_or(|known| known <= row_version) {
                    newest.insert(id, entry);
                }
            }
            let mut codes_in_use = std::collections::BTreeSet::new();
            for code in ["a", "b"] {
                let mut expected = newest.values();
                let expected = expected.find(|link| !link.deleted && link.short_code.eq_ignore_ascii_case(code));
                codes_in_use.extend(expected.map(|_| code));
                prop_assert_eq!(
                    led(&links, HOST, code),
                    expected.map(|link| link.destination.clone())
                );
            }
            prop_assert_eq!(links.len(), codes_in_use.len());
        }
    }
}
