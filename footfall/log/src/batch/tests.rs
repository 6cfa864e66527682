//! Tests intact, invalid and damaged batches.

use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use proptest::prelude::*;

use super::{
    BatchError, Builder, Codec, HEAD_BYTES, Head, Limits, Records, check, head::CHECKED_FROM,
    inflate,
};

/// Three records, one with a header, compressed by the codec of this number.
fn sent(codec: u8) -> Vec<u8> {
    let mut builder = Builder::new(0, 1000);
    let headers = [(&b"name"[..], Some(&b"header"[..])), (b"none", None)];
    assert!(builder.add(0, 1000, Some(b"key"), Some(&[b'v'; 100]), [].into_iter()));
    assert!(builder.add(1, 1500, None, Some(b"second"), headers.into_iter()));
    assert!(builder.add(2, 900, Some(b"key"), None, [].into_iter()));
    let plain = builder.finish(Codec::None, 0).unwrap().to_vec();
    recompressed(&plain, codec, |records| compress(codec, records))
}

fn compress(codec: u8, records: &[u8]) -> Vec<u8> {
    match codec {
        1 => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(records).unwrap();
            gzip.finish().unwrap()
        }
        2 => snap::raw::Encoder::new().compress_vec(records).unwrap(),
        3 => lz4_frame(records, lz4::BlockMode::Independent),
        4 => zstd::encode_all(records, 3).unwrap(),
        _ => records.to_vec(),
    }
}

fn lz4_frame(records: &[u8], mode: lz4::BlockMode) -> Vec<u8> {
    let mut encoder = lz4::EncoderBuilder::new()
        .block_mode(mode)
        .build(Vec::new())
        .unwrap();
    encoder.write_all(records).unwrap();
    encoder.finish().0
}

/// The batch with changed records, and the length and checksum corrected.
fn recompressed(plain: &[u8], codec: u8, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = plain[..HEAD_BYTES].to_vec();
    bytes.extend(change(&plain[HEAD_BYTES..]));
    bytes[22] |= codec;
    sealed(bytes)
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let counted = u32::try_from(bytes.len() - 12).unwrap();
    bytes[8..12].copy_from_slice(&counted.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn checked(bytes: Vec<u8>) -> Result<usize, BatchError> {
    check(bytes.into(), &Limits::default(), &mut 1_000_000_000).map(|batches| batches.len())
}

#[test]
fn a_batch_is_read_whatever_its_codec() {
    for codec in 0..=4 {
        let bytes = sent(codec);
        let batches = check(Bytes::from(bytes.clone()), &Limits::default(), &mut 10_000).unwrap();
        assert_eq!(batches.len(), 1, "{codec}");
        assert_eq!(batches[0].max_timestamp_ms(), 1500);
        assert!(batches[0].has_null_key());
        assert_eq!(batches[0].head().count, 3);

        let placed = batches[0].placed(77, 3);
        let head = Head::read(&placed).unwrap();
        assert_eq!((head.base_offset, head.leader_epoch), (77, 3));
        assert_eq!(head.check_checksum(&placed), Ok(()));
        assert_eq!(placed[16..], bytes[16..], "nothing else is changed");

        let inflated = inflate(head.compression(), &placed[HEAD_BYTES..], 10_000).unwrap();
        let mut records = Records::new(&head, &inflated);
        let first = records.next().unwrap().unwrap();
        assert_eq!((first.timestamp_ms, first.key), (1000, Some(&b"key"[..])));
        let second = records.next().unwrap().unwrap();
        assert_eq!((second.offset_delta, second.key), (1, None));
        let headers: Vec<_> = second.headers.collect();
        assert_eq!(
            headers,
            [(&b"name"[..], Some(&b"header"[..])), (b"none", None)]
        );
        let third = records.next().unwrap().unwrap();
        assert_eq!((third.timestamp_ms, third.value), (900, None));
        assert_eq!(records.next(), Ok(None));
    }
}

#[test]
fn several_batches_are_checked_one_by_one() {
    let mut three = [sent(0), sent(3), sent(0)].concat();
    assert_eq!(checked(three.clone()), Ok(3));
    let last = three.len() - 1;
    three[last] ^= 1;
    assert_eq!(checked(three), Err(BatchError::Corrupt));
    assert!(matches!(checked(Vec::new()), Err(BatchError::Invalid(_))));
}

#[test]
fn each_invalid_batch_is_refused_with_its_own_error() {
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = sent(0);
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        checked(sealed(changed))
    };
    assert!(
        matches!(with(16, &[1]), Err(BatchError::Invalid(_))),
        "format 1"
    );
    assert_eq!(with(22, &[5]), Err(BatchError::Compression));
    assert_eq!(with(22, &[1 << 3]), Err(BatchError::Timestamp));
    assert_eq!(with(22, &[1 << 4]), Err(BatchError::Transaction));
    assert!(
        matches!(with(22, &[1 << 5]), Err(BatchError::Invalid(_))),
        "control"
    );
    assert!(
        matches!(with(23, &[0, 0, 0, 3]), Err(BatchError::Invalid(_))),
        "last offset"
    );
    assert!(
        matches!(with(57, &[0, 0, 0, 4]), Err(BatchError::Invalid(_))),
        "count"
    );
    // A producer id without an epoch; then with an epoch but without a sequence.
    assert_eq!(with(43, &[0; 8]), Err(BatchError::Epoch));
    assert!(matches!(with(43, &[0; 10]), Err(BatchError::Invalid(_))));
    // The second record has the offset delta of the third.
    let swapped = recompressed(&sent(0), 0, |records| {
        let mut records = records.to_vec();
        let first = usize::from(records[0]) / 2 + usize::from(records[1]) * 64 - 64 + 2;
        assert_eq!(records[first + 4], 2, "an offset delta of 1");
        records[first + 4] = 4;
        records
    });
    assert!(matches!(checked(swapped), Err(BatchError::Invalid(_))));
}

#[test]
fn limits_hold_before_memory_is_allocated() {
    let limits = Limits {
        max_batch_bytes: 100,
        ..Limits::default()
    };
    assert_eq!(
        check(sent(0).into(), &limits, &mut 1000).unwrap_err(),
        BatchError::TooLarge
    );
    let zeroes = vec![0; 1_000_001];
    for codec in 0..=4 {
        let small = compress(codec, &zeroes);
        let inflated = inflate(codec.into(), &small, 1_000_000);
        assert_eq!(inflated, Err(BatchError::TooLarge), "{codec}");
    }
    // A few bytes that claim to be four gigabytes.
    let claims = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    assert_eq!(inflate(2, &claims, 1_000_000), Err(BatchError::TooLarge));
    assert_eq!(inflate(2, &claims, usize::MAX), Err(BatchError::Corrupt));
}

#[test]
fn all_batches_of_a_request_share_one_limit_on_decompression() {
    let inflated = sent(0).len() - HEAD_BYTES;
    let two: Bytes = [sent(4), sent(4)].concat().into();
    let limits = Limits::default();
    let mut left = 2 * inflated + 1;
    assert_eq!(check(two.clone(), &limits, &mut left).unwrap().len(), 2);
    assert_eq!(left, 1);
    let mut left = 2 * inflated - 1;
    let refused = check(two.clone(), &limits, &mut left).unwrap_err();
    assert_eq!(refused, BatchError::TooLarge);
    // Decompression of a refused batch counts too, also for the next partition.
    assert_eq!(
        check(two, &limits, &mut left).unwrap_err(),
        BatchError::TooLarge
    );
    assert_eq!(left, 0);
}

#[test]
fn data_that_consumers_cannot_decompress_is_refused() {
    for codec in 1..=4 {
        let whole = sent(codec);
        let cut = recompressed(&sent(0), codec, |records| {
            let mut compressed = compress(codec, records);
            compressed.truncate(compressed.len() - 1);
            compressed
        });
        assert_eq!(checked(whole), Ok(1));
        assert_eq!(checked(cut), Err(BatchError::Corrupt), "{codec}");
    }
    // Java's consumers cannot read lz4 blocks that refer to earlier ones.
    let linked = recompressed(&sent(0), 3, |records| {
        let long = [records, &vec![0; 200_000]].concat();
        lz4_frame(&long, lz4::BlockMode::Linked)
    });
    assert_eq!(checked(linked), Err(BatchError::Corrupt));
}

#[test]
fn numbers_too_long_for_consumers_are_refused() {
    let body = [0, 0, 0, 1, 1, 0];
    let one = |records: Vec<u8>| {
        let mut bytes = sent(0)[..HEAD_BYTES].to_vec();
        bytes[23..27].fill(0);
        bytes[57..61].copy_from_slice(&1_i32.to_be_bytes());
        bytes.extend(records);
        checked(sealed(bytes))
    };
    assert_eq!(one([&[12], &body[..]].concat()), Ok(1));
    // The same number, padded with zeroes.
    assert_eq!(one([&[140, 128, 128, 128, 0], &body[..]].concat()), Ok(1));
    let long = [&[140, 128, 128, 128, 128, 0], &body[..]].concat();
    assert!(matches!(one(long), Err(BatchError::Invalid(_))), "a length");
    let delta = vec![22, 0, 0, 128, 128, 128, 128, 128, 0, 1, 1, 0];
    assert!(matches!(one(delta), Err(BatchError::Invalid(_))), "a delta");
}

#[test]
fn snappy_is_read_as_one_block_or_as_many() {
    let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
    let mut encoder = snap::raw::Encoder::new();
    let one = encoder.compress_vec(&text).unwrap();
    assert_eq!(inflate(2, &one, 400_000).unwrap(), text);
    let mut blocks = BytesMut::from(&b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01"[..]);
    for block in text.chunks(32_768) {
        let block = encoder.compress_vec(block).unwrap();
        blocks.put_u32(u32::try_from(block.len()).unwrap());
        blocks.put_slice(&block);
    }
    assert_eq!(inflate(2, &blocks, 400_000).unwrap(), text);
    assert_eq!(inflate(2, &blocks, 399_999), Err(BatchError::TooLarge));
    let cut = &blocks[..blocks.len() - 1];
    assert_eq!(inflate(2, cut, 400_000), Err(BatchError::Corrupt));
    assert_eq!(inflate(2, &blocks[..15], 400_000), Err(BatchError::Corrupt));
}

proptest! {
    #[test]
    fn no_bytes_break_the_check_of_batches(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        length in any::<prop::sample::Index>(),
        codec in 0..=4_u8,
    ) {
        let mut bytes = sent(codec);
        let at = at.index(bytes.len());
        let changed = bytes[at] != byte;
        bytes[at] = byte;
        // The log sets the base offset and the leader epoch, and the checksum does not cover them.
        prop_assert_eq!(checked(bytes.clone()).is_err(), changed && !matches!(at, 0..8 | 12..16), "{}", at);
        // With a correct length and checksum, any result is fine as long as nothing panics.
        let _ = checked(sealed(bytes.clone()));
        bytes.truncate(length.index(bytes.len()));
        prop_assert!(checked(bytes).is_err());
    }

    #[test]
    fn no_records_break_the_walk(records in prop::collection::vec(any::<u8>(), 0..200), count in 1..5_i32) {
        let mut bytes = sent(0)[..HEAD_BYTES].to_vec();
        bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        bytes.extend(records);
        let _ = checked(sealed(bytes));
    }

    #[test]
    fn a_built_batch_is_read_as_it_was_built(
        base in 0..i64::MAX / 2,
        records in prop::collection::vec((0..1000_i64, any::<i32>(), any::<Option<Vec<u8>>>(), any::<Option<Vec<u8>>>()), 1..20),
        lz4 in any::<bool>(),
    ) {
        let mut builder = Builder::new(base, 5);
        let mut expected = Vec::new();
        let mut offset = base;
        for (gap, time, key, value) in records {
            offset += gap;
            let time = i64::from(time);
            prop_assert!(builder.add(offset, time, key.as_deref(), value.as_deref(), [].into_iter()));
            expected.push((offset, time, key, value));
            offset += 1;
        }
        let codec = if lz4 { Codec::Lz4 } else { Codec::None };
        let bytes = builder.finish(codec, offset + 7).unwrap();
        let head = Head::read(&bytes).unwrap();
        prop_assert_eq!(head.check_checksum(&bytes), Ok(()));
        prop_assert_eq!(head.base_offset + i64::from(head.last_offset_delta), offset + 7);
        let inflated = inflate(head.compression(), &bytes[HEAD_BYTES..], 1 << 26).unwrap();
        let mut walk = Records::new(&head, &inflated);
        let mut found = Vec::new();
        while let Some(record) = walk.next().unwrap() {
            let offset = base + i64::from(record.offset_delta);
            found.push((offset, record.timestamp_ms, record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec)));
        }
        prop_assert_eq!(found, expected);
    }
}
