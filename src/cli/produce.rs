mod progress;
mod report;

use super::consume::{messages, of_kafka, topic_name, where_to_look};
use super::deploy::in_lab;
use super::failure::Told;
use super::{Context, DefaultCluster, Outcome, Place};
use kafka_mirror_kit::core::endpoint::Endpoint;
use kafka_mirror_kit::core::kafka::KafkaError;
use kafka_mirror_kit::core::lab::produce::{
    Input, Key, Produce, ProduceEnd, ProduceError, ProduceReport, produce,
};
use kafka_mirror_kit::core::message::{MAX_VALUE, MIN_SAMPLE};
use kafka_mirror_kit::core::wait::Stop;
use progress::Progress;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Send records into a topic, and account for each of them
///
/// Sample records (small JSON events) unless told otherwise; a topic that is not there is created. A record counts only
/// once the broker has acknowledged it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The topic to send to
    #[arg(long, value_name = "TOPIC", value_parser = topic_name)]
    topic: String,
    /// How many records [default: 1, or all lines of --file]
    #[arg(long, value_name = "N", value_parser = messages, allow_negative_numbers = true)]
    messages: Option<u64>,
    /// The cluster of the lab to send to [default: the source of the first flow]
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Send to this cluster instead, of the lab or not
    #[arg(
        long,
        value_name = "HOST:PORT,...",
        value_delimiter = ',',
        conflicts_with = "cluster"
    )]
    bootstrap: Vec<Endpoint>,
    /// Send this value instead of sample records
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    value: Option<OsString>,
    /// Send the lines of this file, byte for byte, a record each; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Sample records of exactly so many bytes
    #[arg(long, value_name = "BYTES", conflicts_with_all = ["value", "file"], allow_negative_numbers = true,
          value_parser = clap::value_parser!(u64).range(MIN_SAMPLE as u64..=MAX_VALUE as u64))]
    size: Option<u64>,
    /// The key of every record; it decides the partition, as in every Java client
    #[arg(long, value_name = "TEXT")]
    key: Option<OsString>,
    /// Each line of --file is a key, this, and a value; without it in the line, there is no key
    #[arg(long, value_name = "TEXT", conflicts_with = "key", requires = "file",
          value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key_separator: Option<String>,
    /// The partition of every record [default: by key, or in turn]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    partition: Option<i32>,
    /// At most so many records a second
    #[arg(long, value_name = "N[/s]", value_parser = rate)]
    rate: Option<u64>,
    /// How long to go on without any acknowledgement before giving up
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::patience)]
    timeout: Duration,
    /// Send into a mirrored topic all the same
    #[arg(long)]
    force: bool,
    /// The report as JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk produce --topic orders --messages 1000
  kmk produce --topic orders --file orders.txt --key-separator ,
  tail -f app.log | kmk produce --topic log --file -
  kmk produce --topic load --messages 60000 --size 1000 --rate 1000/s

--timeout is no limit on the whole: a long file may take as long as the broker keeps acknowledging.";

fn rate(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.parse() {
        Ok(rate @ 1..=100_000_000) => Ok(rate),
        _ => Err("a rate is a number of records a second, from 1, such as 500/s".to_owned()),
    }
}

impl Args {
    fn input(&self) -> anyhow::Result<Input> {
        Ok(match (&self.value, &self.file) {
            (Some(value), _) => Input::Value(value.clone().into_vec()),
            (None, Some(file)) => lines_of(file)?,
            (None, None) => Input::Samples {
                size: self.size.and_then(|size| usize::try_from(size).ok()),
            },
        })
    }

    fn key(&self) -> Key {
        match (&self.key, &self.key_separator) {
            (Some(key), _) => Key::Fixed(key.clone().into_vec()),
            (None, Some(separator)) => Key::Before(separator.clone().into_bytes()),
            (None, None) => Key::None,
        }
    }
}

fn lines_of(file: &Path) -> anyhow::Result<Input> {
    if file == Path::new("-") {
        return Ok(Input::Lines(Box::new(io::stdin())));
    }
    let opened = File::open(file).and_then(|opened| {
        if opened.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(opened)
    });
    match opened {
        Ok(opened) => Ok(Input::Lines(Box::new(opened))),
        Err(error) => Err(Told::usage(format!("cannot read {}: {error}", file.display())).into()),
    }
}

pub(crate) fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let input = args.input()?;
    let place = match args.bootstrap.as_slice() {
        [] => Some(context.place(args.cluster.as_deref(), DefaultCluster::FirstSource)?),
        _ => None,
    };
    if let Some(place) = place.as_ref().filter(|_| !args.force) {
        refuse_mirrored(&args.topic, place)?;
    }
    let bootstrap = place
        .as_ref()
        .map_or_else(|| args.bootstrap.clone(), Place::endpoints);
    if matches!(input, Input::Lines(_))
        && args.file.as_deref() == Some(Path::new("-"))
        && io::stdin().is_terminal()
    {
        context.output.talk("A record a line; end with Ctrl-D.");
    }
    let whole_file = matches!(input, Input::Lines(_));
    let messages = args.messages.or((!whole_file).then_some(1));
    let key = args.key();
    let topic = args.topic;
    let what = Produce {
        topic: topic.clone(),
        input,
        messages,
        key,
        partition: args.partition,
        rate: args.rate,
        patience: args.timeout,
    };
    let mut progress = Progress::new(messages, context.output);
    let told = produce(&bootstrap, what, &context.interrupt, &mut |tally| {
        progress.show(tally);
    });
    progress.end();
    let report = told.map_err(|error| match error {
        ProduceError::Kafka(error) => of_kafka(error, place.as_ref()),
        other => other.into(),
    })?;
    let text = if args.json {
        serde_json::to_string_pretty(&report::Json::new(&topic, &report))?
    } else {
        report::text(&topic, &report)
    };
    context.output.result(&text)?;
    answer(&topic, &report, place.as_ref(), context)
}

/// What MirrorMaker writes is its own: records of anyone else in it are lost in the next comparison, and never mirrored
/// back.
fn refuse_mirrored(topic: &str, place: &Place) -> anyhow::Result<()> {
    let cluster = &place.cluster.name;
    let Some(flow) = place.lab.topology.flow_into(cluster, topic) else {
        return Ok(());
    };
    let source = flow.source_topic(topic).unwrap_or(topic);
    let what = format!(
        "`{topic}` on {cluster} is the copy of `{source}` on {}: MirrorMaker writes it, and what you add exists nowhere else",
        flow.spec.source
    );
    let hint = format!(
        "send to --topic {source} --cluster {}, or insist with --force",
        flow.spec.source
    );
    Err(Told::usage(what).hint(hint).into())
}

/// The end, in words and as an exit code.
fn answer(
    topic: &str,
    report: &ProduceReport,
    place: Option<&Place>,
    context: &Context,
) -> anyhow::Result<Outcome> {
    match &report.end {
        ProduceEnd::Complete => {
            if let Some(place) = place.filter(|_| report.tally.acknowledged() > 0) {
                next(topic, report, place, context);
            }
            Ok(Outcome::Yes)
        }
        ProduceEnd::Interrupted => {
            context.output.talk(&report::shortfall(report));
            Err(Stop::Interrupted.into())
        }
        ProduceEnd::GaveUp(error) => {
            let hint = match error {
                KafkaError::RecordTooLarge { .. } => {
                    Some("a topic's max.message.bytes says how large".to_owned())
                }
                // the crate has no name for what newer brokers say (87, INVALID_RECORD)
                KafkaError::Refused { code, .. } if matches!(code.number(), -1 | 87) => {
                    Some("a compacted topic refuses records without a key".to_owned())
                }
                error => where_to_look(error, place, context),
            };
            let what = format!("{}: {error}", report::shortfall(report));
            Err(Told::no(what).maybe(hint).into())
        }
        ProduceEnd::Input(error) => {
            let told = Told::no(error.to_string()).hint(report::shortfall(report));
            Err(told.into())
        }
    }
}

/// Where the copies can be read.
fn next(topic: &str, report: &ProduceReport, place: &Place, context: &Context) {
    let lab = in_lab(&context.lab);
    let mut flows = place.lab.topology.flows.iter();
    let Some(flow) = flows.find(|flow| flow.spec.source == place.cluster.name) else {
        return;
    };
    let (remote, target) = (flow.remote_topic(topic), &flow.spec.target);
    let messages = report.tally.acknowledged();
    context.output.next(&[(
        format!("kmk consume{lab} --topic {remote} --cluster {target} --messages {messages}"),
        "the copies",
    )]);
}
