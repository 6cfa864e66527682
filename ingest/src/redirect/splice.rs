//! Adds parameters to a destination without touching a byte of it.
//!
//! The one rule: raw bytes are spliced. The destination's query stays as it is, except for
//! parameters that are replaced; added pairs keep their spelling; the fragment stays last.

use super::query::is_ours;
use schemas::{directory::Forward, signed};
use std::borrow::Cow;
use url::form_urlencoded;

/// The parameter that gives the click id to the destination.
pub const CLICK_ID: &str = "lw_cid";

/// What is added to a destination.
#[derive(Clone, Copy, Debug, Default)]
pub struct Additions<'a> {
    /// The raw query of the short URL.
    pub query: Option<&'a str>,
    /// Which of its parameters go on.
    pub forward: Forward,
    /// The campaign parameters of the link, as names and plain values.
    pub utm: &'a [(String, String)],
    /// The click id.
    pub click_id: Option<&'a str>,
}

/// One pair of a query: its decoded name and its bytes.
struct Pair<'a> {
    name: Cow<'a, str>,
    raw: Cow<'a, str>,
    is_empty: bool,
}

/// The destination with everything that is added to it. Incoming parameters beat those of the link,
/// which beat those of the destination.
#[must_use]
pub fn destination<'a>(text: &'a str, additions: &Additions<'_>) -> Cow<'a, str> {
    let nothing = additions.forward == Forward::Nothing
        && additions.utm.is_empty()
        && additions.click_id.is_none();
    if nothing {
        return Cow::Borrowed(text);
    }
    let (rest, fragment) = match text.find('#') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (base, query) = match rest.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (rest, None),
    };
    let own: Vec<Pair<'_>> = query.into_iter().flat_map(pairs).collect();
    if is_signed(&own) {
        return Cow::Borrowed(text);
    }
    let added = added(additions, &own);
    if added.is_empty() {
        return Cow::Borrowed(text);
    }
    let is_replaced = |own: &Pair<'_>| added.iter().any(|added| added.name == own.name);
    let mut spliced = String::with_capacity(text.len() + 64);
    spliced.push_str(base);
    spliced.push('?');
    let begin = spliced.len();
    if own.iter().any(is_replaced) {
        for pair in own.iter().filter(|pair| !is_replaced(pair)) {
            separate(&mut spliced, begin);
            spliced.push_str(&pair.raw);
        }
    } else {
        spliced.push_str(query.unwrap_or_default());
    }
    for pair in &added {
        separate(&mut spliced, begin);
        spliced.push_str(&pair.raw);
    }
    spliced.push_str(fragment);
    Cow::Owned(spliced)
}

/// The added pairs, in order: the link's campaign parameters, the incoming ones, the click id.
fn added<'a>(additions: &Additions<'a>, own: &[Pair<'_>]) -> Vec<Pair<'a>> {
    let written = additions.utm.iter().map(|(name, value)| {
        let raw = form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .finish();
        Pair {
            name: Cow::Borrowed(name.as_str()),
            raw: Cow::Owned(raw),
            is_empty: value.is_empty(),
        }
    });
    let mut added: Vec<Pair<'a>> = written.filter(|pair| !pair.is_empty).collect();
    let is_known = |pair: &Pair<'_>, added: &[Pair<'_>]| {
        let mut known = added.iter().map(|known| &known.name);
        known.any(|known| *known == pair.name) || own.iter().any(|own| own.name == pair.name)
    };
    let incoming = additions.query.into_iter().flat_map(pairs).filter(|pair| {
        let is_wanted = match additions.forward {
            Forward::Nothing => false,
            Forward::Utms => pair.name.starts_with("utm_"),
            Forward::Everything => true,
        };
        is_wanted && !pair.raw.is_empty() && !is_ours(&pair.name) && pair.name != CLICK_ID
    });
    // An empty value does not replace another.
    let incoming: Vec<Pair<'a>> = incoming
        .filter(|pair| !pair.is_empty || !is_known(pair, &added))
        .collect();
    added.retain(|written| !incoming.iter().any(|pair| pair.name == written.name));
    added.extend(incoming);
    added.extend(additions.click_id.map(|id| Pair {
        name: Cow::Borrowed(CLICK_ID),
        raw: Cow::Owned(format!("{CLICK_ID}={id}")),
        is_empty: false,
    }));
    added
}

fn separate(spliced: &mut String, begin: usize) {
    if spliced.len() > begin && !spliced.ends_with('&') {
        spliced.push('&');
    }
}

fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    query.split('&').map(|raw| {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        Pair {
            name: decoded(name),
            raw: Cow::Borrowed(raw),
            is_empty: value.is_empty(),
        }
    })
}

/// A name as it is meant.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains(['%', '+']) {
        return Cow::Borrowed(name);
    }
    let mut parsed = form_urlencoded::parse(name.as_bytes());
    parsed.next().map_or(Cow::Borrowed(""), |(name, _)| name)
}

/// True for an address whose query is part of a signature.
fn is_signed(pairs: &[Pair<'_>]) -> bool {
    let is = |pair: &Pair<'_>, name: &str| pair.name.eq_ignore_ascii_case(name);
    signed::is_signed(|name| pairs.iter().any(|pair| is(pair, name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn everything(text: &str, query: &str) -> String {
        let additions = Additions {
            query: Some(query),
            forward: Forward::Everything,
            ..Additions::default()
        };
        destination(text, &additions).into_owned()
    }

    #[test]
    fn incoming_parameters_go_on_as_they_were_written() {
        for (text, query, expected) in [
            (
                "https://en.example/?2+2_(TV)",
                "a=1",
                "https://en.example/?2+2_(TV)&a=1",
            ),
            (
                "https://a.example/",
                "Some%20Filter=1",
                "https://a.example/?Some%20Filter=1",
            ),
            (
                "https://a.example/?Parameter=2r8b%2B6h",
                "x",
                "https://a.example/?Parameter=2r8b%2B6h&x",
            ),
            (
                "https://a.example/x#top",
                "a=1",
                "https://a.example/x?a=1#top",
            ),
            ("https://a.example?", "a=1", "https://a.example?a=1"),
            ("https://a.example/?a&", "b", "https://a.example/?a&b"),
            (
                "https://a.example/?ref=x.com",
                "ref=t.co",
                "https://a.example/?ref=t.co",
            ),
            (
                "https://a.example/?q=0&z=%41",
                "fq=a&q=1&fq=b",
                "https://a.example/?z=%41&fq=a&q=1&fq=b",
            ),
            (
                "https://a.example/?ref=x",
                "ref=&new=",
                "https://a.example/?ref=x&new=",
            ),
            (
                "https://a.example/?r%65f=x",
                "ref=y",
                "https://a.example/?ref=y",
            ),
            (
                "https://a.example/",
                "qr=1&bot=0&no-track&lw_cid=x&&a=1",
                "https://a.example/?a=1",
            ),
            (
                "https://a.example/#a?b=c",
                "d=e",
                "https://a.example/?d=e#a?b=c",
            ),
        ] {
            assert_eq!(everything(text, query), expected, "{text} {query}");
        }
    }

    #[test]
    fn incoming_campaign_parameters_beat_the_links_and_those_the_destinations() {
        let utm = [("utm_source".to_owned(), "Ada & co".to_owned())];
        let with = |text: &str, query: &str, forward: Forward| {
            let additions = Additions {
                query: Some(query),
                forward,
                utm: &utm,
                click_id: None,
            };
            destination(text, &additions).into_owned()
        };
        let text = "https://m.example/?id=287&utm_source=shop#!ct/1";
        assert_eq!(
            with(text, "utm_source=x&ref=1", Forward::Nothing),
            "https://m.example/?id=287&utm_source=Ada+%26+co#!ct/1"
        );
        assert_eq!(
            with(text, "utm_source=in&utm_x=1&ref=1", Forward::Utms),
            "https://m.example/?id=287&utm_source=in&utm_x=1#!ct/1"
        );
        assert_eq!(
            with(text, "utm_source=", Forward::Utms),
            "https://m.example/?id=287&utm_source=Ada+%26+co#!ct/1"
        );
    }

    #[test]
    fn the_click_id_replaces_any_other() {
        let additions = Additions {
            click_id: Some("7"),
            ..Additions::default()
        };
        let with = |text| destination(text, &additions).into_owned();
        assert_eq!(
            with("https://a.example/?lw_cid=x&b=1"),
            "https://a.example/?b=1&lw_cid=7"
        );
        assert_eq!(with("https://a.example"), "https://a.example?lw_cid=7");
    }

    #[test]
    fn a_signed_destination_stays_untouched() {
        let utm = [("utm_source".to_owned(), "x".to_owned())];
        let additions = Additions {
            query: Some("a=1"),
            forward: Forward::Everything,
            utm: &utm,
            click_id: Some("7"),
        };
        for text in [
            "https://b.example/f?X-Amz-Date=1&X-Amz-Signature=2",
            "https://b.example/f?x-goog-signature=2",
            "https://b.example/f?Expires=1&Signature=2",
            "https://b.example/f?Signature=2&Key-Pair-Id=1",
            "https://b.example/f?sv=1&se=2&sig=3",
        ] {
            assert_eq!(destination(text, &additions), text);
        }
        assert_ne!(
            destination("https://b.example/f?sig=3", &additions),
            "https://b.example/f?sig=3"
        );
    }

    proptest! {
        /// Every byte that was not added or replaced is where it was.
        #[test]
        fn what_is_not_replaced_keeps_its_bytes(
            path in "[a-z/%+.]{0,12}",
            query in proptest::option::of("[a-d]{1,2}(=[a-d%+&=]{0,6})?(&[a-d]=[0-9]{0,3}){0,3}"),
            fragment in proptest::option::of("[a-z?&=!/]{0,8}"),
            incoming in "[w-z]=[a-z%+]{1,6}(&[w-z]=[0-9]{1,3}){0,3}",
        ) {
            let mut before = format!("https://a.example/{path}");
            if let Some(query) = &query {
                before = format!("{before}?{query}");
            }
            let mark = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
            let spliced = everything(&format!("{before}{mark}"), &incoming);
            let mark_at = spliced.len() - mark.len();
            prop_assert!(spliced.starts_with(&before));
            prop_assert_eq!(&spliced[mark_at..], mark.as_str());
            let added = &spliced[before.len()..mark_at];
            prop_assert_eq!(added.trim_start_matches(['?', '&']), incoming.as_str());
        }

        #[test]
        fn any_text_is_spliced_without_a_panic(text in any::<String>(), query in any::<String>()) {
            let _ = everything(&text, &query);
        }
    }
}
