//! What the API server refused, read from its words: kro passes them on, and so do events and conditions of
//! workloads.

use super::code::Code;
use super::finding::Finding;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal<'t> {
    /// RBAC: who may not do what.
    Rights { user: &'t str, verb: &'t str, resource: &'t str, group: &'t str, namespace: Option<&'t str> },
    /// A ResourceQuota: its name, and the rest of the words.
    Quota(&'t str),
    /// A webhook, a policy, PodSecurity or a LimitRange said no.
    Admission,
    /// An admission webhook did not answer.
    Webhook(&'t str),
    /// A field of the object is not as it must be.
    Invalid,
    /// A field may not change once the object is there.
    Immutable,
    /// The object belongs to another ApplySet: its namespace and name, and that ApplySet's id.
    Conflict { object: Option<(Option<&'t str>, &'t str)>, id: Option<&'t str> },
    /// Two nodes make the same object.
    Duplicate(&'t str, &'t str),
    /// The cluster knows no such kind.
    NoKind,
    /// The namespace is on its way out.
    Terminating,
    /// Anything else.
    Other,
}

/// Reads a message. The words are apimachinery's, the admission plugins' and kro v0.9.4's
/// (`pkg/controller/instance/applyset/applyset.go`).
pub(super) fn read(text: &str) -> Refusal<'_> {
    if text.contains("belongs to a different ApplySet") {
        return conflict(text);
    }
    if let Some((_, rest)) = text.split_once("resourceID: ")
        && let Some((one, other)) = rest.split_once(" conflicts with resourceID: ")
    {
        let word = |text: &'_ str| text.split([' ', ',', ':', ';']).next().unwrap_or_default().len();
        let (first, second) = (one.get(..word(one)), other.get(..word(other)));
        return Refusal::Duplicate(first.unwrap_or_default(), second.unwrap_or_default());
    }
    if let Some(rights) = rights(text) {
        return rights;
    }
    if let Some((_, rest)) = text.split_once("exceeded quota: ").or_else(|| text.split_once("failed quota: "))
    {
        return Refusal::Quota(rest.split([',', ':']).next().unwrap_or_default());
    }
    if let Some((_, rest)) = text.split_once("failed calling webhook \"") {
        return Refusal::Webhook(rest.split('"').next().unwrap_or_default());
    }
    if text.contains("because it is being terminated") {
        return Refusal::Terminating;
    }
    let admission = ["admission webhook", "denied request", "denied the request", "violates PodSecurity"];
    if admission.iter().any(|words| text.contains(words)) || text.contains(" is forbidden: ") {
        return Refusal::Admission;
    }
    let immutable = ["immutable", "may not change once set", "updates to statefulset spec"];
    if text.contains(" is invalid: ") && immutable.iter().any(|words| text.contains(words)) {
        return Refusal::Immutable;
    }
    if text.contains(" is invalid: ") || text.contains("failed to create typed patch object") {
        return Refusal::Invalid;
    }
    let unknown = ["no matches for kind", "the server could not find the requested resource"];
    if unknown.iter().any(|words| text.contains(words)) {
        return Refusal::NoKind;
    }
    Refusal::Other
}

/// `User "kro" cannot list resource "widgets" in API group "x.io" in the namespace "shop"`
fn rights(text: &str) -> Option<Refusal<'_>> {
    let (_, rest) = text.split_once("User \"")?;
    let (user, rest) = rest.split_once("\" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let group = rest.split_once("in API group \"").and_then(|(_, rest)| rest.split('"').next());
    let namespace = rest.split_once("in the namespace \"").and_then(|(_, rest)| rest.split('"').next());
    Some(Refusal::Rights { user, verb, resource, group: group.unwrap_or_default(), namespace })
}

/// `resource belongs to a different ApplySet: shop/x (/v1, Kind=ConfigMap) belongs to ApplySet "applyset-a-v1",
/// cannot reassign to "applyset-b-v1"`
fn conflict(text: &str) -> Refusal<'_> {
    let id = text.find("applyset-").and_then(|at| {
        let rest = text.get(at..)?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        rest.get(..end.unwrap_or(rest.len()))
    });
    let named = text.split_once("different ApplySet: ").and_then(|(_, rest)| rest.split([' ', '(']).next());
    let object = named.filter(|named| !named.is_empty()).map(|named| match named.split_once('/') {
        Some((namespace, name)) => (Some(namespace).filter(|namespace| !namespace.is_empty()), name),
        None => (None, named),
    });
    Refusal::Conflict { object, id }
}

/// `widgets.x.io`
pub(super) fn resource(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

/// A refusal as a finding; `what` names what was refused. Conflicts are told with their owner elsewhere.
pub(super) fn finding(text: &str, what: &str) -> Finding {
    match read(text) {
        Refusal::Rights { user, verb, resource: plural, group, namespace } => {
            let of = resource(plural, group);
            let place = namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
            Finding::new(
                Code::CONTROLLER_RBAC,
                format!("the kro controller ({user}) may not {verb} {of}{place}, which {what} needs"),
            )
            .next(format!(
                "grant {user} get, list, watch, create, update, patch and delete on {of}: with the chart's aggregation \
                 a ClusterRole labelled rbac.kro.run/aggregate-to-controller=true. Until then kro's one worker is \
                 held up to 30 s in each pass, and all other instances wait"
            ))
        }
        Refusal::Quota(quota) => {
            Finding::new(Code::QUOTA_EXCEEDED, format!("ResourceQuota {quota} does not let {what} be made"))
                .next(format!("free something under ResourceQuota {quota}, raise it, or ask for less in the instance"))
        }
        Refusal::Admission => {
            Finding::new(Code::ADMISSION_REFUSED, format!("admission refuses {what}: {}", reason(text)))
                .next("change what the template or the instance asks for, or the policy that refuses it")
        }
        Refusal::Webhook(webhook) => Finding::new(
            Code::ADMISSION_REFUSED,
            format!("{what} cannot be made: the admission webhook {webhook} does not answer"),
        )
        .next(format!("look at the service behind webhook {webhook}: until it answers nothing it guards can change")),
        Refusal::Terminating => Finding::new(
            Code::ADMISSION_REFUSED,
            format!("{what} cannot be made: its namespace is being deleted"),
        )
        .next("wait until the namespace is gone, or put the instance into another"),
        Refusal::Invalid => {
            Finding::new(Code::CHILD_INVALID, format!("the API server refuses {what}: {}", reason(text)))
                .next("correct the value in the instance's spec, or the template in the RGD")
        }
        Refusal::Immutable => Finding::new(
            Code::CHILD_INVALID,
            format!("the API server refuses the change of {what}, which may not change once it is there: {}", reason(text)),
        )
        .next(format!(
            "take the change back in the instance or the RGD; or delete {what}, and kro makes it anew with the new value \
             (what it holds is lost), or the whole instance and create it again"
        )),
        Refusal::Duplicate(one, other) => Finding::new(
            Code::DUPLICATE_OBJECT,
            format!("the nodes {one} and {other} make one and the same object, so kro applies nothing"),
        )
        .next("give the two templates different names, or remove one of them from the RGD"),
        Refusal::NoKind => {
            Finding::new(Code::KIND_NOT_SERVED, format!("the cluster does not serve the kind of {what}"))
                .next("install the CRD of that kind")
        }
        Refusal::Conflict { .. } => {
            Finding::new(Code::APPLYSET_CONFLICT, format!("{what} belongs to another ApplySet"))
        }
        Refusal::Other => Finding::new(Code::CHILD_REFUSED, format!("kro fails at {what}: {}", reason(text))),
    }
    .seen(text)
}

/// The last and most telling part of a chain of wrapped errors.
fn reason(text: &str) -> &str {
    let after = ["denied the request: ", " is invalid: ", " is forbidden: "];
    let found = after.iter().find_map(|words| text.split_once(words).map(|(_, rest)| rest));
    found.unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_api_server_are_told_apart() {
        let rights = r#"widgets.x.io "w" is forbidden: User "system:serviceaccount:kro:kro" cannot patch resource "widgets" in API group "x.io" in the namespace "shop""#;
        assert_eq!(
            read(rights),
            Refusal::Rights {
                user: "system:serviceaccount:kro:kro",
                verb: "patch",
                resource: "widgets",
                group: "x.io",
                namespace: Some("shop")
            }
        );
        let quota =
            r#"configmaps "b" is forbidden: exceeded quota: few, requested: count/configmaps=1, used: 2"#;
        assert_eq!(read(quota), Refusal::Quota("few"));
        for (text, code) in [
            (
                r#"pods "a" is forbidden: violates PodSecurity "restricted:latest": x"#,
                Code::ADMISSION_REFUSED,
            ),
            (r#"admission webhook "v.x.io" denied the request: no"#, Code::ADMISSION_REFUSED),
            (r#"failed calling webhook "v.x.io": connection refused"#, Code::ADMISSION_REFUSED),
            (r#"pods "a" is forbidden: maximum cpu usage per Container is 1"#, Code::ADMISSION_REFUSED),
            (r#"Service "a" is invalid: spec.ports[0].port: Invalid value: 80800"#, Code::CHILD_INVALID),
            (
                r#"PersistentVolumeClaim "a" is invalid: spec: Forbidden: spec is immutable after creation"#,
                Code::CHILD_INVALID,
            ),
            (r#"no matches for kind "Widget" in version "x.io/v1""#, Code::KIND_NOT_SERVED),
            ("resourceID: a conflicts with resourceID: b", Code::DUPLICATE_OBJECT),
            ("something else", Code::CHILD_REFUSED),
        ] {
            assert_eq!(finding(text, "it").code, code, "{text}");
        }
        assert_eq!(
            finding("resourceID: a conflicts with resourceID: b", "it").cause,
            "the nodes a and b make one and the same object, so kro applies nothing"
        );
    }

    #[test]
    fn what_may_not_change_is_to_be_made_anew_or_left_as_it_was() {
        for text in [
            r#"PersistentVolumeClaim "a" is invalid: spec: Forbidden: spec is immutable after creation except x"#,
            r#"Deployment.apps "a" is invalid: spec.selector: Invalid value: {}: field is immutable"#,
            r#"Service "a" is invalid: spec.clusterIPs[0]: Invalid value: []: may not change once set"#,
        ] {
            let finding = finding(text, "it");
            assert!(finding.next.contains("delete it, and kro makes it anew"), "{}", finding.next);
            assert!(finding.cause.contains("may not change once it is there"), "{}", finding.cause);
        }
    }

    #[test]
    fn the_object_and_the_owner_of_a_conflict_are_found() {
        let text = "resource belongs to a different ApplySet: shop/conf (/v1, Kind=ConfigMap) belongs to ApplySet \"applyset-a_b-v1\", cannot reassign to \"applyset-c-v1\"";
        assert_eq!(
            read(text),
            Refusal::Conflict { object: Some((Some("shop"), "conf")), id: Some("applyset-a_b-v1") }
        );
        assert_eq!(read("belongs to a different ApplySet"), Refusal::Conflict { object: None, id: None });
    }
}
