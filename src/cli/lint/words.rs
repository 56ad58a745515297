use kafka_mirror_kit::core::mirrormaker::lint::Problem;
use kafka_mirror_kit::core::mirrormaker::settings::Consequence;

/// What is wrong, and what to do.
pub(super) fn words(problem: &Problem) -> String {
    match problem {
        Problem::Malformed => {
            "`\\u` without its four digits: Java reads nothing of the file".to_owned()
        }
        Problem::ByteOrderMark => {
            "a byte-order mark stands before it, which Java takes as a part of the key: save the file without one".to_owned()
        }
        Problem::NoBreakSpace => {
            "has a no-break space (U+00A0), which is no blank for Java: write a plain one".to_owned()
        }
        Problem::Encoding { written, read } => {
            let escapes: Vec<String> = written
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect();
            format!(
                "Java takes the file as ISO-8859-1 and reads `{written}` as `{read}`: write `{}`",
                escapes.concat()
            )
        }
        Problem::SetAgain(line) => format!("set again on line {line}, which counts"),
        Problem::BlankInKey => "a blank ends a key: write source->target without any".to_owned(),
        Problem::Comment => {
            "there are no comments behind a value: from `#` on it is part of it".to_owned()
        }
        Problem::Swallowed(line) => format!(
            "line {line} looks like a comment and is part of the value: the line before it ends with `\\`"
        ),
        _ => of_key(problem),
    }
}

fn of_key(problem: &Problem) -> String {
    let or = |keys: &[String]| joined(keys, " or ");
    match problem {
        Problem::Unknown(meant) if meant.is_empty() => {
            "no setting of MirrorMaker: ignored".to_owned()
        }
        Problem::Unknown(meant) => format!(
            "no setting of MirrorMaker: ignored; did you mean {}?",
            or(meant)
        ),
        Problem::Misplaced(instead) => format!("ignored here; it is read as {}", or(instead)),
        Problem::Partly { reaches, instead } if instead.is_empty() => {
            format!("applies only to {reaches}")
        }
        Problem::Partly { reaches, instead } => {
            format!("applies only to {reaches}; for that it is {}", or(instead))
        }
        Problem::Overruled(why) => format!("ignored: {why}"),
        Problem::NotEnabled(flow) => {
            format!(
                "ignored: flow {flow} is not enabled; say `{flow}.enabled = true`, or leave this out"
            )
        }
        Problem::OfBroker => {
            "a broker's setting: MirrorMaker ignores it; set it on the brokers".to_owned()
        }
        Problem::OfTopic => {
            "a topic's setting: MirrorMaker ignores it; set it with kafka-configs.sh".to_owned()
        }
        Problem::OnlyIn(only) => {
            format!(
                "ignored: of the versions known to kmk only {} has it",
                only.kafka()
            )
        }
        Problem::Gone(instead) => {
            format!("gone in Kafka 4, which ignores it: write {}", or(instead))
        }
        Problem::UnknownAlias { name, nearest, .. } => {
            let hint = nearest
                .as_ref()
                .map(|near| format!("; did you mean `{near}`?"));
            format!(
                "ignored: `clusters` does not name `{name}`{}",
                hint.unwrap_or_default()
            )
        }
        Problem::Itself(alias) => format!("ignored: a flow from {alias} to itself"),
        _ => of_others(problem),
    }
}

fn joined(keys: &[String], by: &str) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    keys.join(by)
}

/// What other keys of the file do to this one, and it to them.
fn of_others(problem: &Problem) -> String {
    match problem {
        Problem::Shadowed(winners) if winners.len() == 1 => {
            format!("ignored: {} counts instead", joined(winners, ""))
        }
        Problem::Shadowed(winners) => {
            format!("ignored: {} count instead", joined(winners, " and "))
        }
        Problem::OneConnector(class) => {
            let short = class.rsplit('.').next().unwrap_or(class);
            format!("makes all three connectors of a flow a {short}; leave it out")
        }
        Problem::SharedWorker(workers) => format!(
            "the workers {} would share it, and overwrite each other's connectors; leave it out",
            workers.join(", ")
        ),
        _ => of_value(problem),
    }
}

fn of_value(problem: &Problem) -> String {
    match problem {
        Problem::Value {
            value,
            kind,
            failure,
        } => {
            let short: String = value.chars().take(60).collect();
            format!("`{short}` is not {kind}: {failure}")
        }
        Problem::EmptyEntry(failure) => {
            format!("has an empty entry, which Kafka refuses from 4.2 on: {failure}")
        }
        Problem::EmptyCluster => {
            "has an empty name: from Kafka 4.2 on MirrorMaker does not start, before it makes flows of a cluster without a name".to_owned()
        }
        Problem::Repeated { entry, failure } => {
            format!("has `{entry}` twice, which Kafka refuses from 4.2 on: {failure}")
        }
        Problem::Pattern { pattern, reason } => {
            format!(
                "`{pattern}` is no regular expression: {reason}; {}",
                Consequence::Later
            )
        }
        Problem::Quoted => {
            "quotes are a part of the names or patterns that they stand around: leave them out"
                .to_owned()
        }
        Problem::BlankBehind(then) => {
            format!("a blank stands behind the value, and stays there: {then}")
        }
        Problem::NoProviderClass(name) => format!(
            "a reference to `{name}` stays as it is: `config.providers.{name}.class` is missing"
        ),
        Problem::NoProvider(name) => {
            format!("a reference to `{name}`, which config.providers does not name, stays as it is")
        }
        _ => of_file(problem),
    }
}

fn of_file(problem: &Problem) -> String {
    match problem {
        Problem::NoClusters => "missing or empty: MirrorMaker does not start".to_owned(),
        Problem::NoBootstrap(alias) => format!("`{alias}` has no `{alias}.bootstrap.servers`"),
        Problem::NoFlow => {
            "no flow is enabled: nothing is mirrored; say `source->target.enabled = true`"
                .to_owned()
        }
        Problem::Ring { flows, grows } => {
            let round = grows.as_ref().map_or_else(
                || "every record would go round endlessly".to_owned(),
                |grows| format!("each round would create more topics ({grows}), endlessly"),
            );
            format!(
                "flows {} form a cycle that MirrorMaker does not break: {round}",
                flows.join(", ")
            )
        }
        Problem::OneCluster {
            one,
            other,
            address,
        } => format!(
            "`{one}` and `{other}` both have the address {address}: one cluster under two names, which MirrorMaker would copy into itself for ever"
        ),
        Problem::TooMany => "too many findings: from here on nothing was looked at".to_owned(),
        _ => "MirrorMaker cannot use it".to_owned(),
    }
}
