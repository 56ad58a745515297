use super::{CliError, Context, Exit};
use std::fmt::Write as _;

/// Print the lab's addresses as shell variables, for scripts: eval "$(kmk env)"
///
/// For each cluster: NAME_BOOTSTRAP is its address on this machine, NAME_BOOTSTRAP_INSIDE the one for your own
/// containers, NAME_NETWORK the docker network that these must join (none for an existing cluster). KMK_LAB makes later
/// commands use this lab.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CliError> {
    let (_, lab) = context.find_lab()?;
    let project = lab.topology.project();
    let mut text = format!("export KMK_LAB={}", lab.spec.lab);
    for cluster in &lab.topology.clusters {
        let name = cluster.name.to_uppercase().replace('-', "_");
        // a variable's name does not begin with a digit
        let name = if name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("_{name}")
        } else {
            name
        };
        let _ = write!(
            text,
            "\nexport {name}_BOOTSTRAP={}",
            cluster.bootstrap_outside()
        );
        let _ = write!(
            text,
            "\nexport {name}_BOOTSTRAP_INSIDE={}",
            cluster.bootstrap_inside()
        );
        if cluster.existing().is_none() {
            let _ = write!(text, "\nexport {name}_NETWORK={project}_{}", cluster.name);
        }
    }
    context.output.result(&text)?;
    Ok(Exit::Done)
}
