mod account;
mod checks;
mod document;
mod numbers;
mod progress;
mod report;
mod samples;
mod verdict;

use super::consume::messages;
use super::produce::rate;
use super::quantity::{counted, sized};
use super::report::{Link, Provenance, ReportArgs, command_line};
use super::topic_args::topic_name;
use super::{CliError, Context, Exit, flow_name, patience};
use kafka_mirror_kit::core::judge::ledger::{Guarantee, MIN_STAMPED};
use kafka_mirror_kit::core::lab::verify::{
    Afterwards, Amount, Verify, VerifyEnd, VerifyReport, verify,
};
use kafka_mirror_kit::core::records::samples::MAX_VALUE;
use kafka_mirror_kit::core::spec::MAX_PARTITIONS;
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::KafkaError;
use kmk_kafka::wait::Limit;
use kmk_kafka::wait::Stop;
use progress::Progress;
use samples::Samples;
use std::time::{Duration, SystemTime};

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
          value_parser = counted::<i32>(1..=u64::from(MAX_PARTITIONS)))]
    partitions: i32,
    /// Only this flow, as 'primary->secondary' or primary:secondary; may be repeated [default: every flow that mirrors the
    /// topic]
    #[arg(long = "flow", value_name = "SOURCE->TARGET", value_parser = flow_name)]
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
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLES: &str = "\
Examples:
  kmk verify
  kmk verify --for 60s --rate 1000/s --report report.html
  kmk verify --messages 1000000 --size 1000 --partitions 6
  kmk verify orders --flow 'primary->secondary'
  kmk verify --json | jq '.flows[].account.missing'

Exit code 0: every acknowledged record arrived unchanged and in order; 1: some
did not, or a source stopped accepting records. Records that the source did not
acknowledge may arrive or not; duplicates are reported, and are errors with
--exactly-once. Without --rate, latency is that of a burst: records queue up.";

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let files = args.report.prepare()?;
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
        partitions: args.partitions,
        amount,
        rate: args.rate,
        size: usize::try_from(args.size).unwrap_or(usize::MAX),
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
    let mut samples = Samples::default();
    let begun = SystemTime::now();
    let links = Link::all(&lab, &Limit::endless(&context.interrupt));
    let told = verify(
        &lab.topology,
        &what,
        &context.interrupt,
        &steps,
        &mut |at| {
            samples.add(at);
            progress.show(at);
        },
    );
    drop(steps);
    let report = told?;
    let provenance = Provenance::new(&lab, command_line(), begun, links);
    let document = document::document(&report, guarantee, &samples, provenance);
    let json = report::json(&report, guarantee, &document)?;
    files.write(&document, &json)?;
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
) -> Result<Exit, CliError> {
    for out in &report.left_out {
        context
            .output
            .warn(&format!("{} is not checked: {}", out.flow, out.why));
    }
    if report.end == VerifyEnd::Interrupted {
        return Err(Stop::Interrupted.into());
    }
    if report.is_sound(guarantee) {
        return Ok(Exit::Done);
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
    Ok(Exit::No)
}

/// What helps if a source stops accepting records.
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
