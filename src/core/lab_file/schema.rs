//! The JSON Schema of the lab file, for editors.

use super::field::{CLUSTER, FLOW, Field, Kind, LAB, LINK, Table};
use crate::core::spec::{MAX_NAME, PRESETS};
use serde_json::{Map, Value, json};

/// A JSON Schema (draft 2020-12) of the lab file, made from the table of fields that it is read by.
pub fn schema() -> String {
    let mut schema = object(&LAB);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] =
        json!("A lab of Kafka clusters connected by MirrorMaker: kmk.yml of Kafka Mirror Kit");
    schema["$defs"] =
        json!({ "cluster": object(&CLUSTER), "flow": object(&FLOW), "link": object(&LINK) });
    let text = serde_json::to_string_pretty(&schema).expect("plain maps have no reason to fail");
    text + "\n"
}

fn object(table: &Table) -> Value {
    let one = |field: &Field| (field.name.to_owned(), value(field));
    let properties: Map<String, Value> = table.fields.iter().map(one).collect();
    let required = table.fields.iter().filter(|field| field.is_required);
    let required: Vec<&str> = required.map(|field| field.name).collect();
    let mut object = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    });
    if table.names().contains(&"image") {
        object["not"] = json!({ "required": ["kafka", "image"] });
    }
    object
}

fn value(field: &Field) -> Value {
    let mut value = match field.kind {
        Kind::Name => json!({
            "type": "string",
            "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
            "maxLength": MAX_NAME,
        }),
        // 4.2 is a number to YAML
        Kind::Version => json!({ "type": ["string", "number"] }),
        Kind::Image => json!({ "type": "string", "minLength": 1 }),
        Kind::Memory => json!({ "type": "string", "pattern": "^[0-9]+[mMgG]$" }),
        Kind::Address => {
            json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] })
        }
        Kind::Number { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Patterns => {
            json!({ "type": "array", "items": { "type": ["string", "number", "boolean"] } })
        }
        Kind::Addresses => json!({
            "type": ["string", "array"], "minLength": 1, "minItems": 1, "items": { "type": "string" },
        }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Link => json!({
            "anyOf": [{ "$ref": "#/$defs/link" }, { "enum": PRESETS.map(|(name, _)| name) }],
        }),
        Kind::Time => json!({ "type": "string", "pattern": "^[0-9]+(ms|s)$" }),
        Kind::Rate => json!({ "type": "string", "pattern": "^[0-9]+[kmgKMG]bit$" }),
        Kind::Naming => json!({ "enum": ["prefix", "same"] }),
        Kind::Settings => json!({
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        }),
        Kind::Clusters => {
            json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/cluster" } })
        }
        Kind::Flows => json!({ "type": "array", "items": { "$ref": "#/$defs/flow" } }),
    };
    value["description"] = json!(field.about);
    value
}
