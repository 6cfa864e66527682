//! Decompresses the records of a batch, up to a limit.
//!
//! The rule to keep: bound the output while it grows, because a few bytes may claim to be terabytes.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use bytes::Buf as _;

use super::BatchError;

/// The Java client's prefix of Snappy blocks. Its version and the oldest compatible version follow.
const SNAPPY_BLOCKS: &[u8] = b"\x82SNAPPY\0";
/// The length of these two versions.
const SNAPPY_VERSIONS: usize = 8;
/// The flag of an lz4 frame whose blocks do not refer to each other.
const LZ4_INDEPENDENT: u8 = 1 << 5;

/// Decompresses data with this codec into at most `limit` bytes.
pub(crate) fn inflate(codec: i16, data: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, BatchError> {
    let inflated = match codec {
        0 if data.len() <= limit => return Ok(Cow::Borrowed(data)),
        0 => return Err(BatchError::TooLarge),
        1 => bounded(flate2::bufread::GzDecoder::new(data), limit)?,
        2 => snappy(data, limit)?,
        3 => lz4(data, limit)?,
        4 => {
            let decoder = zstd::stream::read::Decoder::with_buffer(data);
            bounded(decoder.map_err(damaged)?, limit)?
        }
        _ => return Err(BatchError::Compression),
    };
    Ok(Cow::Owned(inflated))
}

fn damaged(_: io::Error) -> BatchError {
    BatchError::Corrupt
}

fn bounded(decoder: impl Read, limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut inflated = Vec::new();
    // Read one byte above the limit, to tell data of exactly that size from larger data.
    decoder
        .take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1))
        .read_to_end(&mut inflated)
        .map_err(damaged)?;
    if inflated.len() > limit {
        return Err(BatchError::TooLarge);
    }
    Ok(inflated)
}

fn lz4(data: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    // Java's consumers read only such frames, so Kafka's broker refuses all others too.
    if data.get(4).is_none_or(|flags| flags & LZ4_INDEPENDENT == 0) {
        return Err(BatchError::Corrupt);
    }
    let mut decoder = lz4::Decoder::new(data).map_err(damaged)?;
    let inflated = bounded(&mut decoder, limit)?;
    // Only `finish` detects a frame that was truncated between two blocks.
    decoder.finish().1.map_err(damaged)?;
    Ok(inflated)
}

/// Decompresses a single bare block, or the Java client's series of blocks with their lengths.
fn snappy(mut data: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut inflated = Vec::new();
    let Some(blocks) = data.strip_prefix(SNAPPY_BLOCKS) else {
        add_block(data, &mut inflated, limit)?;
        return Ok(inflated);
    };
    data = blocks.get(SNAPPY_VERSIONS..).ok_or(BatchError::Corrupt)?;
    while !data.is_empty() {
        let length = data.try_get_u32().map_err(|_| BatchError::Corrupt)?;
        let length = usize::try_from(length).map_err(|_| BatchError::Corrupt)?;
        let block = data.split_at_checked(length).ok_or(BatchError::Corrupt)?;
        add_block(block.0, &mut inflated, limit)?;
        data = block.1;
    }
    Ok(inflated)
}

fn add_block(block: &[u8], inflated: &mut Vec<u8>, limit: usize) -> Result<(), BatchError> {
    let length = snap::raw::decompress_len(block).map_err(|_| BatchError::Corrupt)?;
    if length > limit.saturating_sub(inflated.len()) {
        return Err(BatchError::TooLarge);
    }
    // Snappy expands a block at most about twenty times. Refuse a larger claim before memory is allocated for it.
    if length / 64 > block.len() {
        return Err(BatchError::Corrupt);
    }
    let start = inflated.len();
    inflated.resize(start + length, 0);
    let target = inflated.get_mut(start..).ok_or(BatchError::Corrupt)?;
    let written = snap::raw::Decoder::new().decompress(block, target);
    if written.map_err(|_| BatchError::Corrupt)? != length {
        return Err(BatchError::Corrupt);
    }
    Ok(())
}
