//! The reference files in `compose/` and `mm2/` are what a deploy writes. `KMK_BLESS=1` writes them anew.

use crate::kmk::Kmk;
use std::fs;
use std::path::Path;

const COMPOSE_HEADING: &str = "\
# The reference lab of the scenario `dr`: what `kmk deploy` runs. By hand, from a clone:
#   docker compose -f compose/dr.yml up
# Kept equal to what kmk writes by a test; to write it anew: KMK_BLESS=1 cargo test --test suite reference
";

const PROPERTIES_HEADING: &str = "\
# The reference properties of MirrorMaker in the scenario `dr`: compose/dr.yml mounts this file.
# Kept equal to what kmk writes by a test; to write it anew: KMK_BLESS=1 cargo test --test suite reference
";

/// What a deploy without any flags writes, below the line by which kmk knows its own files.
fn rendered(file: &str) -> String {
    let kmk = Kmk::new();
    kmk.run("deploy --dry-run").code(0);
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
        "{path} is not what kmk writes; line {}:\n  it has:   {}\n  kmk has:  {}\nKMK_BLESS=1 writes it anew",
        number + 1,
        line(&found),
        line(expected),
    );
}

#[test]
fn the_compose_file() {
    let text = rendered("docker-compose.yml");
    assert_eq!(text.matches("./mm2.properties").count(), 1);
    let text = text.replace("./mm2.properties", "../mm2/dr.properties");
    equals("compose/dr.yml", &format!("{COMPOSE_HEADING}{text}"));
}

#[test]
fn the_properties() {
    equals(
        "mm2/dr.properties",
        &format!("{PROPERTIES_HEADING}{}", rendered("mm2.properties")),
    );
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
