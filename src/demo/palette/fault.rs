//! What a tenant's API can be told to do wrong.

use std::time::Duration;

use serde_json::Value;

/// A fault, where it happens, and how often.
#[derive(Clone, Debug)]
pub struct Fault {
    /// An endpoint as it is counted, `GET /v1/spectroclusters/{uid}`; none for all.
    pub endpoint: Option<String>,
    /// Only requests with this in `ProjectUid`.
    pub project: Option<String>,
    /// How many requests are let through before.
    pub after: usize,
    /// How many requests it happens to; none for all.
    pub times: Option<usize>,
    /// What goes wrong.
    pub failure: Failure,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Failure {
    /// An error of the application: status, code, message.
    Coded(u16, String, String),
    /// An error of the router, whose code is the status as a number.
    Numeric(u16, String),
    /// What a proxy before it says, in HTML.
    Html(u16),
    /// What was asked for is done, and then a proxy says this, in HTML: the answer is lost.
    Done(u16),
    /// Answered in full, but late.
    Slow(Duration),
    /// Never answered.
    Hang,
    /// The connection ends in the middle of the answer.
    Cut,
    /// Half of the JSON, as if that were all.
    Truncated,
    /// This, instead of what was asked for.
    Instead(Value),
    /// Every page says that the same one comes next.
    RepeatedContinue,
    /// `count` is off by this.
    Count(i64),
    /// A later page begins with the last row of the one before.
    Doubled,
    /// A later page lacks its first row.
    Lost,
    /// Objects are `null`.
    Nulls,
}

impl Fault {
    /// At one endpoint, always.
    pub fn at(endpoint: &str, failure: Failure) -> Self {
        Self { endpoint: Some(endpoint.to_owned()), ..Self::everywhere(failure) }
    }

    /// At all endpoints, always.
    pub fn everywhere(failure: Failure) -> Self {
        Self { endpoint: None, project: None, after: 0, times: None, failure }
    }

    /// That often, then never again.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Not before that many requests.
    #[must_use]
    pub fn after(self, after: usize) -> Self {
        Self { after, ..self }
    }

    /// In one project only.
    #[must_use]
    pub fn project(self, uid: &str) -> Self {
        Self { project: Some(uid.to_owned()), ..self }
    }

    /// Whether it happens to this request, which is then counted.
    pub(super) fn strikes(&mut self, endpoint: &str, project: Option<&str>) -> bool {
        let here = self.endpoint.as_deref().is_none_or(|wanted| wanted == endpoint)
            && self.project.as_deref().is_none_or(|wanted| Some(wanted) == project);
        if !here || self.times == Some(0) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        self.times = self.times.map(|times| times - 1);
        true
    }
}

impl Failure {
    /// 429, as the API says it.
    pub fn too_many() -> Self {
        Self::Coded(429, "TooManyRequests".into(), "Too many requests, retry later".into())
    }

    /// 401
    pub fn unauthorized() -> Self {
        Self::Coded(401, "UnAuthorizedAccess".into(), "Unauthorized access".into())
    }

    /// Changes a good answer into the wrong one.
    pub(super) fn spoil(&self, body: &mut Value) {
        match self {
            Self::Instead(other) => *body = other.clone(),
            Self::Count(by) => {
                if let Some(count) = body.pointer_mut("/listmeta/count") {
                    *count = (count.as_i64().unwrap_or_default() + by).into();
                }
            }
            Self::Nulls => nulls(body),
            _ => {}
        }
    }
}

/// Seen as `null` by those who looked: whole objects that the contract has.
fn nulls(value: &mut Value) {
    const SEEN: [&str; 12] = [
        "condition",
        "conditions",
        "health",
        "labels",
        "location",
        "manifests",
        "metrics",
        "notifications",
        "relatedObject",
        "repave",
        "updates",
        "virtual",
    ];
    match value {
        Value::Array(items) => items.iter_mut().for_each(nulls),
        Value::Object(members) => {
            for (name, member) in members {
                if SEEN.contains(&name.as_str()) {
                    *member = Value::Null;
                } else {
                    nulls(member);
                }
            }
        }
        _ => {}
    }
}
