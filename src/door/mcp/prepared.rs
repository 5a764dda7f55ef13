//! [`Prepared`]: what a `subscriptions/listen` asks to follow, looked at before the SDK acknowledges it: the
//! acknowledgement names what is followed from then on, and the SDK asks nobody but [`Mcp`], at once.

use std::{net::IpAddr, sync::Arc};

use axum::body::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, request::Parts};
use parking_lot::Mutex;
use rmcp::{
    ErrorData, RoleServer, Service,
    model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, RequestContext},
};
use serde_json::Value;

use super::Mcp;
use crate::{
    caller::Caller,
    door::{
        serving::{Served, Serving},
        subscriber::Subscriber,
        subscriptions::TooMany,
        updates::{NotFollowed, Updates},
        who::Who,
    },
};

/// Looked at side by side.
const AT_ONCE: usize = 8;
/// The method, in the header that the protocol asks for.
const LISTEN: &str = "subscriptions/listen";

/// The resources that one request follows.
#[derive(Debug, Default)]
pub(in crate::door) struct Prepared {
    followed: Mutex<Vec<Updates>>,
    pub(super) too_many: Option<TooMany>,
}

impl Prepared {
    /// Looks at each URI once, and leaves out what is not there for the caller.
    async fn new(
        subscriber: &Subscriber,
        caller: (&Served, &Arc<Caller>),
        from: (&'static str, Option<IpAddr>),
        mut uris: Vec<String>,
    ) -> (Vec<String>, Self) {
        uris.sort_unstable();
        uris.dedup();
        // one more than there may be is one too many
        let most = usize::try_from(caller.0.terms.subscriptions.each).unwrap_or(usize::MAX);
        uris.truncate(most.saturating_add(1));
        let begun = stream::iter(uris).map(|uri| Updates::begin(subscriber.clone(), caller, from, uri));
        let (mut followed, mut too_many) = (Vec::new(), None);
        let mut begun = begun.buffered(AT_ONCE);
        while let Some(begun) = begun.next().await {
            match begun {
                Ok(updates) => followed.push(updates),
                Err(NotFollowed::TooMany(full)) => too_many = Some(full),
                Err(NotFollowed::Error(_)) => {}
            }
        }
        if too_many.is_some() {
            followed.clear();
        }
        let uris = followed.iter().map(|updates| updates.uri.clone()).collect();
        (uris, Self { followed: Mutex::new(followed), too_many })
    }

    /// What is followed, for whoever tells of it.
    pub(super) fn take(&self) -> Vec<Updates> {
        std::mem::take(&mut self.followed.lock())
    }

    /// Of the request that the SDK is at.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Option<&Arc<Self>> {
        let over_http = || context.extensions.get::<Parts>()?.extensions.get::<Arc<Self>>();
        context.extensions.get::<Arc<Self>>().or_else(over_http)
    }
}

/// Whether the body of a request over HTTP has to be prepared.
pub(in crate::door) fn is_listen(headers: &HeaderMap) -> bool {
    headers.get("mcp-method").is_some_and(|method| method.as_bytes() == LISTEN.as_bytes())
}

/// Prepares a request over HTTP; the body in which only what is followed is asked for.
pub(in crate::door) async fn over_http(
    serving: &Arc<Serving>,
    caller: (&Served, &Arc<Caller>),
    from: (&'static str, Option<IpAddr>),
    parts: &mut Parts,
    body: Bytes,
) -> Bytes {
    let Ok(mut message) = serde_json::from_slice::<Value>(&body) else { return body };
    let asked = message.pointer_mut("/params/notifications/resourceSubscriptions");
    let Some(Value::Array(asked)) = asked else { return body };
    let uris: Option<Vec<String>> = asked.iter().map(|uri| uri.as_str().map(str::to_owned)).collect();
    // what is no list of texts is for the SDK to refuse
    let Some(uris) = uris else { return body };
    let subscriber = Subscriber::new(serving, &Who::EachRequest, caller.1, Some(parts));
    let (uris, prepared) = Prepared::new(&subscriber, caller, from, uris).await;
    *asked = uris.into_iter().map(Value::from).collect();
    parts.extensions.insert(Arc::new(prepared));
    message.to_string().into()
}

/// The handler over stdio, where a request has no layers in front.
pub(in crate::door) struct Prepares(pub(in crate::door) Mcp);

impl Service<RoleServer> for Prepares {
    async fn handle_request(
        &self,
        mut request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        if let ClientRequest::SubscriptionsListenRequest(listen) = &mut request
            && let Some(uris) = listen.params.notifications.resource_subscriptions.take()
            && let Ok((served, caller)) = self.0.here(&context).await
        {
            let subscriber = Subscriber::new(&self.0.serving, &self.0.who, &caller, None);
            let (uris, prepared) =
                Prepared::new(&subscriber, (&served, &caller), (self.0.door, None), uris).await;
            listen.params.notifications.resource_subscriptions = Some(uris);
            context.extensions.insert(Arc::new(prepared));
        }
        self.0.handle_request(request, context).await
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        Service::get_info(&self.0)
    }

    fn supported_protocol_versions(&self) -> std::borrow::Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.0)
    }
}
