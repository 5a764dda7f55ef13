//! [`Filter`]: which clusters of an environment are taken. What cannot be judged is left out.

use crate::palette::place::Place;

/// Which clusters are taken, by where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of the projects that are taken; empty: all.
    pub include: Vec<String>,
    /// Names of the projects that are not taken, whatever `include` says.
    pub exclude: Vec<String>,
    /// Whether those of no project are left out.
    pub without_tenant: bool,
}

/// What becomes of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    LeftOut,
    /// Left out, as the name of its project is not known.
    Unknown,
}

impl Filter {
    pub(super) fn judge(&self, place: &Place) -> Verdict {
        let is_in = |names: &[String], name: &str| names.iter().any(|known| known == name);
        let taken = match place {
            Place::Tenant => !self.without_tenant,
            Place::Project { .. } if self.include.is_empty() && self.exclude.is_empty() => true,
            Place::Project { name: None, .. } => return Verdict::Unknown,
            Place::Project { name: Some(name), .. } => {
                !is_in(&self.exclude, name) && (self.include.is_empty() || is_in(&self.include, name))
            }
        };
        if taken { Verdict::Taken } else { Verdict::LeftOut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_judged_is_left_out() {
        let project = |name: Option<&str>| Place::Project { uid: "u".into(), name: name.map(str::to_owned) };
        let filter = |include: &[&str], exclude: &[&str]| Filter {
            include: include.iter().map(|&name| name.to_owned()).collect(),
            exclude: exclude.iter().map(|&name| name.to_owned()).collect(),
            without_tenant: false,
        };
        let shop = project(Some("shop"));
        for (filter, place, verdict) in [
            (filter(&[], &[]), &shop, Verdict::Taken),
            (filter(&[], &[]), &project(None), Verdict::Taken),
            (filter(&["shop"], &[]), &shop, Verdict::Taken),
            (filter(&["bank"], &[]), &shop, Verdict::LeftOut),
            (filter(&["shop"], &["shop"]), &shop, Verdict::LeftOut),
            (filter(&[], &["shop"]), &project(Some("bank")), Verdict::Taken),
            (filter(&["shop"], &[]), &project(None), Verdict::Unknown),
            (filter(&[], &["shop"]), &project(None), Verdict::Unknown),
            (filter(&["shop"], &[]), &Place::Tenant, Verdict::Taken),
            (Filter { without_tenant: true, ..Filter::default() }, &Place::Tenant, Verdict::LeftOut),
        ] {
            assert_eq!(filter.judge(place), verdict, "{filter:?} {place}");
        }
    }
}
