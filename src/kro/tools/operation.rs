//! What the tools that change something have in common: whether to do it, and how it is told.

use serde_json::{Value, json};

use super::SHOW_CHILDREN;
use crate::{
    Error, ErrorKind,
    kro::{
        applyset::GroupKind,
        fetch::{Reader, instance_kinds},
        labels,
    },
    kubernetes::{Access, Kind, Object, difference::Difference},
    permission::Permission,
    toolbox::Call,
};

pub(super) use crate::kubernetes::operation::{ATTEMPTS, Next, count, next, section};

/// Differences that are told.
const MOST: usize = 100;

/// What is to be said where the object changes faster than it can be written.
pub(super) fn restless(what: &str) -> Error {
    let message =
        format!("{what} changes faster than it can be written: tried {ATTEMPTS} times, nothing was done");
    Error::new(ErrorKind::Conflict, message).next("kro_diagnose may say who changes it; try again later")
}

/// The kind of an instance, and whether it is known that an RGD generates it.
pub(super) struct Generated {
    pub(super) kind: Kind,
    known: bool,
}

impl Generated {
    /// # Errors
    /// `live` does not say that it is an instance, and whether its kind is generated could not be read.
    pub(super) fn has(&self, live: &Object, what: &str, so: &str) -> Result<(), Error> {
        if self.known || labels::is_instance(live) {
            return Ok(());
        }
        let message =
            format!("whether {what} is an instance of an RGD cannot be read in this cluster, so it is {so}");
        Err(Error::invalid_input(message))
    }
}

/// The kind that a person means, which an RGD generates or generated.
pub(super) async fn instance_kind(
    reader: &Reader,
    written: &str,
    namespace: Option<&str>,
) -> Result<Generated, Error> {
    let kind = reader.named_kind(written).await?;
    if kind.namespaced && namespace.is_none() {
        let message = format!("the argument \"namespace\" is missing: {} lives in namespaces", kind.kind);
        return Err(Error::invalid_input(message).next("kro_instances lists them with their namespaces"));
    }
    let access = reader.access();
    let sees = access.sees(namespace.filter(|_| kind.namespaced));
    let generated = reader.is_generated(&GroupKind::new(&kind.group, &kind.kind)).await;
    if generated == Some(false) && sees {
        let of = kind.group_kind();
        let message = format!("the argument \"kind\": no ResourceGraphDefinition generates {of}");
        let error = Error::invalid_input(message).candidates(instance_kinds(reader).await);
        return Err(error.next("what belongs to an instance is changed through the instance"));
    }
    Ok(Generated { kind, known: generated == Some(true) })
}

/// `Kind namespace/name`
pub(super) fn named(kind: &Kind, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{} {namespace}/{name}", kind.kind),
        None => format!("{} {name}", kind.kind),
    }
}

/// Whether the caller may hear which nodes an instance has.
pub(super) fn shows_nodes(call: &Call, access: &Access, namespace: Option<&str>) -> bool {
    SHOW_CHILDREN.iter().any(|permission| call.allows(*permission, access, namespace))
}

/// The differences as they may be told: without values unless those may be shown; and what to note of them.
pub(super) fn shown(
    mut differences: Vec<Difference>,
    values: bool,
    needs: Permission,
) -> (Vec<Difference>, Vec<String>) {
    let mut notes = Vec::new();
    if !values && !differences.is_empty() {
        let hide = |value: &mut Option<String>| *value = value.take().map(|_| "…".to_owned());
        for difference in &mut differences {
            hide(&mut difference.before);
            hide(&mut difference.after);
        }
        notes.push(format!("values are not shown: that needs {}", needs.name()));
    }
    let more = differences.len().saturating_sub(MOST);
    differences.truncate(MOST);
    if more > 0 {
        notes.push(format!("{more} more fields would change than are shown"));
    }
    (differences, notes)
}

/// What cannot be applied because it is on its way out.
pub(super) fn not_deleting(what: &str, live: &Object) -> Result<(), Error> {
    let Some(since) = live.deletion() else { return Ok(()) };
    let held = match live.finalizers() {
        finalizers if finalizers.is_empty() => String::new(),
        finalizers => format!(", held by {}", finalizers.join(", ")),
    };
    Err(Error::new(ErrorKind::Conflict, format!("{what} is being deleted (since {since}{held})"))
        .next("wait until it is gone; kro_diagnose says what keeps it"))
}

/// Lines, as something that a plan depends on.
pub(super) fn lines(lines: &[String]) -> Value {
    json!(lines)
}
