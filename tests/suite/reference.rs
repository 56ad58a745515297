//! The reference files in `compose/` and `mm2/` are what a deploy of each scenario writes, without the volume of class-data
//! archives. `KMK_BLESS=1` updates them.

use crate::kmk::Kmk;
use kafka_mirror_kit::core::spec::scenario::Scenario;
use std::fs;
use std::path::Path;

const KEPT: &str = "# A test keeps it equal to what kmk writes; to update it: KMK_BLESS=1 cargo test --test suite reference\n";

fn compose_heading(scenario: Scenario) -> String {
    let command = if scenario == Scenario::default() {
        "kmk deploy".to_owned()
    } else {
        format!("kmk deploy --scenario {scenario}")
    };
    format!(
        "# The reference lab of scenario `{scenario}`: what `{command}` runs, without the\n\
         # `kmk-classes` volume (a start-up cache). To run it by hand from a clone:\n\
         #   docker compose -f compose/{scenario}.yml up\n{KEPT}"
    )
}

fn properties_heading(scenario: Scenario) -> String {
    format!(
        "# MirrorMaker's properties in scenario `{scenario}`: compose/{scenario}.yml mounts this file.\n{KEPT}"
    )
}

/// What a dry run without any other flags writes, below the line by which kmk knows its own files.
fn rendered(scenario: Scenario, file: &str) -> String {
    let kmk = Kmk::new();
    kmk.run(&format!("deploy --dry-run --scenario {scenario}"))
        .code(0)
        .no_calls();
    let text = fs::read_to_string(kmk.work("kmk-lab").join(file)).unwrap();
    let (header, rest) = text.split_once('\n').unwrap();
    assert!(
        header.starts_with("# Written by kmk for lab demo ("),
        "{header}"
    );
    rest.to_owned()
}

fn equals(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("KMK_BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, expected).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let number = expected
        .lines()
        .zip(found.lines())
        .take_while(|(expected, found)| expected == found)
        .count();
    let line = |text: &str| text.lines().nth(number).unwrap_or("(end)").to_owned();
    assert!(
        found == expected,
        "{path} is not what kmk writes; line {}:\n  it has:   {}\n  kmk has:  {}\nKMK_BLESS=1 updates it",
        number + 1,
        line(&found),
        line(expected),
    );
}

#[test]
fn the_compose_files() {
    for scenario in Scenario::ALL {
        let text = rendered(scenario, "docker-compose.yml");
        let mirrors = text.matches("./mm2.properties").count();
        assert_eq!(mirrors, text.matches("\n  mm2-").count());
        let text = text.replace("./mm2.properties", &format!("../mm2/{scenario}.properties"));
        let heading = compose_heading(scenario);
        equals(
            &format!("compose/{scenario}.yml"),
            &format!("{heading}{text}"),
        );
    }
}

#[test]
fn the_properties() {
    for scenario in Scenario::ALL {
        let text = rendered(scenario, "mm2.properties");
        let heading = properties_heading(scenario);
        equals(
            &format!("mm2/{scenario}.properties"),
            &format!("{heading}{text}"),
        );
    }
}

#[test]
fn the_default_scenario_is_what_a_deploy_without_flags_writes() {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run").code(0);
    for file in ["docker-compose.yml", "mm2.properties"] {
        let text = fs::read_to_string(kmk.work("kmk-lab").join(file)).unwrap();
        let (_, text) = text.split_once('\n').unwrap();
        assert_eq!(text, rendered(Scenario::Dr, file));
    }
}

#[test]
fn nothing_but_the_scenarios_has_reference_files() {
    for (directory, end) in [("compose", "yml"), ("mm2", "properties")] {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let mut found: Vec<String> = fs::read_dir(top)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut expected = Scenario::ALL.map(|scenario| format!("{scenario}.{end}"));
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_clone_is_no_working_directory() {
    let kmk = Kmk::new();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(kmk.work("kmk-lab")).unwrap();
    fs::copy(
        top.join("compose/dr.yml"),
        kmk.work("kmk-lab/docker-compose.yml"),
    )
    .unwrap();
    kmk.run("deploy --dry-run")
        .code(2)
        .stderr_has("error: kmk-lab/docker-compose.yml was not written by kmk\n");
}
