//! MCP, whatever the transport: rmcp's handler, thin. Both eras (2026-07-28 without sessions, and
//! `initialize` of 2025-11-25 and older) are rmcp's work; what is listed and called is the toolbox's.

mod asked;
mod completion;
mod confirmation;
mod listening;
mod prepared;
mod prompts;
mod resources;
mod tools;

use std::sync::{Arc, atomic::AtomicBool};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CompleteRequestParams,
        CompleteResult, ConstString as _, CustomRequest, CustomResult, ErrorCode, GetPromptRequestParams,
        GetPromptResponse, Implementation, InitializeRequestParams, InitializeResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
        SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};

use crate::{Error, audit::Refused, caller::Caller};

use super::{
    serving::{Served, Serving},
    who::Who,
};

use asked::Asked;
pub(super) use prepared::{Prepares, is_listen, over_http};
pub(super) use tools::described;

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
    /// What such a client follows.
    followed: listening::Followed,
}

impl Mcp {
    pub(super) fn new(serving: Arc<Serving>, who: Who, door: &'static str) -> Self {
        Self { serving, who, door, told: Arc::default(), followed: Arc::default() }
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

    async fn asked<'r>(&'r self, context: &'r RequestContext<RoleServer>) -> Result<Asked<'r>, Error> {
        let (served, caller) = self.here(context).await?;
        Ok(Asked { door: self.door, context, served, caller })
    }

    /// The same, where there is no model to be told.
    async fn known<'r>(&'r self, context: &'r RequestContext<RoleServer>) -> Result<Asked<'r>, ErrorData> {
        self.asked(context).await.map_err(|error| nobody(&error))
    }
}

impl ServerHandler for Mcp {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
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
        if matches!(self.who, Who::EachRequest) {
            if let Some(tools) = &mut result.capabilities.tools {
                tools.list_changed = None;
            }
            if let Some(resources) = &mut result.capabilities.resources {
                resources.subscribe = None;
            }
        }
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        one_page(request)?;
        self.tools(&context).await
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(params, &context).await
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

    async fn subscribe(
        &self,
        params: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscribing(params, &context).await
    }

    async fn unsubscribe(
        &self,
        params: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.unsubscribing(&params)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.listening(&context).await
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.telling(context.peer).await;
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.completion(params, &context).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        one_page(request)?;
        self.prompts(&context).await
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.prompt(params, &context).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.resources(request.and_then(|request| request.cursor), &context).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(request)?;
        self.resource_templates(&context).await
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.resource(params, &context).await
    }
}

/// One page holds every list; a cursor can only be someone else's.
fn one_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    if request.and_then(|request| request.cursor).is_some_and(|cursor| !cursor.is_empty()) {
        return Err(ErrorData::invalid_params("there is no such cursor: the list has one page", None));
    }
    Ok(())
}

fn nobody(error: &Error) -> ErrorData {
    ErrorData::invalid_request(error.text(), None)
}
