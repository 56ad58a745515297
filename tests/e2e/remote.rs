//! A lab on another engine, reached by `DOCKER_HOST` and by a context: everything works, and nothing of it needs this
//! machine's files.

use crate::kcat::{CROSSING, Kcat};
use crate::lab::{KMK, free_port};
use crate::process::Ran;
use crate::second_engine::SecondEngine;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

const LAB: &str = "e2e-elsewhere";
const RECORDS: usize = 1_000;

struct Remote {
    engine: SecondEngine,
    home: tempfile::TempDir,
    ports: [u16; 2],
}

impl Remote {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            engine: SecondEngine::start(home.path()),
            home,
            ports: [free_port(), free_port()],
        }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.engine.command(KMK);
        command
            .args(line.split_whitespace())
            .args(["--lab", LAB])
            .current_dir(self.home.path());
        command
    }

    fn kmk(&self, line: &str) -> Ran {
        Ran::of(&mut self.command(line), b"")
    }

    fn deploy(&self, flags: &str) -> Ran {
        let [primary, secondary] = self.ports;
        self.kmk(&format!(
            "deploy --port primary={primary} --port secondary={secondary} {flags}"
        ))
    }

    /// By a context that is in use, instead of by `DOCKER_HOST`.
    fn kmk_in_context(&self, config: &Path, line: &str) -> Ran {
        let mut command = self.command(line);
        command
            .env_remove("DOCKER_HOST")
            .env("DOCKER_CONFIG", config);
        Ran::of(&mut command, b"")
    }

    /// By `ssh://`, with a stand-in for ssh that goes no further than this machine.
    fn kmk_by_ssh(&self, line: &str) -> Ran {
        let bin = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\nwhile [ \"$1\" != docker ]; do shift; done\nDOCKER_HOST={} exec \"$@\"\n",
            self.engine.address
        );
        let ssh = bin.path().join("ssh");
        fs::write(&ssh, script).unwrap();
        fs::set_permissions(&ssh, Permissions::from_mode(0o755)).unwrap();
        let path = format!(
            "{}:{}",
            bin.path().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = self.command(line);
        command.env("PATH", path).env("DOCKER_HOST", "ssh://me@far");
        Ran::of(&mut command, b"")
    }

    fn sides(&self, address: &str) -> [Kcat; 2] {
        self.ports.map(|port| Kcat(format!("{address}:{port}")))
    }

    /// Containers, volumes and networks of the lab on the engine elsewhere.
    fn things(&self) -> String {
        let filter = format!("--filter label=kmk.lab={LAB}");
        let lists = ["ps -aq", "volume ls -q", "network ls -q"];
        lists
            .map(|list| self.engine.docker(&format!("{list} {filter}")))
            .concat()
    }
}

mod matrix {
    use super::*;
    use crate::engine::relay_image;
    use crate::slow_link::{is_near, round_trip_at};
    use std::net::TcpStream;

    #[test]
    #[ignore = "needs Docker"]
    fn relays_on_another_engine_and_on_another_address() {
        let remote = Remote::start();
        remote.engine.load(&relay_image());
        remote
            .deploy("--bind 127.0.0.1 --link rtt=80ms")
            .code(0)
            .says("Told link-primary-secondary how slow to be");
        // behind that of the first broker
        let [api, line] = [10, 11].map(|behind| remote.ports[0] + behind);
        is_near(round_trip_at(&format!("127.0.0.1:{line}")), 80.0);
        let [primary, secondary] = remote.sides("127.0.0.1");
        let mut sent = BTreeSet::new();
        for (how, state) in [("", "cut"), ("--half-open", "half-open")] {
            remote.kmk(&format!("link cut {how}")).code(0);
            sent.insert(state.to_owned());
            primary.produce("orders", &format!("{state}\n"));
            remote
                .kmk("status")
                .code(1)
                .prints(&format!("the link is {state} "));
            std::thread::sleep(std::time::Duration::from_secs(3));
            assert!(
                !secondary.topics().contains_key("primary.orders")
                    || !secondary
                        .values("primary.orders")
                        .contains(&state.to_owned())
            );
            remote
                .kmk("link heal")
                .code(0)
                .prints("is restored and replicates");
            secondary.until_it_has("primary.orders", &sent, CROSSING);
        }
        remote.kmk("link set --rtt 40ms").code(0);
        remote
            .kmk("link show --load")
            .code(0)
            .prints("(asked: 40ms)");

        println!("another address");
        remote.deploy("--bind 127.0.0.2").code(0);
        for port in [api, line] {
            assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{port}");
            TcpStream::connect(("127.0.0.2", port)).unwrap();
        }
        is_near(round_trip_at(&format!("127.0.0.2:{line}")), 40.0);
        remote.kmk("status").code(0).prints("healthy");
        remote.kmk("destroy").code(0);
        assert_eq!(remote.things(), "");
    }

    #[test]
    #[ignore = "needs Docker"]
    fn drills_on_another_engine() {
        let remote = Remote::start();
        remote.deploy("--bind 127.0.0.1").code(0);
        for fault in ["", "--fault cut", "--planned"] {
            let report = remote
                .kmk(&format!("drill failover {fault} --json"))
                .code(0);
            assert_eq!(report.json()["passed"], true, "{fault}");
            remote.kmk("drill abort").code(0).prints("was taken back");
            remote.kmk("status").code(0).prints("healthy");
        }
        remote.kmk("destroy").code(0);
        assert_eq!(remote.things(), "");
    }
}

#[test]
#[ignore = "needs Docker"]
fn a_lab_on_another_engine() {
    let remote = Remote::start();
    remote
        .deploy("")
        .code(2)
        .says("the Docker engine is remote (tcp://127.0.0.1:")
        .says("--bind 127.0.0.1");
    assert_eq!(remote.things(), "", "refused before anything is made");

    let ran = remote.deploy("--bind 127.0.0.1").code(0);
    ran.says("warning: anyone who can reach 127.0.0.1 can read, write and delete everything")
        .prints("is up and replicates");
    let mounts = "{{range .Mounts}}{{.Type}} {{end}}{{range .HostConfig.Mounts}}{{.Type}} {{end}}{{.HostConfig.Binds}}";
    for service in ["primary", "secondary", "mm2-secondary"] {
        let inspect = [
            "inspect",
            "--format",
            mounts,
            &format!("kmk-{LAB}-{service}-1"),
        ];
        let found = Ran::of(remote.engine.command("docker").args(inspect), b"").code(0);
        println!("  {service} mounts: {}", found.text().trim());
        assert!(!found.text().contains("bind") && found.text().contains("[]"));
    }
    // and none could be: the engine does not see what was written here
    let directory = remote.home.path().join(format!("kmk-lab-{LAB}"));
    let properties = fs::read_to_string(directory.join("mm2.properties")).unwrap();
    let image = remote
        .engine
        .docker("images --format {{.Repository}}:{{.Tag}}");
    let mounted = format!(
        "run --rm --network none --mount type=bind,source={}/mm2.properties,target=/x --entrypoint true {image}",
        directory.display()
    );
    let mut mounted_run = remote.engine.command("docker");
    let refused = Ran::of(mounted_run.args(mounted.split_whitespace()), b"");
    refused.code(125).says("bind source path does not exist");
    let inside = remote.engine.docker(&format!(
        "exec kmk-{LAB}-mm2-secondary-1 cat /mm2.properties"
    ));
    let (_, text) = properties.split_once('\n').unwrap();
    assert_eq!(inside, text.trim());

    let sent: BTreeSet<String> = (0..RECORDS).map(|n| format!("record {n}")).collect();
    let lines: Vec<&str> = sent.iter().map(String::as_str).collect();
    fs::write(remote.home.path().join("records"), lines.join("\n")).unwrap();
    remote.kmk("produce --topic orders --file records").code(0);
    let copies = format!("consume --topic primary.orders --cluster secondary --messages {RECORDS}");
    assert_eq!(remote.kmk(&copies).code(0).lines(), lines);
    let [_, secondary] = remote.sides("127.0.0.1");
    secondary.until_it_has("primary.orders", &sent, CROSSING);

    remote
        .kmk("status")
        .code(0)
        .prints("healthy")
        .prints("127.0.0.1:");
    remote
        .kmk("env")
        .code(0)
        .prints("SECONDARY_BOOTSTRAP=127.0.0.1:");
    remote.kmk("logs primary --tail 1").code(0).prints("INFO");
    remote.kmk("list").code(0).prints(LAB);
    let mut here = remote.command("status");
    let here = Ran::of(here.env_remove("DOCKER_HOST"), b"").code(3);
    here.says(&format!("there is no lab `{LAB}`"));

    println!("by a context");
    let config = tempfile::tempdir().unwrap();
    for words in ["create far --docker host=", "use far"] {
        let line = words.replace("host=", &format!("host={}", remote.engine.address));
        let mut docker = Command::new("docker");
        docker.arg("context").args(line.split_whitespace());
        docker
            .env_remove("DOCKER_HOST")
            .env("DOCKER_CONFIG", config.path());
        Ran::of(&mut docker, b"").code(0);
    }
    let kmk = |line: &str| remote.kmk_in_context(config.path(), line);
    kmk("stop").code(0).prints("was stopped in");
    kmk("start")
        .code(0)
        .prints("is running again and replicates");
    kmk("deploy").code(0).prints("already runs as requested");
    kmk("status").code(0).prints("healthy");

    println!("by ssh");
    let kmk = |line: &str| remote.kmk_by_ssh(line);
    kmk("status").code(0).prints("healthy");
    let ran = kmk("deploy --dir by-ssh").code(0);
    ran.prints("already runs as requested");

    println!("another address: brokers are recreated, records stay");
    let ran = remote.deploy("--bind 127.0.0.2").code(0);
    ran.prints("Recreated: primary, secondary.")
        .prints("127.0.0.2:");
    assert_eq!(remote.kmk(&copies).code(0).lines(), lines);
    let [primary, secondary] = remote.sides("127.0.0.2");
    let mut sent = sent;
    sent.insert("one more".to_owned());
    primary.produce("orders", "one more\n");
    secondary.until_it_has("primary.orders", &sent, CROSSING);

    remote.kmk("destroy").code(0).prints("was removed in");
    assert_eq!(remote.things(), "");
    assert!(!directory.exists());
}
