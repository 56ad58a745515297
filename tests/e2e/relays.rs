//! Links with relays that are cut, several MirrorMakers behind the same relays, and relays that ran out of memory.

mod matrix {
    use crate::engine::{docker, docker_words};
    use crate::kcat::CROSSING;
    use crate::lab::Lab;
    use crate::process::until;
    use crate::slow_link::{is_near, port, round_trip};
    use std::collections::BTreeSet;
    use std::io::Write as _;
    use std::net::TcpStream;
    use std::thread::sleep;
    use std::time::Duration;

    const WORKERS: [&str; 2] = ["mm2-secondary-1", "mm2-secondary-2"];
    const RELAY: &str = "link-primary-secondary";
    const PARTITIONS: usize = 6;

    /// The networks that a service is on, as docker tells.
    fn networks(lab: &Lab, service: &str) -> BTreeSet<String> {
        let names = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
        let container = lab.container(service);
        let names = docker_words(&["inspect", "--format", names, &container], b"");
        names.split_whitespace().map(str::to_owned).collect()
    }

    /// Sends so many records to every partition, and remembers them.
    fn produce(lab: &Lab, when: &str, sent: &mut BTreeSet<String>) {
        let records: Vec<String> = (0..60).map(|number| format!("{number} {when}")).collect();
        lab.primary()
            .produce("orders", &(records.join("\n") + "\n"));
        sent.extend(records);
    }

    /// Sends more, of which nothing comes out at the other end.
    #[track_caller]
    fn nothing_crosses(lab: &Lab, when: &str, sent: &mut BTreeSet<String>) {
        let mirrored = || lab.secondary().values("primary.orders").len();
        let before = mirrored();
        produce(lab, when, sent);
        sleep(Duration::from_secs(3));
        assert_eq!(mirrored(), before, "{when}");
    }

    #[track_caller]
    fn all_cross(lab: &Lab, sent: &BTreeSet<String>) {
        lab.secondary()
            .until_it_has("primary.orders", sent, CROSSING);
    }

    /// Every MirrorMaker is on the network of its target, and on no other but that of the link.
    #[track_caller]
    fn nothing_goes_round_the_relay(lab: &Lab) {
        let both = ["secondary", RELAY].map(|name| lab.network(name));
        for worker in WORKERS {
            assert_eq!(networks(lab, worker), BTreeSet::from(both.clone()));
        }
        is_near(round_trip(&port(lab, 9092)), 80.0);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn every_mirrormaker_of_a_target_goes_through_the_relay_and_a_cut_cuts_them_all() {
        let lab = Lab::deployed("relays", "--mirrormakers 2 --partitions 6");
        lab.kmk(&format!("topic create orders --partitions {PARTITIONS}"))
            .code(0);
        let mut sent = BTreeSet::new();
        produce(&lab, "before", &mut sent);
        all_cross(&lab, &sent);
        let before = lab.ids();
        lab.kmk("link set --rtt 80ms")
            .code(0)
            .prints("MirrorMaker was recreated; records are kept");
        let after = lab.ids();
        for (service, id) in &before {
            let is_recreated = WORKERS.contains(&service.as_str());
            assert_eq!(after[service] != *id, is_recreated, "{service}");
        }
        nothing_goes_round_the_relay(&lab);
        produce(&lab, "through the relay", &mut sent);
        all_cross(&lab, &sent);
        lab.kmk("link cut --half-open").code(0);
        nothing_crosses(&lab, "half-open", &mut sent);
        lab.kmk("link heal").code(0);
        all_cross(&lab, &sent);

        println!("cut");
        lab.kmk("link cut").code(0).prints(
            "The link primary->secondary is cut: mm2-secondary-1, mm2-secondary-2 can no longer reach primary.\n",
        );
        nothing_crosses(&lab, "cut", &mut sent);
        for worker in WORKERS {
            assert_eq!(
                networks(&lab, worker),
                BTreeSet::from([lab.network("secondary")])
            );
        }
        let cut = "the link is cut by `kmk link cut` ";
        lab.kmk("status").code(1).prints(cut);
        lab.kmk("lag").code(0).prints(cut);
        lab.kmk("explain orders").code(1).prints(cut);
        lab.kmk("list").code(0).says(cut);
        lab.kmk("link show").code(0).prints("by `kmk link cut` ");
        println!("its relay is restarted, and gets its shape back");
        docker(&format!("restart --time 0 {}", lab.container(RELAY)));
        lab.kmk("link heal")
            .code(0)
            .says("Told link-primary-secondary how slow to be")
            .prints("The link primary->secondary is restored and replicates");
        all_cross(&lab, &sent);
        nothing_goes_round_the_relay(&lab);
        lab.kmk("status").code(0);

        println!("cut by a drill");
        lab.kmk("drill failover --fault cut")
            .code(0)
            .prints("the link was cut, primary stayed up");
        lab.kmk("status").code(1).prints(cut);
        lab.kmk("drill abort").code(0);
        nothing_goes_round_the_relay(&lab);
        lab.kmk("status").code(0);
        lab.kmk("deploy")
            .code(0)
            .prints("already runs as requested");
    }

    /// A `Fetch` request, version 4: up to 50 MiB of the first partition of a topic.
    fn fetch(topic: &str) -> Vec<u8> {
        const BYTES: i32 = 50 << 20;
        let name = [
            &u16::try_from(topic.len()).unwrap().to_be_bytes()[..],
            topic.as_bytes(),
        ]
        .concat();
        // no client id, no replica, 500 ms, a byte at least, whatever is committed; one topic, one partition, offset 0
        let parts: [&[u8]; 9] = [
            &[0, 1, 0, 4, 0, 0, 0, 0, 0xff, 0xff],
            &(-1_i32).to_be_bytes(),
            &500_i32.to_be_bytes(),
            &1_i32.to_be_bytes(),
            &BYTES.to_be_bytes(),
            &[0, 0, 0, 0, 1],
            &name,
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &BYTES.to_be_bytes(),
        ];
        let body = parts.concat();
        [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat()
    }

    /// toxiproxy keeps what was on its way through a connection that broke.
    #[test]
    #[ignore = "needs Docker"]
    fn a_relay_that_ran_out_of_memory_is_told_and_gets_its_shape_back() {
        let lab = Lab::deployed("relay-memory", "--link rtt=200ms,rate=20mbit");
        lab.kmk("topic create bulk.internal --partitions 1 --force")
            .code(0);
        let text = format!("{:0>1000}\n", "").repeat(60_000);
        lab.primary().produce("bulk.internal", &text);
        let (relay, port) = (lab.container(RELAY), port(&lab, 9092));
        let status = "inspect --format {{.State.Status}},{{.State.OOMKilled}}";
        let mut broken = 0;
        until("it has run out of memory", 2 * CROSSING, || {
            if let Ok(mut line) = TcpStream::connect(format!("127.0.0.1:{port}")) {
                line.write_all(&fetch("bulk.internal")).unwrap();
                sleep(Duration::from_secs(2));
                broken += 1;
            }
            (docker(&format!("{status} {relay}")) == "exited,true").then_some(())
        });
        println!("  MEASURED {broken} answers that were broken off");
        lab.kmk("status").code(1).prints(&format!(
            "container {relay} has exited with code 137 (out of memory)"
        ));
        lab.kmk("link show")
            .code(0)
            .says("was not measured: relay link-primary-secondary does not answer");
        lab.kmk("deploy")
            .code(0)
            .says("Told link-primary-secondary how slow to be")
            .prints("is repaired");
        is_near(round_trip(&port), 200.0);
        lab.kmk("status").code(0);
    }
}
