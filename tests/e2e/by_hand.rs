//! The reference files run without kmk.

use crate::engine::{docker, kafka_image, things};
use crate::kcat::{CROSSING, Kcat};
use crate::process::Ran;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::Command;

const PROJECT: &str = "e2e-by-hand";
/// As `compose/dr.yml` has them.
const PORTS: [u16; 2] = [19092, 19192];

#[test]
#[ignore = "needs Docker"]
fn the_reference_compose_file_replicates_without_kmk() {
    let project = ByHand;
    project.down();
    for port in PORTS {
        let free = TcpListener::bind(("127.0.0.1", port));
        assert!(
            free.is_ok(),
            "compose/dr.yml publishes port {port}, and something else holds it: is a lab running?"
        );
    }
    ByHand::compose("up -d").code(0);
    let [primary, secondary] = PORTS.map(|port| Kcat(format!("127.0.0.1:{port}")));
    primary.until_it_answers();
    secondary.until_it_answers();
    let records: Vec<String> = (0..100).map(|number| format!("record {number}")).collect();
    primary.produce("orders", &(records.join("\n") + "\n"));
    let expected: BTreeSet<String> = records.into_iter().collect();
    secondary.until_it_has("primary.orders", &expected, CROSSING);
    assert_eq!(secondary.values("primary.orders"), primary.values("orders"));
    project.down();
    let left = things(&format!("label=com.docker.compose.project={PROJECT}"));
    assert_eq!(left, BTreeSet::new());
    assert!(!docker("ps -a --format {{.Names}}").contains(PROJECT));
}

struct ByHand;

impl ByHand {
    fn compose(line: &str) -> Ran {
        let mut command = Command::new("docker");
        command
            .args(["compose", "-p", PROJECT, "-f", "compose/dr.yml"])
            .args(line.split(' '))
            .env("KMK_KAFKA_IMAGE", kafka_image())
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        Ran::of(&mut command, b"")
    }

    #[allow(clippy::unused_self, reason = "whoever takes it down has had it up")]
    fn down(&self) {
        let _ = Self::compose("down -v -t 0");
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        self.down();
    }
}
