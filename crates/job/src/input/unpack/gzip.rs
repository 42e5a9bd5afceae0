//! Unpacks gzip: several members one behind the other, and zeros behind a member,
//! with which tapes and block devices fill their last block.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// Reads the members of a gzip file as one stream.
pub(super) struct GzipReader<R: BufRead> {
    /// The member that is read; none at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipReader<R> {
    pub(super) fn new(packed: R) -> Self {
        Self { member: Some(GzDecoder::new(packed)) }
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let packed = self.member.take().map(GzDecoder::into_inner);
            self.member = packed.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// Passes over zeros; returns the next member, if there is one.
fn next_member<R: BufRead>(mut packed: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let bytes = packed.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        match (bytes.len(), zeros) {
            (0, _) => return Ok(None),
            (length, zeros) if zeros < length => {
                packed.consume(zeros);
                return Ok(Some(GzDecoder::new(packed)));
            }
            (_, zeros) => packed.consume(zeros),
        }
    }
}
