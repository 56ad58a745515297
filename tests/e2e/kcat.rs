//! kcat, the witness: a Kafka client of other people's making.

use crate::process::{PATIENCE, Ran, until};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

/// How long a mirrored record may take in a test. It takes about a second.
pub(crate) const CROSSING: Duration = Duration::from_secs(60);

/// A cluster, by its address on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Kcat(pub(crate) String);

impl Kcat {
    fn run(&self, line: &str, input: &[u8]) -> Ran {
        let mut command = Command::new("timeout");
        command.args(["60", "kcat", "-b", &self.0]);
        Ran::of(command.args(line.split(' ')), input)
    }

    /// Waits until it is a broker that answers.
    #[track_caller]
    pub(crate) fn until_it_answers(&self) {
        until(&format!("{} answers", self.0), PATIENCE, || {
            let mut list = Command::new("kcat");
            list.args(["-L", "-m", "2", "-b", &self.0]);
            list.output().unwrap().status.success().then_some(())
        });
    }

    /// Sends the lines of `text`, with more of kcat's flags.
    #[track_caller]
    pub(crate) fn produce_with(&self, topic: &str, flags: &str, text: &str) {
        let line = format!("-P -t {topic} -X topic.acks=all {flags}");
        self.run(line.trim(), text.as_bytes()).code(0);
    }

    #[track_caller]
    pub(crate) fn produce(&self, topic: &str, text: &str) {
        self.produce_with(topic, "", text);
    }

    /// Every record of a topic in a format of kcat's, one an entry.
    #[track_caller]
    pub(crate) fn read(&self, topic: &str, format: &str) -> Vec<String> {
        let line = format!("-C -q -e -o beginning -t {topic} -f {format}\\n");
        self.run(&line, b"").code(0).lines()
    }

    /// The first so many records of a partition, in a format of kcat's; waits for them.
    #[track_caller]
    pub(crate) fn first(
        &self,
        topic: &str,
        partition: i32,
        count: usize,
        format: &str,
    ) -> Vec<String> {
        let line =
            format!("-C -q -o beginning -t {topic} -p {partition} -c {count} -f {format}\\n");
        self.run(&line, b"").code(0).lines()
    }

    /// What a group is given of these topics, from where it stands, or else from the first record on.
    #[track_caller]
    pub(crate) fn given(&self, group: &str, topics: &str) -> Vec<String> {
        let line = format!("-G {group} -q -e -X auto.offset.reset=earliest -f %s\\n {topics}");
        self.run(&line, b"").code(0).lines()
    }

    /// The values of a topic, in order where it has one partition.
    #[track_caller]
    pub(crate) fn values(&self, topic: &str) -> Vec<String> {
        self.read(topic, "%s")
    }

    /// The same, of transactions only what was committed.
    #[track_caller]
    pub(crate) fn committed(&self, topic: &str) -> Vec<String> {
        let flags = "-X isolation.level=read_committed";
        let line = format!("-C -q -e -o beginning {flags} -t {topic} -f %s\\n");
        self.run(&line, b"").code(0).lines()
    }

    /// Where the first partition of a topic ends.
    #[track_caller]
    pub(crate) fn end(&self, topic: &str) -> u64 {
        self.end_of(topic, 0)
    }

    #[track_caller]
    pub(crate) fn end_of(&self, topic: &str, partition: i32) -> u64 {
        let line = format!("-Q -t {topic}:{partition}:-1");
        let asked = self.run(&line, b"").code(0).text();
        // topic [0] offset 17
        let end = asked.split_whitespace().last();
        end.and_then(|end| end.parse().ok())
            .unwrap_or_else(|| panic!("{asked}"))
    }

    /// Waits until the first partition of a topic has grown beyond an offset. A broker that cannot say is asked again.
    #[track_caller]
    pub(crate) fn until_it_is_past(&self, topic: &str, offset: u64, within: Duration) {
        until(&format!("{topic} is past {offset}"), within, || {
            let asked = self.run(&format!("-Q -t {topic}:0:-1"), b"");
            let end = asked.text().split_whitespace().last()?.parse::<u64>();
            end.ok().filter(|&end| end > offset)
        });
    }

    /// The partitions of every topic.
    #[track_caller]
    pub(crate) fn topics(&self) -> BTreeMap<String, usize> {
        let listed = self.run("-L -J", b"").code(0).json();
        let topics = listed["topics"].as_array().unwrap();
        topics
            .iter()
            .map(|topic| {
                let name = topic["topic"].as_str().unwrap().to_owned();
                (name, topic["partitions"].as_array().unwrap().len())
            })
            .collect()
    }

    /// Waits until a topic holds these values and no others, each at least once. Of several brokers one may not have heard
    /// of the topic yet, or may have died: a read that failed is made again.
    #[track_caller]
    pub(crate) fn until_it_has(&self, topic: &str, expected: &BTreeSet<String>, within: Duration) {
        let what = format!("all {} records are in {topic}", expected.len());
        let mut last = BTreeSet::new();
        until(&what, within, || {
            if self.topics().contains_key(topic) {
                let line = format!("-C -q -e -o beginning -t {topic} -f %s\\n");
                let read = self.run(&line, b"");
                last = read.lines().into_iter().collect();
            }
            last.is_superset(expected).then_some(())
        });
        let more: Vec<_> = last.difference(expected).collect();
        assert!(more.is_empty(), "{topic} has more than was sent: {more:?}");
    }
}
