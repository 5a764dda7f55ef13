//! `POST …/actions/{id}/invoke`: a call of a tool. The first version has the input as its body, or nothing; the second
//! wraps it, and can carry secrets, which none of our tools takes.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{Method, header, request::Parts};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{Actions, DOOR, Entered, body, refused};
use crate::{
    Error,
    answer::Handing,
    telemetry::TraceContext,
    toolbox::{self, Progress},
};

/// The first version.
pub(super) async fn first(
    State(actions): State<Arc<Actions>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    invoke(&actions, &id, request, Ok).await
}

/// The second version.
pub(super) async fn second(
    State(actions): State<Arc<Actions>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    invoke(&actions, &id, request, unwrapped).await
}

async fn invoke(
    actions: &Actions,
    id: &str,
    request: Request,
    input: impl FnOnce(Map<String, Value>) -> Result<Map<String, Value>, Error>,
) -> Response {
    let (parts, body) = request.into_parts();
    let entered = match actions.enter(&parts).await {
        Ok(entered) => entered,
        Err(refused) => return actions.turn_away(refused, &parts, body).await,
    };
    match invoked(actions, id, &entered, (&parts, body), input).await {
        Ok(output) => {
            ([(header::CACHE_CONTROL, "no-store")], axum::Json(json!({ "output": output }))).into_response()
        }
        Err(error) => refused::failed(&error, id, &parts),
    }
}

async fn invoked(
    actions: &Actions,
    id: &str,
    entered: &Entered,
    (parts, body): (&Parts, Body),
    input: impl FnOnce(Map<String, Value>) -> Result<Map<String, Value>, Error>,
) -> Result<Value, Error> {
    let body = body::whole(body, body::TIME).await;
    if parts.method != Method::POST {
        return Err(Error::invalid_input("an action is invoked by POST"));
    }
    // another plugin's, or none at all: no tool has such a name
    let name = id.strip_prefix(&actions.plugin).and_then(|rest| rest.strip_prefix(':')).unwrap_or_default();
    let body =
        body.map_err(|_| Error::invalid_input("the body is over 1 MiB, too deep, or did not come in time"))?;
    let arguments = match body.iter().all(u8::is_ascii_whitespace) {
        true => Map::new(),
        false => serde_json::from_slice(&body)
            .map_err(|_| Error::invalid_input("the body must be a JSON object: the input of the action"))?,
    };
    let cancel = CancellationToken::new();
    let _left = cancel.clone().drop_guard();
    let request = toolbox::Request {
        door: DOOR,
        caller: Arc::clone(&entered.caller),
        tool: name.to_owned(),
        arguments: input(arguments)?,
        cancel,
        client: Some(entered.client),
        trace: TraceContext::from_headers(&parts.headers),
        progress: Progress::default(),
        patience: None,
        presented: entered.served.presented(&parts.headers),
        handing: Handing::default(),
    };
    Ok(entered.served.toolbox.call(request).await?.structure)
}

/// The input within the second version's body.
fn unwrapped(mut body: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    if body.get("secrets").is_some_and(|secrets| !secrets.is_null()) {
        return Err(Error::invalid_input("the action takes no secrets").next("invoke it without secrets"));
    }
    match body.remove("input") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(input)) => Ok(input),
        Some(_) => Err(Error::invalid_input("\"input\" must be an object")),
    }
}
