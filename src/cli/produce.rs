mod args;
mod progress;
mod report;

use super::consume::{of_kafka, where_to_look};
use super::deploy::in_lab;
use super::failure::Told;
use super::{Context, DefaultCluster, Outcome, Place};
pub(crate) use args::Args;
pub(super) use args::rate;
use kafka_mirror_kit::core::event::Event;
use kafka_mirror_kit::core::kafka::KafkaError;
use kafka_mirror_kit::core::lab::produce::{
    Input, Produce, ProduceEnd, ProduceError, ProduceReport, produce,
};
use kafka_mirror_kit::core::lab::topics::source_of;
use kafka_mirror_kit::core::wait::{Limit, Stop};
use progress::Progress;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

/// How long the source of a topic of the same name may take to say that it has it.
const SOURCES: Duration = Duration::from_secs(2);

pub(crate) fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    args.check()?;
    let input = args.input()?;
    let place = match args.elsewhere.bootstrap.as_slice() {
        [] => Some(context.place(args.cluster.as_deref(), |lab| {
            DefaultCluster::FirstSource.of(lab)
        })?),
        _ => None,
    };
    if let Some(place) = place.as_ref().filter(|_| !args.force) {
        refuse_mirrored(&args.topic, place, context)?;
    }
    context.say_which(args.cluster.as_deref(), place.as_ref());
    let bootstrap = place
        .as_ref()
        .map_or_else(|| args.elsewhere.bootstrap.clone(), Place::endpoints);
    if matches!(input, Input::Lines(_))
        && args.file.as_deref() == Some(Path::new("-"))
        && io::stdin().is_terminal()
    {
        context.output.talk("A record a line; end with Ctrl-D.");
    }
    let whole_file = matches!(input, Input::Lines(_));
    let messages = args.messages.or((!whole_file).then_some(1));
    let (key, writing) = (args.key(), args.writing());
    let topic = args.topic;
    let what = Produce {
        topic: topic.clone(),
        input,
        messages,
        key,
        partition: args.partition,
        headers: args.header,
        time: args.timestamp,
        rate: args.rate,
        writing,
        patience: args.timeout,
    };
    let mut progress = Progress::new(messages, context.output);
    let output = context.output;
    let tell = move |event: Event| match event {
        Event::Started(text) if output.verbose => output.talk(&text),
        _ => {}
    };
    let told = produce(&bootstrap, what, &context.interrupt, &tell, &mut |tally| {
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
fn refuse_mirrored(topic: &str, place: &Place, context: &Context) -> anyhow::Result<()> {
    let cluster = &place.cluster.name;
    let limit = Limit::new(SOURCES, &context.interrupt);
    let Some(source) = source_of(&place.lab.topology, cluster, topic, &limit) else {
        return Ok(());
    };
    let what = format!(
        "`{topic}` on {cluster} is the copy of `{}` on {}: MirrorMaker writes it, and what you add exists nowhere else",
        source.topic, source.cluster
    );
    let hint = format!(
        "send to --topic {} --cluster {}, or insist with --force",
        source.topic, source.cluster
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
                // INVALID_RECORD, for which version 0 of the protocol has no name
                KafkaError::Refused { code, .. } if matches!(code.number(), -1 | 87) => {
                    Some("a compacted topic refuses records without a key: give them one with --key or --key-separator".to_owned())
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
    let messages = report.tally.acknowledged();
    let flows = place.lab.topology.flows.iter();
    let consume = flows
        .filter(|flow| flow.spec.source == place.cluster.name)
        .map(|flow| {
            let (remote, target) = (flow.remote_topic(topic), &flow.spec.target);
            let command = format!(
                "kmk consume{lab} --topic {remote} --cluster {target} --messages {messages}"
            );
            (command, "the copies")
        });
    let consume: Vec<(String, &str)> = consume.collect();
    if !consume.is_empty() {
        context.output.next(&consume);
    }
}
