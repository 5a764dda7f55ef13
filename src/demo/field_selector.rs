//! Field selectors: `metadata.name=a,involvedObject.kind!=Pod`.

use serde_json::Value;

use super::{collection::text, recording::array, refusal::Refusal};

/// The requirements of a field selector, each of which must hold.
pub(super) struct FieldSelector(Vec<Requirement>);

struct Requirement {
    field: String,
    equal: bool,
    value: String,
}

const EVENT: &[&str] = &["reason", "type"];
const REFERENCE: &[&str] =
    &["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

/// The fields that the API server knows for a kind; those of custom resources stand in their definition.
pub(super) fn known(full_name: &str, namespaced: bool, definition: Option<&Value>) -> Vec<String> {
    let mut fields = vec!["metadata.name".to_owned()];
    let without_namespace = matches!(full_name, "namespaces" | "nodes");
    if namespaced || definition.is_none() && !without_namespace {
        fields.push("metadata.namespace".to_owned());
    }
    let reference = |member: &'static str| REFERENCE.iter().map(move |field| format!("{member}.{field}"));
    let more: &[&str] = match full_name {
        "events" => {
            fields.extend(reference("involvedObject"));
            fields.extend(EVENT.iter().map(ToString::to_string));
            &["reportingComponent", "source"]
        }
        "events.events.k8s.io" => {
            fields.extend(reference("regarding"));
            fields.extend(EVENT.iter().map(ToString::to_string));
            &["reportingController"]
        }
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "namespaces" => &["status.phase"],
        "nodes" => &["spec.unschedulable"],
        "secrets" => &["type"],
        "services" => &["spec.clusterIP", "spec.type"],
        "jobs.batch" => &["status.successful"],
        _ => &[],
    };
    fields.extend(more.iter().map(ToString::to_string));
    for version in definition
        .and_then(|definition| definition.get("spec"))
        .map_or(&[][..], |spec| array(spec, "versions"))
    {
        let paths = array(version, "selectableFields").iter().map(|field| text(field, &["jsonPath"]));
        fields.extend(paths.map(|path| path.trim_start_matches('.').to_owned()));
    }
    fields
}

impl FieldSelector {
    /// Reads a selector over the fields that the kind knows.
    pub(super) fn parse(selector: &str, known: impl FnOnce() -> Vec<String>) -> Result<Self, Refusal> {
        let mut requirements = Vec::new();
        let known = if selector.is_empty() { Vec::new() } else { known() };
        for term in terms(selector).into_iter().filter(|term| !term.is_empty()) {
            let Some((field, equal, value)) = split(&term) else {
                return Err(Refusal::bad_request(format!(
                    "invalid selector: '{selector}'; can't understand '{term}'"
                )));
            };
            if !known.iter().any(|known| known == field) {
                return Err(Refusal::bad_request(format!("field label not supported: {field}")));
            }
            requirements.push(Requirement { field: field.to_owned(), equal, value: unescaped(value)? });
        }
        Ok(Self(requirements))
    }

    /// Whether every requirement holds.
    pub(super) fn matches(&self, item: &Value) -> bool {
        self.0
            .iter()
            .all(|requirement| (value_of(item, &requirement.field) == requirement.value) == requirement.equal)
    }

    /// Whether it selects everything.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn value_of(item: &Value, field: &str) -> String {
    let member = field.split('.').try_fold(item, |value, key| value.get(key));
    match (member, field) {
        (Some(Value::String(text)), _) if field != "source" => text.clone(),
        (Some(value @ (Value::Bool(_) | Value::Number(_))), _) => value.to_string(),
        (_, "source") => match text(item, &["source", "component"]) {
            "" => text(item, &["reportingComponent"]).to_owned(),
            component => component.to_owned(),
        },
        (_, "spec.unschedulable" | "spec.hostNetwork") => "false".to_owned(),
        _ => String::new(),
    }
}

/// The parts between commas, except where a backslash stands before the comma.
fn terms(selector: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut escaped = false;
    for letter in selector.chars() {
        if letter == ',' && !escaped {
            terms.push(String::new());
        } else if let Some(term) = terms.last_mut() {
            term.push(letter);
        }
        escaped = letter == '\\' && !escaped;
    }
    terms
}

fn split(term: &str) -> Option<(&str, bool, &str)> {
    let at = term.find(['=', '!'])?;
    let (field, rest) = (term.get(..at)?, term.get(at..)?);
    let (equal, value) = None
        .or_else(|| rest.strip_prefix("!=").map(|value| (false, value)))
        .or_else(|| rest.strip_prefix("==").map(|value| (true, value)))
        .or_else(|| rest.strip_prefix('=').map(|value| (true, value)))?;
    Some((field, equal, value))
}

fn unescaped(value: &str) -> Result<String, Refusal> {
    let mut out = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.extend(letters.next()),
            '=' => {
                return Err(Refusal::bad_request("invalid field selector: unescaped character in value: 61"));
            }
            _ => out.push(letter),
        }
    }
    Ok(out)
}
