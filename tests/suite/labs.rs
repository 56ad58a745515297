//! Several labs on one engine: listed, and taken away together.

use crate::docker::{Docker, FORGET_CLASSES, Rule};
use crate::kmk::Kmk;
use crate::lab::FakeLab;
use indoc::indoc;
use serde_json::{Value, json};

/// An engine with several labs: what carries any lab's label is of all of them.
fn engine_with(labs: &[FakeLab]) -> Docker {
    let containers: Vec<Value> = labs
        .iter()
        .flat_map(|lab| serde_json::from_str::<Vec<Value>>(&lab.inspected()).unwrap())
        .collect();
    let ids: Vec<&str> = containers
        .iter()
        .map(|c| c["Id"].as_str().unwrap())
        .collect();
    let docker = labs.iter().fold(Docker::works(), Docker::with);
    docker
        .rule(Rule::on("ps *--filter label=kmk.lab").says(&(ids.join("\n") + "\n")))
        .rule(Rule::on("network ls *--filter label=kmk.lab"))
        .rule(Rule::on("volume ls *--filter label=kmk.lab"))
        .rule(
            Rule::on(&format!("container inspect {}", ids.join(" ")))
                .says(&Value::from(containers.clone()).to_string()),
        )
}

fn asleep(lab: FakeLab) -> FakeLab {
    ["primary", "secondary", "mm2-secondary"]
        .iter()
        .fold(lab, |lab, service| lab.exited(service, 143))
}

/// What `--json` printed, with the ports that the test's lab has.
fn json_of(kmk: &Kmk, text: &str) -> Vec<Value> {
    let [primary, secondary] = kmk.ports().map(|port| port.to_string());
    let text = text
        .replace("$PRIMARY", &primary)
        .replace("$SECONDARY", &secondary);
    serde_json::from_str(&text).unwrap()
}

/// One of each state, in the order of their names.
fn five(kmk: &Kmk) -> [FakeLab; 5] {
    [
        kmk.lab_named("alpha"),
        kmk.lab_named("beta").without("primary"),
        asleep(kmk.lab_named("gamma")),
        kmk.lab_named("omega").exited("primary", 1),
        kmk.lab_named("zeta").format("99"),
    ]
}

#[test]
fn no_lab_at_all() {
    Kmk::new()
        .run("list")
        .code(0)
        .stdout("There are no labs.\n")
        .stderr("\nhint: `kmk deploy` starts one\n")
        .changed(&[]);
    Kmk::new()
        .run("list --json")
        .code(0)
        .stdout("[]\n")
        .stderr("");
    Kmk::new()
        .run("destroy --all")
        .code(0)
        .stdout("There are no labs.\n")
        .stderr("Volume kmk-classes was removed too.\n")
        .changed(&[FORGET_CLASSES]);
}

#[test]
fn every_lab_has_a_line() {
    let kmk = Kmk::on(|kmk| engine_with(&five(kmk)));
    let ran = kmk.run("list").code(0).changed(&[]);
    ran.stdout(indoc! {"
        LAB    STATE        UP   PORTS        SCENARIO  DIRECTORY
        alpha  running      3/3  $PRIMARY,$SECONDARY  dr        kmk-lab
        beta   incomplete   2/3  $PRIMARY,$SECONDARY  dr        kmk-lab
        gamma  stopped      0/3  $PRIMARY,$SECONDARY  dr        kmk-lab
        omega  NOT HEALTHY  2/3  $PRIMARY,$SECONDARY  dr        kmk-lab
        zeta   unreadable   3/3  -            -         kmk-lab
    "})
        .stderr(indoc! {"
        note: zeta: it was created by a newer kmk (its labels have format 99)

        hint: `kmk start --lab gamma` starts it again
    "});
    kmk.run("list --quiet").code(0).stderr("");
}

#[test]
fn what_is_piped_is_never_cut() {
    let kmk = Kmk::on(|kmk| engine_with(&[kmk.lab_named("alpha")]));
    std::fs::create_dir(kmk.work("elsewhere")).unwrap();
    let kmk = kmk.shell("cd elsewhere");
    let ran = kmk.run("list").code(0).stderr("");
    let line = ran.text().lines().nth(1).unwrap().to_owned();
    assert!(line.ends_with("  $ROOT/here/kmk-lab"), "{line}");
    let long = format!("/{}", "a-very-long-name-of-a-directory/".repeat(4));
    let kmk = Kmk::on(|kmk| engine_with(&[FakeLab::new("alpha", &long, kmk.ports())]));
    let ran = kmk.run("list").code(0);
    let line = ran.text().lines().nth(1).unwrap().to_owned();
    assert!(line.ends_with(&format!("  {long}/kmk-lab")), "{line}");
}

#[test]
fn one_question_a_kind_however_many_labs_there_are() {
    let kmk = Kmk::on(|kmk| engine_with(&five(kmk)));
    kmk.run("list").code(0);
    let mut calls: Vec<String> = kmk
        .noted("calls")
        .iter()
        .map(|call| call.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    calls.sort();
    assert_eq!(
        calls,
        ["container inspect", "network ls", "ps --all", "volume ls"]
    );
}

#[test]
fn the_list_as_json() {
    let kmk = Kmk::on(|kmk| engine_with(&five(kmk)));
    let ran = kmk.run("list --json").code(0).stderr("");
    let labs = json_of(&kmk, ran.text());
    let of = |name: &str| labs.iter().find(|lab| lab["lab"] == name).unwrap();
    let states: Vec<&Value> = labs.iter().map(|lab| &lab["state"]).collect();
    assert_eq!(
        states,
        [
            "running",
            "incomplete",
            "stopped",
            "unhealthy",
            "unreadable"
        ]
    );
    assert_eq!(of("alpha")["scenario"], "dr");
    assert_eq!(of("zeta")["scenario"], Value::Null);
    assert_eq!(of("alpha")["flows"], json!(["primary->secondary"]));
    assert_eq!(of("alpha")["clusters"], json!(["primary", "secondary"]));
    assert_eq!(of("alpha")["directory"], "$ROOT/here/kmk-lab");
    assert_eq!(
        (&of("beta")["running"], &of("beta")["containers"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(of("alpha")["ports"], json!(kmk.ports()));
    assert_eq!(of("alpha")["memory"], Value::Null);
    assert_eq!(of("alpha")["problem"], Value::Null);
    assert_eq!(
        of("zeta")["problem"],
        "it was created by a newer kmk (its labels have format 99)"
    );
}

#[test]
fn memory_is_asked_for_only_when_it_is_wanted() {
    let stats =
        |id: &str, used: &str| format!("{{\"ID\":\"{id}\",\"MemUsage\":\"{used} / 512MiB\"}}\n");
    let used = stats("id-alpha-primary", "201.5MiB") + &stats("id-alpha-secondary", "300MiB");
    let kmk = Kmk::on(|kmk| {
        let labs = [kmk.lab_named("alpha"), asleep(kmk.lab_named("beta"))];
        let ids = "stats *id-alpha-mm2-secondary id-alpha-primary id-alpha-secondary";
        engine_with(&labs).rule(Rule::on(ids).says(&used))
    });
    let ran = kmk.run("list --verbose").code(0);
    ran.stdout_has("  MEMORY   SCENARIO")
        .stdout_has("  501 MiB  dr")
        .stdout_has("  0 MiB    dr");
    let ran = kmk.run("list --verbose --json").code(0);
    let labs = json_of(&kmk, ran.text());
    assert_eq!(labs[0]["memory"], 501 * 1024 * 1024 + 512 * 1024);
    assert_eq!(labs[1]["memory"], 0);
}

#[test]
fn a_damaged_label_and_a_name_of_others_are_listed_as_such() {
    let kmk = Kmk::on(|kmk| {
        engine_with(&[
            kmk.lab_named("../\u{1b}[31mred"),
            kmk.lab_named("broken").spec(json!({"lab": "broken"})),
        ])
    });
    let ran = kmk.run("list").code(0);
    ran.stdout_has("broken            unreadable  3/3  -")
        .stdout_has(r"../\u001b[31mred  unreadable  3/3  -")
        .stderr_has("note: broken: container kmk-broken-")
        .stderr_has("missing field `clusters`")
        .stderr_has(r"note: ../\u001b[31mred: its name is not a valid lab name");
}

#[test]
fn what_is_left_of_a_lab_without_containers_is_listed() {
    let kmk = Kmk::on(|kmk| Docker::works().with(&kmk.lab().without_containers()));
    let ran = kmk.run("list").code(0);
    ran.stdout_has("demo  incomplete  0/0  -      -         -\n")
        .stderr("note: demo: its containers are gone; networks or volumes remain\n");
}

#[test]
fn an_engine_that_does_not_answer() {
    let down = Docker::down("Cannot connect to the Docker daemon\n")
        .rule(Rule::on("ps *").fails(1, "Cannot connect to the Docker daemon\n"));
    for line in ["list", "destroy --all --yes", "stop", "start"] {
        let ran = Kmk::new().docker(&down).run(line).code(3).stdout("");
        ran.stderr_has("error: the Docker engine does not answer: it is not running\n");
        let ran = Kmk::new().without_docker().run(line).code(3).stdout("");
        ran.stderr_has("error: `docker` is not on PATH\n");
    }
}

#[test]
fn all_are_destroyed_one_after_the_other_once_that_is_said() {
    let kmk = Kmk::on(|kmk| engine_with(&[kmk.lab_named("alpha"), kmk.lab_named("beta")]));
    kmk.run("destroy --all")
        .code(2)
        .stdout("")
        .changed(&[])
        .stderr(indoc! {"
        error: destroy 2 labs: alpha, beta? There is no terminal to ask on
          hint: add --yes to destroy them all
    "});
    kmk.run("destroy --all --yes")
        .code(0)
        .stderr("Volume kmk-classes was removed too.\n")
        .stdout(indoc! {"
        Lab `alpha` was removed in <time>: 3 containers, 2 networks, 2 volumes.
        Lab `beta` was removed in <time>: 3 containers, 2 networks, 2 volumes.
    "});
}

#[test]
fn at_a_terminal_the_answer_counts() {
    for (answer, code, words) in [
        ("y", 0, "Lab `alpha` was removed"),
        ("YES", 0, "Lab `alpha` was removed"),
        ("n", 1, "Nothing was destroyed."),
        ("", 1, "Nothing was destroyed."),
        ("yellow", 1, "Nothing was destroyed."),
    ] {
        let kmk = Kmk::on(|kmk| engine_with(&[kmk.lab_named("alpha")]));
        // the real thing: kmk at the end of a pseudo-terminal
        let typed = format!("echo {answer} | script -qec \"$0 $*\" /dev/null; exit");
        let ran = kmk.shell(&typed).run("destroy --all").code(code);
        ran.stdout_has("destroy 1 lab: alpha? [y/N] ")
            .stdout_has(words);
    }
}

#[test]
fn one_that_cannot_go_keeps_no_other_from_going() {
    let kmk = Kmk::on(|kmk| {
        engine_with(&[
            kmk.lab_named("../up"),
            kmk.lab_named("alpha").format("99"),
            kmk.lab_named("beta"),
        ])
    });
    let ran = kmk.run("destroy --all --yes").code(3);
    ran.stdout("Lab `beta` was removed in <time>: 3 containers, 2 networks, 2 volumes.\n")
        .stderr(indoc! {"
        Lab `../up` was not completely removed:
        error: lab `../up` was not made by kmk
          hint: use docker to remove what carries its label
        Lab `alpha` was not completely removed:
        error: lab `alpha` was created by a newer kmk (its labels have format 99; this kmk knows formats up to 3)
          hint: use the kmk that made it, or a newer one; this one supports formats up to 3
    "});
}

#[test]
fn all_of_them_and_one_of_them_exclude_each_other() {
    for line in ["destroy --all --lab demo", "--lab demo destroy --all --yes"] {
        Kmk::new()
            .run(line)
            .code(2)
            .stdout("")
            .no_calls()
            .stderr(indoc! {"
            error: --all and --lab cannot be used together
              hint: leave one of them out
        "});
    }
    crate::flags::refused(&[("destroy --yes", "--all")]);
}

#[test]
fn any_port_leaves_the_ports_of_stopped_labs_to_them() {
    use crate::docker::UP;
    let kmk = Kmk::on(|kmk| {
        let other = FakeLab::new(
            "other",
            &kmk.path("other").display().to_string(),
            [19092, 19192],
        );
        engine_with(&[asleep(other)]).rule(Rule::on(UP).fails(1, "no\n"))
    });
    kmk.run("deploy --any-port --keep").code(3);
    let compose = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    assert!(!compose.contains("127.0.0.1:19092:"), "{compose}");
    assert!(!compose.contains("127.0.0.1:19192:"), "{compose}");
    // chosen once, they are part of the lab
    assert!(compose.contains(r#""port":"#), "{compose}");
}

/// Two deploys may look at the same moment: docker refuses the second one, which then looks again.
#[test]
fn ports_that_were_taken_in_the_meantime_are_replaced() {
    use crate::docker::UP;
    const UP_COMMAND: &str = "compose --ansi never -p kmk-demo -f kmk-lab/docker-compose.yml up \
                              --detach --quiet-pull --no-recreate";
    // whichever it chose
    let ports = (19_092..19_400).map(|port| format!("127.0.0.1:{port}"));
    let refusal = ports.collect::<Vec<_>>().join(" ") + ": port is already allocated\n";
    let kmk = Kmk::on(|kmk| {
        let directory = kmk.path("other").display().to_string();
        let other = asleep(FakeLab::new("other", &directory, [19092, 19192]));
        engine_with(&[other])
            .rule(Rule::on("ps *--filter label=kmk.lab").until(UP))
            .rule(Rule::on(UP).fails(1, &refusal))
    });
    kmk.run("deploy --any-port")
        .code(3)
        .changed(&[UP_COMMAND; 3])
        .stderr_has("Choosing other ports: port ")
        .stderr_has("\nerror: port ");
    assert!(!kmk.work("kmk-lab").exists());
}
