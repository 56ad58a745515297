//! What brokers call this process: in their logs, their quotas, and where they describe the members of a group.

use std::sync::OnceLock;

/// Unless [`set_client_id`] was called.
const DEFAULT: &str = "kmk-kafka";

/// As long as the probe of `crate_v0` can say in a byte.
const LONGEST: usize = 200;

static CLIENT_ID: OnceLock<String> = OnceLock::new();

/// Sets the client id (`client.id`) of every connection that this process makes from now on: `kmk-kafka` unless it is set. Call it
/// once, before the first connection.
///
/// False where it was not set: it was set before, it is empty, or it has more than 200 bytes.
pub fn set_client_id(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && CLIENT_ID.set(id.to_owned()).is_ok()
}

pub(crate) fn client_id() -> &'static str {
    CLIENT_ID.get().map_or(DEFAULT, String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_broker_could_show_is_no_client_id() {
        assert!(!set_client_id("") && !set_client_id(&"a".repeat(LONGEST + 1)));
        assert_eq!(client_id(), DEFAULT);
    }
}
