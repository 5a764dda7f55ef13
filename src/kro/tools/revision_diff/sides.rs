//! Which two states of an RGD are compared.

use crate::{
    Error, ErrorKind,
    kro::{
        definition::instance_kind,
        fetch::Reader,
        labels,
        revision::{Revision, Verdict},
    },
    kubernetes::Object,
};

/// What was asked for.
#[derive(Debug)]
pub(super) enum Asked {
    /// The newest two revisions.
    Newest,
    /// Two revisions; without the second, the RGD as it is; without the first, the one before.
    Revisions(Option<i64>, Option<i64>),
    /// A revision, or the RGD as it is, with a manifest.
    Manifest(Option<i64>, Box<Object>),
}

/// One state of an RGD.
#[derive(Debug)]
pub(super) struct Side {
    /// `revision 3`
    pub(super) label: String,
    /// As an RGD.
    pub(super) rgd: Object,
}

/// Both.
#[derive(Debug)]
pub(super) struct Sides {
    pub(super) before: Side,
    pub(super) after: Side,
    pub(super) notes: Vec<String>,
}

impl Asked {
    pub(super) fn of(from: Option<i64>, to: Option<i64>, manifest: Option<Object>) -> Result<Self, Error> {
        match (from, to, manifest) {
            (_, Some(_), Some(_)) => Err(Error::invalid_input(
                "the arguments \"to\" and \"manifest\" exclude each other: both say what is after",
            )),
            (from, None, Some(manifest)) => Ok(Self::Manifest(from, Box::new(manifest))),
            (None, None, None) => Ok(Self::Newest),
            (Some(from), Some(to), None) if from == to => {
                Err(Error::invalid_input("the arguments \"from\" and \"to\" name the same revision"))
            }
            (from, to, None) => Ok(Self::Revisions(from, to)),
        }
    }
}

/// Reads the revisions where they are needed.
pub(super) async fn read(reader: &Reader, rgd: &Object, asked: Asked) -> Result<Sides, Error> {
    match asked {
        Asked::Manifest(from, manifest) => {
            let manifest = Side { label: "the manifest".to_owned(), rgd: checked(rgd, *manifest)? };
            let before = match from {
                None => as_it_is(rgd),
                Some(number) => side(one(&revisions(reader, rgd).await?, "from", number)?),
            };
            Ok(Sides { before, after: manifest, notes: Vec::new() })
        }
        Asked::Newest => newest(&revisions(reader, rgd).await?, rgd),
        Asked::Revisions(from, to) => chosen(&revisions(reader, rgd).await?, rgd, from, to),
    }
}

fn newest(revisions: &[Revision], rgd: &Object) -> Result<Sides, Error> {
    match revisions {
        [] => Err(Error::not_found(format!("RGD {} has no revision yet", rgd.name()))
            .next("give the argument manifest to compare the RGD as it is with one of yours")),
        [only] => {
            let notes = vec![format!(
                "revision {} is the only one: it is compared with the RGD as it is",
                only.number
            )];
            Ok(Sides { before: side(only), after: as_it_is(rgd), notes })
        }
        [after, before, ..] => {
            let refused = rgd.condition("GraphAccepted").is_some_and(|condition| condition.is_false());
            let newest = after.number;
            let note = format!(
                "kro refuses the RGD as it is, which is no revision: call again with from: {newest} to compare with it"
            );
            let notes = if refused { vec![note] } else { Vec::new() };
            Ok(Sides { before: side(before), after: side(after), notes })
        }
    }
}

fn chosen(revisions: &[Revision], rgd: &Object, from: Option<i64>, to: Option<i64>) -> Result<Sides, Error> {
    let after = match to {
        Some(number) => side(one(revisions, "to", number)?),
        None => as_it_is(rgd),
    };
    let before = match (from, to) {
        (Some(number), _) => side(one(revisions, "from", number)?),
        (None, to) => {
            let to = to.unwrap_or(i64::MAX);
            let before = revisions.iter().find(|revision| revision.number < to).ok_or_else(|| {
                Error::not_found(format!("there is no revision of RGD {} before {to} any more", rgd.name()))
                    .candidates(numbers(revisions))
            })?;
            side(before)
        }
    };
    Ok(Sides { before, after, notes: Vec::new() })
}

async fn revisions(reader: &Reader, rgd: &Object) -> Result<Vec<Revision>, Error> {
    let instead =
        "give the argument manifest without from: then the RGD as it is is compared, and no revision is read";
    match reader.graph_revisions(rgd.name()).await {
        Ok(Some(listed)) => Ok(Revision::read(listed.items)),
        Ok(None) => {
            let what = "this kro keeps no revisions of an RGD (kro 0.9 does)";
            Err(Error::not_found(what).next(instead))
        }
        Err(fault) => Err(Error::from(fault).next(instead)),
    }
}

fn one<'r>(revisions: &'r [Revision], argument: &str, number: i64) -> Result<&'r Revision, Error> {
    revisions.iter().find(|revision| revision.number == number).ok_or_else(|| {
        Error::not_found(format!(
            "the argument {argument:?}: there is no revision {number}; kro keeps the newest ones"
        ))
        .candidates(numbers(revisions))
    })
}

fn numbers(revisions: &[Revision]) -> Vec<String> {
    revisions.iter().map(|revision| revision.number.to_string()).collect()
}

fn side(revision: &Revision) -> Side {
    let verdict = match revision.verdict {
        Verdict::Verified => "",
        Verdict::Failed(_) => " (failed)",
        Verdict::Waiting => " (not verified yet)",
    };
    Side { label: format!("revision {}{verdict}", revision.number), rgd: revision.as_rgd() }
}

fn as_it_is(rgd: &Object) -> Side {
    Side { label: "the RGD as it is".to_owned(), rgd: rgd.clone() }
}

/// The manifest, where it is one of this RGD.
fn checked(rgd: &Object, mut manifest: Object) -> Result<Object, Error> {
    let wrong = |what: String| Err(Error::invalid_input(format!("the argument \"manifest\" {what}")));
    if (manifest.kind(), manifest.group()) != ("ResourceGraphDefinition", labels::GROUP) {
        let kind = crate::answer::sanitise::short(manifest.kind(), 80);
        return wrong(format!("is a {kind}, not a ResourceGraphDefinition of {}", labels::GROUP));
    }
    if manifest.name() != rgd.name() {
        let named = crate::answer::sanitise::short(manifest.name(), 80);
        return wrong(format!("is named {named:?}, and the RGD {:?}", rgd.name()));
    }
    if !manifest.uid().is_empty() && manifest.uid() != rgd.uid() {
        let what = "has another uid than the RGD in this cluster: it was read from another cluster, or before the RGD was made anew";
        return Err(Error::new(ErrorKind::Conflict, format!("the argument \"manifest\" {what}"))
            .next("take metadata.uid out to compare it all the same"));
    }
    if manifest.at(&["spec", "schema"]).is_none_or(|schema| !schema.is_object()) {
        return wrong(format!("has no spec.schema; the RGD generates {}", instance_kind(rgd)));
    }
    // what a manifest says of its status is no one's word
    manifest.members_mut().shift_remove("status");
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn revision(number: i64) -> Object {
        Object::from_value(
            json!({"spec": {"revision": number, "snapshot": {"name": "a", "spec": {"n": number}}},
            "status": {"conditions": [{"type": "GraphVerified", "status": "True"}]}}),
        )
        .expect("an object")
    }

    fn rgd() -> Object {
        Object::from_value(json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition",
            "metadata": {"name": "a", "uid": "u"}, "spec": {"schema": {"kind": "A"}}}))
        .expect("an object")
    }

    fn pair(count: i64, from: Option<i64>, to: Option<i64>) -> Result<(String, String), String> {
        let revisions = Revision::read((1..=count).map(revision).collect());
        let sides = match Asked::of(from, to, None).map_err(|error| error.text())? {
            Asked::Newest => newest(&revisions, &rgd()),
            Asked::Revisions(from, to) => chosen(&revisions, &rgd(), from, to),
            Asked::Manifest(..) => unreachable!("no manifest"),
        };
        sides.map(|sides| (sides.before.label, sides.after.label)).map_err(|error| error.text())
    }

    #[test]
    fn the_newest_two_are_compared_or_those_that_are_named() {
        let told = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(pair(3, None, None), told("revision 2", "revision 3"));
        assert_eq!(pair(1, None, None), told("revision 1", "the RGD as it is"));
        assert_eq!(pair(3, Some(3), Some(1)), told("revision 3", "revision 1"));
        assert_eq!(pair(3, Some(1), None), told("revision 1", "the RGD as it is"));
        assert_eq!(pair(3, None, Some(2)), told("revision 1", "revision 2"));
        for (asked, said) in [
            (pair(0, None, None), "has no revision yet"),
            (pair(3, Some(9), None), "there is no revision 9; kro keeps the newest ones. Nearest: 3, 2, 1"),
            (pair(3, None, Some(1)), "no revision of RGD a before 1"),
            (pair(3, Some(2), Some(2)), "the same revision"),
        ] {
            let error = asked.expect_err(said);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_manifest_of_something_else_is_refused() {
        let manifest = |change: fn(&mut Value)| {
            let mut value = rgd().into_value();
            change(&mut value);
            checked(&rgd(), Object::from_value(value).expect("an object")).map_err(|error| error.text())
        };
        assert!(
            manifest(|value| value["status"] = json!({"topologicalOrder": ["x"]}))
                .expect("fine")
                .member("status")
                .is_none()
        );
        for (change, said) in [
            ((|value| value["kind"] = json!("Deployment")) as fn(&mut Value), "is a Deployment"),
            (|value| value["metadata"]["name"] = json!("b"), "is named \"b\", and the RGD \"a\""),
            (|value| value["metadata"]["uid"] = json!("other"), "another uid"),
            (|value| value["spec"] = json!([]), "has no spec.schema; the RGD generates A.kro.run"),
        ] {
            let error = manifest(change).expect_err(said);
            assert!(error.contains(said) && error.contains("\"manifest\""), "{error}");
        }
    }
}
