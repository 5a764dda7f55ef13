//! What the bodies of requests may hold (reference 6.8): any other field breaks the contract.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use super::{data::Cluster, refusal::Refusal};
use crate::palette::contract;

/// `SearchFilterSummarySpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Search {
    filter: Option<Filter>,
    sort: Option<Vec<Sort>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Filter {
    conjunction: Conjunction,
    filter_groups: Vec<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Group {
    conjunction: Conjunction,
    filters: Vec<Item>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Conjunction {
    #[default]
    And,
    Or,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    property: String,
    r#type: String,
    condition: Condition,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Condition {
    string: Option<Text>,
    bool: Option<Truth>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Text {
    operator: Operator,
    #[serde(default)]
    negation: bool,
    #[serde(default)]
    ignore_case: bool,
    r#match: Match,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Operator {
    Eq,
    Contains,
    BeginsWith,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    #[serde(default)]
    conjunction: Conjunction,
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Truth {
    value: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sort {
    field: String,
    #[serde(default)]
    order: Order,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Asc,
    Desc,
}

/// What clusters are sorted by.
type Key = fn(&Cluster) -> (i64, String);

/// `ProjectsFilterSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Projects {
    pub(super) filter: Named,
    #[serde(rename = "sort")]
    _sort: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Named {
    pub(super) name: FilterString,
}

/// `ClusterProfilesFilterSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Profiles {
    pub(super) filter: ProfileFilter,
    #[serde(rename = "sort")]
    _sort: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProfileFilter {
    pub(super) environment: Vec<String>,
    pub(super) profile_name: FilterString,
    pub(super) profile_type: Vec<String>,
    pub(super) scope: Option<String>,
    pub(super) version: FilterString,
    #[serde(rename = "fips")]
    _fips: Option<IgnoredAny>,
    #[serde(rename = "resourceType")]
    _resource_type: Option<IgnoredAny>,
    #[serde(rename = "tags")]
    _tags: Option<IgnoredAny>,
}

/// `FilterString`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct FilterString {
    eq: Option<String>,
    ne: Option<String>,
    contains: Option<String>,
    begins_with: Option<String>,
    ignore_case: bool,
}

/// `SpectroClusterPacksEntity`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Packs {
    pub(super) profiles: Vec<PacksOf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PacksOf {
    /// The profile to go to.
    pub(super) uid: String,
    #[serde(rename = "replaceWithProfile")]
    _replace_with_profile: Option<IgnoredAny>,
    #[serde(rename = "packValues")]
    _pack_values: Option<IgnoredAny>,
    #[serde(rename = "variables")]
    _variables: Option<IgnoredAny>,
}

/// A body that has to be there and to keep the contract under that name.
pub(super) fn kept(name: &str, body: &[u8]) -> Result<Value, Refusal> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| Refusal::breach(format!("request body: {error}")))?;
    match contract::faults(name, &value).first() {
        Some(fault) => Err(Refusal::breach(format!("request body: {fault}"))),
        None => Ok(value),
    }
}

/// Reads a body, which may be missing.
pub(super) fn read<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| Refusal::breach(format!("request body: {error}")))
}

impl Search {
    /// The clusters it finds, sorted.
    pub(super) fn find<'a>(&self, clusters: Vec<&'a Cluster>) -> Result<Vec<&'a Cluster>, Refusal> {
        let groups = self.filter.as_ref().map_or(&[][..], |filter| filter.filter_groups.as_slice());
        let together = self.filter.as_ref().map(|filter| filter.conjunction).unwrap_or_default();
        for item in groups.iter().flat_map(|group| &group.filters) {
            item.check()?;
        }
        let deleted = groups.iter().flat_map(|group| &group.filters).any(|item| item.property == "isDeleted");
        let mut found = clusters;
        found.retain(|cluster| {
            (deleted || !cluster.deleted)
                && together.of(groups.iter().map(|group| {
                    group.conjunction.of(group.filters.iter().map(|item| item.matches(cluster)))
                }))
        });
        for sort in self.sort.iter().flatten().rev() {
            let key = sort.key()?;
            found.sort_by_key(|cluster| key(cluster));
            if sort.order == Order::Desc {
                found.reverse();
            }
        }
        Ok(found)
    }
}

impl Conjunction {
    /// Nothing at all is as good as met.
    fn of(self, mut met: impl Iterator<Item = bool>) -> bool {
        match self {
            Self::And => met.all(|met| met),
            Self::Or => {
                let mut met = met.peekable();
                met.peek().is_none() || met.any(|met| met)
            }
        }
    }
}

impl Item {
    fn check(&self) -> Result<(), Refusal> {
        let kind = match self.property.as_str() {
            "environment" | "clusterName" | "clusterState" | "healthState" => "string",
            "isDeleted" => "bool",
            other => return Err(Refusal::breach(format!("filter property '{other}' is not known"))),
        };
        let given =
            if kind == "bool" { self.condition.bool.is_some() } else { self.condition.string.is_some() };
        if self.r#type != kind || !given {
            let property = &self.property;
            return Err(Refusal::breach(format!("filter property '{property}' needs a condition of {kind}")));
        }
        Ok(())
    }

    fn matches(&self, cluster: &Cluster) -> bool {
        let text = match self.property.as_str() {
            "environment" => &cluster.environment,
            "clusterName" => &cluster.name,
            "clusterState" => &cluster.state,
            "healthState" => &cluster.health.state,
            _ => {
                return self.condition.bool.as_ref().is_none_or(|wanted| wanted.value == cluster.deleted);
            }
        };
        self.condition.string.as_ref().is_none_or(|wanted| wanted.matches(text))
    }
}

impl Text {
    fn matches(&self, text: &str) -> bool {
        let fold = |text: &str| if self.ignore_case { text.to_lowercase() } else { text.to_owned() };
        let text = fold(text);
        let met = self.r#match.conjunction.of(self.r#match.values.iter().map(|value| match self.operator {
            Operator::Eq => text == fold(value),
            Operator::Contains => text.contains(&fold(value)),
            Operator::BeginsWith => text.starts_with(&fold(value)),
        }));
        met != self.negation
    }
}

impl Sort {
    fn key(&self) -> Result<Key, Refusal> {
        Ok(match self.field.as_str() {
            "environment" => |cluster| (0, cluster.environment.clone()),
            "clusterName" => |cluster| (0, cluster.name.clone()),
            "clusterState" => |cluster| (0, cluster.state.clone()),
            "healthState" => |cluster| (0, cluster.health.state.clone()),
            // Ages run against time.
            "creationTimestamp" => |cluster| (-cluster.created, String::new()),
            "lastModifiedTimestamp" => |cluster| (-cluster.modified, String::new()),
            other => return Err(Refusal::breach(format!("sort field '{other}' is not known"))),
        })
    }
}

impl FilterString {
    /// Whether that text is wanted.
    pub(super) fn matches(&self, text: &str) -> bool {
        let fold = |text: &str| if self.ignore_case { text.to_lowercase() } else { text.to_owned() };
        let text = fold(text);
        let met = |wanted: &Option<String>, met: fn(&str, &str) -> bool| {
            wanted
                .as_deref()
                .filter(|wanted| !wanted.is_empty())
                .is_none_or(|wanted| met(&text, &fold(wanted)))
        };
        met(&self.eq, |text, wanted| text == wanted)
            && met(&self.ne, |text, wanted| text != wanted)
            && met(&self.contains, |text, wanted| text.contains(wanted))
            && met(&self.begins_with, |text, wanted| text.starts_with(wanted))
    }
}
