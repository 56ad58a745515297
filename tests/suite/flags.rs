//! Flags and values that make no sense: exit code 2, a sentence that quotes them, and nothing done.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use indoc::indoc;

/// Runs lines that kmk must refuse before it does anything, and looks for a part of what it says.
#[track_caller]
pub(crate) fn refused(lines: &[(&str, &str)]) {
    let kmk = Kmk::new();
    for (line, part) in lines {
        kmk.run(line)
            .code(2)
            .stdout("")
            .stderr_has(part)
            .stderr_lacks("panicked")
            .no_calls();
    }
    assert_eq!(
        std::fs::read_dir(kmk.work("")).unwrap().count(),
        0,
        "nothing may be written"
    );
}

#[test]
fn ports() {
    refused(&[
        (
            "deploy --port primary",
            "write it as CLUSTER=PORT, such as primary=29092",
        ),
        (
            "deploy --port primary=",
            "`` is not a port; 1024 to 65526 are allowed",
        ),
        (
            "deploy --port primary=x",
            "`x` is not a port; 1024 to 65526 are allowed",
        ),
        (
            "deploy --port primary=0",
            "`0` is not a port; 1024 to 65526 are allowed",
        ),
        (
            "deploy --port primary=-1",
            "`-1` is not a port; 1024 to 65526 are allowed",
        ),
        (
            "deploy --port primary=70000",
            "`70000` is not a port; 1024 to 65526 are allowed",
        ),
        (
            "deploy --port primary=80",
            "port 80 needs privileges; 1024 to 65526 are allowed",
        ),
        ("deploy --port primary=65530", "65530"),
    ]);
}

#[test]
fn a_port_used_twice() {
    let kmk = Kmk::new();
    for flags in [
        "--port primary=20000 --port secondary=20000",
        "--port primary=20000 --port secondary=20000 --any-port",
    ] {
        kmk.run(&format!("deploy {flags}"))
            .code(2)
            .stdout("")
            .no_calls()
            .stderr(indoc! {"
            error: port 20000 is assigned to both `primary` and `secondary`
              hint: choose another with --port CLUSTER=PORT, or let kmk choose with --any-port
        "});
    }
    // the port that the other cluster would be given
    kmk.run("deploy --port primary=19192")
        .code(2)
        .stderr_has("port 19192 is assigned to both");
}

#[test]
fn a_cluster_that_is_given_two_ports() {
    refused(&[(
        "deploy --dry-run --port primary=20001 --port primary=20002",
        "primary",
    )]);
}

#[test]
fn unknown_clusters_with_the_nearest_name() {
    let kmk = Kmk::new();
    kmk.run("deploy --port primry=29092")
        .code(2)
        .stdout("")
        .changed(&[])
        .stderr(indoc! {"
        error: there is no cluster `primry`
          hint: did you mean `primary`?
    "});
    kmk.run("deploy --port zzz=29092")
        .code(2)
        .stderr_has("hint: existing clusters: primary, secondary\n");
}

/// `--flow primary->secondary` without quotes writes into a file, and leaves `primary-`.
#[test]
fn a_flow_that_the_shell_has_cut_off() {
    let why = "invalid value 'primary-' for '--flow <SOURCE->TARGET>': the shell took `>` for a redirection; write \
               'primary->TARGET' in quotes, or primary:TARGET\n";
    let lines = [
        "explain orders",
        "lag",
        "verify",
        "group list",
        "group describe billing",
    ];
    let lines = lines.map(|line| format!("{line} --flow primary-"));
    refused(&lines.each_ref().map(|line| (line.as_str(), why)));
}

#[test]
fn topic_filters_are_quoted() {
    let kmk = Kmk::new();
    for (flag, filter, reason) in [
        ("--topics", "*", "`.*` matches anything"),
        ("--topics", "orders(", "unclosed group at character 7"),
        ("--exclude", "[a", "unclosed character class"),
        ("--exclude", "a)", "unopened group"),
        ("--topics", "a b\\", "escape"),
    ] {
        let ran = kmk
            .run_words(["deploy", flag, filter])
            .code(2)
            .stdout("")
            .no_calls();
        ran.stderr_has(&format!("error: topic filter `{filter}`: "))
            .stderr_has(reason)
            .stderr_has(
                "\n  hint: quote it for the shell, such as --topics 'orders,payments\\..*'\n",
            );
    }
}

#[test]
fn empty_filters() {
    let kmk = Kmk::new();
    for filter in ["", " ", "a,,b", "a,"] {
        let ran = kmk
            .run_words(["deploy", "--topics", filter])
            .code(2)
            .stdout("")
            .no_calls();
        ran.stderr_has(
            "error: topic filter ``: is empty; leave it out, or write `.*` for all topics\n",
        );
    }
}

#[test]
fn blanks_around_filters_are_no_part_of_them() {
    let kmk = Kmk::new();
    kmk.run_words(["deploy", "--dry-run", "--topics", "orders, payments"])
        .code(0);
    let properties = std::fs::read_to_string(kmk.work("kmk-lab/mm2.properties")).unwrap();
    assert!(
        properties.contains("orders") && properties.contains("payments"),
        "{properties}"
    );
}

#[test]
fn partitions() {
    for count in ["0", "1001", "99999"] {
        let ran = Kmk::new()
            .run(&format!("deploy --partitions {count}"))
            .code(2)
            .stdout("")
            .no_calls();
        ran.stderr(&format!(
            "error: cluster `primary` cannot have {count} partitions; 1 to 1000 are allowed\n\
             error: cluster `secondary` cannot have {count} partitions; 1 to 1000 are allowed\n"
        ));
    }
    refused(&[
        ("deploy --partitions -1", "-1"),
        ("deploy --partitions 99999999999", "99999999999"),
    ]);
}

#[test]
fn all_that_is_wrong_with_a_lab_at_once() {
    let line =
        "deploy --topics orders( --partitions 0 --port nope=4000 --port primary=19192 --image a$b";
    Kmk::new()
        .run(line)
        .code(2)
        .stdout("")
        .changed(&[])
        .stderr(indoc! {"
        error: there is no cluster `nope`
          hint: existing clusters: primary, secondary
        error: `a$b` is not an image name, such as apache/kafka:3.9.2
        error: cluster `primary` cannot have 0 partitions; 1 to 1000 are allowed
        error: cluster `secondary` cannot have 0 partitions; 1 to 1000 are allowed
        error: topic filter `orders(`: unclosed group at character 7
          hint: quote it for the shell, such as --topics 'orders,payments\\..*'
        error: port 19192 is assigned to both `primary` and `secondary`
          hint: choose another with --port CLUSTER=PORT, or let kmk choose with --any-port
    "});
}

#[test]
fn lab_names() {
    let rule = "use lower-case letters, digits and `-` (not first or last), at most 40 characters";
    let long = "a".repeat(41);
    for name in [
        "", "Demo", "-demo", "demo-", "a_b", "a.b", "a/b", "ä", &long,
    ] {
        let ran = Kmk::new()
            .run_words(["deploy", &format!("--lab={name}")])
            .code(2)
            .stdout("")
            .no_calls();
        ran.stderr_has(&format!(
            "error: invalid value '{name}' for '--lab <NAME>': {rule}\n"
        ))
        .stderr_lacks("panicked");
    }
}

#[test]
fn timeouts() {
    refused(&[
        (
            "deploy --timeout 5",
            "time unit needed, for example 5sec or 5ms",
        ),
        (
            "deploy --timeout soon",
            "invalid value 'soon' for '--timeout <TIME>': must be a time, such as 500ms, 30s or 2m",
        ),
        ("deploy --timeout -1s", "unexpected argument '-1' found"),
        (
            "destroy --timeout x",
            "invalid value 'x' for '--timeout <TIME>'",
        ),
        (
            "deploy --timeout 999999999999999999999999s",
            "--timeout <TIME>",
        ),
    ]);
}

#[test]
fn no_time_at_all() {
    refused(&[
        ("deploy --timeout 0s", "--timeout <TIME>"),
        ("destroy --timeout 0s", "--timeout <TIME>"),
    ]);
}

#[test]
fn more_time_than_a_clock_can_tell() {
    let kmk = Kmk::new().docker(&Docker::works().rule(Rule::on(UP).fails(1, "no\n")));
    kmk.deploy("--timeout 500000000000years")
        .code(3)
        .stderr_has("up --detach")
        .stderr_lacks("panicked");
}

#[test]
fn flags_that_contradict() {
    refused(&[
        (
            "deploy --quiet --verbose",
            "the argument '--quiet' cannot be used with '--verbose'",
        ),
        (
            "deploy --kafka-version latest",
            "must be a version, such as 3.9.2",
        ),
        ("deploy --timings xml", "[possible values: table, json]"),
        (
            "deploy --color sometimes",
            "[possible values: auto, always, never]",
        ),
        ("status --jsn", "tip: did you mean `--json`?"),
        ("deplyo", "did you mean `kmk deploy`?"),
        ("destroy now", "unexpected argument 'now' found"),
        ("logs --tail x", "invalid value 'x' for '--tail <N>'"),
        ("", "Usage: kmk [OPTIONS] <COMMAND>"),
    ]);
}

#[test]
fn image_names() {
    let kmk = Kmk::new();
    for image in ["", "a b", "$HOME", "-x", "a:", "ä"] {
        let ran = kmk
            .run_words(["deploy", &format!("--image={image}")])
            .code(2)
            .stdout("")
            .no_calls();
        ran.stderr(&format!(
            "error: `{image}` is not an image name, such as apache/kafka:3.9.2\n"
        ));
    }
}

#[test]
fn images_of_clusters() {
    let kmk = Kmk::new();
    for (flags, said) in [
        (
            "--image a:1 --kafka-version 3.9.2",
            "two Kafka images are set for all clusters",
        ),
        (
            "--image a:1 --image a:1",
            "two Kafka images are set for all clusters",
        ),
        (
            "--image primary=a:1 --kafka-version primary=3.9.2",
            "two Kafka images are set for cluster `primary`",
        ),
        (
            "--kafka-version secondary=3.9.2 --kafka-version secondary=4.2.0 --image secondary=a:1",
            "two Kafka images are set for cluster `secondary`",
        ),
    ] {
        let ran = kmk
            .run(&format!("deploy {flags}"))
            .code(2)
            .stdout("")
            .no_calls();
        ran.stderr(&format!(
            "error: {said}\n  hint: --kafka-version chooses an image too: give only one of them, once\n"
        ));
    }
    let ran = kmk.run("deploy --kafka-version primry=4.2.0 --image primary= --image b=a:1");
    ran.code(2).stdout("").changed(&[]).stderr(indoc! {"
        error: there is no cluster `b`
          hint: existing clusters: primary, secondary
        error: there is no cluster `primry`
          hint: did you mean `primary`?
        error: `` is not an image name, such as apache/kafka:3.9.2
    "});
    refused(&[
        (
            "deploy --kafka-version primary=latest",
            "must be a version, such as 3.9.2",
        ),
        (
            "deploy --kafka-version 4",
            "must be a version, such as 3.9.2",
        ),
        (
            "deploy --image =a:1",
            "the cluster name before `=` is missing",
        ),
    ]);
}

#[test]
fn a_value_for_a_cluster_beats_one_for_all() {
    let services = |flags: &str| {
        let kmk = Kmk::new().variable("KMK_KAFKA_IMAGE", "of/variable:1");
        kmk.run(&format!("deploy --dry-run {flags}")).code(0);
        let file = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
        let images = file
            .lines()
            .filter_map(|line| line.strip_prefix("    image: "));
        // in the order of their names
        let images: Vec<String> = images.map(str::to_owned).collect();
        <[String; 3]>::try_from(images).unwrap()
    };
    let next = "${KMK_KAFKA_IMAGE_4_2_0:-apache/kafka:4.2.0}";
    let mine = "my/kafka:3.9";
    for (flags, [mirror, primary, secondary]) in [
        ("--kafka-version 4.2.0", [next; 3]),
        (
            "--kafka-version 4.2.0 --image primary=my/kafka:3.9",
            [next, mine, next],
        ),
        (
            "--image primary=my/kafka:3.9 --kafka-version 4.2.0",
            [next, mine, next],
        ),
        (
            "--kafka-version primary=4.2.0 --image my/kafka:3.9",
            [next, next, mine],
        ),
        (
            "--kafka-version secondary=4.2.0",
            [next, "of/variable:1", next],
        ),
    ] {
        assert_eq!(services(flags), [mirror, primary, secondary], "{flags}");
    }
}

#[test]
fn an_empty_variable_is_none() {
    let kmk = Kmk::new().variable("KMK_KAFKA_IMAGE", "");
    kmk.run("deploy --dry-run").code(0);
}
