//! Destroy removes what carries the lab's label, and nothing else.

use crate::docker::{CLASSES, Docker, Rule};
use crate::kmk::Kmk;
use indoc::indoc;
use std::fs;

const REMOVE_CONTAINERS: &str =
    "rm --force --volumes id-demo-mm2-secondary id-demo-primary id-demo-secondary";
const REMOVE_NETWORKS: &str = "network rm kmk-demo_primary kmk-demo_secondary";
const REMOVE_VOLUMES: &str = "volume rm --force kmk-demo_primary-data kmk-demo_secondary-data";

/// What is said of what stays, where a lab was.
const CLASSES_STAY: &str = "note: volume kmk-classes is kept for the next lab; `docker volume rm kmk-classes` removes it\n";

#[test]
fn all_of_a_lab_and_nothing_else() {
    let kmk = Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab())
            .with(&kmk.lab_named("other"))
    });
    kmk.run("deploy --dry-run").code(0);
    let gone = "Lab `demo` was removed in <time>: 3 containers, 2 networks, 2 volumes.\n";
    let changes = [REMOVE_CONTAINERS, REMOVE_VOLUMES, REMOVE_NETWORKS];
    kmk.run("destroy")
        .code(0)
        .stdout(gone)
        .stderr(CLASSES_STAY)
        .changed(&changes);
    assert!(!kmk.work("kmk-lab").exists());
    kmk.run("destroy")
        .code(0)
        .stdout("Nothing to remove: there is no lab `demo`.\n")
        .stderr("")
        .changed(&changes);
}

#[test]
fn where_no_classes_are_kept_nothing_is_said_of_them() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()).rule(Rule::on(CLASSES)));
    kmk.run("destroy").code(0).stderr("");
}

#[test]
fn what_goes_by_itself_meanwhile_is_no_error() {
    // listed, and gone when it is asked for: docker tells of the rest and fails
    let kmk = Kmk::on(|kmk| {
        let inspect =
            Rule::on("container inspect id-demo-mm2-secondary id-demo-primary id-demo-secondary");
        let rest = inspect.says(&kmk.lab().without("primary").inspected());
        let docker = Docker::works()
            .with(&kmk.lab())
            .rule(rest.fails(1, "Error: No such container: id-demo-primary\n"));
        docker.rule(Rule::on(
            "rm --force --volumes id-demo-mm2-secondary id-demo-secondary",
        ))
    });
    kmk.run("destroy")
        .code(0)
        .stderr(CLASSES_STAY)
        .stdout_has("Lab `demo` was removed in <time>: 2 containers,");
}

#[test]
fn nothing_was_there() {
    let nothing = "Nothing to remove: there is no lab `never`.\n";
    Kmk::new()
        .run("destroy --lab never")
        .code(0)
        .stdout(nothing)
        .stderr("")
        .changed(&[]);
}

#[test]
fn half_a_lab() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().without_containers()));
    let gone = "Lab `demo` was removed in <time>: 0 containers, 2 networks, 2 volumes.\n";
    kmk.run("destroy")
        .code(0)
        .stdout(gone)
        .stderr(CLASSES_STAY)
        .changed(&[REMOVE_VOLUMES, REMOVE_NETWORKS]);
}

#[test]
fn one_container_is_one_container() {
    let kmk =
        Kmk::on(|kmk| Docker::works().with(&kmk.lab().without("primary").without("secondary")));
    kmk.run("destroy")
        .code(0)
        .stdout_has(": 1 container, 2 networks, 2 volumes.\n");
}

#[test]
fn from_another_directory() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    kmk.run("deploy --dry-run").code(0);
    fs::create_dir(kmk.work("elsewhere")).unwrap();
    let kmk = kmk.shell("cd elsewhere");
    kmk.run("destroy").code(0).stderr(CLASSES_STAY);
    assert!(!kmk.work("kmk-lab").exists() && kmk.work("elsewhere").exists());
}

#[test]
fn an_edited_file_stays_and_is_named() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab()));
    kmk.run("deploy --dry-run").code(0);
    let file = kmk.work("kmk-lab/mm2.properties");
    fs::write(&file, fs::read_to_string(&file).unwrap() + "# mine\n").unwrap();
    let ran = kmk.run("destroy").code(0);
    let edited = "note: kmk-lab/mm2.properties was edited since kmk wrote it, and is kept\n";
    ran.stderr(&(edited.to_owned() + CLASSES_STAY));
    assert!(file.exists() && !kmk.work("kmk-lab/docker-compose.yml").exists());
}

#[test]
fn files_of_others_stay() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run").code(0);
    fs::write(kmk.work("kmk-lab/notes.txt"), "mine").unwrap();
    kmk.run("destroy")
        .code(0)
        .stdout("Nothing to remove: there is no lab `demo`.\n");
    let left: Vec<_> = fs::read_dir(kmk.work("kmk-lab"))
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(left, ["notes.txt"]);
    kmk.run("deploy --dry-run --lab other --dir $ROOT/here/kmk-lab")
        .code(0);
    kmk.run("destroy").code(0);
    assert!(
        kmk.work("kmk-lab/docker-compose.yml").exists(),
        "it belongs to lab `other`"
    );
}

#[test]
fn what_docker_refuses_to_remove_is_an_error_at_the_deadline() {
    let kmk = Kmk::new();
    let docker = Docker::works()
        .with(&kmk.lab())
        .rule(Rule::on("volume rm *").fails(1, "volume is in use\n"));
    let docker = docker.rules(
        ["volume ls *--filter label=kmk.lab=demo"]
            .map(|list| Rule::on(list).says("kmk-demo_primary-data\nkmk-demo_secondary-data\n")),
    );
    let ran = kmk
        .docker(&docker)
        .run("destroy --timeout 2s")
        .code(3)
        .stdout("");
    ran.stderr_has("volume rm --force kmk-demo_primary-data kmk-demo_secondary-data")
        .stderr_has("volume is in use");
}

#[test]
fn quiet_says_no_more_than_the_result() {
    let kmk = Kmk::new();
    kmk.run("destroy --quiet")
        .code(0)
        .stderr("")
        .stdout(indoc! {"
        Nothing to remove: there is no lab `demo`.
    "});
}
