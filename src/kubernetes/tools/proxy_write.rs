//! `kubernetes_proxy_write`: any change of a cluster, as the caller, planned first.

mod aim;
mod seen;
mod told;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, ErrorKind,
    answer::{Answer, Change},
    kubernetes::{
        Cause,
        difference::Difference,
        operation::{self, ATTEMPTS, Next},
        proxy::write::managers::last_written,
    },
    toolbox::{Call, Reach, Step, Tool},
};

use aim::Aim;

/// The handler.
#[derive(Debug)]
pub struct ProxyWrite;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub cluster: Option<String>,
    pub method: Method,
    pub path: String,
    pub query: Option<BTreeMap<String, String>>,
    pub content_type: Option<String>,
    /// JSON or YAML text
    #[schemars(length(max = 262_144))]
    pub body: Option<String>,
    pub plan: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// What would change, or did; or why not.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    method: String,
    path: String,
    /// Whether it does not exist yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    new: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Difference>,
    /// Names of what is deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    goes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    risks: Vec<String>,
    /// Whose fields it takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    takes: Vec<String>,
    /// Of the API server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// What was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Value>,
    /// Of the API server's refusal, and what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause>,
}

impl Tool for ProxyWrite {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        super::pass::reach(input.cluster.as_ref(), "POST", &input.path)
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let plan = input.plan.clone();
        let aim = Aim::of(&call, input)?;
        // before anything is asked of the cluster
        let agreed = plan.as_deref().map(|plan| call.agreed(plan)).transpose()?;
        if aim.is_review() {
            return aim.reviewed().await;
        }
        for _ in 0..ATTEMPTS {
            let seen = aim.observe(agreed.as_deref()).await?;
            if let Some(summary) = aim.unneeded(&seen) {
                return Ok(aim.answer(summary, seen).change(Change::Unneeded));
            }
            match operation::next(&call, plan.as_deref(), &seen.observed)? {
                // what varies may vary elsewhere now
                Next::Tell(head, Change::Refused(_)) => return aim.refused(head).await,
                Next::Tell(head, change) => {
                    let summary = format!("{head}{}", aim.would(&seen));
                    return Ok(aim.answer(summary, seen).change(change));
                }
                Next::Do => {}
            }
            match aim.send(&seen).await? {
                Some(reply) => return Ok(aim.done(seen, &reply)),
                // only what no plan depends on has changed since it was read
                None => continue,
            }
        }
        let what = aim.what();
        let message =
            format!("{what} changes faster than it can be written: tried {ATTEMPTS} times, nothing was done");
        Err(Error::new(ErrorKind::Conflict, message).next("try again later"))
    }
}

impl Aim<'_> {
    /// The plan as it is now, in place of one that is not any more.
    async fn refused(&self, head: String) -> Result<Answer<Output>, Error> {
        let mut seen = self.observe(None).await?;
        if let Some(summary) = self.unneeded(&seen) {
            return Ok(self.answer(summary, seen).change(Change::Unneeded));
        }
        if let Some((manager, time)) = seen.live.as_ref().and_then(last_written) {
            seen.notes.push(format!("the object was last written by {manager} at {time}"));
        }
        let Step::Offer(plan) = self.call.step(None, &seen.observed.text())? else {
            return Err(Error::new(ErrorKind::Internal, "a plan without a handle"));
        };
        let summary = format!("{head}{}", self.would(&seen));
        Ok(self.answer(summary, seen).change(Change::Refused(plan)))
    }
}
