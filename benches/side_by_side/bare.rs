//! A bare rmcp server in its fastest fair form: stateless, JSON, no Nagle, one tool without a gate
//! that answers recorded bytes.

use std::{path::PathBuf, sync::Arc};

use axum::{Router, serve::ListenerExt as _};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities,
        ServerConfig,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use serde_json::Value;

use super::Outcome;

#[derive(Clone)]
struct Bare(Arc<CallToolResult>);

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok((*self.0).clone().into())
    }
}

/// Serves the recorded answer until it is killed; prints its URL first.
pub(super) fn serve(file: PathBuf) -> Outcome<()> {
    let recorded: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let text = recorded.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
    let mut answer = CallToolResult::success(vec![ContentBlock::text(text)]);
    answer.structured_content = recorded.get("structuredContent").cloned();
    let bare = Bare(Arc::new(answer));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let config =
            StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
        let service = StreamableHttpService::new(
            move || Ok(bare.clone()),
            Arc::new(NeverSessionManager::default()),
            config,
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}/mcp", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, Router::new().route_service("/mcp", service)).await?;
        Ok(())
    })
}
