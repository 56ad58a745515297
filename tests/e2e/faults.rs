//! Brokers that die, come back or fall silent under `produce` and `consume`; and inputs and outputs that are closed.

use crate::engine::docker;
use crate::lab::Lab;
use crate::process::{PATIENCE, Ran, Running, until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

/// More than a run takes in before its broker dies.
const LINES: usize = 1_000_000;

#[test]
#[ignore = "needs Docker"]
fn producing_to_a_broker_that_dies_is_accounted_for() {
    let lab = Lab::deployed("produce", "");
    let lines: Vec<String> = (0..LINES)
        .map(|number| format!("line {number:07}"))
        .collect();
    fs::write(lab.home.path().join("lines"), lines.join("\n")).unwrap();
    let broker = lab.container("primary");

    println!("killed for good");
    let running = produce(&lab, "killed", "--rate 5000/s --timeout 3s");
    docker(&format!("kill {broker}"));
    let ended = running
        .finish()
        .code(1)
        .says("no Kafka broker can be reached")
        .says("hint: `kmk status");
    let told = Told::by(&ended);
    println!("  {}", ended.stderr.lines().next().unwrap());
    let missing = told.not_acknowledged;
    let fate = match told.in_doubt {
        0 => ", and not written".to_owned(),
        all if all == missing => ", but perhaps written".to_owned(),
        some => format!("; {some} of them may have been written"),
    };
    let expected = format!("error: {missing} records not acknowledged{fate}: ");
    assert!(
        ended.stderr.starts_with(&expected),
        "{expected}\n{}",
        ended.stderr
    );
    assert!(told.acknowledged > 0 && missing > 0, "{told:?}");
    docker(&format!("start {broker}"));
    until_it_answers(&lab);
    told.assert_true(&lab.primary().values("killed"), &lines);

    println!("killed at full speed, and started again");
    let running = produce(&lab, "restarted", "--timeout 60s");
    docker(&format!("kill {broker}"));
    docker(&format!("start {broker}"));
    let told = Told::by(&running.finish().code(0));
    assert_eq!(
        (told.acknowledged, told.not_acknowledged, told.in_doubt),
        (LINES, 0, 0)
    );
    told.assert_true(&lab.primary().values("restarted"), &lines);

    println!("fallen silent");
    let running = produce(&lab, "paused", "--rate 5000/s --timeout 6s");
    docker(&format!("pause {broker}"));
    let silent = Instant::now();
    let ended = running.finish().code(1);
    let took = silent.elapsed();
    docker(&format!("unpause {broker}"));
    println!(
        "  MEASURED {:.1} s to give up a silent broker with --timeout 6s",
        took.as_secs_f64()
    );
    println!("  {}", ended.stderr.lines().next().unwrap());
    assert!(took < Duration::from_secs(12), "{took:?}");
    let told = Told::by(&ended);
    assert!(told.acknowledged > 0 && told.in_doubt > 0, "{told:?}");
    until_it_answers(&lab);
    told.assert_true(&lab.primary().values("paused"), &lines);
}

/// A long run that has begun to be acknowledged.
fn produce(lab: &Lab, topic: &str, flags: &str) -> Running {
    let mut running = lab.start(&format!(
        "produce --topic {topic} --file lines --json {flags}"
    ));
    let primary = lab.primary();
    running.until("records arrive", |_| {
        primary.topics().contains_key(topic) && primary.end(topic) > 1_000
    });
    running
}

/// What kmk says became of the records.
#[derive(Debug)]
struct Told {
    acknowledged: usize,
    not_acknowledged: usize,
    in_doubt: usize,
    possible_duplicates: usize,
}

impl Told {
    fn by(ended: &Ran) -> Self {
        let report = ended.json();
        let number = |name: &str| {
            report[name]
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .unwrap()
        };
        let told = Self {
            acknowledged: number("acknowledged"),
            not_acknowledged: number("not_acknowledged"),
            in_doubt: number("in_doubt"),
            possible_duplicates: number("possible_duplicates"),
        };
        println!("  {told:?}");
        told
    }

    /// The lines were sent in order to one partition: what is there must be what was told.
    fn assert_true(&self, there: &[String], sent: &[String]) {
        println!("  {} records are there", there.len());
        let distinct: BTreeSet<&String> = there.iter().collect();
        let lost = sent[..self.acknowledged]
            .iter()
            .filter(|line| !distinct.contains(line))
            .count();
        assert_eq!(lost, 0, "acknowledged, and not there: {self:?}");
        assert!(
            distinct.len() <= self.acknowledged + self.in_doubt,
            "{} written: {self:?}",
            distinct.len()
        );
        let repeats = there.len() - distinct.len();
        assert!(
            repeats <= self.possible_duplicates,
            "{repeats} repeated: {self:?}"
        );
    }
}

fn until_it_answers(lab: &Lab) {
    until("the lab is healthy", PATIENCE, || {
        let status = lab.command("status --json").output().unwrap();
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        (status["clusters"][0]["healthy"] == true).then_some(())
    });
}

#[test]
#[ignore = "needs Docker"]
fn consuming_ends_well_or_says_how_far_it_came() {
    let lab = Lab::deployed("consume", "");
    let topics = || [lab.primary().topics(), lab.secondary().topics()];
    lab.kmk("produce --topic orders --messages 10").code(0);
    lab.kmk("consume --topic primary.orders --messages 10")
        .code(0);

    println!("a topic that is not there");
    let before = topics();
    for cluster in ["primary", "secondary"] {
        let consume =
            format!("consume --topic order --cluster {cluster} --messages 1 --timeout 2s");
        let words = format!("there is no topic `order` on {cluster} after 2.0 s");
        lab.kmk(&consume).code(1).says(&words).says("orders");
        let consume = format!("consume --topic order --cluster {cluster} --group g --timeout 1s");
        lab.kmk(&consume).code(1);
    }
    lab.kmk("status").code(0);
    assert_eq!(topics(), before);

    println!("fewer than asked for");
    let short = lab
        .kmk("consume --topic primary.orders --messages 12 --timeout 2s")
        .code(1);
    assert_eq!(short.lines().len(), 10);
    short.says("error: read 10 of 12 in 2.0 s");

    println!("a reader that has gone");
    lab.kmk("produce --topic many --messages 100000").code(0);
    let line = "kmk consume --lab $LAB many --cluster primary | head -1; exit ${PIPESTATUS[0]}";
    let ended = lab.bash(line).code(0);
    assert_eq!(ended.lines().len(), 1);
    assert_eq!(ended.stderr, "");

    println!("a full disk behind stderr");
    for line in [
        "produce --topic full",
        "consume --topic full --cluster primary",
    ] {
        let ended = lab.bash(&format!("kmk {line} --lab $LAB 2>/dev/full"));
        println!("{}", ended.code(0).text());
    }

    println!("standard input closed");
    let ended = lab.bash("kmk produce --lab $LAB closed --file - <&-");
    println!("  {}{}", ended.text(), ended.stderr);
    assert!(!ended.stderr.contains("panic"));
    assert!(
        !ended.stderr.contains("--messages 0"),
        "no command to type: {}",
        ended.stderr
    );
    ended.code(0).prints("0 records acknowledged");

    println!("the broker is silent");
    docker(&format!("pause {}", lab.container("secondary")));
    let consume = "consume --topic primary.orders --messages 10 --timeout 3s";
    let ended = lab.kmk(consume).code(3);
    docker(&format!("unpause {}", lab.container("secondary")));
    assert!(ended.took < Duration::from_secs(6), "{:?}", ended.took);
    ended.says("no Kafka broker can be reached");

    println!("the broker dies");
    let mut running = lab.start("consume --topic primary.orders --messages 12 --timeout 8s");
    running.until("10 are read", |running| {
        String::from_utf8_lossy(&running.stdout()).lines().count() == 10
    });
    docker(&format!("kill {}", lab.container("secondary")));
    let ended = running
        .finish()
        .code(1)
        .says("error: read 10 of 12 in ")
        .says("; then ");
    println!("  {}", ended.stderr);
    assert!(ended.took < Duration::from_secs(14), "{:?}", ended.took);
    lab.kmk(consume)
        .code(3)
        .says("no Kafka broker can be reached");
}
