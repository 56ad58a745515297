//! What kmk says of a lab in which all is well: every verb against brokers that answer, and a MirrorMaker that copies.

use crate::deploy::UP_COMMAND;
use crate::docker::{Docker, Rule};
use crate::kmk::{DEPLOY, Kmk};
use crate::mirror::Mirror;
use indoc::indoc;
use kmk_kafka::testing::{FakeBroker, Fault};
use serde_json::{Value, json};
use std::sync::Arc;

/// 28 May 2026, 20:26:40 UTC, in milliseconds.
const THEN: i64 = 1_780_000_000_000;

/// A lab that answers.
pub(crate) struct Well {
    pub(crate) kmk: Kmk,
    pub(crate) primary: Arc<FakeBroker>,
    pub(crate) secondary: Arc<FakeBroker>,
    pub(crate) mirror: Option<Mirror>,
}

impl Well {
    /// The default lab, running, without topics of anybody's.
    pub(crate) fn new() -> Self {
        Self::of(Kmk::on(|kmk| {
            Docker::works().with(&kmk.lab()).rule(Rule::on("logs *"))
        }))
    }

    /// Whose brokers listen from now on.
    pub(crate) fn of(kmk: Kmk) -> Self {
        let [primary, secondary] = kmk
            .ports()
            .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
        let mirror = Mirror::start(
            ("primary", Arc::clone(&primary)),
            ("secondary", Arc::clone(&secondary)),
        );
        Self {
            kmk,
            primary,
            secondary,
            mirror: Some(mirror),
        }
    }

    /// With three records in topic `orders`, of two partitions, and a group that has read two of them.
    pub(crate) fn with_orders() -> Self {
        Self::new().and_orders()
    }

    pub(crate) fn and_orders(self) -> Self {
        let lab = self;
        lab.primary.set_clock(THEN);
        lab.primary.topic("orders", 2, &[]);
        lab.primary.commit("billing", "orders", 0, 2);
        lab.primary.commit("billing", "orders", 1, 0);
        let first = [(Some("k1"), Some("one")), (Some("k2"), Some("two"))];
        lab.primary.append("orders", 0, &first);
        lab.primary
            .append("orders", 1, &[(Some("k3"), Some("three"))]);
        while lab
            .secondary
            .groups()
            .get("billing")
            .map_or(0, std::collections::BTreeMap::len)
            < 2
        {
            std::thread::yield_now();
        }
        lab
    }

    /// The records of a partition on the primary, each as its value.
    fn values(&self, topic: &str, partition: i32) -> Vec<String> {
        let records = self.primary.records(topic, partition).into_iter();
        let values = records.map(|record| record.value.unwrap_or_default());
        values
            .map(|value| String::from_utf8(value).unwrap())
            .collect()
    }
}

#[test]
fn a_fresh_lab_is_deployed_and_a_canary_crosses() {
    let kmk = Kmk::on(|kmk| Docker::works().up_makes(&kmk.lab()));
    let running = kmk.start(DEPLOY);
    running.until_called("compose --ansi");
    // the ports had to be free up to here
    let brokers = kmk
        .ports()
        .map(|port| Arc::new(FakeBroker::start_on(port).unwrap()));
    let [primary, secondary] = brokers;
    let _mirror = Mirror::start(
        ("primary", primary.clone()),
        ("secondary", secondary.clone()),
    );
    running
        .finish()
        .code(0)
        .stdout(indoc! {"
            Lab `demo` is up and replicates, after <time>.
              primary    127.0.0.1:$PRIMARY
              secondary  127.0.0.1:$SECONDARY
        "})
        .stderr(indoc! {"
            Starting the containers ...
            ✓ Started the containers (<time>)
            Waiting for the brokers ...
            ✓ All brokers answer (<time>)
            Waiting until a canary has crossed every flow ...
            ✓ A canary has crossed every flow (<time>)

            Next:
              kmk produce my_topic --messages 10  # send records to primary
              kmk consume primary.my_topic --cluster secondary --messages 10  # read the mirrored records
              kmk status  # check health
              kmk destroy  # remove everything
        "})
        .changed(&[UP_COMMAND]);
    let canary = secondary.records("primary.kmk-canary", 0);
    assert_eq!(canary, primary.records("kmk-canary", 0));
    assert_eq!(canary.len(), 1);
}

#[test]
fn produce_says_what_is_written_and_where_the_copies_are() {
    let lab = Well::new();
    let run = lab.kmk.run("produce orders --messages 5");
    run.code(0)
        .stdout(indoc! {"
            5 records acknowledged in topic `orders` in <time>
            PARTITION  RECORDS  OFFSETS
            0          5        0..4
        "})
        .stderr(indoc! {"

            Next:
              kmk consume primary.orders --cluster secondary --messages 5  # read the mirrored records
        "});
    assert_eq!(lab.values("orders", 0).len(), 5);

    lab.primary.topic("events", 2, &[]);
    let flags =
        "--key k --value hello --header a=b --timestamp 2026-01-01T00:00:00Z --partition 1 --json";
    let ran = lab.kmk.run(&format!("produce events {flags}")).code(0);
    let mut told: Value = serde_json::from_str(ran.text()).unwrap();
    assert!(told["seconds"].take().as_f64().unwrap() > 0.0);
    let expected = json!({
        "topic": "events", "end": "complete", "client": "wire", "acknowledged": 1, "not_acknowledged": 0, "in_doubt": 0,
        "possible_duplicates": 0, "bytes": 6, "seconds": null,
        "partitions": [{"partition": 1, "records": 1, "first_offset": 0, "last_offset": 0}],
    });
    assert_eq!(told, expected);
    lab.kmk
        .run("consume events --cluster primary --partition 1 --format json")
        .code(0)
        .stdout(concat!(
            r#"{"topic":"events","partition":1,"offset":0,"timestamp":1767225600000,"key":"k","#,
            r#""value":"hello","headers":[{"key":"a","value":"b"}]}"#,
            "\n"
        ));
}

#[test]
fn a_write_that_is_refused_is_told_and_one_whose_answer_is_lost_is_written_once() {
    let lab = Well::with_orders();
    let line = "produce orders --value x --partition 0";
    lab.primary.fail("Produce", Fault::Code(29));
    lab.kmk
        .run(line)
        .code(1)
        .stdout("0 records acknowledged in topic `orders` in <time>\n")
        .stderr(indoc! {"
            error: 1 record not acknowledged, and not written: the broker refused to write to partition 0 of topic `orders`: TOPIC_AUTHORIZATION_FAILED
              hint: the cluster uses ACLs, and kmk connects without credentials: allow anonymous access, or use another listener
        "});
    assert_eq!(lab.values("orders", 0), ["one", "two"]);
    for (fault, offset) in [(Fault::HangUp, 2), (Fault::Truncated, 3)] {
        lab.primary.fail("Produce", fault);
        lab.kmk.run(&format!("{line} --idempotent")).code(0).stdout(&format!(
            "1 record acknowledged in topic `orders` in <time>\nPARTITION  RECORDS  OFFSETS\n0          1        {offset}..{offset}\n"
        ));
    }
    assert_eq!(lab.values("orders", 0), ["one", "two", "x", "x"]);
}

#[test]
fn consume_prints_the_copies_and_commits_for_a_group() {
    let lab = Well::with_orders();
    let kmk = &lab.kmk;
    kmk.run("consume primary.orders")
        .code(0)
        .stdout("one\ntwo\nthree\n")
        .stderr("");
    kmk.run("consume primary.orders --partition 0 --from 1 --format json")
        .code(0)
        .stdout(concat!(
            r#"{"topic":"primary.orders","partition":0,"offset":1,"timestamp":1780000000000,"key":"k2","value":"two","headers":[]}"#,
            "\n"
        ))
        .stderr("");
    kmk.run("consume primary.orders --group readers --messages 3")
        .code(0)
        .stdout("one\ntwo\nthree\n");
    let place = |partition| ("primary.orders".to_owned(), partition);
    let committed = lab.secondary.groups()["readers"].clone();
    assert_eq!(committed, [(place(0), 2), (place(1), 1)].into());
    kmk.run("consume orders").code(2).stdout("").stderr(indoc! {"
        error: `orders` is on primary (`--cluster primary`); its mirrored topic here, on secondary, is `primary.orders`
          hint: `kmk consume primary.orders --cluster secondary` reads the mirrored records, `kmk consume orders --cluster primary` those on primary
    "});
}

#[test]
fn status_and_lag_of_a_lab_that_replicates() {
    let lab = Well::with_orders();
    lab.kmk
        .run("status")
        .code(0)
        .stdout(indoc! {"
            Lab `demo`: healthy

            CONTAINER      STATE    FOR
            primary        running  <time>
            secondary      running  <time>
            mm2-secondary  running  <time>

            CLUSTER    BROKERS  TOPICS  ADDRESS
            primary    1/1      1       127.0.0.1:$PRIMARY
            secondary  1/1      1       127.0.0.1:$SECONDARY

            FLOW                STATE    CANARY  TOPIC       MIRRORED AS     BEHIND  SECONDS
            primary->secondary  running  <time>  1 mirrored                  0       0.0
                                                 orders      primary.orders  0       0.0
        "})
        .stderr("");
    lab.kmk
        .run("lag")
        .code(0)
        .stdout(indoc! {"
            primary->secondary: 0 records behind
            TOPIC   PARTITIONS  BEHIND  SECONDS
            orders  2           0       0.0
        "})
        .stderr("");
    lab.kmk.run("lag --max 0").code(0);
}

#[test]
fn lag_of_what_mirrormaker_has_not_copied() {
    let mut lab = Well::with_orders();
    drop(lab.mirror.take());
    lab.primary
        .append("orders", 1, &[(None, Some("late")), (None, None)]);
    let ran = lab.kmk.run("lag --json --max 0").code(1);
    let told: Value = serde_json::from_str(ran.text()).unwrap();
    let flow = &told["flows"][0];
    assert_eq!((&flow["behind"], &flow["lost"]), (&json!(2), &json!(0)));
    let orders = flow["topics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|topic| topic["source"] == "orders");
    let partition = &orders.unwrap()["partitions"][1];
    assert_eq!(
        (&partition["end"], &partition["position"]),
        (&json!(3), &json!(0))
    );
    ran.stderr_has("2 records behind");
    lab.kmk
        .run("status")
        .code(1)
        .stdout_has("Lab `demo`: NOT HEALTHY\n")
        .stdout_has("primary->secondary  unhealthy  late ");
}

#[test]
fn topics_of_both_clusters() {
    let lab = Well::with_orders();
    let kmk = &lab.kmk;
    for line in ["topic list", "topics"] {
        kmk.run(line)
            .code(0)
            .stdout(indoc! {"
                primary (127.0.0.1:$PRIMARY)
                TOPIC   PARTITIONS  REPLICAS  RECORDS  BYTES  MIRRORED
                orders  2           1         3        160 B  to secondary

                secondary (127.0.0.1:$SECONDARY)
                TOPIC           PARTITIONS  REPLICAS  RECORDS  BYTES  MIRRORED
                primary.orders  2           1         3        160 B  from primary
            "})
            .stderr("\n6 topics of Kafka, MirrorMaker and kmk itself hidden; --all shows them\n");
    }
    kmk.run("topic describe primary.orders")
        .code(0)
        .stderr("")
        .stdout(indoc! {"
        primary.orders on secondary: 2 partitions, 1 replica, 3 records, 160 B
        mirrored from orders on primary

        PARTITION  LEADER  REPLICAS  IN SYNC  FIRST  END  BYTES
        0          1       1         1        0      2    85 B
        1          1       1         1        0      1    75 B
    "});
    kmk.run("topic create new --partitions 3 --config retention.ms=3600000")
        .code(0)
        .stdout("Created topic `new` on primary: 3 partitions, 1 replica.\n")
        .stderr(indoc! {"

            Next:
              kmk produce new --messages 10  # send records
              kmk topic describe new  # check it
        "});
    kmk.run("topic describe new")
        .code(0)
        .stdout_has("retention.ms");
    let topics = lab.primary.topics();
    assert!(topics.contains(&("new".to_owned(), 3)), "{topics:?}");
}

#[test]
fn groups_of_both_clusters_and_where_they_go_on() {
    let lab = Well::with_orders();
    lab.primary.member("payers", "m1", "orders", &[0]);
    for line in ["group list", "groups"] {
        lab.kmk
            .run(line)
            .code(0)
            .stdout(indoc! {"
                primary (127.0.0.1:$PRIMARY)
                GROUP    STATE   MEMBERS  TOPICS  LAG
                billing  Empty   0        1       1
                  primary->secondary: resumes exactly where it stopped
                payers   Stable  1        1       -, 2 partitions not started

                secondary (127.0.0.1:$SECONDARY)
                GROUP    STATE  MEMBERS  TOPICS  LAG
                billing  Empty  0        1       1
            "})
            .stderr("\nNext:\n  kmk group describe billing  # show every partition\n");
    }
    lab.kmk
        .run("group describe billing")
        .code(0)
        .stderr("")
        .stdout(indoc! {"
        primary (127.0.0.1:$PRIMARY)
        billing: Empty, 0 members, lag 1
        TOPIC   PARTITION  OFFSET  END  LAG
        orders  0          2       2    0
        orders  1          0       1    1
        primary->secondary: resumes exactly where it stopped
        REMOTE TOPIC    PARTITION  OFFSET  SYNC  TARGET  REDELIVERED  SKIPPED  WHY
        primary.orders  0          2       1->1  2       0            0        in sync
        primary.orders  1          0       0->0  0       0            0        in sync

        secondary (127.0.0.1:$SECONDARY)
        billing: Empty, 0 members, lag 1
        TOPIC           PARTITION  OFFSET  END  LAG
        primary.orders  0          2       2    0
        primary.orders  1          0       1    1
    "});
}

#[test]
fn explain_of_a_topic_that_is_up_to_date() {
    Well::with_orders()
        .kmk
        .run("explain orders")
        .code(0)
        .stderr("")
        .stdout(indoc! {"
        primary->secondary: mirrored: up to date
          seen: `orders` on primary: 2 partitions, 3 records
          seen: `primary.orders` on secondary: 2 partitions, 3 records
          seen: MirrorMaker has mirrored `orders` up to its end, and its first record is on secondary
          do: kmk consume primary.orders --cluster secondary
    "});
}

#[test]
fn a_flow_may_be_named_without_an_arrow() {
    let lab = Well::with_orders();
    for (line, part) in [
        (
            "explain orders",
            "primary->secondary: mirrored: up to date\n",
        ),
        ("lag", "primary->secondary: 0 records behind\n"),
        (
            "group list",
            "\n  primary->secondary: resumes exactly where it stopped\n",
        ),
        (
            "group describe billing",
            "\nprimary->secondary: resumes exactly where it stopped\n",
        ),
        (
            "verify --messages 10",
            "\nVERIFIED: primary->secondary: all 10 records arrived",
        ),
    ] {
        let ran = lab.kmk.run(&format!("{line} --flow primary:secondary"));
        ran.code(0).stdout_has(part);
    }
}

#[test]
fn explain_of_a_topic_that_is_not_there() {
    let ran = Well::new().kmk.run("explain nothing");
    ran.code(2).stderr("").stdout(indoc! {"
        primary->secondary: not mirrored: there is no topic `nothing` on primary
          seen: no `nothing` on primary
          seen: no `primary.nothing` on secondary
          do: kmk topic list --cluster primary
          do: kmk topic create nothing --cluster primary
    "});
}

#[test]
fn verify_accounts_for_every_record() {
    let lab = Well::new();
    let ran = lab.kmk.run("verify --messages 1000").code(0);
    let text = ran.text();
    // how long each took is another story each time
    let (account, latency) = text.split_once("LATENCY").unwrap();
    assert_eq!(
        account,
        indoc! {"
            Sent 1000 records into `kmk-verify` on primary (3 partitions) in <time>: all acknowledged.

            primary->secondary: `primary.kmk-verify` on secondary
            PARTITION  SENT  ACKED  ARRIVED  MISSING  DUPLICATED  REORDERED
            0          334   334    334      0        0           0
            1          333   333    333      0        0           0
            2          333   333    333      0        0           0
            all        1000  1000   1000     0        0           0

        "}
    );
    let (_, verdict) = latency.split_once("\n\nVERIFIED").unwrap();
    assert_eq!(
        verdict,
        ": primary->secondary: all 1000 records arrived, unchanged and in order in <time>\n"
    );
    for (broker, topic) in [
        (&lab.primary, "kmk-verify"),
        (&lab.secondary, "primary.kmk-verify"),
    ] {
        assert_eq!(
            (broker.end(topic, 0), broker.records(topic, 0).len()),
            (334, 0),
            "{topic} is emptied"
        );
    }
}

#[test]
fn a_topic_is_altered_and_emptied() {
    let lab = Well::with_orders();
    let kmk = &lab.kmk;
    kmk.run("topic alter orders --config retention.ms=60000 --partitions 3")
        .code(0)
        .stdout("Altered topic `orders` on primary: 3 partitions, retention.ms=60000.\n")
        .stderr(indoc! {"
            note: `primary.orders` on secondary gets the new partitions within 1 s while MirrorMaker runs (refresh.topics.interval.seconds)
            note: `primary.orders` on secondary gets retention.ms within 600 s while MirrorMaker runs (sync.topic.configs.interval.seconds)

            Next:
              kmk topic describe orders  # check it
        "});
    assert!(lab.primary.topics().contains(&("orders".to_owned(), 3)));
    kmk.run("topic truncate orders --before end")
        .code(0)
        .stdout("Removed 3 records of topic `orders` on primary, in 3 partitions.\n")
        .stderr("\nNext:\n  kmk topic describe orders  # check it\n");
    assert_eq!(lab.values("orders", 0), [""; 0]);
    // what was removed is copied already: nothing is lost by it
    kmk.run("consume primary.orders")
        .code(0)
        .stdout("one\ntwo\nthree\n");
    kmk.run("lag --max 0")
        .code(0)
        .stdout_has("primary->secondary: 0 records behind\n");
}

#[test]
fn a_group_is_reset_and_deleted() {
    let lab = Well::with_orders();
    let kmk = &lab.kmk;
    kmk.run("group reset billing --topic primary.orders --to beginning")
        .code(0);
    let place = |partition| ("primary.orders".to_owned(), partition);
    let places = lab.secondary.groups()["billing"].clone();
    assert_eq!(places, [(place(0), 0), (place(1), 0)].into());
    kmk.run("group delete billing")
        .code(0)
        .stdout("Deleted group `billing` on secondary.\n")
        .stderr("\nNext:\n  kmk group list --cluster secondary  # list the remaining groups\n");
    assert!(lab.secondary.groups().is_empty());
    assert!(lab.primary.groups().contains_key("billing"));
}
