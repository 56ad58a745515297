//! Which image a lab runs, and what is said where there is none that it could run.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use indoc::indoc;

const TOO_OLD: &str = "kmk runs Kafka without ZooKeeper (KRaft), which is ready for production from 3.3 on (KIP-833)\n  \
                       hint: leave --image and --kafka-version out, or choose a later version such as \
                       --kafka-version 3.9.2\n";

pub(crate) fn missing(image: &str) -> Rule {
    Rule::on(&format!("image inspect {image}")).fails(1, "Error: No such image\n")
}

#[test]
fn neither_here_nor_pullable() {
    let docker = Docker::works()
        .rule(missing("*"))
        .rule(Rule::on("manifest inspect my/kafka:1").fails(1, "trying\nno such host\n"));
    // found while pulling, for there are no other problems
    let docker = docker.rule(Rule::on("pull my/kafka:1").fails(1, "trying\nno such host\n"));
    Kmk::new().docker(&docker).deploy("--image my/kafka:1").code(3).stdout("").changed(&["pull my/kafka:1"]).stderr(indoc! {"
        Pulling my/kafka:1 ...
          trying
          no such host
        error: image my/kafka:1 is not available locally and cannot be pulled: no such host
          hint: check the name and the network, or choose a local image with --image (`docker images` lists them)
    "});
}

#[test]
fn pulled_with_visible_progress() {
    let docker = Docker::works()
        .rule(missing("*"))
        .rule(
            Rule::on("pull apache/kafka:3.9.1")
                .says("3.9.1: Pulling from apache/kafka\nStatus: Downloaded\n"),
        )
        .rule(Rule::on(UP).fails(1, ""));
    let ran = Kmk::new()
        .docker(&docker)
        .deploy("--kafka-version 3.9.1")
        .code(3);
    ran.stderr_has(indoc! {"
        Pulling apache/kafka:3.9.1 ...
          3.9.1: Pulling from apache/kafka
          Status: Downloaded
        ✓ Pulled apache/kafka:3.9.1 (<time>)
        Starting the containers ...
    "});
}

#[test]
fn the_stand_in_takes_the_place_of_the_default_image() {
    let docker = Docker::works()
        .rule(missing("apache/kafka:3.9.2"))
        .rule(Rule::on("image inspect kmk-kafka:3.9.2").says("[]"))
        .rule(Rule::on("manifest inspect apache/kafka:3.9.2").fails(1, "no such host\n"))
        .rule(Rule::on(UP).fails(1, ""));
    let kmk = Kmk::new().docker(&docker);
    kmk.deploy("").code(3).stderr_has(
        "note: apache/kafka:3.9.2 cannot be pulled: using the local stand-in kmk-kafka:3.9.2\n",
    );
    assert_eq!(kmk.noted("images"), ["KMK_KAFKA_IMAGE=kmk-kafka:3.9.2"]);
}

#[test]
fn every_version_of_the_official_image_has_its_own_stand_in() {
    let docker = Docker::works()
        .rule(missing("*"))
        .rule(Rule::on("image inspect kmk-kafka:4.2.0").says("[]"))
        .rule(Rule::on("manifest inspect apache/kafka:4.2.0").fails(1, "no such host\n"))
        .rule(Rule::on(UP).fails(1, ""));
    let kmk = Kmk::new().docker(&docker);
    kmk.deploy("--kafka-version 4.2.0").code(3).stderr_has(
        "note: apache/kafka:4.2.0 cannot be pulled: using the local stand-in kmk-kafka:4.2.0\n",
    );
    assert_eq!(
        kmk.noted("images"),
        ["KMK_KAFKA_IMAGE_4_2_0=kmk-kafka:4.2.0"]
    );
}

#[test]
fn a_stand_in_is_of_the_very_version_and_for_official_images_only() {
    for (flags, image) in [
        ("--kafka-version 3.9.1", "apache/kafka:3.9.1"),
        ("--image my/kafka:4.2.0", "my/kafka:4.2.0"),
        ("--image apache/kafka:4.2.0-rc1", "apache/kafka:4.2.0-rc1"),
    ] {
        let docker = Docker::works()
            .rule(missing("*"))
            .rule(Rule::on("image inspect kmk-kafka:4.2.0").says("[]"))
            .rule(Rule::on(&format!("pull {image}")).fails(1, "no such host\n"));
        let ran = Kmk::new().docker(&docker).deploy(flags).code(3);
        ran.stderr_has(&format!("error: image {image} is not available locally"))
            .stderr_lacks("stand-in");
    }
}

#[test]
fn an_official_image_that_never_was() {
    let docker = Docker::works()
        .rule(missing("*"))
        .rule(Rule::on("pull apache/kafka:3.6.0").fails(1, "manifest unknown\n"));
    let ran = Kmk::new().docker(&docker).deploy("--kafka-version 3.6.0");
    ran.code(3).stderr_has(indoc! {"
        error: image apache/kafka:3.6.0 is not available locally and cannot be pulled: manifest unknown
          hint: apache/kafka starts at 3.7.0; choose another image of that version with --image
    "});
}

#[test]
fn kafka_4_is_as_good() {
    for (flags, image) in [
        ("--kafka-version 4.0.0", "apache/kafka:4.0.0"),
        ("--image apache/kafka:4.1.0", "apache/kafka:4.1.0"),
        (
            "--image localhost:5000/kafka:4.2",
            "localhost:5000/kafka:4.2",
        ),
    ] {
        let docker = Docker::works()
            .rule(Rule::on(&format!("image inspect {image}")).says("[]"))
            .rule(Rule::on(UP).fails(1, ""));
        let ran = Kmk::new().docker(&docker).deploy(flags).code(3);
        ran.stderr_has("Starting the containers")
            .stderr_lacks("is Kafka 4");
    }
}

#[test]
fn too_old_by_version_and_by_tag() {
    for (flags, image, version) in [
        ("--kafka-version 3.2.3", "apache/kafka:3.2.3", "3.2.3"),
        (
            "--kafka-version secondary=2.8.0",
            "apache/kafka:2.8.0",
            "2.8.0",
        ),
        (
            "--image localhost:5000/kafka:3.2",
            "localhost:5000/kafka:3.2",
            "3.2",
        ),
    ] {
        let ran = Kmk::new().deploy(flags).code(2).stdout("").changed(&[]);
        ran.stderr(&format!(
            "error: image {image} is Kafka {version}: {TOO_OLD}"
        ));
    }
}

#[test]
fn too_old_by_variable() {
    let kmk = Kmk::new().variable("KMK_KAFKA_IMAGE", "apache/kafka:3.2.0");
    kmk.deploy("").code(2).changed(&[]).stderr(&format!(
        "error: image apache/kafka:3.2.0 is Kafka 3.2.0: {TOO_OLD}"
    ));
}

const LIBRARIES: &str =
    "run --rm --network none --entrypoint ls apache/kafka:latest /opt/kafka/libs";

#[test]
fn too_old_inside_an_image_without_a_version() {
    let docker = Docker::works()
        .rule(Rule::on("image inspect apache/kafka:latest").says("[]"))
        .rule(Rule::on(LIBRARIES).says("jline-3.25.1.jar\nkafka-clients-3.2.0.jar\n"));
    let ran = Kmk::new()
        .docker(&docker)
        .deploy("--image apache/kafka:latest")
        .code(2)
        .stdout("")
        .changed(&[LIBRARIES]);
    ran.stderr(&format!(
        "error: image apache/kafka:latest is Kafka 3.2.0: {TOO_OLD}"
    ));
}

#[test]
fn an_image_without_kafka() {
    let docker = Docker::works()
        .rule(Rule::on("image inspect apache/kafka:latest").says("[]"))
        .rule(Rule::on(LIBRARIES).fails(2, "ls: /opt/kafka/libs: No such file or directory\n"));
    Kmk::new().docker(&docker).deploy("--image apache/kafka:latest").code(2).stdout("").stderr(indoc! {"
        error: image apache/kafka:latest is not a Kafka image: ls: /opt/kafka/libs: No such file or directory
          hint: kmk runs apache/kafka, or an image with the same layout
    "});
}
