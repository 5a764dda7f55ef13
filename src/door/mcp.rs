//! MCP, whatever the transport: rmcp's handler, thin. Both eras (2026-07-28 without sessions, and
//! `initialize` of 2025-11-25 and older) are rmcp's work; what is listed and called is the toolbox's.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CallToolResult,
        CompleteRequestParams, CompleteResult, ConstString as _, ContentBlock, CustomRequest, CustomResult,
        ErrorCode, GetPromptRequestParams, GetPromptResponse, Implementation, InitializeRequestParams,
        InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ServerCapabilities, ServerConfig, SubscriptionFilter, Tool, ToolAnnotations,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};

use crate::{
    Error, ErrorKind,
    answer::sanitise,
    audit::Refused,
    caller::Caller,
    telemetry::TraceContext,
    toolbox::{Effect, Entry, Progress, Request},
};

use super::{
    follow::Follower,
    http::{Client, Shortfall},
    serving::{Served, Serving},
    who::Who,
};

/// How long a client may keep a caller's tool list, in milliseconds.
const LIST_LIFE: u64 = 60_000;

/// The MCP handler. Cheap to clone: rmcp makes one for each request.
#[derive(Clone, Debug)]
pub(super) struct Mcp {
    serving: Arc<Serving>,
    who: Who,
    door: &'static str,
    /// Whether a client that shook hands is told of changes.
    told: Arc<AtomicBool>,
}

impl Mcp {
    pub(super) fn new(serving: Arc<Serving>, who: Who, door: &'static str) -> Self {
        Self { serving, who, door, told: Arc::default() }
    }

    /// What is served now, and to whom. That there is nobody stands in the audit log.
    async fn here(&self, context: &RequestContext<RoleServer>) -> Result<(Arc<Served>, Arc<Caller>), Error> {
        let served = Arc::clone(&self.serving.now());
        match self.who.caller(&served, context).await {
            Ok(caller) => Ok((served, caller)),
            Err(unusable) => {
                served.toolbox.refused(&Refused {
                    door: self.door,
                    outcome: unusable.error.outcome(),
                    reason: unusable.reason,
                    detail: unusable.error.message.clone(),
                    token: unusable.token.as_deref(),
                    ..Refused::default()
                });
                Err(unusable.error)
            }
        }
    }

    async fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Caller>, ErrorData> {
        let (_, caller) = self.here(context).await.map_err(|error| nobody(&error))?;
        Ok(caller)
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
            .enable_tool_list_changed()
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

    /// The older era has no request for notifications, and over HTTP no stream of ours to send them on.
    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        if let (Who::EachRequest, Some(tools)) = (&self.who, &mut result.capabilities.tools) {
            tools.list_changed = None;
        }
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        one_page(request)?;
        let (served, caller) = self.here(&context).await.map_err(|error| nobody(&error))?;
        Ok(ListToolsResult::with_all_items(served.list(&caller))
            .with_cache_scope(CacheScope::Private)
            .with_ttl_ms(LIST_LIFE))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (served, caller) = match self.here(&context).await {
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
            client: of_request::<Client>(&context).map(|client| client.0),
            trace: trace(&context),
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
                    (of_request::<Arc<Shortfall>>(&context), error.lacking.as_deref().cloned())
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

    /// The SDK takes out of it what [`Self::get_info`] does not offer: all but the list of tools.
    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let request = context.request_context();
        let (served, caller) = self.here(request).await.map_err(|error| nobody(&error))?;
        if context.accepted().tools_list_changed != Some(true) {
            return Ok(());
        }
        let place = self.serving.subscriptions().place(&caller, served.terms.subscriptions);
        let _place = place.map_err(|full| ErrorData::invalid_request(full.to_string(), None))?;
        drop(served);
        let list = Follower::begin(&self.serving, &self.who, Some((&caller, request))).await;
        list.tell(&context).await;
        Ok(())
    }

    /// Of the older era, over stdio: no request asks for notifications there.
    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if matches!(self.who, Who::EachRequest) || self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let list = Follower::begin(&self.serving, &self.who, None).await;
        tokio::spawn(list.tell_older(context.peer));
    }

    // Prompts, resources and completions are declared, and there are none yet. Each list is the
    // caller's own, and what is not there is answered like what they may not see.

    async fn complete(
        &self,
        _: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.caller(&context).await?;
        Ok(CompleteResult::default())
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        one_page(request)?;
        self.caller(&context).await?;
        Ok(ListPromptsResult::default().with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.caller(&context).await?;
        let name = sanitise::short(&request.name, 64);
        Err(ErrorData::invalid_params(format!("there is no prompt {name:?}"), None))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        one_page(request)?;
        self.caller(&context).await?;
        Ok(ListResourcesResult::default().with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(request)?;
        self.caller(&context).await?;
        let none = ListResourceTemplatesResult::default();
        Ok(none.with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.caller(&context).await?;
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
        ErrorKind::Unauthenticated => Err(nobody(error)),
        _ => Ok(told(error)),
    }
}

fn told(error: &Error) -> CallToolResponse {
    CallToolResult::error(vec![ContentBlock::text(error.text())]).into()
}

fn nobody(error: &Error) -> ErrorData {
    ErrorData::invalid_request(error.text(), None)
}
