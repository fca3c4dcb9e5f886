//! The compressed form: one gzip member (RFC 1952) whose header says nothing about who made it.
//!
//! The header is `1f8b 08 00 00000000 XFL ff`: no flags, no time, unknown system. XFL only hints at
//! the compression level (section 2.3.1), so the values 0, 2 and 4 are read.

use crate::finding::{Finding, Id};
use flate2::{Compression, Crc, Decompress, FlushDecompress, GzBuilder, Status, write::GzEncoder};
use std::io::Write;
use thiserror::Error;

const HEADER: usize = 10;
const TRAILER: usize = 8;
const CHUNK: usize = 64 << 10;
const LEVEL: u32 = 6;
const UNKNOWN_SYSTEM: u8 = 255;

/// Why bytes are not a bundle's gzip stream.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum GzipError {
    /// Not gzip, or a stream that cannot be decoded.
    #[error("{0}")]
    Invalid(&'static str),
    /// A header with flags, a time, a system or a hint that sealift never writes; its ten bytes.
    #[error("header {0}")]
    Header(String),
    /// Bytes after the member; how many.
    #[error("{0} bytes after the end of the gzip member")]
    Trailing(usize),
    /// More decompressed bytes than the cap.
    #[error("more than {0} bytes when decompressed")]
    TooLarge(usize),
}

impl GzipError {
    /// The finding that says so of a bundle file.
    pub fn finding(&self, name: &str) -> Finding {
        let (id, mend) = match self {
            Self::Invalid(_) => (Id::GzipInvalid, "copy the bundle again from where it was built"),
            Self::Header(_) => (Id::GzipHeader, "compress the tar as sealift or `gzip -n` with OS 255 would"),
            Self::Trailing(_) => (Id::GzipTrailing, "copy the bundle again from where it was built"),
            Self::TooLarge(_) => (Id::ArchiveTooLarge, "this is no bundle that sealift wrote: do not use it"),
        };
        Finding::new(id, name, mend).found(self.to_string())
    }
}

/// An encoder whose output is a function of its input and of flate2's pinned back end.
pub fn encoder<W: Write>(out: W) -> GzEncoder<W> {
    GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(out, Compression::new(LEVEL))
}

/// Decodes exactly one member and nothing else, to at most `cap` bytes.
pub fn decode(bytes: &[u8], cap: usize) -> Result<Vec<u8>, GzipError> {
    let (header, rest) = bytes.split_at_checked(HEADER).ok_or(GzipError::Invalid("too short for gzip"))?;
    check_header(header)?;
    let (out, used) = inflate(rest, cap)?;
    let after = rest.get(used..).unwrap_or_default();
    let (trailer, trailing) =
        after.split_at_checked(TRAILER).ok_or(GzipError::Invalid("ends within the gzip trailer"))?;
    let mut crc = Crc::new();
    crc.update(&out);
    let expected = [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat();
    if trailer != expected {
        return Err(GzipError::Invalid("checksum or length in the gzip trailer is wrong"));
    }
    if trailing.is_empty() { Ok(out) } else { Err(GzipError::Trailing(trailing.len())) }
}

fn check_header(header: &[u8]) -> Result<(), GzipError> {
    match header {
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0 | 2 | 4, UNKNOWN_SYSTEM] => Ok(()),
        [0x1f, 0x8b, 8, ..] => Err(GzipError::Header(hex::encode(header))),
        _ => Err(GzipError::Invalid("does not begin as gzip")),
    }
}

/// The decompressed bytes, and how many bytes of input they took.
fn inflate(input: &[u8], cap: usize) -> Result<(Vec<u8>, usize), GzipError> {
    let mut stream = Decompress::new(false);
    let mut out = Vec::new();
    let mut used = 0;
    loop {
        if out.len() == out.capacity() {
            // One byte over the cap is enough to see that there is more.
            out.reserve_exact(out.len().max(CHUNK).min(cap + 1 - out.len()));
        }
        let before = (used, out.len());
        let status = stream
            .decompress_vec(input.get(used..).unwrap_or_default(), &mut out, FlushDecompress::None)
            .map_err(|_| GzipError::Invalid("deflate stream is corrupt"))?;
        used = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
        if out.len() > cap {
            return Err(GzipError::TooLarge(cap));
        }
        if status == Status::StreamEnd {
            return Ok((out, used));
        }
        if (used, out.len()) == before {
            return Err(GzipError::Invalid("deflate stream is truncated"));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::{GzipError, decode, encoder};
    use std::io::Write;

    fn encode(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = encoder(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn header_is_exact() {
        assert_eq!(encode(b"x")[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn the_cap_is_on_the_output() {
        let zeros = vec![0; 1_000_000];
        let packed = encode(&zeros);
        assert!(packed.len() < 2_000);
        assert_eq!(decode(&packed, 1_000_000).unwrap(), zeros);
        assert_eq!(decode(&packed, 999_999), Err(GzipError::TooLarge(999_999)));
        assert_eq!(decode(&packed, 0), Err(GzipError::TooLarge(0)));
        assert_eq!(decode(&encode(b""), 0).unwrap(), b"");
    }

    #[test]
    fn one_member_and_nothing_else() {
        let packed = encode(b"sealift");
        for cut in 0..packed.len() {
            assert!(matches!(decode(&packed[..cut], 100), Err(GzipError::Invalid(_))), "{cut}");
        }
        let twice = [packed.clone(), packed.clone()].concat();
        assert_eq!(decode(&twice, 100), Err(GzipError::Trailing(packed.len())));
        assert_eq!(decode(&[packed.as_slice(), b"\0"].concat(), 100), Err(GzipError::Trailing(1)));
    }

    proptest::proptest! {
        #[test]
        fn decodes_what_it_encodes(bytes: Vec<u8>) {
            proptest::prop_assert_eq!(decode(&encode(&bytes), bytes.len()).unwrap(), bytes);
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = decode(&bytes, 1000);
            let _ = decode(&[&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], bytes.as_slice()].concat(), 1000);
        }
    }
}
