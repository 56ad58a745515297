//! How far one partition has been read, and what an answer to a fetch means for it.

use super::inspect::Inspected;
use crate::consumer::Position;

/// The most that is asked of one partition at once, in bytes. A batch is larger only where a topic allows requests that
/// no broker takes as it comes (`socket.request.max.bytes`, 100 MiB).
const LARGEST: i32 = 128 * 1024 * 1024;

/// The first fetch asks for no more than this, in bytes: a caller that wants a few records waits for no others.
const FIRST: i32 = 64 * 1024;

/// How often a broker must show nothing, asked for this partition alone, before it is believed that there is nothing
/// between here and the end.
const CERTAIN: u8 = 2;

/// A position in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where it is.
    pub(super) at: Position,
    /// How many bytes to ask for.
    pub(super) size: i32,
    /// How many bytes to ask for as a rule.
    usual: i32,
    /// How often nothing was shown although the partition goes on.
    blank: u8,
    /// Whether a request for it is on its way.
    pub(super) is_asked: bool,
    /// When it was last served, counted in answers: who has waited longest is asked for first.
    pub(super) served: u64,
}

/// What an answer without an error said, beside the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FetchedTo {
    /// Up to where records are shown: the high watermark, or the last stable offset.
    pub(super) bound: i64,
    /// Whether nothing else was asked for and nothing held back, so that "none" means none.
    pub(super) is_certain: bool,
}

/// A batch that is not read, for its size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge(pub(super) u64);

impl Cursor {
    /// Starts at a position, asking for `usual` bytes at a time.
    pub(super) fn new(at: Position, usual: i32) -> Self {
        Self {
            at,
            size: usual.min(FIRST),
            usual,
            blank: 0,
            is_asked: false,
            served: 0,
        }
    }

    /// Goes on elsewhere.
    pub(super) fn seek(&mut self, next: i64) {
        self.at.next = next;
        self.blank = 0;
    }

    /// Whether it must be asked for alone: the broker showed nothing of it beside others, although it goes on.
    pub(super) fn is_blank(&self) -> bool {
        self.blank > 0
    }

    /// Takes note of an answer: moves past all that was shown.
    ///
    /// A broker shows no records of a partition whose first batch is larger than what was asked of it, unless it comes
    /// first in the answer (KIP-74); nor where other partitions have filled the answer; nor where compaction has left
    /// none up to the end.
    pub(super) fn take(
        &mut self,
        inspected: &Inspected,
        fetched_to: FetchedTo,
    ) -> Result<(), TooLarge> {
        if let Some(last) = inspected.last {
            self.at.next = self.at.next.max(last.saturating_add(1));
            self.size = self.usual;
            self.blank = 0;
            return Ok(());
        }
        if let Some(partial) = inspected.partial {
            return self.ask_for_more(partial.whole.unwrap_or_default());
        }
        if self.at.next >= fetched_to.bound {
            self.blank = 0;
            return Ok(());
        }
        if self.blank == 0 || fetched_to.is_certain {
            self.blank += 1;
        }
        if self.blank > CERTAIN {
            self.at.next = fetched_to.bound;
            self.blank = 0;
        }
        Ok(())
    }

    /// Only a part of the first batch was shown.
    fn ask_for_more(&mut self, whole: u64) -> Result<(), TooLarge> {
        let whole_size = i32::try_from(whole).unwrap_or(i32::MAX);
        if whole_size > LARGEST || self.size >= LARGEST {
            return Err(TooLarge(whole));
        }
        self.size = whole_size.max(self.size.saturating_mul(4)).min(LARGEST);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::batch::Partial;

    const MIB: i32 = 1024 * 1024;

    fn cursor(next: i64, end: Option<i64>) -> Cursor {
        let at = Position {
            partition: 0,
            next,
            end,
        };
        Cursor::new(at, MIB)
    }

    fn fetched_to(bound: i64, is_certain: bool) -> FetchedTo {
        FetchedTo { bound, is_certain }
    }

    #[test]
    fn moves_past_what_was_shown_whether_it_was_for_readers_or_not() {
        let mut cursor = cursor(5, Some(10));
        let inspected = Inspected {
            last: Some(9),
            ..Inspected::default()
        };
        assert_eq!(cursor.take(&inspected, fetched_to(20, false)), Ok(()));
        assert!(cursor.at.is_done());
        assert_eq!(cursor.size, MIB);
    }

    #[test]
    fn what_was_shown_before_never_moves_it_back() {
        let mut cursor = cursor(5, None);
        let inspected = Inspected {
            last: Some(2),
            ..Inspected::default()
        };
        assert_eq!(cursor.take(&inspected, fetched_to(20, false)), Ok(()));
        assert_eq!(cursor.at.next, 5);
    }

    #[test]
    fn nothing_beside_others_is_looked_into_and_believed_when_certain() {
        let mut cursor = cursor(5, Some(8));
        let nothing = Inspected::default();
        for _ in 0..9 {
            cursor.take(&nothing, fetched_to(8, false)).unwrap();
            assert!(cursor.is_blank() && cursor.at.next == 5);
        }
        cursor.take(&nothing, fetched_to(8, true)).unwrap();
        assert_eq!(cursor.at.next, 5);
        cursor.take(&nothing, fetched_to(8, true)).unwrap();
        assert!(cursor.at.is_done() && !cursor.is_blank());
    }

    #[test]
    fn at_the_end_nothing_is_what_is_expected() {
        let mut cursor = cursor(5, None);
        cursor
            .take(&Inspected::default(), fetched_to(5, true))
            .unwrap();
        assert!(!cursor.is_blank() && cursor.at.next == 5);
    }

    #[test]
    fn asks_for_more_until_the_first_batch_fits_and_no_further() {
        let mut cursor = cursor(0, None);
        let part = |whole| Inspected {
            partial: Some(Partial { there: 99, whole }),
            ..Inspected::default()
        };
        let fetched_to = fetched_to(10, false);
        cursor.take(&part(Some(5 << 20)), fetched_to).unwrap();
        assert_eq!(cursor.size, 5 * MIB);
        cursor.take(&part(None), fetched_to).unwrap();
        assert_eq!(cursor.size, 20 * MIB);
        assert_eq!(
            cursor.take(&part(Some(1 << 40)), fetched_to),
            Err(TooLarge(1 << 40))
        );
        while cursor.take(&part(None), fetched_to).is_ok() {
            assert!(cursor.size <= LARGEST);
        }
    }
}
