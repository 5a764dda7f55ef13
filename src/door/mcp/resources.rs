//! `resources/*`.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, ListResourceTemplatesResult, ListResourcesResult, ReadResourceRequestParams,
        ReadResourceResponse,
    },
    service::RequestContext,
};

use super::{LIST_LIFE, Mcp};
use crate::answer::sanitise;

// There are none yet. Each list is the caller's own, and what is not there is answered like what they may
// not see.
impl Mcp {
    pub(super) async fn resources(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.caller(context).await?;
        Ok(ListResourcesResult::default().with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    pub(super) async fn resource_templates(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.caller(context).await?;
        let none = ListResourceTemplatesResult::default();
        Ok(none.with_cache_scope(CacheScope::Private).with_ttl_ms(LIST_LIFE))
    }

    pub(super) async fn resource(
        &self,
        params: ReadResourceRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.caller(context).await?;
        let uri = sanitise::short(&params.uri, 200);
        let data = serde_json::json!({ "uri": uri });
        Err(ErrorData::resource_not_found(format!("there is no resource {uri:?}"), Some(data)))
    }
}
