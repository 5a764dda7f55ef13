//! What failed between us and Palette, as the error of a call.

use super::{Error, ErrorKind, RefusedBy};
use crate::palette::Fault;

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let message = fault.to_string();
        let upstream =
            |status, retryable| Self::new(ErrorKind::Upstream { status, retryable }, message.clone());
        match fault {
            Fault::Withheld { needs, place, decision } => {
                Self::denied(&needs, &place).refused_by(RefusedBy::Gate(*decision))
            }
            Fault::Unfit(_) => Self::new(ErrorKind::NotAllowed, message)
                .refused_by(RefusedBy::Identity)
                .next("send a Palette token in that header, over HTTP (stdio has no headers)"),
            Fault::NotFound(_) => Self::not_found(message),
            Fault::Forbidden(_) => Self::new(ErrorKind::NotAllowed, message).refused_by(RefusedBy::Palette).next(
                "ask whoever administers Palette: our own permissions allowed the call, the credential's did not",
            ),
            Fault::Unauthorized(_) => upstream(Some(401), false)
                .next("run `platform-mcp check`: the credential for this environment does not work"),
            Fault::TokenRefused(_) => {
                upstream(Some(401), false).next("log in to Palette again: its tokens live 15 minutes")
            }
            Fault::Unserved { status, .. } => upstream(Some(status), false)
                .next("run `platform-mcp check`: the URL may be another host's, or Palette another version"),
            Fault::Throttled { retry_after } => Self::new(ErrorKind::RateLimited { retry_after }, message),
            Fault::Timeout(_) => Self::new(ErrorKind::Timeout, message)
                .next("name one environment, project or cluster; `platform-mcp check` says whether it answers"),
            Fault::Status { status: 409 | 423, .. } => Self::new(ErrorKind::Conflict, message),
            Fault::Status { status, .. } => upstream(Some(status), status >= 500),
            Fault::Unreachable(_) => upstream(None, true).next("`platform-mcp check` says what is wrong"),
            Fault::Malformed(_) | Fault::Configuration(_) => {
                upstream(None, false).next("run `platform-mcp check`: it says what that URL answers")
            }
            Fault::Uncertain(_) => {
                upstream(None, false).next("look at what there is before you try again: it may have been done")
            }
            Fault::Spent(_) => upstream(None, false).next("name one environment, project or cluster"),
        }
    }
}
