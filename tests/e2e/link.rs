//! Links that kmk cuts: nothing crosses, every verb says who cut it, nothing but `link heal` restores it, and no record is lost. kcat
//! counts the records.

use crate::engine::docker;
use crate::kcat::{CROSSING, Kcat};
use crate::lab::Lab;
use crate::process::{PATIENCE, Ran, until};
use kafka_mirror_kit::core::topology::NEXT_KAFKA_VERSION;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

/// A record needs 10 to 30 ms where the link is up: one that has not come after this does not come.
const LONG: Duration = Duration::from_secs(3);

/// Sends so many records, and remembers them.
fn produce(to: &Kcat, when: &str, sent: &mut BTreeSet<String>) {
    let records: Vec<String> = (0..20).map(|number| format!("{number} {when}")).collect();
    to.produce("orders", &(records.join("\n") + "\n"));
    sent.extend(records);
}

/// Sends more, of which nothing comes out at the other end.
#[track_caller]
fn nothing_crosses(lab: &Lab, when: &str, sent: &mut BTreeSet<String>) {
    let before = lab.secondary().end("primary.orders");
    produce(&lab.primary(), when, sent);
    sleep(LONG);
    assert_eq!(lab.secondary().end("primary.orders"), before, "{when}");
    // it may have needed longer than that to start
    let mirror = lab.container("mm2-secondary");
    assert!(!on_network(lab, "primary").contains(&mirror), "{when}");
}

/// The containers on the network of a cluster, as docker tells.
fn on_network(lab: &Lab, cluster: &str) -> String {
    let network = lab.network(cluster);
    docker(&format!(
        "network inspect --format {{{{range.Containers}}}}{{{{.Name}}}},{{{{end}}}} {network}"
    ))
}

const CUT: &str = "the link is cut by `kmk link cut` ";

#[test]
#[ignore = "needs Docker"]
fn a_link_stays_cut_until_it_is_healed_and_nothing_is_lost() {
    stays_cut_until_it_is_healed("link", "");
}

fn stays_cut_until_it_is_healed(theme: &str, kafka: &str) {
    let lab = &Lab::deployed(theme, kafka);
    let mut sent = BTreeSet::new();
    produce(&lab.primary(), "before", &mut sent);
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    let mirror = lab.container("mm2-secondary");

    lab.kmk("link cut primary:secondary")
        .code(0)
        .prints("The link primary->secondary is cut: mm2-secondary can no longer reach primary.\n");
    assert!(on_network(lab, "secondary").contains(&mirror));
    nothing_crosses(lab, "while it is cut", &mut sent);
    lab.kmk("status")
        .code(1)
        .prints(CUT)
        .prints("`kmk link heal --lab");
    lab.kmk("lag").code(0).prints(CUT).prints("20 records and ");
    lab.kmk("explain orders").code(1).prints(CUT);
    lab.kmk("list").code(0).says(CUT);
    let status = lab.kmk("status --json").code(1).json();
    assert_eq!(status["flows"][0]["link"]["state"], "cut");

    println!("stop and start");
    lab.kmk("stop").code(0).says("primary->secondary stays cut");
    lab.kmk("start")
        .code(0)
        .says("primary->secondary stays cut")
        .prints("its brokers answer (primary->secondary stays cut)");
    nothing_crosses(lab, "after stop and start", &mut sent);

    println!("deploy, of nothing, of a MirrorMaker that is recreated, and of all containers");
    lab.deploy("")
        .code(0)
        .prints("already runs as requested and its brokers answer (primary->secondary stays cut)");
    docker(&format!("update --memory 400m --memory-swap 800m {mirror}"));
    lab.deploy("")
        .code(0)
        .prints("Recreated: mm2-secondary")
        .says("stays cut");
    nothing_crosses(lab, "after MirrorMaker was recreated", &mut sent);
    let all = lab.whole().join(" ");
    docker(&format!("rm -f {all}"));
    lab.deploy(kafka).code(0).says("stays cut");
    nothing_crosses(lab, "after all containers were recreated", &mut sent);
    lab.kmk("status").code(1).prints(CUT);

    lab.kmk("link heal")
        .code(0)
        .prints("The link primary->secondary is restored and replicates, after ");
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    lab.kmk("status").code(0);
    lab.kmk("link show")
        .code(0)
        .prints("primary->secondary  connected");

    println!("what others cut is mended by deploy, as ever");
    let network = lab.network("primary");
    docker(&format!("network disconnect {network} {mirror}"));
    lab.kmk("link show").code(0).prints("disconnected");
    lab.deploy("").code(0).prints("is repaired and replicates");
    assert!(on_network(lab, "primary").contains(&mirror));

    lab.kmk("link cut").code(0);
    lab.kmk("destroy").code(0);
    lab.assert_gone();
}

#[test]
#[ignore = "needs Docker"]
fn a_cut_for_a_time_ends_by_itself_and_one_whose_kmk_was_killed_is_overdue() {
    let lab = Lab::deployed("link-for", "");
    let mut sent = BTreeSet::new();
    produce(&lab.primary(), "before", &mut sent);
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    let restored = |ran: Ran| ran.prints("The link primary->secondary is restored and replicates");

    let cut = lab.start("link cut --for 5s");
    until("it is cut", PATIENCE, || is_cut(&lab));
    nothing_crosses(&lab, "for a time", &mut sent);
    restored(cut.finish().code(0));
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);

    println!("Ctrl-C");
    let mut cut = lab.start("link cut --for 60s");
    cut.until_it_says("Keeping the link cut");
    cut.interrupt();
    restored(cut.finish().code(130));
    produce(&lab.primary(), "after Ctrl-C", &mut sent);
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);

    println!("kill -9");
    let mut cut = lab.start("link cut --for 3s");
    cut.until_it_says("Keeping the link cut");
    cut.signal(Signal::KILL);
    drop(cut.finish());
    nothing_crosses(&lab, "overdue", &mut sent);
    until("it is overdue", PATIENCE, || {
        let status = lab.kmk("status").code(1);
        status
            .text()
            .contains("and should have been restored")
            .then_some(())
    });
    restored(lab.kmk("link heal").code(0));
    lab.secondary()
        .until_it_has("primary.orders", &sent, CROSSING);
    lab.kmk("status").code(0);
}

fn is_cut(lab: &Lab) -> Option<()> {
    let links = lab.kmk("link show --json").code(0).json();
    (links["links"][0]["state"] == "cut").then_some(())
}

/// A scenario on ports that are free, and some of its clusters.
fn scenario<const N: usize>(name: &str, clusters: [&str; N]) -> (Lab, [Kcat; N]) {
    let lab = Lab::new(&format!("link-{name}"));
    lab.kmk(&format!("deploy --scenario {name} --any-port"))
        .code(0);
    let status = lab.kmk("status --json").code(0).json();
    let all = status["clusters"].as_array().unwrap();
    let kcats = clusters.map(|cluster| {
        let one = all.iter().find(|one| one["name"] == cluster).unwrap();
        Kcat(one["bootstrap"].as_str().unwrap().to_owned())
    });
    (lab, kcats)
}

mod matrix {
    use super::*;

    #[test]
    #[ignore = "needs Docker"]
    fn a_link_stays_cut_on_the_newest_kafka_until_it_is_healed() {
        let kafka = format!("--kafka-version {NEXT_KAFKA_VERSION}");
        stays_cut_until_it_is_healed("link-next", &kafka);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn the_other_direction_goes_on() {
        let (lab, [east, west]) = scenario("active-active", ["east", "west"]);
        lab.kmk("link cut")
            .code(2)
            .says("the lab has several flows: name one");
        lab.kmk("link cut east:west").code(0);
        east.produce("orders", "east\n");
        west.produce("orders", "west\n");
        let of_west = BTreeSet::from(["west".to_owned()]);
        east.until_it_has("west.orders", &of_west, CROSSING);
        sleep(LONG);
        assert!(!west.topics().contains_key("east.orders"));
        let status = lab.kmk("status --json").code(1).json();
        let healthy: Vec<bool> = (status["flows"].as_array().unwrap().iter())
            .map(|flow| flow["healthy"] == true)
            .collect();
        assert_eq!(healthy, [false, true], "{status}");
        lab.kmk("link heal")
            .code(0)
            .prints("The link east->west is restored and replicates");
        let of_east = BTreeSet::from(["east".to_owned()]);
        west.until_it_has("east.orders", &of_east, CROSSING);
    }

    #[test]
    #[ignore = "needs Docker"]
    fn flows_that_the_same_mirrormaker_carries_go_on() {
        let (lab, [emea, apac, central]) = scenario("aggregate", ["emea", "apac", "central"]);
        lab.kmk("link cut emea:central")
            .code(0)
            .says("note: the same MirrorMaker runs apac->central");
        for when in ["at first", "after stop and start"] {
            emea.produce("orders", &format!("emea {when}\n"));
            apac.produce("orders", &format!("apac {when}\n"));
            let line = format!("apac {when}");
            until(&line, CROSSING, || {
                let there = central.topics().contains_key("apac.orders");
                (there && central.values("apac.orders").contains(&line)).then_some(())
            });
            sleep(LONG);
            assert!(!central.topics().contains_key("emea.orders"));
            if when == "at first" {
                lab.kmk("stop").code(0);
                // it waits for the other flow
                lab.kmk("start")
                    .code(0)
                    .prints("replicates (emea->central stays cut)");
            }
        }
        lab.kmk("link heal emea:central").code(0);
        let all = ["emea at first", "emea after stop and start"].map(str::to_owned);
        central.until_it_has("emea.orders", &BTreeSet::from(all), CROSSING);
        lab.kmk("status").code(0);
    }
}
