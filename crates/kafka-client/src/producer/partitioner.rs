//! Which partition a record goes to: where every Java client would put it.

/// Chooses partitions as Kafka's default partitioner does: by the key's hash, and in turn where there is no key.
#[derive(Debug, Clone)]
pub struct Partitioner {
    partitions: i32,
    fixed: Option<i32>,
    turn: i32,
}

impl Partitioner {
    /// For a topic with this many partitions (at least one), or always the `fixed` one.
    pub fn new(partitions: i32, fixed: Option<i32>) -> Self {
        Self {
            partitions: partitions.max(1),
            fixed,
            turn: 0,
        }
    }

    /// The partition of the next record.
    pub fn choose(&mut self, key: Option<&[u8]>) -> i32 {
        match (self.fixed, key) {
            (Some(fixed), _) => fixed,
            (None, Some(key)) => (murmur2(key) & i32::MAX) % self.partitions,
            (None, None) => {
                let turn = self.turn;
                self.turn = (turn + 1) % self.partitions;
                turn
            }
        }
    }
}

/// The hash of `org.apache.kafka.common.utils.Utils.murmur2`, signed as there.
pub fn murmur2(data: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    // Java's lengths are 32 bits wide too
    #[allow(clippy::cast_possible_truncation)]
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> R;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (place, &byte) in rest.iter().enumerate() {
            hash ^= u32::from(byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^= hash >> 15;
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hashes_like_java() {
        // the vectors of org.apache.kafka.common.utils.UtilsTest
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text}");
        }
    }

    #[test]
    fn records_without_a_key_take_turns() {
        let mut partitioner = Partitioner::new(3, None);
        let chosen: Vec<i32> = (0..7).map(|_| partitioner.choose(None)).collect();
        assert_eq!(chosen, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_fixed_partition_beats_the_key() {
        assert_eq!(Partitioner::new(3, Some(2)).choose(Some(b"21")), 2);
    }

    proptest! {
        #[test]
        fn a_key_always_goes_to_the_same_partition_of_the_topic(
            key in proptest::collection::vec(any::<u8>(), 0..40), partitions in 1i32..200
        ) {
            let mut partitioner = Partitioner::new(partitions, None);
            let first = partitioner.choose(Some(&key));
            prop_assert!((0..partitions).contains(&first));
            partitioner.choose(None);
            prop_assert_eq!(partitioner.choose(Some(&key)), first);
        }
    }
}
