//! One JSON document: an object, or what an API server says of itself.

use serde_json::Value;

use super::{
    Form, Output,
    asked::Asked,
    fields::Fields,
    listing::{room, scrub},
    output,
    shown::shown,
};
use crate::{
    Error,
    answer::{Answer, Cut},
    kubernetes::{
        Fault,
        access::{Said, parse},
        object::in_order,
        raw,
    },
    toolbox::Call,
};

pub(super) fn answer(call: &Call, asked: &Asked, said: &Said) -> Result<Answer<Output>, Error> {
    let weight = raw::weight(&said.body);
    if weight > raw::HEAVIEST {
        let error: Error = Fault::TooLarge(raw::HEAVIEST).into();
        return Err(error.next("ask for a part of it: /openapi/v3 lists the documents of each group"));
    }
    let access = call.cluster()?;
    access.keep(weight)?;
    let value: Value = parse(&said.body)?;
    let mut value = shown(access, asked, "", value);
    let told = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let (kind, name) = (told("kind"), value.pointer("/metadata/name").and_then(Value::as_str));
    let mut summary = match (&kind, name) {
        (Some(kind), Some(name)) => format!("{kind} {name}{}", place(asked)),
        (Some(kind), None) => format!("{kind} at {}", asked.target.path()),
        (None, _) => asked.target.path().to_owned(),
    };
    if asked.form == Form::Table {
        summary.push_str("; this API has no table form");
    }
    if let Some(fields) = &asked.fields {
        let missing = fields.missing(std::slice::from_ref(&value));
        if !missing.is_empty() {
            summary.push_str(&format!("; it has no {}{}", missing.join(", "), Fields::hint(&missing)));
        }
        value = fields.of(&value);
    } else {
        value = in_order(value);
    }
    scrub(call, &mut value);
    let yaml = match &value {
        // the summary says that nothing was found
        Value::Object(members) if members.is_empty() => String::new(),
        value => serde_saphyr::to_string(value).unwrap_or_else(|_| value.to_string()),
    };
    let cut = (yaml.len().max(value.to_string().len()) > room(call)).then(|| Cut {
        what: format!("only a part is shown of {} bytes", yaml.len()),
        narrow: "fields keeps what you name, a larger limit shows more".to_owned(),
        next_cursor: None,
    });
    let output = Output { kind, object: Some(value), ..output(said) };
    Ok(Answer::new(summary, yaml, output).cut(cut))
}

fn place(asked: &Asked) -> String {
    asked.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default()
}
