//! MCP, whatever the transport: rmcp's handler, thin. Both eras (2026-07-28 without sessions, and
//! `initialize` of 2025-11-25 and older) are rmcp's work; what is listed and called is the toolbox's.

use std::sync::Arc;

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CallToolResult,
        CompleteRequestParams, CompleteResult, ConstString as _, ContentBlock, CustomRequest, CustomResult,
        ErrorCode, GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, Tool,
        ToolAnnotations,
    },
    service::RequestContext,
};

use crate::{
    Error, ErrorKind,
    answer::sanitise,
    caller::Caller,
    telemetry::TraceContext,
    toolbox::{Effect, Entry, Request},
};

use super::{
    http::{Client, Shortfall},
    serving::Serving,
};

/// How long a client may keep a caller's tool list, in milliseconds.
const LIST_LIFE: u64 = 60_000;

/// How the caller of a message is known.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// The process serves one caller: stdio.
    Always(Arc<Caller>),
    /// A layer in front put the caller into the request's extensions. Without one there is no call.
    EachRequest,
}

/// The MCP handler. Cheap to clone: rmcp makes one for each request.
#[derive(Clone, Debug)]
pub(super) struct Mcp {
    serving: Arc<Serving>,
    who: Who,
    door: &'static str,
}

impl Mcp {
    pub(super) fn new(serving: Arc<Serving>, who: Who, door: &'static str) -> Self {
        Self { serving, who, door }
    }

    fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Caller>, ErrorData> {
        match &self.who {
            Who::Always(caller) => Ok(Arc::clone(caller)),
            Who::EachRequest => of_request::<Arc<Caller>>(context)
                .map(Arc::clone)
                .ok_or_else(|| ErrorData::invalid_request("no caller: authentication is required", None)),
        }
    }
}

/// What a layer in front put into the extensions of the HTTP request.
fn of_request<T: Send + Sync + 'static>(context: &RequestContext<RoleServer>) -> Option<&T> {
    context.extensions.get::<Parts>()?.extensions.get::<T>()
}

/// The trace that a call is part of: what `_meta` says (SEP-414) is nearer to the client than the headers
/// of a proxy in between.
fn trace(context: &RequestContext<RoleServer>) -> Option<TraceContext> {
    let meta = &context.meta;
    let said = meta.get_traceparent().and_then(|parent| TraceContext::parse(parent, meta.get_tracestate()));
    said.or_else(|| TraceContext::from_headers(&context.extensions.get::<Parts>()?.headers))
}

/// A tool as MCP lists it. All four hints are said: their defaults are the pessimistic ones.
pub(super) fn described(entry: &Entry) -> Tool {
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

impl ServerHandler for Mcp {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_completions()
            .build();
        let server = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .with_title("Kubernetes platform")
            .with_description(env!("CARGO_PKG_DESCRIPTION"));
        ServerConfig::new(capabilities)
            .with_server_info(server)
            .with_instructions(include_str!("../../prompts/instructions.md"))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        one_page(request)?;
        let caller = self.caller(&context)?;
        Ok(ListToolsResult::with_all_items(self.serving.now().list(&caller))
            .with_cache_scope(CacheScope::Private)
            .with_ttl_ms(LIST_LIFE))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let request = Request {
            door: self.door,
            caller: self.caller(&context)?,
            tool: params.name.into_owned(),
            arguments: params.arguments.unwrap_or_default(),
            cancel: context.ct.clone(),
            client: of_request::<Client>(&context).map(|client| client.0),
            trace: trace(&context),
        };
        let toolbox = Arc::clone(&self.serving.now().toolbox);
        match toolbox.call(request).await {
            Ok(finished) => {
                let mut result = CallToolResult::success(vec![ContentBlock::text(finished.text)]);
                result.structured_content = Some(finished.structure);
                Ok(result.into())
            }
            Err(error) => {
                if let (Some(cell), Some(lacking)) =
                    (of_request::<Arc<Shortfall>>(&context), error.lacking.clone())
                {
                    cell.tell(lacking);
                }
                failed(&error)
            }
        }
    }

    /// A method that rmcp does not know, or one whose parameters it cannot read: to call `tools/call`
    /// unknown would tell the client that there are no tools.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == CallToolRequestMethod::VALUE {
            let wanted = "tools/call: params needs name, a string, and may have arguments, an object";
            return Err(ErrorData::invalid_params(wanted, None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None))
    }

    // Prompts, resources and completions are declared, and there are none yet. Each list is the
    // caller's own, and what is not there is answered like what they may not see.

    async fn complete(
        &self,
        _: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.caller(&context)?;
        Ok(CompleteResult::default())
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        one_page(request)?;
        self.caller(&context)?;
        Ok(ListPromptsResult::default().with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.caller(&context)?;
        let name = sanitise::short(&request.name, 64);
        Err(ErrorData::invalid_params(format!("there is no prompt {name:?}"), None))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        one_page(request)?;
        self.caller(&context)?;
        Ok(ListResourcesResult::default().with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(request)?;
        self.caller(&context)?;
        let none = ListResourceTemplatesResult::default();
        Ok(none.with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.caller(&context)?;
        let uri = sanitise::short(&request.uri, 200);
        let data = serde_json::json!({ "uri": uri });
        Err(ErrorData::resource_not_found(format!("there is no resource {uri:?}"), Some(data)))
    }
}

/// One page holds every list; a cursor can only be someone else's.
fn one_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    if request.and_then(|request| request.cursor).is_some_and(|cursor| !cursor.is_empty()) {
        return Err(ErrorData::invalid_params("there is no such cursor: the list has one page", None));
    }
    Ok(())
}

/// Protocol errors are for what a client got wrong; what a model can act on is a tool error.
fn failed(error: &Error) -> Result<CallToolResponse, ErrorData> {
    match error.kind {
        ErrorKind::UnknownTool => Err(ErrorData::invalid_params(error.message.clone(), None)),
        ErrorKind::Unauthenticated => Err(ErrorData::invalid_request(error.text(), None)),
        _ => Ok(CallToolResult::error(vec![ContentBlock::text(error.text())]).into()),
    }
}
