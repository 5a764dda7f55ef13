//! [`Who`]: how the caller of a message is known.

use std::sync::Arc;

use http::request::Parts;
use rmcp::{RoleServer, service::RequestContext};

use super::serving::Served;
use crate::{
    Error, ErrorKind,
    caller::{Caller, Credential, TOKEN_VARIABLE, Unusable},
};

/// How the caller of a message is known.
#[derive(Clone, Debug)]
pub enum Who {
    /// The process serves its local user: stdio.
    Local,
    /// The process serves the owner of this token: stdio.
    Owner(Arc<Credential>),
    /// A layer in front put the caller into the request's extensions: HTTP. Without one there is no call.
    EachRequest,
}

impl Who {
    /// The caller of a message, by the rules that hold now.
    pub(super) async fn caller(
        &self,
        served: &Served,
        context: &RequestContext<RoleServer>,
    ) -> Result<Arc<Caller>, Unusable> {
        match self {
            Self::EachRequest => context
                .extensions
                .get::<Parts>()
                .and_then(|parts| parts.extensions.get::<Arc<Caller>>())
                .map(Arc::clone)
                .ok_or_else(|| nobody("no_caller", "there is no caller: authentication is required")),
            Self::Owner(_) | Self::Local => self.owner(served).await,
        }
    }

    /// The one caller of the process.
    pub(super) async fn owner(&self, served: &Served) -> Result<Arc<Caller>, Unusable> {
        match self {
            Self::Owner(credential) => credential.caller(&served.callers).await,
            Self::Local => served.callers.local().map(Arc::clone).ok_or_else(|| {
                let mut unusable =
                    nobody("no_token", "issuers are configured now, so a caller needs a token");
                let next = format!("start the server again with a token in {TOKEN_VARIABLE} or --token-file");
                unusable.error = unusable.error.next(next);
                unusable
            }),
            Self::EachRequest => Err(nobody("no_caller", "there is no caller of the process")),
        }
    }
}

fn nobody(reason: &'static str, what: &str) -> Unusable {
    Unusable { reason, token: None, error: Error::new(ErrorKind::Unauthenticated, what) }
}
