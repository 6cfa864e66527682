//! Record data as it was before its producer compressed it.
//!
//! The rule to keep: a few bytes may say that they are terabytes, so what comes out is bounded while it comes.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use nisshi_sans_io::{Compression, ErrorCode};

/// Most that a batch may come to: as much as an uncompressed request may have.
const MAX_INFLATED_BYTES: usize = 64 * 1024 * 1024;
/// What the Java client writes before blocks of Snappy; the version and the oldest one that can read it follow.
const SNAPPY_BLOCKS: &[u8] = b"\x82SNAPPY\0";
/// The length of these two.
const SNAPPY_VERSIONS: usize = 8;

/// The records themselves, of data compressed by the codec that a batch's attributes name.
pub(super) fn inflate(codec: i16, data: Bytes) -> Result<Bytes, ErrorCode> {
    let codec = Compression::try_from(codec);
    match codec.map_err(|_| ErrorCode::UnsupportedCompressionType)? {
        Compression::None => Ok(data),
        Compression::Gzip => bounded(Ok(flate2::bufread::GzDecoder::new(&data[..]))),
        Compression::Lz4 => bounded(lz4::Decoder::new(&data[..])),
        Compression::Zstd => bounded(zstd::stream::read::Decoder::with_buffer(&data[..])),
        Compression::Snappy => snappy(data),
    }
}

fn bounded(decoder: io::Result<impl Read>) -> Result<Bytes, ErrorCode> {
    let decoder = decoder.map_err(|_| ErrorCode::CorruptMessage)?;
    let limit = u64::try_from(MAX_INFLATED_BYTES).unwrap_or(u64::MAX);
    let mut inflated = Vec::new();
    decoder
        .take(limit + 1)
        .read_to_end(&mut inflated)
        .map_err(|_| ErrorCode::CorruptMessage)?;
    if inflated.len() > MAX_INFLATED_BYTES {
        return Err(ErrorCode::MessageTooLarge);
    }
    Ok(inflated.into())
}

/// One block as it is, or blocks with their lengths in front.
fn snappy(mut data: Bytes) -> Result<Bytes, ErrorCode> {
    let mut inflated = Vec::new();
    if !data.starts_with(SNAPPY_BLOCKS) {
        add_block(&data, &mut inflated)?;
        return Ok(inflated.into());
    }
    let head = SNAPPY_BLOCKS.len() + SNAPPY_VERSIONS;
    if data.len() < head {
        return Err(ErrorCode::CorruptMessage);
    }
    data.advance(head);
    while !data.is_empty() {
        let length = data.try_get_u32().map_err(|_| ErrorCode::CorruptMessage)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > data.len() {
            return Err(ErrorCode::CorruptMessage);
        }
        add_block(&data.split_to(length), &mut inflated)?;
    }
    Ok(inflated.into())
}

fn add_block(block: &[u8], inflated: &mut Vec<u8>) -> Result<(), ErrorCode> {
    let length = snap::raw::decompress_len(block).map_err(|_| ErrorCode::CorruptMessage)?;
    if inflated.len() + length > MAX_INFLATED_BYTES {
        return Err(ErrorCode::MessageTooLarge);
    }
    let block = snap::raw::Decoder::new().decompress_vec(block);
    inflated.extend(block.map_err(|_| ErrorCode::CorruptMessage)?);
    Ok(())
}
