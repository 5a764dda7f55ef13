//! What a mesh that could not be read whole is answered with.

use std::collections::BTreeSet;

use crate::{Error, ErrorKind, RefusedBy, kubernetes::Fault};

use super::super::resource::Unread;

/// Kinds that one refusal names.
const MOST_NAMED: usize = 20;

/// Why nothing is published, where something could not be read.
pub(super) fn of(unread: &[Unread]) -> Option<Error> {
    // a kind that went away since the cluster said that it serves it has no objects
    let gone = |one: &&Unread| one.fault.as_ref().is_some_and(Fault::is_not_found);
    let unread: Vec<&Unread> = unread.iter().filter(|one| !gone(one)).collect();
    let fault =
        |is: fn(&Fault) -> bool| unread.iter().filter_map(|one| one.fault.as_ref()).find(|one| is(one));
    if let Some(refused) = fault(|fault| matches!(fault, Fault::TokenRefused(_) | Fault::Unauthorized(_))) {
        return Some(refused.clone().into());
    }
    let forbidden: BTreeSet<&str> = unread
        .iter()
        .filter(|one| one.fault.as_ref().is_some_and(Fault::is_forbidden))
        .map(|one| one.kind.as_str())
        .collect();
    if !forbidden.is_empty() {
        let kinds = named(&forbidden);
        let message = format!("the cluster does not let this token list {kinds} in all namespaces");
        return Some(
            Error::new(ErrorKind::NotAllowed, message)
                .refused_by(RefusedBy::Cluster)
                .next("`platform-mcp rbac knative` prints what the token's user needs"),
        );
    }
    let first = *unread.first()?;
    let what =
        |kind: ErrorKind, why: &str| Error::new(kind, format!("{} could not be read: {why}", first.kind));
    Some(match fault(Fault::is_transient).or(first.fault.as_ref()) {
        Some(fault) => {
            let error = Error::from(fault.clone());
            what(error.kind, &error.message)
        }
        None => what(ErrorKind::Upstream { status: None, retryable: true }, &first.why),
    })
}

fn named(kinds: &BTreeSet<&str>) -> String {
    let mut named: Vec<String> = kinds.iter().take(MOST_NAMED).map(|kind| (*kind).to_owned()).collect();
    let more = kinds.len().saturating_sub(MOST_NAMED);
    named.extend((more > 0).then(|| format!("{more} more kinds")));
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(kind: &str, fault: Option<Fault>) -> Unread {
        Unread { kind: kind.to_owned(), why: "it broke off".to_owned(), fault }
    }

    #[test]
    fn the_worst_is_told_of_what_could_not_be_read() {
        let forbidden = || Some(Fault::Forbidden("no".to_owned()));
        let broker = || unread("Broker.eventing.knative.dev", forbidden());
        let trigger = || unread("Trigger.eventing.knative.dev", forbidden());
        let down =
            || unread("PingSource.sources.knative.dev", Some(Fault::Unreachable("refused".to_owned())));
        let cut = || unread("EventType.eventing.knative.dev", None);
        let token = || unread("Broker.eventing.knative.dev", Some(Fault::TokenRefused("no".to_owned())));
        assert!(of(&[]).is_none());
        let status = |all: &[Unread]| of(all).map(|error| (error.http_status(), error.message));
        let (code, message) = status(&[down(), trigger(), broker(), trigger()]).expect("refused");
        assert_eq!(code, 403);
        assert!(
            message.contains(" list Broker.eventing.knative.dev, Trigger.eventing.knative.dev in all"),
            "{message}"
        );
        assert_eq!(status(&[cut(), down()]).expect("refused").0, 502);
        let (code, message) = status(&[cut()]).expect("refused");
        assert!(code == 502 && message.contains("it broke off"), "{message}");
        let error = of(&[broker(), token()]).expect("refused");
        assert_eq!(error.kind, ErrorKind::Upstream { status: Some(401), retryable: false });
        let gone = || unread("Parallel.flows.knative.dev", Some(Fault::NotFound("no".to_owned())));
        assert!(of(&[gone()]).is_none());
        assert_eq!(status(&[gone(), broker()]).expect("refused").0, 403);
        let slow = unread("A", Some(Fault::Throttled { retry_after: None }));
        assert_eq!(status(&[slow]).expect("refused").0, 429);
    }
}
