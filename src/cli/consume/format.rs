//! How `kmk consume` prints a record: its bytes, a JSON object, or a template.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kmk_kafka::Feature;
use kmk_kafka::message::{HeaderRef, RecordRef};
use std::io::{self, Write};
use std::str::FromStr;

/// A way to write records, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// The value, byte for byte.
    Value,
    /// A JSON object.
    Json,
    /// What a template says.
    Template(Vec<Piece>),
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Topic,
    Partition,
    Offset,
    Key,
    Value,
    Time,
    Headers,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "value" => Ok(Self::Value),
            "json" => Ok(Self::Json),
            template if template.contains('%') => pieces(template).map(Self::Template),
            other => Err(format!(
                "`{other}` is not `value`, `json` or a template with %t, %p, %o, %k, %v, %T or %h"
            )),
        }
    }
}

fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template.chars();
    while let Some(character) = rest.next() {
        let piece = match character {
            '%' => match rest.next() {
                Some('%') => {
                    text.push('%');
                    continue;
                }
                Some('t') => Piece::Topic,
                Some('p') => Piece::Partition,
                Some('o') => Piece::Offset,
                Some('k') => Piece::Key,
                Some('v') => Piece::Value,
                Some('T') => Piece::Time,
                Some('h') => Piece::Headers,
                Some(other) => {
                    return Err(format!(
                        "%{other} is unknown; use %t, %p, %o, %k, %v, %T, %h and %%"
                    ));
                }
                None => return Err("a single % at the end; write %% for a percent sign".to_owned()),
            },
            '\\' => {
                text.push(match rest.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('\\') => '\\',
                    Some(other) => {
                        return Err(format!("\\{other} is unknown; use \\n, \\t and \\\\"));
                    }
                    None => {
                        return Err("a single \\ at the end; write \\\\ for a backslash".to_owned());
                    }
                });
                continue;
            }
            other => {
                text.push(other);
                continue;
            }
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(piece);
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// What Kafka writes for the time of a record that has none.
const NO_TIME: i64 = -1;

/// Writes a record of `topic` as a JSON object, and a newline.
pub(crate) fn json_line(
    topic: &str,
    record: &RecordRef<'_>,
    to: &mut impl Write,
) -> io::Result<()> {
    Format::Json.write(topic, record, to)
}

impl Format {
    /// What it shows that not every client can tell.
    pub(super) fn needs(&self) -> Vec<Feature> {
        match self {
            Self::Value => Vec::new(),
            Self::Json => vec![Feature::Time, Feature::Headers, Feature::Nulls],
            Self::Template(pieces) => {
                let needed = [
                    (Piece::Time, Feature::Time),
                    (Piece::Headers, Feature::Headers),
                ];
                let needed = needed
                    .into_iter()
                    .filter(|(piece, _)| pieces.contains(piece));
                needed.map(|(_, feature)| feature).collect()
            }
        }
    }

    /// Writes a record of `topic`, and a newline.
    pub(super) fn write(
        &self,
        topic: &str,
        record: &RecordRef<'_>,
        to: &mut impl Write,
    ) -> io::Result<()> {
        match self {
            Self::Value => to.write_all(record.value.unwrap_or_default())?,
            Self::Json => json(topic, record, to)?,
            Self::Template(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => to.write_all(text.as_bytes())?,
                        Piece::Topic => to.write_all(topic.as_bytes())?,
                        Piece::Partition => write!(to, "{}", record.partition)?,
                        Piece::Offset => write!(to, "{}", record.offset)?,
                        Piece::Key => to.write_all(record.key.unwrap_or_default())?,
                        Piece::Value => to.write_all(record.value.unwrap_or_default())?,
                        Piece::Time => write!(to, "{}", record.time.unwrap_or(NO_TIME))?,
                        Piece::Headers => listed(&record.headers, to)?,
                    }
                }
            }
        }
        to.write_all(b"\n")
    }
}

fn json(topic: &str, record: &RecordRef<'_>, to: &mut impl Write) -> io::Result<()> {
    to.write_all(b"{\"topic\":")?;
    serde_json::to_writer(&mut *to, topic)?;
    let (partition, offset) = (record.partition, record.offset);
    write!(to, ",\"partition\":{partition},\"offset\":{offset}")?;
    match record.time {
        None | Some(NO_TIME) => to.write_all(b",\"timestamp\":null,")?,
        Some(time) => write!(to, ",\"timestamp\":{time},")?,
    }
    field("key", record.key, to)?;
    to.write_all(b",")?;
    field("value", record.value, to)?;
    to.write_all(b",\"headers\":[")?;
    for (index, header) in record.headers.iter().enumerate() {
        to.write_all(if index == 0 { b"{" } else { b",{" })?;
        field("key", Some(header.key), to)?;
        to.write_all(b",")?;
        field("value", header.value, to)?;
        to.write_all(b"}")?;
    }
    to.write_all(b"]}")
}

/// As text where it is text, in base64 under another name where it is not.
fn field(name: &str, bytes: Option<&[u8]>, to: &mut impl Write) -> io::Result<()> {
    match bytes.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => write!(to, "\"{name}\":null"),
        Some((Ok(text), _)) => {
            write!(to, "\"{name}\":")?;
            Ok(serde_json::to_writer(&mut *to, text)?)
        }
        Some((Err(_), bytes)) => write!(to, "\"{name}_base64\":\"{}\"", STANDARD.encode(bytes)),
    }
}

/// Headers as kcat writes them: `key=value,...`, and NULL for a value that is none.
fn listed(headers: &[HeaderRef<'_>], to: &mut impl Write) -> io::Result<()> {
    for (index, header) in headers.iter().enumerate() {
        if index > 0 {
            to.write_all(b",")?;
        }
        to.write_all(header.key)?;
        to.write_all(b"=")?;
        to.write_all(header.value.unwrap_or(b"NULL"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(format: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> Vec<u8> {
        let headers = [
            (b"a".as_slice(), Some(b"1".as_slice())),
            (b"a", Some(b"")),
            (b"b", None),
        ];
        let headers = headers.map(|(key, value)| HeaderRef { key, value });
        let record = RecordRef {
            partition: 2,
            offset: 17,
            time: Some(1_795_341_600_000),
            key,
            value,
            headers: headers.to_vec(),
        };
        let mut bytes = Vec::new();
        let format: Format = format.parse().unwrap();
        format.write("orders", &record, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_template_says_where_things_go() {
        let bytes = written(r"%t|%p|%o|%k|%v|100%%\t\\\n", Some(b"k"), Some(b"\xff"));
        assert_eq!(bytes, b"orders|2|17|k|\xff|100%\t\\\n\n");
        let bytes = written("%T %h", None, None);
        assert_eq!(bytes, b"1795341600000 a=1,a=,b=NULL\n");
    }

    #[test]
    fn what_only_our_own_client_can_tell_is_asked_for() {
        for (format, needs) in [
            ("value", vec![]),
            ("%t %k %v", vec![]),
            ("%h", vec![Feature::Headers]),
            ("%h %T", vec![Feature::Time, Feature::Headers]),
            (
                "json",
                vec![Feature::Time, Feature::Headers, Feature::Nulls],
            ),
        ] {
            assert_eq!(format.parse::<Format>().unwrap().needs(), needs, "{format}");
        }
    }

    #[test]
    fn a_template_with_a_mistake_is_refused() {
        for bad in ["%x", "%", r"%v\", r"%v\q", "values", "", "%v %"] {
            assert!(bad.parse::<Format>().is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_written_in_base64() {
        let bytes = written("json", None, Some(b"\xff\x00"));
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            concat!(
                r#"{"topic":"orders","partition":2,"offset":17,"timestamp":1795341600000,"key":null,"value_base64":"/wA=","#,
                r#""headers":[{"key":"a","value":"1"},{"key":"a","value":""},{"key":"b","value":null}]}"#,
                "\n"
            )
        );
    }

    proptest! {
        #[test]
        fn no_value_is_lost_in_json(
            key in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
            value in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
        ) {
            let line = written("json", key.as_deref(), value.as_deref());
            prop_assert_eq!(line.split(|&byte| byte == b'\n').count(), 2);
            let object: serde_json::Value = serde_json::from_slice(&line).unwrap();
            let read = |name: &str| match (&object[name], &object[format!("{name}_base64")]) {
                (serde_json::Value::String(text), _) => Some(text.clone().into_bytes()),
                (_, serde_json::Value::String(text)) => Some(STANDARD.decode(text).unwrap()),
                _ => None,
            };
            prop_assert_eq!(read("key"), key);
            prop_assert_eq!(read("value"), value);
        }

        #[test]
        fn plain_values_are_byte_for_byte(value in proptest::collection::vec(any::<u8>(), 0..20)) {
            let mut expected = value.clone();
            expected.push(b'\n');
            prop_assert_eq!(written("value", None, Some(&value)), expected);
        }
    }
}
