mod causes;
mod remedy;
mod words;

use super::output::{COMMAND, HINT, styled};
use super::topic_args::OneTopic;
use super::{CliError, Context, Exit, flow_named};
use kafka_mirror_kit::core::judge::explain::{Answer, Sight};
use kafka_mirror_kit::core::lab::explain::{Explanation, explain};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::printable;
use serde::Serialize;
use words::Words;

/// Tell why a topic is not, or not yet, on the other side: what was seen, and what to do
///
/// For each flow that the topic concerns, the first of these that holds: its name is Kafka's or MirrorMaker's own; there is no such
/// topic; no flow leads from where it is; its name is one of what came from the target, too long, excluded, or not listed; the flow
/// is off; MirrorMaker, the link or a cluster is down, or a task of MirrorMaker's failed; MirrorMaker has not looked for new topics
/// since; the target has no such topic, or one with fewer partitions; records are lost; there is nothing to copy; it is behind; it
/// is up to date.
///
/// Ends with exit code 0 when the topic is mirrored, even if behind, and 1 when not.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    topic: OneTopic,
    /// Only this flow [default: all that the topic concerns]
    #[arg(long, value_name = "SOURCE->TARGET")]
    flow: Option<String>,
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  kmk explain orders
  kmk explain primary.orders
  kmk explain orders --flow 'primary->secondary'
  kmk explain orders --json | jq -r '.flows[] | [.flow, .answer] | @tsv'";

/// The answer for scripts. Fields are added, never renamed.
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
        let hint = "`flows` of a lab file, or a scenario with flows, says what is to be mirrored";
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
    let words = Words::of(explanation, flags);
    let first = format!("{}: {state}: {}", explanation.flow, words.what);
    let mut lines = vec![styled(COMMAND, &first)];
    lines.extend(
        words
            .seen
            .iter()
            .map(|seen| format!("  seen: {}", printable::line(seen))),
    );
    let todo = words.todo.iter();
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
            | Answer::CopyLost { .. }
            | Answer::NeverCopied { .. }
            | Answer::SourceRecreated(_)
            | Answer::BegunInTheMidst,
            _,
        ) => "mirrored in part",
        (Answer::NothingProduced { .. }, _) => "nothing to mirror",
        (Answer::PossiblyNeverCopied { .. } | Answer::Ill { certain: false, .. }, _) => "unknown",
        (Answer::NotRefreshed { .. }, copy) if explanation.seen.problems.is_empty() => match copy {
            Sight::Absent => "not there yet",
            _ => "not copied yet",
        },
        (
            Answer::NoSuchTopic { .. }
            | Answer::OnlyTheCopy
            | Answer::NoFlow { .. }
            | Answer::Excluded { .. }
            | Answer::NotListed { .. }
            | Answer::Internal { .. }
            | Answer::Cycle { .. }
            | Answer::NameTooLong { .. },
            _,
        )
        | (_, Sight::Absent) => "not mirrored",
        _ => "stands still",
    }
}

#[cfg(test)]
mod tests;
