//! `subscriptions/listen`, and what clients of the older era have instead.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use futures::{
    StreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream::FuturesUnordered,
};
use parking_lot::Mutex;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        ConstString as _, ErrorCode, ResourceUpdatedNotificationParam, SubscribeRequestMethod,
        SubscribeRequestParams, UnsubscribeRequestMethod, UnsubscribeRequestParams,
    },
    service::{Peer, RequestContext, SubscriptionContext},
};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Mcp, nobody, prepared::Prepared, resources};
use crate::door::{
    follow::{Follower, TELLING},
    subscriber::Subscriber,
    subscriptions::TooMany,
    updates::{NotFollowed, Updates},
    who::Who,
};

/// What a client of the older era follows, by its URI.
pub(super) type Followed = Arc<Mutex<HashMap<String, DropGuard>>>;

impl Mcp {
    /// Tells of everything that was acknowledged until the client ends it, or a part of it has to end: a
    /// client that listens again hears from the acknowledgement what is left.
    pub(super) async fn listening(&self, context: &SubscriptionContext) -> Result<(), ErrorData> {
        let request = context.request_context();
        let (served, caller) = self.here(request).await.map_err(|error| nobody(&error))?;
        let too_many = |full: TooMany| ErrorData::invalid_request(full.to_string(), None);
        let mut parts: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
        let prepared = Prepared::of(request);
        if let Some(full) = prepared.and_then(|prepared| prepared.too_many) {
            return Err(too_many(full));
        }
        let followed = prepared.map(|prepared| prepared.take()).unwrap_or_default();
        let asked = context.accepted().resource_subscriptions.as_ref().map_or(0, Vec::len);
        if asked != followed.len() {
            let message = "subscriptions/listen is named in the header Mcp-Method, or nothing is followed";
            return Err(ErrorData::invalid_request(message, None));
        }
        let tell = |uri: String| {
            let sink = context.sink().clone();
            async move { matches!(timeout(TELLING, sink.notify_resource_updated(uri)).await, Ok(Ok(()))) }
        };
        parts.extend(followed.into_iter().map(|updates| updates.run(tell).boxed()));
        let mut _place = None;
        if context.accepted().tools_list_changed == Some(true) {
            let place = self.serving.subscriptions().place(&caller, served.terms.subscriptions);
            _place = Some(place.map_err(|full| too_many(full.into()))?);
            let parts_of = request.extensions.get::<http::request::Parts>();
            let list = Follower::begin(Subscriber::new(&self.serving, &self.who, &caller, parts_of)).await;
            parts.push(list.tell(context).boxed());
        }
        drop(served);
        tokio::select! {
            () = context.cancelled() => {}
            _ = parts.next() => {}
        }
        Ok(())
    }

    /// Of the older era, over stdio: no request asks for notifications of the list there.
    pub(super) async fn telling(&self, client: Peer<RoleServer>) {
        if matches!(self.who, Who::EachRequest) || self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let list = Follower::begin(Subscriber::lasting(&self.serving, &self.who)).await;
        tokio::spawn(list.tell_older(client));
    }

    /// `resources/subscribe` of the older era: over stdio, since over HTTP there is no stream to tell on.
    pub(super) async fn subscribing(
        &self,
        params: SubscribeRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if matches!(self.who, Who::EachRequest) {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, SubscribeRequestMethod::VALUE, None));
        }
        let (served, caller) = self.here(context).await.map_err(|error| nobody(&error))?;
        let uri = params.uri;
        // a place is taken once for each
        self.followed.lock().remove(&uri);
        let subscriber = Subscriber::lasting(&self.serving, &self.who);
        let begun = Updates::begin(subscriber, (&served, &caller), (self.door, None), uri.clone()).await;
        let updates = begun.map_err(|not| match not {
            NotFollowed::TooMany(full) => ErrorData::invalid_request(full.to_string(), None),
            NotFollowed::Error(error) => resources::refused(&uri, &error),
        })?;
        let (end, client) = (CancellationToken::new(), context.peer.clone());
        self.followed.lock().insert(uri, end.clone().drop_guard());
        let (last, told) = (updates.uri.clone(), client.clone());
        tokio::spawn(async move {
            let tell = |uri: String| {
                let client = client.clone();
                async move { said(&client, uri).await }
            };
            tokio::select! {
                () = end.cancelled() => {}
                // that it has ended is not a message of this era: reading it says why
                () = updates.run(tell) => {
                    said(&told, last).await;
                }
            }
        });
        Ok(())
    }

    /// `resources/unsubscribe` of the older era.
    pub(super) fn unsubscribing(&self, params: &UnsubscribeRequestParams) -> Result<(), ErrorData> {
        if matches!(self.who, Who::EachRequest) {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, UnsubscribeRequestMethod::VALUE, None));
        }
        self.followed.lock().remove(&params.uri);
        Ok(())
    }
}

async fn said(client: &Peer<RoleServer>, uri: String) -> bool {
    let told = client.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri));
    matches!(timeout(TELLING, told).await, Ok(Ok(())))
}
