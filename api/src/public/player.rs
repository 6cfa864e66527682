//! Players of other services on a page: the address that a click on one loads.
//!
//! The one rule: an address is made here from a known host and checked ids, never taken from a
//! creator's text.

use crate::{
    manage::links::{destination, embed},
    store::links::BioLink,
};
use serde_json::Value;
use url::Url;

const YOUTUBE: &str = "www.youtube-nocookie.com";
const SPOTIFY: &str = "open.spotify.com";
const TIKTOK: &str = "www.tiktok.com";
const SOUNDCLOUD: &str = "w.soundcloud.com";
const TWITCH: &str = "player.twitch.tv";
const TWITCH_CLIPS: &str = "clips.twitch.tv";
const APPLE_MUSIC: &str = "embed.music.apple.com";

/// Longest id of any service.
const MAX_ID_CHARS: usize = 128;

/// A player that loads when a visitor asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Player {
    /// The address that the frame loads.
    pub(super) address: String,
    /// The host that it loads from.
    pub(super) host: &'static str,
    /// Class of the frame: `wide` for videos, `tall` for those in phone format, `list` for albums,
    /// `bar` for songs.
    pub(super) shape: &'static str,
}

/// The player of a link; `None` for a plain link. `origin` is the address of the site, which Twitch
/// requires.
pub(super) fn of(link: &BioLink, url: &Url, origin: &str) -> Option<Player> {
    let kind = link.embed_type.as_deref()?;
    // A client may give kind and data, or only the kind.
    let detected = embed::detect(url).filter(|(detected, _)| *detected == kind);
    let from_url = detected.as_ref().and_then(|(_, meta)| meta.as_ref());
    let id = |name: &str| {
        let given = link
            .embed_meta
            .as_ref()
            .and_then(|meta| read_id(meta, name));
        given.or_else(|| read_id(from_url?, name))
    };
    match kind {
        "YOUTUBE" => youtube(id("videoId")?),
        "SPOTIFY" => spotify(id("contentType")?, id("contentId")?),
        "TIKTOK" => tiktok(id("videoId")?),
        "SOUNDCLOUD" if detected.is_some() => soundcloud(&link.url),
        "TWITCH" => twitch(id("contentType")?, id("contentId")?, origin),
        "APPLE_MUSIC" if detected.is_some() => apple_music(url, id("contentType")?),
        _ => None,
    }
}

/// An id as services make them, without characters that have a meaning in an address.
fn read_id<'a>(meta: &'a Value, name: &str) -> Option<&'a str> {
    let id = meta.get(name)?.as_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let known = (1..=MAX_ID_CHARS).contains(&id.len()) && id.chars().all(plain);
    known.then_some(id)
}

fn youtube(id: &str) -> Option<Player> {
    let address = format!("https://{YOUTUBE}/embed/{id}?autoplay=1");
    player(address, YOUTUBE, "wide")
}

fn spotify(kind: &str, id: &str) -> Option<Player> {
    let shape = match kind {
        "track" | "episode" => "bar",
        "album" | "playlist" | "artist" | "show" => "list",
        _ => return None,
    };
    player(
        format!("https://{SPOTIFY}/embed/{kind}/{id}"),
        SPOTIFY,
        shape,
    )
}

fn tiktok(id: &str) -> Option<Player> {
    let address = format!("https://{TIKTOK}/player/v1/{id}?autoplay=1");
    player(address, TIKTOK, "tall")
}

fn soundcloud(sound: &str) -> Option<Player> {
    let parameters = [("url", sound.trim()), ("auto_play", "true")];
    let base = format!("https://{SOUNDCLOUD}/player/");
    let address = Url::parse_with_params(&base, parameters).ok()?;
    player(address.into(), SOUNDCLOUD, "bar")
}

fn twitch(kind: &str, id: &str, origin: &str) -> Option<Player> {
    let site = Url::parse(origin).ok()?;
    let parent = site.host_str()?;
    match kind {
        "channel" | "video" => {
            let address = format!("https://{TWITCH}/?{kind}={id}&parent={parent}");
            player(address, TWITCH, "wide")
        }
        "clip" => {
            let address = format!("https://{TWITCH_CLIPS}/embed?clip={id}&parent={parent}");
            player(address, TWITCH_CLIPS, "wide")
        }
        _ => None,
    }
}

fn apple_music(url: &Url, kind: &str) -> Option<Player> {
    // Player paths equal page paths. A song belongs to an album and is named by `i`.
    let mut address = Url::parse(&format!("https://{APPLE_MUSIC}{}", url.path())).ok()?;
    let song = url.query_pairs().find(|(name, _)| name == "i");
    if let Some((_, id)) = song.filter(|(_, id)| id.chars().all(|c| c.is_ascii_digit())) {
        address.query_pairs_mut().append_pair("i", &id);
    }
    let shape = match kind {
        "song" => "bar",
        "music-video" => "wide",
        _ => "list",
    };
    player(address.into(), APPLE_MUSIC, shape)
}

fn player(address: String, host: &'static str, shape: &'static str) -> Option<Player> {
    // A last check: the frame loads only from the host that the visitor was shown.
    let (_, url) = destination::read(&address)?;
    (url.scheme() == "https" && url.host_str() == Some(host)).then_some(Player {
        address,
        host,
        shape,
    })
}
