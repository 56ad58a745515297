//! Lines that are as slow as real ones: measured by kcat, and by a socket through the relay.

use crate::engine::{docker, docker_words};
use crate::kcat::CROSSING;
use crate::lab::Lab;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// An `ApiVersions` request, version 0, of no client: any broker answers it.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// The median of how long the broker takes to answer through the relay, in milliseconds.
fn round_trip(port: &str) -> f64 {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut times: Vec<f64> = (0..20)
        .map(|_| {
            let begun = Instant::now();
            stream.write_all(&API_VERSIONS).unwrap();
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let took = begun.elapsed();
            let mut answer = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut answer).unwrap();
            took.as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The port on this machine that leads to one of a relay's.
fn port(lab: &Lab, inside: u16) -> String {
    let relay = lab.container("link-primary-secondary");
    let published = docker(&format!("port {relay} {inside}/tcp"));
    published.rsplit(':').next().unwrap().to_owned()
}

#[track_caller]
fn is_near(measured: f64, asked: f64) {
    // relay and broker take a moment, too, whatever is asked
    assert!(
        (measured - asked).abs() <= asked * 0.15 + 1.0,
        "asked {asked}, measured {measured}"
    );
}

/// What `kmk link show` measures of the only link.
fn measured(lab: &Lab, flags: &str) -> serde_json::Value {
    let shown = lab.kmk(&format!("link show --json {flags}")).code(0).json();
    shown["links"][0]["measured"].clone()
}

#[test]
#[ignore = "needs Docker"]
fn a_line_is_as_slow_as_it_was_asked_to_be_and_nothing_goes_round_it() {
    let lab = Lab::deployed("slow-link", "--link rtt=80ms");
    is_near(round_trip(&port(&lab, 9092)), 80.0);
    let networks = "{{json .NetworkSettings.Networks}}";
    let mirror = lab.container("mm2-secondary");
    let mirror = docker_words(&["inspect", "--format", networks, &mirror], b"");
    assert!(!mirror.contains(&lab.network("primary")), "{mirror}");
    let slow = lab.kmk("status --json").code(0).json();
    let micros = slow["flows"][0]["canary"]["micros"].as_u64().unwrap();
    assert!((35_000..250_000).contains(&micros), "{micros}");

    // a record cannot be here before it has gone half a round trip
    let record = ["through".to_owned()].into();
    let begun = Instant::now();
    lab.primary().produce("orders", "through\n");
    lab.secondary()
        .until_it_has("primary.orders", &record, CROSSING);
    assert!(begun.elapsed() > Duration::from_millis(40));

    lab.kmk("link set --rtt 250ms")
        .code(0)
        .prints("now has rtt=250ms");
    is_near(round_trip(&port(&lab, 9092)), 250.0);
    // late, and no longer than that: not degraded
    lab.kmk("status").code(0);

    docker(&format!(
        "restart {}",
        lab.container("link-primary-secondary")
    ));
    lab.kmk("status").code(1).prints(
        "relay link-primary-secondary has lost its shape: it was restarted, and passes nothing on",
    );
    let before = lab.secondary().end("primary.orders");
    lab.primary().produce("orders", "held\n");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(lab.secondary().end("primary.orders"), before);
    lab.kmk("deploy")
        .code(0)
        .says("stays as `kmk link set` asked for it: rtt=250ms")
        .prints("is repaired");
    is_near(round_trip(&port(&lab, 9092)), 250.0);
    let all = ["through".to_owned(), "held".to_owned()].into();
    lab.secondary()
        .until_it_has("primary.orders", &all, CROSSING);
}

mod matrix {
    use super::*;

    /// How long each of these records was on its way, in milliseconds: by the time that kcat gave it, and that at which the
    /// broker of the target wrote it.
    fn latencies(lab: &Lab, records: u64) -> Vec<i64> {
        let from = lab.secondary().end("primary.single");
        for number in 0..records {
            lab.primary().produce("single", &format!("{number}\n"));
        }
        let last = from + records - 1;
        (lab.secondary()).until_it_is_past("primary.single", last, CROSSING);
        let times = |stamps: Vec<String>| -> Vec<i64> {
            let new = stamps.iter().skip(usize::try_from(from).unwrap());
            new.map(|stamp| stamp.parse().unwrap()).collect()
        };
        let sent = times(lab.primary().read("single", "%T"));
        let written = times(lab.secondary().read("primary.single", "%T"));
        assert_eq!(sent.len(), written.len());
        let pairs = written.iter().zip(&sent);
        let mut late: Vec<i64> = pairs.map(|(written, sent)| written - sent).collect();
        late.sort_unstable();
        late
    }

    #[test]
    #[ignore = "needs Docker"]
    fn each_round_trip_is_what_was_asked_for_and_records_are_as_late() {
        let lab = Lab::deployed("slow-link-rtt", "--link rtt=10ms");
        lab.primary().produce("single", "first\n");
        (lab.secondary()).until_it_has("primary.single", &["first".to_owned()].into(), CROSSING);
        // the target then says when it wrote a record; MirrorMaker does not sync this setting
        lab.kmk("topic alter primary.single --cluster secondary --config message.timestamp.type=LogAppendTime")
            .code(0);
        for rtt in [10, 40, 100, 250] {
            lab.kmk(&format!("link set --rtt {rtt}ms")).code(0);
            let port = port(&lab, 9092);
            is_near(round_trip(&port), rtt.into());
            is_near(measured(&lab, "")["rtt_ms"].as_f64().unwrap(), rtt.into());
            let late = latencies(&lab, 21);
            // none before it has gone half of it; it waits for the next fetch at most
            let (least, median) = (late[0], late[10]);
            assert!(least >= i64::from(rtt) / 2 - 1, "{rtt}: {late:?}");
            assert!(median <= i64::from(rtt) * 3 / 2 + 100, "{rtt}: {late:?}");
        }
    }

    /// How many records of a topic arrive in a second, while they are held up by the line.
    fn arrive(lab: &Lab, topic: &str, [from, to]: [u64; 2]) -> f64 {
        lab.secondary().until_it_is_past(topic, from, CROSSING);
        let (begun, first) = (Instant::now(), lab.secondary().end(topic));
        lab.secondary().until_it_is_past(topic, to, CROSSING);
        let more = lab.secondary().end(topic) - first;
        f64::from(u32::try_from(more).unwrap()) / begun.elapsed().as_secs_f64()
    }

    #[test]
    #[ignore = "needs Docker"]
    fn each_rate_is_what_was_asked_for_and_mirrormaker_gets_no_more() {
        let lab = Lab::deployed("slow-link-rate", "--link rtt=40ms,rate=10mbit");
        for (mbit, count) in [(10_u32, 8_000), (100, 80_000)] {
            lab.kmk(&format!("link set --rtt 40ms --rate {mbit}mbit"))
                .code(0);
            let kbit = measured(&lab, "--load")["rate_kbit"].as_f64().unwrap();
            is_near(kbit / 1000.0, mbit.into());
            let (topic, text) = (
                format!("bulk-{mbit}"),
                format!("{:0>1000}\n", "").repeat(count),
            );
            lab.primary().produce(&topic, &text);
            let count = u64::try_from(count).unwrap();
            let bounds = [count / 4, count * 9 / 10];
            let rate = arrive(&lab, &format!("primary.{topic}"), bounds);
            // 1,000 bytes and some of the format's
            is_near(rate * 1_010.0 * 8.0 / 1e6, mbit.into());
        }
        assert!(
            !lab.primary()
                .topics()
                .keys()
                .any(|name| name.contains("load"))
        );
        let mirrored = lab.secondary().topics();
        assert!(
            !mirrored.keys().any(|name| name.contains("load")),
            "{mirrored:?}"
        );
    }

    #[test]
    #[ignore = "needs Docker"]
    fn relays_are_added_to_a_lab_that_has_none_and_records_stay() {
        let lab = Lab::deployed("slow-link-set", "");
        lab.primary().produce("orders", "before\n");
        let before = ["before".to_owned()].into();
        lab.secondary()
            .until_it_has("primary.orders", &before, CROSSING);
        lab.kmk("link set --preset transatlantic")
            .code(0)
            .prints("Its relays were added, and MirrorMaker was recreated; records are kept.");
        let rtt = round_trip(&port(&lab, 9092));
        assert!((70.0..95.0).contains(&rtt), "{rtt}");
        lab.primary().produce("orders", "after\n");
        let both = ["before".to_owned(), "after".to_owned()].into();
        lab.secondary()
            .until_it_has("primary.orders", &both, CROSSING);
        lab.kmk("stop").code(0);
        lab.kmk("start").code(0);
        let rtt = round_trip(&port(&lab, 9092));
        assert!((70.0..95.0).contains(&rtt), "{rtt}");
    }
}
