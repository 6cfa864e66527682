//! A produce request as it came: whose, for which partitions, and their records as bytes.
//!
//! nisshi's own reading takes batches apart while it reads the request, so that one damaged batch ends the
//! connection instead of being answered. The rule to keep: nothing said in here is believed; a length is compared with
//! what is there before anything is taken or allocated.

use bytes::{Buf as _, Bytes, TryGetError};
use nisshi_sans_io::{ApiKey as _, ProduceRequest};

/// Before this version a request does not tell a transactional id.
const WITH_TRANSACTIONS: i16 = 3;
/// From this version on lengths are variable and structures end with tagged fields.
const FLEXIBLE: i16 = 9;
/// The newest version that nisshi tells clients of.
const NEWEST: i16 = 11;

/// Bytes that are no produce request.
#[derive(Debug, thiserror::Error)]
pub(in crate::broker) enum Malformed {
    /// They end too early.
    #[error("a produce request that ends too early")]
    Short,
    /// A length that cannot be, or text that is none.
    #[error("a produce request with an impossible {0}")]
    Impossible(&'static str),
}

impl From<TryGetError> for Malformed {
    fn from(_: TryGetError) -> Self {
        Self::Short
    }
}

/// A request outside of transactions.
#[derive(Debug)]
pub(in crate::broker) struct Request {
    pub(in crate::broker) api_version: i16,
    pub(in crate::broker) correlation_id: i32,
    pub(in crate::broker) acks: i16,
    pub(in crate::broker) topics: Vec<TopicData>,
}

/// What is to be appended to one topic.
#[derive(Debug)]
pub(in crate::broker) struct TopicData {
    pub(in crate::broker) name: String,
    pub(in crate::broker) partitions: Vec<PartitionData>,
}

/// What is to be appended to one partition.
#[derive(Debug)]
pub(in crate::broker) struct PartitionData {
    pub(in crate::broker) index: i32,
    pub(in crate::broker) records: Option<Bytes>,
}

impl Request {
    /// Reads a frame with its length in front; `None` if it is any other request, or one within a transaction.
    pub(in crate::broker) fn read(frame: &Bytes) -> Result<Option<Self>, Malformed> {
        let mut frame = frame.clone();
        let (_length, api_key) = (frame.try_get_i32()?, frame.try_get_i16()?);
        let api_version = frame.try_get_i16()?;
        if api_key != ProduceRequest::KEY || !(0..=NEWEST).contains(&api_version) {
            return Ok(None);
        }
        let correlation_id = frame.try_get_i32()?;
        // The client's name has a fixed length in every version, unlike all that follows.
        let mut fields = Fields {
            rest: frame,
            flexible: false,
        };
        fields.text("client id")?;
        fields.flexible = api_version >= FLEXIBLE;
        fields.skip_tags()?;
        if api_version >= WITH_TRANSACTIONS && fields.text("transactional id")?.is_some() {
            return Ok(None);
        }
        let acks = fields.rest.try_get_i16()?;
        let _timeout_ms = fields.rest.try_get_i32()?;
        let mut topics = Vec::new();
        for _ in 0..fields.count("number of topics")? {
            topics.push(fields.topic()?);
        }
        fields.skip_tags()?;
        Ok(Some(Self {
            api_version,
            correlation_id,
            acks,
            topics,
        }))
    }
}

/// How many bytes a length takes where it is not variable.
#[derive(Clone, Copy)]
enum Width {
    Short,
    Long,
}

/// What is left of a request.
struct Fields {
    rest: Bytes,
    flexible: bool,
}

impl Fields {
    fn topic(&mut self) -> Result<TopicData, Malformed> {
        let name = self.text("topic")?.ok_or(Malformed::Impossible("topic"))?;
        let mut partitions = Vec::new();
        for _ in 0..self.count("number of partitions")? {
            let index = self.rest.try_get_i32()?;
            let length = self.length(Width::Long, "length of records")?;
            let records = length.map(|length| self.take(length)).transpose()?;
            self.skip_tags()?;
            partitions.push(PartitionData { index, records });
        }
        self.skip_tags()?;
        Ok(TopicData { name, partitions })
    }

    fn text(&mut self, what: &'static str) -> Result<Option<String>, Malformed> {
        let Some(length) = self.length(Width::Short, what)? else {
            return Ok(None);
        };
        let text = self.take(length)?;
        let text = std::str::from_utf8(&text).map_err(|_| Malformed::Impossible(what))?;
        Ok(Some(text.to_owned()))
    }

    /// The length of a list; an absent one has none. Each entry takes bytes, so a lie ends with the request.
    fn count(&mut self, what: &'static str) -> Result<usize, Malformed> {
        Ok(self.length(Width::Long, what)?.unwrap_or(0))
    }

    /// A length of that width where it is not variable; `None` for what is absent.
    fn length(&mut self, width: Width, what: &'static str) -> Result<Option<usize>, Malformed> {
        let length = if self.flexible {
            i64::from(self.varint(what)?) - 1
        } else {
            match width {
                Width::Short => self.rest.try_get_i16()?.into(),
                Width::Long => self.rest.try_get_i32()?.into(),
            }
        };
        match length {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| Malformed::Impossible(what)),
        }
    }

    fn varint(&mut self, what: &'static str) -> Result<u32, Malformed> {
        let mut value = 0;
        for shift in (0..u32::BITS).step_by(7) {
            let byte = self.rest.try_get_u8()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed::Impossible(what))
    }

    fn skip_tags(&mut self) -> Result<(), Malformed> {
        if self.flexible {
            for _ in 0..self.varint("number of tagged fields")? {
                let _tag = self.varint("tag")?;
                let length = self.varint("length of a tagged field")?;
                self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Malformed> {
        if length > self.rest.len() {
            return Err(Malformed::Short);
        }
        Ok(self.rest.split_to(length))
    }
}
