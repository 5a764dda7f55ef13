//! What the cluster itself says, asked as the caller (`authorization.k8s.io/v1`, `authentication.k8s.io/v1`).

use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Asked;
use crate::{
    answer::{Row, sanitise},
    kubernetes::{
        Access, Fault, Identity,
        access::{Ask, parse},
    },
};

const ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const RULES: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
const WHO: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// Rules that are taken in.
const MOST_RULES: usize = 2_000;
/// Words of a rule, and characters of each.
const MOST_WORDS: usize = 60;
const LONGEST_WORD: usize = 253;
const LONGEST_REASON: usize = 300;

/// The cluster's answer.
#[derive(Debug)]
pub(super) enum Theirs {
    /// To one request.
    One {
        allowed: bool,
        /// In its own words, where they are about the caller.
        reason: String,
    },
    /// What it lets the caller do.
    Rules { rules: Vec<Rule>, incomplete: bool },
    /// There is none.
    Unread(Fault),
    /// Nobody asked: of which namespace was not said.
    Unasked,
    /// Nobody asked: the caller may see nothing of the namespace, not even whether it is there.
    Unseen,
}

/// What is allowed of some resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    resources: Vec<String>,
    names: Vec<String>,
    verbs: Vec<String>,
}

/// One rule, as a row.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RuleRow {
    /// As `pods`, `deployments.apps`, or a path.
    resources: String,
    /// Only these objects.
    #[serde(skip_serializing_if = "String::is_empty")]
    names: String,
    verbs: String,
    #[serde(skip)]
    key: String,
}

impl Row for RuleRow {
    const COLUMNS: &'static [&'static str] = &["resources", "names", "verbs"];

    fn cells(&self) -> Vec<String> {
        vec![self.resources.clone(), self.names.clone(), self.verbs.clone()]
    }

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// Whether the cluster allows one request.
pub(super) async fn allows(access: &Access, asked: &Asked) -> Theirs {
    let (group, resource) = asked.kind.as_ref().map_or(("*", "*"), |kind| (&kind.group, &kind.plural));
    let attributes = json!({
        "namespace": asked.namespace.as_deref().unwrap_or_default(), "verb": asked.verb, "group": group,
        "resource": resource, "subresource": asked.subresource.as_deref().unwrap_or_default(),
        "name": asked.name.as_deref().unwrap_or_default(),
    });
    let spec = json!({"resourceAttributes": attributes});
    let status =
        match review(access, ACCESS, "authorization.k8s.io/v1", "SelfSubjectAccessReview", &spec).await {
            Ok(status) => status,
            Err(fault) => return refused(fault),
        };
    let Some(allowed) = status.get("allowed").and_then(Value::as_bool) else {
        return Theirs::Unread(Fault::Malformed("a review without its verdict".to_owned()));
    };
    let text = |key: &str| status.get(key).and_then(Value::as_str).unwrap_or_default();
    // whose binding it is that lets this server in is nothing for its callers
    let told = if access.identity() == Identity::Own { "" } else { text("reason") };
    let mut reason = sanitise::short(told, LONGEST_REASON);
    let error = sanitise::short(text("evaluationError"), LONGEST_REASON);
    if !error.is_empty() && !allowed && access.identity() != Identity::Own {
        reason = format!("{reason} {error}").trim().to_owned();
    }
    Theirs::One { allowed, reason }
}

/// What the cluster lets the caller do in a namespace, and of what is in none.
pub(super) async fn rules(access: &Access, namespace: &str) -> Theirs {
    let spec = json!({"namespace": namespace});
    let status = match review(access, RULES, "authorization.k8s.io/v1", "SelfSubjectRulesReview", &spec).await
    {
        Ok(status) => status,
        Err(fault) => return refused(fault),
    };
    let all = |key: &str| status.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let rules = all("resourceRules").iter().map(Rule::of_resources);
    let mut rules: Vec<Rule> =
        rules.chain(all("nonResourceRules").iter().map(Rule::of_paths)).take(MOST_RULES).collect();
    rules.sort();
    rules.dedup();
    let error = status.get("evaluationError").and_then(Value::as_str).is_some_and(|error| !error.is_empty());
    let incomplete = error || status.get("incomplete").and_then(Value::as_bool).unwrap_or_default();
    Theirs::Rules { rules, incomplete }
}

/// As whom the cluster sees the caller, where it is not as this server.
pub(super) async fn user(access: &Access) -> Option<String> {
    if access.identity() == Identity::Own {
        return None;
    }
    let status =
        review(access, WHO, "authentication.k8s.io/v1", "SelfSubjectReview", &Value::Null).await.ok()?;
    let name = status.get("userInfo")?.get("username")?.as_str()?;
    Some(sanitise::short(name, LONGEST_WORD))
}

async fn review(
    access: &Access,
    path: &str,
    api_version: &str,
    kind: &str,
    spec: &Value,
) -> Result<Value, Fault> {
    let mut review = json!({"apiVersion": api_version, "kind": kind});
    if let Some(review) = review.as_object_mut().filter(|_| !spec.is_null()) {
        review.insert("spec".to_owned(), spec.clone());
    }
    let body = Some(("application/json", review.to_string().into_bytes()));
    let ask = Ask { method: Method::POST, uri: path, accept: "application/json", body };
    let answered = access.once(ask).await?;
    let mut answer: Value = parse(&answered.body)?;
    let status = answer.get_mut("status").map(Value::take).filter(Value::is_object);
    status.ok_or_else(|| Fault::Malformed("a review without a status".to_owned()))
}

/// Who is not let in at all is not allowed anything.
fn refused(fault: Fault) -> Theirs {
    match fault {
        Fault::MayNotImpersonate(_)
        | Fault::TokenRefused(_)
        | Fault::NotExchanged { retryable: false, .. }
        | Fault::Unauthorized(_)
        | Fault::Forbidden(_) => Theirs::One { allowed: false, reason: fault.to_string() },
        other => Theirs::Unread(other),
    }
}

impl Rule {
    fn of_resources(rule: &Value) -> Self {
        let groups = words(rule, "apiGroups");
        let named = |group: &String, resource: &String| match group.as_str() {
            "" => resource.clone(),
            "*" if resource == "*" => "*".to_owned(),
            // the group comes before the subresource, as people write it
            group => match resource.split_once('/') {
                Some((resource, sub)) => format!("{resource}.{group}/{sub}"),
                None => format!("{resource}.{group}"),
            },
        };
        let resources = words(rule, "resources");
        let resources = groups.iter().flat_map(|group| resources.iter().map(move |one| named(group, one)));
        Self {
            resources: resources.take(MOST_WORDS).collect(),
            names: words(rule, "resourceNames"),
            verbs: words(rule, "verbs"),
        }
    }

    fn of_paths(rule: &Value) -> Self {
        Self { resources: words(rule, "nonResourceURLs"), names: Vec::new(), verbs: words(rule, "verbs") }
    }
}

fn words(rule: &Value, key: &str) -> Vec<String> {
    let words = rule.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    words.take(MOST_WORDS).map(|word| sanitise::short(word, LONGEST_WORD)).collect()
}

impl Theirs {
    /// Whether what was asked is allowed, or anything at all; `None` where the cluster did not say.
    pub(super) fn allowed(&self) -> Option<bool> {
        match self {
            Self::One { allowed, .. } => Some(*allowed),
            Self::Rules { rules, .. } => Some(!rules.is_empty()),
            Self::Unread(_) | Self::Unasked | Self::Unseen => None,
        }
    }

    /// The answer in words.
    pub(super) fn line(&self) -> String {
        let word = match self.allowed() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not known",
        };
        match self {
            Self::One { reason, .. } if !reason.is_empty() => format!("{word}, {reason}"),
            _ => word.to_owned(),
        }
    }

    /// The rules as rows, the widest first, and whether there may be more.
    pub(super) fn rows(&self) -> (Vec<RuleRow>, bool) {
        let Self::Rules { rules, incomplete } = self else { return (Vec::new(), false) };
        let row = |(index, rule): (usize, &Rule)| {
            let everything = rule.resources.iter().any(|resource| resource == "*");
            let path = rule.resources.iter().all(|resource| resource.starts_with('/'));
            let order = if everything { 0 } else { 1 + u8::from(path) };
            RuleRow {
                resources: rule.resources.join(" "),
                names: rule.names.join(" "),
                verbs: rule.verbs.join(" "),
                key: format!("{order}{index:06}"),
            }
        };
        (rules.iter().enumerate().map(row).collect(), *incomplete)
    }
}
