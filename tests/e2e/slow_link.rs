//! Lines that are as slow as real ones: measured by kcat, and by a socket through the relay.

use crate::engine::{docker, docker_words};
use crate::kcat::{CROSSING, Kcat};
use crate::lab::Lab;
use crate::process::until;
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// An `ApiVersions` request, version 0, of no client: any broker answers it.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// The median of how long the broker takes to answer through the relay, in milliseconds.
pub(crate) fn round_trip(port: &str) -> f64 {
    round_trip_at(&format!("127.0.0.1:{port}"))
}

/// The same, at an address.
pub(crate) fn round_trip_at(address: &str) -> f64 {
    let mut stream = TcpStream::connect(address).unwrap();
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

/// A connection through the relay.
fn connected(port: &str) -> TcpStream {
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let patience = Some(Duration::from_millis(500));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// A request gets no answer, and no reset: as far as its client knows, the connection is open.
#[track_caller]
fn is_open_and_silent(stream: &mut TcpStream) {
    stream.write_all(&API_VERSIONS).unwrap();
    let read = stream.read(&mut [0; 4]).map_err(|error| error.kind());
    assert_eq!(read, Err(ErrorKind::WouldBlock));
}

/// The port on this machine that leads to one of a relay's.
pub(crate) fn port(lab: &Lab, inside: u16) -> String {
    let relay = lab.container("link-primary-secondary");
    let published = docker(&format!("port {relay} {inside}/tcp"));
    published.rsplit(':').next().unwrap().to_owned()
}

#[track_caller]
pub(crate) fn is_near(measured: f64, asked: f64) {
    // relay and broker take a moment, too, whatever is asked, and more on a busy machine: how exact it is, the benchmark says
    assert!(
        measured >= asked * 0.85 && measured <= asked * 1.15 + 10.0,
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
    as_slow_as_asked(&Lab::deployed("slow-link", "--link rtt=80ms"));
}

fn as_slow_as_asked(lab: &Lab) {
    is_near(round_trip(&port(lab, 9092)), 80.0);
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
    is_near(round_trip(&port(lab, 9092)), 250.0);
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
    is_near(round_trip(&port(lab, 9092)), 250.0);
    let all = ["through".to_owned(), "held".to_owned()].into();
    lab.secondary()
        .until_it_has("primary.orders", &all, CROSSING);
}

const LINE: [&str; 3] = ["one", "two", "three"];

/// The first so many of the records.
fn first(count: usize) -> BTreeSet<String> {
    LINE[..count].iter().map(|&text| text.to_owned()).collect()
}

/// Sends the next record, which does not arrive.
#[track_caller]
fn does_not_cross(lab: &Lab, nth: usize) {
    let before = lab.secondary().end("primary.orders");
    lab.primary().produce("orders", &format!("{}\n", LINE[nth]));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(lab.secondary().end("primary.orders"), before);
}

const HALF_OPEN: &str = "the link is half-open (`kmk link cut --half-open` ";

#[test]
#[ignore = "needs Docker"]
fn a_half_open_link_keeps_its_connections_and_passes_nothing_until_it_is_healed() {
    half_open_until_it_is_healed(&Lab::deployed("half-open", "--link rtt=0ms"));
}

fn half_open_until_it_is_healed(lab: &Lab) {
    let port = port(lab, 9092);
    lab.primary().produce("orders", "one\n");
    lab.secondary()
        .until_it_has("primary.orders", &first(1), CROSSING);
    let mut before = connected(&port);
    lab.kmk("link cut --half-open").code(0).prints(
        "The link primary->secondary is half-open: connections of MirrorMaker to primary stay open, and nothing passes.\n",
    );
    does_not_cross(lab, 1);
    is_open_and_silent(&mut before);
    is_open_and_silent(&mut connected(&port));
    lab.kmk("status").code(1).prints(HALF_OPEN);
    lab.kmk("explain orders").code(1).prints(HALF_OPEN);

    println!("its relay is restarted");
    docker(&format!(
        "restart --time 0 {}",
        lab.container("link-primary-secondary")
    ));
    lab.kmk("status")
        .code(1)
        .prints("the link should be half-open")
        .prints("relay link-primary-secondary has lost its shape: it was restarted");
    lab.kmk("deploy")
        .code(0)
        .says("note: primary->secondary stays half-open")
        .prints("its brokers answer (primary->secondary stays half-open)");
    is_open_and_silent(&mut connected(&port));
    does_not_cross(lab, 2);
    lab.kmk("link heal")
        .code(0)
        .prints("The link primary->secondary is restored and replicates, after ");
    lab.secondary()
        .until_it_has("primary.orders", &first(3), CROSSING);
    lab.kmk("status").code(0);
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn slow_and_half_open_links_on_the_newest_kafka() {
        let on = |link: &str| {
            let flags = format!("--kafka-version {NEXT_KAFKA_VERSION} --link {link}");
            Lab::deployed("slow-link-next", &flags)
        };
        as_slow_as_asked(&on("rtt=80ms"));
        half_open_until_it_is_healed(&on("rtt=0ms"));
    }

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
        lab.kmk("topic alter primary.single --cluster secondary --force --config message.timestamp.type=LogAppendTime")
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

    /// How fast answers come through the relay, in mbit/s: `Metadata` of a topic with many partitions, all asked for at once.
    fn rate(port: &str, topic: &str) -> f64 {
        const REQUESTS: usize = 600;
        let mut body = vec![0, 3, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 1];
        body.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        body.extend(topic.as_bytes());
        let mut request = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        request.extend(body);
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        stream.write_all(&request.repeat(REQUESTS)).unwrap();
        let mut first = None;
        let mut bits = 0.0;
        for _ in 0..REQUESTS {
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let length = u32::from_be_bytes(length);
            stream.read_exact(&mut vec![0; length as usize]).unwrap();
            match first {
                None => first = Some(Instant::now()),
                Some(_) => bits += f64::from(length + 4) * 8.0,
            }
        }
        bits / first.unwrap().elapsed().as_secs_f64() / 1e6
    }

    #[test]
    #[ignore = "needs Docker"]
    fn each_rate_is_what_was_asked_for_and_mirrormaker_gets_no_more() {
        let lab = Lab::deployed("slow-link-rate", "--link rtt=40ms,rate=10mbit");
        lab.kmk("topic create wide.internal --partitions 300 --force")
            .code(0);
        for (mbit, count) in [(10_u32, 8_000_u32), (100, 40_000)] {
            lab.kmk(&format!("link set --rtt 40ms --rate {mbit}mbit"))
                .code(0);
            // a busy machine may be slower
            let slowest = if mbit == 10 { 8.5 } else { 20.0 };
            let kbit = measured(&lab, "--load")["rate_kbit"].as_f64().unwrap();
            for seen in [rate(&port(&lab, 9092), "wide.internal"), kbit / 1000.0] {
                let most = f64::from(mbit) * 1.15;
                assert!(
                    (slowest..=most).contains(&seen),
                    "asked {mbit}, measured {seen}"
                );
            }
            let topic = format!("bulk-{mbit}");
            let text = format!("{:0>1000}\n", "").repeat(count as usize);
            let begun = Instant::now();
            lab.primary().produce(&topic, &text);
            let last = u64::from(count) - 1;
            (lab.secondary()).until_it_is_past(&format!("primary.{topic}"), last, CROSSING);
            let took = begun.elapsed().as_secs_f64();
            let needed = f64::from(count) * 8_000.0 / 1e6 / f64::from(mbit);
            println!("{mbit} mbit/s: {took:.1} s, at least {needed:.1} s");
            assert!(took > needed * 0.85, "{took} {needed}");
        }
        for cluster in [lab.primary(), lab.secondary()] {
            let topics = cluster.topics();
            assert!(
                !topics.keys().any(|name| name.contains("kmk-link")),
                "{topics:?}"
            );
        }
    }

    /// Added first, kept over stop and start, and removed.
    #[test]
    #[ignore = "needs Docker"]
    fn a_link_without_relays_becomes_half_open_and_is_no_more_without_them() {
        let lab = Lab::deployed("half-open-add", "");
        lab.primary().produce("orders", "one\n");
        lab.secondary()
            .until_it_has("primary.orders", &first(1), CROSSING);
        lab.kmk("link cut --half-open --for 2s")
            .code(0)
            .says("note: primary->secondary has no relay yet: one is added")
            .prints("is restored and replicates");
        lab.kmk("link cut --half-open").code(0);
        does_not_cross(&lab, 1);
        lab.kmk("stop").code(0).says("stays half-open");
        lab.kmk("start").code(0).says("stays half-open");
        does_not_cross(&lab, 2);
        lab.kmk("status").code(1).prints(HALF_OPEN);
        lab.deploy("--link none")
            .code(0)
            .says("note: primary->secondary is not half-open any more: its relays are removed")
            .prints("replicates");
        lab.secondary()
            .until_it_has("primary.orders", &first(3), CROSSING);
        lab.kmk("status").code(0);
    }

    /// A scenario on ports with room for relays, and its clusters.
    fn scenario(name: &str, link: &str, clusters: [&str; 2]) -> (Lab, [Kcat; 2]) {
        let mut lab = Lab::new(&format!("relays-{name}"));
        lab.ports[1] = lab.ports[0] + 40;
        let [one, other] = lab.ports;
        let ports = format!(
            "--port {}={one} --port {}={other}",
            clusters[0], clusters[1]
        );
        lab.kmk(&format!("deploy --scenario {name} {ports} {link}"))
            .code(0);
        let kcats = lab.ports.map(|port| Kcat(format!("127.0.0.1:{port}")));
        (lab, kcats)
    }

    #[test]
    #[ignore = "needs Docker"]
    fn every_broker_of_a_source_has_a_relay_and_all_of_them_hold_up_the_flow() {
        let (lab, [primary, secondary]) =
            scenario("ha", "--link rtt=60ms", ["primary", "secondary"]);
        for nth in 1..=3 {
            let relay = lab.container(&format!("link-primary-secondary-{nth}"));
            let published = docker(&format!("port {relay} 9092/tcp"));
            is_near(round_trip(published.rsplit(':').next().unwrap()), 60.0);
        }
        lab.kmk("topic create orders --partitions 6").code(0);
        let records = |when: &str| -> BTreeSet<String> {
            (0..60).map(|nth| format!("{nth} {when}")).collect()
        };
        let produce = |when: &str| {
            let all: Vec<String> = records(when).into_iter().collect();
            primary.produce("orders", &(all.join("\n") + "\n"));
        };
        produce("before");
        let mut all = records("before");
        secondary.until_it_has("primary.orders", &all, CROSSING);
        lab.kmk("link cut --half-open").code(0).says(
            "Told link-primary-secondary-1, link-primary-secondary-2, link-primary-secondary-3 to keep connections open",
        );
        produce("held up");
        std::thread::sleep(Duration::from_secs(3));
        let there: BTreeSet<String> = secondary.values("primary.orders").into_iter().collect();
        assert_eq!(there, all);
        lab.kmk("link heal")
            .code(0)
            .prints("restored and replicates");
        all.extend(records("held up"));
        secondary.until_it_has("primary.orders", &all, CROSSING);
        lab.kmk("status").code(0);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn the_other_direction_does_not_notice_a_slow_or_half_open_link() {
        let (lab, [east, west]) = scenario("active-active", "", ["east", "west"]);
        lab.kmk("link set east:west --rtt 400ms").code(0);
        let canary = |flow: usize| {
            let status = lab.kmk("status --json").code(0).json();
            status["flows"][flow]["canary"]["micros"].as_u64().unwrap()
        };
        let fastest = |flow: usize| (0..3).map(|_| canary(flow)).min().unwrap();
        let (slow, quick) = (fastest(0), fastest(1));
        println!("east->west {slow} µs, west->east {quick} µs");
        assert!(slow > 200_000 && quick < 200_000, "{slow} {quick}");
        lab.kmk("link cut east:west --half-open").code(0);
        for text in LINE {
            east.produce("orders", &format!("{text}\n"));
            west.produce("orders", &format!("{text}\n"));
        }
        east.until_it_has("west.orders", &first(3), CROSSING);
        assert!(!west.topics().contains_key("east.orders"));
        let status = lab.kmk("status --json").code(1).json();
        assert_eq!(status["flows"][0]["link"]["state"], "half_open");
        assert_eq!(status["flows"][1]["healthy"], true, "{status}");
        lab.kmk("link heal")
            .code(0)
            .prints("restored and replicates");
        until("east's records are there", CROSSING, || {
            west.topics().contains_key("east.orders").then_some(())
        });
        west.until_it_has("east.orders", &first(3), CROSSING);
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
