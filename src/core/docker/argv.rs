//! Builds every docker command line, as data, so that tests can compare them.

use crate::core::shell;
use std::ffi::OsString;
use std::path::Path;

/// The words after `docker`.
pub(crate) type Argv = Vec<OsString>;

fn words<const N: usize>(words: [&str; N]) -> Argv {
    words.map(OsString::from).to_vec()
}

fn then<S: AsRef<str>>(mut argv: Argv, more: impl IntoIterator<Item = S>) -> Argv {
    argv.extend(more.into_iter().map(|word| OsString::from(word.as_ref())));
    argv
}

/// What one template asks of the engine; only server fields, so that the client need not ask its plugins.
const ENGINE: &str = r#"{"id":{{json .ID}},"memory":{{json .MemTotal}},"root":{{json .DockerRootDir}},"errors":{{json .ServerErrors}}}"#;

pub(super) fn version() -> Argv {
    words(["--version"])
}

pub(super) fn engine() -> Argv {
    words(["info", "--format", ENGINE])
}

/// Where the current context leads, as a JSON text.
pub(super) fn context() -> Argv {
    words([
        "context",
        "inspect",
        "--format",
        "{{json .Endpoints.docker.Host}}",
    ])
}

/// The subcommand: `docker compose --version` succeeds without the plugin.
pub(super) fn compose_version() -> Argv {
    words(["compose", "version", "--short"])
}

pub(super) fn containers(filters: &[String]) -> Argv {
    listing(words(["ps", "--all", "--no-trunc", "--quiet"]), filters)
}

pub(super) fn volumes(filters: &[String]) -> Argv {
    listing(words(["volume", "ls", "--quiet"]), filters)
}

pub(super) fn networks(filters: &[String]) -> Argv {
    listing(words(["network", "ls", "--no-trunc", "--quiet"]), filters)
}

fn listing(argv: Argv, filters: &[String]) -> Argv {
    filters
        .iter()
        .fold(argv, |argv, filter| then(argv, ["--filter", filter]))
}

/// `kind` is `container`, `volume`, `network` or `image`; the answer is a JSON array.
pub(super) fn inspect(kind: &str, names: &[String]) -> Argv {
    then(words([kind, "inspect"]), names)
}

pub(super) fn pull(image: &str) -> Argv {
    words(["pull", image])
}

/// Whether a registry has the image, without fetching it.
pub(super) fn manifest(image: &str) -> Argv {
    words(["manifest", "inspect", image])
}

/// Lists the libraries of a Kafka image; the container and its volumes are gone afterwards.
pub(super) fn libraries(image: &str) -> Argv {
    words([
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "ls",
        image,
        "/opt/kafka/libs",
    ])
}

/// The prefix of everything that compose does with a lab.
fn compose(project: &str, file: &Path) -> Argv {
    // never: escape codes would end up in files and pipes that read our standard error
    let mut argv = words(["compose", "--ansi", "never", "-p", project, "-f"]);
    argv.push(file.into());
    argv
}

/// Which containers `up` may replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recreate {
    /// None: only what is missing is made, and what has stopped is started.
    Nothing,
    /// The same, of these services only.
    NothingOf(Vec<String>),
    /// These services, whatever they are now, and no others.
    Services(Vec<String>),
}

pub(super) fn up(project: &str, file: &Path, recreate: &Recreate) -> Argv {
    // missing: deploy pulls images itself, visibly and with its own errors
    let argv = then(compose(project, file), ["up", "--detach", "--quiet-pull"]);
    match recreate {
        Recreate::Nothing => then(argv, ["--no-recreate"]),
        Recreate::NothingOf(services) => {
            then(then(argv, ["--no-recreate", "--no-deps", "--"]), services)
        }
        Recreate::Services(services) => then(
            then(argv, ["--force-recreate", "--no-deps", "--"]),
            services,
        ),
    }
}

/// `--force`: also a container that does not run.
pub(super) fn disconnect(network: &str, container: &str) -> Argv {
    words(["network", "disconnect", "--force", network, container])
}

/// `alias` is a name by which others on the network find it: compose's own are gone with the endpoint.
pub(super) fn connect(network: &str, container: &str, alias: &str) -> Argv {
    words(["network", "connect", "--alias", alias, network, container])
}

/// `--volumes` takes anonymous ones along; named ones are removed by name.
pub(super) fn remove_containers(ids: &[String]) -> Argv {
    then(words(["rm", "--force", "--volumes"]), ids)
}

pub(super) fn remove_networks(ids: &[String]) -> Argv {
    then(words(["network", "rm"]), ids)
}

/// An existing one stays as it is.
pub(super) fn make_volume(name: &str, labels: &[(String, String)]) -> Argv {
    let labels = labels
        .iter()
        .map(|(label, value)| format!("{label}={value}"));
    let argv = labels.fold(words(["volume", "create"]), |argv, label| {
        then(argv, ["--label", &label])
    });
    then(argv, [name])
}

pub(super) fn remove_volumes(names: &[String]) -> Argv {
    then(words(["volume", "rm", "--force"]), names)
}

pub(super) fn unpause(ids: &[String]) -> Argv {
    then(words(["unpause"]), ids)
}

pub(super) fn start(ids: &[String]) -> Argv {
    then(words(["start"]), ids)
}

/// No `--time`: each container keeps the grace that it was made with.
pub(super) fn stop(ids: &[String]) -> Argv {
    then(words(["stop"]), ids)
}

/// SIGKILL, to all of them at once.
pub(super) fn kill(ids: &[String]) -> Argv {
    then(words(["kill"]), ids)
}

/// `tail` is a number of lines, or `all`.
pub(super) fn logs(container: &str, tail: &str, follow: bool) -> Argv {
    let argv = words(["logs", "--tail", tail]);
    let argv = if follow {
        then(argv, ["--follow"])
    } else {
        argv
    };
    then(argv, [container])
}

/// With the engine's time before every line.
pub(super) fn timed_logs(container: &str) -> Argv {
    words(["logs", "--timestamps", container])
}

pub(super) fn stats(ids: &[String]) -> Argv {
    then(
        words([
            "stats",
            "--no-stream",
            "--no-trunc",
            "--format",
            "{{json .}}",
        ]),
        ids,
    )
}

/// A word of more characters is cut off where a command is named: it holds a whole journal.
const LONG: usize = 4096;

/// To paste into a shell.
pub(super) fn line(argv: &Argv) -> String {
    let words = argv.iter().map(|word| {
        let word = word.to_string_lossy();
        match word.char_indices().nth(LONG) {
            Some((end, _)) => format!("{}...", &word[..end]),
            None => shell::word(&word),
        }
    });
    let words: Vec<String> = ["docker".to_owned()].into_iter().chain(words).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(argv: &Argv) -> String {
        let words: Vec<_> = argv.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn up_recreates_only_what_it_is_told() {
        let file = Path::new("/d/docker-compose.yml");
        let prefix =
            "compose --ansi never -p kmk-demo -f /d/docker-compose.yml up --detach --quiet-pull";
        assert_eq!(
            text(&up("kmk-demo", file, &Recreate::Nothing)),
            format!("{prefix} --no-recreate")
        );
        assert_eq!(
            text(&up(
                "kmk-demo",
                file,
                &Recreate::Services(vec!["mm2-secondary".to_owned()])
            )),
            format!("{prefix} --force-recreate --no-deps -- mm2-secondary")
        );
    }

    #[test]
    fn listings_are_filtered() {
        assert_eq!(
            text(&containers(&["label=kmk.lab=demo".to_owned()])),
            "ps --all --no-trunc --quiet --filter label=kmk.lab=demo"
        );
    }

    #[test]
    fn a_path_that_is_not_text_is_passed_on() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/d\xff/f"));
        assert!(up("p", path, &Recreate::Nothing).contains(&path.as_os_str().to_owned()));
    }
}
