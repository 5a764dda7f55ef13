//! What of a caller the server may show an API server, as that server's RBAC says.

use k8s_openapi::api::authorization::v1::{ResourceRule, SelfSubjectRulesReview, SelfSubjectRulesReviewSpec};
use kube::api::{Api, PostParams};
use tokio::time::{Instant, timeout_at};

use super::{cluster::Cluster, fault::Fault};

/// What the API server says of the server's own rights to impersonate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayImpersonate {
    rules: Vec<(Vec<String>, Vec<String>)>,
    /// Whether the API server knows of no more than it said: an authorizer that is asked by webhook may
    /// allow what it does not list.
    pub complete: bool,
}

impl Cluster {
    /// Asks what the server's own credential may impersonate (a SelfSubjectRulesReview, which every
    /// authenticated user may make).
    ///
    /// # Errors
    /// The credential is none to impersonate with, or the API server did not say.
    pub async fn may_impersonate(&self, deadline: Instant) -> Result<MayImpersonate, Fault> {
        let client = self.impersonator(deadline).await?.client.clone();
        let review = SelfSubjectRulesReview {
            // users and groups are in no namespace, and the rules of cluster roles are said with any
            spec: SelfSubjectRulesReviewSpec { namespace: Some("default".to_owned()) },
            ..SelfSubjectRulesReview::default()
        };
        let (started, post) = (Instant::now(), PostParams::default());
        let answer = timeout_at(deadline, Api::all(client).create(&post, &review)).await;
        let answer = answer.map_err(|_| Fault::Timeout(started.elapsed()))?;
        let status = match answer {
            Ok(review) => review.status.unwrap_or_default(),
            Err(kube::Error::Api(status)) => {
                return Err(Fault::Status { status: status.code, message: status.message });
            }
            Err(error) => return Err(Fault::Unreachable(error.to_string())),
        };
        Ok(MayImpersonate::of(status.resource_rules, !status.incomplete))
    }
}

impl MayImpersonate {
    fn of(rules: Vec<ResourceRule>, complete: bool) -> Self {
        let impersonates =
            |verb: &String| matches!(verb.as_str(), "impersonate" | "impersonate:user-info" | "*");
        let rules = rules
            .into_iter()
            .filter(|rule| rule.verbs.iter().any(impersonates))
            .map(|rule| (rule.api_groups.unwrap_or_default(), rule.resources.unwrap_or_default()))
            .collect();
        Self { rules, complete }
    }

    /// Those of `wanted` (`users`, `groups`, `uids`, `userextras/NAME`) of which it may impersonate none.
    pub fn missing<'w>(&self, wanted: &[&'w str]) -> Vec<&'w str> {
        let among = |list: &[String], known: &[&str]| list.iter().any(|one| known.contains(&one.as_str()));
        let some = |what: &str| {
            self.rules.iter().any(|(groups, resources)| {
                among(groups, &["", "authentication.k8s.io", "*"]) && among(resources, &[what, "*"])
            })
        };
        wanted.iter().copied().filter(|what| !some(what)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> ResourceRule {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        ResourceRule {
            api_groups: Some(texts(groups)),
            resources: Some(texts(resources)),
            verbs: texts(verbs),
            ..ResourceRule::default()
        }
    }

    #[test]
    fn what_may_not_be_shown_is_named() {
        let wanted = ["users", "groups", "uids", "userextras/email"];
        let narrow = vec![
            rule(&[""], &["users", "pods"], &["impersonate"]),
            rule(&["authentication.k8s.io"], &["groups"], &["impersonate:user-info"]),
            rule(&["apps"], &["uids"], &["impersonate"]),
            rule(&["authentication.k8s.io"], &["userextras/email"], &["get"]),
        ];
        assert_eq!(MayImpersonate::of(narrow, true).missing(&wanted), ["uids", "userextras/email"]);
        let all = vec![rule(&["*"], &["*"], &["*"])];
        assert!(MayImpersonate::of(all, true).missing(&wanted).is_empty());
        assert_eq!(MayImpersonate::of(Vec::new(), false).missing(&["users"]), ["users"]);
    }
}
