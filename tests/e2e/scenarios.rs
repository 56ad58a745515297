//! Each scenario: every record that goes into a source comes out of every target, once, under the right name.

use crate::engine::docker;
use crate::kcat::{CROSSING, Kcat};
use crate::lab::Lab;
use crate::process::until;
use kafka_mirror_kit::core::spec::scenario::Scenario;
use kafka_mirror_kit::core::topology::{
    Flow, KAFKA_VERSION, NEXT_KAFKA_VERSION, Topology, is_internal,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A scenario that runs, on ports of its own.
struct Running {
    lab: Lab,
    topology: Topology,
    clusters: BTreeMap<String, Kcat>,
}

impl Running {
    #[track_caller]
    fn new(scenario: Scenario) -> Self {
        Self::on(scenario, KAFKA_VERSION)
    }

    #[track_caller]
    fn on(scenario: Scenario, kafka: &str) -> Self {
        let lab = Lab::new(&format!("scenario-{scenario}"));
        let deploy = format!("deploy --scenario {scenario} --any-port --kafka-version {kafka}");
        let deployed = lab.kmk(&deploy).code(0).prints("is up and replicates");
        let topology = Topology::new(&scenario.spec(&lab.name));
        let status = lab.kmk("status --json").code(0).json();
        let clusters = status["clusters"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let clusters: BTreeMap<String, Kcat> = clusters
            .map(|cluster| (text(&cluster["name"]), Kcat(text(&cluster["bootstrap"]))))
            .collect();
        for (name, kcat) in &clusters {
            assert!(topology.cluster(name).is_some(), "{name}");
            assert!(deployed.text().contains(&kcat.0), "{}", deployed.text());
        }
        lab.kmk(&deploy).code(0).prints("already runs as requested");
        let other = if scenario == Scenario::Dr { "ha" } else { "dr" };
        lab.kmk(&format!("deploy --scenario {other}"))
            .code(2)
            .says(&format!("already exists with scenario `{scenario}` ("));
        Self {
            lab,
            topology,
            clusters,
        }
    }

    fn sources(&self) -> BTreeSet<&str> {
        let flows = self.topology.flows.iter();
        flows.map(|flow| flow.spec.source.as_str()).collect()
    }

    /// Sends so many lines into a topic of every source; what was sent, by source.
    #[track_caller]
    fn produce(&self, topic: &str, lines: usize) -> BTreeMap<String, Vec<String>> {
        let send = |source: &&str| {
            let lines: Vec<String> = (0..lines)
                .map(|number| format!("{topic} of {source} {number:05}"))
                .collect();
            let input = lines.join("\n");
            let line = format!("produce --topic {topic} --cluster {source} --file -");
            self.lab.kmk_reading(&line, input.as_bytes()).code(0);
            ((*source).to_owned(), lines)
        };
        self.sources().iter().map(send).collect()
    }

    /// Waits until every copy holds exactly what its source was sent, in order, and no record twice.
    #[track_caller]
    fn until_copied(&self, topic: &str, sent: &BTreeMap<String, Vec<String>>) {
        for flow in &self.topology.flows {
            let target = &self.clusters[&flow.spec.target];
            let remote = flow.remote_topic(topic);
            let lines = &sent[&flow.spec.source];
            target.until_it_has(&remote, &lines.iter().cloned().collect(), CROSSING);
            assert_eq!(target.values(&remote), *lines, "{remote}");
        }
    }

    /// Every record is accounted for through every flow.
    #[track_caller]
    fn verify(&self) {
        let report = self.lab.kmk("verify --messages 300 --json").code(0).json();
        let flows = report["flows"].as_array().unwrap();
        let named: Vec<&str> = flows
            .iter()
            .filter_map(|flow| flow["flow"].as_str())
            .collect();
        let all: Vec<String> = self.topology.flows.iter().map(Flow::name).collect();
        assert_eq!(
            BTreeSet::from_iter(named),
            all.iter().map(String::as_str).collect()
        );
        assert!(
            flows.iter().all(|flow| flow["account"]["arrived"] == 300),
            "{report}"
        );
    }

    /// The topics of people on a cluster, and where each ends.
    fn ends(&self, cluster: &str) -> BTreeMap<String, u64> {
        let kcat = &self.clusters[cluster];
        let topics = kcat.topics().into_keys();
        topics
            .filter(|topic| !is_internal(topic))
            .map(|topic| (topic.clone(), kcat.end(&topic)))
            .collect()
    }

    fn flow(&self, name: &str) -> &Flow {
        let mut flows = self.topology.flows.iter();
        flows.find(|flow| flow.name() == name).unwrap()
    }

    /// What kmk reads of a topic when no cluster is named; it must say that it read this one.
    #[track_caller]
    fn consumed(&self, line: &str, on: &str) -> Vec<String> {
        let ran = self.lab.kmk(line).code(0);
        ran.says(&format!("note: using cluster {on};")).lines()
    }

    /// Where a group stands in the first partition of a topic.
    fn place(&self, cluster: &str, group: &str, topic: &str) -> Option<u64> {
        let line = format!("groups --json --group {group} --cluster {cluster}");
        let groups = self.lab.command(&line).output().unwrap();
        let groups: Value = serde_json::from_slice(&groups.stdout).ok()?;
        let places = groups["clusters"][0]["groups"][0]["partitions"].as_array()?;
        let place = places.iter().find(|place| place["topic"] == topic)?;
        place["committed"].as_u64()
    }
}

fn owned(ends: &[(&str, u64)]) -> BTreeMap<String, u64> {
    ends.iter()
        .map(|(topic, end)| ((*topic).to_owned(), *end))
        .collect()
}

/// Seconds of records both ways; then one more each way, behind which anything that went round would stand.
#[test]
#[ignore = "needs Docker"]
fn active_active_copies_both_ways_and_nothing_loops() {
    const RECORDS: u64 = 2_000;
    let running = Running::new(Scenario::ActiveActive);
    let sides = ["east", "west"];
    let producing = sides.map(|side| {
        let line = format!(
            "produce --topic orders --cluster {side} --rate {}/s --messages {RECORDS}",
            RECORDS / 3
        );
        running.lab.start(&line)
    });
    for one in producing {
        one.finish().code(0);
    }
    let expected = |orders: u64| {
        [("east", "west.orders"), ("west", "east.orders")]
            .map(|(side, copy)| (side, owned(&[("orders", orders), (copy, orders)])))
    };
    for (side, ends) in expected(RECORDS) {
        until(&format!("{side} has all records"), CROSSING, || {
            (running.ends(side) == ends).then_some(())
        });
    }
    for round in 1..=3 {
        for side in sides {
            running.clusters[side].produce("orders", &format!("marker {round} of {side}\n"));
        }
        for (side, ends) in expected(RECORDS + round) {
            until(&format!("{side} has marker {round}"), CROSSING, || {
                (running.ends(side) == ends).then_some(())
            });
        }
    }
    for (side, other) in [("east", "west"), ("west", "east")] {
        let copies = running.clusters[side].values(&format!("{other}.orders"));
        assert_eq!(copies, running.clusters[other].values("orders"));
        assert_ne!(copies, running.clusters[side].values("orders"));
        // the copy of a copy would be there by now
        for topic in running.clusters[side].topics().keys() {
            let goes_round = topic.starts_with(&format!("{side}."))
                || topic.starts_with(&format!("{other}.{side}."));
            assert!(
                !goes_round || topic.ends_with(".internal"),
                "{topic} on {side}"
            );
        }
        let heartbeats = format!("{other}.heartbeats");
        assert!(running.clusters[side].topics().contains_key(&heartbeats));
        let line = format!("consume --topic {other}.orders --messages {RECORDS}");
        assert_eq!(
            running.consumed(&line, side).len(),
            usize::try_from(RECORDS).unwrap()
        );
    }

    println!("groups, both ways");
    for (side, other) in [("east", "west"), ("west", "east")] {
        let group = format!("readers-{side}");
        let line = format!("consume --topic orders --cluster {side} --group {group}");
        assert_eq!(running.lab.kmk(&line).code(0).lines().len(), 2_003);
        let copy = running
            .flow(&format!("{side}->{other}"))
            .remote_topic("orders");
        until(&format!("{group} stands on {other} too"), CROSSING, || {
            (running.place(other, &group, &copy) == Some(RECORDS + 3)).then_some(())
        });
    }
    running.lab.kmk("status").code(0);
    running.verify();
    running.lab.kmk("destroy").code(0);
    running.lab.assert_gone();
}

/// The other scenarios, and each on either Kafka: for `make matrix`.
mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn every_one_on_kafka_3() {
        every_one(KAFKA_VERSION);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn every_one_on_kafka_4() {
        every_one(NEXT_KAFKA_VERSION);
    }

    fn every_one(kafka: &str) {
        for scenario in Scenario::ALL {
            println!("{scenario} on Kafka {kafka}");
            let running = Running::on(scenario, kafka);
            let sent = running.produce("orders", 200);
            running.until_copied("orders", &sent);
            running.lab.kmk("status").code(0).prints(": healthy");
            running.verify();
            running.lab.kmk("destroy").code(0);
            running.lab.assert_gone();
        }
    }

    #[test]
    #[ignore = "needs Docker"]
    fn aggregate_brings_every_region_into_one() {
        let running = Running::new(Scenario::Aggregate);
        let sent = running.produce("orders", 1_000);
        running.until_copied("orders", &sent);
        assert_eq!(
            running.ends("central"),
            owned(&[("apac.orders", 1_000), ("emea.orders", 1_000)])
        );
        for region in ["emea", "apac"] {
            assert_eq!(running.ends(region), owned(&[("orders", 1_000)]));
            let line = format!("consume --topic {region}.orders --messages 1000");
            assert_eq!(running.consumed(&line, "central"), sent[region]);
        }
        let status = running.lab.kmk("status --json").code(0).json();
        assert_eq!(status["flows"].as_array().unwrap().len(), 2);
        running.verify();
        running.lab.kmk("destroy").code(0);
        running.lab.assert_gone();
    }

    #[test]
    #[ignore = "needs Docker"]
    fn fan_out_brings_one_to_many() {
        let running = Running::new(Scenario::FanOut);
        let sent = running.produce("orders", 1_000);
        running.until_copied("orders", &sent);
        for edge in ["edge-1", "edge-2"] {
            assert_eq!(running.ends(edge), owned(&[("hub.orders", 1_000)]));
        }
        let line = "consume --topic hub.orders --messages 1000";
        assert_eq!(running.consumed(line, "edge-1"), sent["hub"]);
        running
            .lab
            .kmk("produce --topic other --messages 1")
            .code(0)
            .says("note: using cluster hub;")
            .says("hub.other --cluster edge-1 --messages 1")
            .says("hub.other --cluster edge-2 --messages 1");
        running.verify();
        running.lab.kmk("destroy").code(0);
        running.lab.assert_gone();
    }

    #[test]
    #[ignore = "needs Docker"]
    fn migrate_keeps_the_names_of_topics_and_groups_and_where_these_stand() {
        let running = Running::new(Scenario::Migrate);
        let sent = running.produce("orders", 1_000);
        running.until_copied("orders", &sent);
        assert_eq!(running.ends("cloud"), owned(&[("orders", 1_000)]));

        println!("a group that has read all there is");
        let line = "consume --topic orders --group billing";
        let read = running.lab.kmk(&format!("{line} --cluster legacy"));
        assert_eq!(read.code(0).lines(), sent["legacy"]);
        until("billing stands on cloud too", CROSSING, || {
            (running.place("cloud", "billing", "orders") == Some(1_000)).then_some(())
        });

        println!("resumes on the target with what was written since");
        let later: Vec<String> = (0..100).map(|number| format!("later {number}")).collect();
        running.clusters["legacy"].produce("orders", &(later.join("\n") + "\n"));
        let all: BTreeSet<String> = sent["legacy"].iter().chain(&later).cloned().collect();
        running.clusters["cloud"].until_it_has("orders", &all, CROSSING);
        let read = running
            .lab
            .kmk(&format!("{line} --cluster cloud --messages 100"));
        assert_eq!(read.code(0).lines(), later);
        let topics = running.lab.kmk("topics").code(0);
        topics.prints("to cloud").prints("from legacy");
        running.verify();
        running.lab.kmk("destroy").code(0);
        running.lab.assert_gone();
    }

    /// A broker of each side dies, the ones that lead what is written. MirrorMaker copies at least once: a producer of its
    /// that lost a broker may repeat a batch. So none may be missing, and none may be made up.
    #[test]
    #[ignore = "needs Docker"]
    fn ha_goes_on_when_a_broker_of_each_side_is_killed() {
        const RECORDS: usize = 4_000;
        let running = Running::new(Scenario::Ha);
        let lab = &running.lab;
        // a topic that has just been made has no leader for a moment: that is waited for
        lab.kmk("verify --messages 300").code(0);
        lab.kmk("produce --topic orders --messages 1 --value first")
            .code(0);
        let first = BTreeSet::from(["first".to_owned()]);
        let [primary, secondary] = ["primary", "secondary"].map(|name| &running.clusters[name]);
        secondary.until_it_has("primary.orders", &first, CROSSING);
        let sent: Vec<String> = (0..RECORDS)
            .map(|number| format!("record {number:05}"))
            .collect();
        let lines = lab.home.path().join("lines");
        std::fs::write(&lines, sent.join("\n")).unwrap();
        let producing = lab.start("produce --topic orders --file lines --rate 500/s --json");
        let quarter = u64::try_from(RECORDS / 4).unwrap();
        secondary.until_it_is_past("primary.orders", quarter, CROSSING);
        for (cluster, topic) in [("primary", "orders"), ("secondary", "primary.orders")] {
            let line = format!("topic describe {topic} --json --cluster {cluster}");
            let described = lab.kmk(&line).code(0).json();
            let leader = described["partition_details"][0]["leader"]
                .as_u64()
                .unwrap();
            let killed = lab.container(&format!("{cluster}-{leader}"));
            println!("  {killed} leads {topic}: killed");
            docker(&format!("kill {killed}"));
        }
        let ended = producing.finish().code(0).json();
        std::fs::remove_file(lines).unwrap();
        assert_eq!(ended["acknowledged"].as_u64(), u64::try_from(RECORDS).ok());
        let expected: BTreeSet<String> = sent.iter().cloned().chain(first).collect();
        primary.until_it_has("orders", &expected, CROSSING);
        // a dead broker is given up within seconds; 6 s have passed since it died
        secondary.until_it_has("primary.orders", &expected, Duration::from_secs(10));
        let copies = secondary.values("primary.orders");
        println!(
            "  MEASURED {} of {} records are there twice on the target, {} on the source",
            copies.len() - expected.len(),
            expected.len(),
            primary.values("orders").len() - expected.len()
        );
        // each cluster does all its work without one of its three
        let status = lab.kmk("status").code(1).says("kmk deploy");
        status.prints("2/3").prints(": DEGRADED\n");
        let status = lab.kmk("status --json").code(1).json();
        for cluster in status["clusters"].as_array().unwrap() {
            let word = (&cluster["healthy"], &cluster["degraded"]);
            assert_eq!(word, (&false.into(), &true.into()), "{cluster}");
        }

        println!("the brokers come back");
        lab.kmk("deploy").code(0).prints("is repaired");
        until("all brokers are there", CROSSING, || {
            let status = lab.command("status").output().unwrap();
            status.status.success().then_some(())
        });
        lab.kmk("destroy").code(0);
        lab.assert_gone();
    }
}
