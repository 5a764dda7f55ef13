//! `tools/list` and `tools/call`.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
        Tool, ToolAnnotations,
    },
    service::RequestContext,
};

use super::{LIST_LIFE, Mcp, nobody};
use crate::{
    Error, ErrorKind,
    answer::Finished,
    door::{progress::Listener, who::Who},
    toolbox::{Effect, Entry},
};

impl Mcp {
    pub(super) async fn tools(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let (served, caller) = self.here(context).await.map_err(|error| nobody(&error))?;
        Ok(ListToolsResult::with_all_items(served.list(&caller))
            .with_cache_scope(CacheScope::Private)
            .with_ttl_ms(LIST_LIFE))
    }

    pub(super) async fn call(
        &self,
        params: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let asked = match self.asked(context).await {
            Ok(asked) => asked,
            // the owner of the process reads what the model is told, and can mend it
            Err(error) if !matches!(self.who, Who::EachRequest) => return Ok(told(&error)),
            Err(error) => return Err(nobody(&error)),
        };
        if asked.served.toolbox.plans(&asked.caller, &params.name)
            && let Some(way) = asked.way()
        {
            return asked.confirmed(way, params).await;
        }
        let (progress, listener) = Listener::of(context);
        let mut request = asked.request(&params.name, params.arguments.unwrap_or_default());
        request.progress = progress;
        let call = asked.served.toolbox.call(request);
        let answer = match listener {
            Some(listener) => listener.during(call).await,
            None => call.await,
        };
        match answer {
            Ok(finished) => Ok(answered(finished)),
            Err(error) => {
                asked.lacks(&error);
                failed(&error)
            }
        }
    }
}

pub(super) fn answered(finished: Finished) -> CallToolResponse {
    let mut result = CallToolResult::success(vec![ContentBlock::text(finished.text)]);
    result.structured_content = Some(finished.structure);
    if finished.failed {
        result.is_error = Some(true);
    }
    result.into()
}

/// A tool as MCP lists it. All four hints are said: their defaults are the pessimistic ones.
pub(in crate::door) fn described(entry: &Entry) -> Tool {
    let contract = &entry.contract;
    let mut annotations = ToolAnnotations::with_title(contract.front.title.clone())
        .read_only(contract.front.effect == Effect::Read)
        .destructive(contract.front.effect == Effect::Destroy)
        .idempotent(contract.front.idempotent)
        .open_world(contract.front.open_world);
    // `Tool.title` is where current clients look; the old place would only repeat it
    annotations.title = None;
    let mut tool =
        Tool::new(contract.name.clone(), contract.description.clone(), Arc::clone(&entry.input_schema));
    tool.title = Some(contract.front.title.clone());
    tool.output_schema = Some(Arc::clone(&entry.output_schema));
    tool.annotations = Some(annotations);
    tool
}

/// Protocol errors are for what a client got wrong; what a model can act on is a tool error.
pub(super) fn failed(error: &Error) -> Result<CallToolResponse, ErrorData> {
    match error.kind {
        ErrorKind::UnknownTool => Err(ErrorData::invalid_params(error.message.clone(), None)),
        ErrorKind::Unauthenticated => Err(nobody(error)),
        _ => Ok(told(error)),
    }
}

fn told(error: &Error) -> CallToolResponse {
    let mut result = CallToolResult::error(vec![ContentBlock::text(error.text())]);
    result.structured_content = error.structure.as_deref().cloned();
    result.into()
}
