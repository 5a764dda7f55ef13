//! The events of objects, and of what they own.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::Timestamp;

use super::Reader;
use crate::kubernetes::events::{About, DEFAULT_NAMESPACE, events, is_since};
use crate::kubernetes::{Access, Event, Fault, Listed, Object, Ownership, Reference};

/// Objects that events are about and whose owners are looked for.
const MOST_UNKNOWN: usize = 5_000;

/// What was read of events.
#[derive(Debug, Default)]
pub struct Reported {
    /// The events of the namespaces that were looked into, or of one object: others' among them.
    pub events: Vec<Object>,
    /// Who owns what they are about.
    pub ownership: Ownership,
    /// What could not be read.
    pub gaps: Vec<String>,
    /// Why nothing at all could be read, where that is so.
    pub fault: Option<Fault>,
}

impl Reader {
    /// The events of `subjects` seen since then. `owned`: and of what these own, which is looked for through
    /// this access. One LIST where one object is asked for, else one for each namespace, and one for each kind
    /// and namespace that ownership has to be told of.
    pub async fn reported(
        &self,
        subjects: &[Object],
        owned: Option<&Access>,
        since: Option<Timestamp>,
    ) -> Reported {
        let kinds = self.kinds();
        // events are no objects of their own: who may see what they are about may see them
        let access = self.access().unfiltered();
        let asks = asks(subjects, owned.is_some());
        let keep = |event: &Object| is_since(event, since);
        let read =
            asks.iter().map(|(namespace, about)| events(&access, &kinds, Some(*namespace), *about, &keep));
        let read = join_all(read).await;
        let mut reported = Reported::default();
        let failed = read.iter().all(Result::is_err);
        for ((namespace, about), listed) in asks.iter().zip(read) {
            let place = match about {
                About::ClusterScoped => "events of cluster-scoped objects".to_owned(),
                _ => format!("events in {namespace}"),
            };
            match listed {
                Ok(Listed { items, cut, .. }) => {
                    reported.events.extend(items);
                    reported.gaps.extend(cut.map(|why| format!("{place}: {why}")));
                }
                Err(fault) => {
                    reported.gaps.push(format!("{place}: {fault}"));
                    reported.fault.get_or_insert(fault);
                }
            }
        }
        reported.fault = reported.fault.filter(|_| failed);
        if let Some(access) = owned {
            reported.ownership = Ownership::of(subjects);
            let mut unknown = unknown(subjects, &reported.events);
            if unknown.len() > MOST_UNKNOWN {
                let more = unknown.len() - MOST_UNKNOWN;
                reported
                    .gaps
                    .push(format!("the owners of {more} objects that events are about were not looked for"));
                unknown.truncate(MOST_UNKNOWN);
            }
            reported.ownership.climb(access, &kinds, &unknown).await;
            reported.gaps.extend(reported.ownership.gaps().map(str::to_owned));
        }
        reported
    }
}

/// Which namespaces are asked for what.
fn asks(subjects: &[Object], owned: bool) -> Vec<(&str, About<'_>)> {
    let mut places: BTreeMap<Option<&str>, Vec<&Object>> = BTreeMap::new();
    subjects.iter().for_each(|subject| places.entry(subject.namespace()).or_default().push(subject));
    let default_is_read = places.contains_key(&Some(DEFAULT_NAMESPACE)) && owned;
    places
        .into_iter()
        .filter(|(namespace, _)| namespace.is_some() || !default_is_read)
        .map(|(namespace, subjects)| {
            let about = match (namespace, subjects.as_slice()) {
                (_, [one]) if !owned || namespace.is_none() => About::Named(one.kind(), one.name()),
                (None, _) => About::ClusterScoped,
                (Some(_), _) => About::All,
            };
            (namespace.unwrap_or(DEFAULT_NAMESPACE), about)
        })
        .collect()
}

/// What events are about and the subjects are not.
fn unknown(subjects: &[Object], events: &[Object]) -> Vec<Reference> {
    let known: BTreeSet<&str> = subjects.iter().map(Object::uid).collect();
    let about = events.iter().map(|event| Event::read(event).about);
    // what is cluster-scoped is owned by what is cluster-scoped, and hardly anything is
    let unknown = about.filter(|about| about.namespace.is_some() && !known.contains(about.uid.as_str()));
    unknown.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(namespace: Option<&str>, name: &str) -> Object {
        let metadata = json!({"name": name, "namespace": namespace, "uid": name});
        Object::from_value(json!({"apiVersion": "v1", "kind": "Kind", "metadata": metadata}))
            .expect("an object")
    }

    #[test]
    fn one_list_a_namespace_and_narrower_where_that_is_enough() {
        let (a, b, wide) = (object(Some("a"), "x"), object(Some("a"), "y"), object(None, "wide"));
        let at_home = object(Some("default"), "home");
        let all = |subjects: &[&Object], owned| {
            let subjects: Vec<Object> = subjects.iter().map(|subject| (*subject).clone()).collect();
            asks(&subjects, owned)
                .iter()
                .map(|(place, about)| format!("{place} {about:?}"))
                .collect::<Vec<_>>()
        };
        let (named, wide_named) = ("a Named(\"Kind\", \"x\")", "default Named(\"Kind\", \"wide\")");
        assert_eq!(all(&[&a], false), [named]);
        assert_eq!(all(&[&a, &b], false), ["a All"]);
        assert_eq!(all(&[&a], true), ["a All"]);
        assert_eq!(all(&[&wide], true), [wide_named]);
        assert_eq!(all(&[&a, &wide], true), [wide_named, "a All"]);
        assert_eq!(all(&[&wide, &wide], true), ["default ClusterScoped"]);
        assert_eq!(all(&[&wide, &wide, &at_home], true), ["default All"]);
        assert_eq!(all(&[&wide, &at_home], false), [wide_named, "default Named(\"Kind\", \"home\")"]);
    }
}
