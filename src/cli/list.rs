use super::table::{row, table};
use super::{CliError, Context, Exit, watch};
use kafka_mirror_kit::core::docker::Docker;
use kafka_mirror_kit::core::judge::link::LinkStatus;
use kafka_mirror_kit::core::lab::State;
use kafka_mirror_kit::core::lab::list::{self, Listed};
use kafka_mirror_kit::core::spec::in_lab;
use kmk_kafka::printable;
use kmk_kafka::wait::seconds;
use std::path::Path;

/// Characters between two columns.
const GAP: usize = 2;
/// Characters that a shape and a directory have at least, as their headings do: all of both is in --json.
const SHAPE: usize = 8;
const DIRECTORY: usize = 9;
/// Ports of a lab that a terminal shows: the others are in --json, and where there is no terminal.
const PORTS: usize = 3;

/// List all labs, running or stopped
///
/// A lab that matches none of the scenarios (`kmk scenarios`) is shown with its flows instead of a scenario's name.
///
/// The exit code is 0 whatever state they are in. With --verbose, also shows the memory that they use, which takes 2
/// seconds.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let labs = labs(context.output.verbose, context)?;
    if args.json {
        let text = serde_json::to_string_pretty(&labs)?;
        context.output.result(&text)?;
        return Ok(Exit::Done);
    }
    if labs.is_empty() {
        context.output.result("There are no labs.")?;
        context.output.talk("\nhint: `kmk deploy` starts one");
        return Ok(Exit::Done);
    }
    context
        .output
        .result(&describe(&labs, context.output.verbose, watch::width()))?;
    for lab in &labs {
        if let Some(problem) = &lab.problem {
            let name = printable::name(&lab.lab);
            context.output.talk(&format!("note: {name}: {problem}"));
        }
        for note in lab.links.iter().filter_map(LinkStatus::problem) {
            let name = printable::name(&lab.lab);
            context.output.talk(&format!("note: {name}: {note}"));
        }
        if let Some((drill, command)) = lab
            .drill
            .as_ref()
            .and_then(|drill| Some((drill, drill.next.first()?)))
        {
            let (name, flow) = (printable::name(&lab.lab), &drill.flow);
            let step = drill.step.as_ref().map_or_else(String::new, |step| {
                let age = seconds(step.age);
                format!(": the last step noted is `{}`, {age} ago", step.name)
            });
            context.output.talk(&format!(
                "note: {name}: a drill of {flow} is not over{step}; `{command}` ends it"
            ));
        }
    }
    if let Some(lab) = labs.iter().find(|lab| lab.state == State::Stopped) {
        let lab = in_lab(&lab.lab);
        let hint = format!("\nhint: `kmk start{lab}` starts it again");
        context.output.talk(&hint);
    }
    Ok(Exit::Done)
}

/// All labs; where it is the engine that does not answer, that is said instead.
pub(super) fn labs(memory: bool, context: &Context) -> Result<Vec<Listed>, CliError> {
    let docker = Docker::find()?;
    match list::list(&docker, memory, &context.question()) {
        Ok(labs) => Ok(labs),
        Err(error) => {
            docker.engine(&context.question())?;
            Err(error.into())
        }
    }
}

/// In lines of this many characters, if they are to be cut at all.
fn describe(labs: &[Listed], verbose: bool, width: Option<usize>) -> String {
    let mut heading = row(["LAB", "STATE", "UP", "PORTS"]);
    if verbose {
        heading.push("MEMORY".to_owned());
    }
    heading.extend(row(["SCENARIO", "DIRECTORY"]));
    let mut rows = vec![heading];
    let ports = width.map_or(usize::MAX, |_| PORTS);
    rows.extend(labs.iter().map(|lab| cells(lab, verbose, ports)));
    let Some(width) = width else {
        return table(&rows);
    };
    let widest = |rows: &[Vec<String>], column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let [shape, directory] = [rows[0].len() - 2, rows[0].len() - 1];
    let others: usize = (0..shape).map(|column| widest(&rows, column) + GAP).sum();
    let room = width.saturating_sub(others + GAP);
    let most = room.saturating_sub(DIRECTORY).max(SHAPE);
    for row in &mut rows {
        row[shape] = beginning(&row[shape], most);
    }
    let most = room.saturating_sub(widest(&rows, shape)).max(DIRECTORY);
    for row in &mut rows {
        row[directory] = ending(&row[directory], most);
    }
    table(&rows)
}

fn cells(lab: &Listed, verbose: bool, most_ports: usize) -> Vec<String> {
    let mut cells = vec![
        lab.lab.clone(),
        word(lab.state).to_owned(),
        format!("{}/{}", lab.running, lab.containers),
        ports(&lab.ports, most_ports),
    ];
    if verbose {
        let memory = lab.memory.map(|bytes| format!("{} MiB", bytes >> 20));
        cells.push(memory.unwrap_or_else(unknown));
    }
    let shape = lab.shape();
    cells.push(if shape.is_empty() { unknown() } else { shape });
    let directory = lab.directory.as_deref().map(short);
    cells.push(directory.unwrap_or_else(unknown));
    cells
}

fn unknown() -> String {
    "-".to_owned()
}

fn word(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Stopped => "stopped",
        State::Incomplete => "incomplete",
        State::Unhealthy => "NOT HEALTHY",
        State::Unreadable => "unreadable",
    }
}

fn ports(ports: &[u16], most: usize) -> String {
    let shown: Vec<String> = ports.iter().take(most).map(u16::to_string).collect();
    let more = if ports.len() > most { ",…" } else { "" };
    if shown.is_empty() {
        unknown()
    } else {
        shown.join(",") + more
    }
}

/// Relative to the current directory, if it is below it.
fn short(directory: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let below = directory.strip_prefix(&here).ok();
    let below = below.filter(|path| !path.as_os_str().is_empty());
    below.unwrap_or(directory).to_string_lossy().into_owned()
}

/// The beginning of a text that is too long.
fn beginning(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The end of a text that is too long.
fn ending(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let end = text.chars().skip(length - (most - 1));
    ['…'].into_iter().chain(end).collect()
}

/// Their names, to be read.
pub(super) fn names(labs: &[Listed]) -> String {
    let names: Vec<String> = labs.iter().map(|lab| printable::name(&lab.lab)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_cut_fits_and_says_so(text in ".{0,60}", most in 2usize..40) {
            for cut in [beginning(&text, most), ending(&text, most)] {
                prop_assert!(cut.chars().count() <= most);
                prop_assert!(cut == text || cut.contains('…'));
            }
        }

        #[test]
        fn usual_labs_fit_the_terminal(
            name in "[a-z]{1,8}", port in 1024u16..65000, clusters in 1usize..6, directory in "/[a-z/]{0,90}",
            verbose: bool,
        ) {
            let lab = Listed {
                lab: name, state: State::Unhealthy, scenario: None, running: 10, containers: 12,
                flows: vec!["primary->secondary".to_owned(); clusters], clusters: Vec::new(),
                ports: vec![port; clusters], memory: Some(1 << 30), directory: Some((&directory).into()), problem: None, links: Vec::new(), drill: None,
            };
            let text = describe(std::slice::from_ref(&lab), verbose, Some(80));
            prop_assert!(text.lines().all(|line| line.chars().count() <= 80), "{}", text);
            let text = describe(&[lab], verbose, None);
            prop_assert!(!text.contains('…') && text.ends_with(&directory), "{}", text);
        }
    }
}
