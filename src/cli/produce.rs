mod args;
mod progress;
mod report;
mod stdin;

use super::consume::{kafka_error, where_to_look};
use super::error::{advice, short};
use super::topic::refuse_internal;
use super::{CliError, Context, DefaultCluster, Exit, Place};
pub(crate) use args::Args;
pub(super) use args::rate;
use kafka_mirror_kit::core::event::Event;
use kafka_mirror_kit::core::lab::topics::{setting_of, source_of};
use kafka_mirror_kit::core::mirrormaker::patterns::{Rules, Selection};
use kafka_mirror_kit::core::records::produce::{
    Input, Produce, ProduceEnd, ProduceError, ProduceReport, produce,
};
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::spec::in_lab;
use kafka_mirror_kit::core::topology::Flow;
use kmk_kafka::KafkaError;
use kmk_kafka::endpoint::Endpoint;
use kmk_kafka::wait::{Limit, Stop};
use progress::Progress;
use std::path::Path;
use std::time::{Duration, SystemTime};
use stdin::Stdin;

/// What Kafka puts around a record at most, but for its headers, in bytes.
const AROUND: usize = 200;

/// A broker holds a large record several times, and has other work: its heap should be this many times as large.
const SHARE: usize = 16;

/// How long the source of a topic of the same name may take to say that it has it, and a broker what a topic is set to.
const SOURCES: Duration = Duration::from_secs(2);

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    args.check()?;
    let stdin = Stdin::look();
    let input = args.input(stdin, &context.interrupt)?;
    let place = match args.elsewhere.bootstrap.as_slice() {
        [] => Some(context.place(args.cluster.as_deref(), |lab| {
            DefaultCluster::FirstSource.of(lab)
        })?),
        _ => None,
    };
    if let Some(place) = place.as_ref().filter(|_| !args.force) {
        refuse_internal(args.topic.name(), Some(&place.lab.topology))?;
        refuse_mirrored(args.topic.name(), place, context)?;
    }
    context.say_which(args.cluster.as_deref(), place.as_ref());
    let bootstrap = place
        .as_ref()
        .map_or_else(|| args.elsewhere.bootstrap.clone(), Place::endpoints);
    let file = args.file_to_read(stdin);
    let is_stdin = file.as_deref() == Some(Path::new("-"));
    if is_stdin && stdin == Stdin::Terminal {
        context.output.talk("One record per line; end with Ctrl-D.");
    }
    if stdin == Stdin::Lines && file.is_none() && args.asks_for_samples() {
        let note = "note: standard input is ignored, because --messages or --size asks for sample records; `--file -` sends its lines";
        context.output.talk(note);
    }
    let is_surprising = file.is_none() && args.is_silent();
    let since = args.timestamp.is_none().then(SystemTime::now);
    let whole_file = matches!(input, Input::Lines(_));
    let messages = args.messages.or((!whole_file).then_some(1));
    let (key, writing) = (args.key(), args.writing());
    let topic = args.topic.name().to_owned();
    let what = Produce {
        topic: topic.clone(),
        input,
        input_name: what_is_read(file.as_deref()),
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
        Event::Progress(text) => output.talk(&text),
        _ => {}
    };
    let told = produce(&bootstrap, what, &context.interrupt, &tell, &mut |tally| {
        progress.show(tally);
    });
    progress.end();
    let report = told.map_err(|error| match error {
        ProduceError::Kafka(error) => kafka_error(error, place.as_ref()),
        ProduceError::Stamped { is_there, .. } => {
            let verb = if is_there { "alter" } else { "create" };
            let at = flags(place.as_ref(), &bootstrap, context);
            CliError::from(error).hint(format!(
                "`kmk topic {verb} {topic}{at} --config message.timestamp.type=CreateTime` makes it keep the producer's timestamps"
            ))
        }
        other => other.into(),
    })?;
    let text = if args.json {
        serde_json::to_string_pretty(&report::Json::new(&topic, &report))?
    } else {
        report::text(&topic, &report)
    };
    context.output.result(&text)?;
    if let Some(name) = what_is_read(file.as_deref())
        && report.tally.acknowledged() == 0
        && matches!(report.end, ProduceEnd::Complete)
    {
        let nothing = format!("note: no lines in {name}, so nothing was sent");
        context.output.talk(&nothing);
    }
    if is_surprising && report.tally.acknowledged() > 0 {
        let sample = format!("note: sent a sample record, because {stdin}");
        context.output.talk(&sample);
    }
    let sent = Sent {
        topic: &topic,
        bootstrap: &bootstrap,
        report: &report,
        asked: messages,
        since,
    };
    answer(&sent, place.as_ref(), context)
}

/// Where lines come from, in words.
fn what_is_read(file: Option<&Path>) -> Option<String> {
    let file = file?;
    Some(if file == Path::new("-") {
        "stdin".to_owned()
    } else {
        file.display().to_string()
    })
}

/// What was asked for, and what came of it.
struct Sent<'a> {
    topic: &'a str,
    bootstrap: &'a [Endpoint],
    report: &'a ProduceReport,
    asked: Option<u64>,
    /// When it began; none where the records carry a time of their own.
    since: Option<SystemTime>,
}

/// The flags that lead another command to the same cluster.
fn flags(place: Option<&Place>, bootstrap: &[Endpoint], context: &Context) -> String {
    if let Some(place) = place {
        return in_lab(&context.lab) + &shell::flag("--cluster", &place.cluster.name);
    }
    let addresses: Vec<String> = bootstrap.iter().map(ToString::to_string).collect();
    shell::flag("--bootstrap", &addresses.join(","))
}

/// What MirrorMaker writes is its own: records of anyone else in it are lost in the next comparison, and never mirrored
/// back.
fn refuse_mirrored(topic: &str, place: &Place, context: &Context) -> Result<(), CliError> {
    let cluster = &place.cluster.name;
    let limit = Limit::new(SOURCES, &context.interrupt);
    let Some(source) = source_of(&place.lab.topology, cluster, topic, &limit) else {
        return Ok(());
    };
    let what = format!(
        "`{topic}` on {cluster} is the mirrored topic of `{}` on {}: MirrorMaker writes to it, and what you add exists nowhere else",
        source.topic, source.cluster
    );
    let hint = format!(
        "send to --topic {} --cluster {}, or use --force",
        source.topic, source.cluster
    );
    Err(CliError::usage(what).hint(hint))
}

/// The end, in words and as an exit code.
fn answer(sent: &Sent, place: Option<&Place>, context: &Context) -> Result<Exit, CliError> {
    let report = sent.report;
    match &report.end {
        ProduceEnd::Complete => {
            if let Some(place) = place.filter(|_| report.tally.acknowledged() > 0) {
                next(sent, place, context);
            }
            Ok(Exit::Done)
        }
        ProduceEnd::Interrupted => {
            context.output.talk(&report::shortfall(report, sent.asked));
            Err(Stop::Interrupted.into())
        }
        ProduceEnd::GaveUp(error) => {
            let hint = refused(error, sent, place, context)
                .or_else(|| where_to_look(error, place, context));
            let what = format!("{}: {error}", report::shortfall(report, sent.asked));
            let some = report.tally.acknowledged() + report.tally.in_doubt > 0;
            Err(CliError::new(short(error, some), what).maybe(hint))
        }
        ProduceEnd::Short { asked } => {
            let all = report.tally.acknowledged();
            Err(CliError::no(format!(
                "the input ended after {all} of {asked} records"
            )))
        }
        ProduceEnd::Input(error) => {
            let told = CliError::no(error.to_string()).hint(report::shortfall(report, sent.asked));
            Err(told)
        }
    }
}

/// What helps against records that the broker does not take.
fn refused(
    error: &KafkaError,
    sent: &Sent,
    place: Option<&Place>,
    context: &Context,
) -> Option<String> {
    let limit = Limit::new(SOURCES, &context.interrupt);
    let setting = |name: &str| setting_of(sent.bootstrap, sent.topic, name, &limit);
    match error {
        KafkaError::RecordTooLarge { topic, bytes } => {
            let most = setting("max.message.bytes").map_or_else(
                || "max.message.bytes of the topic sets the limit".to_owned(),
                |most| format!("its max.message.bytes is {most}"),
            );
            let enough = bytes + AROUND;
            let made = place.filter(|place| place.cluster.existing().is_none());
            let heap_mib = made.map(|place| place.lab.topology.memory.heap_mib);
            let at = flags(place, sent.bootstrap, context);
            let room = format!("kmk topic alter {topic} --config max.message.bytes={enough}{at}");
            Some(format!("{most}{}", more_room(enough, heap_mib, &room)))
        }
        // for many errors version 0 of the protocol has no name: INVALID_RECORD is one, a full disk another
        KafkaError::Refused { code, .. } if matches!(code.number(), -1 | 87) => {
            let policy = setting("cleanup.policy").unwrap_or_default();
            if code.number() == 87 || policy.contains("compact") {
                return Some(
                    "a compacted topic refuses records without a key: use --key or --key-separator"
                        .to_owned(),
                );
            }
            Some("--client wire shows which error it is".to_owned())
        }
        error => advice(error),
    }
}

/// How a topic takes larger records, unless the heap of the lab's brokers is too small for them.
fn more_room(bytes: usize, heap_mib: Option<u32>, room: &str) -> String {
    let is_too_small = |heap: &u32| bytes.div_ceil(1 << 20).saturating_mul(SHARE) > *heap as usize;
    match heap_mib.filter(is_too_small) {
        None => format!(": `{room}` raises it"),
        Some(heap) => format!(
            "; records of that size need brokers with more memory: set `memory` in the lab file to at least {SHARE} times the record size (it is {heap} MiB)"
        ),
    }
}

/// Where the copies can be read.
fn next(sent: &Sent, place: &Place, context: &Context) {
    let Sent { topic, report, .. } = *sent;
    let lab = in_lab(&context.lab);
    let messages = report.tally.acknowledged();
    // of a topic that had some before, only these
    let has_others = report
        .tally
        .partitions
        .values()
        .any(|written| written.first != 0);
    let from = sent
        .since
        .filter(|_| has_others)
        .map_or_else(String::new, |since| {
            format!(" --from {}", humantime::format_rfc3339_millis(since))
        });
    let flows = place.lab.topology.flows.iter();
    let flows = flows.filter(|flow| flow.spec.source == place.cluster.name);
    let selected: Vec<(&Flow, Selection)> = flows
        .map(|flow| (flow, Rules::of_flow(flow).select(topic)))
        .collect();
    let is_left_out = |(_, selection): &(&Flow, Selection)| {
        !matches!(selection, Selection::Included | Selection::NotEvaluated(_))
    };
    if selected.iter().all(is_left_out) {
        let on = &place.cluster.name;
        let none = format!("note: no flow mirrors `{topic}` from {on}");
        context.output.talk(&none);
        let explain = format!("kmk explain{lab} {topic}");
        context.output.next(&[(explain, "why not")]);
        return;
    }
    let consume = selected
        .into_iter()
        .filter(|(_, selection)| *selection == Selection::Included)
        .map(|(flow, _)| {
            let (remote, target) = (flow.remote_topic(topic), &flow.spec.target);
            let command =
                format!("kmk consume{lab} {remote} --cluster {target}{from} --messages {messages}");
            (command, "read the mirrored records")
        });
    let consume: Vec<(String, &str)> = consume.collect();
    if !consume.is_empty() {
        context.output.next(&consume);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_is_given_that_would_kill_a_broker() {
        let told = |bytes, heap| more_room(bytes, heap, "alter");
        let room = ": `alter` raises it";
        assert_eq!(told(2_000_200, Some(256)), room);
        assert_eq!(told(16 << 20, Some(256)), room);
        assert_eq!(told(100_000_200, None), room);
        assert_eq!(told(100_000_200, Some(2048)), room);
        assert!(
            told(100_000_200, Some(256))
                .starts_with("; records of that size need brokers with more memory: ")
        );
    }
}
