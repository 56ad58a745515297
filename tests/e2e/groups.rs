//! A group resumes where it stopped, and on the other cluster too.

use crate::kcat::CROSSING;
use crate::lab::{Lab, kafka_tool};
use crate::process::until;

#[test]
#[ignore = "needs Docker"]
fn a_group_resumes_on_either_cluster() {
    let lab = Lab::deployed("groups", "");
    let numbers = |from: usize, to: usize| (from..=to).map(|n| n.to_string()).collect::<Vec<_>>();
    let send = |from, to| {
        lab.primary()
            .produce("orders", &(numbers(from, to).join("\n") + "\n"));
    };
    let consume = "consume --topic orders --cluster primary --group billing";
    send(1, 10);
    assert_eq!(
        lab.kmk(&format!("{consume} --messages 5")).code(0).lines(),
        numbers(1, 5)
    );
    assert_eq!(
        place(&lab, "primary", "orders"),
        Some(5),
        "what was printed, and no more"
    );
    assert_eq!(
        lab.kmk(&format!("{consume} --messages 1")).code(0).lines(),
        numbers(6, 6)
    );
    assert_eq!(lab.kmk(consume).code(0).lines(), numbers(7, 10));
    assert_eq!(
        lab.kmk(consume)
            .code(0)
            .says("no new records for the group")
            .lines(),
        numbers(1, 0)
    );
    assert_eq!(place(&lab, "primary", "orders"), Some(10));

    until("the group's place is on the secondary", CROSSING, || {
        (place(&lab, "secondary", "primary.orders") == Some(10)).then_some(())
    });
    send(11, 13);
    let elsewhere =
        "consume --topic primary.orders --cluster secondary --group billing --messages 3";
    assert_eq!(
        lab.kmk(elsewhere).code(0).lines(),
        numbers(11, 13),
        "billing resumes at its committed offset"
    );

    println!("a reader that is interrupted");
    let mut running =
        lab.start("consume --topic orders --cluster primary --group follows --follow");
    running.until("all 13 are read", |running| {
        String::from_utf8_lossy(&running.stdout()).lines().count() == 13
    });
    running.interrupt();
    running.finish().code(130);
    let place = place_of(&lab, "follows", "primary", "orders");
    assert_eq!(place, Some(13), "noted on the way out");

    println!("a reader that goes away early");
    lab.primary()
        .produce("many", &(numbers(1, 200_000).join("\n") + "\n"));
    let line = "kmk consume --lab $LAB many --cluster primary --group early | head -3; exit ${PIPESTATUS[0]}";
    assert_eq!(lab.bash(line).code(0).lines(), numbers(1, 3));
    let place = place_of(&lab, "early", "primary", "many");
    assert!(
        place.is_none_or(|place| place < 200_000),
        "{place:?} were not all written out"
    );
    println!("  noted: {place:?}");
}

fn place(lab: &Lab, cluster: &str, topic: &str) -> Option<u64> {
    place_of(lab, "billing", cluster, topic)
}

/// How far a group is noted to be, as Kafka's own tool says.
fn place_of(lab: &Lab, group: &str, cluster: &str, topic: &str) -> Option<u64> {
    let line = format!("--bootstrap-server {cluster}:9092 --describe --offsets --all-groups");
    let text = kafka_tool(
        &lab.container(cluster),
        "kafka-consumer-groups.sh",
        &line,
        b"",
    );
    // GROUP TOPIC PARTITION CURRENT-OFFSET …
    let rows = text
        .lines()
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    let mut mine = rows.filter(|row| row.len() > 3 && row[..3] == [group, topic, "0"]);
    mine.next()?[3].parse().ok()
}
