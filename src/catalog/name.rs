//! Names of entities: as the plugins' ingestors make them, where that is a name of its own; else with a part of the uid
//! at its end. Nothing is merged into something else because it is called alike.

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA256, digest};

use super::entity::Draft;

/// Characters of a name (`KubernetesValidatorFunctions.isValidObjectName`).
const LONGEST: usize = 63;
/// Characters of a uid that tell most from others: its counter is at its end.
const SHORT: usize = 8;
/// All of a uid of Palette's.
const WHOLE: usize = 24;

/// As `getEntityName` of `SpectroCloudEntityProvider` writes it: lower case, whatever is no letter or digit a `-`, and
/// no two of them.
pub(super) fn sanitised(name: &str) -> String {
    let may_be = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let lower = name.to_lowercase();
    let parts: Vec<&str> = lower.split(|c| !may_be(c)).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

/// The name of what is called `own` in `place`, in the environment `instance` where that has a name. What is called
/// nothing that a name may have is called by its uid.
pub(super) fn wanted(instance: Option<&str>, place: Option<&str>, own: &str, uid: &str) -> String {
    let own = match sanitised(own) {
        empty if empty.is_empty() => sanitised(uid),
        own => own,
    };
    let parts = [instance, place].into_iter().flatten().map(sanitised).filter(|part| !part.is_empty());
    parts.chain([own]).collect::<Vec<_>>().join("-")
}

/// The names of these drafts, in their order. Where several want one, the oldest has it, so that what comes later
/// renames nothing.
pub(super) fn assigned(drafts: &[Draft]) -> Vec<String> {
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|place| drafts.get(*place).map(|draft| &draft.id));
    let mut names = vec![String::new(); drafts.len()];
    let mut taken = HashSet::new();
    for place in order {
        let (Some(draft), Some(name)) = (drafts.get(place), names.get_mut(place)) else { continue };
        let kind = draft.id.class.kind();
        let free = candidates(draft).find(|candidate| taken.insert((kind, candidate.clone())));
        *name = free.unwrap_or_default();
    }
    names
}

/// Names for it, the best first; they do not end.
fn candidates(draft: &Draft) -> impl Iterator<Item = String> {
    let stem = sanitised(&draft.wanted);
    let uid = sanitised(&draft.id.uid).replace('-', "");
    let plain = Some(stem.clone()).filter(|name| (1..=LONGEST).contains(&name.len()));
    let short = Some(uid.get(uid.len().saturating_sub(SHORT)..).unwrap_or_default().to_owned());
    let ends = short.into_iter().chain([uid]).filter(|end| (1..=WHOLE).contains(&end.len()));
    let id = format!("{:?}", draft.id);
    let digests = (0_u64..).map(move |number| {
        let digest = digest(&SHA256, format!("{id} {number}").as_bytes());
        digest.as_ref().iter().take(WHOLE / 2).map(|byte| format!("{byte:02x}")).collect()
    });
    plain.into_iter().chain(ends.chain(digests).map(move |end| with(&stem, &end)))
}

/// The stem, as far as there is room for it, and its end.
fn with(stem: &str, end: &str) -> String {
    let room = LONGEST.saturating_sub(end.len() + 1);
    let stem = stem.get(..room.min(stem.len())).unwrap_or_default().trim_end_matches('-');
    if stem.is_empty() { end.to_owned() } else { format!("{stem}-{end}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{
        super::entity::{Class, Id},
        *,
    };

    fn draft(class: Class, uid: &str, wanted: &str) -> Draft {
        Draft {
            id: Id { uid: uid.to_owned(), source: "a".into(), class },
            also: Vec::new(),
            wanted: wanted.to_owned(),
            title: String::new(),
            description: String::new(),
            annotations: BTreeMap::new(),
            tags: Vec::new(),
            kind_of: String::new(),
            owner: String::new(),
            system: None,
            depends_on: Vec::new(),
        }
    }

    /// `/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/`
    fn is_valid(name: &str) -> bool {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        (1..=63).contains(&name.len())
            && name.chars().all(|c| plain(c) || c == '-')
            && name.starts_with(plain)
            && name.ends_with(plain)
    }

    #[test]
    fn names_are_those_of_the_plugins() {
        for (instance, place, own, name) in [
            (None, Some("Team A"), "Web.Prod_1", "team-a-web-prod-1"),
            (Some("EU (prod)"), Some("tenant"), "--x--", "eu-prod-tenant-x"),
            (None, None, "shop", "shop"),
            (Some("demo"), Some("日本"), "日本", "demo-u-1"),
            (Some("日本"), None, "a", "a"),
        ] {
            assert_eq!(wanted(instance, place, own, "U 1"), name);
        }
    }

    #[test]
    fn the_oldest_keeps_the_name_and_none_is_lost() {
        let old = "65aa00000000000000000001";
        let new = "65bb00000000000000000002";
        let same = [
            draft(Class::Cluster, new, "shop-web"),
            draft(Class::ClusterProfile, old, "shop-web"),
            draft(Class::Project, new, "shop-web"),
        ];
        assert_eq!(assigned(&same), ["shop-web-00000002", "shop-web", "shop-web"], "a kind is a kind");
        let twisted = [draft(Class::Cluster, old, "shop-web-00000002"), same[1].clone(), same[0].clone()];
        let names = assigned(&twisted);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 3, "{names:?}");
        assert_eq!(names[2], format!("shop-web-{new}"));
    }

    #[test]
    fn whatever_something_is_called_its_name_is_one() {
        let long = "x".repeat(400);
        let odd = ["", "-", "日本", "\u{202e}\u{0}", "../../etc", "a b", &long, &format!("{long}y"), "🚀"];
        let uids = ["", "é", &long, "65aa00000000000000000001"];
        let mut drafts = Vec::new();
        for class in [Class::Cluster, Class::VirtualCluster] {
            for uid in uids {
                drafts.extend(odd.iter().enumerate().map(|(number, name)| {
                    let mut draft = draft(class, uid, name);
                    draft.id.source = number.to_string().into();
                    draft
                }));
            }
        }
        let names = assigned(&drafts);
        assert!(names.iter().all(|name| is_valid(name)), "{names:?}");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), drafts.len());
        drafts.reverse();
        let mut again = assigned(&drafts);
        again.reverse();
        assert_eq!(names, again, "in whatever order they come");
    }

    #[test]
    fn thousands_that_are_called_alike_cost_no_more_than_their_number() {
        let drafts: Vec<Draft> =
            (0..20_000).map(|number| draft(Class::Cluster, &format!("{number:024x}"), "same")).collect();
        let began = std::time::Instant::now();
        assert_eq!(assigned(&drafts).iter().collect::<HashSet<_>>().len(), drafts.len());
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
