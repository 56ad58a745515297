//! References to environment variables in the values of settings: `${env:NAME}`.

/// A part of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// What the variable of that name holds.
    Variable(&'a str),
}

/// Variables that the image's own scripts read: passed to a container, they would change what runs in it.
const TAKEN: [&str; 18] = [
    "BASH_ENV",
    "CLASSPATH",
    "CLUSTER_ID",
    "HOME",
    "JAVA_HOME",
    "JAVA_TOOL_OPTIONS",
    "KAFKA_DEBUG",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_OPTS",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LOG_DIR",
    "PATH",
    "UPGRADE_KAFKA_STREAMS_TEST_VERSION",
];

/// The parts of a value, in order.
///
/// # Errors
/// What is wrong with a reference in it: Kafka would leave one that it does not understand as it stands.
pub fn pieces(value: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut found, mut rest) = (Vec::new(), value);
    while let Some(at) = rest.find("${") {
        if at > 0 {
            found.push(Piece::Text(&rest[..at]));
        }
        let (inside, tail) = rest[at + 2..]
            .split_once('}')
            .ok_or("has a `${` without its `}`")?;
        let name = inside.strip_prefix("env:");
        let name = name
            .filter(|name| is_variable(name))
            // it may be a password that is quoted here
            .ok_or("has a `${…}` that is not a reference; write `${env:NAME}`")?;
        if TAKEN.contains(&name) {
            return Err(format!(
                "refers to `{name}`, which the container itself uses: choose another name"
            ));
        }
        found.push(Piece::Variable(name));
        rest = tail;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    Ok(found)
}

/// The variables that a value refers to; none of one that is malformed.
pub fn names_in(value: &str) -> Vec<&str> {
    let name = |piece| match piece {
        Piece::Variable(name) => Some(name),
        Piece::Text(_) => None,
    };
    let pieces = pieces(value).unwrap_or_default();
    pieces.into_iter().filter_map(name).collect()
}

fn is_variable(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_a_reference() {
        assert_eq!(
            pieces("a ${env:B}$c${env:_D1}"),
            Ok(vec![
                Piece::Text("a "),
                Piece::Variable("B"),
                Piece::Text("$c"),
                Piece::Variable("_D1"),
            ])
        );
        for (bad, part) in [
            ("${env:", "without its `}`"),
            ("${env:}", "write `${env:NAME}`"),
            ("${env:A B}", "is not a reference"),
            ("${file:/x:y}", "is not a reference"),
            ("${NAME}", "is not a reference"),
            ("${env:PATH}", "another name"),
        ] {
            assert!(pieces(bad).unwrap_err().contains(part), "{bad}");
            assert!(names_in(bad).is_empty());
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_value(value in "([a-z$ ]|\\$\\{env:[A-Z]{1,3}\\}|\\$\\{){0,6}") {
            if let Ok(pieces) = pieces(&value) {
                let again: String = pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => (*text).to_owned(),
                        Piece::Variable(name) => format!("${{env:{name}}}"),
                    })
                    .collect();
                prop_assert_eq!(again, value);
            }
        }
    }
}
