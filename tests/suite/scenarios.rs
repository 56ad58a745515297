//! `kmk scenarios`, and `kmk deploy --scenario`: what is written, what is refused, and what stays as it is.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use crate::lab::FakeLab;
use indoc::indoc;
use kafka_mirror_kit::core::spec::scenario::Scenario;

/// A scenario that runs.
fn running(scenario: Scenario, name: &str) -> Kmk {
    Kmk::on(|kmk| Docker::works().with(&of_scenario(kmk, scenario, name)))
}

fn of_scenario(kmk: &Kmk, scenario: Scenario, name: &str) -> FakeLab {
    let mut spec = scenario.spec(name);
    // nobody listens on these: a lab of this machine may have the usual ones
    for (cluster, port) in spec.clusters.iter_mut().zip(kmk.ports()) {
        cluster.port = Some(port);
    }
    kmk.lab_named(name)
        .spec(serde_json::to_value(spec).unwrap())
}

#[test]
fn each_is_listed_with_a_drawing_and_when_to_use_it() {
    let kmk = Kmk::new().without_docker();
    let ran = kmk.run("scenarios").code(0);
    for scenario in Scenario::ALL {
        assert!(ran.text().contains(scenario.summary()), "{scenario}");
        assert!(ran.text().contains(scenario.when()), "{scenario}");
    }
    ran.stdout_has(indoc! {"
        active-active: both clusters take writes and mirror each other's topics, without loops

            east: orders      ----> west: east.orders
            east: west.orders <---- west: orders

          Two sites are active at once, each close to its users: to read all records, consume `orders` and its mirrored topic.
    "})
    .stdout_has("dr (default): ")
    .stderr("\nNext:\n  kmk deploy --scenario active-active  # or another scenario\n");
    kmk.run("scenarios --quiet").code(0).stderr("");
}

#[test]
fn as_json() {
    let ran = Kmk::new().run("scenarios --json").code(0).stderr("");
    let json: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    let scenarios = json["scenarios"].as_array().unwrap();
    let names: Vec<&str> = scenarios
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, Scenario::ALL.map(Scenario::name));
    let migrate = &scenarios[4];
    assert_eq!(migrate["clusters"][1]["name"], "cloud");
    assert_eq!(migrate["flows"][0]["naming"], "same");
    assert_eq!(scenarios[5]["clusters"][0]["brokers"], 3);
}

#[test]
fn one_that_is_not_there() {
    Kmk::new()
        .run("deploy --scenario activ-active")
        .code(2)
        .stdout("")
        .no_calls()
        .stderr_has("'active-active'");
}

#[test]
fn what_would_be_done() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run --scenario aggregate --partitions 3 --port central=30000 --kafka-version emea=4.2.0")
        .code(0)
        .no_calls()
        .stdout(indoc! {"
            Wrote kmk-lab/docker-compose.yml
            Wrote kmk-lab/mm2.properties
            Would run docker compose -p kmk-demo -f kmk-lab/docker-compose.yml up -d
            Would wait until a canary record is mirrored through emea->central, apac->central
            Clusters would be emea at 127.0.0.1:19092, apac at 127.0.0.1:19192, central at 127.0.0.1:30000
        "});
    let text = std::fs::read_to_string(kmk.work("kmk-lab/docker-compose.yml")).unwrap();
    let file: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let services = &file["services"];
    for cluster in ["emea", "apac", "central"] {
        assert_eq!(
            services[cluster]["environment"]["KAFKA_NUM_PARTITIONS"],
            "3"
        );
    }
    let image = |service: &str| services[service]["image"].as_str().unwrap().to_owned();
    for (service, version) in [
        ("emea", "4.2.0"),
        ("apac", "3.9.2"),
        ("mm2-central", "4.2.0"),
    ] {
        assert!(
            image(service).contains(version),
            "{service}: {}",
            image(service)
        );
    }
}

#[test]
fn flags_name_the_scenario_s_clusters() {
    Kmk::new()
        .run("deploy --scenario fan-out --port egde-1=30000")
        .code(2)
        .stdout("")
        .no_calls()
        .stderr(indoc! {"
            error: there is no cluster `egde-1`
              hint: did you mean `edge-1`?
        "});
}

#[test]
fn a_lab_of_another_shape_stays_as_it_is() {
    let kmk = running(Scenario::Dr, "demo");
    kmk.run("deploy --scenario active-active")
        .code(2)
        .stdout("")
        .changed(&[])
        .stderr(indoc! {"
            error: lab `demo` already exists with scenario `dr` (primary->secondary), not with scenario `active-active`
              hint: `kmk destroy` removes it with its records; `kmk deploy --scenario active-active --lab NAME --any-port` creates another lab beside it
        "});
    // same clusters and flows, more brokers
    let ran = kmk.run("deploy --scenario ha").code(2).changed(&[]);
    ran.stderr_has("with scenario `dr` (primary->secondary), not with scenario `ha`\n");
    let kmk = running(Scenario::Migrate, "two");
    kmk.run("deploy --scenario dr --lab two")
        .code(2)
        .changed(&[])
        .stderr_has("error: lab `two` already exists with scenario `migrate` (legacy->cloud), not with scenario `dr`\n  hint: `kmk destroy --lab two` removes it");
}

#[test]
fn a_lab_that_is_no_scenario_is_told_by_its_flows() {
    let kmk = Kmk::on(|kmk| {
        let mut spec = Scenario::FanOut.spec("demo");
        spec.flows.pop();
        let lab = kmk.lab().spec(serde_json::to_value(spec).unwrap());
        Docker::works().with(&lab)
    });
    kmk.run("deploy --scenario fan-out")
        .code(2)
        .stderr_has("already exists with other flows (hub->edge-1), not with scenario `fan-out`\n");
}

#[test]
fn the_same_scenario_again_is_the_lab_that_is_there() {
    for flags in ["--scenario active-active", "", "--port east=31000"] {
        let kmk = Kmk::on(|kmk| {
            let docker = Docker::works().with(&of_scenario(kmk, Scenario::ActiveActive, "demo"));
            docker.rule(Rule::on(UP).fails(1, "no\n"))
        });
        let ran = kmk.run(&format!("deploy --any-port {flags}")).code(3);
        ran.stderr_lacks("there is no cluster")
            .stderr_has("The lab existed before and is kept");
        let text = std::fs::read_to_string(kmk.work("kmk-lab/mm2.properties")).unwrap();
        assert!(text.contains("clusters = east, west\n"));
    }
}

#[test]
fn a_cluster_of_a_lab_that_is_not_there_is_unknown_with_docker_and_without() {
    let said = "error: there is no cluster `east`\n  hint: existing clusters: primary, secondary\n";
    let line = "deploy --port east=31000";
    Kmk::new().run(line).code(2).changed(&[]).stderr(said);
    let without = Kmk::new().without_docker();
    without.run(line).code(2).stderr(said);
}

#[test]
fn what_is_meant_without_a_cluster_is_said_where_there_is_a_choice() {
    for (line, cluster) in [
        ("produce --topic orders --timeout 1s", "east"),
        ("consume --topic orders --timeout 1s", "west"),
        ("consume --topic east.orders --timeout 1s", "west"),
        ("consume --topic west.orders --timeout 1s", "east"),
    ] {
        let kmk = running(Scenario::ActiveActive, "demo");
        let note = format!("note: using cluster {cluster}; choose another with --cluster\n");
        kmk.run(line).code(3).stderr_has(&note);
        kmk.run(&format!("{line} --cluster west"))
            .code(3)
            .stderr_lacks("note:");
        kmk.run(&format!("{line} --quiet"))
            .code(3)
            .stderr_lacks("note:");
    }
    let kmk = running(Scenario::Dr, "demo");
    kmk.run("produce --topic orders --timeout 1s")
        .code(3)
        .stderr_lacks("note:");
}

#[test]
fn the_copies_of_each_side_are_mirrormaker_s_to_write() {
    let kmk = running(Scenario::ActiveActive, "demo");
    for (cluster, topic, from) in [
        ("east", "west.orders", "west"),
        ("west", "east.orders", "east"),
    ] {
        let line = format!("produce --topic {topic} --cluster {cluster}");
        kmk.run(&line).code(2).stderr_has(&format!(
            "hint: send to --topic orders --cluster {from}, or use --force"
        ));
    }
}
