//! Which kro has an instance in hand, and how that one is told to leave it alone.

use crate::{kro::labels, kubernetes::Object};

/// `major.minor.patch` of a kro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "v{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The version that an object says it is kept by: the label `kro.run/kro-version`, or the tooling of its
/// ApplySet (kro ≥ 0.5). None where kro has not looked at it, or is built from no release.
pub fn of(object: &Object) -> Option<Version> {
    let tooling = || object.annotation(labels::APPLYSET_TOOLING)?.strip_prefix("kro/");
    let texts = [labels::kro_version(object), tooling()];
    texts.into_iter().flatten().find_map(parse)
}

fn parse(text: &str) -> Option<Version> {
    let numbers = text.trim_start_matches('v').split(['-', '+']).next()?;
    let mut numbers = numbers.split('.').map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    let version = Version(next()?, next()?, next()?);
    // what Go calls a build that knows no version
    (version != Version(0, 0, 0)).then_some(version)
}

/// The value of `kro.run/reconcile` that suspends: `suspended` since v0.9.1, `disabled` in v0.9.0, nothing
/// before (kro `api/v1alpha1/groupversion_info.go`, `IsReconcileSuspended`). Of an unknown version the word of
/// today.
pub fn suspending(version: Option<Version>) -> Option<&'static str> {
    match version {
        Some(version) if version < Version(0, 9, 0) => None,
        Some(version) if version < Version(0, 9, 1) => Some("disabled"),
        _ => Some("suspended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_version_has_its_word() {
        let word = |label: &str| {
            let object = json!({"metadata": {"labels": {"kro.run/kro-version": label}}});
            suspending(of(&Object::from_value(object).expect("an object")))
        };
        assert_eq!(word("v0.9.4"), Some("suspended"));
        assert_eq!(word("v0.10.0-rc.0"), Some("suspended"));
        assert_eq!(word("v0.9.1"), Some("suspended"));
        assert_eq!(word("v0.9.0"), Some("disabled"));
        assert_eq!(word("v0.8.5"), None);
        assert_eq!(word("0.3.1"), None);
        assert_eq!(word("devel"), Some("suspended"));
        assert_eq!(word("v0.0.0"), Some("suspended"));
        let tooling = json!({"metadata": {"annotations": {"applyset.kubernetes.io/tooling": "kro/v0.8.0"}}});
        assert_eq!(of(&Object::from_value(tooling).expect("an object")), Some(Version(0, 8, 0)));
    }
}
