//! Frames: a length, and that many bytes. Read piece by piece as they come.

use bytes::Bytes;
use std::io::{self, Read};

/// The largest frame taken from a broker, in bytes: the most that is asked for in one fetch (128 MiB), and room.
pub(crate) const LARGEST: usize = 160 * 1024 * 1024;

/// As much is set aside for a frame at most before its bytes are there.
const RESERVE: usize = 32 * 1024 * 1024;

/// How often a stream is read before its reader may look at the clock: one that drips must not hold it.
const READS: usize = 8;

/// The memory of this many frames is kept: one that is worked on, one that waits, and one that comes.
const KEPT: usize = 3;

/// Buffers of smaller frames, in bytes, are not reused: allocating them is cheap.
const WORTH_KEEPING: usize = 256 * 1024;

/// A frame on its way in.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    /// Buffers of large frames that were handed out. A buffer is reused once nothing refers to it: the system would clear
    /// a newly allocated one each time.
    handed_out: Vec<Bytes>,
    /// The length that the frame announced, once that is known.
    length: Option<usize>,
}

impl Incoming {
    /// Reads on. None when the frame is not complete yet and the reader would have to wait.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when the stream ends, [`io::ErrorKind::InvalidData`] when a frame announces
    /// more than [`LARGEST`] bytes or less than none.
    pub(crate) fn read(&mut self, from: &mut impl Read) -> io::Result<Option<Bytes>> {
        let length = if let Some(length) = self.length {
            length
        } else {
            if !self.fill(from, 4)? {
                return Ok(None);
            }
            let length = self.announced()?;
            self.bytes.clear();
            if length >= WORTH_KEEPING {
                self.bytes = self.recycled();
            }
            self.bytes.reserve(length.min(RESERVE));
            *self.length.insert(length)
        };
        if !self.fill(from, length)? {
            return Ok(None);
        }
        self.length = None;
        let frame = Bytes::from(std::mem::take(&mut self.bytes));
        if length >= WORTH_KEEPING && self.handed_out.len() < KEPT {
            self.handed_out.push(frame.clone());
        }
        Ok(Some(frame))
    }

    /// The memory of a frame that is no longer used, or none.
    fn recycled(&mut self) -> Vec<u8> {
        let free = self.handed_out.iter().position(Bytes::is_unique);
        let free = free.map(|at| self.handed_out.swap_remove(at));
        let Some(Ok(mut memory)) = free.map(Bytes::try_into_mut) else {
            return Vec::new();
        };
        memory.clear();
        memory.into()
    }

    fn announced(&self) -> io::Result<usize> {
        let length: [u8; 4] = self.bytes.as_slice().try_into().unwrap_or_default();
        let length = i32::from_be_bytes(length);
        match usize::try_from(length) {
            Ok(length) if length <= LARGEST => Ok(length),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it announces an answer of {length} bytes"),
            )),
        }
    }

    /// Reads until `wanted` bytes are there. False when the reader would have to wait, or has read for a while.
    fn fill(&mut self, from: &mut impl Read, wanted: usize) -> io::Result<bool> {
        let mut from = Turn { from, reads: READS };
        while self.bytes.len() < wanted {
            let missing = (wanted - self.bytes.len()) as u64;
            match from.by_ref().take(missing).read_to_end(&mut self.bytes) {
                Ok(_) if self.bytes.len() < wanted => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(_) => {}
                Err(error) if is_wait(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// A stream that makes its reader wait after this many reads.
struct Turn<'a, R> {
    from: &'a mut R,
    reads: usize,
}

impl<R: Read> Read for Turn<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.reads == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.reads -= 1;
        self.from.read(to)
    }
}

/// Whether a socket's error says only that its timeout has passed.
pub(crate) fn is_wait(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives what it has in small pieces, and makes its reader wait after each.
    struct Drip {
        bytes: Vec<u8>,
        at: usize,
        piece: usize,
        wait: bool,
    }

    impl Read for Drip {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.wait = !self.wait;
            if self.wait {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let length = self.piece.min(to.len()).min(self.bytes.len() - self.at);
            to[..length].copy_from_slice(&self.bytes[self.at..self.at + length]);
            self.at += length;
            Ok(length)
        }
    }

    fn frames(bytes: Vec<u8>, piece: usize) -> (Vec<Vec<u8>>, io::ErrorKind) {
        let mut from = Drip {
            bytes,
            at: 0,
            piece,
            wait: false,
        };
        let mut incoming = Incoming::default();
        let mut found = Vec::new();
        loop {
            match incoming.read(&mut from) {
                Ok(Some(frame)) => found.push(frame.to_vec()),
                Ok(None) => {}
                Err(error) => return (found, error.kind()),
            }
        }
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            sent in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..6),
            piece in 1usize..9
        ) {
            let mut bytes = Vec::new();
            for frame in &sent {
                bytes.extend_from_slice(&u32::try_from(frame.len()).unwrap().to_be_bytes());
                bytes.extend_from_slice(frame);
            }
            prop_assert_eq!(frames(bytes, piece), (sent, io::ErrorKind::UnexpectedEof));
        }

        #[test]
        fn garbage_ends_in_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let (_, error) = frames(bytes, 7);
            prop_assert!(matches!(error, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData));
        }
    }

    #[test]
    fn the_memory_of_a_large_frame_is_used_again_once_nobody_looks_at_it() {
        let large = |byte: u8| [&300_000u32.to_be_bytes()[..], &vec![byte; 300_000]].concat();
        let sent: Vec<u8> = (1..=4).flat_map(large).collect();
        let (mut from, mut incoming) = (sent.as_slice(), Incoming::default());
        let mut next = || loop {
            if let Some(frame) = incoming.read(&mut from).unwrap() {
                break frame;
            }
        };
        let (first, second) = (next(), next());
        let place = first.as_ptr();
        let part = first.slice(10..20);
        drop(first);
        assert_ne!(next().as_ptr(), place, "a part of it is still looked at");
        assert_eq!(part[..], [1; 10]);
        drop(part);
        let last = next();
        assert_eq!(last.as_ptr(), place);
        assert!(last.iter().all(|&byte| byte == 4) && last.len() == 300_000);
        assert!(second.iter().all(|&byte| byte == 2));
    }

    #[test]
    fn a_frame_that_announces_too_much_is_refused_before_it_takes_memory() {
        for length in [i32::MAX, -1, 161 * 1024 * 1024] {
            let (found, error) = frames(length.to_be_bytes().to_vec(), 4);
            assert_eq!((found.len(), error), (0, io::ErrorKind::InvalidData));
        }
    }
}
