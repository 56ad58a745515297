mod messages;

use super::quantity::count;
use super::{CliError, Context, Exit};
use kafka_mirror_kit::core::mirrormaker::lint::{Encoding, Finding, lint_in, settings};
use kafka_mirror_kit::core::mirrormaker::properties::decode;
use kafka_mirror_kit::core::mirrormaker::settings::Generation;
use kafka_mirror_kit::core::topology::Version;
use kmk_kafka::printable;
use kmk_kafka::wait::Limit;
use messages::message;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Check a MirrorMaker properties file for settings that would be silently ignored or cannot be read
///
/// Accepts any mm2.properties of a dedicated MirrorMaker cluster, not only kmk's own. Findings go to stdout, by file and
/// line. The exit code is 0 without findings, otherwise 1.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The properties files; - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Check for this version of Kafka [default: settings of 3.9 or 4.2]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    kafka_version: Option<Version>,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk lint mm2.properties
  kmk lint --kafka-version 4.2.0 mm2.properties
  kmk lint east.properties west.properties
  kmk lint --json mm2.properties | jq '.findings[] | {line, key, instead}'";

/// Longer files are none of MirrorMaker's.
const LONGEST: u64 = 1024 * 1024;

/// What is found in one file, for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Report {
    file: String,
    settings: usize,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    file: String,
    line: usize,
    key: String,
    problem: &'static str,
    text: String,
    instead: Vec<String>,
}

/// With several files JSON is a list, and a file that cannot be read does not keep the others from being looked at.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let kafka = args.kafka_version.as_ref().map(Generation::of);
    if let [file] = args.files.as_slice() {
        let report = report(file, kafka, context)?;
        if args.json {
            print_json(&report, context)?;
        } else {
            print(&report, context)?;
        }
        report.tell(context);
        return Ok(report.exit());
    }
    let mut reports = Vec::new();
    let mut worst = Exit::Done;
    for file in &args.files {
        match report(file, kafka, context) {
            Ok(report) => {
                if !args.json {
                    print(&report, context)?;
                }
                report.tell(context);
                reports.push(report);
            }
            Err(error) if error.exit == Exit::Interrupted => return Err(error),
            Err(error) => {
                error.show(&context.lab);
                worst = worst.max(error.exit);
            }
        }
    }
    if args.json {
        print_json(&reports, context)?;
    }
    let found = reports.iter().map(Report::exit).max();
    Ok(worst.max(found.unwrap_or(Exit::Done)))
}

fn report(file: &Path, kafka: Option<Generation>, context: &Context) -> Result<Report, CliError> {
    let path = file.to_owned();
    let (text, encoding) = Limit::endless(&context.interrupt).aside(move || text_of(&path))??;
    let name = name_of(file);
    let settings = settings(&text);
    if settings == 0 {
        return Err(CliError::usage(format!("{name} has no settings"))
            .hint("a properties file has lines such as `clusters = primary, secondary`"));
    }
    let findings = lint_in(&text, encoding, kafka).into_iter();
    Ok(Report {
        findings: findings.map(|finding| found(&name, finding)).collect(),
        settings,
        file: name,
    })
}

fn found(file: &str, finding: Finding) -> Found {
    Found {
        file: file.to_owned(),
        line: finding.line,
        problem: finding.problem.kind(),
        text: message(&finding.problem),
        instead: finding.problem.instead().to_vec(),
        key: finding.key,
    }
}

impl Report {
    fn exit(&self) -> Exit {
        if self.findings.is_empty() {
            Exit::Done
        } else {
            Exit::No
        }
    }

    fn tell(&self, context: &Context) {
        let name = &self.file;
        let of_settings = count(self.settings, "setting");
        context.output.talk(&if self.findings.is_empty() {
            format!("{name}: {of_settings}, and MirrorMaker reads all of them")
        } else {
            let number = count(self.findings.len(), "finding");
            format!("{name}: {number} in {of_settings}")
        });
    }
}

fn print(report: &Report, context: &Context) -> Result<(), CliError> {
    if report.findings.is_empty() {
        return Ok(());
    }
    let lines = report.findings.iter().map(|found| {
        let Found {
            file,
            line,
            key,
            text,
            ..
        } = found;
        printable::line(&format!("{file}:{line}: {key}: {text}"))
    });
    context.output.result(&lines.collect::<Vec<_>>().join("\n"))
}

fn print_json(answer: &impl Serialize, context: &Context) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(answer)?;
    context.output.result(&json)
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text)
        .ok_or_else(|| "must be a version of Kafka, such as 3.9.2 or 4.2".to_owned())
}

fn name_of(file: &Path) -> String {
    if file == Path::new("-") {
        return "-".to_owned();
    }
    file.display().to_string()
}

fn text_of(file: &Path) -> Result<(String, Encoding), CliError> {
    let name = name_of(file);
    let cannot = |cause: io::Error| CliError::file(format!("cannot read {name}"), &cause);
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        let file = File::open(file).map_err(cannot)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    read.map_err(cannot)?;
    if bytes.len() as u64 > LONGEST {
        return Err(CliError::usage(format!(
            "{name} is larger than 1 MiB: not a properties file of MirrorMaker"
        )));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(
            CliError::usage(format!("{name} is UTF-16, which Java cannot read"))
                .hint("save it as plain text (ASCII, or UTF-8 without a byte-order mark)"),
        );
    }
    Ok(decode(bytes))
}
