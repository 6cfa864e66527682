//! The rules without a broker: sequences against a plain list, batches against damage.

use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use nisshi_sans_io::{
    ErrorCode,
    record::{Header, Record, deflated, inflated},
};
use proptest::prelude::*;

use super::{
    batch,
    compression::inflate,
    sequences::{Claim, Memory, Progress, Verdict},
};

/// What a producer may do next.
#[derive(Clone, Debug)]
enum Step {
    Next(i32),
    Again(usize),
    Skip(i32),
    NextEpoch(i32),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..20).prop_map(Step::Next),
        3 => (0_usize..12).prop_map(Step::Again),
        1 => (1..20).prop_map(Step::Skip),
        1 => (1..20).prop_map(Step::NextEpoch),
        1 => Just(Step::Restart),
    ]
}

fn claim(epoch: i16, sequence: i64, count: i32) -> Claim {
    Claim {
        producer_id: 1,
        epoch,
        // Sequences of the oracle go on for ever, those of the wire begin again.
        base_sequence: i32::try_from(sequence & i64::from(i32::MAX)).unwrap(),
        count,
    }
}

proptest! {
    #[test]
    fn sequences_are_judged_as_a_list_of_everything_would(
        begin in prop_oneof![Just(0_i64), Just(i64::from(i32::MAX) - 30)],
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut progress = Some(Progress::stored(0, begin));
        // Sequence, count, offset of everything in this epoch; how many of the last are remembered.
        let mut list: Vec<(i64, i32, i64)> = Vec::new();
        let (mut epoch, mut next, mut offset, mut remembered) = (0_i16, begin, 0_i64, 0_usize);
        for step in steps {
            let judged = |claim: &Claim| Progress::judge(progress.as_ref(), claim);
            match step {
                Step::Next(count) | Step::NextEpoch(count) => {
                    if matches!(step, Step::NextEpoch(_)) {
                        let former = claim(epoch, next, count);
                        (epoch, next, remembered) = (epoch + 1, 0, 0);
                        list.clear();
                        let later = claim(epoch, 1, count);
                        prop_assert_eq!(judged(&later), Err(ErrorCode::OutOfOrderSequenceNumber));
                        let claim = claim(epoch, 0, count);
                        prop_assert_eq!(judged(&claim), Ok(Verdict::Append));
                        let after = Progress::after(progress.as_ref(), &claim, offset);
                        let fenced = Progress::judge(Some(&after), &former);
                        prop_assert_eq!(fenced, Err(ErrorCode::InvalidProducerEpoch));
                    }
                    let claim = claim(epoch, next, count);
                    prop_assert_eq!(judged(&claim), Ok(Verdict::Append));
                    progress = Some(Progress::after(progress.as_ref(), &claim, offset));
                    list.push((next, count, offset));
                    next += i64::from(count);
                    offset += i64::from(count);
                    remembered = (remembered + 1).min(5);
                }
                Step::Again(back) => {
                    let index = list.len().checked_sub(back + 1);
                    if let Some(&(sequence, count, offset)) = index.map(|index| &list[index]) {
                        let expected = if back < remembered {
                            Ok(Verdict::Appended(offset))
                        } else {
                            Err(ErrorCode::DuplicateSequenceNumber)
                        };
                        prop_assert_eq!(judged(&claim(epoch, sequence, count)), expected);
                    }
                }
                Step::Skip(gap) => {
                    let claim = claim(epoch, next + i64::from(gap), 1);
                    prop_assert_eq!(judged(&claim), Err(ErrorCode::OutOfOrderSequenceNumber));
                }
                Step::Restart => {
                    let known = progress.unwrap();
                    progress = Some(Progress::stored(known.epoch, known.next_sequence.into()));
                    remembered = 0;
                }
            }
        }
    }

    #[test]
    fn no_bytes_break_the_reading_of_batches(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        length in any::<prop::sample::Index>(),
        codec in 0..5_i16,
    ) {
        let mut whole = some_batch(codec).to_vec();
        let at = at.index(whole.len());
        let changed = whole[at] != byte;
        whole[at] = byte;
        let damaged = batch::read(Some(whole.clone().into()));
        // A batch's place and leader are the broker's to say, and what its checksum is not about.
        prop_assert_eq!(damaged.is_err(), changed && !matches!(at, 0..8 | 12..16), "{}", at);
        // The same with a checksum that is right: whatever comes of it, it is an answer.
        if whole.len() > 21 && at >= 21 {
            let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &whole[21..]);
            whole[17..21].copy_from_slice(&u32::try_from(crc).unwrap().to_be_bytes());
            let _ = batch::read(Some(whole.clone().into()));
        }
        whole.truncate(length.index(whole.len()));
        prop_assert!(batch::read(Some(whole.into())).is_err());
    }
}

fn some_batch(codec: i16) -> Bytes {
    // Snappy is written by no code of nisshi's.
    let codec = if codec == 2 { 0 } else { codec };
    let header = Header::builder().key(Bytes::from_static(b"h"));
    let record = Record::builder()
        .key(Some(Bytes::from_static(b"key")))
        .value(Some(Bytes::from_static(b"value value value")))
        .header(header);
    let batch = inflated::Batch::builder()
        .attributes(codec)
        .record(record.clone())
        .record(record.offset_delta(1))
        .last_offset_delta(1);
    deflated::Batch::try_from(batch.build().unwrap())
        .unwrap()
        .into()
}

#[test]
fn a_batch_is_what_was_put_into_it() {
    for codec in 0..5 {
        let batches = batch::read(Some(some_batch(codec))).unwrap();
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].records.len(), 2);
        for record in &batches[0].records {
            assert_eq!(record.key.as_deref(), Some(&b"key"[..]));
            assert_eq!(record.value.as_deref(), Some(&b"value value value"[..]));
            assert_eq!(record.headers, [(Bytes::from_static(b"h"), None)]);
        }
    }
}

#[test]
fn snappy_comes_as_one_block_or_as_many() {
    let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
    let mut encoder = snap::raw::Encoder::new();
    let one = encoder.compress_vec(&text).unwrap();
    assert_eq!(inflate(2, one.into()).unwrap(), text);
    let mut blocks = BytesMut::from(&b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01"[..]);
    for block in text.chunks(32_768) {
        let block = encoder.compress_vec(block).unwrap();
        blocks.put_u32(u32::try_from(block.len()).unwrap());
        blocks.put_slice(&block);
    }
    let blocks = blocks.freeze();
    assert_eq!(inflate(2, blocks.clone()).unwrap(), text);
    let cut = blocks.slice(..blocks.len() - 1);
    assert_eq!(inflate(2, cut), Err(ErrorCode::CorruptMessage));
    assert_eq!(
        inflate(2, blocks.slice(..15)),
        Err(ErrorCode::CorruptMessage)
    );
}

#[test]
fn a_few_bytes_do_not_become_all_memory() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeroes = vec![0; 1024 * 1024];
    for _ in 0..65 {
        gzip.write_all(&zeroes).unwrap();
    }
    let gzip = gzip.finish().unwrap();
    assert!(gzip.len() < 1024 * 1024);
    assert_eq!(inflate(1, gzip.into()), Err(ErrorCode::MessageTooLarge));
    // Four milliards of bytes, says the first number.
    let snappy = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
    assert_eq!(inflate(2, snappy), Err(ErrorCode::MessageTooLarge));
}

#[test]
fn memory_is_bounded_and_keeps_who_was_heard_of_last() {
    let mut memory = Memory::default();
    for producer in 0..30_000 {
        memory.learn((producer, 1), Progress::stored(0, producer));
        assert!(memory.get((0, 1)).is_some(), "used all the time");
    }
    let kept = (0..30_000).filter(|producer| memory.get((*producer, 1)).is_some());
    let kept: Vec<i64> = kept.collect();
    assert!((5_000..=10_000).contains(&kept.len()), "{}", kept.len());
    assert!(kept.contains(&29_999));
    memory.forget((29_999, 1));
    assert_eq!(memory.get((29_999, 1)), None);
}
