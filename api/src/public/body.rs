//! The content of a page: the part of its document that all responses share.

use super::{
    custom_css, host,
    icon::{self, Icon},
    player::{self, Player},
    theme::{Palette, Scheme},
};
use crate::{
    manage::links::destination,
    store::{links::BioLink, public::Page},
};
use askama::Template;
use uuid::Uuid;

/// Longest description for previews, in characters.
const MAX_DESCRIPTION_CHARS: usize = 160;

/// The part of a page's document that all responses share.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) light: Palette,
    pub(super) dark: Palette,
    /// The creator's own style sheet, confined to the page's content.
    pub(super) custom_css: Option<String>,
    /// Markup of the page's content.
    pub(super) content: String,
    asks_consent: bool,
    hosts: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "content.html")]
struct Content<'a> {
    page: &'a Page,
    initial: String,
    profiles: Vec<Shown<'a>>,
    links: Vec<Shown<'a>>,
    asks_consent: bool,
}

/// A link as the page shows it.
struct Shown<'a> {
    id: Uuid,
    title: &'a str,
    /// A full http or https address.
    href: &'a str,
    /// The host that a click leads to.
    host: String,
    icon: Icon<'a>,
    player: Option<Player>,
}

impl Body {
    pub(super) fn new(page: &Page, links: &[&BioLink], origin: &str) -> askama::Result<Self> {
        let shown: Vec<(bool, Shown<'_>)> = links
            .iter()
            .filter_map(|link| Some((link.is_social, Shown::new(link, origin)?)))
            .collect();
        let players = shown.iter().filter_map(|(_, link)| link.player.as_ref());
        let hosts = players.map(|player| player.host).collect();
        // The page lists profiles apart from the other links.
        let (profiles, links): (Vec<_>, Vec<_>) =
            shown.into_iter().partition(|(is_social, _)| *is_social);
        let content = Content {
            page,
            initial: initial(&page.display_name),
            profiles: profiles.into_iter().map(|(_, link)| link).collect(),
            links: links.into_iter().map(|(_, link)| link).collect(),
            asks_consent: page.consent != "assumed",
        };
        let theme = page.theme_override.as_ref();
        Ok(Self {
            title: format!("{} (@{})", plain(&page.display_name), page.username),
            description: describe(page),
            light: Palette::new(Scheme::Light, theme),
            dark: Palette::new(Scheme::Dark, theme),
            custom_css: page.custom_css.as_deref().and_then(custom_css::contain),
            asks_consent: content.asks_consent,
            content: content.render()?,
            hosts,
        })
    }

    /// Whether anything on the page needs a script besides the tracker.
    pub(super) fn needs_script(&self) -> bool {
        self.asks_consent || !self.hosts.is_empty()
    }

    /// Hosts that a click on a player loads from.
    pub(super) fn player_hosts(&self) -> impl Iterator<Item = &'static str> {
        self.hosts.iter().copied()
    }
}

impl<'a> Shown<'a> {
    /// `None` for an address that a link may not have: it is not shown.
    fn new(link: &'a BioLink, origin: &str) -> Option<Self> {
        let (href, url) = destination::read(&link.url)?;
        let host = url.host_str().unwrap_or_default();
        Some(Self {
            id: link.id,
            title: &link.title,
            href,
            host: host::shown(host.strip_prefix("www.").unwrap_or(host)),
            icon: icon::of(link),
            // Profiles are small and have no room for a player.
            player: player::of(link, &url, origin).filter(|_| !link.is_social),
        })
    }
}

/// Text for places without markup, where nothing isolates it. Removes the characters that change
/// the direction of the text around them.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

/// The sign in the circle of a creator without a picture.
fn initial(name: &str) -> String {
    let letter = name.chars().find(|c| c.is_alphanumeric());
    letter.map_or_else(|| "@".to_owned(), |letter| letter.to_uppercase().collect())
}

/// One line for search results and previews.
fn describe(page: &Page) -> String {
    let bio = plain(&page.bio);
    let words: Vec<&str> = bio.split_whitespace().collect();
    let line = words.join(" ");
    if line.is_empty() {
        return format!("The links of {}", plain(&page.display_name));
    }
    if line.chars().count() <= MAX_DESCRIPTION_CHARS {
        return line;
    }
    let cut: String = line.chars().take(MAX_DESCRIPTION_CHARS - 1).collect();
    // Cuts at a space if there is one, not within a word.
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_shows_the_first_letter_or_digit() {
        for (name, letter) in [
            ("ada", "A"),
            ("  émile", "É"),
            ("🎉 7 seas", "7"),
            ("ßara", "SS"),
            ("李小龍", "李"),
            ("🎉", "@"),
            ("", "@"),
        ] {
            assert_eq!(initial(name), letter, "{name:?}");
        }
    }
}
