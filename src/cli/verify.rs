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
/// Sends numbered records into the source of each flow while it reads the target, and says which are missing,
/// duplicated, out of order or corrupted, and how late they were. A broker, MirrorMaker or the link may go down
/// meanwhile and come back: the account stays right.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many records into each source, such as 1000, 10k or 1e6 [default: 10000]
    #[arg(long, short = 'n', value_name = "N", value_parser = messages, allow_hyphen_values = true, conflicts_with = "time")]
    messages: Option<u64>,
    /// Send for so long instead
    #[arg(long = "for", id = "time", value_name = "TIME", value_parser = patience)]
    time: Option<Duration>,
    /// At most so many records a second on average, into each source [default: as fast as the source takes them]
    #[arg(long, value_name = "N[/s]", value_parser = rate, allow_hyphen_values = true)]
    rate: Option<u64>,
    /// Bytes of each record: 200, 10kB, 1MB (10^6) or 1MiB (2^20)
    #[arg(long, value_name = "BYTES", default_value = "200", allow_hyphen_values = true,
          value_parser = sized(MIN_STAMPED as u64..=MAX_VALUE as u64))]
    size: u64,
    /// How many partitions of kmk's own topic to send to
    #[arg(long, value_name = "N", default_value = "3", allow_negative_numbers = true, conflicts_with_all = ["topic", "bare"],
          value_parser = counted::<u32>(1..=u64::from(MAX_PARTITIONS)))]
    partitions: u32,
    /// Only this flow; may be given more than once [default: all that take the topic]
    #[arg(long = "flow", value_name = "SOURCE->TARGET")]
    flows: Vec<String>,
    /// Send into this topic, which is there already, to all of its partitions; the records stay in it [default: kmk's own,
    /// kmk-verify]
    #[arg(value_name = "TOPIC", value_parser = topic_name)]
    bare: Option<String>,
    /// The topic, as a flag
    #[arg(long, short, value_name = "TOPIC", value_parser = topic_name, conflicts_with = "bare")]
    topic: Option<String>,
    /// How long to wait once all is sent and no more records arrive; for a source that acknowledges nothing; and for a
    /// flow that does not show the topic yet
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = patience)]
    timeout: Duration,
    /// Duplicates are errors too: also waits until MirrorMaker has committed its position behind the last record, so that
    /// none can come any more
    #[arg(long)]
    exactly_once: bool,
    /// Leave the records in kmk's own topic, on both sides, instead of removing them
    #[arg(long)]
    keep: bool,
    /// The report as JSON, for scripts
    #[arg(long)]
    json: bool,
    /// Write the report to this file too, as JSON
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
did not, or the source took no more. Records that the source did not acknowledge
may be there or not; duplicates are reported, and errors with --exactly-once.
Without --rate the latency is that of a burst: records wait for each other.";

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
            .warn(&format!("{} is left out: {}", out.flow, out.why));
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
    let mut next = vec![(format!("kmk status{lab}"), "how the lab is")];
    let mut lossy = report.flows.iter().filter(|flow| flow.account.missing > 0);
    if let Some(flow) = lossy.next() {
        let explain = format!("kmk explain{lab} {}", flow.topic);
        next.push((explain, "why a topic is not copied"));
    }
    if what.topic.is_none() && what.afterwards == Afterwards::Remove {
        let keep = format!("kmk verify{lab} --keep");
        next.push((keep, "once more, and look at the records"));
    }
    next.push((format!("kmk logs{lab}"), "what MirrorMaker says"));
    context.output.next(&next);
    Ok(Outcome::No)
}

/// What helps against a source that takes no more.
fn hint(error: &KafkaError) -> Option<&'static str> {
    match error {
        KafkaError::RecordTooLarge { .. } => {
            Some("a topic's max.message.bytes says how large a record may be: see --size")
        }
        // INVALID_RECORD
        KafkaError::Refused { code, .. } if code.number() == 87 => Some(
            "a compacted topic refuses records without a key, and would lose records with one: name another --topic",
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
                    format!("make it first: `kmk topic create{lab} {topic} --cluster {cluster}`")
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
            .hint("wait until it has ended, or send through a topic of yours with --topic: several may at once")
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
            "name a topic of yours with --topic, or leave it out: kmk has one of its own for this"
                .to_owned()
        }
        Refusal::Excluded { .. } | Refusal::NotTaken { .. } if what.topic.is_none() => {
            "name a topic that it takes with --topic".to_owned()
        }
        Refusal::Excluded { .. } | Refusal::NotTaken { .. } => {
            "name another topic; which ones a flow takes stands in its `topics` and `exclude`, in kmk.yml"
                .to_owned()
        }
        Refusal::Copy {
            of, source_cluster, ..
        } => {
            format!("verify the flow from {source_cluster} with --topic {of}")
        }
        Refusal::Uninvited { .. } => {
            "name a topic of yours with --topic, or say `canary: true` for that cluster in kmk.yml"
                .to_owned()
        }
        Refusal::Cycle { .. } => "name a topic of another name with --topic".to_owned(),
        Refusal::TooLong { .. } => "name a topic with a shorter name".to_owned(),
    };
    Told::usage(refusal.to_string()).hint(hint).into()
}
