//! A set of sequence numbers, one bit each.
//!
//! A million numbers that are close to each other take 128 KiB. Numbers that are far apart cost a page each, so that no
//! record can claim a number that takes all memory.

use std::collections::BTreeMap;
use std::ops::Range;

const WORD: u64 = 64;
const WORDS: usize = 1024;
/// How many numbers a page has a bit for.
const PAGE: u64 = WORD * WORDS as u64;

type Page = Box<[u64; WORDS]>;

/// A set of numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits {
    pages: BTreeMap<u64, Page>,
    count: u64,
}

/// Where the bit of a number is.
fn place(number: u64) -> (u64, usize, u64) {
    let word = usize::try_from(number % PAGE / WORD).unwrap_or_default();
    (number / PAGE, word, 1 << (number % WORD))
}

impl Bits {
    /// Adds a number. Whether it was not there before.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let (page, word, bit) = place(number);
        let page = self
            .pages
            .entry(page)
            .or_insert_with(|| Box::new([0; WORDS]));
        let is_new = page[word] & bit == 0;
        page[word] |= bit;
        self.count += u64::from(is_new);
        is_new
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        let (page, word, bit) = place(number);
        let page = self.pages.get(&page);
        page.is_some_and(|page| page[word] & bit != 0)
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether all numbers of a range are there.
    pub(super) fn has_all(&self, range: &Range<u64>) -> bool {
        self.next(range.start, range.end, false).is_none()
    }

    /// The numbers within a range that are there, or (with `there` false) that are not.
    pub(super) fn spans(&self, range: Range<u64>, there: bool) -> Vec<Range<u64>> {
        let mut spans = Vec::new();
        let mut from = range.start;
        while let Some(first) = self.next(from, range.end, there) {
            let end = self.next(first, range.end, !there).unwrap_or(range.end);
            spans.push(first..end);
            from = end;
        }
        spans
    }

    /// The next number from `from` on and before `end` that is there, or is not.
    fn next(&self, mut from: u64, end: u64, there: bool) -> Option<u64> {
        while from < end {
            let (number, _, _) = place(from);
            let Some(page) = self.pages.get(&number) else {
                if !there {
                    return Some(from);
                }
                let (next, _) = self.pages.range(number..).next()?;
                from = next * PAGE;
                continue;
            };
            if let Some(found) = next_in_page(page, from, there) {
                return (found < end).then_some(found);
            }
            from = (number + 1).checked_mul(PAGE)?;
        }
        None
    }
}

/// The same within the page that holds `from`.
fn next_in_page(page: &Page, from: u64, there: bool) -> Option<u64> {
    let (number, word, _) = place(from);
    let before = (1_u64 << (from % WORD)) - 1;
    let matching = |index: usize| {
        let bits = if there { page[index] } else { !page[index] };
        if index == word { bits & !before } else { bits }
    };
    let index = (word..WORDS).find(|&index| matching(index) != 0)?;
    let bit = u64::from(matching(index).trailing_zeros());
    Some(number * PAGE + index as u64 * WORD + bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::btree_set;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_million_numbers_take_16_pages_of_8_kib() {
        let mut bits = Bits::default();
        (0..1_000_000).for_each(|number| assert!(bits.insert(number)));
        assert!(bits.has_all(&(0..1_000_000)));
        assert_eq!((bits.pages.len(), size_of::<[u64; WORDS]>()), (16, 8192));
    }

    #[test]
    fn numbers_far_apart_cost_a_page_each() {
        let mut bits = Bits::default();
        for number in [0, u64::MAX, u64::MAX / 2] {
            assert!(bits.insert(number) && !bits.insert(number));
            assert!(bits.contains(number));
        }
        assert_eq!((bits.pages.len(), bits.count()), (3, 3));
        let far = u64::MAX / 2;
        assert_eq!(bits.spans(1..u64::MAX, true), vec![far..far + 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn is_a_set(
            numbers in btree_set(prop_oneof![0..300_u64, PAGE - 70..PAGE + 70, 2 * PAGE..2 * PAGE + 3], 0..200),
            start in prop_oneof![0..300_u64, PAGE - 70..PAGE + 70], length in prop_oneof![0..300_u64, PAGE..PAGE + 300]
        ) {
            let mut bits = Bits::default();
            for &number in &numbers {
                prop_assert!(bits.insert(number));
            }
            let range = start..start + length;
            let flat = |spans: Vec<Range<u64>>| spans.into_iter().flatten().collect::<Vec<u64>>();
            let within: Vec<u64> = numbers.range(range.clone()).copied().collect();
            let without: Vec<u64> = range.clone().filter(|n| !numbers.contains(n)).collect();
            prop_assert_eq!(bits.has_all(&range), without.is_empty());
            prop_assert_eq!(flat(bits.spans(range.clone(), true)), within);
            prop_assert_eq!(flat(bits.spans(range, false)), without);
            let count = numbers.iter().collect::<BTreeSet<_>>().len() as u64;
            prop_assert_eq!(bits.count(), count);
        }
    }
}
