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

use super::{LIST_LIFE, Mcp, nobody, of_request, trace};
use crate::{
    Error, ErrorKind,
    door::{
        http::{Client, Shortfall},
        who::Who,
    },
    toolbox::{Effect, Entry, Progress, Request},
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
        let (served, caller) = match self.here(context).await {
            Ok(here) => here,
            // the owner of the process reads what the model is told, and can mend it
            Err(error) if !matches!(self.who, Who::EachRequest) => return Ok(told(&error)),
            Err(error) => return Err(nobody(&error)),
        };
        let request = Request {
            door: self.door,
            caller,
            tool: params.name.into_owned(),
            arguments: params.arguments.unwrap_or_default(),
            cancel: context.ct.clone(),
            client: of_request::<Client>(context).map(|client| client.0),
            trace: trace(context),
            progress: Progress::default(),
        };
        match served.toolbox.call(request).await {
            Ok(finished) => {
                let mut result = CallToolResult::success(vec![ContentBlock::text(finished.text)]);
                result.structured_content = Some(finished.structure);
                Ok(result.into())
            }
            Err(error) => {
                if let (Some(cell), Some(lacking)) =
                    (of_request::<Arc<Shortfall>>(context), error.lacking.as_deref().cloned())
                {
                    cell.tell(lacking);
                }
                failed(&error)
            }
        }
    }
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
fn failed(error: &Error) -> Result<CallToolResponse, ErrorData> {
    match error.kind {
        ErrorKind::UnknownTool => Err(ErrorData::invalid_params(error.message.clone(), None)),
        ErrorKind::Unauthenticated => Err(nobody(error)),
        _ => Ok(told(error)),
    }
}

fn told(error: &Error) -> CallToolResponse {
    CallToolResult::error(vec![ContentBlock::text(error.text())]).into()
}
