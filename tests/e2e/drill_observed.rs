//! Failovers around producers and consumers of a person's own: kcat writes and reads, and Kafka's own tools tell ends and
//! committed offsets.

mod matrix {
    use crate::drill::{Offsets, offsets, taken_back};
    use crate::engine::docker;
    use crate::lab::{Lab, kafka_tool};
    use crate::process::{PATIENCE, until};
    use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
    use rustix::process::{Pid, Signal, kill_process_group};
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    /// A line for bash that goes on until it is ended.
    struct Client(Child);

    impl Client {
        /// kcat, which sends 50 numbered lines a second; they are long, as it waits until it has read 4 KiB.
        fn produces(name: &str, address: &str, topic: &str) -> Self {
            let rest = "x".repeat(800);
            Self::runs(&format!(
                "n=0; while :; do n=$((n+1)); echo {name}-$n-{rest}; sleep 0.02; done | kcat -P -q -b {address} -t {topic} \
                 -X topic.acks=all -X linger.ms=5"
            ))
        }

        /// kcat, as the only member of a group that commits twice a second.
        fn consumes(group: &str, address: &str, topics: &str) -> Self {
            Self::runs(&format!(
                "exec kcat -G {group} -q -b {address} -X auto.offset.reset=earliest -X auto.commit.interval.ms=500 {topics}"
            ))
        }

        fn runs(line: &str) -> Self {
            let mut command = Command::new("bash");
            command.args(["-c", line]).process_group(0);
            command.stdin(Stdio::null()).stdout(Stdio::null());
            Self(command.stderr(Stdio::null()).spawn().unwrap())
        }
    }

    impl Drop for Client {
        fn drop(&mut self) {
            let group = Pid::from_raw(self.0.id().try_into().unwrap()).unwrap();
            // those of whom none is left need no signal
            let _ = kill_process_group(group, Signal::TERM);
            self.0.wait().unwrap();
        }
    }

    /// Where a topic ends, by partition, as Kafka's own tool tells.
    fn ends(lab: &Lab, cluster: &str, topic: &str) -> BTreeMap<i64, i64> {
        let line = format!("--bootstrap-server {cluster}:9092 --topic {topic} --time latest");
        let told = kafka_tool(&lab.container(cluster), "kafka-get-offsets.sh", &line, b"");
        let row = |line: &str| {
            let mut words = line.trim().rsplit(':');
            let end = words.next()?.parse().ok()?;
            Some((words.next()?.parse().ok()?, end))
        };
        told.lines().filter_map(row).collect()
    }

    /// A failover, and what Kafka's tools told of the target before anybody was moved there.
    struct Seen<'a> {
        clusters: [&'a str; 2],
        mirrored: &'a str,
        planned: bool,
        report: Value,
        synced: Offsets,
    }

    fn observed(lab: &Lab, clusters: [&str; 2], planned: bool) {
        let seen = failed_over(lab, clusters, planned);
        println!("  {:#}", seen.report);
        topics_end_there(lab, &seen);
        groups_stand_there(lab, &seen);
        let rto = seen.report["rto_seconds"].as_f64().unwrap();
        let parts = seen.report["rto_parts"].as_array().unwrap().iter();
        let sum: f64 = parts.map(|part| part["seconds"].as_f64().unwrap()).sum();
        assert!((sum - rto).abs() < 1e-6, "{rto} {sum}");
        // no topic grows for three seconds, or nothing is heard for two
        assert!(rto > if planned { 3.0 } else { 2.0 }, "{rto}");
    }

    /// kcat writes to and reads from the source, and is moved when kmk says so.
    fn failed_over<'a>(lab: &Lab, clusters: [&'a str; 2], planned: bool) -> Seen<'a> {
        let [source, target] = clusters;
        let keeps_names = source == "legacy";
        let mirrored = if keeps_names {
            "orders"
        } else {
            "primary.orders"
        };
        let [at_source, at_target] = lab.ports.map(|port| format!("127.0.0.1:{port}"));
        let name = if planned { "planned" } else { "killed" };
        println!("{name}");
        let producer = Client::produces(name, &at_source, "orders");
        let consumer = Client::consumes("billing", &at_source, "orders");
        until(
            "the group has committed, and MirrorMaker has synced it",
            PATIENCE,
            || {
                let synced = offsets(lab, target);
                synced
                    .keys()
                    .any(|(group, topic, _)| group == "billing" && topic == mirrored)
                    .then_some(())
            },
        );
        let flags = if planned { "--planned" } else { "" };
        let mut running = lab.start(&format!(
            "drill failover --observe orders --observe-groups billing --warm-up 4s --json {flags}"
        ));
        if planned {
            running.until_it_says(&format!("stop your producers of `orders` on {source} now"));
            drop(producer);
            running.until_it_says("now: producers to `orders`");
        } else {
            running.until_it_says("Warming up for");
            std::thread::sleep(Duration::from_secs(3));
            // so that something is lost
            docker(&format!(
                "pause {}",
                lab.container(&format!("mm2-{target}"))
            ));
            running.until_it_says("now: producers to `orders`");
            drop(producer);
        }
        running.until_it_says(&format!(
            "switch your producers and consumers to {at_target} now"
        ));
        drop(consumer);
        let synced = offsets(lab, target);
        let read = if keeps_names {
            "orders"
        } else {
            "primary.orders orders"
        };
        let _consumer = Client::consumes("billing", &at_target, read);
        let _producer = Client::produces(&format!("{name}-after"), &at_target, "orders");
        let report = running.finish().code(0).json();
        Seen {
            clusters,
            mirrored,
            planned,
            report,
            synced,
        }
    }

    fn topics_end_there(lab: &Lab, seen: &Seen<'_>) {
        let (report, [source, _]) = (&seen.report, seen.clusters);
        // what Kafka's tools say of the source: nobody has written to it since
        let orders = &report["topics"][0];
        let source_ends = ends(lab, source, "orders");
        let mut missing_at_most = 0;
        for place in orders["partitions"].as_array().unwrap() {
            let (partition, end) = (&place["partition"], place["source_end"].as_i64().unwrap());
            assert_eq!(source_ends[&partition.as_i64().unwrap()], end, "{place}");
            let copied = place["copied_to"].as_i64().unwrap_or(0);
            assert_eq!(
                place["missing_at_most"].as_i64(),
                Some(end - copied),
                "{place}"
            );
            missing_at_most += end - copied;
            assert!(copied <= end, "{place}");
        }
        assert_eq!(report["rpo_at_most"].as_i64(), Some(missing_at_most));
        let home: BTreeSet<String> = values(lab, 0, "orders");
        let away: BTreeSet<String> = values(lab, 1, seen.mirrored);
        let missing = home.difference(&away).count();
        println!("  kcat finds {missing} missing, kmk says at most {missing_at_most}");
        assert!(i64::try_from(missing).unwrap() <= missing_at_most);
        if seen.planned {
            assert_eq!((missing, missing_at_most), (0, 0));
        } else {
            assert!(missing > 0);
        }
    }

    fn groups_stand_there(lab: &Lab, seen: &Seen<'_>) {
        let [source, target] = seen.clusters;
        let (committed, now) = (offsets(lab, source), offsets(lab, target));
        let (synced, mirrored) = (&seen.synced, seen.mirrored);
        let billing = &seen.report["groups"][0];
        let places = billing["offsets"].as_array().unwrap();
        assert_eq!(places.len(), 2, "{billing}");
        for place in places {
            let partition = place["partition"].as_i64().unwrap();
            let at = |offsets: &Offsets, topic: &str| {
                let key = ("billing".to_owned(), topic.to_owned(), partition);
                offsets.get(&key).copied()
            };
            assert_eq!(
                place["committed"].as_i64(),
                at(&committed, "orders"),
                "{place}"
            );
            assert_eq!(place["synced"].as_i64(), at(synced, mirrored), "{place}");
            let after = place["after"].as_i64();
            assert!(
                at(synced, mirrored) <= after && after <= at(&now, mirrored),
                "{place}"
            );
        }
    }

    fn values(lab: &Lab, side: usize, topic: &str) -> BTreeSet<String> {
        let kcat = [lab.primary(), lab.secondary()][side].clone();
        let values = kcat.values(topic).into_iter();
        values.filter(|value| !value.contains("-after-")).collect()
    }

    #[test]
    #[ignore = "needs Docker"]
    fn clients_of_other_people_that_go_on_with_a_prefixed_topic() {
        let lab = Lab::deployed("observed", "");
        for cluster in ["primary", "secondary"] {
            lab.kmk(&format!(
                "topic create orders --partitions 2 --cluster {cluster}"
            ))
            .code(0);
        }
        observed(&lab, ["primary", "secondary"], true);
        taken_back(&lab);
        observed(&lab, ["primary", "secondary"], false);
        taken_back(&lab);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn clients_of_other_people_that_go_on_under_the_same_name_on_the_newest_kafka() {
        let lab = Lab::new("observed-same");
        let [first, second] = lab.ports;
        let ports = format!("--port legacy={first} --port cloud={second}");
        lab.kmk(&format!(
            "deploy --scenario migrate {ports} --kafka-version {NEXT_KAFKA_VERSION}"
        ))
        .code(0);
        lab.kmk("topic create orders --partitions 2").code(0);
        observed(&lab, ["legacy", "cloud"], true);
        taken_back(&lab);
        observed(&lab, ["legacy", "cloud"], false);
        taken_back(&lab);
    }
}
