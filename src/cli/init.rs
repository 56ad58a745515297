use super::deploy::scenario;
use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab_file;
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::spec::scenario::Scenario;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;

/// Write a lab file, every field explained: `kmk deploy` beside it deploys what it says
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file to write; directories on the way to it are made
    #[arg(long, value_name = "FILE", default_value = lab_file::FILE)]
    config: PathBuf,
    /// Which clusters and flows: one of those that `kmk scenarios` shows
    #[arg(long, value_name = "NAME", default_value = "dr", value_parser = scenario(), hide_possible_values = true)]
    scenario: Scenario,
    /// Overwrite the file, if it is there
    #[arg(long)]
    overwrite: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk init
  kmk init --scenario aggregate
  kmk init --lab shop --config labs/shop.yml";

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let path = args.config.display();
    let text = lab_file::write(&args.scenario.spec(&context.lab));
    let mut options = OpenOptions::new();
    options.write(true);
    if args.overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let cannot = |cause: io::Error| CliError::file(format!("cannot write {path}"), &cause);
    if let Some(parent) = args.config.parent() {
        fs::create_dir_all(parent).map_err(cannot)?;
    }
    let written = options
        .open(&args.config)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(CliError::usage(format!("{path} is there already"))
                .hint("replace it with --overwrite, or name another file with --config"));
        }
        other => other.map_err(cannot)?,
    }
    context.output.result(&format!("Wrote {path}"))?;
    let config = config_flag(&path.to_string());
    let deploy = format!("kmk deploy{config}");
    let lab = in_lab(&context.lab);
    context.output.next(&[
        (deploy, "what it says, again after each change"),
        (format!("kmk status{lab}"), "how it is"),
    ]);
    Ok(Exit::Done)
}

/// The flag that names a lab file, where it is not the usual one.
pub(super) fn config_flag(path: &str) -> String {
    if path == lab_file::FILE {
        String::new()
    } else {
        shell::flag("--config", path)
    }
}
