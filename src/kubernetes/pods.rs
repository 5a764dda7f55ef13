//! Why a Pod does not run, or is not ready, by what its status says.

use serde_json::Value;

use super::object::{Condition, Object};

/// How a Pod is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Ready, or done with its work.
    Fine,
    /// Not yet, and waiting may help.
    Waiting(String),
    /// Not, and waiting does not help.
    Failing(String),
}

/// What kind of trouble it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A container ends again and again.
    Crashing,
    /// An image cannot be had.
    Image,
    /// A container cannot be made of what it refers to.
    Config,
    /// No node takes it.
    Unschedulable,
    /// The scheduler of this name should have looked at it and has not.
    Unlooked(String),
    /// It ended, and not well.
    Failed,
    /// Anything else.
    NotReady,
}

/// What is the matter with a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Of which kind it is.
    pub cause: Cause,
    /// In words.
    pub what: String,
    /// The kubelet's words, where it has more.
    pub detail: Option<String>,
    /// The container; empty where it is the Pod.
    pub container: String,
}

/// How a Pod is doing that is not being deleted.
pub fn standing(pod: &Object) -> Standing {
    if let Some((container, reason, _)) = stuck(pod) {
        return Standing::Failing(format!("container {}: {reason}", name(container)));
    }
    match pod.text(&["status", "phase"]) {
        Some("Succeeded") => Standing::Fine,
        Some("Failed") => {
            let why = pod.text(&["status", "reason"]).unwrap_or("its containers failed");
            Standing::Failing(format!("Failed: {why}"))
        }
        Some("Running") => match pod.condition("Ready") {
            Some(ready) if ready.is_true() => Standing::Fine,
            Some(ready) => Standing::Waiting(format!("not ready: {}", ready.message)),
            None => Standing::Waiting("running, not ready yet".to_owned()),
        },
        phase => match unscheduled(pod) {
            Some(unscheduled) => {
                Standing::Waiting(format!("{}: {}", unscheduled.reason, unscheduled.message))
            }
            None => Standing::Waiting(phase.unwrap_or("no status yet").to_owned()),
        },
    }
}

/// What is the matter with a Pod; nothing with one that is fine, or is being deleted.
pub fn trouble(pod: &Object) -> Option<Trouble> {
    if pod.deletion().is_some() {
        return None;
    }
    let (failing, reason) = match standing(pod) {
        Standing::Fine => return None,
        Standing::Waiting(reason) => (false, reason),
        Standing::Failing(reason) => (true, reason),
    };
    if let Some((container, waiting, cause)) = stuck(pod) {
        // what the container itself left in its termination message is not told
        let detail = container.pointer("/state/waiting/message").and_then(Value::as_str);
        return Some(Trouble {
            cause,
            what: format!("container {}: {waiting}{}", name(container), ended(container)),
            detail: detail.map(str::to_owned),
            container: name(container).to_owned(),
        });
    }
    let (cause, what) = match (unscheduled(pod), failing, unlooked(pod)) {
        (Some(_), ..) => (Cause::Unschedulable, reason),
        (None, true, _) => (Cause::Failed, reason),
        (None, false, Some(scheduler)) => {
            let what = format!("no scheduler has looked at it ({scheduler} should)");
            (Cause::Unlooked(scheduler.to_owned()), what)
        }
        (None, false, None) => (Cause::NotReady, reason),
    };
    Some(Trouble { cause, what, detail: None, container: String::new() })
}

/// The statuses of all containers.
pub fn containers(pod: &Object) -> impl Iterator<Item = &Value> {
    ["initContainerStatuses", "containerStatuses"].into_iter().flat_map(|list| pod.items(&["status", list]))
}

/// `, OOMKilled, exit code 137, 12 restarts`: how a container ended the last time, as far as it did.
pub fn ended(container: &Value) -> String {
    let last = container.pointer("/lastState/terminated").or_else(|| container.pointer("/state/terminated"));
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    let reason = last.and_then(|last| last.get("reason")).and_then(Value::as_str);
    let mut told = String::new();
    if let Some(reason) = reason.filter(|reason| *reason != "Error") {
        told.push_str(&format!(", {reason}"));
    }
    if let Some(exit) = number(last.and_then(|last| last.get("exitCode"))) {
        told.push_str(&format!(", exit code {exit}"));
    }
    if let Some(restarts) = number(container.get("restartCount")).filter(|restarts| *restarts > 0) {
        told.push_str(&format!(", {restarts} restarts"));
    }
    told
}

/// The name of a container.
pub fn name(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The first container that waits for what does not come by waiting.
fn stuck(pod: &Object) -> Option<(&Value, &str, Cause)> {
    containers(pod).find_map(|container| {
        let waiting = container.pointer("/state/waiting/reason").and_then(Value::as_str)?;
        let cause = match waiting {
            "CrashLoopBackOff" | "RunContainerError" => Cause::Crashing,
            "ImagePullBackOff" | "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName" => Cause::Image,
            "CreateContainerConfigError" | "CreateContainerError" => Cause::Config,
            _ => return None,
        };
        Some((container, waiting, cause))
    })
}

fn unscheduled(pod: &Object) -> Option<Condition<'_>> {
    pod.condition("PodScheduled").filter(Condition::is_false)
}

/// A scheduler binds a Pod or says why not in a condition: without either none has looked at it. Which should.
fn unlooked(pod: &Object) -> Option<&str> {
    let pending = pod.text(&["status", "phase"]).is_none_or(|phase| phase == "Pending");
    let bound = pod.text(&["spec", "nodeName"]).is_some_and(|node| !node.is_empty());
    (pending && !bound && pod.condition("PodScheduled").is_none())
        .then(|| pod.text(&["spec", "schedulerName"]).unwrap_or("default-scheduler"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(pod: Value) -> Option<(Cause, String)> {
        let pod = Object::from_value(pod).expect("an object");
        trouble(&pod).map(|trouble| (trouble.cause, trouble.what))
    }

    #[test]
    fn each_kind_of_trouble_is_told_apart() {
        let container = |state: Value| {
            json!({"status": {"phase": "Pending", "containerStatuses": [
            {"name": "app", "restartCount": 4, "state": state,
             "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "SECRET"}}}]}})
        };
        let waiting = |reason: &str| container(json!({"waiting": {"reason": reason}}));
        let crashing = "container app: CrashLoopBackOff, OOMKilled, exit code 137, 4 restarts";
        assert_eq!(told(waiting("CrashLoopBackOff")), Some((Cause::Crashing, crashing.to_owned())));
        for (reason, cause) in [
            ("ErrImagePull", Cause::Image),
            ("CreateContainerConfigError", Cause::Config),
            ("ContainerCreating", Cause::Unlooked("default-scheduler".to_owned())),
        ] {
            assert_eq!(told(waiting(reason)).map(|(cause, _)| cause), Some(cause), "{reason}");
        }
        let status = |status: Value| json!({"spec": {"nodeName": "n"}, "status": status});
        let no = |kind: &str| json!([{"type": kind, "status": "False", "reason": "R", "message": "m"}]);
        assert_eq!(
            told(status(json!({"phase": "Pending", "conditions": no("PodScheduled")}))),
            Some((Cause::Unschedulable, "R: m".to_owned()))
        );
        assert_eq!(
            told(status(json!({"phase": "Running", "conditions": no("Ready")}))),
            Some((Cause::NotReady, "not ready: m".to_owned()))
        );
        assert_eq!(
            told(status(json!({"phase": "Failed", "reason": "Evicted"}))),
            Some((Cause::Failed, "Failed: Evicted".to_owned()))
        );
        assert_eq!(told(status(json!({"phase": "Succeeded"}))), None);
        assert_eq!(told(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})), None);
        assert!(told(json!({"status": {"containerStatuses": [7, {"state": []}]}})).is_some());
    }
}
