//! Reads lines of bounded length from a file or from standard input.

use std::io::{BufRead, BufReader, Read};

/// Bytes read at once: some hundreds of lines.
const BUFFER_BYTES: usize = 1024 * 1024;
/// Some programs write this mark at the start of a text in UTF-8. In joined files it may come
/// before any line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line without its line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Its content.
    Text(&'a [u8]),
    /// The line was longer than the bound and is skipped.
    TooLong,
}

/// Reads lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    max_bytes: usize,
    line: Vec<u8>,
    /// Lines read so far.
    pub(super) number: u64,
    /// Bytes of these lines.
    pub(super) bytes: u64,
}

impl<R: Read> Lines<R> {
    /// A reader of lines of at most that many bytes.
    pub(super) fn new(reader: R, max_bytes: usize) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            max_bytes,
            line: Vec::new(),
            number: 0,
            bytes: 0,
        }
    }

    /// True if reading the next line may block.
    pub(super) fn may_wait(&self) -> bool {
        !self.reader.buffer().contains(&b'\n')
    }

    /// Reads the next line; `None` at the end.
    pub(super) fn read(&mut self) -> std::io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
            // The rest of a long line is read but not stored, so that memory stays bounded.
            too_long |= self.line.len() + part.len() > self.max_bytes;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let read = part.len() + usize::from(end.is_some());
            self.reader.consume(read);
            self.bytes += read as u64;
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        let text = self.line.as_slice();
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        Ok(Some(Line::Text(text.trim_ascii())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], max_bytes: usize) -> Vec<String> {
        let mut lines = Lines::new(text, max_bytes);
        let mut read = Vec::new();
        while let Some(line) = lines.read().unwrap() {
            read.push(match line {
                Line::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                Line::TooLong => "too long".to_owned(),
            });
        }
        assert_eq!(lines.number, read.len() as u64);
        assert_eq!(lines.bytes, text.len() as u64);
        read
    }

    #[test]
    fn lines_end_with_a_break_of_either_kind_or_with_the_file() {
        assert!(read(b"", 9).is_empty());
        assert_eq!(read(b"\n", 9), [""]);
        assert_eq!(read(b"a\r\n\n b \nc", 9), ["a", "", "b", "c"]);
        assert_eq!(read(b"\xef\xbb\xbfa\n\n", 9), ["a", ""]);
        assert_eq!(read(b"a\r\n\xef\xbb\xbfb\r\n", 9), ["a", "b"]);
    }

    #[test]
    fn a_line_above_the_bound_is_skipped() {
        assert_eq!(read(b"1234\n12345\n1", 4), ["1234", "too long", "1"]);
        let mut long = vec![b'x'; 3 * BUFFER_BYTES];
        long.extend_from_slice(b"\nnext\n");
        assert_eq!(read(&long, BUFFER_BYTES), ["too long", "next"]);
        assert_eq!(read(&long, 4 * BUFFER_BYTES)[0].len(), 3 * BUFFER_BYTES);
    }
}
