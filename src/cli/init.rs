use super::deploy::scenario;
use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab_file;
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::spec::scenario::Scenario;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;

/// Write a lab file with every field explained; `kmk deploy` in its directory uses it
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file to write; missing directories are created
    #[arg(long, value_name = "FILE", default_value = lab_file::FILE)]
    config: PathBuf,
    /// The clusters and flows; `kmk scenarios` lists the choices
    #[arg(long, value_name = "NAME", default_value = "dr", value_parser = scenario(), hide_possible_values = true)]
    scenario: Scenario,
    /// Overwrite the file if it exists
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
            return Err(CliError::usage(format!("{path} already exists"))
                .hint("replace it with --overwrite, or name another file with --config"));
        }
        other => other.map_err(cannot)?,
    }
    context.output.result(&format!("Wrote {path}"))?;
    let config = config_flag(&path.to_string());
    let deploy = format!("kmk deploy{config}");
    let lab = in_lab(&context.lab);
    context.output.next(&[
        (deploy, "deploy it, now and after each change"),
        (format!("kmk status{lab}"), "check health"),
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
