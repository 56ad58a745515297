//! Splits a stream of bytes into lines, in constant memory.

use crate::core::records::samples::MAX_VALUE;
use std::io::{self, BufRead, BufReader, Read};

/// How much is read at once, in bytes.
const CHUNK: usize = 1024 * 1024;

/// Why there are no more lines.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The operating system's reason.
    #[error("the input cannot be read: {0}")]
    Read(#[from] io::Error),
    /// A line that is not worth the memory.
    #[error("line {line} is longer than {MAX_VALUE} bytes, the largest record that kmk sends")]
    TooLong {
        /// Its number, from 1.
        line: u64,
    },
}

/// The lines of a stream, byte for byte, without the newline that ends each; a carriage return is part of its line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    from: BufReader<R>,
    begun: Vec<u8>,
    complete: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from: BufReader::with_capacity(CHUNK, from),
            begun: Vec::new(),
            complete: 0,
        }
    }

    /// Hands the lines that one read completes to `each`, which says whether it wants more. False when that was all.
    ///
    /// Between two calls the stream may make its reader wait.
    pub(super) fn read_some(
        &mut self,
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<bool, LinesError> {
        let read = loop {
            match self.from.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let length = read.len();
        if length == 0 {
            if !self.begun.is_empty() {
                each(&std::mem::take(&mut self.begun));
            }
            return Ok(false);
        }
        let mut rest = read;
        while let Some(tail) = cut_line(&mut rest) {
            self.complete += 1;
            let more = if self.begun.is_empty() {
                each(tail)
            } else {
                self.begun.extend_from_slice(tail);
                let more = each(&self.begun);
                self.begun.clear();
                more
            };
            if !more {
                return Ok(false);
            }
        }
        self.begun.extend_from_slice(rest);
        self.from.consume(length);
        if self.begun.len() > MAX_VALUE {
            return Err(LinesError::TooLong {
                line: self.complete + 1,
            });
        }
        Ok(true)
    }
}

/// Takes a line that is complete from the front of `rest`.
fn cut_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut after = *rest;
    // the standard library's search for a byte: a loop of our own took half of the time of reading lines
    let length = after.skip_until(b'\n').unwrap_or(0);
    let line = rest[..length].strip_suffix(b"\n")?;
    *rest = after;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives at most this many bytes at a time, as a pipe does.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let size = self.1.min(to.len());
            self.0.read(&mut to[..size])
        }
    }

    fn all(bytes: &[u8], at_once: usize, most: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(Drops(bytes, at_once));
        let mut found = Vec::new();
        while lines
            .read_some(|line| {
                found.push(line.to_vec());
                found.len() < most
            })
            .unwrap()
        {}
        found
    }

    #[test]
    fn lines_are_kept_byte_for_byte() {
        let bytes = b"a\r\n\n\xff\xfe\nlast";
        let expected: [&[u8]; 4] = [b"a\r", b"", b"\xff\xfe", b"last"];
        assert_eq!(all(bytes, 3, 99), expected);
        assert_eq!(all(bytes, 99, 2), expected[..2]);
        assert_eq!(all(b"a\n", 99, 99), [b"a"]);
        assert_eq!(all(b"", 99, 99), [b""; 0]);
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let mut lines = Lines::new(io::repeat(b'x'));
        let error = loop {
            match lines.read_some(|_| true) {
                Ok(more) => assert!(more),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, LinesError::TooLong { line: 1 }));
    }

    proptest! {
        #[test]
        fn joined_again_the_lines_are_the_input(
            lines in proptest::collection::vec("[ab\r\u{e9}]{0,4}", 0..12), at_once in 1usize..9
        ) {
            let bytes: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let expected: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(all(bytes.as_bytes(), at_once, usize::MAX), expected);
        }
    }
}
