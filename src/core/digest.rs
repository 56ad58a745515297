//! Short, stable names for texts, used in labels and file headers.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The first 16 hexadecimal digits of the text's SHA-256: enough to tell versions of one file apart.
pub fn short(text: &str) -> String {
    bytes(text)[..8]
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The text's SHA-256.
pub fn bytes(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
