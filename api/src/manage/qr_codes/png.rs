//! Writes PNG files with two colours (ISO/IEC 15948).

use flate2::{Compression, Crc, write::ZlibEncoder};
use std::io::{self, Write};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// One bit a pixel, an index of the palette; the only compression and filters, no interlacing.
const KIND: [u8; 5] = [1, 3, 0, 0, 0];

/// A square of that many pixels. Each of its rows begins with its filter; 3 bytes of the palette
/// are a colour.
pub(super) fn of_two_colors(size: u32, palette: &[u8], rows: &[u8]) -> io::Result<Vec<u8>> {
    let mut file = SIGNATURE.to_vec();
    let size = size.to_be_bytes();
    chunk(&mut file, *b"IHDR", &[&size[..], &size, &KIND].concat())?;
    chunk(&mut file, *b"PLTE", palette)?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(rows)?;
    chunk(&mut file, *b"IDAT", &packed.finish()?)?;
    chunk(&mut file, *b"IEND", &[])?;
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) -> io::Result<()> {
    let length = u32::try_from(data.len()).map_err(io::Error::other)?;
    file.extend(length.to_be_bytes());
    file.extend(name);
    file.extend(data);
    let mut crc = Crc::new();
    crc.update(&name);
    crc.update(data);
    file.extend(crc.sum().to_be_bytes());
    Ok(())
}
