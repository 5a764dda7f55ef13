//! `backstage.impersonate`: as whom clusters know users of Backstage.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::problem::Wrong;
use crate::backstage::{Names, Template};

/// What clusters know users of Backstage as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Impersonate {
    /// Of a user, as `{name}@example.com` or `{namespace}/{name}`. Without `{namespace}` in it, users of the namespace
    /// `default` alone. Otherwise only the clusters below see users.
    pub username: Option<String>,
    /// Of each of their groups, as `{name}`. Without `{namespace}` in it, groups of the namespace `default` alone.
    /// Otherwise they have none there.
    pub groups: Option<String>,
    /// Clusters that know them by other names; the first entry that names a cluster counts.
    #[serde(default)]
    pub clusters: Vec<ClusterNames>,
}

/// What some clusters know users of Backstage as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterNames {
    /// The clusters, by `name` or `source/name`; `*` stands for any characters.
    pub clusters: Vec<String>,
    /// Of a user.
    pub username: String,
    /// Of each of their groups. Otherwise they have none there.
    pub groups: Option<String>,
}

impl Impersonate {
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        match (&self.username, &self.groups) {
            (None, Some(_)) => {
                return Err(Wrong::new("is of use with username alone").below("groups"));
            }
            (None, None) if self.clusters.is_empty() => {
                let wrong = "must say as whom clusters know a user, as \"{name}@example.com\"";
                return Err(Wrong::new(wrong).below("username"));
            }
            (username, groups) => templates(username.as_deref(), groups.as_deref())?,
        }
        for (index, entry) in self.clusters.iter().enumerate() {
            entry.coherent().map_err(|wrong| wrong.in_item(index).below("clusters"))?;
        }
        Ok(())
    }

    /// Those of named clusters, and those of all others.
    pub(in crate::config) fn names(&self) -> Vec<Names> {
        let of_clusters = self.clusters.iter().filter_map(|entry| {
            names(Some(entry.clusters.clone()), Some(&entry.username), entry.groups.as_deref())
        });
        of_clusters.chain(names(None, self.username.as_deref(), self.groups.as_deref())).collect()
    }
}

impl ClusterNames {
    fn coherent(&self) -> Result<(), Wrong> {
        if self.clusters.is_empty() {
            let wrong = "must name the clusters that these names are for, as prod-*";
            return Err(Wrong::new(wrong).below("clusters"));
        }
        if let Some(index) = self.clusters.iter().position(|pattern| pattern.trim().is_empty()) {
            return Err(Wrong::new("must not be empty").in_item(index).below("clusters"));
        }
        templates(Some(&self.username), self.groups.as_deref())
    }
}

fn templates(username: Option<&str>, groups: Option<&str>) -> Result<(), Wrong> {
    for (key, text) in [("username", username), ("groups", groups)] {
        if let Some(Err(problem)) = text.map(Template::parse) {
            return Err(Wrong::new(problem.to_string()).below(key));
        }
    }
    Ok(())
}

/// One with a template that is none was refused before.
fn names(clusters: Option<Vec<String>>, username: Option<&str>, groups: Option<&str>) -> Option<Names> {
    let username = Template::parse(username?).ok()?;
    let groups = groups.map(Template::parse).transpose().ok()?;
    Some(Names { clusters, username, groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(yaml: &str) -> Impersonate {
        serde_saphyr::from_str(yaml).expect(yaml)
    }

    #[test]
    fn names_that_make_no_sense_are_mistakes_of_the_file() {
        for (yaml, said) in [
            ("{}", "username: must say as whom"),
            ("{groups: '{name}'}", "groups: is of use with username alone"),
            ("{username: alice}", "username: must have {name} in it"),
            ("{username: 'system:{name}'}", "username: must not begin with \"system:\""),
            ("{username: '{name}', groups: '{namespace}.{name}'}", "groups: must have a character between"),
            ("{username: '{name} '}", "username: must have no control characters, and no space"),
            ("{username: '{kind}:{name}'}", "username: has another placeholder than {name} and {namespace}"),
            (
                "{clusters: [{clusters: [], username: '{name}'}]}",
                "clusters[0].clusters: must name the clusters",
            ),
            ("{clusters: [{clusters: [' '], username: '{name}'}]}", "clusters[0].clusters[0]: must not be"),
            (
                "{username: '{name}', clusters: [{clusters: [a], username: '{name}', groups: '{name}{name}'}]}",
                "clusters[0].groups: has another placeholder",
            ),
        ] {
            let wrong = parsed(yaml).coherent().map_err(|wrong| wrong.to_string()).expect_err(yaml);
            assert!(wrong.starts_with(said), "{yaml}: {wrong}");
        }
    }

    #[test]
    fn the_names_of_all_clusters_come_last() {
        let fine = parsed("{username: '{name}', clusters: [{clusters: ['prod-*'], username: 'b:{name}'}]}");
        assert_eq!(fine.coherent(), Ok(()));
        let clusters: Vec<bool> = fine.names().iter().map(|names| names.clusters.is_none()).collect();
        assert_eq!(clusters, [false, true]);
        let some = parsed("{clusters: [{clusters: ['prod-*'], username: 'b:{name}'}]}");
        assert_eq!((some.coherent(), some.names().len()), (Ok(()), 1));
    }
}
