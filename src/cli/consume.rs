mod elsewhere;
mod format;
pub(super) mod from;

use super::cluster_choice::BootstrapFlag;
use super::error::{OTHER_CLIENT, existing, short};
use super::output::seconds;
use super::quantity::counted;
use super::topic_args::SomeTopics;
use super::{CliError, Context, DefaultCluster, Exit, Place};
use format::Format;
pub(in crate::cli) use format::json_line;
pub(super) use from::start;
use kafka_mirror_kit::core::event::Event;
use kafka_mirror_kit::core::records::consume::{
    Consume, ConsumeEnd, ConsumeError, ConsumeReport, Sink, consume,
};
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::is_internal;
use kmk_kafka::message::RecordRef;
use kmk_kafka::printable;
use kmk_kafka::wait::Stop;
use kmk_kafka::{Client, KafkaError, Start};
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::time::Duration;

/// More than anyone means.
const MOST_MESSAGES: u64 = 1_000_000_000_000;

/// What a broker answers a member that cannot share partitions as its group does (`INCONSISTENT_GROUP_PROTOCOL`).
const INCONSISTENT_PROTOCOL: i16 = 23;

/// Read records from topics and write them to standard output
///
/// By default it reads from the beginning to the current end of the topic; with --messages, until that many records have
/// arrived; with --follow, until it is stopped. It waits for a topic that does not exist, and never creates one. If
/// another cluster of the lab has the topic, it says so at once. Records of several topics are written in the order in
/// which they arrive, and --messages counts them together.
///
/// Output to a pipe or a file is byte for byte. On a terminal, control characters are escaped: `\u001b`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    topics: SomeTopics,
    /// The cluster of the lab to read from [default: the target of the flow that mirrors the topic, or of the first flow]
    #[arg(long, short, value_name = "NAME")]
    cluster: Option<String>,
    #[command(flatten)]
    elsewhere: BootstrapFlag,
    /// Stop after N records; exit 1 if fewer arrive before --timeout
    #[arg(long, short = 'n', value_name = "N", value_parser = messages, allow_hyphen_values = true)]
    messages: Option<u64>,
    /// With --messages, the time limit of the whole run. Otherwise, how long to wait for a topic that does not exist yet,
    /// or for a broker that does not answer
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::patience)]
    timeout: Duration,
    /// Join this consumer group: resume at its committed offsets, and commit what was written out. Other members of the
    /// group, in kmk or elsewhere, read other partitions, unless --partition is given
    #[arg(long, short, value_name = "GROUP", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    group: Option<String>,
    /// Where to start: `earliest`, `latest`, an offset (in every partition), a time (2026-11-22T10:00:00Z), or a time ago
    /// (-10m). A group with committed offsets resumes there instead
    #[arg(long, short = 'o', value_name = "WHERE", default_value = "earliest", value_parser = start, allow_hyphen_values = true)]
    from: Start,
    /// Stop before this offset (in every partition) [default: the current end of the topic]
    #[arg(long, value_name = "OFFSET", value_parser = counted::<i64>(0..=i64::MAX as u64), allow_negative_numbers = true,
          conflicts_with_all = ["messages", "follow", "group"])]
    until: Option<i64>,
    /// Keep reading new records as they arrive
    #[arg(long)]
    follow: bool,
    /// How to print a record: `value` (its bytes), `json` (one object per line; bytes that are not text as value_base64),
    /// or a template of %t topic, %p partition, %o offset, %k key, %v value, %T time in ms, %h headers, %% and \n, \t.
    /// Each record ends with a newline
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "value")]
    format: Format,
    /// Read only this partition
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    partition: Option<i32>,
    /// Whether to read records of transactions that are aborted or still open
    #[arg(long, value_name = "LEVEL", default_value = "read_uncommitted")]
    isolation: Isolation,
    /// Which client to use: the kafka crate (small runs, Kafka 3, plain records), kmk's own, or the one that fits
    #[arg(long, value_name = "CLIENT", default_value = "auto")]
    client: ClientChoice,
}

/// Names that every client of Kafka uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Isolation {
    ReadUncommitted,
    ReadCommitted,
}

/// Which client moves the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ClientChoice {
    Auto,
    Kafka,
    Wire,
}

impl From<ClientChoice> for Client {
    fn from(asked: ClientChoice) -> Self {
        match asked {
            ClientChoice::Auto => Self::Auto,
            ClientChoice::Kafka => Self::Kafka,
            ClientChoice::Wire => Self::Wire,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  kmk consume primary.orders -n 10
  kmk consume primary.orders primary.payments --format '%t %v'
  kmk consume orders --cluster primary --format json | jq .value
  kmk consume orders --cluster primary --group billing --follow
  kmk consume primary.orders --from -10m --format '%p:%o %T %k=%v'

In JSON, a missing key or value (a tombstone) is null.";

pub(super) fn messages(text: &str) -> Result<u64, String> {
    counted(1..=MOST_MESSAGES)(text)
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let topics = args.topics.names();
    let place = match args.elsewhere.bootstrap.as_slice() {
        [] => Some(context.place(args.cluster.as_deref(), |lab| {
            let mut flows = topics.iter().map(|topic| lab.flow_of_copy(topic));
            flows
                .find_map(|flow| flow)
                .map(|flow| flow.spec.target.as_str())
                .or(DefaultCluster::FirstTarget.of(lab))
        })?),
        _ => None,
    };
    context.say_which(args.cluster.as_deref(), place.as_ref());
    let bootstrap = place
        .as_ref()
        .map_or(args.elsewhere.bootstrap, Place::endpoints);
    let may_come = |topic: &&String| {
        let place = place.as_ref();
        place.is_none_or(|place| elsewhere::original(topic, place).is_some())
    };
    let unexpected = topics.iter().filter(|topic| !may_come(topic));
    let unexpected: Vec<String> = unexpected.cloned().collect();
    let mut what = Consume {
        must_be_there: unexpected.clone(),
        topics,
        partition: args.partition,
        start: args.from,
        until: args.until,
        group: args.group,
        messages: args.messages,
        follow: args.follow,
        timeout: args.timeout,
        committed_only: args.isolation == Isolation::ReadCommitted,
        client: args.client.into(),
        needs: args.format.needs(),
    };
    let mut sink = Stdout {
        format: args.format,
        on_terminal: io::stdout().is_terminal().then(Vec::new),
        to: BufWriter::with_capacity(256 * 1024, io::stdout()),
    };
    let output = context.output;
    let tell = move |event: Event| match event {
        Event::Warning(text) => output.warn(&text),
        Event::Note(text) | Event::Progress(text) => output.talk(&text),
        Event::Started(text) if output.verbose => output.talk(&text),
        _ => {}
    };
    let mut told = consume(&bootstrap, &what, &context.interrupt, &tell, &mut sink);
    if let (Err(ConsumeError::NoTopic { topic, .. }), Some(place)) = (&told, &place)
        && unexpected.contains(topic)
    {
        if let Some(error) = elsewhere::where_it_is(topic, place, context) {
            return Err(error);
        }
        what.must_be_there.clear();
        told = consume(&bootstrap, &what, &context.interrupt, &tell, &mut sink);
    }
    let report = match told {
        Ok(report) => report,
        Err(ConsumeError::NoTopic {
            topic,
            waited,
            topics,
        }) => {
            let on = place.as_ref();
            let on = on.map_or_else(String::new, |place| format!(" on {}", place.cluster.name));
            let after = seconds(waited);
            let what = format!("there is no topic `{topic}`{on} after {after}");
            let hint = elsewhere::why_not(&[topic], place.as_ref(), context)
                .unwrap_or_else(|| topics_there_are(&topics));
            return Err(CliError::no(what).hint(hint));
        }
        Err(ConsumeError::Kafka(error)) => return Err(kafka_error(error, place.as_ref())),
        Err(error) => return Err(error.into()),
    };
    answer(&what, &report, place.as_ref(), context)
}

/// The end, in words and as an exit code.
fn answer(
    what: &Consume,
    report: &ConsumeReport,
    place: Option<&Place>,
    context: &Context,
) -> Result<Exit, CliError> {
    let read = report.read;
    if let (Some(error), Some(group)) = (&report.not_committed, &what.group) {
        let group = printable::name(group);
        let what = format!("the offsets of group `{group}` were not committed: {error}");
        // otherwise how it ended says more
        if matches!(report.end, ConsumeEnd::Complete) {
            return Err(CliError::no(what));
        }
        context.output.warn(&what);
    }
    let so_far = match what.messages {
        Some(asked) => format!("read {read} of {asked} in {}", seconds(report.elapsed)),
        None => format!("read {read} in {}", seconds(report.elapsed)),
    };
    match &report.end {
        ConsumeEnd::Complete if read == 0 && what.group.is_some() => {
            context.output.talk("no new records for the group");
        }
        ConsumeEnd::Complete if read == 0 => {
            context.output.talk(&nothing(what));
            let hint = match what.start {
                Start::Latest => Some("--follow waits for new records".to_owned()),
                _ => elsewhere::why_not(&what.topics, place, context),
            };
            if let Some(hint) = hint {
                context.output.talk(&format!("hint: {hint}"));
            }
        }
        ConsumeEnd::Complete | ConsumeEnd::NoReader => {}
        // that is how one leaves it
        ConsumeEnd::Interrupted if what.follow && what.messages.is_none() => {
            return Ok(Exit::Interrupted);
        }
        ConsumeEnd::Interrupted => return Err(Stop::Interrupted.into()),
        ConsumeEnd::Deadline => {
            let hint = elsewhere::why_not(&what.topics, place, context).unwrap_or_else(|| {
                "wait longer with --timeout, or ask for fewer with --messages".to_owned()
            });
            return Err(CliError::no(so_far).hint(hint));
        }
        ConsumeEnd::Lost(error) => {
            let hint = where_to_look(error, place, context);
            let told = format!("{so_far}; then {error}");
            let exit = match what.messages {
                Some(_) => short(error, read > 0),
                None => CliError::from(error.clone()).exit,
            };
            return Err(CliError::new(exit, told).maybe(hint));
        }
    }
    Ok(Exit::Done)
}

/// That there was nothing to read where it was looked for, which may be less than the whole topic.
fn nothing(what: &Consume) -> String {
    let partition = what.partition;
    let partition = partition.map_or_else(String::new, |one| format!("partition {one} of "));
    let from = match what.start {
        Start::Earliest => String::new(),
        Start::Latest => " after its current end".to_owned(),
        Start::Offset(offset) => format!(" from offset {offset} on"),
        Start::Time(_) => " from that time on".to_owned(),
    };
    let until = what.until;
    let until = until.map_or_else(String::new, |end| format!(" before offset {end}"));
    format!(
        "no records in {partition}{}{from}{until}",
        names(&what.topics)
    )
}

/// Such as topic `a`, or topics `a` and `b`.
fn names(topics: &[String]) -> String {
    let names: Vec<String> = topics.iter().map(|topic| format!("`{topic}`")).collect();
    match names.split_last() {
        Some((last, [])) => format!("topic {last}"),
        Some((last, before)) => format!("topics {} and {last}", before.join(", ")),
        None => String::new(),
    }
}

/// A cluster that is no lab's is not explained with one.
pub(super) fn kafka_error(error: KafkaError, place: Option<&Place>) -> CliError {
    let is_elsewhere = place.is_none() && matches!(error, KafkaError::Unreachable { .. });
    let told = CliError::from(error);
    if is_elsewhere { told.maybe(None) } else { told }
}

/// What helps to understand a broker that went away.
pub(super) fn where_to_look(
    error: &KafkaError,
    place: Option<&Place>,
    context: &Context,
) -> Option<String> {
    match (error, place) {
        (error, _) if error.code().is_some_and(|code| code.number() == INCONSISTENT_PROTOCOL) => {
            Some(
                "its members use an assignor that kmk does not support (it supports `range` and `roundrobin`), or they are not \
                 consumers: choose another --group"
                    .to_owned(),
            )
        }
        (KafkaError::Codec { .. }, _) => {
            Some(OTHER_CLIENT.to_owned())
        }
        (error, Some(_)) if error.is_retriable() => {
            let lab = in_lab(&context.lab);
            Some(format!("`kmk status{lab}` shows the lab's health"))
        }
        _ => None,
    }
}

/// Nearest name first, as `topics` are; Kafka's and MirrorMaker's own only where there are no others.
pub(super) fn topics_there_are(topics: &[String]) -> String {
    let names = topics.iter().map(String::as_str);
    existing("topic", names.filter(|topic| !is_internal(topic)))
}

/// Standard output.
struct Stdout {
    format: Format,
    /// Where a record is looked through before a terminal gets it; a pipe gets it byte for byte.
    on_terminal: Option<Vec<u8>>,
    to: BufWriter<io::Stdout>,
}

impl Sink for Stdout {
    fn record(&mut self, topic: &str, record: RecordRef<'_>) -> io::Result<()> {
        let Some(written) = &mut self.on_terminal else {
            return self.format.write(topic, &record, &mut self.to);
        };
        written.clear();
        self.format.write(topic, &record, written)?;
        let shown = printable::content(written);
        self.to.write_all(shown.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_records_are_said_of_no_more_than_was_read() {
        let what = |partition, start, until| {
            nothing(&Consume {
                topics: vec!["a".to_owned()],
                must_be_there: Vec::new(),
                partition,
                start,
                until,
                group: None,
                messages: None,
                follow: false,
                timeout: Duration::ZERO,
                committed_only: false,
                client: Client::Auto,
                needs: Vec::new(),
            })
        };
        assert_eq!(what(None, Start::Earliest, None), "no records in topic `a`");
        assert_eq!(
            what(Some(2), Start::Offset(100), None),
            "no records in partition 2 of topic `a` from offset 100 on"
        );
        assert_eq!(
            what(None, Start::Latest, None),
            "no records in topic `a` after its current end"
        );
        assert_eq!(
            what(None, Start::Time(1), Some(7)),
            "no records in topic `a` from that time on before offset 7"
        );
    }
}
