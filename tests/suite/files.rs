//! The working directory: what kmk writes there, and what it leaves alone.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::{DEPLOY, Kmk};
use indoc::indoc;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

const COMPOSE: &str = "kmk-lab/docker-compose.yml";
const PROPERTIES: &str = "kmk-lab/mm2.properties";

#[test]
fn a_dry_run_writes_and_says_what_it_would_do_without_docker() {
    let kmk = Kmk::new().without_docker();
    let stdout = indoc! {"
        Wrote kmk-lab/docker-compose.yml
        Wrote kmk-lab/mm2.properties
        Would run docker compose -p kmk-demo -f kmk-lab/docker-compose.yml up -d
        Would wait until a canary record is mirrored through primary->secondary
        Clusters would be primary at 127.0.0.1:19092, secondary at 127.0.0.1:19192
    "};
    let stderr = "\nNothing was started; without --dry-run, the lab is started.\n";
    kmk.run("deploy --dry-run")
        .code(0)
        .stdout(stdout)
        .stderr(stderr)
        .no_calls();
    kmk.run("deploy --dry-run --quiet")
        .code(0)
        .stdout(stdout)
        .stderr("");
}

#[test]
fn a_dry_run_names_what_has_to_be_typed() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run --lab two")
        .code(0)
        .stderr("\nNothing was started; without --dry-run, the lab is started.\n");
}

#[test]
fn the_same_flags_give_the_same_bytes() {
    let [one, other] = [Kmk::new(), Kmk::new()].map(|kmk| {
        kmk.run("deploy --dry-run --topics a,b.* --partitions 3")
            .code(0);
        [COMPOSE, PROPERTIES].map(|file| fs::read_to_string(kmk.work(file)).unwrap())
    });
    assert_eq!(one, other);
}

#[test]
fn files_can_be_read_inside_the_containers_whatever_the_umask() {
    let kmk = Kmk::new().shell("umask 077");
    kmk.run("deploy --dry-run").code(0);
    for file in [COMPOSE, PROPERTIES] {
        let mode = fs::metadata(kmk.work(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "{file}");
    }
}

#[test]
fn an_edited_file_is_not_overwritten_unless_asked() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run").code(0);
    let before = fs::read_to_string(kmk.work(COMPOSE)).unwrap();
    let edited = before.clone() + "# mine\n";
    fs::write(kmk.work(COMPOSE), &edited).unwrap();
    for verb in ["deploy --dry-run", DEPLOY] {
        kmk.run(verb)
            .code(2)
            .stdout("")
            .changed(&[])
            .stderr(indoc! {"
            error: kmk-lab/docker-compose.yml was edited since kmk wrote it
              hint: replace it with --overwrite, or choose another directory with --dir
        "});
    }
    assert_eq!(fs::read_to_string(kmk.work(COMPOSE)).unwrap(), edited);
    kmk.run("deploy --dry-run --overwrite").code(0);
    assert_eq!(fs::read_to_string(kmk.work(COMPOSE)).unwrap(), before);
}

#[test]
fn both_files_that_are_in_the_way_are_named() {
    let kmk = Kmk::new();
    fs::create_dir(kmk.work("kmk-lab")).unwrap();
    for file in [COMPOSE, PROPERTIES] {
        fs::write(kmk.work(file), "mine\n").unwrap();
    }
    kmk.deploy("")
        .code(2)
        .stdout("")
        .changed(&[])
        .stderr(indoc! {"
        error: kmk-lab/docker-compose.yml was not written by kmk
          hint: replace it with --overwrite, or choose another directory with --dir
        error: kmk-lab/mm2.properties was not written by kmk
          hint: replace it with --overwrite, or choose another directory with --dir
    "});
    assert_eq!(fs::read_to_string(kmk.work(COMPOSE)).unwrap(), "mine\n");
}

#[test]
fn files_of_another_lab() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run --lab other --dir kmk-lab")
        .code(0);
    let ran = kmk.deploy("").code(2).stdout("").changed(&[]);
    ran.stderr_has(indoc! {"
        error: kmk-lab/docker-compose.yml belongs to lab `other`
          hint: choose another directory with --dir, or replace it with --overwrite
    "});
}

#[test]
fn a_failed_deploy_leaves_foreign_files_as_they_were() {
    let kmk = Kmk::new().docker(&Docker::works().rule(Rule::on(UP).fails(1, "no\n")));
    fs::create_dir(kmk.work("kmk-lab")).unwrap();
    fs::write(kmk.work("kmk-lab/notes.txt"), "mine").unwrap();
    kmk.deploy("").code(3);
    let left: Vec<PathBuf> = fs::read_dir(kmk.work("kmk-lab"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(left, [kmk.work("kmk-lab/notes.txt")]);
}

#[test]
fn a_directory_that_is_a_file() {
    let kmk = Kmk::new();
    fs::write(kmk.work("lab"), "mine").unwrap();
    for verb in [
        "deploy --dry-run --dir lab",
        "deploy --dry-run --dir lab/below",
    ] {
        kmk.run(verb)
            .code(2)
            .stdout("")
            .stderr_has("hint: choose another directory with --dir\n");
    }
    let ran = kmk.deploy("--dir lab").code(2).changed(&[]);
    ran.stderr_has("error: cannot write to lab\n  caused by: Not a directory");
}

#[test]
fn a_directory_that_nobody_can_write_to() {
    let kmk = Kmk::new();
    // not even root writes there
    let ran = kmk
        .deploy("--dir /proc/kmk-lab")
        .code(2)
        .stdout("")
        .changed(&[]);
    ran.stderr_has("error: cannot write to /proc\n  caused by: ")
        .stderr_has("\n  hint: choose another directory with --dir\n");
    let ran = kmk
        .run("deploy --dry-run --dir /proc/kmk-lab")
        .code(2)
        .stdout("");
    ran.stderr_has("error: cannot make /proc/kmk-lab\n  caused by: ");
}

#[test]
fn a_file_that_cannot_be_written_to_its_end() {
    // a limit on the size of files fails as a full disk does, in the middle of writing
    let kmk = Kmk::new().shell("trap '' XFSZ; ulimit -f 0");
    let ran = kmk.run("deploy --dry-run").code(3).stdout("");
    ran.stderr_has("error: cannot write kmk-lab/docker-compose.yml\n  caused by: ")
        .stderr_has("\n  hint: choose another directory with --dir\n");
    let left = fs::read_dir(kmk.work("kmk-lab")).unwrap().count();
    assert_eq!(left, 0, "half a file is left");
}

#[test]
fn the_directory_can_be_named_by_a_variable() {
    let kmk = Kmk::new().variable("KMK_DIR", "elsewhere");
    kmk.run("deploy --dry-run")
        .code(0)
        .stdout_has("Wrote elsewhere/docker-compose.yml\n");
    kmk.run("deploy --dry-run --dir here")
        .code(0)
        .stdout_has("Wrote here/docker-compose.yml\n");
    assert!(
        kmk.work("elsewhere/mm2.properties").exists() && kmk.work("here/mm2.properties").exists()
    );
}

#[test]
fn a_lab_keeps_its_directory() {
    // its containers say where its files are
    let kmk = Kmk::on(|kmk| {
        Docker::works()
            .with(&kmk.lab().exited("primary", 1))
            .rule(Rule::on(UP).fails(1, "no\n"))
    });
    fs::create_dir(kmk.work("elsewhere")).unwrap();
    let kmk = kmk.shell("cd elsewhere");
    kmk.deploy("").code(3);
    assert!(kmk.work(COMPOSE).exists() && !kmk.work("elsewhere/kmk-lab").exists());
}

#[test]
fn each_lab_has_a_directory_of_its_own() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run --lab two")
        .code(0)
        .stdout_has("Wrote kmk-lab-two/docker-compose.yml\n");
}

#[test]
fn no_directory_at_all_is_a_mistake_or_the_default() {
    let ran = Kmk::new().run("deploy --dry-run --dir=").code(2).stdout("");
    ran.stderr_has("--dir <DIRECTORY>");
    // a script that clears a variable means the default
    let kmk = Kmk::new().variable("KMK_DIR", "");
    kmk.run("deploy --dry-run")
        .code(0)
        .stdout_has("Wrote kmk-lab/docker-compose.yml\n");
}

#[test]
fn a_directory_where_a_file_should_be() {
    let kmk = Kmk::new();
    fs::create_dir_all(kmk.work(COMPOSE)).unwrap();
    for verb in ["deploy --dry-run", "deploy --dry-run --overwrite", DEPLOY] {
        let ran = kmk.run(verb).code(2).stdout("").changed(&[]);
        ran.stderr_has(
            "error: cannot read kmk-lab/docker-compose.yml\n  caused by: Is a directory",
        );
    }
}
