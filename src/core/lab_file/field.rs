//! Every field of a lab file: what it takes and what it is for. Read, written, and described to editors from this one table.

use crate::core::spec::{MAX_BROKERS, MAX_MIRRORMAKERS, MAX_PARTITIONS, MIN_PORT};

/// What a mapping of the file may have.
pub(super) struct Table {
    /// In the words of a message.
    pub(super) owner: &'static str,
    pub(super) fields: &'static [Field],
}

/// One field.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    pub(super) about: &'static str,
    /// As a person would write it.
    pub(super) example: &'static str,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Version,
    Image,
    Memory,
    Address,
    Number { least: u32, most: u32 },
    Patterns,
    Naming,
    Settings,
    Addresses,
    Flag,
    Link,
    Time,
    Rate,
    Clusters,
    Flows,
}

impl Kind {
    /// In the words of a message.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Name => "a name".to_owned(),
            Self::Version => "a version such as 3.9.2".to_owned(),
            Self::Image => "the name of an image".to_owned(),
            Self::Memory => "an amount such as 512m or 2g".to_owned(),
            Self::Address => "an IP address such as 192.168.1.20".to_owned(),
            Self::Number { least, most } => format!("a number from {least} to {most}"),
            Self::Patterns => "a list such as [orders, payments]".to_owned(),
            Self::Naming => "`prefix` or `same`".to_owned(),
            Self::Settings => "a mapping of settings to values".to_owned(),
            Self::Addresses => "an address such as localhost:9092, or a list of them".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Link => {
                "a mapping such as {rtt: 80ms, rate: 100mbit}, or the name of a preset".to_owned()
            }
            Self::Time => "a time such as 80ms".to_owned(),
            Self::Rate => "a rate such as 100mbit".to_owned(),
            Self::Clusters => "a list of clusters".to_owned(),
            Self::Flows => "a list of flows".to_owned(),
        }
    }
}

impl Table {
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.fields.iter().map(|field| field.name).collect()
    }

    pub(super) fn field(&self, name: &str) -> &'static Field {
        let mut fields = self.fields.iter();
        fields
            .find(|field| field.name == name)
            .expect("a field of the table")
    }
}

const fn field(
    name: &'static str,
    kind: Kind,
    about: &'static str,
    example: &'static str,
) -> Field {
    Field {
        name,
        kind,
        is_required: false,
        about,
        example,
    }
}

const fn required(field: Field) -> Field {
    Field {
        is_required: true,
        ..field
    }
}

pub(super) static LAB: Table = Table {
    owner: "a lab",
    fields: &[
        field(
            "lab",
            Kind::Name,
            "Name of the lab; --lab overrides it. Default: demo.",
            "shop",
        ),
        field(
            "kafka",
            Kind::Version,
            "Kafka version, run from its official image; a cluster can have its own. Default: 3.9.2.",
            "4.2.0",
        ),
        field(
            "image",
            Kind::Image,
            "Kafka image to run instead of an official one. Default: the official image of `kafka`.",
            "registry.example.com/kafka:4.2.0",
        ),
        field(
            "memory",
            Kind::Memory,
            "Heap of each JVM, 128m to 16g; its container may use a quarter more, at least 256m. Default: 256m.",
            "512m",
        ),
        field(
            "bind",
            Kind::Address,
            "Address on which ports are published and which brokers advertise; anyone who can reach it can read and write. Default: 127.0.0.1.",
            "192.168.1.20",
        ),
        required(field(
            "clusters",
            Kind::Clusters,
            "The Kafka clusters, in the order in which they get their ports.",
            "",
        )),
        field(
            "flows",
            Kind::Flows,
            "What MirrorMaker mirrors, and where to. Default: nothing.",
            "",
        ),
    ],
};

pub(super) static CLUSTER: Table = Table {
    owner: "a cluster",
    fields: &[
        required(field(
            "name",
            Kind::Name,
            "Name: lower-case letters, digits and `-`; the prefix of its mirrored topics.",
            "primary",
        )),
        field(
            "brokers",
            Kind::Number {
                least: 1,
                most: MAX_BROKERS as u32,
            },
            "Number of brokers, 1 to 9. The replication factor of topics is the same, at most three. Default: 1.",
            "3",
        ),
        field(
            "partitions",
            Kind::Number {
                least: 1,
                most: MAX_PARTITIONS,
            },
            "Partitions of topics that are created without a number of partitions. Default: 1.",
            "6",
        ),
        field(
            "port",
            Kind::Number {
                least: MIN_PORT as u32,
                most: (u16::MAX - MAX_BROKERS) as u32,
            },
            "Port of its first broker on this machine. Default: 19092 for the first cluster, 19192 for the second, and so on.",
            "29092",
        ),
        field(
            "kafka",
            Kind::Version,
            "Kafka version of this cluster. Default: the lab's.",
            "4.2.0",
        ),
        field(
            "image",
            Kind::Image,
            "Kafka image of this cluster. Default: the lab's.",
            "registry.example.com/kafka:4.2.0",
        ),
        field(
            "mirrormakers",
            Kind::Number {
                least: 1,
                most: MAX_MIRRORMAKERS as u32,
            },
            "MirrorMakers that share the work of the flows to this cluster, 1 to 9. Default: 1.",
            "2",
        ),
        field(
            "exactly_once",
            Kind::Flag,
            "Whether MirrorMaker writes to this cluster in transactions, so that consumers with `isolation.level=read_committed` see each record once. Default: false.",
            "true",
        ),
        field(
            "settings",
            Kind::Settings,
            "Broker settings, by Kafka's names; `${env:NAME}` is an environment variable. Default: none.",
            "{log.retention.ms: 3600000}",
        ),
        field(
            "bootstrap",
            Kind::Addresses,
            "Bootstrap servers of an existing cluster, which kmk neither creates nor removes. `localhost` is this machine. Default: kmk creates the cluster.",
            "localhost:9092",
        ),
        field(
            "properties",
            Kind::Settings,
            "With `bootstrap`: client settings that MirrorMaker needs to connect, such as `security.protocol`; `${env:NAME}` is an environment variable. Default: none.",
            "{security.protocol: SSL}",
        ),
        field(
            "canary",
            Kind::Flag,
            "With `bootstrap`: whether kmk may send a test record of its own through flows from and to it. Default: false.",
            "true",
        ),
    ],
};

pub(super) static FLOW: Table = Table {
    owner: "a flow",
    fields: &[
        required(field("from", Kind::Name, "The source cluster.", "primary")),
        required(field("to", Kind::Name, "The target cluster.", "secondary")),
        field(
            "topics",
            Kind::Patterns,
            "Topics to mirror, as Java regular expressions. Default: all.",
            "[orders, 'payments\\..*']",
        ),
        field(
            "exclude",
            Kind::Patterns,
            "Topics to exclude, as Java regular expressions; takes precedence over `topics`. Default: none.",
            "['.*-tmp']",
        ),
        field(
            "groups",
            Kind::Patterns,
            "Consumer groups whose offsets are synced, as Java regular expressions. Default: all.",
            "[billing]",
        ),
        field(
            "naming",
            Kind::Naming,
            "Names of the mirrored topics: `prefix` (primary.orders) or `same` (orders). Default: prefix.",
            "same",
        ),
        field(
            "settings",
            Kind::Settings,
            "MirrorMaker settings of this flow; `${env:NAME}` is an environment variable. Default: none.",
            "{tasks.max: 4}",
        ),
        field(
            "link",
            Kind::Link,
            "Put a relay on the line from the source to MirrorMaker, which is as slow as a real one: `rtt`, `jitter` and `rate`, or metro, continental, transatlantic, satellite. Default: no relay.",
            "{rtt: 80ms, rate: 100mbit}",
        ),
    ],
};

pub(super) static LINK: Table = Table {
    owner: "a link",
    fields: &[
        field(
            "rtt",
            Kind::Time,
            "Round trip, half of it in each direction. Default: 0ms.",
            "80ms",
        ),
        field(
            "jitter",
            Kind::Time,
            "How much a round trip may be longer or shorter. Default: 0ms.",
            "5ms",
        ),
        field(
            "rate",
            Kind::Rate,
            "Rate of the line, in each direction; the connections for records share it. Default: as fast as it goes.",
            "100mbit",
        ),
    ],
};
