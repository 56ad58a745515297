//! A flow as a person names it: `source->target`, or `source:target`, which no shell takes for a redirection.

use super::CliError;
use kafka_mirror_kit::core::topology::{Flow, Topology};

/// What a flow is called, as [`Flow::name`] does. What is no name of a flow at all is found out once the lab is known.
pub(crate) fn flow_name(text: &str) -> Result<String, String> {
    if let Some(source) = text.strip_suffix('-') {
        return Err(format!(
            "the shell took `>` for a redirection; write '{source}->TARGET' in quotes, or {source}:TARGET"
        ));
    }
    let ends = text.split_once("->").or_else(|| text.split_once(':'));
    Ok(ends.map_or_else(
        || text.to_owned(),
        |(source, target)| format!("{}->{}", source.trim(), target.trim()),
    ))
}

/// The source and the target of a flow that need not exist yet.
pub(crate) fn flow_ends(text: &str) -> Result<(String, String), String> {
    let name = flow_name(text)?;
    match name.split_once("->") {
        Some((source, target)) if !source.is_empty() && !target.is_empty() => {
            Ok((source.to_owned(), target.to_owned()))
        }
        _ => Err("write it as 'SOURCE->TARGET' in quotes, or SOURCE:TARGET".to_owned()),
    }
}

/// The flow of that name.
pub(crate) fn flow_named<'a>(topology: &'a Topology, name: &str) -> Result<&'a Flow, CliError> {
    let flows = &topology.flows;
    flows
        .iter()
        .find(|flow| flow.name() == name)
        .ok_or_else(|| CliError::unknown("flow", name, &names(topology)))
}

/// The flow of that name; where none is named, the only one there is.
pub(crate) fn flow_meant<'a>(
    topology: &'a Topology,
    name: Option<&str>,
) -> Result<&'a Flow, CliError> {
    match (name, topology.flows.as_slice()) {
        (Some(name), _) => flow_named(topology, name),
        (None, [only]) => Ok(only),
        (None, []) => Err(CliError::usage(format!(
            "lab `{}` has no flow",
            topology.spec.lab
        ))),
        (None, [first, ..]) => {
            let (source, target) = (&first.spec.source, &first.spec.target);
            let what = "the lab has several flows: name one";
            let all = names(topology).join(", ");
            let hint =
                format!("such as '{source}->{target}' or {source}:{target}; there are {all}");
            Err(CliError::usage(what).hint(hint))
        }
    }
}

fn names(topology: &Topology) -> Vec<String> {
    topology.flows.iter().map(Flow::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_mirror_kit::core::spec::scenario;

    #[test]
    fn a_flow_is_written_in_two_ways() {
        for text in ["a-1->b", "a-1:b", "a-1 -> b", "a-1: b"] {
            assert_eq!(flow_name(text).as_deref(), Ok("a-1->b"), "{text}");
        }
        // which flow is meant instead is told once the lab is known
        assert_eq!(flow_name("a").as_deref(), Ok("a"));
    }

    #[test]
    fn what_a_shell_has_cut_off_is_answered_with_both_ways() {
        let why = flow_name("primary-").unwrap_err();
        assert!(why.contains("took `>` for a redirection"), "{why}");
        assert!(
            why.contains("'primary->TARGET'") && why.ends_with("primary:TARGET"),
            "{why}"
        );
    }

    #[test]
    fn where_there_is_one_flow_none_need_be_named() {
        let one = Topology::new(&scenario::dr("demo"));
        let meant = |name| flow_meant(&one, name).map(Flow::name).ok();
        assert_eq!(meant(None).as_deref(), Some("primary->secondary"));
        assert_eq!(meant(Some("primary->secondary")), meant(None));
        assert_eq!(meant(Some("secondary->primary")), None);
        let two = Topology::new(&scenario::Scenario::ActiveActive.spec("demo"));
        assert!(flow_meant(&two, None).is_err());
    }
}
