//! DNS messages (RFC 1035): a question for TXT records, and the reading of its answer.

use thiserror::Error;

const TXT: u16 = 16;
const INTERNET: u16 = 1;
const HEADER_BYTES: usize = 12;
/// Longest name, and longest label of one.
const MAX_NAME_BYTES: usize = 255;
const MAX_LABEL_BYTES: usize = 63;
/// Most records that are read of an answer.
const MAX_RECORDS: u16 = 100;
/// An option (RFC 6891) that allows answers of 1,232 bytes, which no network splits.
const LARGER_ANSWERS: [u8; 11] = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];

/// A question for the TXT records of a name.
#[derive(Clone, Debug)]
pub(super) struct Question {
    bytes: Vec<u8>,
    /// Where the name, type and class end.
    end: usize,
}

/// Why an answer to our question has no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Fault {
    #[error("the DNS server answered with code {0}")]
    Refused(u8),
    #[error("the DNS server's answer is too large for one datagram")]
    Truncated,
    #[error("the DNS server's answer is malformed")]
    Malformed,
}

impl Question {
    /// The question with that id; `None` when the name is no name of DNS.
    pub(super) fn txt(name: &str, id: u16) -> Option<Self> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + name.len() + 16);
        bytes.extend(id.to_be_bytes());
        // Recursion desired; one question, no answers, one additional record.
        bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
        for label in name.split('.') {
            let length = u8::try_from(label.len()).ok()?;
            if label.is_empty() || label.len() > MAX_LABEL_BYTES {
                return None;
            }
            bytes.push(length);
            bytes.extend(label.as_bytes());
        }
        bytes.push(0);
        if bytes.len() - HEADER_BYTES > MAX_NAME_BYTES {
            return None;
        }
        bytes.extend(TXT.to_be_bytes());
        bytes.extend(INTERNET.to_be_bytes());
        let end = bytes.len();
        bytes.extend(LARGER_ANSWERS);
        Some(Self { bytes, end })
    }

    /// Its bytes on the wire.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The TXT records of a message; `None` when it does not answer this question.
    pub(super) fn read(&self, message: &[u8]) -> Option<Result<Vec<String>, Fault>> {
        let id = message.get(..2)?;
        let [flags, code] = message.get(2..4)?.first_chunk().copied()?;
        let own = self.bytes.get(HEADER_BYTES..self.end)?;
        let repeated = message.get(HEADER_BYTES..self.end)?;
        let is_answer = flags & 0xf8 == 0x80 && message.get(4..6)? == [0, 1];
        if self.bytes.get(..2)? != id || !is_answer || !own.eq_ignore_ascii_case(repeated) {
            return None;
        }
        Some(match code & 0x0f {
            _ if flags & 0x02 != 0 => Err(Fault::Truncated),
            0 => self.records(message).ok_or(Fault::Malformed),
            // The name does not exist.
            3 => Ok(Vec::new()),
            other => Err(Fault::Refused(other)),
        })
    }

    fn records(&self, message: &[u8]) -> Option<Vec<String>> {
        let mut header = Reader(message.get(6..8)?);
        let count = header.number()?;
        let mut reader = Reader(message.get(self.end..)?);
        let mut found = Vec::new();
        for _ in 0..count.min(MAX_RECORDS) {
            reader.skip_name()?;
            let (kind, class) = (reader.number()?, reader.number()?);
            // The time to live.
            reader.take(4)?;
            let length = reader.number()?;
            let data = reader.take(length.into())?;
            if kind == TXT && class == INTERNET {
                found.push(text(data)?);
            }
        }
        Some(found)
    }
}

/// The text of a TXT record, which is cut into strings of at most 255 bytes.
fn text(data: &[u8]) -> Option<String> {
    let mut reader = Reader(data);
    let mut bytes = Vec::with_capacity(data.len());
    while let Some([length]) = reader.take(1) {
        bytes.extend(reader.take((*length).into())?);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads from the beginning of what is left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().copied().map(u16::from_be_bytes)
    }

    /// Passes a name. Pointers are not followed, so no loop of them can hold us.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.take(1)? {
                [0] => return Some(()),
                [length] if *length >= 0xc0 => return self.take(1).map(|_| ()),
                [length] if usize::from(*length) <= MAX_LABEL_BYTES => {
                    self.take((*length).into())?;
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The answer to a question, with these texts as records.
    pub(in crate::dns) fn answer(question: &[u8], texts: &[&str]) -> Vec<u8> {
        let end = question.len() - LARGER_ANSWERS.len();
        let mut bytes = question[..end].to_vec();
        bytes[2] = 0x81;
        bytes[3] = 0x80;
        bytes[7] = u8::try_from(texts.len()).unwrap();
        bytes[11] = 0;
        for text in texts {
            bytes.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
            let chunks: Vec<u8> = text
                .as_bytes()
                .chunks(255)
                .flat_map(|chunk| [&[u8::try_from(chunk.len()).unwrap()], chunk].concat())
                .collect();
            bytes.extend(u16::try_from(chunks.len()).unwrap().to_be_bytes());
            bytes.extend(chunks);
        }
        bytes
    }

    fn question() -> Question {
        Question::txt("_footfall.go.example", 0x1234).unwrap()
    }

    #[test]
    fn a_question_has_these_bytes() {
        let mut expected = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        expected.extend(b"\x09_footfall\x02go\x07example\x00\x00\x10\x00\x01");
        expected.extend(LARGER_ANSWERS);
        assert_eq!(question().bytes(), expected);
        for wrong in ["", "a..b", &"x".repeat(64), &"abc.".repeat(70)] {
            assert!(Question::txt(wrong, 1).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_texts_of_an_answer_are_read_whole() {
        let long = "x".repeat(700);
        let message = answer(question().bytes(), &["a=b", "", &long]);
        let read = question().read(&message).unwrap().unwrap();
        assert_eq!(read, ["a=b", "", &long]);
    }

    #[test]
    fn what_does_not_answer_the_question_is_ignored() {
        let good = answer(question().bytes(), &["a"]);
        // The id, the flag of answers, the number of questions, the name.
        for (index, bits) in [(0, 1), (2, 0x80), (5, 2), (14, 4)] {
            let mut message = good.clone();
            message[index] ^= bits;
            assert_eq!(question().read(&message), None, "{index}");
        }
        // Names are compared without case, since some servers change it.
        let mut message = good.clone();
        message[14] ^= 0x20;
        assert!(question().read(&message).is_some());
    }

    #[test]
    fn a_fault_of_the_server_is_told_from_a_missing_name() {
        let mut message = answer(question().bytes(), &["a"]);
        message[3] = 0x83;
        assert_eq!(question().read(&message), Some(Ok(Vec::new())));
        message[3] = 0x82;
        assert_eq!(question().read(&message), Some(Err(Fault::Refused(2))));
        message[2] |= 2;
        assert_eq!(question().read(&message), Some(Err(Fault::Truncated)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            cut in 0usize..80, index in 0usize..80, byte: u8, tail in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut message = answer(question().bytes(), &["some text", "more"]);
            let index = index % message.len();
            message[index] = byte;
            message.truncate(cut);
            message.extend(&tail);
            let _ = question().read(&message);
            let _ = question().read(&tail);
        }
    }
}
