//! Logs, and addresses that other programs can use; and a lab whose directory is gone.

use crate::engine::{docker, kafka_image};
use crate::lab::Lab;
use std::fs;
use std::path::Path;

#[test]
#[ignore = "needs Docker"]
fn logs_and_addresses_are_there_for_scripts() {
    let lab = Lab::deployed("scripts", "");
    let lines = lab.kmk("logs mm2-secondary --tail 5").code(0).lines();
    assert_eq!(lines.len(), 5, "{lines:?}");
    let lines = lab.kmk("logs --tail 2").code(0).lines();
    for service in ["primary", "secondary", "mm2-secondary"] {
        let of_it = lines
            .iter()
            .filter(|line| line.starts_with(&format!("{service} | ")));
        assert_eq!(of_it.count(), 2, "{lines:?}");
    }
    lab.kmk("logs mm2")
        .code(2)
        .says("has no service `mm2`")
        .says("mm2-secondary");

    lab.kmk("produce --topic orders --messages 3").code(0);
    let env = "eval \"$(kmk env --lab $LAB)\"";
    lab.bash(&format!("{env}; kcat -b $PRIMARY_BOOTSTRAP -L"))
        .code(0)
        .prints("topic \"orders\"");
    let inside = |cluster: &str, topic: &str| {
        let image = kafka_image();
        let consumer = format!(
            "/opt/kafka/bin/kafka-console-consumer.sh --topic {topic} --from-beginning --max-messages 3"
        );
        let line = format!(
            "{env}; docker run --rm --network ${cluster}_NETWORK {image} {consumer} \
             --timeout-ms 30000 --bootstrap-server ${cluster}_BOOTSTRAP_INSIDE"
        );
        lab.bash(&line).code(0).lines()
    };
    assert_eq!(inside("PRIMARY", "orders"), lab.primary().values("orders"));
    assert_eq!(
        inside("SECONDARY", "primary.orders"),
        lab.primary().values("orders")
    );

    println!("the directory is gone");
    fs::remove_dir_all(lab.directory()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    lab.kmk_in(elsewhere.path(), "status").code(0);
    lab.kmk_in(
        Path::new("/"),
        "consume --topic primary.orders --messages 3",
    )
    .code(0);
    lab.kmk_in(elsewhere.path(), "destroy")
        .code(0)
        .prints("3 containers, 2 networks, 3 volumes");
    lab.assert_gone();
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
    assert!(!docker("ps -a --format {{.Names}}").contains(&lab.name));
}
