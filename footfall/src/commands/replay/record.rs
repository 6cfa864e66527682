//! Prints a record as one line, and decides whether it is selected.

use super::{
    Selection,
    belonging::{Belonging, Tenant},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use rdkafka::{Message, message::Headers};
use schemas::Kind;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, io::Write};
use uuid::Uuid;

/// A record, as it is printed.
#[derive(Debug, Serialize)]
struct Line<'a> {
    key: Option<Cow<'a, str>>,
    partition: i32,
    offset: i64,
    time: Option<Timestamp>,
    event: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'a str, Cow<'a, str>>,
}

/// Writes a record as one line.
pub(super) fn write(record: &impl Message, out: &mut impl Write) -> std::io::Result<()> {
    let payload = record.payload();
    let one_line = payload.map(on_one_line);
    let one_line = one_line.as_deref().unwrap_or_default();
    let event: Option<&RawValue> = serde_json::from_slice(one_line).ok();
    // A payload that is not JSON is printed as text, or as base64 if it is not UTF-8.
    let other = payload.filter(|_| event.is_none());
    let text = other.and_then(|payload| std::str::from_utf8(payload).ok());
    let line = Line {
        key: record.key().map(String::from_utf8_lossy),
        partition: record.partition(),
        offset: record.offset(),
        time: time(record),
        event,
        text,
        base64: other
            .filter(|_| text.is_none())
            .map(|payload| BASE64_STANDARD.encode(payload)),
        headers: headers(record),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// Replaces line breaks by spaces. Valid JSON has them only between its tokens.
fn on_one_line(payload: &[u8]) -> Cow<'_, [u8]> {
    let breaks = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if payload.iter().any(breaks) {
        let space = |byte: &u8| if breaks(byte) { b' ' } else { *byte };
        Cow::Owned(payload.iter().map(space).collect())
    } else {
        Cow::Borrowed(payload)
    }
}

/// When the record was appended.
fn time(record: &impl Message) -> Option<Timestamp> {
    Timestamp::from_millisecond(record.timestamp().to_millis()?).ok()
}

pub(super) fn headers<R: Message>(record: &R) -> BTreeMap<&str, Cow<'_, str>> {
    let Some(headers) = record.headers() else {
        return BTreeMap::new();
    };
    headers
        .iter()
        .map(|header| {
            let value = header.value.unwrap_or_default();
            (header.key, String::from_utf8_lossy(value))
        })
        .collect()
}

impl Selection {
    /// True if the record is selected.
    pub(super) fn wants(&self, record: &impl Message, belonging: &Belonging) -> bool {
        let (offset, time_ms) = (record.offset(), record.timestamp().to_millis());
        !self.from.is_some_and(|from| from.is_after(offset, time_ms))
            && self.to.is_none_or(|to| to.is_after(offset, time_ms))
            && self.wants_workspace(record.key(), record.payload(), belonging)
            && self.wants_kind(record.payload())
    }

    fn wants_workspace(
        &self,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        belonging: &Belonging,
    ) -> bool {
        let Some(workspace) = self.workspace else {
            return true;
        };
        // The key of an event is its workspace, so most events need no parsing.
        let keyed = |key: &[u8]| Uuid::try_parse_ascii(key).is_ok_and(|keyed| keyed == workspace);
        if key.is_some_and(keyed) {
            return true;
        }
        let tenant = Tenant::of(payload);
        tenant.is(workspace) || belonging.has(key, &tenant)
    }

    fn wants_kind(&self, payload: Option<&[u8]>) -> bool {
        #[derive(Default, Deserialize)]
        struct Typed<'a> {
            #[serde(rename = "type", borrow, default)]
            kind: Option<Cow<'a, str>>,
        }
        let Some(kind) = self.kind else { return true };
        let typed: Typed<'_> =
            serde_json::from_slice(payload.unwrap_or_default()).unwrap_or_default();
        typed.kind.as_deref().and_then(Kind::from_name) == Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::{
        Timestamp as Time,
        message::{Header, OwnedHeaders, OwnedMessage},
    };

    fn record(key: Option<&str>, payload: Option<&[u8]>) -> OwnedMessage {
        with_headers(key, payload, None)
    }

    fn with_headers(
        key: Option<&str>,
        payload: Option<&[u8]>,
        headers: Option<OwnedHeaders>,
    ) -> OwnedMessage {
        OwnedMessage::new(
            payload.map(<[u8]>::to_vec),
            key.map(|key| key.as_bytes().to_vec()),
            "topic".to_owned(),
            Time::CreateTime(1_771_583_400_123),
            2,
            17,
            headers,
        )
    }

    fn printed(record: &OwnedMessage) -> String {
        let mut out = Vec::new();
        write(record, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_one_line_and_keeps_its_bytes() {
        let event = "{\r\n \"a\":1.0,\n \"b\":\"\\n\", \"a\":1e2}";
        assert_eq!(
            printed(&record(Some("k"), Some(event.as_bytes()))),
            "{\"key\":\"k\",\"partition\":2,\"offset\":17,\"time\":\"2026-02-20T10:30:00.123Z\",\
             \"event\":{   \"a\":1.0,  \"b\":\"\\n\", \"a\":1e2}}\n"
        );
    }

    #[test]
    fn tombstones_text_and_bytes_have_their_own_forms() {
        let head = "\"partition\":2,\"offset\":17,\"time\":\"2026-02-20T10:30:00.123Z\"";
        let tail = |key: Option<&str>, payload: Option<&[u8]>| printed(&record(key, payload));
        assert_eq!(
            tail(Some("k"), None),
            format!("{{\"key\":\"k\",{head},\"event\":null}}\n")
        );
        assert_eq!(
            tail(None, Some(b"not {\nJSON")),
            format!("{{\"key\":null,{head},\"event\":null,\"text\":\"not {{\\nJSON\"}}\n")
        );
        assert_eq!(
            tail(Some("k"), Some(&[0xff, 0])),
            format!("{{\"key\":\"k\",{head},\"event\":null,\"base64\":\"/wA=\"}}\n")
        );
        let header = Header {
            key: "why",
            value: Some("because"),
        };
        let letter = with_headers(None, Some(b"{"), Some(OwnedHeaders::new().insert(header)));
        assert!(printed(&letter).ends_with("\"text\":\"{\",\"headers\":{\"why\":\"because\"}}\n"));
    }

    #[test]
    fn records_are_selected_by_key_workspace_and_type() {
        let id = Uuid::from_u128(7);
        let workspace = Selection {
            workspace: Some(id),
            ..Selection::default()
        };
        let kind = Selection {
            kind: Some(Kind::PageViewed),
            ..Selection::default()
        };
        let none = Belonging::default();
        let view = br#"{"type":"page.viewed"}"#.as_slice();
        let key = id.to_string();
        assert!(workspace.wants(&record(Some(&key), None), &none));
        assert!(!workspace.wants(&record(Some("page:1"), Some(view)), &none));
        let entry = format!("{{\"kind\":\"page\",\"workspace_id\":\"{id}\"}}");
        let entry = record(Some("page:1"), Some(entry.as_bytes()));
        assert!(workspace.wants(&entry, &none));
        assert!(kind.wants(&record(None, Some(view)), &none));
        let left = br#"{"type":"page.left"}"#;
        assert!(!kind.wants(&record(None, Some(left)), &none));
        assert!(!kind.wants(&record(None, None), &none));
    }

    #[test]
    fn records_with_its_number_and_their_tombstones_belong_to_a_workspace() {
        let id = Uuid::from_u128(7);
        let selection = Selection {
            workspace: Some(id),
            ..Selection::default()
        };
        let workspace = format!("{{\"workspace_no\":42,\"workspace_id\":\"{id}\"}}");
        let records = [
            ("link:1", "{\"workspace_no\":42,\"deleted\":false}", true),
            ("link:2", "{\"workspace_no\":43}", false),
            ("workspace:42", workspace.as_str(), true),
            ("link:1", "", true),
            ("link:2", "", false),
            ("workspace:42", "", true),
            ("workspace:4", "", false),
            ("log", "{\"kind\":\"log\"}", false),
        ];
        let mut belonging = Belonging::default();
        for learn in [Belonging::learn_numbers, Belonging::learn_keys] {
            for (key, payload, _) in records {
                let payload = Some(payload.as_bytes()).filter(|payload| !payload.is_empty());
                learn(&mut belonging, id, Some(key.as_bytes()), payload);
            }
        }
        for (key, payload, expected) in records {
            let payload = Some(payload.as_bytes()).filter(|payload| !payload.is_empty());
            let wanted = selection.wants(&record(Some(key), payload), &belonging);
            assert_eq!(wanted, expected, "{key} {payload:?}");
        }
    }
}
