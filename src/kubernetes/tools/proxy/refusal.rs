//! An answer that is no success: the status, the API server's own reason and message, and what to do.

use serde_json::Value;

use super::{
    Output,
    asked::Asked,
    lost::{Lost, lost},
    output,
};
use crate::{
    Error,
    answer::Answer,
    kubernetes::{Access, Fault, access::Said, fault::quoted::without_objects},
};

/// Characters of a message.
const LONGEST: usize = 1_000;

pub(super) async fn answer(access: &Access, asked: &Asked, said: &Said, fault: &Fault) -> Answer<Output> {
    let status: Value = serde_json::from_slice(&said.body).unwrap_or_default();
    let status = Some(status).filter(|status| status.get("kind").and_then(Value::as_str) == Some("Status"));
    let told = |name: &str| {
        let text = status.as_ref()?.get(name)?.as_str()?;
        Some(without_objects(text).chars().take(LONGEST).collect::<String>()).filter(|text| !text.is_empty())
    };
    let number = said.status.as_u16();
    let reason = told("reason").or_else(|| Some(said.status.canonical_reason()?.replace(' ', "")));
    // what is missing by its name is of a kind that there is (apiserver `NewNotFound`)
    let object = status.as_ref().is_some_and(|status| {
        status.pointer("/details/name").and_then(Value::as_str).is_some_and(|name| !name.is_empty())
    });
    let lost = if number == 404 && !object { lost(access, asked).await } else { Lost::default() };
    let message = lost.what.or_else(|| told("message")).unwrap_or_else(|| fault.to_string());
    let error = Error::from(fault.clone());
    let next = lost.next.map(|next| format!("{next}; GET /apis lists the groups"));
    let next = next.or_else(|| next_step(asked, fault, number)).or_else(|| error.next.clone());
    let mut body = String::new();
    match fault {
        Fault::Throttled { retry_after: Some(wait) } => {
            body.push_str(&format!("Retryable: the cluster asks to wait {} s.\n", wait.as_secs().max(1)));
        }
        fault if fault.is_transient() && !matches!(fault, Fault::Gone) => {
            body.push_str("Retryable: the same call may work later.\n");
        }
        _ => {}
    }
    if let Some(next) = next {
        body.push_str(&format!("Next: {}.", next.trim_end_matches('.')));
    }
    let summary = format!(
        "the cluster answered {number} {}: {message}",
        reason.as_deref().unwrap_or("without a reason")
    );
    Answer::new(summary, body, Output { reason, message: Some(message), ..output(said) }).failed()
}

fn next_step(asked: &Asked, fault: &Fault, status: u16) -> Option<String> {
    let resource = asked.target.resource();
    let next = match (fault, status) {
        (Fault::MayNotImpersonate(_) | Fault::TokenRefused(_), _) => return None,
        (_, 403) => {
            "it is the cluster's RBAC that refuses, our own permissions allowed the call: ask whoever \
                     administers it"
                .to_owned()
        }
        (_, 404) => match resource {
            Some(resource) if resource.name.is_some() => {
                let list = asked.collection();
                format!(
                    "list what there is (path: {list}, as: table), or check group, version and plural with GET /apis"
                )
            }
            Some(_) => "check group, version and plural: GET /apis, then GET /apis/GROUP/VERSION".to_owned(),
            None => "GET / lists the paths that there are".to_owned(),
        },
        (_, 400 | 422) => "check the values in query".to_owned(),
        (_, 405) if asked.method == http::Method::HEAD => {
            "API servers answer HEAD on few paths that are not objects (/healthz, /metrics): GET with fields is short \
             too"
            .to_owned()
        }
        (_, 405) => {
            "this path is not read: GET on the group and version lists the verbs of its kinds".to_owned()
        }
        (_, 406) => "it is not had in this form: try as: json".to_owned(),
        (_, 410) if asked.place.goes_on() => {
            "the cluster keeps old versions of a list for some minutes only: call again without cursor"
                .to_owned()
        }
        (_, 410) => "ask for a newer version: leave resourceVersion out of query".to_owned(),
        (_, 300..=399) => "a redirect is not followed: is this the address of an API server?".to_owned(),
        _ => return None,
    };
    Some(next)
}
