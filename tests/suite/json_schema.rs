//! Checks a JSON value against a JSON Schema, as far as the schemas of this project go: a keyword that is not known here
//! is an error, and so is a field that the schema does not name.

use serde_json::Value;

/// Whatever is wrong with `value`, each with its place.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, is) in schema.as_object().expect("a schema is an object") {
        let wrong = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "additionalProperties" => continue,
            "$ref" => {
                let pointer = is.as_str().unwrap().trim_start_matches('#');
                let to = root
                    .pointer(pointer)
                    .unwrap_or_else(|| panic!("no {pointer}"));
                check(root, to, value, at, found);
                continue;
            }
            "anyOf" => {
                let ways = is.as_array().unwrap().iter().map(|way| {
                    let mut of_way = Vec::new();
                    check(root, way, value, at, &mut of_way);
                    of_way
                });
                // the way that fits best is the one that was meant
                found.extend(ways.min_by_key(Vec::len).unwrap());
                continue;
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    match is.get(name) {
                        Some(schema) => check(root, schema, value, &format!("{at}.{name}"), found),
                        None => found.push(format!("{at}.{name} is not in the schema")),
                    }
                }
                continue;
            }
            "required" => {
                let names = is
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| name.as_str().unwrap());
                let missing: Vec<&str> = names.filter(|name| value.get(name).is_none()).collect();
                !missing.is_empty() && value.is_object()
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, is, value, &format!("{at}[{index}]"), found);
                }
                continue;
            }
            "type" => match is.as_array() {
                Some(kinds) => !kinds.iter().any(|kind| is_a(value, kind)),
                None => !is_a(value, is),
            },
            "const" => value != is,
            "enum" => !is.as_array().unwrap().contains(value),
            "minimum" => value
                .as_f64()
                .is_some_and(|value| value < is.as_f64().unwrap()),
            other => panic!("keyword {other} is not known here"),
        };
        if wrong {
            found.push(format!("{at}: {keyword} is {is}, and this is {value}"));
        }
    }
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other} is not known here"),
    }
}

#[test]
fn whatever_is_wrong_is_found() {
    use serde_json::json;
    let schema = json!({
        "$defs": {"one": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"]}},
        "type": "object",
        "properties": {
            "all": {"type": "array", "items": {"$ref": "#/$defs/one"}},
            "word": {"enum": ["x", "y"]},
            "none": {"anyOf": [{"$ref": "#/$defs/one"}, {"type": ["null", "string"]}]},
            "same": {"const": 1},
        },
    });
    let right = json!({"all": [{"a": 0}, {"a": 7}], "word": "x", "none": null, "same": 1});
    assert_eq!(problems(&schema, &right), [""; 0]);
    for wrong in [
        json!([]),
        json!({"other": 1}),
        json!({"all": {}}),
        json!({"all": [{"a": 1}, {}]}),
        json!({"all": [{"a": -1}]}),
        json!({"all": [{"a": 1.5}]}),
        json!({"word": "z"}),
        json!({"none": 1}),
        json!({"none": {"a": "1"}}),
        json!({"same": 2}),
    ] {
        assert_eq!(
            problems(&schema, &wrong).len(),
            1,
            "{wrong}: {:?}",
            problems(&schema, &wrong)
        );
    }
}
