//! Lab files: read, refused with every mistake at its place, written, and described.

use crate::docker::{Docker, Rule, UP};
use crate::kmk::Kmk;
use indoc::indoc;
use std::fs;

fn kmk_with(file: &str) -> Kmk {
    let kmk = Kmk::new();
    fs::write(kmk.work("kmk.yml"), file).unwrap();
    kmk
}

fn rendered(kmk: &Kmk, directory: &str, file: &str) -> String {
    fs::read_to_string(kmk.work(directory).join(file)).unwrap()
}

const SHOP: &str = "\
lab: shop
kafka: 4.2.0
memory: 384m
clusters:
  - name: east
    partitions: 6
    port: 29092
    settings:
      log.retention.ms: 3600000
      min.insync.replicas: 1
      my_own-key: a$b ${env:KMK_TEST_SECRET}
  - name: west
    kafka: 3.9.2
flows:
  - from: east
    to: west
    topics: [orders, 'pay\\..*']
    groups: [billing]
    settings:
      tasks.max: 4
      consumer.poll.timeout.ms: 70
      consumer.ssl.key.password: ${env:KMK_TEST_SECRET}
";

/// An engine that has both Kafkas.
fn with_next() -> Docker {
    Docker::works().rule(Rule::on("image inspect apache/kafka:4.2.0").says("[]"))
}

#[test]
fn everything_that_a_file_says_is_rendered_and_no_secret() {
    let kmk = kmk_with(SHOP).variable("KMK_TEST_SECRET", "hunter2");
    let ran = kmk.run("deploy --dry-run").code(0);
    ran.stderr_has("Using kmk.yml; flags override it.\n")
        .stdout_has("docker compose -p kmk-shop -f kmk-lab-shop/docker-compose.yml")
        .stdout_has("Clusters would be east at 127.0.0.1:29092, west at 127.0.0.1:19192\n")
        .no_calls();
    let compose = rendered(&kmk, "kmk-lab-shop", "docker-compose.yml");
    for part in [
        "      KAFKA_LOG_RETENTION_MS: '3600000'\n",
        "      KAFKA_NUM_PARTITIONS: '6'\n",
        "      KAFKA_MY__OWN___KEY: a$$b ${KMK_TEST_SECRET:?}\n",
        "      KAFKA_HEAP_OPTS: -Xms64m -Xmx384m\n",
        "    mem_limit: 640m\n",
        "      KMK_TEST_SECRET: null\n",
        "${KMK_KAFKA_IMAGE_4_2_0:-apache/kafka:4.2.0}",
        "      kmk.format: '2'\n",
    ] {
        assert!(compose.contains(part), "{part}\n{compose}");
    }
    assert_eq!(compose.matches("KMK_TEST_SECRET: null").count(), 1);
    let properties = rendered(&kmk, "kmk-lab-shop", "mm2.properties");
    for part in [
        "config.providers = env\n",
        "east->west.topics = orders, pay\\\\..*, kmk-canary\n",
        "east->west.groups = billing\n",
        "# As configured, instead of 50.\neast->west.consumer.poll.timeout.ms = 70\n",
        "east->west.tasks.max = 4\n",
        "east->west.consumer.ssl.key.password = ${env:KMK_TEST_SECRET}\n",
    ] {
        assert!(properties.contains(part), "{part}\n{properties}");
    }
    assert_eq!(properties.matches("consumer.poll.timeout.ms").count(), 1);
    assert!(!compose.contains("hunter2") && !properties.contains("hunter2"));
}

#[test]
fn flags_override_the_file() {
    let kmk = kmk_with(SHOP);
    kmk.run("deploy --dry-run --lab mine --port east=29192 --partitions 3 --kafka-version 3.9.2 --topics a --dir out")
        .code(0)
        .stdout_has("docker compose -p kmk-mine -f out/docker-compose.yml")
        .stdout_has("east at 127.0.0.1:29192");
    let compose = rendered(&kmk, "out", "docker-compose.yml");
    assert!(compose.contains("KAFKA_NUM_PARTITIONS: '3'") && !compose.contains("4.2.0"));
    let properties = rendered(&kmk, "out", "mm2.properties");
    assert!(properties.contains(".topics = a, kmk-canary\n"));
}

#[test]
fn another_file_is_named() {
    let kmk = kmk_with("this is not read");
    fs::write(kmk.work("other.yml"), "clusters:\n  - name: one\n").unwrap();
    kmk.run("deploy --dry-run --config other.yml")
        .code(0)
        .stderr_has("Using other.yml; flags override it.\n")
        .stdout_has("Clusters would be one at 127.0.0.1:19092\n");
    kmk.run("deploy --dry-run --config none.yml --quiet")
        .code(2)
        .stdout("")
        .stderr("error: none.yml: cannot be read: No such file or directory (os error 2)\n  hint: `kmk init --config none.yml` writes one that explains every field\n");
    kmk.run("deploy --dry-run --config . --quiet")
        .code(2)
        .stderr("error: .: cannot be read: Is a directory (os error 21)\n");
}

#[test]
fn a_secret_that_is_not_there_is_told_of_before_anything_is_made() {
    for (kmk, said) in [
        (
            kmk_with(SHOP).docker(&with_next()),
            "error: environment variable KMK_TEST_SECRET is not set or is empty, and setting `my_own-key` of cluster `east` refers to it\n",
        ),
        (
            kmk_with(SHOP)
                .docker(&with_next())
                .variable("KMK_TEST_SECRET", ""),
            "setting `consumer.ssl.key.password` of flow east->west refers to it\n",
        ),
        (
            kmk_with(SHOP).without_docker(),
            "error: environment variable KMK_TEST_SECRET is not set",
        ),
    ] {
        kmk.run("deploy --any-port")
            .stdout("")
            .stderr_has(said)
            .stderr_has("  hint: set it for kmk, for example with `export KMK_TEST_SECRET=...`: only its name is passed on\n")
            .changed(&[]);
        assert!(!kmk.work("kmk-lab-shop").exists());
    }
}

#[test]
fn a_secret_is_in_nothing_that_is_said() {
    let docker = with_next().rule(Rule::on(UP).fails(1, "no\n"));
    let kmk = kmk_with(SHOP)
        .variable("KMK_TEST_SECRET", "hunter2")
        .docker(&docker);
    let ran = kmk.run("deploy --any-port --verbose --keep");
    assert!(!ran.text().contains("hunter2"));
    ran.code(3)
        .stderr_lacks("hunter2")
        .stderr_has("`kmk logs --lab shop`");
    assert!(
        kmk.noted("calls")
            .iter()
            .all(|call| !call.contains("hunter2"))
    );
}

#[test]
fn every_mistake_at_once_each_at_its_place() {
    let kmk = kmk_with(indoc! {r"
        lab: My Lab
        kafak: 4.2.0
        memory: lots
        clusters:
          - name: primary
            brokers: three
            partitions: 0
            port: 20000
          - name: primary
            port: 80
          - name: a.b
            kafka: 3.9.2
            image: x/y:1
            settings:
              log.dirs: /tmp
              listeners: PLAINTEXT://:1
              default.replication.factor: 3
              Some.Thing: 1
          - nmae: third
          - name: fourth
            port: 20000
        flows:
          - from: primary
            to: seconary
          - from: primary
            to: primary
          - from: primary
            to: fourth
            naming: same
            topics: ['(', orders]
          - from: fourth
            to: primary
            naming: same
            settings:
              topics: x
              replication.factor: 2
              sasl.jaas.config: ${file:/x}
          - from: primary
            to: fourth
            topics: orders
        flows: []
    "});
    kmk.run("deploy")
        .code(2)
        .stdout("")
        .no_calls()
        .stderr(indoc! {r"
        error: kmk.yml:1:6: lab name `My Lab` must be lower-case letters, digits and `-`, begin and end with a letter or digit, and have at most 40 characters
        error: kmk.yml:2:1: a lab has no field `kafak`
          hint: did you mean `kafka`?
        error: kmk.yml:3:9: `memory` must be an amount such as 512m or 2g, got `lots`
        error: kmk.yml:6:14: `brokers` must be a number from 1 to 9, got `three`
        error: kmk.yml:7:17: cluster `primary` cannot have 0 partitions; 1 to 1000 are allowed
        error: kmk.yml:9:11: cluster `primary` is defined twice
        error: kmk.yml:10:11: port 80 of cluster `primary` is out of range: 1024 to 65526 are allowed
          hint: choose another, or leave `port` out and let kmk choose with --any-port
        error: kmk.yml:11:11: cluster name `a.b` must be lower-case letters, digits and `-`, begin and end with a letter or digit, and have at most 40 characters
          hint: the dot separates a cluster's name from a topic's: whose topic would a.b.orders be?
        error: kmk.yml:13:12: use either `kafka` or `image`, not both
          hint: remove one of them
        error: kmk.yml:15:7: setting `log.dirs` is managed by kmk: records are on the volume that kmk creates for the broker
        error: kmk.yml:16:7: setting `listeners` is managed by kmk: kmk sets the addresses, for the containers and for this machine
        error: kmk.yml:17:7: setting `default.replication.factor` asks for 3 replicas, and cluster `a.b` has one broker
        error: kmk.yml:18:7: `Some.Thing` is not the name of a setting, such as log.retention.ms
        error: kmk.yml:19:5: a cluster has no field `nmae`
          hint: did you mean `name`?
        error: kmk.yml:19:5: a cluster needs `name`
        error: kmk.yml:21:11: port 20000 is assigned to both `primary` and `fourth`
          hint: choose another, or leave `port` out and let kmk choose with --any-port
        error: kmk.yml:24:9: there is no cluster `seconary`
          hint: existing clusters: primary, primary, a.b, fourth
        error: kmk.yml:26:9: flow primary->primary goes from a cluster to itself
        error: kmk.yml:29:13: flows primary->fourth, fourth->primary form a cycle that MirrorMaker does not break: every record would go round endlessly
          hint: use `prefix` for two consecutive flows, remove one, or choose `topics` that cannot loop: MirrorMaker recognizes what comes back only by the prefix that the next flow wrote
        error: kmk.yml:30:14: topic filter `(`: unclosed group at character 1
          hint: put it in single quotes, where YAML keeps backslashes: 'payments\..*'
        error: kmk.yml:35:7: setting `topics` is managed by kmk: use `topics` of the flow instead
        error: kmk.yml:36:7: setting `replication.factor` asks for 2 replicas, and cluster `primary` has one broker
        error: kmk.yml:37:7: setting `sasl.jaas.config` has a `${…}` that is not a reference; write `${env:NAME}`
          hint: an environment variable is written as ${env:NAME}; nothing else may begin with `${`
        error: kmk.yml:38:5: flow primary->fourth is defined twice
        error: kmk.yml:40:13: `topics` must be a list such as [orders, payments], got `orders`
        error: kmk.yml:41:1: `flows` is defined twice
          hint: remove one of them
    "});
}

#[test]
fn settings_that_mirrormaker_would_ignore_are_refused_at_their_place() {
    let kmk = kmk_with(indoc! {r"
        clusters:
          - name: primary
          - name: secondary
        flows:
          - from: primary
            to: secondary
            settings:
              tasks.maxx: 4
              zzz: 1
              offset.flush.interval.ms: 1000
              offset.flush.intervall.ms: 1000
              listeners: http://localhost:8083
              fetch.max.wait.ms: 100
              producer.linger.ms: 20
              consumer.enable.auto.commit: true
              emit.checkpoints.enabled: yes
              tasks.max: ${env:TASKS}
              topics: x
          - from: secondary
            to: primary
            settings:
              topics.blacklist: x
              security.protocol: SSL
              exactly.once.support: sometimes
    "});
    kmk.run("deploy").code(2).stdout("").no_calls().stderr(indoc! {r"
        error: kmk.yml:8:7: setting `tasks.maxx` of flow primary->secondary is not a MirrorMaker setting and would be silently ignored
          hint: did you mean `tasks.max`?
        error: kmk.yml:9:7: setting `zzz` of flow primary->secondary is not a MirrorMaker setting and would be silently ignored
          hint: a flow's settings are those of MirrorMaker's connectors, without the prefix `source->target.`
        error: kmk.yml:10:7: setting `offset.flush.interval.ms` of flow primary->secondary is not read there and would be silently ignored
          hint: it is read as `secondary.offset.flush.interval.ms`, for everything MirrorMaker does with secondary; no flow can have it
        error: kmk.yml:11:7: setting `offset.flush.intervall.ms` of flow primary->secondary is not a MirrorMaker setting and would be silently ignored
          hint: did you mean `offset.flush.interval.ms`? It is read as `secondary.offset.flush.interval.ms`, for everything MirrorMaker does with secondary; no flow can have it
        error: kmk.yml:12:7: setting `listeners` of flow primary->secondary is not read there and would be silently ignored
          hint: it is read as `listeners`, for MirrorMaker as a whole; no flow can have it
        error: kmk.yml:13:7: setting `fetch.max.wait.ms` of flow primary->secondary is not read there and would be silently ignored
          hint: write `consumer.fetch.max.wait.ms`
        error: kmk.yml:14:7: setting `producer.linger.ms` of flow primary->secondary applies only to the producer of offset syncs, not the one that writes records
          hint: write `producer.override.linger.ms`
        error: kmk.yml:15:7: setting `consumer.enable.auto.commit` of flow primary->secondary would be silently ignored: MirrorMaker always sets it to false
          hint: remove it
        error: kmk.yml:16:7: setting `emit.checkpoints.enabled` of flow primary->secondary must be true or false, got `yes`: MirrorMaker starts, but without MirrorCheckpointConnector (an earlier configuration stays in use)
        error: kmk.yml:18:7: setting `topics` is managed by kmk: use `topics` of the flow instead
        error: kmk.yml:22:7: setting `topics.blacklist` is managed by kmk: use `exclude` of the flow instead
        error: kmk.yml:23:7: setting `security.protocol` of flow secondary->primary is not read there and would be silently ignored
          hint: it is read as `primary.security.protocol`, for everything MirrorMaker does with primary; no flow can have it
        error: kmk.yml:24:7: setting `exactly.once.support` of flow secondary->primary must be one of REQUIRED, REQUESTED (in upper or lower case), got `sometimes`: MirrorMaker starts, but without its connectors (an earlier configuration stays in use)
    "});
}

#[test]
fn settings_that_brokers_would_ignore_are_warned_of_and_values_that_they_cannot_read_refused() {
    let file = indoc! {r"
        clusters:
          - name: primary
            settings:
              log.retention.msec: 1000
              retention.ms: 1000
              super.users: User:me
              my.plugin.key: 1
              log.message.timestamp.difference.max.ms: 1000
              background.threads: ${env:MANY}
          - name: secondary
            kafka: 4.2.0
            settings: {log.message.timestamp.difference.max.ms: 1000}
    "};
    kmk_with(file)
        .run("deploy --dry-run --quiet")
        .code(0)
        .stderr(indoc! {r"
            warning: kmk.yml:4:7: Kafka's brokers have no setting `log.retention.msec`: only a class of your own could read it; did you mean `log.retention.ms`?
            warning: kmk.yml:5:7: Kafka's brokers have no setting `retention.ms`: only a class of your own could read it; did you mean `log.retention.ms`?
            warning: kmk.yml:7:7: Kafka's brokers have no setting `my.plugin.key`: only a class of your own could read it
            warning: kmk.yml:12:16: these brokers would ignore `log.message.timestamp.difference.max.ms`: of the versions known to kmk only 3.9.2 has it
        "});
    let wrong = file
        .replace("retention.msec: 1000", "retention.ms: 1h")
        .replace("${env:MANY}", "many");
    kmk_with(&wrong).run("deploy").code(2).stdout("").no_calls().stderr(indoc! {r"
        error: kmk.yml:4:7: setting `log.retention.ms` must be a number: no broker would start with this value
        error: kmk.yml:9:7: setting `background.threads` must be a number from 1 to 2147483647: no broker would start with this value
    "});
}

#[test]
fn what_flags_make_of_a_flow_s_settings_is_judged_too() {
    let file = DEFAULT.to_owned()
        + "    settings:\n      config.properties.blacklist: x\n      tasks.max: ${env:TASKS}\n";
    let kmk = kmk_with(&file);
    kmk.run("deploy --dry-run").code(0);
    kmk.run("deploy --dry-run --quiet --kafka-version 4.2.0")
        .code(2)
        .stdout("")
        .stderr(indoc! {"
            error: setting `config.properties.blacklist` of flow primary->secondary would be silently ignored by MirrorMaker 4.2.0: of the versions known to kmk only 3.9.2 has it
              hint: remove it, or let the flow's clusters run 3.9.2
        "});
    let too_old = indoc! {"
        setting `tasks.max` of flow primary->secondary has a `${env:NAME}`, and MirrorMaker 3.4.1 would not replace it: EnvVarConfigProvider exists from Kafka 3.5 on
          hint: let one of the flow's clusters run a later Kafka: MirrorMaker runs the newest version of them
    "};
    kmk.run("deploy --quiet --kafka-version 3.4.1")
        .code(2)
        .no_calls()
        .stderr(&format!("error: {too_old}"));
    let kmk = kmk_with(&format!("kafka: 3.4.1\n{file}"));
    kmk.run("deploy")
        .code(2)
        .no_calls()
        .stderr(&format!("error: kmk.yml:10:7: {too_old}"));
    // MirrorMaker is as new as the newest of the two
    let newer = file.replace("name: primary\n", "name: primary\n    kafka: 3.9.2\n");
    let kmk = kmk_with(&format!("kafka: 3.4.1\n{newer}"));
    kmk.run("deploy --dry-run").code(0);
}

#[test]
fn a_lab_that_is_there_is_repaired_as_it_was_made() {
    let file = DEFAULT.to_owned() + "    settings:\n      tasks.max: 4\n";
    let kmk = kmk_with(&file);
    let ports = "--port primary=$PRIMARY --port secondary=$SECONDARY";
    kmk.run(&format!("deploy --dry-run {ports}")).code(0);
    // as an older kmk would have let pass
    let compose = rendered(&kmk, "kmk-lab", "docker-compose.yml").replace("tasks.max", "task.maxx");
    let lab = kmk.lab().made_from(&compose);
    let docker = Docker::works()
        .with(&lab)
        .rule(Rule::on(UP).fails(1, "no\n"));
    let kmk = kmk.docker(&docker);
    fs::remove_file(kmk.work("kmk.yml")).unwrap();
    kmk.run("deploy --kafka-version 4.2.0")
        .code(2)
        .changed(&[])
        .stderr_has("setting `task.maxx` of flow");
    kmk.run("deploy").code(3).stderr_lacks("task.maxx");
    let calls = kmk.noted("calls");
    assert!(calls.iter().any(|call| call.contains(" up ")), "{calls:#?}");
}

#[test]
fn what_is_no_lab_file() {
    let large = format!("# {}\n", "x".repeat(10 * 1024 * 1024));
    let cases: [(&[u8], &str); 6] = [
        (
            b"",
            "error: kmk.yml:1:1: the file is empty\n  hint: `kmk init --overwrite` writes one that explains every field\n",
        ),
        (
            b"lab: a\nclusters: [}\n",
            "error: kmk.yml:2:12: this is not valid YAML: ",
        ),
        (
            b"clusters:\n\t- name: a\n",
            "error: kmk.yml:2:1: YAML is indented with spaces, and this is a tab\n  hint: use two spaces instead\n",
        ),
        (
            b"lab: a\nb: \xff\n",
            "error: kmk.yml:2:4: this is not UTF-8 text\n  hint: save it as UTF-8\n",
        ),
        (b"a: &a [*a]\n", "error: kmk.yml:1:8: "),
        (
            large.as_bytes(),
            "error: kmk.yml: is larger than 256 KiB: this cannot be a lab file\n",
        ),
    ];
    for (bytes, said) in cases {
        let kmk = Kmk::new();
        fs::write(kmk.work("kmk.yml"), bytes).unwrap();
        kmk.run("deploy")
            .code(2)
            .stdout("")
            .stderr_has(said)
            .no_calls();
    }
    let kmk = Kmk::new();
    fs::create_dir(kmk.work("kmk.yml")).unwrap();
    kmk.run("deploy")
        .code(2)
        .stderr_has("error: kmk.yml: cannot be read: Is a directory")
        .no_calls();
}

#[test]
fn warnings_are_at_their_place_too() {
    let kmk = kmk_with(
        "clusters:\n  - name: a\n  - name: b\n  - name: c\nflows:\n  - {from: a, to: b}\n",
    );
    kmk.run("deploy --dry-run --quiet").code(0).stderr(
        "warning: kmk.yml:4:11: cluster `c` is in no flow: nothing is mirrored from it or to it\n",
    );
}

/// The lab of [`Kmk::lab`], as a file.
const DEFAULT: &str = "clusters:\n  - name: primary\n  - name: secondary\nflows:\n  - from: primary\n    to: secondary\n";

#[test]
fn a_lab_that_runs_keeps_its_clusters() {
    let more = DEFAULT.replace("flows:", "  - name: third\nflows:");
    for (file, said) in [
        (
            more,
            "error: lab `demo` runs with clusters primary, secondary; they cannot be changed to primary, secondary, third\n  hint: deploy it as another lab with --lab NAME --any-port, or remove this one with its records: `kmk destroy`\n",
        ),
        (
            DEFAULT.replace("name: secondary\n", "name: secondary\n    brokers: 3\n"),
            "error: cluster `secondary` runs with 1 brokers; this cannot be changed to 3: the controller quorum is fixed at creation\n  hint: ",
        ),
    ] {
        let kmk = kmk_with(&file);
        let kmk = {
            let docker = Docker::works().with(&kmk.lab());
            kmk.docker(&docker)
        };
        kmk.run("deploy")
            .code(2)
            .stdout("")
            .stderr_has(said)
            .changed(&[]);
    }
}

#[test]
fn a_change_in_the_file_recreates_only_what_it_touches() {
    for (from, to, services) in [
        (
            "to: secondary\n",
            "to: secondary\n    settings: {tasks.max: 2}\n",
            "mm2-secondary",
        ),
        (
            "name: primary\n",
            "name: primary\n    settings: {log.retention.ms: 1000}\n",
            "primary",
        ),
        (
            "clusters:",
            "memory: 300m\nclusters:",
            "mm2-secondary primary secondary",
        ),
    ] {
        let kmk = kmk_with(DEFAULT);
        let ports = "--port primary=$PRIMARY --port secondary=$SECONDARY";
        kmk.run(&format!("deploy --dry-run {ports}")).code(0);
        let lab = kmk
            .lab()
            .made_from(&rendered(&kmk, "kmk-lab", "docker-compose.yml"));
        let docker = Docker::works()
            .with(&lab)
            .rule(Rule::on(UP).fails(1, "no\n"));
        let kmk = kmk.docker(&docker);
        fs::write(kmk.work("kmk.yml"), DEFAULT.replace(from, to)).unwrap();
        // the ports that were given stay, though the file does not say them
        let up = format!(
            "compose --ansi never -p kmk-demo -f $ROOT/here/kmk-lab/docker-compose.yml up --detach --quiet-pull --force-recreate --no-deps -- {services}"
        );
        let changed = kmk.run("deploy").code(3).changed(&[&up]);
        drop(changed);
    }
}

#[test]
fn a_mirror_maker_without_flows_is_taken_away() {
    let kmk = kmk_with(&DEFAULT[..DEFAULT.find("flows").unwrap()]);
    let removal = "rm --force --volumes id-demo-mm2-secondary";
    let docker = Docker::works().with(&kmk.lab()).rule(Rule::on(removal));
    let kmk = kmk.docker(&docker.rule(Rule::on(UP).fails(1, "no\n")));
    kmk.run("deploy").code(3);
    let calls = kmk.noted("calls");
    assert!(calls.iter().any(|call| call == removal), "{calls:#?}");
}

#[test]
fn an_empty_lab_file_is_named_and_written_again() {
    let kmk = kmk_with(SHOP);
    fs::create_dir(kmk.work("my labs")).unwrap();
    fs::write(kmk.work("my labs/shop.yml"), "").unwrap();
    kmk.run_words(["deploy", "--config", "my labs/shop.yml"])
        .code(2)
        .stderr("error: my labs/shop.yml:1:1: the file is empty\n  hint: `kmk init --config 'my labs/shop.yml' --overwrite` writes one that explains every field\n");
}

#[test]
fn a_lab_without_flows_waits_for_no_canary() {
    let kmk = kmk_with("clusters:\n  - name: alone\n").without_docker();
    let ran = kmk.run("deploy --dry-run").code(0);
    ran.stdout_has("up -d\nWould wait until every broker answers\nClusters would be alone at");
}

#[test]
fn init_makes_the_directories_on_the_way() {
    let kmk = Kmk::new();
    kmk.run("init --lab shop --config labs/eu/shop.yml")
        .code(0)
        .stdout("Wrote labs/eu/shop.yml\n")
        .stderr_has("kmk deploy --config labs/eu/shop.yml  # ");
    kmk.run_words(["init", "--config", "it's/a lab.yml"])
        .code(0)
        .stderr_has(r"kmk deploy --config 'it'\''s/a lab.yml'  # ");
}

#[test]
fn init_writes_the_default_lab_and_overwrites_nothing() {
    let kmk = Kmk::new();
    kmk.run("init")
        .code(0)
        .stdout("Wrote kmk.yml\n")
        .no_calls()
        .stderr(indoc! {"

        Next:
          kmk deploy  # deploy it, now and after each change
          kmk status  # check health
    "});
    let text = fs::read_to_string(kmk.work("kmk.yml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=https://"));
    kmk.run("init").code(2).stdout("").stderr(indoc! {"
        error: kmk.yml already exists
          hint: replace it with --overwrite, or name another file with --config
    "});
    kmk.run("init --overwrite --lab shop")
        .code(0)
        .stderr_has("kmk status --lab shop");
    kmk.run("init --config kmk.yml/below.yml")
        .code(2)
        .stderr_has("error: cannot write kmk.yml/below.yml\n");
    kmk.run("init --config other.yml --quiet")
        .code(0)
        .stderr("");
    fs::remove_file(kmk.work("kmk.yml")).unwrap();
    // what it says is what a deploy does without it
    kmk.run("deploy --dry-run --dir without").code(0);
    kmk.run("deploy --dry-run --config other.yml --dir with")
        .code(0);
    for file in ["docker-compose.yml", "mm2.properties"] {
        assert_eq!(
            rendered(&kmk, "with", file),
            rendered(&kmk, "without", file)
        );
    }
}

#[test]
fn a_scenario_is_written_as_a_file_and_deployed_without_one() {
    let kmk = Kmk::new();
    for scenario in [
        "dr",
        "active-active",
        "aggregate",
        "fan-out",
        "migrate",
        "ha",
    ] {
        kmk.run(&format!("init --overwrite --scenario {scenario}"))
            .code(0);
        kmk.run("deploy --dry-run --dir with").code(0);
        kmk.run(&format!("deploy --scenario {scenario} --quiet")).code(2).no_calls().stderr(&format!(
            "error: kmk.yml already defines the clusters and flows\n  hint: leave --scenario out, or use a \
             directory without a lab file; `kmk init --scenario {scenario} --config FILE` writes another\n"
        ));
        fs::remove_file(kmk.work("kmk.yml")).unwrap();
        kmk.run(&format!(
            "deploy --dry-run --dir without --scenario {scenario}"
        ))
        .code(0);
        for file in ["docker-compose.yml", "mm2.properties"] {
            assert_eq!(
                rendered(&kmk, "with", file),
                rendered(&kmk, "without", file)
            );
        }
    }
}

#[test]
fn the_schema_is_printed_and_shipped() {
    let kmk = Kmk::new();
    kmk.run("schema")
        .code(0)
        .stderr("")
        .stdout(include_str!("../../docs/kmk.schema.json"))
        .no_calls();
}

#[test]
fn the_name_in_a_file_is_stronger_than_that_of_the_environment() {
    let unnamed = "clusters: [{name: a}, {name: b}]\nflows: [{from: a, to: b}]\n";
    for (file, project) in [
        (format!("lab: shop\n{unnamed}"), "kmk-shop"),
        (unnamed.to_owned(), "kmk-mine"),
    ] {
        kmk_with(&file)
            .variable("KMK_LAB", "mine")
            .run("deploy --dry-run")
            .code(0)
            .stdout_has(&format!("docker compose -p {project} "));
    }
}
