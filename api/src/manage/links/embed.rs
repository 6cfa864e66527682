//! Detects the player that can show a url, among the services that pages embed.

use serde_json::{Value, json};
use url::Url;

/// The kinds that a client may name; `CUSTOM` is never detected.
pub(crate) const TYPES: [&str; 7] = [
    "YOUTUBE",
    "SPOTIFY",
    "TIKTOK",
    "SOUNDCLOUD",
    "TWITCH",
    "APPLE_MUSIC",
    "CUSTOM",
];

/// A kind, with what its player needs besides the url.
pub(crate) type Embed = (&'static str, Option<Value>);

/// The embed of a url; `None` for a plain link.
pub(crate) fn detect(url: &Url) -> Option<Embed> {
    // A dot at the end and `www.` at the beginning do not change the site.
    let host = url.host_str()?.trim_end_matches('.');
    let bare = host.strip_prefix("www.").unwrap_or(host);
    let path: Vec<&str> = url
        .path_segments()?
        .filter(|part| !part.is_empty())
        .collect();
    match bare {
        "youtube.com" | "m.youtube.com" | "music.youtube.com" | "youtube-nocookie.com" => {
            youtube(url, &path)
        }
        "youtu.be" => youtube_id(path.first()?),
        "open.spotify.com" => spotify(&path),
        "tiktok.com" | "m.tiktok.com" => tiktok(&path),
        "soundcloud.com" | "m.soundcloud.com" => soundcloud(&path),
        "twitch.tv" | "m.twitch.tv" | "clips.twitch.tv" => twitch(bare, &path),
        "music.apple.com" | "embed.music.apple.com" => apple_music(url, &path),
        _ => None,
    }
}

fn youtube(url: &Url, path: &[&str]) -> Option<Embed> {
    match path {
        ["watch"] => {
            let id = url.query_pairs().find(|(name, _)| name == "v")?.1;
            youtube_id(&id)
        }
        ["shorts" | "embed" | "live" | "v", id, ..] => youtube_id(id),
        _ => None,
    }
}

fn youtube_id(id: &str) -> Option<Embed> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let valid = id.len() == 11 && id.chars().all(known);
    valid.then(|| ("YOUTUBE", Some(json!({ "videoId": id }))))
}

fn spotify(path: &[&str]) -> Option<Embed> {
    // Localised links begin with a segment such as intl-de, players with embed.
    let rest = match path {
        [first, rest @ ..] if first.starts_with("intl-") || *first == "embed" => rest,
        whole => whole,
    };
    let [kind, id, ..] = rest else { return None };
    let kinds = ["track", "album", "playlist", "artist", "episode", "show"];
    let valid = kinds.contains(kind) && is_alphanumeric(id);
    valid.then(|| ("SPOTIFY", Some(content(kind, id))))
}

fn tiktok(path: &[&str]) -> Option<Embed> {
    match path {
        [user, "video", id, ..] if user.starts_with('@') && is_number(id) => {
            Some(("TIKTOK", Some(json!({ "videoId": id }))))
        }
        _ => None,
    }
}

fn soundcloud(path: &[&str]) -> Option<Embed> {
    // The player takes the url itself. A single segment is a page of the service, or a profile.
    let own = ["discover", "search", "you", "stream", "upload", "pages"];
    match path {
        [first, _, ..] if !own.contains(first) => Some(("SOUNDCLOUD", None)),
        _ => None,
    }
}

fn twitch(host: &str, path: &[&str]) -> Option<Embed> {
    let own = ["directory", "settings", "subscriptions", "wallet", "p"];
    let (kind, id) = match path {
        ["videos", id] if is_number(id) => ("video", *id),
        [_, "clip", id] => ("clip", *id),
        [id] if host == "clips.twitch.tv" => ("clip", *id),
        [id] if !own.contains(id) => ("channel", *id),
        _ => return None,
    };
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    id.chars()
        .all(known)
        .then(|| ("TWITCH", Some(content(kind, id))))
}

fn apple_music(url: &Url, path: &[&str]) -> Option<Embed> {
    // /<country>/<kind>/<name>/<id>, where `i` on an album names one of its songs.
    let [_, kind, .., id] = path else { return None };
    let kinds = [
        "album",
        "playlist",
        "song",
        "artist",
        "music-video",
        "station",
    ];
    let song = url.query_pairs().find(|(name, _)| name == "i");
    let (kind, id) = match &song {
        Some((_, song)) if *kind == "album" => ("song", &**song),
        _ => (*kind, *id),
    };
    let known = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let valid = kinds.contains(&kind) && id.chars().all(known);
    valid.then(|| ("APPLE_MUSIC", Some(content(kind, id))))
}

fn content(kind: &str, id: &str) -> Value {
    json!({ "contentType": kind, "contentId": id })
}

fn is_alphanumeric(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_are_recognised_by_their_urls() {
        let video = json!({ "videoId": "dQw4w9WgXcQ" });
        let track = json!({ "contentType": "track", "contentId": "4uLU6hMCjMI75M1A2tKUQC" });
        let song = json!({ "contentType": "song", "contentId": "1440857786" });
        let cases = [
            (
                "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=4",
                "YOUTUBE",
                Some(video.clone()),
            ),
            (
                "https://youtu.be/dQw4w9WgXcQ?si=x",
                "YOUTUBE",
                Some(video.clone()),
            ),
            (
                "https://m.youtube.com/shorts/dQw4w9WgXcQ",
                "YOUTUBE",
                Some(video.clone()),
            ),
            (
                "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
                "YOUTUBE",
                Some(video),
            ),
            (
                "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=1",
                "SPOTIFY",
                Some(track.clone()),
            ),
            (
                "https://open.spotify.com/intl-de/track/4uLU6hMCjMI75M1A2tKUQC",
                "SPOTIFY",
                Some(track),
            ),
            (
                "https://www.tiktok.com/@ada/video/7212345678901234567",
                "TIKTOK",
                Some(json!({ "videoId": "7212345678901234567" })),
            ),
            (
                "https://soundcloud.com/ada/engine-notes",
                "SOUNDCLOUD",
                None,
            ),
            (
                "https://www.twitch.tv/ada",
                "TWITCH",
                Some(json!({ "contentType": "channel", "contentId": "ada" })),
            ),
            (
                "https://www.twitch.tv/videos/123",
                "TWITCH",
                Some(json!({ "contentType": "video", "contentId": "123" })),
            ),
            (
                "https://clips.twitch.tv/Odd-Name_1",
                "TWITCH",
                Some(json!({ "contentType": "clip", "contentId": "Odd-Name_1" })),
            ),
            (
                "https://music.apple.com/us/album/some-name/1440857781?i=1440857786",
                "APPLE_MUSIC",
                Some(song),
            ),
            (
                "https://music.apple.com/tr/playlist/x/pl.u-abc",
                "APPLE_MUSIC",
                Some(json!({ "contentType": "playlist", "contentId": "pl.u-abc" })),
            ),
        ];
        for (url, kind, meta) in cases {
            assert!(TYPES.contains(&kind));
            assert_eq!(
                detect(&Url::parse(url).unwrap()),
                Some((kind, meta)),
                "{url}"
            );
        }
    }

    #[test]
    fn other_pages_of_those_services_and_lookalikes_are_just_links() {
        for url in [
            "https://example.com/watch?v=dQw4w9WgXcQ",
            "https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ",
            "https://www.youtube.com/@ada",
            "https://www.youtube.com/watch?v=short",
            "https://www.youtube.com/watch?v=<script>xx",
            "https://open.spotify.com/",
            "https://open.spotify.com/user/ada",
            "https://www.tiktok.com/@ada",
            "https://soundcloud.com/ada",
            "https://soundcloud.com/discover/sets",
            "https://www.twitch.tv/directory",
            "https://www.twitch.tv/ada/about",
            "https://music.apple.com/us/browse",
            "https://127.0.0.1/watch?v=dQw4w9WgXcQ",
        ] {
            assert_eq!(detect(&Url::parse(url).unwrap()), None, "{url}");
        }
    }
}
