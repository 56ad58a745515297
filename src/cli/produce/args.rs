//! The flags of `kmk produce`, and the input and client settings that follow from them.

use super::super::cluster_choice::BootstrapFlag;
use super::super::consume::{ClientChoice, from, messages};
use super::super::quantity::{sized, whole};
use super::super::topic_args::OneTopic;
use super::stdin::Stdin;
use crate::cli::CliError;
use clap::builder::TypedValueParser as _;
use kafka_mirror_kit::core::records::produce::{Input, Key};
use kafka_mirror_kit::core::records::samples::{MAX_VALUE, MIN_SAMPLE};
use kmk_kafka::message::{Header, to_millis};
use kmk_kafka::wait::{Interrupt, Limit};
use kmk_kafka::{Acks, Compression, Feature, ProducerOptions};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Send records to a topic, and report what became of each
///
/// Sends the lines of standard input, one record per line, if it is a pipe or a file. Otherwise (a terminal, /dev/null), or
/// with --messages or --size, it sends sample records (small JSON events). A topic that does not exist is created. A record
/// counts only once the broker has acknowledged it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, group(clap::ArgGroup::new("keys").args(["key", "file"]).multiple(true)))]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) topic: OneTopic,
    /// How many records, such as 1000, 10k or 1e6 [default: 1, or all lines of --file or standard input]
    #[arg(long, short = 'n', value_name = "N", value_parser = messages, allow_hyphen_values = true)]
    pub(super) messages: Option<u64>,
    /// The cluster of the lab to send to [default: the source of the first flow]
    #[arg(long, short, value_name = "NAME")]
    pub(super) cluster: Option<String>,
    #[command(flatten)]
    pub(super) elsewhere: BootstrapFlag,
    /// Send this value instead of sample records
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    value: Option<OsString>,
    /// Send the lines of this file, byte for byte, one record per line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Send sample records of exactly this size in bytes: 1000, 10kB, 1MB (10^6) or 1MiB (2^20)
    #[arg(long, value_name = "BYTES", conflicts_with_all = ["value", "file"], allow_hyphen_values = true,
          value_parser = sized(MIN_SAMPLE as u64..=MAX_VALUE as u64))]
    size: Option<u64>,
    /// The key of every record; it decides the partition, as in the Java client
    #[arg(long, short, value_name = "TEXT")]
    key: Option<OsString>,
    /// Split each line at this separator into key and value; a line without it has no key
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["key", "value", "size"],
          value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key_separator: Option<String>,
    /// Send tombstones: records without a value, which delete their key in a compacted topic; with --file, each line is a key
    #[arg(long, requires = "keys", conflicts_with_all = ["value", "size", "key_separator"])]
    tombstone: bool,
    /// A header for every record; NAME alone has no value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = clap::builder::OsStringValueParser::new().try_map(header))]
    pub(super) header: Vec<Header>,
    /// The timestamp of every record: 2026-11-22T10:00:00Z, milliseconds since 1970, or a time ago such as -10m [default: now]
    #[arg(long, value_name = "TIME", value_parser = timestamp, allow_hyphen_values = true)]
    pub(super) timestamp: Option<i64>,
    /// The partition of every record [default: by key, or round-robin]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..), allow_negative_numbers = true)]
    pub(super) partition: Option<i32>,
    /// Send at most this many records per second on average, such as 500/s or 10k
    #[arg(long, value_name = "N[/s]", value_parser = rate, allow_hyphen_values = true)]
    pub(super) rate: Option<u64>,
    /// How long to wait without any acknowledgement before giving up
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::super::patience)]
    pub(super) timeout: Duration,
    /// How batches are compressed: none, gzip, snappy, lz4 or zstd
    #[arg(
        long,
        value_name = "CODEC",
        default_value = "none",
        hide_possible_values = true
    )]
    compression: Codec,
    /// When a record is acknowledged: once all in-sync replicas have it (all), or the leader alone (1)
    #[arg(
        long,
        value_name = "all|1",
        default_value = "all",
        hide_possible_values = true
    )]
    acks: Acknowledged,
    /// Require the idempotent producer, whose retries neither duplicate nor reorder records; kmk's own client is one
    #[arg(long)]
    idempotent: bool,
    /// Which client to use: the kafka crate (small runs, Kafka 3, plain records), kmk's own, or the one that fits
    #[arg(long, value_name = "CLIENT", default_value = "auto")]
    client: ClientChoice,
    /// Send even to a mirrored topic, or to a topic of MirrorMaker, Kafka or kmk
    #[arg(long)]
    pub(super) force: bool,
    /// Print the report as JSON, for scripts
    #[arg(long)]
    pub(super) json: bool,
}

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl From<Codec> for Compression {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::None => Self::None,
            Codec::Gzip => Self::Gzip,
            Codec::Snappy => Self::Snappy,
            Codec::Lz4 => Self::Lz4,
            Codec::Zstd => Self::Zstd,
        }
    }
}

/// When a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Acknowledged {
    #[value(alias = "-1")]
    All,
    #[value(name = "1")]
    One,
}

const EXAMPLES: &str = "\
Examples:
  kmk produce orders -n 1000
  echo hello | kmk produce greetings
  tail -f app.log | kmk produce log
  kmk produce orders --file orders.txt --key-separator ,
  kmk produce load --messages 60000 --size 1000 --rate 1000/s
  kmk produce orders --key 7 --value paid --header a=b --timestamp -10m
  kmk produce users --key 7 --tombstone

In a `while read` loop, use --value, --messages or </dev/null: otherwise the
remaining lines of the loop's input become the records.
--timeout does not limit the whole run: a long file may take as long as the
broker keeps acknowledging.";

/// More than anything can send.
const MOST_A_SECOND: u64 = 100_000_000;

pub(in crate::cli) fn rate(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    whole(number)
        .filter(|rate| (1..=MOST_A_SECOND).contains(rate))
        .ok_or_else(|| {
            format!("must be a number of records per second from 1 to {MOST_A_SECOND}, such as 500/s or 10k")
        })
}

impl Args {
    /// What the flags cannot say of each other.
    pub(super) fn check(&self) -> Result<(), CliError> {
        if self.tombstone && self.key.is_some() && self.file.is_some() {
            return Err(CliError::usage(
                "--key cannot be used with --tombstone and --file: each line is a key",
            ));
        }
        if self.idempotent && self.acks == Acknowledged::One {
            return Err(CliError::usage(
                "--idempotent needs --acks all: records that only the leader has may be lost with it",
            ));
        }
        Ok(())
    }

    /// Which client is to write, how, and what for it is needed.
    pub(super) fn writing(&self) -> ProducerOptions {
        let compression = Compression::from(self.compression);
        let needs = [
            (Feature::Headers, !self.header.is_empty()),
            (Feature::Time, self.timestamp.is_some()),
            (Feature::Lz4, compression == Compression::Lz4),
            (Feature::Zstd, compression == Compression::Zstd),
            (Feature::Idempotence, self.idempotent),
        ];
        let needs = needs.into_iter().filter(|(_, needed)| *needed);
        ProducerOptions {
            client: self.client.into(),
            needs: needs.map(|(feature, _)| feature).collect(),
            compression,
            is_small: false,
            acks: match self.acks {
                Acknowledged::All => Acks::All,
                Acknowledged::One => Acks::One,
            },
        }
    }

    /// What is to be sent. Opening a file may take as long as it likes, if it is a pipe.
    pub(super) fn input(&self, stdin: Stdin, interrupt: &Interrupt) -> Result<Input, CliError> {
        if let Some(value) = &self.value {
            return Ok(Input::Value(value.clone().into_vec()));
        }
        if let Some(file) = self.file_to_read(stdin) {
            return Limit::endless(interrupt).aside(move || lines_of(&file))?;
        }
        if self.key_separator.is_some() {
            let none = format!("--key-separator needs lines, but {stdin}");
            let hint = "pipe them in, or use --file";
            return Err(CliError::usage(none).hint(hint));
        }
        Ok(if self.tombstone {
            Input::Tombstones
        } else {
            Input::Samples {
                size: self.size.and_then(|size| usize::try_from(size).ok()),
            }
        })
    }

    /// The file whose lines are to be sent; `-` is standard input.
    pub(super) fn file_to_read(&self, stdin: Stdin) -> Option<PathBuf> {
        let is_said = self.value.is_some()
            || self.size.is_some()
            || self.tombstone
            || (self.messages.is_some() && self.key_separator.is_none());
        let piped = stdin == Stdin::Lines && !is_said;
        let file = self.file.clone();
        file.or_else(|| piped.then(|| PathBuf::from("-")))
    }

    /// Whether samples are asked for by their number or size alone.
    pub(super) fn asks_for_samples(&self) -> bool {
        let is_counted = self.messages.is_some() || self.size.is_some();
        is_counted && self.value.is_none() && !self.tombstone
    }

    /// Whether nothing says what to send, so that it is worth a word that it is a sample.
    pub(super) fn is_silent(&self) -> bool {
        self.value.is_none()
            && self.file.is_none()
            && self.messages.is_none()
            && self.size.is_none()
            && !self.tombstone
    }

    pub(super) fn key(&self) -> Key {
        match (&self.key, &self.key_separator) {
            (Some(key), _) => Key::Fixed(key.clone().into_vec()),
            (None, Some(separator)) => Key::Before(separator.clone().into_bytes()),
            (None, None) if self.tombstone => Key::Line,
            (None, None) => Key::None,
        }
    }
}

/// A header as kcat takes it: all behind the first `=` is its value, and without one it has none.
fn header(text: OsString) -> Result<Header, String> {
    let mut key = text.into_vec();
    let value = key.iter().position(|&byte| byte == b'=').map(|at| {
        let value = key.split_off(at + 1);
        key.truncate(at);
        value
    });
    if key.is_empty() {
        return Err("must be NAME=VALUE or NAME".to_owned());
    }
    Ok(Header { key, value })
}

/// Numbers that are hardly meant as milliseconds: as seconds they are between 1973 and 2286, as milliseconds early in 1970.
const SECONDS: std::ops::Range<i64> = 100_000_000..10_000_000_000;
/// The last millisecond of the year 9999.
const LAST: i64 = 253_402_300_799_999;

fn timestamp(text: &str) -> Result<i64, String> {
    let time = text.parse().ok().filter(|&millis: &i64| millis >= 0);
    match time {
        Some(seconds) if SECONDS.contains(&seconds) => {
            let (as_millis, millis) = (written(seconds), seconds * 1_000);
            return Err(format!(
                "must be in milliseconds, which makes it {as_millis}; for {}, write {millis}",
                written(millis)
            ));
        }
        Some(LAST..) => {
            return Err("must be in milliseconds, and this is after the year 9999".to_owned());
        }
        _ => {}
    }
    let time = time.or_else(|| from::time(text, SystemTime::now()).map(to_millis));
    time.filter(|&millis| millis >= 0).ok_or_else(|| {
        "must be a time such as 2026-11-22T10:00:00Z or ...+01:00, milliseconds since 1970, or a time ago such as -10m"
            .to_owned()
    })
}

/// Milliseconds since 1970, from 0, as people write them.
fn written(millis: i64) -> String {
    let since = Duration::from_millis(millis.unsigned_abs());
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}

fn lines_of(file: &Path) -> Result<Input, CliError> {
    if file == Path::new("-") {
        return Ok(Input::Lines(Box::new(io::stdin())));
    }
    let opened = File::open(file).and_then(|opened| {
        if opened.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(opened)
    });
    match opened {
        Ok(opened) => Ok(Input::Lines(Box::new(opened))),
        Err(error) => Err(CliError::usage(format!(
            "cannot read {}: {error}",
            file.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_all_behind_the_first_sign() {
        let told = |text: &str| header(text.into()).map(|header| (header.key, header.value));
        let pair = |key: &str, value: Option<&str>| {
            Ok((
                key.as_bytes().to_vec(),
                value.map(|value| value.as_bytes().to_vec()),
            ))
        };
        assert_eq!(told("a=b=c"), pair("a", Some("b=c")));
        assert_eq!(told("a="), pair("a", Some("")));
        assert_eq!(told("a"), pair("a", None));
        assert!(told("=b").is_err() && told("").is_err());
    }

    #[test]
    fn a_time_is_written_in_one_of_three_ways() {
        assert_eq!(timestamp("0"), Ok(0));
        assert_eq!(timestamp("1795341600000"), Ok(1_795_341_600_000));
        assert_eq!(timestamp("2026-11-22T10:00:00Z"), Ok(1_795_341_600_000));
        let ago = timestamp("-10m").unwrap();
        assert!(ago < to_millis(SystemTime::now()) - 500_000);
        assert_eq!(timestamp("100"), Ok(100));
        assert_eq!(
            timestamp("1700000000").unwrap_err(),
            "must be in milliseconds, which makes it 1970-01-20T16:13:20Z; for 2023-11-14T22:13:20Z, write 1700000000000"
        );
        assert!(
            timestamp("1700000000000000")
                .unwrap_err()
                .ends_with("after the year 9999")
        );
        for text in ["", "-5", "soon", "-100years", "1969-12-31T23:59:59Z"] {
            assert!(timestamp(text).is_err(), "{text}");
        }
    }
}
