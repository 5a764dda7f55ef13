//! `completion/complete`.

use rmcp::{
    ErrorData, RoleServer,
    model::{CompleteRequestParams, CompleteResult},
    service::RequestContext,
};

use super::Mcp;

impl Mcp {
    pub(super) async fn completion(
        &self,
        _: CompleteRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.caller(context).await?;
        Ok(CompleteResult::default())
    }
}
