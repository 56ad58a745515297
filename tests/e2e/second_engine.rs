//! A second Docker engine on a loopback port: nothing of the first one's, and blind to the files of the tests. Ended and
//! removed with its owner. Needs root, or a sudo that asks for no password.

use crate::engine::kafka_image;
use crate::lab::free_port;
use crate::process::{Ran, Running, until};
use rustix::process::geteuid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where it keeps everything; images and volumes in memory, where its storage works whatever the disk is made of.
const HOME: &str = "/var/lib/kmk-e2e-engine";
/// Its networks come from here. The first engine lets nothing through that it does not know.
const NETWORKS: &str = "10.213.0.0/16";
/// Networks that it gives out itself.
const POOL: &str = "base=10.213.0.0/17,size=24";
/// Its default network. Without one (`--bridge none`) it would delete `docker0`, which is the first engine's.
const BRIDGE: &str = "kmk-e2e0";
const BRIDGE_ADDRESS: &str = "10.213.255.1/24";
/// Hides two directories, and a containerd that the first engine may use, from dockerd and its containers alone.
const BLIND: &str = "mount -t tmpfs none \"$0\" && mount -t tmpfs none \"$1\" && shift && \
                     if [ -d /run/containerd ]; then mount -t tmpfs none /run/containerd; fi && exec \"$@\"";
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct SecondEngine {
    /// As `DOCKER_HOST` has it.
    pub(crate) address: String,
    child: Child,
    log: tempfile::NamedTempFile,
}

impl SecondEngine {
    /// One that has the Kafka image, and sees nothing of what `hidden` holds.
    pub(crate) fn start(hidden: &Path) -> Self {
        clear();
        as_root("mkdir", &["-p", &format!("{HOME}/data")]);
        as_root("ip", &["link", "add", BRIDGE, "type", "bridge"]);
        as_root("ip", &["address", "add", BRIDGE_ADDRESS, "dev", BRIDGE]);
        as_root("ip", &["link", "set", BRIDGE, "up"]);
        let log = tempfile::NamedTempFile::new().unwrap();
        let address = format!("tcp://127.0.0.1:{}", free_port());
        let below = |name: &str| format!("{HOME}/{name}");
        // an engine that somebody configured is the first one
        let config = hidden.join("daemon.json");
        fs::write(&config, "{}").unwrap();
        as_root("cp", &[config.to_str().unwrap(), &below("daemon.json")]);
        fs::remove_file(config).unwrap();
        let mut command = root("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c", BLIND])
            .arg(hidden)
            .arg(below("data"))
            .args(["dockerd", "--host", &address, "--tls=false"])
            .args(["--config-file", &below("daemon.json")])
            .args(["--data-root", &below("data"), "--exec-root", &below("run")])
            .args(["--pidfile", &below("pid"), "--bridge", BRIDGE])
            .args([
                "--iptables=false",
                "--ip6tables=false",
                "--ip-forward=false",
            ])
            .args(["--default-address-pool", POOL]);
        command
            .stdin(Stdio::null())
            .stdout(log.reopen().unwrap())
            .stderr(log.reopen().unwrap());
        let child = command.spawn().unwrap();
        let mut engine = Self {
            address,
            child,
            log,
        };
        engine.until_it_answers();
        as_root("iptables", &firewall("-I"));
        engine.load(&kafka_image());
        engine
    }

    fn until_it_answers(&mut self) {
        until("the second engine answers", PATIENCE, || {
            let ended = self.child.try_wait().unwrap();
            let log = || fs::read_to_string(self.log.path()).unwrap();
            assert!(ended.is_none(), "dockerd ended ({ended:?})\n{}", log());
            let asked = self.command("docker").args(["info"]).output().unwrap();
            asked.status.success().then_some(())
        });
    }

    pub(crate) fn load(&self, image: &str) {
        let mut save = Command::new("docker");
        save.args(["save", image]).stdout(Stdio::piped());
        let mut saving = save.spawn().unwrap();
        let mut load = self.command("docker");
        load.arg("load");
        let loading = Running::start_reading(&mut load, saving.stdout.take().unwrap());
        assert!(saving.wait().unwrap().success());
        loading.finish().code(0).prints(image);
    }

    /// A program that works with this engine.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("DOCKER_HOST", &self.address)
            .env_remove("DOCKER_CONTEXT")
            .env_remove("KMK_DIR");
        command
    }

    /// What docker says of it, for the words of a line.
    #[track_caller]
    pub(crate) fn docker(&self, line: &str) -> String {
        let mut command = self.command("docker");
        let ran = Ran::of(command.args(line.split_whitespace()), b"").code(0);
        ran.text().trim().to_owned()
    }
}

impl Drop for SecondEngine {
    fn drop(&mut self) {
        // otherwise each has its grace to end by itself
        let all = self.command("docker").args(["ps", "-aq"]).output();
        let ids = all.map(|all| String::from_utf8_lossy(&all.stdout).into_owned());
        let ids = ids.unwrap_or_default();
        let remove = self
            .command("docker")
            .args(["rm", "-fv"])
            .args(ids.lines())
            .output();
        drop(remove);
        clear();
        let _ = self.child.wait();
    }
}

/// Ends and removes what is there of it: also of a run that was killed.
fn clear() {
    let pid = fs::read_to_string(PathBuf::from(HOME).join("pid")).unwrap_or_default();
    let is_it = || {
        let line = fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
        !pid.is_empty() && String::from_utf8_lossy(&line).contains(HOME)
    };
    if is_it() {
        let _ = root("kill").arg(pid.trim()).status();
        for _ in 0..1200 {
            if !is_it() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    if is_it() {
        println!("the second engine (process {}) does not end", pid.trim());
        return;
    }
    let undo = |program: &str, arguments: &[&str]| {
        // what is not there need not go
        let mut command = root(program);
        let _ = command.args(arguments).stderr(Stdio::null()).status();
    };
    undo("iptables", &firewall("-D"));
    undo("ip", &["link", "delete", BRIDGE]);
    undo("rm", &["-rf", HOME]);
}

fn firewall(verb: &'static str) -> [&'static str; 9] {
    [
        "-w", verb, "FORWARD", "-s", NETWORKS, "-d", NETWORKS, "-j", "ACCEPT",
    ]
}

fn root(program: &str) -> Command {
    if geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

#[track_caller]
fn as_root(program: &str, arguments: &[&str]) {
    Ran::of(root(program).args(arguments), b"").code(0);
}
