//! Decodes the configuration that MirrorMaker's connectors run with.
//!
//! The format is Kafka Connect's (`KafkaConfigBackingStore`), read from `mm2-configs.<source>.internal` on the target, which is
//! compacted: the latest record of a key wins, and one without a value deletes it.

use kmk_kafka::message::Record;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The setting in which a task finds what it is to copy.
const ASSIGNED: &str = "task.assigned.partitions";

/// What copies records, as its worker has stored it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The connector's settings, by their names without `source->target.`; none before it was started for the first time.
    pub settings: Option<BTreeMap<String, String>>,
    /// The topics of which its tasks copy partitions, and of how many.
    pub topics: BTreeMap<String, usize>,
    /// The settings of each task that there is to be.
    pub tasks: BTreeMap<u32, BTreeMap<String, String>>,
    /// When its tasks were last agreed on, in milliseconds since the epoch.
    pub agreed: Option<i64>,
}

/// The present configuration of `connector`, from the records of the [topic](crate::core::topology::configs_topic) in order.
pub fn config<'a>(records: impl IntoIterator<Item = &'a Record>, connector: &str) -> Config {
    let mut latest: BTreeMap<&str, &[u8]> = BTreeMap::new();
    let commits = format!("commit-{connector}");
    let mut agreed = None;
    for record in records {
        let Some(Ok(key)) = record.key.as_deref().map(std::str::from_utf8) else {
            continue;
        };
        if key == commits {
            agreed = record.time;
        }
        match &record.value {
            None => drop(latest.remove(key)),
            Some(value) => drop(latest.insert(key, value)),
        }
    }
    let settings = |key: &str| {
        let value = latest.get(key)?;
        let stored: Stored = serde_json::from_slice(value).ok()?;
        Some(stored.properties)
    };
    // of tasks that there were once, the records stay
    let commit = latest.get(commits.as_str());
    let commit = commit.and_then(|value| serde_json::from_slice::<Commit>(value).ok());
    let tasks = 0..commit.map_or(0, |commit| commit.tasks);
    let tasks: BTreeMap<u32, BTreeMap<String, String>> = tasks
        .filter_map(|task| Some((task, settings(&format!("task-{connector}-{task}"))?)))
        .collect();
    let mut topics = BTreeMap::new();
    for list in tasks.values().filter_map(|settings| settings.get(ASSIGNED)) {
        for (topic, _) in list.split(',').filter_map(|place| place.rsplit_once('-')) {
            *topics.entry(topic.to_owned()).or_insert(0) += 1;
        }
    }
    Config {
        topics,
        tasks,
        agreed,
        settings: settings(&format!("connector-{connector}")),
    }
}

/// When `connector` last began to run, in milliseconds since the epoch, from the records of the
/// [status topic](super::status_topic) in order.
pub fn began<'a>(records: impl IntoIterator<Item = &'a Record>, connector: &str) -> Option<i64> {
    let key = format!("status-connector-{connector}");
    let is_its = |record: &&Record| record.key.as_deref() == Some(key.as_bytes());
    let began = records.into_iter().filter(is_its).filter_map(|record| {
        let status: super::Status = serde_json::from_slice(record.value.as_deref()?).ok()?;
        status.is_running().then_some(record.time?)
    });
    began.last().filter(|time| *time >= 0)
}

impl Config {
    /// Whether the connector and all its tasks have this value of a list, and each task began to run after they had agreed on
    /// it: what ran before may still copy by another. `states` are the records of the [status topic](super::status_topic).
    pub fn holds<'a>(
        &self,
        connector: &str,
        lists: &[(&str, &str)],
        states: impl IntoIterator<Item = &'a Record>,
    ) -> bool {
        let same = |settings: &BTreeMap<String, String>| {
            lists.iter().all(|(key, value)| {
                let said = settings.get(*key).map_or("", String::as_str);
                words(said).eq(words(value))
            })
        };
        let mut running: BTreeMap<String, Option<i64>> = BTreeMap::new();
        for record in states {
            let (Some(key), Some(value)) = (&record.key, &record.value) else {
                continue;
            };
            let told = serde_json::from_slice::<super::Status>(value);
            let since = told
                .is_ok_and(|status| status.is_running())
                .then_some(record.time);
            running.insert(String::from_utf8_lossy(key).into_owned(), since.flatten());
        }
        let began_since = |task: &u32| {
            let key = format!("status-task-{connector}-{task}");
            running.get(&key).copied().flatten() >= self.agreed
        };
        self.settings.as_ref().is_some_and(same)
            && self.tasks.values().all(same)
            && self.tasks.keys().all(began_since)
    }
}

/// The entries of a list.
fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// Whether no task of `connector` copies `topic` any more: none is told to, and each has begun since it was told what to
/// copy. From the records of the [configs topic](crate::core::topology::configs_topic) and of the [status topic](super::status_topic) in order.
pub fn has_let_go(configs: &[Record], states: &[Record], connector: &str, topic: &str) -> bool {
    if config(configs, connector).topics.contains_key(topic) {
        return false;
    }
    let last = |records: &[Record], key: &str| {
        let its = |record: &&Record| record.key.as_deref() == Some(key.as_bytes());
        records.iter().rfind(its).cloned()
    };
    let Some(told) = last(configs, &format!("commit-{connector}")) else {
        return true;
    };
    let commit = told.value.as_deref().map(serde_json::from_slice::<Commit>);
    let tasks = commit.map_or(0, |commit| commit.map_or(0, |commit| commit.tasks));
    (0..tasks).all(|task| {
        let state = last(states, &format!("status-task-{connector}-{task}"));
        state.is_some_and(|state| {
            let value = state.value.as_deref().unwrap_or_default();
            let reported = serde_json::from_slice::<super::Status>(value);
            state.time >= told.time && reported.is_ok_and(|status| status.is_running())
        })
    })
}

#[derive(Deserialize)]
struct Stored {
    properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Commit {
    tasks: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(key: &str, time: i64, value: Option<&str>) -> Record {
        Record {
            partition: 0,
            offset: 0,
            time: Some(time),
            key: Some(key.into()),
            value: value.map(Into::into),
            headers: Vec::new(),
        }
    }

    fn task(number: u32, partitions: &str) -> Record {
        let value = format!(r#"{{"properties":{{"task.assigned.partitions":"{partitions}"}}}}"#);
        record(
            &format!("task-MirrorSourceConnector-{number}"),
            1,
            Some(&value),
        )
    }

    #[test]
    fn the_topics_of_the_tasks_that_there_are() {
        let commit = |tasks: u32| {
            let value = format!(r#"{{"tasks":{tasks}}}"#);
            record("commit-MirrorSourceConnector", 1, Some(&value))
        };
        let settings = r#"{"properties":{"topics":"orders, x"}}"#;
        let records = [
            record("session-key", 1, Some("{}")),
            record("connector-MirrorSourceConnector", 1, Some(settings)),
            record(
                "connector-MirrorHeartbeatConnector",
                1,
                Some(r#"{"properties":{}}"#),
            ),
            task(0, "orders-0,gone-0"),
            task(1, "gone-1"),
            commit(2),
            task(0, "orders-0,my-topic-10,orders-1"),
            commit(1),
        ];
        let config = config(&records, "MirrorSourceConnector");
        let expected = [("my-topic", 1), ("orders", 2)]
            .map(|(topic, partitions)| (topic.to_owned(), partitions));
        assert_eq!(config.topics, BTreeMap::from(expected));
        assert_eq!(config.settings.unwrap()["topics"], "orders, x");
        assert_eq!(super::config(&records[..1], "X"), Config::default());
    }

    #[test]
    fn a_connector_began_when_it_last_said_so() {
        let key = "status-connector-MirrorSourceConnector";
        let running = Some(r#"{"state":"RUNNING"}"#);
        let records = [
            record(key, 5, running),
            record("status-connector-Other", 9, running),
            record(key, 7, running),
            record(key, 8, Some(r#"{"state":"FAILED"}"#)),
        ];
        assert_eq!(began(&records, "MirrorSourceConnector"), Some(7));
        assert_eq!(
            began(&[record(key, -1, running)], "MirrorSourceConnector"),
            None
        );
    }

    #[test]
    fn a_list_holds_when_each_task_began_after_it_was_agreed_on() {
        let settings = |topics: &str| {
            let value = format!(r#"{{"properties":{{"topics":"{topics}"}}}}"#);
            let task = record("task-A-0", 5, Some(&value));
            [record("connector-A", 4, Some(&value)), task]
        };
        let state = |time, state: &str| {
            let value = format!(r#"{{"state":"{state}"}}"#);
            record("status-task-A-0", time, Some(&value))
        };
        let holds = |topics: &str, states: &[Record]| {
            let commit = record("commit-A", 6, Some(r#"{"tasks":1}"#));
            let records: Vec<Record> = settings(topics).into_iter().chain([commit]).collect();
            config(&records, "A").holds("A", &[("topics", "x, y")], states)
        };
        let begun = [state(3, "RUNNING"), state(6, "RUNNING")];
        assert!(holds("x,y", &begun));
        assert!(!holds("x", &begun));
        // the task of before still runs, or has just ended
        assert!(!holds("x,y", &begun[..1]));
        assert!(!holds("x,y", &[state(7, "UNASSIGNED")]) && !holds("x,y", &[]));
        // what was never told
        assert!(!Config::default().holds("A", &[], []));
    }

    #[test]
    fn a_topic_is_let_go_once_the_tasks_have_begun_without_it() {
        let commit = |time| record("commit-MirrorSourceConnector", time, Some(r#"{"tasks":1}"#));
        let state = |time, state: &str| {
            let value = format!(r#"{{"state":"{state}"}}"#);
            record("status-task-MirrorSourceConnector-0", time, Some(&value))
        };
        let connector = "MirrorSourceConnector";
        let with = [task(0, "orders-0,x-0"), commit(5)];
        let without = [
            task(0, "orders-0,x-0"),
            commit(5),
            task(0, "x-0"),
            commit(8),
        ];
        let ran = [state(6, "RUNNING")];
        let stops = [state(6, "RUNNING"), state(9, "UNASSIGNED")];
        let runs = [state(9, "UNASSIGNED"), state(9, "RUNNING")];
        let has = |configs: &[Record], states: &[Record]| {
            has_let_go(configs, states, connector, "orders")
        };
        assert!(!has(&with, &runs));
        assert!(!has(&without, &ran));
        assert!(!has(&without, &stops));
        assert!(has(&without, &runs));
        assert!(has(&[], &[]), "it never ran");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            pairs in proptest::collection::vec(("((connector|task|commit)-A(-0)?)?.{0,9}", proptest::option::of(".{0,30}")), 0..8)
        ) {
            let records: Vec<Record> = pairs.iter().map(|(key, value)| record(key, 0, value.as_deref())).collect();
            config(&records, "A");
            began(&records, "A");
        }
    }
}
