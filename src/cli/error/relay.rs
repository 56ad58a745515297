//! What to do about a relay.

use super::{CliError, Exit, LAB};
use kafka_mirror_kit::core::lab::link::RelayError;

impl From<RelayError> for CliError {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Stopped(stop) => stop.into(),
            RelayError::NoAnswer { ref relay, .. } => {
                let hint = format!("`kmk logs{LAB} {relay}` shows why; `kmk deploy{LAB}` starts it again");
                Self::of(Exit::Unusable, &error).hint(hint)
            }
            RelayError::Refused { .. } | RelayError::NotSo { .. } => Self::of(Exit::Unusable, &error)
                .hint("the image of relays may be another toxiproxy than kmk knows: leave KMK_TOXIPROXY_IMAGE out"),
        }
    }
}
