use super::{Which, failed};
use crate::cli::cluster_choice::ClusterChoice;
use crate::cli::quantity::count;
use crate::cli::{CliError, Context, Exit, consume};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::judge::lag::NeverCopied;
use kafka_mirror_kit::core::lab::lag::note_removal;
use kafka_mirror_kit::core::lab::positions::{never_copied, not_yet_copied};
use kafka_mirror_kit::core::lab::topics::{Truncate, Truncated, source_of, truncate};
use kafka_mirror_kit::core::mirrormaker::patterns::{Rules, Selection};
use kafka_mirror_kit::core::topology::Flow;
use kmk_kafka::wait::Limit;
use kmk_kafka::{KafkaError, Start};
use std::time::Duration;

/// How long the other clusters may take to say what they have.
const OTHERS: Duration = Duration::from_secs(2);

/// Remove the oldest records of a topic permanently
///
/// Mirrored topics on other clusters keep theirs. A topic that is only compacted cannot be truncated.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Remove all records before this: an offset (in every partition), a time (RFC 3339, or -10m for ten minutes ago), or
    /// `end` for all current records
    #[arg(long, value_name = "WHERE", value_parser = before, allow_hyphen_values = true)]
    before: Start,
    /// Only in this partition
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    partition: Option<i32>,
    /// Also change a topic of MirrorMaker, Kafka or kmk
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk topic truncate orders --before end
  kmk topic truncate orders --before 1000 --partition 2
  kmk topic truncate orders --before -7days";

/// As where to begin, but for the two ends: only one of them makes sense, and it goes by its own name.
fn before(text: &str) -> Result<Start, String> {
    match (text, consume::start(text)) {
        ("end", _) => Ok(Start::Latest),
        (_, Ok(place @ (Start::Offset(_) | Start::Time(_)))) => Ok(place),
        _ => Err("must be `end`, an offset from 0, a time such as 2026-11-22T10:00:00Z or ...+01:00, or a time ago such as -10m".to_owned()),
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let limit = args.which.limit(context);
    let chosen = args.which.cluster_to_change(args.force, &limit, context)?;
    let what = Truncate {
        topic: args.which.topic.name().to_owned(),
        partition: args.partition,
        before: args.before,
    };
    let mut before = Vec::new();
    let look = |meant: &[Truncated]| before = look_before(&what.topic, meant, &chosen, context);
    let done = truncate(chosen.endpoints(), &what, look, &limit);
    let done = done.map_err(|error| failed(error, &chosen, context))?;
    let removed: u64 = done.iter().map(Truncated::removed).sum();
    context.output.result(&format!(
        "Removed {} of topic `{}` on {}, in {}.",
        count(removed, "record"),
        what.topic,
        chosen.name(),
        count(done.len(), "partition"),
    ))?;
    warn(&what.topic, (&done, before), &chosen, context);
    if let (Some(place), Ok(docker)) = (&chosen.place, Docker::find()) {
        let topic = (place.cluster.name.as_str(), what.topic.as_str());
        note_removal(&docker, &place.lab, topic, &done, &limit);
    }
    let at = chosen.flags_if_needed();
    let describe = format!("kmk topic describe {}{at}", what.topic);
    context.output.next(&[(describe, "check it")]);
    Ok(Exit::Done)
}

/// A flow that takes the topic, and what does not seem to be mirrored of what is about to be removed.
type Before<'a> = (&'a Flow, Result<Vec<NeverCopied>, KafkaError>);

/// What other clusters have of it, as long as it is there.
fn look_before<'a>(
    topic: &str,
    meant: &[Truncated],
    chosen: &'a ClusterChoice,
    context: &Context,
) -> Vec<Before<'a>> {
    let Some((topology, cluster)) = chosen.lab() else {
        return Vec::new();
    };
    let limit = Limit::new(OTHERS, &context.interrupt);
    let takes = |flow: &&Flow| {
        flow.spec.source == cluster && Rules::of_flow(flow).select(topic) == Selection::Included
    };
    let flows = topology.flows.iter().filter(takes);
    flows
        .map(|flow| (flow, not_yet_copied(topology, flow, topic, meant, &limit)))
        .collect()
}

/// What that means for other clusters.
fn warn(
    topic: &str,
    (done, before): (&[Truncated], Vec<Before<'_>>),
    chosen: &ClusterChoice,
    context: &Context,
) {
    let Some((topology, cluster)) = chosen.lab() else {
        return;
    };
    let limit = Limit::new(OTHERS, &context.interrupt);
    let removed: u64 = done.iter().map(Truncated::removed).sum();
    if let Some(source) = source_of(topology, cluster, topic, &limit).filter(|_| removed > 0) {
        context.output.warn(&format!(
            "MirrorMaker does not mirror them from {} again: they are lost on {cluster}",
            source.cluster
        ));
    }
    for (flow, before) in before {
        let target = &flow.spec.target;
        let never =
            before.and_then(|before| never_copied(topology, flow, topic, (done, &before), &limit));
        match never {
            Ok(never) => {
                for warning in unmirrored(never, target) {
                    context.output.warn(&warning);
                }
            }
            Err(error) => context.output.warn(&format!(
                "unknown whether all of them had been mirrored to {target}: {error}"
            )),
        }
    }
}

/// What is said of records that were not mirrored before they were removed.
fn unmirrored(never: NeverCopied, target: &str) -> impl Iterator<Item = String> {
    let NeverCopied {
        records,
        unknown,
        late,
    } = never;
    let lost = (records > 0).then(|| {
        format!(
            "up to {} had not been mirrored to {target}, and never will be",
            count(records, "record")
        )
    });
    let unknown = (unknown > 0).then(|| {
        format!(
            "unknown whether all of them had been mirrored to {target}: MirrorMaker's position is {} before the end of the removed records, but some offsets may be transaction markers, not records",
            count(unknown, "offset")
        )
    });
    let late = (late > 0).then(|| {
        format!(
            "unknown whether up to {} had been mirrored to {target}: MirrorMaker's position was before their end when they were removed, and is past it now",
            count(late, "record")
        )
    });
    lost.into_iter().chain(unknown).chain(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_marks_of_transactions_is_unknown_and_not_lost() {
        let told = |records, unknown| -> Vec<String> {
            let never = NeverCopied {
                records,
                unknown,
                late: 0,
            };
            unmirrored(never, "secondary").collect()
        };
        assert!(told(0, 0).is_empty());
        let late = NeverCopied {
            late: 1,
            ..NeverCopied::default()
        };
        assert_eq!(
            unmirrored(late, "secondary").collect::<Vec<_>>(),
            [
                "unknown whether up to 1 record had been mirrored to secondary: MirrorMaker's position was before their end when they were removed, and is past it now"
            ]
        );
        assert_eq!(
            told(15, 0),
            ["up to 15 records had not been mirrored to secondary, and never will be"]
        );
        assert_eq!(
            told(0, 2),
            [
                "unknown whether all of them had been mirrored to secondary: MirrorMaker's position is 2 offsets before the end of the removed records, but some offsets may be transaction markers, not records"
            ]
        );
    }

    #[test]
    fn the_end_an_offset_or_a_time() {
        assert_eq!(before("end"), Ok(Start::Latest));
        assert_eq!(before("99"), Ok(Start::Offset(99)));
        assert_eq!(before("1970-01-01T00:00:01Z"), Ok(Start::Time(1000)));
        assert!(matches!(before("-10m"), Ok(Start::Time(_))));
        for bad in ["", "-1", "latest", "earliest", "1.5"] {
            assert!(before(bad).is_err(), "{bad}");
        }
    }
}
