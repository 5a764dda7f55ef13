//! Whether an object works, by its conditions (knative.dev/pkg `apis.ConditionSet`): `Ready` is the sum of others,
//! and repeats the reason of only one of them.

use serde_json::Value;

use crate::{answer::sanitise, knative::resource::Ready, kubernetes::Object};

/// The condition that sums up.
const HAPPY: &str = "Ready";
/// Conditions that are told of one object.
const MOST: usize = 4;
/// Characters of a condition that are told.
const LONGEST: usize = 200;

/// What the object says of itself.
pub(super) fn of(object: &Object) -> Ready {
    let conditions = object.items(&["status", "conditions"]);
    let Some(happy) = conditions.iter().find(|condition| member(condition, "type") == HAPPY) else {
        return Ready::Untold;
    };
    let observed = object.integer(&["status", "observedGeneration"]);
    match member(happy, "status") {
        _ if object.deletion().is_some() => Ready::No("it is being deleted".to_owned()),
        _ if observed.zip(object.generation()).is_some_and(|(observed, now)| observed < now) => {
            Ready::Unknown("its controller has not seen the present spec yet".to_owned())
        }
        "True" => Ready::Yes,
        "False" => Ready::No(why(happy, conditions)),
        _ => Ready::Unknown(why(happy, conditions)),
    }
}

/// The conditions that make it so, and what `Ready` says where that is something else.
fn why(happy: &Value, conditions: &[Value]) -> String {
    let makes_it_so = |condition: &&Value| {
        member(condition, "type") != HAPPY
            && member(condition, "status") == member(happy, "status")
            // others have a severity and take nothing from the sum
            && member(condition, "severity").is_empty()
    };
    let causes: Vec<&Value> = conditions.iter().filter(makes_it_so).collect();
    let is_repeated = causes.iter().any(|cause| said(cause) == said(happy));
    let own = Some(said(happy)).filter(|own| !is_repeated && !own.is_empty());
    let told = causes.iter().take(MOST).map(|cause| {
        let kind = member(cause, "type");
        let text = match said(cause).as_str() {
            "" => format!("{kind} is {}", member(cause, "status")),
            said => format!("{kind}: {said}"),
        };
        sanitise::short(&text, LONGEST)
    });
    let more = causes.len().checked_sub(MOST).filter(|more| *more > 0).map(|more| format!("{more} more"));
    let words: Vec<String> =
        own.map(|own| sanitise::short(&own, LONGEST)).into_iter().chain(told).chain(more).collect();
    match words.as_slice() {
        [] => "no reason given".to_owned(),
        words => words.join("; "),
    }
}

/// Reason and message.
fn said(condition: &Value) -> String {
    match (member(condition, "reason"), member(condition, "message")) {
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn member<'a>(condition: &'a Value, name: &str) -> &'a str {
    condition.get(name).and_then(Value::as_str).unwrap_or_default()
}
