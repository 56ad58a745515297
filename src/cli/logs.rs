use super::quantity::counted;
use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::lab::log::{self, Selection};
use kmk_kafka::printable;
use kmk_kafka::wait::Limit;
use std::io::{self, IsTerminal as _, Write as _};

/// Show the logs of the lab's containers
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this service, such as primary or mm2-secondary
    service: Option<String>,
    /// Keep printing new lines
    #[arg(long, short)]
    follow: bool,
    /// Only the last N lines of each service
    #[arg(long, value_name = "N", value_parser = counted::<usize>(0..=u64::MAX), allow_negative_numbers = true)]
    tail: Option<usize>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (docker, lab) = context.find_lab()?;
    let selection = Selection {
        service: args.service.clone(),
        tail: args.tail,
        follow: args.follow,
    };
    let mut stdout = io::stdout().lock();
    // what is piped is byte for byte
    let is_terminal = stdout.is_terminal();
    let mut failed = None;
    let limit = Limit::endless(&context.interrupt);
    let told = log::logs(&docker, &lab, &selection, &limit, |service, line| {
        let mut write = || {
            if selection.service.is_none() {
                write!(stdout, "{service} | ")?;
            }
            if is_terminal {
                stdout.write_all(printable::content(line).as_bytes())?;
            } else {
                stdout.write_all(line)?;
            }
            stdout.write_all(b"\n")
        };
        failed = write().err();
        failed.is_none()
    });
    match failed {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
        Some(error) => return Err(CliError::unwritten(&error)),
        None => {}
    }
    match told {
        // that is how one leaves it
        Err(_) if args.follow && context.interrupt.is_raised() => Ok(Exit::Interrupted),
        other => Ok(other.map(|()| Exit::Done)?),
    }
}
