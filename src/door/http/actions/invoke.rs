//! `POST …/actions/{id}/invoke`: a call of a tool.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{header, request::Parts};
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use super::{
    Actions, DOOR, Entered,
    asked::Version,
    input,
    refused::{self, Said},
};
use crate::{
    answer::Handing,
    telemetry::TraceContext,
    toolbox::{self, Progress},
};

impl Actions {
    /// Calls the tool of an action. Whatever came with the id of a tool that does not exist for the caller is read,
    /// and not looked at.
    pub(super) async fn invoke(
        &self,
        (version, id): (Version, &str),
        entered: &Entered,
        (parts, body): (&Parts, Body),
        said: &Said,
    ) -> Response {
        let cancel = CancellationToken::new();
        let _left = cancel.clone().drop_guard();
        let input = input::read(version, &parts.headers, body).await;
        let request = toolbox::Request {
            door: DOOR,
            caller: Arc::clone(&entered.caller),
            tool: self.tool(id).to_owned(),
            arguments: Map::new(),
            cancel,
            client: Some(entered.client),
            trace: TraceContext::from_headers(&parts.headers),
            progress: Progress::default(),
            patience: None,
            presented: entered.served.presented(&parts.headers),
            handing: Handing::default(),
        };
        let toolbox = &entered.served.toolbox;
        let finished = match input {
            Ok(arguments) => toolbox.call(toolbox::Request { arguments, ..request }).await,
            Err(why) => Err(toolbox.unread(request, why).await),
        };
        match finished {
            Ok(finished) if finished.failed => refused::undone(&finished, said),
            Ok(finished) => {
                let answer = json!({"output": finished.structure});
                ([(header::CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response()
            }
            Err(error) => refused::failed(&error, id, said),
        }
    }

    /// The name of the tool; what is the id of none of ours is the name of none.
    fn tool<'i>(&self, id: &'i str) -> &'i str {
        match id.strip_prefix(&self.plugin).and_then(|rest| rest.strip_prefix(':')) {
            Some(name) => name,
            // no name has a colon
            None if id.contains(':') => id,
            None => "",
        }
    }
}
