mod account;
mod progress;
mod report;
mod report_file;
mod verdict;

use super::consume::{messages, topics_there_are};
use super::deploy::in_lab;
use super::failure::Told;
use super::produce::rate;
use super::quantity::{counted, sized};
use super::topic_args::topic_name;
use super::{Context, Outcome, patience};
use kafka_mirror_kit::core::judge::ledger::{Guarantee, MIN_STAMPED};
use kafka_mirror_kit::core::lab::verify::{
    Afterwards, Amount, Refusal, Verify, VerifyEnd, VerifyError, VerifyReport, verify,
};
use kafka_mirror_kit::core::nearest::nearest;
use kafka_mirror_kit::core::records::samples::MAX_VALUE;
use kafka_mirror_kit::core::spec::MAX_PARTITIONS;
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Stop;
use progress::Progress;
use report_file::ReportFile;
use std::path::PathBuf;
use std::time::Duration;

/// How many records go into each source, unless told otherwise.
const MESSAGES: u64 = 10_000;

/// Prove that flows replicate: account for every record sent, from source to target
///
/// Sends numbered records to the source of each flow while it reads the target, and reports which are missing, duplicated,
/// out of order or corrupted, and their latency. A broker, MirrorMaker or the link may fail meanwhile and come back: the
/// report stays correct.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many records to send to each source, such as 1000, 10k or 1e6 [default: 10000]
    #[arg(long, short = 'n', value_name = "N", value_parser = messages, allow_hyphen_values = true, conflicts_with = "time")]
    messages: Option<u64>,
    /// Send for this long instead
    #[arg(long = "for", id = "time", value_name = "TIME", value_parser = patience)]
    time: Option<Duration>,
    /// Send at most this many records per second on average to each source [default: as fast as possible]
    #[arg(long, value_name = "N[/s]", value_parser = rate, allow_hyphen_values = true)]
    rate: Option<u64>,
    /// Size of each record in bytes: 200, 10kB, 1MB (10^6) or 1MiB (2^20)
    #[arg(long, value_name = "BYTES", default_value = "200", allow_hyphen_values = true,
          value_parser = sized(MIN_STAMPED as u64..=MAX_VALUE as u64))]
    size: u64,
    /// How many partitions of kmk's own topic to send to
    #[arg(long, value_name = "N", default_value = "3", allow_negative_numbers = true, conflicts_with_all = ["topic", "bare"],
          value_parser = counted::<u32>(1..=u64::from(MAX_PARTITIONS)))]
    partitions: u32,
    /// Only this flow; may be repeated [default: every flow that mirrors the topic]
    #[arg(long = "flow", value_name = "SOURCE->TARGET")]
    flows: Vec<String>,
    /// Use this existing topic, and all of its partitions; the records stay in it [default: kmk's own, kmk-verify]
    #[arg(value_name = "TOPIC", value_parser = topic_name)]
    bare: Option<String>,
    /// The topic, as a flag
    #[arg(long, short, value_name = "TOPIC", value_parser = topic_name, conflicts_with = "bare")]
    topic: Option<String>,
    /// How long to wait when no more records arrive, when a source acknowledges nothing, and for a mirrored topic that does
    /// not exist yet
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = patience)]
    timeout: Duration,
    /// Treat duplicates as errors; also wait until MirrorMaker has committed its position after the last record, so that no
    /// more can arrive
    #[arg(long)]
    exactly_once: bool,
    /// Keep the records in kmk's own topic, on both clusters, instead of removing them
    #[arg(long)]
    keep: bool,
    /// Print the report as JSON, for scripts
    #[arg(long)]
    json: bool,
    /// Also write the report to this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  kmk verify
  kmk verify --for 60s --rate 1000/s --report report.json
  kmk verify --messages 1000000 --size 1000 --partitions 6
  kmk verify orders --flow 'primary->secondary'
  kmk verify --json | jq '.flows[].account.missing'

Exit code 0: every acknowledged record arrived unchanged and in order; 1: some
did not, or a source stopped accepting records. Records that the source did not
acknowledge may arrive or not; duplicates are reported, and are errors with
--exactly-once. Without --rate, latency is that of a burst: records queue up.";

pub(crate) fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let file = args.report.map(ReportFile::prepare).transpose()?;
    let lab = context.awake_lab()?;
    let amount = match args.time {
        Some(time) => Amount::Time(time),
        None => Amount::Records(args.messages.unwrap_or(MESSAGES)),
    };
    let guarantee = if args.exactly_once {
        Guarantee::ExactlyOnce
    } else {
        Guarantee::AtLeastOnce
    };
    let what = Verify {
        flows: args.flows,
        topic: args.bare.or(args.topic),
        partitions: i32::try_from(args.partitions)?,
        amount,
        rate: args.rate,
        size: usize::try_from(args.size)?,
        timeout: args.timeout,
        afterwards: if args.keep {
            Afterwards::Keep
        } else {
            Afterwards::Remove
        },
        guarantee,
    };
    let steps = context.output.steps();
    let mut progress = Progress::new(amount, context.output, &steps);
    let told = verify(
        &lab.topology,
        &what,
        &context.interrupt,
        &steps,
        &mut |at| progress.show(at),
    );
    drop(steps);
    let report = told.map_err(|error| of_verify(error, &what, context))?;
    let json = report::json(&report, guarantee)?;
    if let Some(file) = file {
        file.write(&json)?;
    }
    let text = if args.json {
        json
    } else {
        report::text(&report, guarantee)
    };
    context.output.result(&text)?;
    answer(&report, guarantee, &what, context)
}

/// The end as an exit code, and what to type next.
fn answer(
    report: &VerifyReport,
    guarantee: Guarantee,
    what: &Verify,
    context: &Context,
) -> anyhow::Result<Outcome> {
    for out in &report.left_out {
        context
            .output
            .warn(&format!("{} is not checked: {}", out.flow, out.why));
    }
    if report.end == VerifyEnd::Interrupted {
        return Err(Stop::Interrupted.into());
    }
    if report.is_sound(guarantee) {
        return Ok(Outcome::Yes);
    }
    let gave_up = report
        .sources
        .iter()
        .filter_map(|source| source.error.as_ref());
    for hint in gave_up.filter_map(hint) {
        context.output.talk(&format!("hint: {hint}"));
    }
    let lab = in_lab(&context.lab);
    let mut next = vec![(format!("kmk status{lab}"), "check health")];
    let mut lossy = report.flows.iter().filter(|flow| flow.account.missing > 0);
    if let Some(flow) = lossy.next() {
        let explain = format!("kmk explain{lab} {}", flow.topic);
        next.push((explain, "see why the topic is not mirrored"));
    }
    if what.topic.is_none() && what.afterwards == Afterwards::Remove {
        let keep = format!("kmk verify{lab} --keep");
        next.push((keep, "run again, and keep the records for inspection"));
    }
    next.push((format!("kmk logs{lab}"), "see what MirrorMaker logged"));
    context.output.next(&next);
    Ok(Outcome::No)
}

/// What helps against a source that takes no more.
fn hint(error: &KafkaError) -> Option<&'static str> {
    match error {
        KafkaError::RecordTooLarge { .. } => {
            Some("max.message.bytes of the topic limits the size of a record: see --size")
        }
        // INVALID_RECORD
        KafkaError::Refused { code, .. } if code.number() == 87 => Some(
            "a compacted topic refuses records without a key, and would remove records with one: use another --topic",
        ),
        _ => None,
    }
}

/// Why nothing was sent.
fn of_verify(error: VerifyError, what: &Verify, context: &Context) -> anyhow::Error {
    let lab = in_lab(&context.lab);
    match error {
        VerifyError::Refused(refusal) => of_refusal(&refusal, what),
        VerifyError::NoTopic {
            ref topic,
            ref cluster,
            ref topics,
        } => {
            let hint = match nearest(topic, topics.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if topics.is_empty() => {
                    format!("create it first: `kmk topic create{lab} {topic} --cluster {cluster}`")
                }
                None => topics_there_are(topics),
            };
            Told::usage(error.to_string()).hint(hint).into()
        }
        VerifyError::NotShown(ref not_shown) => {
            let topic = &not_shown.topic;
            Told::no(error.to_string())
                .hint(format!("`kmk explain{lab} {topic}` says why"))
                .into()
        }
        VerifyError::Busy { .. } => Told::unusable(error.to_string())
            .hint("wait until it has finished, or use a topic of your own with --topic, which can run at the same time")
            .into(),
        VerifyError::Lock(error) => error.into(),
        VerifyError::Kafka(error) => error.into(),
        error @ VerifyError::Thread(_) => Told::unusable(error.to_string()).into(),
    }
}

fn of_refusal(refusal: &Refusal, what: &Verify) -> anyhow::Error {
    let hint = match refusal {
        Refusal::NoFlow { name, known } => return Told::unknown("flow", name, known).into(),
        Refusal::NoFlows => "verify needs a flow: add one to kmk.yml, and deploy".to_owned(),
        Refusal::Internal { .. } => {
            "use a topic of your own with --topic, or leave it out: kmk then uses its own"
                .to_owned()
        }
        Refusal::Excluded { .. } | Refusal::NotIncluded { .. } if what.topic.is_none() => {
            "use --topic with a topic that the flow mirrors".to_owned()
        }
        Refusal::Excluded { .. } | Refusal::NotIncluded { .. } => {
            "use another topic; `topics` and `exclude` of the flow in kmk.yml say which topics it mirrors"
                .to_owned()
        }
        Refusal::Copy {
            of, source_cluster, ..
        } => {
            format!("verify the flow from {source_cluster} with --topic {of}")
        }
        Refusal::Uninvited { .. } => {
            "use a topic of your own with --topic, or set `canary: true` for that cluster in kmk.yml"
                .to_owned()
        }
        Refusal::Cycle { .. } => "use --topic with another topic name".to_owned(),
        Refusal::TooLong { .. } => "use a topic with a shorter name".to_owned(),
    };
    Told::usage(refusal.to_string()).hint(hint).into()
}
