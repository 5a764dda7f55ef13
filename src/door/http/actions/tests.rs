use std::{fs, path::Path};

use serde_json::Value;

use super::described::item;
use crate::toolbox::list;

const PLUGIN: &str = "platform-mcp";

fn items() -> Vec<Value> {
    list::all().expect("every contract is valid").iter().map(|entry| item(PLUGIN, entry)).collect()
}

/// Every schema within a schema, itself first.
fn schemas(schema: &Value) -> Vec<&Value> {
    let mut found = vec![schema];
    let Value::Object(members) = schema else { return found };
    for (name, value) in members {
        match (name.as_str(), value) {
            ("properties" | "patternProperties", Value::Object(named)) => {
                found.extend(named.values().flat_map(schemas));
            }
            ("items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains", _) => {
                found.extend(schemas(value));
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(all)) => found.extend(all.iter().flat_map(schemas)),
            _ => {}
        }
    }
    found
}

#[test]
fn the_list_is_what_its_golden_file_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/backstage/actions.jsonl");
    let current: String = items().iter().map(|item| format!("{item}\n")).collect();
    if std::env::var("PLATFORM_MCP_GOLDENS").is_ok_and(|mode| mode == "write") {
        fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
        fs::write(&file, &current).expect("the golden file");
    }
    let golden = fs::read_to_string(&file).expect("tests/goldens/backstage; `make goldens` makes it");
    for (golden, current) in golden.lines().zip(current.lines()) {
        assert_eq!(golden, current, "what Backstage lists changed: `make goldens`, then read the diff");
    }
    assert_eq!(golden.lines().count(), current.lines().count(), "`make goldens`, then read the diff");
}

#[test]
fn every_item_has_every_field_that_backstage_reads() {
    for item in items() {
        let name = item["name"].as_str().expect("a name");
        assert_eq!(item["id"], format!("{PLUGIN}:{name}"));
        assert_eq!(item["pluginId"], PLUGIN);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        // models take `[a-zA-Z0-9_-]{1,64}`, and Backstage puts the plugin and a dot before it
        assert!(name.bytes().all(plain) && (1..=40).contains(&name.len()), "{name}");
        for text in ["title", "description"] {
            assert!(item[text].as_str().is_some_and(|text| !text.is_empty()), "{name}: {text}");
        }
        assert!(item["examples"].is_array(), "{name}");
        let says =
            |attribute: &str| item["attributes"][attribute].as_bool().expect("a boolean, never absent");
        assert!(!(says("readOnly") && says("destructive")), "{name}: what only reads destroys nothing");
        assert!(!says("readOnly") || says("idempotent"), "{name}: what only reads can be read again");
        assert_eq!(item["attributes"].as_object().expect("an object").len(), 3, "{name}");
        assert_eq!(item["schema"].as_object().expect("an object").len(), 2, "{name}: no secrets");
        assert_eq!(item.as_object().expect("an object").len(), 8, "{name}: nothing that nobody asked for");
    }
}

#[test]
fn every_schema_is_draft_07_and_stands_alone() {
    for item in items() {
        let name = &item["name"];
        for which in ["input", "output"] {
            let schema = &item["schema"][which];
            assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{name}");
            assert_eq!(schema["type"], "object", "{name}: clients of MCP take no other");
            assert!(schema["properties"].is_object(), "{name}");
            let properties = schema["properties"].as_object().expect("an object");
            assert!(properties.values().all(Value::is_object), "{name}: `true` breaks TypeScript clients");
            let known = |required: &Value| properties.contains_key(required.as_str().expect("a name"));
            assert!(
                schema["required"].as_array().is_none_or(|all| all.iter().all(known)),
                "{name}: required"
            );
            for inner in schemas(schema) {
                let Value::Object(inner) = inner else { continue };
                for word in ["$ref", "$defs", "definitions", "$id", "prefixItems", "unevaluatedProperties"] {
                    assert!(!inner.contains_key(word), "{name} {which}: {word} in {inner:?}");
                }
                let kind = inner.get("type");
                let kinds = ["object", "array", "string", "number", "integer", "boolean", "null"];
                let of = |kind: &Value| kind.as_str().is_some_and(|kind| kinds.contains(&kind));
                let typed = match kind {
                    None => true,
                    Some(Value::Array(several)) => several.iter().all(of),
                    Some(one) => of(one),
                };
                assert!(typed, "{name} {which}: {kind:?}");
            }
        }
        assert_eq!(
            item["schema"]["input"]["additionalProperties"], false,
            "{name}: unknown arguments are refused"
        );
    }
}

mod refusals {
    use http::{Method, StatusCode};
    use serde_json::Value;

    use super::super::refused::{Said, broken, failed, nothing, turned, undone};
    use crate::{Error, ErrorKind, answer::Finished, door::refused::Refused};

    /// The names whose message Backstage's MCP server passes on, and their status (`@backstage/errors`).
    const NAMES: [(&str, u16); 8] = [
        ("InputError", 400),
        ("AuthenticationError", 401),
        ("NotAllowedError", 403),
        ("NotFoundError", 404),
        ("ConflictError", 409),
        ("NotModifiedError", 304),
        ("NotImplementedError", 501),
        ("ServiceUnavailableError", 503),
    ];

    async fn named(response: axum::response::Response) -> (String, u16, String) {
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["response"]["statusCode"], status);
        assert_eq!(body["request"]["url"], "/x");
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        (text("/error/name"), status, text("/error/message"))
    }

    #[tokio::test]
    async fn every_failure_has_one_of_the_eight_names_with_its_status() {
        let said = Said::of(&Method::POST, "/x");
        let kinds = [
            ErrorKind::InvalidInput,
            ErrorKind::NotAllowed,
            ErrorKind::NotFound,
            ErrorKind::UnknownTool,
            ErrorKind::Conflict,
            ErrorKind::Upstream { status: Some(500), retryable: true },
            ErrorKind::Upstream { status: None, retryable: false },
            ErrorKind::Timeout,
            ErrorKind::RateLimited { retry_after: None },
            ErrorKind::Unauthenticated,
            ErrorKind::Cancelled,
            ErrorKind::Internal,
        ];
        for kind in kinds {
            let (name, status, message) = named(failed(&Error::new(kind, "why"), "p:t", &said)).await;
            assert!(NAMES.contains(&(name.as_str(), status)), "{kind:?}: {name} {status}");
            assert!(
                message.contains(if kind == ErrorKind::UnknownTool { "p:t" } else { "why" }),
                "{message}"
            );
        }
        for status in (400..=599).filter_map(|status| StatusCode::from_u16(status).ok()) {
            let (name, status, _) = named(turned(Refused::malformed(status, "why"), &said)).await;
            assert!(NAMES.contains(&(name.as_str(), status)), "{name} {status}");
        }
    }

    #[tokio::test]
    async fn what_was_not_done_is_no_output() {
        let said = Said::of(&Method::POST, "/x");
        let finished = |change| Finished {
            text: "why not, and a fresh plan".to_owned(),
            structure: Value::Null,
            partial: false,
            failed: true,
            change,
            handed: None,
            confirmation: None,
        };
        for (change, name) in [(Some("refused"), "ConflictError"), (None, "InputError")] {
            let (said, status, message) = named(undone(&finished(change), &said)).await;
            assert!(NAMES.contains(&(said.as_str(), status)) && said == name, "{said} {status}");
            assert_eq!(message, "why not, and a fresh plan");
        }
        for (response, name) in
            [(broken(&said), "ServiceUnavailableError"), (nothing(&said), "NotFoundError")]
        {
            assert_eq!(named(response).await.0, name);
        }
    }

    #[tokio::test]
    async fn too_many_are_told_when_to_come_again() {
        let said = Said::of(&Method::GET, "/x");
        let turned = turned(Refused::busy(std::time::Duration::from_millis(1_200)), &said);
        assert_eq!(
            (turned.status().as_u16(), &turned.headers()["retry-after"]),
            (503, &"2".parse().unwrap())
        );
        let limited = Error::new(ErrorKind::RateLimited { retry_after: None }, "why");
        assert_eq!(failed(&limited, "p:t", &said).headers()["retry-after"], "1");
    }
}
