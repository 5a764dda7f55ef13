//! `subscriptions/listen`, and what clients of the older era are told unasked.

use std::sync::atomic::Ordering;

use rmcp::{
    ErrorData, RoleServer,
    service::{Peer, SubscriptionContext},
};

use super::{Mcp, nobody};
use crate::door::{follow::Follower, subscriptions::TooMany, who::Who};

impl Mcp {
    pub(super) async fn listening(&self, context: &SubscriptionContext) -> Result<(), ErrorData> {
        let request = context.request_context();
        let (served, caller) = self.here(request).await.map_err(|error| nobody(&error))?;
        if context.accepted().tools_list_changed != Some(true) {
            return Ok(());
        }
        let place = self.serving.subscriptions().place(&caller, served.terms.subscriptions);
        let _place =
            place.map_err(|full| ErrorData::invalid_request(TooMany::from(full).to_string(), None))?;
        drop(served);
        let list = Follower::begin(&self.serving, &self.who, Some((&caller, request))).await;
        list.tell(context).await;
        Ok(())
    }

    /// Of the older era, over stdio: no request asks for notifications there.
    pub(super) async fn telling(&self, client: Peer<RoleServer>) {
        if matches!(self.who, Who::EachRequest) || self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let list = Follower::begin(&self.serving, &self.who, None).await;
        tokio::spawn(list.tell_older(client));
    }
}
