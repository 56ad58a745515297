//! One kmk at a time on one lab.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::{DEPLOY, Kmk};
use rustix::process::Signal;
use std::fs;

fn hangs_in_up() -> Kmk {
    Kmk::on(|kmk| {
        Docker::works()
            .up_makes(&kmk.lab())
            .rule(Rule::on(UP).takes(60))
    })
}

#[test]
fn the_second_is_told_who_holds_the_lab() {
    let kmk = hangs_in_up();
    let first = kmk.start(DEPLOY);
    first.until_docker_waits();
    for second in [DEPLOY, "destroy"] {
        kmk.run(second).code(3).stdout("").stderr(
            "error: lab `demo` is in use by kmk deploy (process <pid>)\n  \
             hint: wait until it has finished, or use another lab with --lab\n",
        );
    }
    let lock = fs::read_dir(kmk.path("run/kmk"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!(
        fs::read_to_string(lock).unwrap(),
        format!("kmk deploy (process {})", first.pid())
    );
    // nothing of it was touched
    assert!(
        kmk.noted("calls")
            .iter()
            .all(|call| !call.starts_with("rm "))
    );
    first.signal(Signal::INT);
    first.finish().code(130);
}

#[test]
fn questions_need_no_lock() {
    let kmk = hangs_in_up();
    let first = kmk.start(DEPLOY);
    first.until_docker_waits();
    kmk.run("env").code(0);
    kmk.run("status").code(1);
    first.signal(Signal::INT);
    first.finish().code(130);
}

#[test]
fn another_lab_is_not_locked() {
    let kmk = hangs_in_up();
    let first = kmk.start(DEPLOY);
    first.until_docker_waits();
    kmk.run("destroy --lab other")
        .code(0)
        .stdout("Nothing to remove: there is no lab `other`.\n");
    first.signal(Signal::INT);
    first.finish().code(130);
}

#[test]
fn the_lock_of_a_dead_process_does_not_block() {
    let kmk = hangs_in_up();
    let first = kmk.start(DEPLOY);
    first.until_docker_waits();
    first.signal(Signal::KILL);
    drop(first);
    assert!(
        fs::read_dir(kmk.path("run/kmk")).unwrap().next().is_some(),
        "its file is still there"
    );
    kmk.run("destroy")
        .code(0)
        .stdout("Lab `demo` was removed in <time>: 3 containers, 2 networks, 2 volumes.\n");
}

#[test]
fn a_runtime_directory_that_cannot_be_used() {
    let kmk = Kmk::new();
    fs::write(kmk.path("run/kmk"), "a file").unwrap();
    let ran = kmk.run("destroy").code(3).stdout("").changed(&[]);
    ran.stderr_has("error: cannot lock $ROOT/run/kmk/")
        .stderr_has(
            "\n  hint: XDG_RUNTIME_DIR, or else TMPDIR, must be a directory you can write to\n",
        );
}

#[test]
fn without_a_runtime_directory_the_temporary_one_is_taken() {
    let kmk = Kmk::new().shell("unset XDG_RUNTIME_DIR");
    kmk.run("destroy").code(0);
    let names: Vec<String> = fs::read_dir(kmk.path("tmp"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        names,
        [format!("kmk-{}", rustix::process::getuid().as_raw())]
    );
}
