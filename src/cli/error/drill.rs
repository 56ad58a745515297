//! The words for drills that cannot be begun, or did not come to their end.

use super::link::add_relay;
use super::{CliError, Exit, LAB, did_you_mean};
use kafka_mirror_kit::core::lab::drill::{DrillError, Finding, Unfit};

impl From<DrillError> for CliError {
    fn from(error: DrillError) -> Self {
        match error {
            DrillError::Unfit(unfit) => unfit.into(),
            DrillError::TakenBack { cause, problem } => after(*cause, problem),
            DrillError::Lab(error) => error.into(),
            DrillError::Lock(error) => error.into(),
            DrillError::Journal(error) => error.into(),
            DrillError::Docker(error) => error.into(),
            DrillError::Relay(error) => error.into(),
            DrillError::Kafka(error) => error.into(),
            DrillError::NotUp(error) => (*error).into(),
            DrillError::Verify(error) => (*error).into(),
            DrillError::NotFenced { .. } => Self::of(Exit::No, &error).hint(
                "stop whatever writes to these topics: what is written after the switch stays on the source",
            ),
            DrillError::NoDrill { .. } => Self::of(Exit::Usage, &error)
                .hint(format!("`kmk drill failover{LAB}` begins one")),
            DrillError::NothingToResume { .. } => Self::of(Exit::Usage, &error)
                .hint(format!("`kmk drill abort{LAB}` takes it back; `kmk status{LAB}` says where it stands")),
            DrillError::NotSteady { .. } | DrillError::NotCopied { .. } => Self::of(Exit::No, &error)
                .hint(format!("`kmk status{LAB}` shows whether records are mirrored; --timeout waits longer")),
            DrillError::NotDetected { .. } | DrillError::NotRead { .. } | DrillError::Load { .. } => {
                Self::of(Exit::No, &error)
            }
            DrillError::StrandedUnknown { .. }
            | DrillError::Positions(_)
            | DrillError::NotReplayed { .. } => Self::of(Exit::Unusable, &error)
                .hint(format!("`kmk status{LAB}` shows which broker does not answer")),
            DrillError::Salvage(ref cause) => Self::of(Exit::of_file(cause), &error)
                .hint("use --salvage with a file in an existing directory, on a disk that is not full"),
            DrillError::NotSalvaged { .. } => Self::of(Exit::Unusable, &error)
                .hint("the topic's retention removes them: run it again, or without --salvage to continue with those that are left"),
            DrillError::Thread(_) => Self::of(Exit::Unusable, &error),
        }
    }
}

impl From<Unfit> for CliError {
    fn from(Unfit(findings): Unfit) -> Self {
        let is_health = findings.iter().all(Finding::is_health);
        let told = Self::all(findings.iter().map(one));
        Self {
            exit: if is_health { Exit::No } else { Exit::Usage },
            ..told
        }
    }
}

fn one(finding: &Finding) -> CliError {
    let exit = if finding.is_health() {
        Exit::No
    } else {
        Exit::Usage
    };
    let hint = match finding {
        Finding::NoFlows => "a drill fails over along a flow: use a lab that has one".to_owned(),
        Finding::WhichFlow(flows) => {
            let flow = flows.first().map_or("", String::as_str);
            format!("name one, such as '{flow}' or {}", flow.replace("->", ":"))
        }
        Finding::NoFlow { name, known } => did_you_mean("flow", name, known),
        Finding::Existing { .. } => "drill on a lab whose clusters kmk makes".to_owned(),
        Finding::WrittenAlready { .. } => "leave the topic out of --observe".to_owned(),
        Finding::NotThere { .. } => {
            format!("`kmk topic list{LAB}` and `kmk group list{LAB}` show what is there")
        }
        Finding::GroupsNotSynced { group, .. } if !group.starts_with("kmk-drill-") => {
            "let the flow sync it, or leave it out".to_owned()
        }
        Finding::NotReplicated { topic, .. } if !topic.starts_with("kmk-drill-") => {
            "name topics of the source that the flow mirrors".to_owned()
        }
        Finding::NotReplicated { .. } => {
            "a drill notices the fault by a topic of its own, with --observe too: add `kmk-drill-.*` to the flow's \
             `topics` in the lab file, and run `kmk deploy --config FILE`".to_owned()
        }
        Finding::GroupsNotSynced { .. } => {
            "let the flow sync `kmk-drill-.*`, or leave these groups out with `--groups fresh`"
                .to_owned()
        }
        Finding::Circle { .. } => {
            "use prefixed names (`naming: prefix`): then no record is mirrored back".to_owned()
        }
        Finding::NotOnce { .. } => format!(
            "`kmk deploy{LAB} --exactly-once` recreates MirrorMaker with it; records are kept"
        ),
        Finding::NoRelay { flow } | Finding::NeverSlow { flow } => add_relay(flow),
        Finding::NotPrefixed {
            is_planned: true, ..
        } => "use --by watermark, or --by rebuild".to_owned(),
        Finding::NotPrefixed { .. } | Finding::NoWatermark { .. } => "use --by rebuild".to_owned(),
        Finding::ReadAgain { .. } => {
            "leave --salvage out, export them with --salvage FILE, or use --by rebuild".to_owned()
        }
        Finding::Prefixed { .. } => "leave --by out, or use --by rebuild".to_owned(),
        Finding::Stranded { source_cluster, .. } => format!(
            "--by rebuild empties the topic on {source_cluster} first, and --salvage FILE or --salvage replay keeps these records; \
             or `kmk drill abort{LAB}` takes the failover back"
        ),
        Finding::NotPlanned => "use --planned, or --by rebuild".to_owned(),
        Finding::Observed { .. } => format!(
            "move them back yourself; then `kmk drill abort{LAB}` starts MirrorMaker again"
        ),
        Finding::NoWayBack { .. } => "change the lab's flows with `kmk deploy --config`".to_owned(),
        Finding::TooFewToDetect { .. } => "use a higher --rate, or a longer --detect".to_owned(),
        Finding::FewBrokers { .. } => {
            "`kmk deploy --lab NAME --scenario ha --any-port` starts a lab of three brokers a cluster".to_owned()
        }
        Finding::Unfinished { .. } => format!(
            "`kmk drill abort{LAB}` takes it back; `kmk drill resume{LAB}` completes a failover or failback whose kmk was killed"
        ),
        Finding::Stopped { .. } => format!("`kmk start{LAB}` starts it"),
        Finding::ClusterNotHealthy { .. } | Finding::FlowNotHealthy { .. } => {
            format!("`kmk status{LAB}` shows more")
        }
    };
    CliError::new(exit, finding.to_string()).hint(hint)
}

/// What happened, and whether the lab is as it was.
fn after(cause: DrillError, problem: Option<String>) -> CliError {
    let told = CliError::from(cause);
    match problem {
        None => told.then("The drill was taken back: the lab is as it was before."),
        Some(problem) => told
            .then(&format!("The drill could not be taken back: {problem}"))
            .then(&format!("`kmk drill abort{LAB}` tries again.")),
    }
}
