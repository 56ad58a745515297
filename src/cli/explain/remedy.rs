//! The commands to type for each answer of `kmk explain`.

use super::messages::{Describer, SHOWN};
use kafka_mirror_kit::core::judge::culprit::{Culprit, Why};
use kafka_mirror_kit::core::judge::explain::{
    Answer, Obstacle, Origin, Refresh, Tight, Whose, Worker,
};
use kafka_mirror_kit::core::judge::lag::Past;
use kafka_mirror_kit::core::mirrormaker::patterns::{MAX_TOPIC_NAME, Selection};
use kafka_mirror_kit::core::shell;
use kafka_mirror_kit::core::topology::is_internal;

/// The topic in which Kafka keeps the offsets that groups have committed.
const COMMITTED: &str = "__consumer_offsets";
/// Seconds that are waited for rather than shortened.
const SOON: u64 = 10;

impl Describer<'_> {
    /// Commands to type, with why after a `#`, or what else is to be done.
    pub(super) fn todo(&self) -> Vec<String> {
        let (flags, source, target) = (self.flags, self.source(), self.target());
        let (topic, remote) = (&self.explanation.topic, &self.explanation.remote);
        let deploy = format!("kmk deploy{flags}");
        let by_file = |what: &str| format!("{what}, then `{deploy}`");
        match &self.explanation.answer {
            Answer::NoSuchTopic { nearest } => match nearest {
                Some(meant) => vec![format!("kmk explain{flags} {}", shell::word(meant))],
                None => [format!("kmk topic list{flags} --cluster {source}")]
                    .into_iter()
                    .chain(self.create())
                    .collect(),
            },
            Answer::SourceTopicMissing => vec![format!(
                "kmk topic delete{flags} {remote} --cluster {target} --force  # if its records are not needed"
            )],
            Answer::NoFlow { on, flows } => {
                let begun = on.iter().map(|from| self.flow_out_of(from, flows));
                self.create().into_iter().chain(begun).collect()
            }
            Answer::Excluded { whose, .. } => vec![self.include(*whose)],
            Answer::NotListed { whose, .. } => vec![self.list(*whose)],
            Answer::Internal { .. } if topic == COMMITTED => vec![format!(
                "kmk group list{flags}  # committed offsets are mirrored separately"
            )],
            Answer::Internal { .. } => vec!["if it is yours, use another name".to_owned()],
            Answer::Cycle {
                origin: Origin::Mirrored,
            } => vec![format!("kmk topic list{flags} --cluster {target}")],
            Answer::NameTooLong { .. } if self.explanation.seen.has_unusable_name() => {
                self.cures(&self.explanation.seen.culprits)
            }
            Answer::Cycle { .. } | Answer::NameTooLong { .. } => {
                vec!["use another name".to_owned()]
            }
            Answer::Disabled { file } => vec![format!(
                "set `{}.enabled = true` in {file}, then `{}`",
                self.explanation.flow,
                self.restart()
            )],
            Answer::MirrorMakerDown { workers } => {
                let each = workers.iter().map(|worker| self.restore_worker(worker));
                each.collect()
            }
            Answer::MirrorMakerEnded { .. } => {
                vec![deploy, format!("kmk logs{flags} {}", self.services())]
            }
            Answer::Blocking { culprit } => self.cures(std::slice::from_ref(culprit)),
            Answer::Blocked { culprits } => self.cures(culprits),
            Answer::LinkCut { clusters } => self.restore_link(clusters),
            Answer::SourceUnreachable { .. } | Answer::TargetUnreachable { .. } => {
                vec![format!("kmk status{flags}"), deploy]
            }
            Answer::Failed { tight, .. } => self.after_failure(tight),
            Answer::Secured { .. } => vec![
                "use Kafka's own tools with the cluster's client properties"
                    .to_owned(),
            ],
            Answer::NotRefreshed { refresh }
            | Answer::NotEvaluated { refresh, .. }
            | Answer::FewerPartitions { refresh, .. } => self.wait(*refresh),
            Answer::NotCreated { obstacle, .. } => vec![match obstacle {
                Some(Obstacle::Collision { with }) => format!(
                    "kmk topic delete{flags} {with} --cluster {target} --force  # or use another name: Kafka treats `.` and `_` as the same"
                ),
                Some(Obstacle::Replicas { brokers, .. }) => by_file(&format!(
                    "set the flow's replication.factor to at most {brokers}"
                )),
                Some(Obstacle::Reported { .. }) | None => {
                    format!("kmk logs{flags} {}", self.services())
                }
            }],
            Answer::Unhealthy { .. } => vec![format!("kmk status{flags}"), format!("kmk logs{flags}")],
            Answer::OffsetsUnknown => {
                vec![format!(
                    "kmk topic describe{flags} {topic} --cluster {source}"
                )]
            }
            Answer::NothingProduced { .. } => vec![format!(
                "kmk produce{flags} {topic} --cluster {source} --messages 10"
            )],
            Answer::MirroredRecordsLost { .. } => self.resend_missing(),
            Answer::LostBetweenLooks(past) => self.after_loss(past),
            Answer::StartedMidway => vec![self.mirror_again()],
            Answer::SourceRecreated(_) => {
                vec![format!("{deploy}  # it resets the position")]
            }
            Answer::NeverCopied { .. } | Answer::PossiblyNeverCopied { .. } => vec![format!(
                "kmk topic describe{flags} {topic} --cluster {source}  # check its retention"
            )],
            Answer::Behind { .. } if !self.explanation.seen.open.is_empty() => vec![
                "let the producer commit or abort the transaction, or wait for its transaction.timeout.ms"
                    .to_owned(),
            ],
            Answer::Behind { .. } => vec![format!("kmk explain{flags} {topic}  # check again")],
            Answer::StartedAtEnd | Answer::AllCommitted { .. } | Answer::UpToDate { .. } => {
                vec![format!(
                    "kmk consume{flags} {remote} --cluster {target}"
                )]
            }
        }
    }

    /// To have no pattern take it out, by whose it is.
    fn include(&self, whose: Whose) -> String {
        match whose {
            Whose::Lab => format!(
                "remove the pattern from `exclude` in the lab file or from --exclude, then `kmk deploy{}`",
                self.flags
            ),
            Whose::Default => "use another name".to_owned(),
            Whose::Edited => format!(
                "remove it from `{}.topics.exclude` in mm2.properties, then `{}`",
                self.explanation.flow,
                self.restart()
            ),
        }
    }

    /// To have a pattern take it in, by whose they are.
    fn list(&self, whose: Whose) -> String {
        let (topic, flow) = (&self.explanation.topic, &self.explanation.flow);
        match whose {
            Whose::Edited => format!(
                "add `{topic}` to `{flow}.topics` in mm2.properties, then `{}`",
                self.restart()
            ),
            Whose::Lab | Whose::Default => format!(
                "add `{topic}` to `topics` in the lab file or to --topics, then `kmk deploy{}`",
                self.flags
            ),
        }
    }

    /// What leads from another cluster that has the topic.
    fn flow_out_of(&self, from: &str, flows: &[String]) -> String {
        let (flags, topic) = (self.flags, &self.explanation.topic);
        let begins = |flow: &&String| flow.split("->").next() == Some(from);
        if let Some(flow) = flows.iter().find(begins) {
            return format!("kmk explain{flags} {topic} --flow '{flow}'");
        }
        if from.len() + 1 + topic.len() > MAX_TOPIC_NAME {
            return format!(
                "use another name: that of a topic mirrored from {from} would be too long"
            );
        }
        format!("add a flow from {from} to the lab file, then `kmk deploy{flags}`")
    }

    /// To make the topic on the source, if that could help.
    fn create(&self) -> Option<String> {
        let (flags, source, topic) = (self.flags, self.source(), &self.explanation.topic);
        let is_taken = self.explanation.seen.selection == Selection::Included;
        (is_taken && !is_internal(topic))
            .then(|| format!("kmk topic create{flags} {topic} --cluster {source}"))
    }

    fn containers(&self) -> impl Iterator<Item = &str> {
        let workers = self.explanation.seen.workers.iter();
        workers.filter_map(|worker| worker.container.as_deref())
    }

    fn services(&self) -> String {
        let workers = self.explanation.seen.workers.iter();
        let services: Vec<&str> = workers.map(|one| one.service.as_str()).collect();
        services.join(" ")
    }

    fn restart(&self) -> String {
        let containers: Vec<&str> = self.containers().collect();
        format!("docker restart {}", containers.join(" "))
    }

    /// What is soon over is waited for.
    fn wait(&self, refresh: Refresh) -> Vec<String> {
        let again = format!("kmk explain{} {}", self.flags, self.explanation.topic);
        if refresh.every_seconds <= SOON {
            return vec![format!("{again}  # check again")];
        }
        vec![
            format!("{}  # it checks for new topics at start", self.restart()),
            format!(
                "lower refresh.topics.interval.seconds of the flow in the lab file, then `kmk deploy{}`",
                self.flags
            ),
        ]
    }

    fn restore_worker(&self, worker: &Worker) -> String {
        match (&worker.container, worker.state.as_str()) {
            (Some(container), "paused") => format!("docker unpause {container}"),
            _ => format!("kmk deploy{}", self.flags),
        }
    }

    /// To undo what cut MirrorMaker off from these clusters: `kmk link cut`, or Docker's own command.
    fn restore_link(&self, clusters: &[String]) -> Vec<String> {
        let is_by_kmk = self.explanation.seen.cut.is_some();
        let heal = is_by_kmk.then(|| {
            let flow = self.explanation.flow.replacen("->", ":", 1);
            format!("kmk link heal{} {flow}", self.flags)
        });
        let others = clusters.iter();
        let others = others.filter(|cluster| !is_by_kmk || *cluster != self.source());
        let others: Vec<String> = others.cloned().collect();
        heal.into_iter().chain(self.connect(&others)).collect()
    }

    fn connect(&self, clusters: &[String]) -> Vec<String> {
        let workers = self.explanation.seen.workers.iter();
        let running = workers.filter(|worker| worker.runs());
        let pairs = running.flat_map(|worker| {
            let container = worker.container.as_deref().unwrap_or_default();
            // compose calls containers and networks after the project
            let project = container.split(&format!("-{}-", worker.service)).next();
            let project = project.unwrap_or_default().to_owned();
            clusters.iter().map(move |cluster| {
                format!("docker network connect {project}_{cluster} {container}")
            })
        });
        pairs.collect()
    }

    /// What cures topics that block others.
    fn cures(&self, culprits: &[Culprit]) -> Vec<String> {
        let (flags, source, target) = (self.flags, self.source(), self.target());
        let exclude = |topic: &str| {
            format!(
                "or add `{topic}` to `exclude` in the lab file or to --exclude, then `kmk deploy{flags}`"
            )
        };
        let mut cures = Vec::new();
        for Culprit {
            topic, remote, why, ..
        } in culprits.iter().take(SHOWN)
        {
            let delete = |topic: &str, cluster: &str| {
                format!("kmk topic delete{flags} {topic} --cluster {cluster} --force")
            };
            cures.push(match why {
                Why::NameTooLong { .. } => delete(topic, source),
                Why::Collision { with } => delete(with, target),
                Why::BatchTooLarge { .. } => format!("kmk deploy{flags}"),
                Why::RecordTooLarge { original, .. } => format!(
                    "kmk topic alter{flags} {remote} --config max.message.bytes={original} --cluster {target} --force"
                ),
                Why::Reported { .. } => format!("kmk logs{flags} {}", self.services()),
            });
            if !matches!(why, Why::BatchTooLarge { .. }) {
                cures.push(exclude(topic));
            }
        }
        cures.dedup();
        cures
    }

    /// To send what is missing once more, and only that where it is known.
    fn resend_missing(&self) -> Vec<String> {
        let (flags, source, target) = (self.flags, self.source(), self.target());
        let (topic, remote) = (&self.explanation.topic, &self.explanation.remote);
        let missing = &self.explanation.seen.missing;
        let each = missing.iter().take(SHOWN).map(|one| {
            let (id, from, until) = (one.partition, one.from, one.until);
            let (read, write, what) = if one.has_keys {
                (r" --format '%k\t%v'", r" --key-separator $'\t'", "keys and values only")
            } else {
                ("", "", "values only")
            };
            let repeats = if one.is_exact { "" } else { "; duplicates what is already there" };
            format!(
                "kmk consume{flags} {topic} --cluster {source} --partition {id} --from {from} --until {until}{read} | kmk produce{flags} {remote} --cluster {target} --partition {id} --file -{write} --force  # {what}{repeats}"
            )
        });
        each.chain([self.mirror_again()]).collect()
    }

    /// Of what cannot be mirrored any more only note can be taken.
    fn after_loss(&self, past: &Past) -> Vec<String> {
        let again = past.recreated.then(|| self.mirror_again());
        let noted = format!(
            "kmk deploy{}  # acknowledges the loss: it is not reported again",
            self.flags
        );
        again.into_iter().chain([noted]).collect()
    }

    /// To have all of it mirrored once more.
    fn mirror_again(&self) -> String {
        let (flags, target) = (self.flags, self.target());
        let (topic, remote) = (&self.explanation.topic, &self.explanation.remote);
        format!(
            "kmk topic delete{flags} {remote} --cluster {target} --force  # MirrorMaker then mirrors `{topic}` again from its first record; records that only {target} has are lost"
        )
    }

    /// A record that a copy does not take ends the task, and the next task, until the copy takes it.
    fn after_failure(&self, tight: &[Tight]) -> Vec<String> {
        let (flags, target) = (self.flags, self.target());
        let widen = tight.iter().take(SHOWN).map(|one| {
            format!(
                "kmk topic alter{flags} {} --config max.message.bytes={} --cluster {target} --force",
                one.remote, one.source_bytes
            )
        });
        let logs = format!("kmk logs{flags} {}", self.services());
        widen.chain([logs]).collect()
    }
}
