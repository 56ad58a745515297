mod causes;
mod messages;
mod remedy;

use super::output::{COMMAND, HINT, styled};
use super::topic_args::OneTopic;
use super::{CliError, Context, Exit, flow_name, flow_named};
use kafka_mirror_kit::core::judge::explain::{Answer, Sight};
use kafka_mirror_kit::core::lab::explain::{Explanation, explain};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::printable;
use messages::Messages;
use serde::Serialize;

/// Explain why a topic is not mirrored, or not yet: what was seen, and what to do
///
/// For each flow concerned, shows the first reason that applies: the name is internal to Kafka or MirrorMaker; the topic
/// does not exist; no flow reads from its cluster; the name belongs to a topic mirrored from the target, is too long,
/// excluded, or not listed; the flow is disabled; MirrorMaker, the link or a cluster is down, or a task of MirrorMaker
/// failed; MirrorMaker has not looked for new topics yet; the mirrored topic does not exist, or has fewer partitions;
/// records are lost; there is nothing to mirror; it is behind; it is up to date.
///
/// The exit code is 0 if the topic is mirrored, even if it is behind, 2 if there is no such topic, otherwise 1.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    topic: OneTopic,
    /// Only this flow, as 'primary->secondary' or primary:secondary [default: every flow concerned]
    #[arg(long, value_name = "SOURCE->TARGET", value_parser = flow_name)]
    flow: Option<String>,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk explain orders
  kmk explain primary.orders
  kmk explain orders --flow 'primary->secondary'
  kmk explain orders --json | jq -r '.flows[] | [.flow, .answer] | @tsv'";

/// The answer for scripts.
#[derive(Serialize)]
struct Json<'a> {
    topic: &'a str,
    mirrored: bool,
    flows: &'a [Explanation],
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (docker, lab) = context.find_awake()?;
    if let Some(name) = &args.flow {
        flow_named(&lab.topology, name)?;
    }
    if lab.topology.flows.is_empty() {
        let hint = "add `flows` to the lab file, or deploy a scenario with flows";
        let none = CliError::no(format!(
            "lab `{}` has no flow, so nothing is mirrored",
            context.lab
        ));
        return Err(none.hint(hint));
    }
    let flow = args.flow.as_deref();
    let told = explain(&docker, &lab, args.topic.name(), flow, &context.question())?;
    let mirrored = told.iter().all(|one| one.mirrored);
    let text = if args.json {
        let json = Json {
            topic: args.topic.name(),
            mirrored,
            flows: &told,
        };
        serde_json::to_string_pretty(&json)?
    } else {
        let flags = in_lab(&context.lab);
        let parts: Vec<String> = told.iter().map(|one| describe(one, &flags)).collect();
        parts.join("\n\n")
    };
    context.output.result(&text)?;
    let is_nowhere = told
        .iter()
        .all(|one| matches!(one.answer, Answer::NoSuchTopic { .. }));
    Ok(match mirrored {
        true => Exit::Done,
        false if is_nowhere => Exit::Usage,
        false => Exit::No,
    })
}

fn describe(explanation: &Explanation, flags: &str) -> String {
    let state = state_of(explanation);
    let messages = Messages::of(explanation, flags);
    let first = format!("{}: {state}: {}", explanation.flow, messages.what);
    let mut lines = vec![styled(COMMAND, &first)];
    lines.extend(
        messages
            .seen
            .iter()
            .map(|seen| format!("  seen: {}", printable::line(seen))),
    );
    let todo = messages.todo.iter();
    lines.extend(todo.map(|todo| format!("  {} {todo}", styled(HINT, "do:"))));
    lines.join("\n")
}

/// The answer in two words.
fn state_of(explanation: &Explanation) -> &'static str {
    match (&explanation.answer, &explanation.seen.copy) {
        (Answer::Behind { .. } | Answer::AllCommitted { .. } | Answer::UpToDate { .. }, _) => {
            "mirrored"
        }
        (
            Answer::FewerPartitions { .. }
            | Answer::MirroredRecordsLost { .. }
            | Answer::NeverCopied { .. }
            | Answer::SourceRecreated(_)
            | Answer::StartedMidway,
            _,
        ) => "partly mirrored",
        (Answer::NothingProduced { .. }, _) => "nothing to mirror",
        (Answer::PossiblyNeverCopied { .. } | Answer::Unhealthy { certain: false, .. }, _) => {
            "unknown"
        }
        (Answer::NotRefreshed { .. }, copy) if explanation.seen.problems.is_empty() => match copy {
            Sight::Absent => "not created yet",
            _ => "not mirrored yet",
        },
        (
            Answer::NoSuchTopic { .. }
            | Answer::SourceTopicMissing
            | Answer::NoFlow { .. }
            | Answer::Excluded { .. }
            | Answer::NotListed { .. }
            | Answer::Internal { .. }
            | Answer::Cycle { .. }
            | Answer::NameTooLong { .. },
            _,
        )
        | (_, Sight::Absent) => "not mirrored",
        _ => "makes no progress",
    }
}

#[cfg(test)]
mod tests;
