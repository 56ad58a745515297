//! How far copies are behind: what is said, against what is known to be there. One lab for all of it.

use crate::engine::docker;
use crate::kcat::{CROSSING, Kcat};
use crate::lab::{Lab, kafka_tool};
use crate::process::{PATIENCE, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

const MIRRORMAKER: &str = "mm2-secondary";

#[test]
#[ignore = "needs Docker"]
fn lag_is_what_is_not_on_the_target() {
    let lab = Lab::deployed("lag", "--exclude secret");
    let numbers = |from: usize, to: usize| {
        let lines = (from..to).map(|n| format!("{n:06}\n"));
        lines.collect::<String>()
    };

    println!("a mark at the end of a transaction is no record");
    let perf = "--topic ledger --num-records 25 --record-size 10 --throughput -1 --transactional-id t \
                --transaction-duration-ms 60000 --producer-props bootstrap.servers=primary:9092";
    let primary = lab.container("primary");
    kafka_tool(&primary, "kafka-producer-perf-test.sh", perf, b"");
    lab.secondary().until_it_is_past_or_at("primary.ledger", 25);
    assert_eq!(lab.primary().end("ledger"), 26, "25 records and a mark");
    until_up_to_date(&lab);
    let ledger = topic(&lab, "ledger");
    assert_eq!(
        (&ledger["behind"], &ledger["exact"]),
        (&json!(0), &json!(true))
    );
    assert_eq!(ledger["partitions"][0]["position"], 24);

    println!("nor is one that is removed a lost record");
    let truncated = lab.kmk("topic truncate ledger --before end").code(0);
    let told = &truncated.stderr;
    assert!(!told.contains("never will be"), "{told}");
    truncated.says("unknown whether all of them had been mirrored to secondary");
    lab.kmk("lag --max 0")
        .code(0)
        .says("note: ")
        .says("`ledger`: one offset");
    lab.kmk("status")
        .code(0)
        .prints("healthy")
        .says("`ledger`: one offset");
    let ledger = topic(&lab, "ledger");
    assert_eq!(ledger["never_copied"], 0);
    assert_eq!(ledger["possibly_never_copied"], 1);
    lab.kmk("explain ledger")
        .code(1)
        .prints("nothing to mirror")
        .prints("its records were removed");
    plain_records_that_may_be_marks(&lab);

    println!("an excluded topic is no lag");
    lab.primary().produce("secret", &numbers(0, 7));
    let secret = topic(&lab, "secret");
    assert_eq!(
        (&secret["state"], &secret["behind"]),
        (&json!("excluded"), &json!(0))
    );
    lab.kmk("lag")
        .code(0)
        .prints("primary->secondary: 0 records behind")
        .prints("not mirrored (excluded): secret");

    println!("MirrorMaker stands still");
    lab.primary().produce("orders", &numbers(0, 100));
    lab.secondary()
        .until_it_is_past_or_at("primary.orders", 100);
    until_up_to_date(&lab);
    docker(&format!("stop -t 10 {}", lab.container(MIRRORMAKER)));
    lab.primary().produce("orders", &numbers(100, 1_334));
    // there before it is mirrored, and some of it gone already
    lab.primary().produce("old", &numbers(0, 100));
    lab.kmk("topic truncate old --cluster primary --before 40 --force")
        .code(0);
    let first = lag(&lab);
    let of = |lag: &Value, name: &str| find(lag, name).clone();
    let orders = of(&first, "orders");
    assert_eq!(
        (&orders["behind"], &orders["exact"]),
        (&json!(1_234), &json!(true))
    );
    let old = of(&first, "old");
    assert_eq!(
        (&old["state"], &old["behind"]),
        (&json!("not_created_yet"), &json!(60))
    );
    assert_eq!(first["flows"][0]["behind"], 1_294);
    let age = |lag: &Value| lag["flows"][0]["seconds_behind"].as_f64().unwrap();
    assert!(age(&first) > 0.0 && age(&first) < 60.0, "{first}");
    until("a second more has passed", PATIENCE, || {
        (age(&lag(&lab)) > age(&first) + 1.0).then_some(())
    });
    let status = lab.kmk("status --json").code(1).json();
    assert_eq!(status["flows"][0]["behind"], 1_294);
    lab.kmk("lag --max 1293 --max-age 1s")
        .code(1)
        .says("1294 records behind, more than 1293")
        .says("s behind, more than 1s");
    // few enough, and yet no answer that all will be there
    lab.kmk("lag --max 1294")
        .code(1)
        .says("no progress: `old`, `orders`");
    docker(&format!("start {}", lab.container(MIRRORMAKER)));
    until_up_to_date(&lab);
    assert_eq!(lab.secondary().end("primary.old"), 60);
    assert_eq!(topic(&lab, "old")["lost"], 0);

    repeated(&lab, &numbers(0, 200_000));
    watched(&lab);
}

/// On a cluster that has seen a transaction, plain records are removed before they are mirrored.
fn plain_records_that_may_be_marks(lab: &Lab) {
    println!("what may have been records is no health, and no yes");
    lab.primary().produce("gone", "a\nb\n");
    lab.secondary().until_it_is_past_or_at("primary.gone", 2);
    until_up_to_date(lab);
    let mirror_maker = lab.container(MIRRORMAKER);
    docker(&format!("stop -t 10 {mirror_maker}"));
    lab.primary().produce("gone", "c\nd\ne\n");
    lab.kmk("topic truncate gone --before end")
        .code(0)
        .says("unknown whether");
    docker(&format!("start {mirror_maker}"));
    let doubt = "unknown whether records of `gone` were lost: 3 offsets were removed on primary";
    until("only that is wrong", CROSSING, || {
        let told = lab.kmk("status").text();
        told.contains(": UNKNOWN").then_some(())
    });
    lab.kmk("status").code(1).prints(doubt);
    let status = lab.kmk("status --json").code(1).json();
    let flow = &status["flows"][0];
    assert_eq!(flow["problems"], flow["uncertain"]);
    assert_eq!(
        (&status["healthy"], &flow["state"]),
        (&json!(false), &json!("running"))
    );
    for flags in ["", " --max 0", " --max-age 1h"] {
        lab.kmk(&format!("lag{flags}"))
            .code(1)
            .prints("unknown whether records were lost")
            .says(doubt);
    }
    lab.kmk("explain gone")
        .code(1)
        .prints("unknown whether records were lost: ");
    // until a later record of the partition is mirrored
    lab.primary().produce("gone", "f\n");
    lab.secondary().until_it_is_past_or_at("primary.gone", 3);
    until("it is noted", CROSSING, || {
        let lag = lab.kmk("lag --json").json();
        (lag["flows"][0]["possibly_never_copied"] == 1).then_some(())
    });
    lab.kmk("lag --max 0").code(0);
    lab.kmk("status").code(0);
}

/// MirrorMaker is killed while it copies, and repeats what it had not noted.
fn repeated(lab: &Lab, lines: &str) {
    println!("MirrorMaker repeats records");
    fs::write(lab.home.path().join("lines"), lines).unwrap();
    let running = lab.start("produce --topic busy --file lines --rate 50000/s --quiet");
    lab.secondary()
        .until_it_is_past("primary.busy", 10_000, CROSSING);
    docker(&format!("kill {}", lab.container(MIRRORMAKER)));
    running.finish().code(0);
    let behind = topic(lab, "busy")["behind"].as_u64().unwrap();
    let lacking = 200_000 - lab.secondary().end("primary.busy");
    println!("  {behind} behind, {lacking} not on the target");
    assert!(
        behind >= lacking,
        "what is written and not noted will come once more"
    );
    docker(&format!("start {}", lab.container(MIRRORMAKER)));
    until_up_to_date(lab);
    let copy = lab.secondary().values("primary.busy");
    println!("  MEASURED {} repeated", copy.len() - 200_000);
    let there: BTreeSet<&str> = copy.iter().map(String::as_str).collect();
    assert_eq!(there.len(), 200_000, "0 behind, and all of it is there");
    // and some more that nobody can deny
    lab.secondary().produce("primary.busy", "again\nagain\n");
    let busy = topic(lab, "busy");
    assert_eq!((&busy["behind"], &busy["lost"]), (&json!(0), &json!(0)));
}

/// A broker falls silent while someone watches.
fn watched(lab: &Lab) {
    println!("watched");
    let count = |text: &[u8], part: &str| String::from_utf8_lossy(text).matches(part).count();
    let mut running = lab.start("status --watch --every 200ms");
    running.until("a line tells of no lag", |running| {
        count(&running.stdout(), " state=running ") > 1 && count(&running.stdout(), " in=0 ") > 0
    });
    docker(&format!("pause {}", lab.container("secondary")));
    running.until("it is not known", |running| {
        count(
            &running.stdout(),
            " state=unhealthy in=- out=- behind=- seconds=- ",
        ) > 0
    });
    let part = lab.kmk("lag").code(1);
    docker(&format!("unpause {}", lab.container("secondary")));
    part.prints("primary->secondary: unknown: cluster secondary does not answer");
    let before = count(&running.stdout(), " state=running ");
    running.until("all is well again", |running| {
        count(&running.stdout(), " state=running ") > before
    });
    running.interrupt();
    let left = running.finish().code(130);
    assert!(!left.stderr.contains("error"), "{}", left.stderr);
}

fn lag(lab: &Lab) -> Value {
    lab.kmk("lag --json").code(0).json()
}

fn find<'a>(lag: &'a Value, name: &str) -> &'a Value {
    let mut topics = lag["flows"][0]["topics"].as_array().unwrap().iter();
    let found = topics.find(|topic| topic["source"] == name);
    found.unwrap_or_else(|| panic!("no topic {name}: {lag}"))
}

fn topic(lab: &Lab, name: &str) -> Value {
    find(&lag(lab), name).clone()
}

#[track_caller]
fn until_up_to_date(lab: &Lab) {
    until("nothing is left to copy", CROSSING, || {
        let lag = lag(lab);
        let flow = &lag["flows"][0];
        (flow["behind"] == 0 && flow["seconds_behind"] == 0.0).then_some(())
    });
}

impl Kcat {
    /// Waits until the first partition of a topic has so many offsets.
    #[track_caller]
    fn until_it_is_past_or_at(&self, topic: &str, end: u64) {
        self.until_it_is_past(topic, end - 1, CROSSING);
    }
}
