//! How much memory a JVM and its container get.

use crate::core::spec::DEFAULT_HEAP_MIB;

/// Beside the heap, a JVM has classes, threads and buffers: a fourth of the heap, and no less than this many MiB.
const BESIDE_MIB: u32 = 256;
/// The heap with which a JVM starts, in MiB; it grows when it must.
const FIRST_MIB: u32 = 64;

/// The memory of one JVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Its largest heap, in MiB.
    pub heap_mib: u32,
    /// What its container may take at most, in MiB; a broker of a fresh lab takes about 200.
    pub container_mib: u32,
}

impl Memory {
    pub(super) fn new(heap_mib: Option<u32>) -> Self {
        let heap_mib = heap_mib.unwrap_or(DEFAULT_HEAP_MIB);
        Self {
            heap_mib,
            container_mib: heap_mib.saturating_add(BESIDE_MIB.max(heap_mib / 4)),
        }
    }

    /// As Java's options write it.
    pub fn heap_options(self) -> String {
        format!("-Xms{FIRST_MIB}m -Xmx{}m", self.heap_mib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_room_for_more_than_the_heap() {
        for (heap, container) in [
            (None, 512),
            (Some(128), 384),
            (Some(1024), 1280),
            (Some(4096), 5120),
        ] {
            assert_eq!(Memory::new(heap).container_mib, container);
        }
        assert_eq!(Memory::new(None).heap_options(), "-Xms64m -Xmx256m");
    }
}
