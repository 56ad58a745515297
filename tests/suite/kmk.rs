//! Runs the real `kmk` where nothing of this machine reaches it: its own directories, environment and docker.

use crate::docker::Docker;
use crate::lab::FakeLab;
use crate::ran::Ran;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take here before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `kmk` in a directory of its own.
pub(crate) struct Kmk {
    root: tempfile::TempDir,
    ports: [u16; 2],
    path: String,
    variables: Vec<(String, OsString)>,
    before: String,
}

impl Kmk {
    /// With an engine that works and has no labs.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["bin", "fake", "home", "run", "tmp", "here"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/docker.sh");
        symlink(script, root.path().join("bin/docker")).unwrap();
        let path = format!("{}/bin:/usr/bin:/bin", root.path().display());
        let kmk = Self {
            root,
            ports: [free_port(), free_port()],
            path,
            variables: Vec::new(),
            before: String::new(),
        };
        kmk.docker(&Docker::works())
    }

    /// With ports behind the first cluster's that nobody else is given, for relays.
    pub(crate) fn with_room_for_relays() -> Self {
        const FIRST: u16 = 29_000;
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let behind = u16::try_from(std::process::id() % 40).unwrap() * 90;
        let first = FIRST + (behind + 30 * NEXT.fetch_add(1, Ordering::Relaxed)) % 3_600;
        let mut kmk = Self::new();
        kmk.ports = [first, first + 1];
        kmk
    }

    /// With a docker that knows of this test's own labs and ports.
    pub(crate) fn on(docker: impl FnOnce(&Self) -> Docker) -> Self {
        let kmk = Self::new();
        let docker = docker(&kmk);
        kmk.docker(&docker)
    }

    pub(crate) fn docker(self, docker: &Docker) -> Self {
        docker.write(&self.path("fake"));
        self
    }

    /// Nothing at all on PATH.
    pub(crate) fn without_docker(mut self) -> Self {
        self.path = self.path("home").display().to_string();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// What the shell that starts `kmk` does first.
    pub(crate) fn shell(mut self, commands: &str) -> Self {
        self.before = format!("{commands}; ");
        self
    }

    /// A path below the test's own root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Where `kmk` runs.
    pub(crate) fn work(&self, path: &str) -> PathBuf {
        self.path("here").join(path)
    }

    /// Ports for the lab's clusters, `$PRIMARY` and `$SECONDARY` in arguments and output.
    pub(crate) fn ports(&self) -> [u16; 2] {
        self.ports
    }

    /// The default lab of this test, running.
    pub(crate) fn lab(&self) -> FakeLab {
        self.lab_named("demo")
    }

    pub(crate) fn lab_named(&self, name: &str) -> FakeLab {
        FakeLab::new(name, &self.path("here").display().to_string(), self.ports)
    }

    /// Runs `kmk deploy` on ports that are free, and some more flags.
    pub(crate) fn deploy(&self, flags: &str) -> Ran {
        self.run(&format!("{DEPLOY} {flags}"))
    }

    /// Runs `kmk` with the words of a line.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_words(line.split_whitespace().map(|word| self.expand(word)))
    }

    pub(crate) fn run_words(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        self.start_words(words, Stdio::piped(), Stdio::piped())
            .finish()
    }

    /// Runs `kmk` with its own standard output and error, which are then not seen.
    pub(crate) fn run_into(
        &self,
        line: &str,
        stdout: impl Into<Stdio>,
        stderr: impl Into<Stdio>,
    ) -> Ran {
        self.start_words(
            line.split_whitespace().map(|word| self.expand(word)),
            stdout.into(),
            stderr.into(),
        )
        .finish()
    }

    /// Starts `kmk`, and lets it run.
    pub(crate) fn start(&self, line: &str) -> Running<'_> {
        let words = line.split_whitespace().map(|word| self.expand(word));
        self.start_words(words, Stdio::piped(), Stdio::piped())
    }

    fn start_words(
        &self,
        words: impl IntoIterator<Item = impl AsRef<OsStr>>,
        stdout: Stdio,
        stderr: Stdio,
    ) -> Running<'_> {
        let words: Vec<OsString> = words
            .into_iter()
            .map(|word| word.as_ref().to_owned())
            .collect();
        let line = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
        let mut command = Command::new("/bin/sh");
        command
            .args([
                "-c",
                &format!("{}exec \"$0\" \"$@\"", self.before),
                env!("CARGO_BIN_EXE_kmk"),
            ])
            .args(words)
            .current_dir(self.path("here"))
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("COLUMNS", "100")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
        Running {
            kmk: self,
            line,
            child: Some(command.spawn().unwrap()),
        }
    }

    fn expand(&self, word: &str) -> String {
        let [primary, secondary] = self.ports.map(|port| port.to_string());
        word.replace("$ROOT", &self.path("").display().to_string())
            .replace("$PRIMARY", &primary)
            .replace("$SECONDARY", &secondary)
    }

    /// What the fake docker noted, line by line.
    pub(crate) fn noted(&self, what: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path("fake").join(what)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// A deploy on ports that are free.
pub(crate) const DEPLOY: &str = "deploy --port primary=$PRIMARY --port secondary=$SECONDARY";

/// A `kmk` that runs.
pub(crate) struct Running<'a> {
    kmk: &'a Kmk,
    line: String,
    child: Option<Child>,
}

impl Running<'_> {
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Waits until the fake docker takes its time.
    pub(crate) fn until_docker_waits(&self) {
        self.until("docker takes its time", || {
            !self.kmk.noted("waiting").is_empty()
        });
    }

    /// Waits until docker was called with words that begin like this.
    pub(crate) fn until_called(&self, beginning: &str) {
        self.until(beginning, || {
            self.kmk
                .noted("calls")
                .iter()
                .any(|call| call.starts_with(beginning))
        });
    }

    /// Waits until it would not simply die of a signal.
    #[cfg(target_os = "linux")]
    pub(crate) fn until_it_listens(&self, signal: Signal) {
        self.until("a handler of signals", || {
            let caught = self.of_process("status", "SigCgt:");
            let caught = u64::from_str_radix(&caught, 16).unwrap_or(0);
            caught >> (signal.as_raw() - 1) & 1 == 1
        });
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn until_it_has_ended(&self) {
        self.until("its end", || {
            self.of_process("status", "State:").starts_with('Z')
        });
    }

    /// A line of what the system says of the process.
    #[cfg(target_os = "linux")]
    fn of_process(&self, file: &str, name: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.pid()));
        let text = text.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    }

    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(
                Instant::now() < end,
                "never: {what}; calls: {:#?}",
                self.kmk.noted("calls")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Ran {
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let [primary, secondary] = self.kmk.ports.map(|port| port.to_string());
        let root = self.kmk.root.path().display().to_string();
        let hidden = |text: String| {
            text.replace(&root, "$ROOT")
                .replace(&primary, "$PRIMARY")
                .replace(&secondary, "$SECONDARY")
        };
        let unexpected = self.kmk.noted("unexpected");
        assert!(
            unexpected.is_empty(),
            "the fake docker has no rule for: {unexpected:#?}"
        );
        let calls = self.kmk.noted("calls").into_iter().map(hidden).collect();
        Ran::new(self.line.clone(), &output, calls, hidden)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that nobody listens on, and that no other test of this process was given.
fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 9_000;
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let pid = std::process::id() % u32::from(COUNT);
        AtomicU16::new(u16::try_from(pid).unwrap())
    });
    loop {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
