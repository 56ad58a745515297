//! Labs whose clusters run different Kafkas: each image is found by itself, and only what changes is recreated.

use crate::docker::{Docker, Rule, UP};
use crate::image::missing;
use crate::kmk::{DEPLOY, Kmk};
use crate::lab::FakeLab;
use indoc::indoc;

const UP_IN_PLACE: &str = "compose --ansi never -p kmk-demo -f $ROOT/here/kmk-lab/docker-compose.yml up --detach --quiet-pull";

/// An engine that has images, and on which `compose up` fails.
fn with_images(images: &[&str]) -> Docker {
    let here = |image: &&str| Rule::on(&format!("image inspect {image}")).says("[]");
    let docker = Docker::works().rule(missing("*"));
    docker
        .rule(Rule::on(UP).fails(1, "no\n"))
        .rules(images.iter().map(here))
}

/// What kmk would write for a lab with such flags.
fn written(kmk: &Kmk, flags: &str) -> String {
    kmk.run(&format!("{DEPLOY} --dry-run {flags}")).code(0);
    std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap()
}

/// A lab that was deployed with such flags, and `docker` with it.
fn deployed(flags: &str, docker: Docker, change: impl Fn(FakeLab) -> FakeLab) -> Kmk {
    let kmk = Kmk::new();
    let lab = change(kmk.lab().made_from(&written(&kmk, flags)));
    kmk.docker(&docker.with(&lab))
}

#[test]
fn every_image_is_looked_for_once() {
    let kmk = Kmk::new().docker(&with_images(&["apache/kafka:3.9.2", "apache/kafka:4.2.0"]));
    kmk.deploy("--kafka-version secondary=4.2.0").code(3);
    let calls = kmk.noted("calls");
    let images = calls.iter().filter(|call| call.contains("image"));
    assert_eq!(
        images.collect::<Vec<_>>(),
        [
            "image inspect apache/kafka:3.9.2",
            "image inspect apache/kafka:4.2.0"
        ]
    );
    assert_eq!(
        kmk.noted("images"),
        [
            "KMK_KAFKA_IMAGE=apache/kafka:3.9.2",
            "KMK_KAFKA_IMAGE_4_2_0=apache/kafka:4.2.0"
        ]
    );
}

#[test]
fn one_image_is_a_stand_in_and_the_other_is_not() {
    let docker = with_images(&["apache/kafka:4.2.0", "kmk-kafka:3.9.2", "kmk-kafka:4.2.0"])
        .rule(Rule::on("manifest inspect *").fails(1, "no such host\n"));
    let kmk = Kmk::new().docker(&docker);
    let ran = kmk
        .deploy("--kafka-version 3.9.2 --kafka-version secondary=4.2.0")
        .code(3);
    ran.stderr_has(
        "note: apache/kafka:3.9.2 cannot be pulled: using the local stand-in kmk-kafka:3.9.2\n",
    )
    .stderr_lacks("kmk-kafka:4.2.0");
    assert_eq!(
        kmk.noted("images"),
        [
            "KMK_KAFKA_IMAGE_3_9_2=kmk-kafka:3.9.2",
            "KMK_KAFKA_IMAGE_4_2_0=apache/kafka:4.2.0"
        ]
    );
}

#[test]
fn the_problems_of_all_images_at_once_and_nothing_is_pulled() {
    let docker = with_images(&[])
        .rule(Rule::on("manifest inspect my/kafka:4").fails(1, "no such host\n"))
        .rule(Rule::on("manifest inspect apache/kafka:4.9.0").fails(1, "manifest unknown\n"));
    let kmk = Kmk::new().docker(&docker);
    let ran = kmk.deploy("--image primary=my/kafka:4 --kafka-version secondary=4.9.0");
    ran.code(3).stdout("").changed(&[]).stderr(indoc! {"
        error: image apache/kafka:4.9.0 is not available locally and cannot be pulled: manifest unknown
          hint: check the name and the network, or choose a local image with --image (`docker images` lists them)
        error: image my/kafka:4 is not available locally and cannot be pulled: no such host
          hint: check the name and the network, or choose a local image with --image (`docker images` lists them)
    "});
}

#[test]
fn one_too_old_and_one_that_is_missing() {
    let docker = with_images(&[]).rule(Rule::on("manifest inspect *").fails(1, "no such host\n"));
    let kmk = Kmk::new().docker(&docker);
    let ran = kmk
        .deploy("--kafka-version 3.1.0 --kafka-version secondary=4.9.0")
        .code(3);
    ran.changed(&[])
        .stderr_has("error: image apache/kafka:3.1.0 is Kafka 3.1.0: ")
        .stderr_has(
            "error: image apache/kafka:4.9.0 is not available locally and cannot be pulled: no such host\n",
        );
}

#[test]
fn a_mixed_lab_stays_as_it_is() {
    // ended, so that there is something to do; and the official images have come since
    let kmk = deployed(
        "--kafka-version secondary=4.2.0",
        with_images(&["apache/kafka:*", "kmk-kafka:*"]),
        |lab| {
            let lab = lab
                .running("primary", "kmk-kafka:3.9.2")
                .running("secondary", "kmk-kafka:4.2.0");
            lab.running("mm2-secondary", "kmk-kafka:4.2.0")
                .exited("secondary", 1)
        },
    );
    kmk.deploy("")
        .code(3)
        .changed(&[&format!("{UP_IN_PLACE} --no-recreate")]);
    assert_eq!(
        kmk.noted("images")[..2],
        [
            "KMK_KAFKA_IMAGE=kmk-kafka:3.9.2",
            "KMK_KAFKA_IMAGE_4_2_0=kmk-kafka:4.2.0"
        ]
    );
}

#[test]
fn a_variable_for_all_leaves_a_mixed_lab_as_it_is() {
    let variable = |kmk: Kmk| kmk.variable("KMK_KAFKA_IMAGE", "my/kafka:3.9.2");
    let kmk = variable(Kmk::new());
    let lab = kmk
        .lab()
        .made_from(&written(&kmk, "--kafka-version secondary=4.2.0"));
    let docker = with_images(&["my/kafka:3.9.2", "apache/kafka:4.2.0"]);
    let kmk = kmk.docker(&docker.with(&lab.exited("secondary", 1)));
    kmk.deploy("")
        .code(3)
        .changed(&[&format!("{UP_IN_PLACE} --no-recreate")]);
}

#[test]
fn only_what_runs_another_kafka_is_recreated() {
    for (before, flags, services) in [
        // an upgrade in place: MirrorMaker is as new as the newer side
        (
            "",
            "--kafka-version secondary=4.2.0",
            "mm2-secondary secondary",
        ),
        (
            "--kafka-version secondary=4.2.0",
            "--kafka-version primary=4.2.0",
            "primary",
        ),
        (
            "--kafka-version secondary=4.2.0",
            "--kafka-version 4.2.0",
            "primary",
        ),
        (
            "--kafka-version primary=4.2.0",
            "--kafka-version primary=4.1.0",
            "mm2-secondary primary",
        ),
        (
            "--kafka-version 4.2.0",
            "--kafka-version 3.9.2",
            "mm2-secondary primary secondary",
        ),
    ] {
        let kmk = deployed(before, with_images(&["apache/kafka:*"]), |lab| lab);
        kmk.deploy(flags).code(3).changed(&[&format!(
            "{UP_IN_PLACE} --force-recreate --no-deps -- {services}"
        )]);
    }
}

#[test]
fn a_cluster_cannot_go_back_before_the_kafka_that_made_its_data() {
    let kmk = Kmk::new();
    let before = kmk.lab().made_from(&written(&kmk, "--kafka-version 4.2.0"));
    let before = before.running("primary", "kmk-kafka:4.2.0");
    let after = written(&kmk, "--kafka-version 4.2.0 --kafka-version primary=3.9.2");
    let after = kmk.lab().made_from(&after).exited("primary", 1);
    let docker = with_images(&["apache/kafka:*"])
        .with(&before)
        .up_makes(&after)
        .rule(Rule::on("logs *primary").says("No MetadataVersion with feature level 29\n"));
    let ran = kmk
        .docker(&docker)
        .deploy("--kafka-version primary=3.9.2")
        .code(3)
        .stdout("");
    ran.stderr_has(indoc! {"
        error: cluster `primary` cannot be downgraded to apache/kafka:3.9.2: its data was written by a newer Kafka, and the format of its metadata (`metadata.version`) cannot be lowered
          hint: its records are still there: continue with --kafka-version primary=4.2.0, or destroy the lab and deploy it again
        Container kmk-demo-primary-1 has exited with code 1; the last lines of its log:
          | No MetadataVersion with feature level 29
    "});
}

#[test]
fn the_help_names_the_versions_that_kmk_is_tried_with() {
    use kafka_mirror_kit::core::topology::{KAFKA_VERSION, NEXT_KAFKA_VERSION};
    let ran = Kmk::new().run("deploy --help").code(0);
    ran.stdout_has(&format!("[default: {KAFKA_VERSION}]"))
        .stdout_has(&format!("--kafka-version secondary={NEXT_KAFKA_VERSION}"));
}
