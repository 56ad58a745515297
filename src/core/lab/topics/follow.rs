//! When a change of a topic reaches the topics that are mirrored from it: MirrorMaker looks now and then.

use crate::core::mirrormaker::config;
use crate::core::spec::filter;
use crate::core::topology::Flow;

/// How often MirrorMaker looks for settings where nothing is said, in seconds (`SYNC_TOPIC_CONFIGS_INTERVAL_SECONDS_DEFAULT`).
const SETTINGS_EVERY: u64 = 600;
/// What it leaves alone where nothing is said (`CONFIG_PROPERTIES_EXCLUDE_DEFAULT`).
const NEVER: &str = r"follower\.replication\.throttled\.replicas, leader\.replication\.throttled\.replicas, message\.timestamp\.difference\.max\.ms, message\.timestamp\.type, unclean\.leader\.election\.enable, min\.insync\.replicas";

/// How a mirrored topic follows its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Following {
    /// Seconds until it has more partitions, at most; none where it never has.
    pub partitions: Option<u64>,
    /// Seconds until it has other settings, at most; none where it never has.
    pub settings: Option<u64>,
    /// Those of the settings asked about that never follow, whatever else does.
    pub left_alone: Vec<String>,
}

impl Following {
    /// Through a flow, with these settings in mind.
    pub fn through<'a>(flow: &Flow, settings: impl IntoIterator<Item = &'a str>) -> Self {
        let every = |what: &str, default: u64| {
            let is_on = flow.setting(&format!("{what}.enabled")) != Some("false");
            let said = flow.setting(&format!("{what}.interval.seconds"));
            // with less than none it never looks
            let seconds = said.map_or(Some(default), |said| said.parse().ok());
            seconds.filter(|_| is_on)
        };
        let excluded = flow.setting("config.properties.exclude").unwrap_or(NEVER);
        let patterns = || excluded.split(',').map(str::trim);
        let is_excluded =
            |name: &&str| patterns().any(|pattern| filter::matches(pattern, name) == Some(true));
        let left_alone = settings.into_iter().filter(is_excluded);
        Self {
            partitions: every("refresh.topics", config::EVERY),
            settings: every("sync.topic.configs", SETTINGS_EVERY),
            left_alone: left_alone.map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spec::scenario;
    use crate::core::topology::Topology;

    fn through(settings: &[(&str, &str)]) -> Following {
        let mut spec = scenario::dr("demo");
        let owned = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        spec.flows[0].settings = owned.collect();
        let asked = [
            "retention.ms",
            "min.insync.replicas",
            "message.timestamp.type",
        ];
        Following::through(&Topology::new(&spec).flows[0], asked)
    }

    #[test]
    fn settings_follow_after_ten_minutes_and_some_never() {
        let expected = Following {
            partitions: Some(1),
            settings: Some(600),
            left_alone: vec![
                "min.insync.replicas".to_owned(),
                "message.timestamp.type".to_owned(),
            ],
        };
        assert_eq!(through(&[]), expected);
    }

    #[test]
    fn what_is_said_of_the_flow_holds() {
        let soon = through(&[
            ("sync.topic.configs.interval.seconds", "5"),
            ("refresh.topics.interval.seconds", "60"),
            ("config.properties.exclude", r"retention\..*"),
        ]);
        assert_eq!((soon.partitions, soon.settings), (Some(60), Some(5)));
        assert_eq!(soon.left_alone, ["retention.ms"]);
        let never = through(&[
            ("sync.topic.configs.enabled", "false"),
            ("refresh.topics.enabled", "false"),
        ]);
        assert_eq!((never.partitions, never.settings), (None, None));
        assert_eq!(
            through(&[("sync.topic.configs.interval.seconds", "-1")]).settings,
            None
        );
    }
}
