//! What to type for each answer. Knows nothing of why.

use super::words::{SHOWN, Telling};
use kafka_mirror_kit::core::explain::{Answer, Obstacle, Refresh, Tight, Whose, Worker};
use kafka_mirror_kit::core::selection::Selection;
use kafka_mirror_kit::core::topology::is_internal;

/// Seconds that are waited for rather than shortened.
const SOON: u64 = 10;

impl Telling<'_> {
    /// Commands to type, with why after a `#`, or what else is to be done.
    pub(super) fn todo(&self) -> Vec<String> {
        let (flags, source, target) = (self.flags, self.source(), self.target());
        let (topic, remote) = (&self.explanation.topic, &self.explanation.remote);
        let deploy = format!("kmk deploy{flags}");
        let by_file = |what: &str| format!("{what}, then `{deploy}`");
        match &self.explanation.answer {
            Answer::NoSuchTopic { nearest } => match nearest {
                Some(meant) => vec![format!("kmk explain{flags} {meant}")],
                None => [format!("kmk topics{flags} --cluster {source}")]
                    .into_iter()
                    .chain(self.create())
                    .collect(),
            },
            Answer::OnlyTheCopy => vec![format!(
                "kmk topic delete{flags} {remote} --cluster {target} --force"
            )],
            Answer::NoFlow { on, .. } => {
                let flows = on
                    .iter()
                    .map(|from| by_file(&format!("add a flow from {from} to the lab file")));
                self.create().into_iter().chain(flows).collect()
            }
            Answer::Excluded { whose, .. } => vec![match whose {
                Whose::Lab => {
                    by_file("take the pattern out of `exclude` in the lab file, or of --exclude")
                }
                Whose::Default => "give it another name".to_owned(),
                Whose::Edited => format!(
                    "take it out of `{}.topics.exclude` in mm2.properties, then `{}`",
                    self.explanation.flow,
                    self.restart()
                ),
            }],
            Answer::NotListed { .. } => vec![by_file(&format!(
                "add `{topic}` to `topics` in the lab file, or to --topics"
            ))],
            Answer::Internal { .. } | Answer::NameTooLong { .. } => {
                vec!["give it another name".to_owned()]
            }
            Answer::Cycle if self.explanation.seen.made_here => {
                vec!["give it another name".to_owned()]
            }
            Answer::Cycle => vec![format!("kmk topics{flags} --cluster {target}")],
            Answer::Disabled { file } => vec![format!(
                "write `{}.enabled = true` into {file}, then `{}`",
                self.explanation.flow,
                self.restart()
            )],
            Answer::MirrorMakerDown { workers } => {
                let each = workers.iter().map(|worker| self.bring_back(worker));
                each.collect()
            }
            Answer::LinkCut { clusters } => self.connect(clusters),
            Answer::SourceUnreachable { .. } | Answer::TargetUnreachable { .. } => {
                vec![format!("kmk status{flags}"), deploy]
            }
            Answer::Failed { tight, .. } => self.after_failure(tight),
            Answer::Locked { .. } => vec![
                "ask the cluster with Kafka's own tools, with the properties that it wants"
                    .to_owned(),
            ],
            Answer::NotRefreshed { refresh }
            | Answer::Unjudged { refresh, .. }
            | Answer::FewerPartitions { refresh, .. } => self.wait(*refresh),
            Answer::NotCreated { obstacle, .. } => vec![match obstacle {
                Some(Obstacle::Clash { with }) => format!(
                    "kmk topic delete{flags} {with} --cluster {target} --force  # or another name: Kafka takes `.` and `_` for the same"
                ),
                Some(Obstacle::Replicas { brokers, .. }) => by_file(&format!(
                    "set replication.factor of the flow to {brokers} at most"
                )),
                Some(Obstacle::Told { .. }) | None => {
                    format!("kmk logs{flags} {}", self.services())
                }
            }],
            Answer::Ill { .. } => vec![format!("kmk status{flags}"), format!("kmk logs{flags}")],
            Answer::Uncounted => {
                vec![format!(
                    "kmk topic describe{flags} {topic} --cluster {source}"
                )]
            }
            Answer::NothingProduced { .. } => vec![format!(
                "kmk produce{flags} --topic {topic} --cluster {source} --messages 10"
            )],
            Answer::CopyLost { .. } | Answer::BegunInTheMidst => vec![format!(
                "kmk topic delete{flags} {remote} --cluster {target} --force  # then MirrorMaker mirrors `{topic}` again from its first record; what only {target} has is gone"
            )],
            Answer::SourceRecreated(_) => {
                vec![format!("{deploy}  # it resets the position")]
            }
            Answer::NeverCopied { .. } => vec![format!(
                "kmk topic describe{flags} {topic} --cluster {source}  # its retention"
            )],
            Answer::Behind { .. } => vec![format!("kmk explain{flags} {topic}  # once more")],
            Answer::AllCommitted { .. } | Answer::UpToDate { .. } => {
                vec![format!(
                    "kmk consume{flags} --topic {remote} --cluster {target}"
                )]
            }
        }
    }

    /// To make the topic on the source, if that could help.
    fn create(&self) -> Option<String> {
        let (flags, source, topic) = (self.flags, self.source(), &self.explanation.topic);
        let is_taken = self.explanation.seen.selection == Selection::Taken;
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
            return vec![format!("{again}  # once more")];
        }
        vec![
            format!("{}  # then it looks at once", self.restart()),
            format!(
                "set refresh.topics.interval.seconds of the flow lower in the lab file, then `kmk deploy{}`",
                self.flags
            ),
        ]
    }

    fn bring_back(&self, worker: &Worker) -> String {
        match (&worker.container, worker.state.as_str()) {
            (Some(container), "paused") => format!("docker unpause {container}"),
            _ => format!("kmk deploy{}", self.flags),
        }
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

    /// A record that a copy does not take ends the task, and the next task, until the copy takes it.
    fn after_failure(&self, tight: &[Tight]) -> Vec<String> {
        let (flags, target) = (self.flags, self.target());
        let widen = tight.iter().take(SHOWN).map(|one| {
            format!(
                "kmk topic alter{flags} {} --config max.message.bytes={} --cluster {target} --force",
                one.remote, one.of_original
            )
        });
        let logs = format!("kmk logs{flags} {}", self.services());
        widen.chain([logs]).collect()
    }
}
