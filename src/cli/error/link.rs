//! The words for links that cannot be cut or restored.

use super::{CliError, Exit, LAB};
use kafka_mirror_kit::core::lab::link::LinkError;

/// How a flow gets relays that do not slow it down.
pub(super) fn add_relay(flow: &str) -> String {
    let flow = flow.replacen("->", ":", 1);
    format!("`kmk link set{LAB} {flow} --rtt 0ms` adds one without delay; records are kept")
}

impl From<LinkError> for CliError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Lab(error) => error.into(),
            LinkError::Lock(error) => error.into(),
            LinkError::Docker(error) => {
                Self::from(error).hint(format!("`kmk link show{LAB}` shows which links are cut"))
            }
            LinkError::Relay(error) => error.into(),
            LinkError::Stopped(stop) => stop.into(),
            LinkError::NoFlow { .. } => Self::of(Exit::Usage, &error),
            LinkError::Existing { .. } => Self::of(Exit::Usage, &error)
                .hint("cut the line where that cluster runs, or let kmk create the source"),
            LinkError::OnlyNetwork { .. } => Self::of(Exit::Usage, &error).hint(
                "add a flow from another cluster that kmk creates, or let kmk create the target",
            ),
            LinkError::NoContainer { .. } => {
                Self::of(Exit::Unusable, &error).hint(format!("`kmk deploy{LAB}` recreates it"))
            }
            LinkError::NoRelay { ref flow } => Self::of(Exit::Usage, &error).hint(add_relay(flow)),
            LinkError::Otherwise { ref flow, .. } => {
                let flow = flow.replacen("->", ":", 1);
                Self::of(Exit::Usage, &error)
                    .hint(format!("`kmk link heal{LAB} {flow}` restores it"))
            }
            LinkError::NotDone { .. } => Self::of(Exit::Unusable, &error)
                .hint(format!("`kmk link heal{LAB}` restores the link")),
            LinkError::NotUp {
                flows,
                has_crossed,
                cause,
            } => {
                let told = Self::from(*cause).hint(format!(
                    "give it more time with --timeout 300s; `kmk status{LAB}` shows what is wrong"
                ));
                let flows = flows.join(", ");
                let mut told = told;
                told.after.push(if has_crossed {
                    format!(
                        "The link is restored and records cross {flows}, but not those of every topic were seen to."
                    )
                } else {
                    format!(
                        "MirrorMaker is on the network again, but no record was seen to cross {flows}."
                    )
                });
                told
            }
        }
    }
}
