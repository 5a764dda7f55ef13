//! `prompts/*`.

use rmcp::{
    ErrorData, RoleServer,
    model::{CacheScope, GetPromptRequestParams, GetPromptResponse, ListPromptsResult},
    service::RequestContext,
};

use super::{LIST_LIFE, Mcp};
use crate::answer::sanitise;

// There are none yet. The list is the caller's own, and what is not there is answered like what they may
// not see.
impl Mcp {
    pub(super) async fn prompts(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.known(context).await?;
        Ok(ListPromptsResult::default().with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    pub(super) async fn prompt(
        &self,
        params: GetPromptRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.known(context).await?;
        let name = sanitise::short(&params.name, 64);
        Err(ErrorData::invalid_params(format!("there is no prompt {name:?}"), None))
    }
}
