use super::failure::Told;
use super::quantity::count;
use super::{Context, Outcome};
use anyhow::Context as _;
use kafka_mirror_kit::core::lint::{Finding, Problem, lint, settings};
use kafka_mirror_kit::core::mm2_settings::Generation;
use kafka_mirror_kit::core::printable;
use kafka_mirror_kit::core::topology::Version;
use kafka_mirror_kit::core::wait::Limit;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Check MirrorMaker's properties: which settings would it ignore in silence, or could not read?
///
/// Any mm2.properties of a dedicated MirrorMaker, not only kmk's own. Findings go to stdout, by line; without one the
/// exit code is 0, with some it is 1.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The properties file; - for standard input
    file: PathBuf,
    /// Settings of this Kafka only [default: those that 3.9 or 4.2 have]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    kafka_version: Option<Version>,
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk lint mm2.properties
  kmk lint --kafka-version 4.2.0 mm2.properties
  kmk lint --json mm2.properties | jq '.findings[] | {line, key, instead}'";

/// Longer files are none of MirrorMaker's.
const LONGEST: u64 = 1024 * 1024;

/// The answer for scripts. Fields are added, never renamed.
#[derive(Serialize)]
struct Json<'a> {
    file: String,
    settings: usize,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    line: usize,
    key: &'a str,
    problem: &'static str,
    text: String,
    instead: &'a [String],
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let file = args.file.clone();
    let text = Limit::endless(&context.interrupt).aside(move || text_of(&file))??;
    let settings = settings(&text);
    let name = name_of(&args.file);
    if settings == 0 {
        return Err(Told::usage(format!("{name} has no settings"))
            .hint("a properties file has lines such as `clusters = primary, secondary`")
            .into());
    }
    let findings = lint(&text, args.kafka_version.as_ref().map(Generation::of));
    if args.json {
        let json = Json {
            file: name.clone(),
            settings,
            findings: findings.iter().map(json).collect(),
        };
        let json = serde_json::to_string_pretty(&json).context("cannot write JSON")?;
        context.output.result(&json)?;
    } else if !findings.is_empty() {
        let lines = findings.iter().map(|finding| {
            let text = format!("{}: {}", finding.key, words(&finding.problem));
            printable::line(&format!("{name}:{}: {text}", finding.line))
        });
        context
            .output
            .result(&lines.collect::<Vec<_>>().join("\n"))?;
    }
    let of_settings = count(settings, "setting");
    if findings.is_empty() {
        context.output.talk(&format!(
            "{name}: {of_settings}, and MirrorMaker reads every one"
        ));
        return Ok(Outcome::Yes);
    }
    let number = count(findings.len(), "finding");
    context
        .output
        .talk(&format!("{name}: {number} in {of_settings}"));
    Ok(Outcome::No)
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "a version of Kafka looks like 3.9.2 or 4.2".to_owned())
}

fn name_of(file: &Path) -> String {
    if file == Path::new("-") {
        return "-".to_owned();
    }
    file.display().to_string()
}

/// Java takes such files as ISO-8859-1; what is UTF-8 is shown as that.
fn text_of(file: &Path) -> anyhow::Result<String> {
    let name = name_of(file);
    let cannot = || format!("cannot read {name}");
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        let file = File::open(file).with_context(cannot)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    read.with_context(cannot)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Told::usage(format!(
            "{name} is longer than 1 MiB: no properties of MirrorMaker"
        ))
        .into());
    }
    let text = String::from_utf8(bytes);
    Ok(text.unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect()))
}

fn json(finding: &Finding) -> JsonFinding<'_> {
    JsonFinding {
        line: finding.line,
        key: &finding.key,
        problem: finding.problem.kind(),
        text: words(&finding.problem),
        instead: finding.problem.instead(),
    }
}

fn words(problem: &Problem) -> String {
    let or = |keys: &[String]| {
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        keys.join(" or ")
    };
    match problem {
        Problem::Malformed => {
            "`\\u` without its four digits: Java reads nothing of the file".to_owned()
        }
        Problem::SetAgain(line) => format!("set again on line {line}, which counts"),
        Problem::BlankInKey => "a blank ends a key: write source->target without any".to_owned(),
        Problem::Unknown(meant) if meant.is_empty() => {
            "no setting of MirrorMaker: ignored".to_owned()
        }
        Problem::Unknown(meant) => format!(
            "no setting of MirrorMaker: ignored; did you mean {}?",
            or(meant)
        ),
        Problem::Misplaced(instead) => format!("ignored here; it is read as {}", or(instead)),
        Problem::Partly { reaches, instead } if instead.is_empty() => {
            format!("reaches only {reaches}")
        }
        Problem::Partly { reaches, instead } => {
            format!("reaches only {reaches}; for that it is {}", or(instead))
        }
        Problem::Shadowed(winners) if winners.len() == 1 => {
            format!("ignored: {} counts instead", or(winners))
        }
        Problem::Shadowed(winners) => {
            format!(
                "ignored: {} count instead",
                or(winners).replace("` or `", "` and `")
            )
        }
        Problem::NotEnabled(flow) => format!("ignored: flow {flow} is not enabled"),
        Problem::OfBroker => "a broker's setting: MirrorMaker ignores it".to_owned(),
        Problem::OfTopic => {
            "a topic's setting: MirrorMaker ignores it; set it with kafka-configs.sh".to_owned()
        }
        Problem::OneConnector(class) => {
            let short = class.rsplit('.').next().unwrap_or(class);
            format!("makes all three connectors of a flow a {short}; leave it out")
        }
        Problem::SharedWorker(workers) => format!(
            "the workers {} would share it, and overwrite each other's connectors; leave it out",
            workers.join(", ")
        ),
        Problem::Overruled(why) => format!("ignored: {why}"),
        Problem::OnlyIn(only) => {
            format!("ignored: of the Kafkas known only {} has it", only.kafka())
        }
        Problem::UnknownAlias { name, nearest } => {
            let hint = nearest
                .as_ref()
                .map(|near| format!("; did you mean `{near}`?"));
            format!(
                "ignored: `clusters` does not name `{name}`{}",
                hint.unwrap_or_default()
            )
        }
        Problem::Itself(alias) => format!("ignored: a flow from {alias} to itself"),
        Problem::Value { value, kind } => {
            let short: String = value.chars().take(60).collect();
            format!("`{short}` is not {kind}: MirrorMaker does not start")
        }
        Problem::Comment => {
            "there are no comments behind a value: from `#` on it is part of it".to_owned()
        }
        Problem::NoProvider(name) => {
            format!("a reference to `{name}`, which config.providers does not name, stays as it is")
        }
        Problem::NoClusters => "missing or empty: MirrorMaker does not start".to_owned(),
        Problem::NoBootstrap(alias) => format!("`{alias}` has no `{alias}.bootstrap.servers`"),
        Problem::NoFlow => {
            "no flow is enabled: nothing is mirrored; say `source->target.enabled = true`"
                .to_owned()
        }
        Problem::Ring { flows, grows } => {
            let round = grows.as_ref().map_or_else(
                || "every record would go round for ever".to_owned(),
                |grows| format!("each round would add topics ({grows}), for ever"),
            );
            format!(
                "flows {} form a ring that MirrorMaker would not stop: {round}",
                flows.join(", ")
            )
        }
        Problem::OneCluster {
            one,
            other,
            address,
        } => format!(
            "`{one}` and `{other}` both have the address {address}: one cluster under two names, which MirrorMaker would copy into itself for ever"
        ),
        Problem::TooMany => "too many findings: from here on nothing was looked at".to_owned(),
        _ => "MirrorMaker cannot use it".to_owned(),
    }
}
