//! Messages of MCP: from a request to the handler, once the entrance has let it through.

use std::sync::{Arc, OnceLock};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode};

use super::{
    body::{self, Unfit},
    entrance::{Client, DOOR, Entrance, Turned},
    request::Held,
};
use crate::{
    audit,
    caller::Caller,
    door::{mcp, oauth, refused::Refused, serving::Served, shape},
    permission::Requirement,
};

/// What a call lacked, told by the handler to the entrance that the call came through.
#[derive(Debug, Default)]
pub(in crate::door) struct Shortfall(OnceLock<Requirement>);

impl Shortfall {
    /// Keeps what is lacking.
    pub(in crate::door) fn tell(&self, lacking: Requirement) {
        let _ = self.0.set(lacking);
    }
}

/// Lets a request through to the handler with its caller, or turns it away.
pub(super) async fn enter(State(entrance): State<Arc<Entrance>>, request: Request, next: Next) -> Response {
    let served = Arc::clone(&entrance.serving.now());
    let (mut parts, body) = request.into_parts();
    let (peer, client) = entrance.origin(&parts);
    parts.extensions.insert(Client(client));
    let (caller, running) = match entrance.through(&served, &parts, peer).await {
        Ok(through) => through,
        Err(turned) => {
            let refused = entrance.turn_away(&served, &parts, client, *turned);
            refused.pass_over(&parts, body).await;
            return refused.into_response();
        }
    };
    let body = match body::whole(body, body::TIME).await {
        Ok(body) => body,
        Err(why) => return entrance.turn_away(&served, &parts, client, *unfit(why)).into_response(),
    };
    super::connection::let_in(&parts.extensions);
    let body = match mcp::is_listen(&parts.headers) {
        true => {
            let from = (DOOR, Some(client));
            mcp::over_http(&entrance.serving, (&served, &caller), from, &mut parts, body).await
        }
        false => body,
    };
    let shortfall = (served.terms.step_up && caller.token().is_some()).then(Arc::<Shortfall>::default);
    if let Some(shortfall) = &shortfall {
        parts.extensions.insert(Arc::clone(shortfall));
    }
    parts.extensions.insert(Arc::clone(&caller));
    let url = shortfall.is_some().then(|| entrance.url(&served, &parts));
    let response = shape::json_rpc(Request::from_parts(parts, Body::from(body)), next).await;
    let lacking = shortfall.as_ref().and_then(|shortfall| shortfall.0.get());
    if let (Some(lacking), Some(url)) = (lacking, url)
        && let Some(challenge) = stepped(&served, lacking, &caller, &url)
    {
        return Refused::insufficient(challenge).into_response();
    }
    // of the handler's own refusals, the one that is about where a request comes from
    if response.status() == StatusCode::FORBIDDEN && entrance.rates.worth_a_line(client) {
        served.toolbox.refused(&audit::Refused {
            door: DOOR,
            outcome: "not_allowed",
            reason: "source",
            detail: "a Host or an Origin that is not allowed".to_owned(),
            caller: Some(&*caller),
            client: Some(client),
            ..audit::Refused::default()
        });
    }
    response.map(|body| Body::new(Held::new(body, running)))
}

fn stepped(served: &Served, lacking: &Requirement, caller: &Caller, url: &str) -> Option<HeaderValue> {
    let policy = served.callers.policy(caller.issuer()?)?;
    oauth::step_up(url, &oauth::scopes_for(policy, lacking, caller)?)
}

fn unfit(unfit: Unfit) -> Box<Turned> {
    let (status, message, reason) = match unfit {
        Unfit::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is over 1 MiB", "body_size"),
        Unfit::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body did not come in time", "body_time"),
        Unfit::TooDeep => (StatusCode::BAD_REQUEST, "the body nests deeper than 64 levels", "body_depth"),
        Unfit::Broken => (StatusCode::BAD_REQUEST, "the body broke off", "body_broken"),
    };
    Turned::new(Refused::malformed(status, message), reason)
}
