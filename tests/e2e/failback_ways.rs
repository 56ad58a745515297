//! Failbacks of other labs, in other ways, and on the newest Kafka: judged by what kcat reads on both sides.

mod matrix {
    use crate::failback::{migrating, nothing_is_left, text, values};
    use crate::kcat::Kcat;
    use crate::lab::Lab;
    use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
    use rustix::process::Signal;
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// The records of each partition, in order: key, value and headers.
    fn log(kcat: &Kcat, topic: &str) -> BTreeMap<String, Vec<String>> {
        let mut log: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in kcat.read(topic, "%p|%k|%s|%h") {
            let (partition, record) = line.split_once('|').unwrap();
            let records = log.entry(partition.to_owned()).or_default();
            records.push(record.to_owned());
        }
        log
    }

    /// Both flows afterwards, as kcat sees them: each source and its mirrored topic have the same records, and the report has
    /// counted the copies.
    fn both_flows_are_as_told(lab: &Lab, report: &Value, failover: &Value) {
        let topic = text(failover, "topic");
        let (source, target) = (text(report, "source"), text(report, "target"));
        let (home, away) = (lab.primary(), lab.secondary());
        for (flow, (there, written), (here, mirrored)) in [
            (
                "forward",
                (&home, &topic),
                (&away, format!("{source}.{topic}")),
            ),
            (
                "back",
                (&away, &topic),
                (&home, format!("{target}.{topic}")),
            ),
        ] {
            let (sent, arrived) = (values(there, written), values(here, &mirrored));
            assert!(
                sent.0 == arrived.0 && !sent.0.is_empty(),
                "{flow}: {report:#}"
            );
            let one = &report["afterwards"][flow];
            assert_eq!(one["missing"], 0, "{flow}");
            let copies = arrived.1 - sent.1;
            assert_eq!(one["surplus"], copies, "{flow}: {report:#}");
            println!("  {flow}: {} records, {copies} copies", sent.0.len());
        }
        for group in report["groups"].as_array().unwrap() {
            assert_eq!(group["skipped"], 0, "{report:#}");
            assert_eq!(group["as_predicted"], true, "{report:#}");
        }
    }

    fn taken_back(lab: &Lab, before: &[String]) {
        lab.kmk("drill abort").code(0);
        nothing_is_left(lab, before);
    }

    fn services(lab: &Lab) -> Vec<String> {
        lab.ids().into_keys().collect()
    }

    #[test]
    #[ignore = "needs Docker"]
    fn with_prefixed_names_an_emptied_topic_is_copied_back_and_nothing_is_mirrored_again() {
        let lab = Lab::deployed("rebuild-prefix", "");
        let before = services(&lab);
        let (primary, secondary) = (lab.primary(), lab.secondary());
        let failover = lab
            .kmk("drill failover --warm-up 3s --rate 2000 --partitions 3 --json")
            .code(0)
            .json();
        let topic = text(&failover, "topic");
        let mirrored = text(&failover, "mirrored_topic");
        // of applications that did not know of the switch
        primary.produce_with(&topic, "-p 1 -H origin=late -K:", "k:late 1\nk:late 2\n");
        let crossed = log(&secondary, &mirrored);
        let report = lab
            .kmk("drill failback --by rebuild --salvage replay --keep --json")
            .code(0)
            .json();
        both_flows_are_as_told(&lab, &report, &failover);
        assert!(report["stranded_records"].as_u64() >= Some(2), "{report:#}");
        assert_eq!(report["replayed"], report["stranded_records"]);
        assert_eq!(report["repeated"], 0, "{report:#}");
        // what had crossed is home again in its order, once, and what was written since comes behind it
        let (home, away) = (log(&primary, &topic), log(&secondary, &mirrored));
        assert!(home == away, "{report:#}");
        for (partition, records) in &crossed {
            assert!(
                home[partition].starts_with(records),
                "partition {partition}"
            );
        }
        let replayed = log(&secondary, &topic);
        let late = |records: &&String| records.as_str() == "k|late 1|origin=late";
        for log in [&replayed, &log(&primary, &format!("secondary.{topic}"))] {
            assert_eq!(log["1"].iter().filter(late).count(), 1);
        }
        taken_back(&lab, &before);

        println!("and as planned, from healthy to healthy");
        let cycle = lab.kmk("drill cycle --planned --by rebuild --json").code(0);
        assert_eq!(cycle.json()["failback"]["stranded_records"], 0);
        nothing_is_left(&lab, &before);
    }

    /// A failover and the way home, in these ways.
    fn there_and_back(theme: &str, scenario: &str, flow: &str, ways: &[&str]) {
        let mut lab = Lab::new(theme);
        // room for the ports of three brokers
        lab.ports[1] = lab.ports[0] + 10;
        let [first, second] = lab.ports;
        let (source, target) = flow.split_once(':').unwrap();
        let ports = format!("--port {source}={first} --port {target}={second}");
        lab.kmk(&format!("deploy --scenario {scenario} {ports}"))
            .code(0);
        let before = services(&lab);
        for way in ways {
            println!("{way}");
            let failover = lab
                .kmk(&format!("drill failover {flow} --json"))
                .code(0)
                .json();
            let report = lab
                .kmk(&format!("drill failback {way} --keep --json"))
                .code(0)
                .json();
            assert_eq!(report["back_was_added"], scenario == "ha");
            both_flows_are_as_told(&lab, &report, &failover);
            taken_back(&lab, &before);
        }
    }

    #[test]
    #[ignore = "needs Docker"]
    fn where_flows_lead_both_ways() {
        let ways = ["", "--by rebuild"];
        there_and_back("back-both", "active-active", "east:west", &ways);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn where_clusters_have_three_brokers() {
        there_and_back("back-ha", "ha", "primary:secondary", &[""]);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn under_the_same_names_a_cycle_leads_from_healthy_to_healthy() {
        let lab = migrating("cycle-same");
        let before = services(&lab);
        for line in ["--by watermark --planned", "--by rebuild"] {
            println!("{line}");
            let ran = lab.kmk(&format!("drill cycle {line} --json")).code(0);
            let report = ran.json();
            println!("  {} s", report["seconds"]);
            let home = &report["failback"];
            for flow in ["forward", "back"] {
                let one = &home["afterwards"][flow];
                let wrong = ["missing", "surplus", "foreign", "out_of_order"];
                let wrong = wrong.map(|count| one[count].as_u64().unwrap());
                assert_eq!(wrong, [0; 4], "{home:#}");
            }
            nothing_is_left(&lab, &before);
            for kcat in [lab.primary(), lab.secondary()] {
                let (theirs, surplus) = values(&kcat, "orders");
                assert_eq!((theirs.len(), surplus), (100, 0));
            }
        }
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_failover_that_was_resumed_is_failed_back() {
        let lab = Lab::deployed("back-resumed", "");
        let before = services(&lab);
        let mut running = lab.start("drill failover --warm-up 2s");
        running.until_it_says("Waiting until applications notice");
        running.signal(Signal::KILL);
        drop(running);
        let failover = lab.kmk("drill resume --json").code(0).json();
        let report = lab.kmk("drill failback --keep --json").code(0).json();
        let topic = text(&failover["topics"], "source");
        let failover = serde_json::json!({ "topic": topic });
        both_flows_are_as_told(&lab, &report, &failover);
        taken_back(&lab, &before);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn the_newest_kafka() {
        let kafka = format!("--kafka-version {NEXT_KAFKA_VERSION}");
        let lab = Lab::deployed("back-next", &kafka);
        let before = services(&lab);
        let failover = lab.kmk("drill failover --json").code(0).json();
        let report = lab.kmk("drill failback --keep --json").code(0).json();
        both_flows_are_as_told(&lab, &report, &failover);
        taken_back(&lab, &before);
        let cycle = lab.kmk("drill cycle --by rebuild --json").code(0).json();
        println!("  {} s", cycle["seconds"]);
        assert_eq!(cycle["passed"], true);
        nothing_is_left(&lab, &before);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn a_failback_that_was_killed_is_resumed() {
        let lab = Lab::deployed("back-killed", "");
        let before = services(&lab);
        for step in ["Writing to secondary", "primary->secondary starts again"] {
            println!("{step}");
            let failover = lab.kmk("drill failover --warm-up 1s --json").code(0).json();
            let mut running = lab.start("drill failback --keep");
            running.until_it_says(step);
            running.signal(Signal::KILL);
            drop(running);
            lab.kmk("status").says("`kmk drill resume");
            let report = lab.kmk("drill resume --json").code(0).json();
            both_flows_are_as_told(&lab, &report, &failover);
            lab.kmk("drill resume")
                .code(2)
                .says("its failback has ended");
            taken_back(&lab, &before);
        }
    }

    #[test]
    #[ignore = "needs Docker"]
    fn under_the_same_names_a_failback_that_was_killed_is_resumed_or_taken_back() {
        let lab = migrating("back-same-killed");
        let before = services(&lab);
        for (step, resumes) in [
            ("Starting the containers", true),
            ("Writing to cloud", true),
            ("Writing to legacy", false),
        ] {
            println!("{step}");
            lab.kmk("drill failover --planned --warm-up 1s").code(0);
            let mut running = lab.start("drill failback --by watermark");
            running.until_it_says(step);
            running.signal(Signal::KILL);
            drop(running);
            if resumes {
                let report = lab.kmk("drill resume --json").code(0).json();
                for flow in ["forward", "back"] {
                    let surplus = &report["afterwards"][flow]["surplus"];
                    assert_eq!(*surplus, 0, "{report:#}");
                }
            } else {
                let refused = lab.kmk("drill resume").code(2);
                refused
                    .says("and can only be taken back")
                    .says("`kmk drill abort");
                lab.kmk("drill abort").code(0);
            }
            nothing_is_left(&lab, &before);
        }
    }
}
