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
    assert!(
        (measured - asked).abs() <= asked * 0.15,
        "asked {asked} ms, measured {measured} ms"
    );
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
