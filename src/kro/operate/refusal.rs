//! What the API server does not take of a manifest, as the error that its writer can act on.

use crate::{
    Error, ErrorKind,
    answer::sanitise,
    kubernetes::{Cause, Fault, Refused},
};

/// Causes that are told.
const MOST: usize = 20;
/// Characters of one.
const LONGEST: usize = 300;

/// Why a server-side apply of `what` failed, and where in the manifest. `values`: whether values of the object
/// there is may be told; the API server quotes them where they are wrong.
pub fn of_apply(fault: Fault, what: &str, values: bool) -> Error {
    match fault {
        Fault::Refused(refused) if is_conflict(&refused) => conflict(&refused, what),
        Fault::Refused(refused) if refused.status == 422 && !refused.causes.is_empty() => {
            let causes: Vec<String> = refused.causes.iter().map(|cause| invalid(cause, values)).collect();
            not_valid(what, causes)
        }
        // fields that the schema does not have come as a 500 without a reason (Kubernetes 1.36)
        Fault::Status { status: 500, message } => match untyped(&message) {
            Some(fields) => not_valid(what, fields),
            None => Fault::Status { status: 500, message }.into(),
        },
        other => other.into(),
    }
}

/// Whether only the state that was meant has changed meanwhile, and trying again may help.
pub fn is_stale(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused(refused) if refused.status == 409 && !is_conflict(refused))
}

fn is_conflict(refused: &Refused) -> bool {
    refused.status == 409 && refused.causes.iter().any(|cause| cause.reason == "FieldManagerConflict")
}

fn conflict(refused: &Refused, what: &str) -> Error {
    let held: Vec<String> = refused
        .causes
        .iter()
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| format!("{} is managed by {}", field(cause), manager(&cause.message)))
        .collect();
    let message = format!(
        "{what} was not changed: other managers hold fields of it that would change, and nothing is forced: {}",
        listed(held, "; ")
    );
    Error::new(ErrorKind::Conflict, message).next(
        "leave these fields out of the manifest, or have whoever manages them change them (a GitOps \
         repository, a kubectl user)",
    )
}

/// `conflict with "kubectl" using v1` → `"kubectl"`. Names are quoted as Go does.
fn manager(message: &str) -> String {
    let named = message.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    named.map_or_else(|| "another manager".to_owned(), |(name, _)| format!("{:?}", sanitise::short(name, 80)))
}

fn invalid(cause: &Cause, values: bool) -> String {
    // `Invalid value: "x": must be …`: the value may be one that the object had
    let message = match cause.message.rsplit_once("\": ").or_else(|| cause.message.rsplit_once(": ")) {
        Some((_, rule)) if !values => rule,
        _ => &cause.message,
    };
    format!("{}: {message}", field(cause))
}

fn field(cause: &Cause) -> &str {
    match cause.field.trim_start_matches('.') {
        "" => "the object",
        field => field,
    }
}

fn not_valid(what: &str, causes: Vec<String>) -> Error {
    Error::invalid_input(format!("{what} is not valid: {}", listed(causes, "; ")))
        .next("kro_rgd shows the fields of the kind, with an example")
}

fn listed(mut lines: Vec<String>, between: &str) -> String {
    lines.dedup();
    let more = lines.len().saturating_sub(MOST);
    let told: Vec<String> = lines.iter().take(MOST).map(|line| sanitise::short(line, LONGEST)).collect();
    let rest = if more > 0 { format!("{between}and {more} more") } else { String::new() };
    format!("{}{rest}", told.join(between))
}

/// `failed to create typed patch object (NAME): .spec.x: field not declared in schema`, or several of them
/// under `errors:`.
fn untyped(message: &str) -> Option<Vec<String>> {
    let (_, rest) = message.strip_prefix("failed to create typed patch object (")?.split_once("): ")?;
    let lines = rest.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "errors:");
    let lines = lines.map(|line| {
        let line = line.trim_start_matches('.');
        // what Go prints of the value that is wrong
        line.split_once(", got &value.").map_or(line, |(expected, _)| expected).to_owned()
    });
    Some(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, causes: &[(&str, &str, &str)]) -> Fault {
        let cause = |(reason, field, message): &(&str, &str, &str)| Cause {
            reason: (*reason).to_owned(),
            field: (*field).to_owned(),
            message: (*message).to_owned(),
        };
        let causes = causes.iter().map(cause).collect();
        Fault::Refused(Box::new(Refused { status, causes, ..Refused::default() }))
    }

    #[test]
    fn conflicts_name_the_fields_and_their_managers() {
        let causes = [
            ("FieldManagerConflict", ".spec.a", "conflict with \"kubectl\" using v1"),
            ("FieldManagerConflict", ".spec.b", "conflict with \"a\\\"b\""),
        ];
        let error = of_apply(refused(409, &causes), "App a/b", true);
        assert_eq!(error.kind, ErrorKind::Conflict);
        assert!(error.message.contains("spec.a is managed by \"kubectl\"; spec.b is managed by"), "{error}");
        assert!(error.message.contains("nothing is forced"), "{error}");
        assert!(!is_stale(&refused(409, &causes)) && is_stale(&refused(409, &[])));
    }

    #[test]
    fn what_is_not_valid_is_told_by_its_path() {
        let causes = [("FieldValueInvalid", "spec.size", "Invalid value: \"x: y\": must be greater than 0")];
        let told = |values| of_apply(refused(422, &causes), "App a/b", values).message;
        assert!(told(true).contains("spec.size: Invalid value: \"x: y\": must be"), "{}", told(true));
        assert_eq!(told(false), "App a/b is not valid: spec.size: must be greater than 0");
        let message = "failed to create typed patch object (/one; ops.test/v1, Kind=Desk): errors:\n  \
                       .spec.colour: expected string, got &value.valueUnstructured{Value:5}\n  \
                       .spec.nosuch: field not declared in schema"
            .to_owned();
        let error = of_apply(Fault::Status { status: 500, message }, "Desk one", true);
        assert_eq!(
            error.message,
            "Desk one is not valid: spec.colour: expected string; spec.nosuch: field not declared in schema"
        );
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        let other = of_apply(Fault::Status { status: 500, message: "boom".to_owned() }, "x", true);
        assert!(matches!(other.kind, ErrorKind::Upstream { .. }));
    }
}
