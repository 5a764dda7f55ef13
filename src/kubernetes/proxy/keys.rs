//! Keys of a query that no API server knows: it ignores them, so that `labelSelectr` selects everything.

use crate::{answer::sanitise, nearest};

/// Of reads (`metav1.ListOptions`, `metav1.GetOptions`, `core/v1.PodLogOptions`, `meta/v1.TableOptions`).
const READS: [&str; 23] = [
    "labelSelector",
    "fieldSelector",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
    "sendInitialEvents",
    "allowWatchBookmarks",
    "watch",
    "limit",
    "continue",
    "pretty",
    "includeObject",
    "container",
    "follow",
    "previous",
    "sinceSeconds",
    "sinceTime",
    "timestamps",
    "tailLines",
    "limitBytes",
    "insecureSkipTLSVerifyBackend",
    "stream",
    "timeout",
];
/// Of changes (`metav1.CreateOptions`, `PatchOptions`, `DeleteOptions`, and the selectors of a collection).
const CHANGES: [&str; 12] = [
    "labelSelector",
    "fieldSelector",
    "timeoutSeconds",
    "pretty",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "gracePeriodSeconds",
    "propagationPolicy",
    "orphanDependents",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
];

/// Characters of a key that are told.
const LONGEST: usize = 60;

/// What is unknown of a query, a sentence each.
pub fn unknown_keys<'q>(keys: impl IntoIterator<Item = &'q str>, changes: bool) -> Vec<String> {
    let known: &[&str] = if changes { &CHANGES } else { &READS };
    let unknown = keys.into_iter().filter(|key| !known.contains(key));
    let told = unknown.map(|key| {
        let near = nearest::name(key, known.iter().copied());
        let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let key = sanitise::short(key, LONGEST);
        format!("the key {key:?} in \"query\" is known to no API server and has no effect{near}")
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_misspelled_is_told_with_what_was_meant() {
        let told = unknown_keys(["labelSelectr", "limit"], false).join(" ");
        assert!(
            told.contains("\"labelSelectr\"") && told.contains("did you mean \"labelSelector\"?"),
            "{told}"
        );
        assert!(unknown_keys(READS, false).is_empty() && unknown_keys(CHANGES, true).is_empty());
        assert_eq!(unknown_keys(["tailLines", "zzz"], true).len(), 2);
    }
}
