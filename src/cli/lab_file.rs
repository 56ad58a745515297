use super::Context;
use super::error::{BadLabFile, CliError};
use kafka_mirror_kit::core::lab_file;
use kafka_mirror_kit::core::spec::DEFAULT_LAB;
use kafka_mirror_kit::core::spec::Spec;
use kafka_mirror_kit::core::spec::scenario::Scenario;
use kmk_kafka::wait::Limit;
use std::path::Path;

/// What the lab file says, if one is named or lies here; from then on its lab is meant, unless another was typed.
pub(super) fn wanted(
    named: Option<&Path>,
    scenario: Option<Scenario>,
    context: &mut Context,
) -> Result<Option<Spec>, CliError> {
    let Some(path) = named.or(here()) else {
        return Ok(None);
    };
    if let Some(scenario) = scenario {
        let what = format!("{} already defines the clusters and flows", path.display());
        let hint = format!(
            "leave --scenario out, or use a directory without a lab file; `kmk init --scenario {scenario} --config FILE` writes another"
        );
        return Err(CliError::usage(what).hint(hint));
    }
    let file = path.to_owned();
    let loaded = Limit::endless(&context.interrupt).aside(move || lab_file::load(&file))?;
    let reading = loaded.map_err(|problems| BadLabFile {
        path: path.to_owned(),
        problems,
    })?;
    context
        .output
        .talk(&format!("Using {}; flags override it.", path.display()));
    for warning in &reading.warnings {
        let place = warning.place.map(|place| format!("{place}: "));
        let place = place.unwrap_or_default();
        context
            .output
            .warn(&format!("{}:{place}{}", path.display(), warning.what));
    }
    let mut spec = reading.spec;
    // a name in the file is stronger than KMK_LAB, but for the usual one: then it may as well have none
    if context.is_lab_typed || spec.lab == DEFAULT_LAB {
        spec.lab.clone_from(&context.lab);
    } else {
        context.lab.clone_from(&spec.lab);
    }
    Ok(Some(spec))
}

/// The lab file in this directory. One that cannot be read is an error, not ignored.
fn here() -> Option<&'static Path> {
    let usual = Path::new(lab_file::FILE);
    usual.symlink_metadata().is_ok().then_some(usual)
}

/// What becomes of flows that are added beside a lab file.
pub(super) fn mention(flows: &[(String, String)], context: &Context) {
    let Some(path) = here() else {
        return;
    };
    let flows = flows
        .iter()
        .map(|(from, to)| format!("{{from: {from}, to: {to}}}"));
    let flows: Vec<String> = flows.collect();
    context.output.talk(&format!(
        "note: {} is not read with --add-flow; add {} to its `flows`, or the next deploy that reads it removes the flow",
        path.display(),
        flows.join(", ")
    ));
}
