//! The text for each answer of `kmk explain`: the reason, what was seen, and what to do.

use super::causes::{blocked, blocking, origin_message, transaction};
use crate::cli::quantity::{bytes, count};
use kafka_mirror_kit::core::judge::explain::{
    Answer, Beyond, Contents, Failure, Obstacle, Origin, Refresh, Sight, Whose,
};
use kafka_mirror_kit::core::lab::explain::Explanation;
use kafka_mirror_kit::core::topology::InternalName;

/// Copies that are named, however many there are.
pub(super) const SHOWN: usize = 5;

/// Why records that were there before are not mirrored.
const AT_THE_END: &str = "`auto.offset.reset` of the flow's consumer is `latest`: records written before MirrorMaker started to read a partition are not mirrored";

/// What is said of one flow.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Why, or why not.
    pub(super) what: String,
    pub(super) seen: Vec<String>,
    pub(super) todo: Vec<String>,
}

impl Messages {
    /// `flags` name the lab in commands.
    pub(super) fn of(explanation: &Explanation, flags: &str) -> Self {
        let told = Describer { explanation, flags };
        let mut messages = Self {
            what: told.what(),
            seen: told.observations(),
            todo: told.todo(),
        };
        messages.seen.extend(told.more());
        // whatever the first reason is
        let losses = explanation.seen.losses.iter();
        let untold = losses.filter(|loss| !messages.what.contains(*loss));
        messages.seen.extend(untold.cloned());
        if explanation.seen.has_unusable_name() {
            messages.seen.push("it blocks the whole flow".to_owned());
        }
        messages
    }

    fn list(names: &[String]) -> String {
        names.join(", ")
    }
}

/// One flow that is about to be reported.
pub(super) struct Describer<'a> {
    pub(super) explanation: &'a Explanation,
    pub(super) flags: &'a str,
}

impl Describer<'_> {
    pub(super) fn source(&self) -> &str {
        &self.explanation.seen.source
    }

    pub(super) fn target(&self) -> &str {
        &self.explanation.seen.target
    }

    fn what(&self) -> String {
        let (topic, remote) = (&self.explanation.topic, &self.explanation.remote);
        let (source, target) = (self.source(), self.target());
        match &self.explanation.answer {
            Answer::NoSuchTopic { .. } => format!("there is no topic `{topic}` on {source}"),
            Answer::SourceTopicMissing => {
                format!("there is no topic `{topic}` on {source}, only `{remote}` on {target}")
            }
            Answer::NoFlow { on, .. } => format!(
                "`{topic}` is on {}, but this flow reads from {source}",
                on.join(" and ")
            ),
            Answer::Excluded { pattern, .. } => format!("excluded by pattern `{pattern}`"),
            Answer::NotListed { .. } => "not among the topics of the flow".to_owned(),
            Answer::Internal { rule } => format!("an internal name: it {}", rule_of(*rule)),
            Answer::Cycle {
                origin: Origin::Mirrored,
            } => format!("it was mirrored from {target}, and is not mirrored back"),
            Answer::Cycle { .. } => {
                format!(
                    "its name says that it was mirrored from {target}, and such topics are not mirrored back"
                )
            }
            Answer::NameTooLong { length, most } => {
                format!("the name of its mirrored topic would have {length} characters, and Kafka allows {most}")
            }
            Answer::Disabled { .. } => "the flow is disabled".to_owned(),
            Answer::MirrorMakerDown { workers } => {
                let each = workers
                    .iter()
                    .map(|one| format!("{} {}", one.service, one.described));
                format!(
                    "MirrorMaker is not running: {}",
                    each.collect::<Vec<_>>().join(", ")
                )
            }
            Answer::MirrorMakerEnded { .. } => {
                "MirrorMaker has exited, though its container is running".to_owned()
            }
            Answer::Blocking { culprit } => blocking(culprit),
            Answer::Blocked { culprits } => blocked(culprits),
            Answer::LinkCut { clusters } => self.link_cut(clusters),
            Answer::SourceUnreachable { .. } => format!("the source, {source}, cannot be reached"),
            Answer::TargetUnreachable { .. } => format!("the target, {target}, cannot be reached"),
            Answer::Failed { failures, .. } => failures.first().map_or_else(
                || "MirrorMaker has failed".to_owned(),
                |Failure { part, .. }| format!("MirrorMaker's {part} has failed"),
            ),
            Answer::Secured { clusters } => {
                format!("unknown: kmk connects without credentials and cannot check {}", clusters.join(" and "))
            }
            Answer::NotEvaluated { .. } => {
                "MirrorMaker does not mirror it yet, and only Java can evaluate the flow's patterns".to_owned()
            }
            Answer::NotRefreshed { .. } if !self.explanation.seen.problems.is_empty() => {
                "MirrorMaker has not looked for new topics since it was created, and the flow is unhealthy".to_owned()
            }
            Answer::NotRefreshed { refresh } => format!(
                "MirrorMaker has not looked for new topics since it was created (it looks every {} s)",
                refresh.every_seconds
            ),
            Answer::NotCreated { obstacle, .. } => self.not_created(obstacle.as_ref()),
            Answer::FewerPartitions {
                copied,
                of,
                refresh,
            } => format!(
                "{copied} of {of} partitions mirrored; {}",
                next_look(*refresh)
            ),
            Answer::Unhealthy { certain: false, .. } => "MirrorMaker's position was not seen to move".to_owned(),
            Answer::Unhealthy { .. } => "the flow is unhealthy".to_owned(),
            Answer::OffsetsUnknown => "it is unknown how far it is mirrored".to_owned(),
            Answer::NothingProduced { ever: 0 } => "nothing has been produced yet".to_owned(),
            Answer::NothingProduced { .. } => {
                "there is nothing to mirror: its records were removed or have expired".to_owned()
            }
            Answer::MirroredRecordsLost { records } => format!(
                "`{remote}` has lost at most {}, which are not mirrored again",
                count(*records, "record")
            ),
            Answer::Behind { records, seconds } => {
                let behind = format!("{} behind", count(*records, "record"));
                seconds.map_or(behind.clone(), |seconds| {
                    format!("{behind}, {seconds:.1} s")
                })
            }
            Answer::NeverCopied { .. }
            | Answer::LostBetweenLooks(_) | Answer::SourceRecreated(_)
            | Answer::StartedMidway
            | Answer::PossiblyNeverCopied { .. }
            | Answer::StartedAtEnd
            | Answer::AllCommitted { .. } => self.by_positions(),
            Answer::UpToDate { .. } => "up to date".to_owned(),
        }
    }

    fn link_cut(&self, clusters: &[String]) -> String {
        match &self.explanation.seen.cut {
            Some(cut) => format!("the link is {cut}"),
            None => format!(
                "the link is cut: MirrorMaker is disconnected from the network of {}",
                clusters.join(" and of ")
            ),
        }
    }

    fn not_created(&self, obstacle: Option<&Obstacle>) -> String {
        let (remote, target) = (&self.explanation.remote, self.target());
        match obstacle {
            Some(Obstacle::Collision { with }) => {
                format!("`{remote}` cannot be created on {target}: its name collides with `{with}`")
            }
            Some(Obstacle::Replicas { asked, brokers }) => format!(
                "`{remote}` cannot be created on {target}: {} are required, and there {}",
                count(*asked, "replica"),
                are(*brokers)
            ),
            Some(Obstacle::Reported { message }) => {
                format!("`{remote}` cannot be created on {target}: {message}")
            }
            None => format!("MirrorMaker mirrors it, but {target} has no `{remote}`"),
        }
    }

    /// What MirrorMaker's positions tell, beside those of what is all there.
    fn by_positions(&self) -> String {
        let topic = &self.explanation.topic;
        let (source, target) = (self.source(), self.target());
        match &self.explanation.answer {
            Answer::NeverCopied { records, exact } => format!(
                "{}{} removed on {source} before they were mirrored",
                if *exact { "" } else { "at most " },
                count(*records, "record")
            ),
            Answer::LostBetweenLooks(past) => past.losses(topic, source).join("; "),
            Answer::SourceRecreated(Beyond { position, end }) => {
                format!("MirrorMaker's position {position} is beyond the end of `{topic}`, {end}")
            }
            Answer::StartedMidway => format!(
                "the first record of `{topic}` is not on {target}: MirrorMaker started after it"
            ),
            Answer::PossiblyNeverCopied { offsets } => format!(
                "unknown whether records were lost: {} removed on {source} before MirrorMaker's position reached them",
                count(*offsets, "offset")
            ),
            Answer::StartedAtEnd => format!(
                "MirrorMaker has mirrored it up to its end on {source}, but not the records written before MirrorMaker started"
            ),
            Answer::AllCommitted { records } => format!(
                "all {} up to the end on {source} are committed as mirrored",
                count(*records, "offset")
            ),
            _ => String::new(),
        }
    }

    /// The topic, its copy, and how they go together.
    fn observations(&self) -> Vec<String> {
        let seen = &self.explanation.seen;
        let (topic, remote) = (&self.explanation.topic, &self.explanation.remote);
        let mut lines = vec![
            sight(topic, self.source(), &seen.original),
            sight(remote, self.target(), &seen.copy),
        ];
        if let (Sight::There(original), Sight::There(copy)) = (&seen.original, &seen.copy) {
            lines.extend(differences(*original, *copy));
        }
        if seen.included_by_name {
            lines.push(
                "MirrorMaker always mirrors `heartbeats` topics, whatever the flow's patterns are"
                    .to_owned(),
            );
        }
        lines
    }

    fn more(&self) -> Vec<String> {
        let seen = &self.explanation.seen;
        match &self.explanation.answer {
            Answer::NoFlow { flows, .. } => vec![format!("existing flows: {}", Messages::list(flows))],
            Answer::Excluded { whose, .. } => vec![match whose {
                Whose::Lab => "the pattern is in the flow's `exclude`".to_owned(),
                Whose::Default => "the pattern is one of MirrorMaker's defaults".to_owned(),
                Whose::Edited => {
                    "the pattern is in the properties that MirrorMaker runs with, but not in the lab's"
                        .to_owned()
                }
            }],
            Answer::NotListed { topics, whose } => {
                let edited = "they are in the properties that MirrorMaker runs with, but not in the lab's";
                let edited = (*whose == Whose::Edited).then(|| edited.to_owned());
                [format!("the flow's topics: {}", Messages::list(topics))].into_iter().chain(edited).collect()
            }
            Answer::Cycle { origin } => origin_message(origin).into_iter().collect(),
            Answer::Disabled { file } => vec![format!(
                "{file} says `{}.enabled = false`",
                self.explanation.flow
            )],
            Answer::SourceUnreachable { .. } | Answer::TargetUnreachable { .. } => {
                seen.down.iter().cloned().chain(self.not_copied()).collect()
            }
            Answer::MirrorMakerDown { .. } | Answer::LinkCut { .. } => {
                self.not_copied().into_iter().collect()
            }
            Answer::MirrorMakerEnded { cause } => {
                [cause.clone()].into_iter().chain(self.not_copied()).collect()
            }
            Answer::Blocking { culprit } => {
                [culprit.to_string()].into_iter().chain(self.not_copied()).collect()
            }
            Answer::Blocked { culprits } => {
                let culprits = culprits.iter().map(ToString::to_string);
                culprits.chain(self.not_copied()).collect()
            }
            Answer::Failed { failures, tight } => {
                let causes = failures.iter().filter_map(|one| one.cause.clone());
                let tight = tight.iter().take(SHOWN).map(|one| {
                    let (takes, would) = (bytes(one.remote_bytes), bytes(one.source_bytes));
                    format!("`{}` accepts {takes}, and `{}` {would}", one.remote, one.topic)
                });
                let restarts = "MirrorMaker restarts by itself until it works; all topics of the flow wait for it";
                let more = tight.chain([restarts.to_owned()]).chain(self.not_copied());
                causes.chain(more).collect()
            }
            Answer::NotEvaluated { patterns, refresh } => vec![
                format!("patterns that kmk cannot evaluate: {}", Messages::list(patterns)),
                every(*refresh),
            ],
            Answer::NotRefreshed { .. } if !self.explanation.seen.problems.is_empty() => {
                self.explanation.seen.problems.clone()
            }
            Answer::NotRefreshed { refresh }
            | Answer::FewerPartitions { refresh, .. }
            | Answer::NotCreated { refresh, .. } => vec![every(*refresh)],
            Answer::Unhealthy { problems, .. } => problems.clone(),
            Answer::MirroredRecordsLost { .. } => vec![
                "MirrorMaker's position is already past them; the mirrored topic was deleted, recreated or truncated".to_owned(),
            ],
            Answer::Behind { .. } => {
                let open = seen.open.iter().take(SHOWN).map(transaction);
                let latest = seen.starts_at_end.then(|| {
                    format!("{AT_THE_END}; they count as behind until a later one of their partition is mirrored")
                });
                open.chain(latest).collect()
            }
            Answer::StartedAtEnd => vec![AT_THE_END.to_owned()],
            Answer::PossiblyNeverCopied { .. } => vec![
                "these offsets may hold no records: transaction markers and aborted records have offsets too".to_owned(),
            ],
            Answer::NeverCopied { .. } => vec![
                "the source starts after MirrorMaker's position: the records in between are on neither cluster".to_owned(),
            ],
            Answer::StartedMidway => vec![format!(
                "the topic was probably deleted and recreated on {}: MirrorMaker continued at its position in the old one",
                self.source()
            )],
            Answer::UpToDate { .. } => {
                let is_shorter = seen.is_copy_shorter() && seen.transactions;
                let offsets = "the source topic has more offsets than the mirrored topic: some may belong to aborted transactions and transaction markers, which are not mirrored";
                let ends = format!(
                    "MirrorMaker has mirrored `{}` up to its end, and its first record is on {}",
                    self.explanation.topic,
                    self.target()
                );
                [ends].into_iter().chain(is_shorter.then(|| offsets.to_owned())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn not_copied(&self) -> Option<String> {
        let behind = self.explanation.seen.behind.filter(|behind| *behind > 0);
        behind.map(|behind| format!("{} not mirrored", count(behind, "record")))
    }
}

fn rule_of(rule: InternalName) -> &'static str {
    match rule {
        InternalName::Underscores => "begins with `__`",
        InternalName::Dot => "begins with `.`",
        InternalName::Suffix => "ends with `.internal` or `-internal`",
    }
}

fn are(brokers: usize) -> String {
    let is = if brokers == 1 { "is" } else { "are" };
    format!("{is} {}", count(brokers, "broker"))
}

fn next_look(refresh: Refresh) -> String {
    let within = refresh.next_in_seconds.unwrap_or(refresh.every_seconds);
    format!("next check in at most {within} s")
}

fn every(refresh: Refresh) -> String {
    let every = refresh.every_seconds;
    match refresh.next_in_seconds {
        Some(next) => {
            format!("MirrorMaker looks for new topics every {every} s, next in at most {next} s")
        }
        None => format!("MirrorMaker looks for new topics every {every} s"),
    }
}

fn sight(topic: &str, cluster: &str, sight: &Sight) -> String {
    match sight {
        Sight::There(contents) => format!(
            "`{topic}` on {cluster}: {}, {}",
            count(contents.partitions, "partition"),
            count(contents.records, "record")
        ),
        Sight::Absent => format!("no `{topic}` on {cluster}"),
        Sight::Unreachable { problem } => format!("{cluster}: {problem}"),
        Sight::Secured => format!("{cluster}: kmk connects without credentials"),
    }
}

/// What a person may wonder about, though nothing is wrong.
fn differences(original: Contents, copy: Contents) -> Vec<String> {
    let mut lines = Vec::new();
    if copy.partitions > original.partitions {
        let more = count(copy.partitions - original.partitions, "partition");
        lines.push(format!(
            "the mirrored topic has {more} more, to which nothing is mirrored"
        ));
    }
    if copy.records > original.records {
        let more = count(copy.records - original.records, "record");
        lines.push(format!(
            "the mirrored topic has {more} more: duplicates after a failure, written by others, or no longer on the source"
        ));
    }
    lines
}
