//! The body of a call, read as the input of a tool.

use axum::body::{Body, Bytes};
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::{asked::Version, body};
use crate::{Error, strict_json};

/// What the second version's body may hold.
const MEMBERS: &str = "input and secrets";

/// Reads it to its end.
///
/// # Errors
/// What is wrong with it. Nothing of it is said back but names of members, and never secrets.
pub(super) async fn read(
    version: Version,
    headers: &HeaderMap,
    sent: Body,
) -> Result<Map<String, Value>, Error> {
    let whole = body::whole(sent, body::TIME).await.map_err(|unfit| unread(unfit, headers));
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && encoding.as_bytes() != b"identity"
    {
        return Err(Error::invalid_input("the body has a Content-Encoding, and none is taken")
            .next("send it as it is, without Content-Encoding"));
    }
    parse(version, &whole?)
}

fn parse(version: Version, body: &Bytes) -> Result<Map<String, Value>, Error> {
    // what calls without arguments sends nothing, and says that it is JSON
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let body = strict_json::value(body, body::DEEPEST)
        .map_err(|why| Error::invalid_input(format!("the body: {why}")).next("send one JSON object"))?;
    match version {
        Version::First => object("the body", body),
        Version::Second => unwrapped(object("the body", body)?),
    }
}

/// The input within the second version's body.
fn unwrapped(mut body: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    match body.remove("secrets") {
        None | Some(Value::Null) => {}
        Some(Value::Object(secrets)) if secrets.is_empty() => {}
        Some(_) => {
            return Err(Error::invalid_input(
                "\"secrets\": no action here takes secrets; they were not read",
            )
            .next("invoke it without secrets, and change those that you sent"));
        }
    }
    let input = body.remove("input").unwrap_or_default();
    match body.keys().next() {
        None => object("\"input\"", input),
        Some(unknown) => {
            let unknown = crate::answer::sanitise::short(unknown, 64);
            let message = format!("the body has an unknown member {unknown:?}; it may have {MEMBERS}");
            Err(Error::invalid_input(message).next("send {\"input\": {...}}"))
        }
    }
}

fn object(what: &str, value: Value) -> Result<Map<String, Value>, Error> {
    let kind = match value {
        Value::Object(members) => return Ok(members),
        Value::Null => return Ok(Map::new()),
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
    };
    let message = format!("{what} must be a JSON object with the arguments of the action, and is {kind}");
    Err(Error::invalid_input(message).next("send {\"argument\": value}, or nothing where it needs none"))
}

fn unread(unfit: body::Unfit, headers: &HeaderMap) -> Error {
    let limit = body::LARGEST;
    match unfit {
        body::Unfit::TooLarge => {
            let length =
                headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            let has = length.map_or("more".to_owned(), |length: u64| format!("{length}"));
            Error::invalid_input(format!("the input has {has} bytes, and no more than {limit} are taken"))
                .next("send a smaller input")
        }
        body::Unfit::TooDeep => {
            let message = format!("the input nests deeper than {} lists and objects", body::DEEPEST);
            Error::invalid_input(message).next("send a flatter input")
        }
        body::Unfit::TooSlow => {
            Error::invalid_input(format!("the input did not come within {} s", body::TIME.as_secs()))
                .next("send it at once")
        }
        body::Unfit::Broken => Error::invalid_input("the input broke off").next("send it again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(version: Version, body: &str) -> Result<String, String> {
        let parsed = parse(version, &Bytes::from(body.to_owned()));
        parsed.map(|input| Value::Object(input).to_string()).map_err(|error| error.text())
    }

    #[test]
    fn the_input_is_the_body_or_within_it_or_nothing() {
        for empty in ["", " \r\n\t", "{}", "null"] {
            assert_eq!(parsed(Version::First, empty).as_deref(), Ok("{}"), "{empty:?}");
            assert_eq!(parsed(Version::Second, empty).as_deref(), Ok("{}"), "{empty:?}");
        }
        let input = r#"{"a":[1,{"b":null}]}"#;
        assert_eq!(parsed(Version::First, input).as_deref(), Ok(input));
        for wrapped in ["", r#","secrets":null"#, r#","secrets":{}"#] {
            let body = format!(r#"{{"input":{input}{wrapped}}}"#);
            assert_eq!(parsed(Version::Second, &body).as_deref(), Ok(input), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_with_it_is_named_and_not_repeated() {
        use Version::{First, Second};
        for (version, body, named) in [
            (First, "[\"s3cr3t\"]", "a list"),
            (First, "\"s3cr3t\"", "a text"),
            (First, "7", "a number"),
            (First, "true", "true or false"),
            (First, r#"{"a":1,"a":"s3cr3t"}"#, "a member twice"),
            (First, r#"{"a":"s3cr3t"} {}"#, "something follows"),
            (First, r#"{"a":"s3cr3t"#, "not valid JSON"),
            (Second, "[]", "a list"),
            (Second, r#"{"input":["s3cr3t"]}"#, "\"input\""),
            (Second, r#"{"input":{},"secrets":{"token":"s3cr3t"}}"#, "\"secrets\""),
            (Second, r#"{"secrets":"s3cr3t"}"#, "\"secrets\""),
            (Second, r#"{"input":{},"inputs":{"a":"s3cr3t"}}"#, "\"inputs\""),
        ] {
            let said = parsed(version, body).expect_err(body);
            assert!(said.contains(named) && said.contains("Next: "), "{body}: {said}");
            assert!(!said.contains("s3cr3t"), "{body}: {said}");
        }
    }
}
