//! The operations of the contract, and where each of them leads in a tenant.

use platform_mcp::demo::palette::{Cluster, Data, uid};
use reqwest::Method;
use serde_json::Value;

use crate::oidc::percent;
use crate::parts::support;

/// An operation, with an example for each of its query parameters.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) template: String,
    pub(super) query: Vec<(String, String)>,
}

/// A path, and the project that it must be asked in.
pub(super) struct Place {
    pub(super) path: String,
    pub(super) project: Option<String>,
}

/// What stands for the open places of a template.
type Names<'a> = Vec<(&'a str, &'a str)>;

pub(super) fn contract() -> Value {
    let text = std::fs::read(support("palette/contract.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

pub(super) fn operations() -> Vec<Operation> {
    let contract = contract();
    let mut operations = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            let parameters = [&item["parameters"], &operation["parameters"]];
            let parameters = parameters.into_iter().filter_map(Value::as_array).flatten();
            let query = parameters.filter(|parameter| parameter["in"] == "query").map(example).collect();
            let method = method.to_uppercase().parse().unwrap();
            operations.push(Operation { method, template: path.clone(), query });
        }
    }
    operations
}

fn example(parameter: &Value) -> (String, String) {
    let name = parameter["name"].as_str().unwrap();
    let value = match (parameter["enum"][0].as_str(), parameter["type"].as_str(), name) {
        (Some(first), ..) => first,
        (_, Some("integer"), "limit") => "10",
        (_, Some("integer"), _) => "0",
        (_, Some("boolean"), _) => "true",
        (.., "includePackMeta") => "schema,presets",
        (.., "isDone") => "false",
        _ => "",
    };
    (name.to_owned(), value.to_owned())
}

impl Place {
    /// One in no project.
    pub(super) fn new(path: &str) -> Self {
        Self { path: path.to_owned(), project: None }
    }
}

impl Operation {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// Whether it may be asked of everything there is: what makes or changes something needs a body that fits.
    pub(super) fn is_read(&self) -> bool {
        let of_a_cloud = self.template.starts_with("/v1/spectroclusters/") && !self.template.contains('{');
        self.method == Method::GET || (self.method == Method::POST && !of_a_cloud)
    }

    /// Where it leads; empty for a template whose places the tenant has nothing for.
    pub(super) fn places(&self, data: &Data) -> Vec<Place> {
        if self.template.ends_with("{configUid}") {
            let virtual_ones = data.clusters.iter().filter(|cluster| cluster.virtual_cluster.is_some());
            let path = |of: &str| self.template.replace("{configUid}", &uid(&format!("config/{of}")));
            let place =
                |cluster: &Cluster| Place { path: path(&cluster.uid), project: cluster.project.clone() };
            return virtual_ones.map(place).collect();
        }
        let mut places: Vec<Place> = Vec::new();
        for (project, names) in self.named(data) {
            let path = names.iter().fold(self.template.clone(), |path, (name, value)| {
                path.replace(&format!("{{{name}}}"), &percent(value))
            });
            if !path.contains('{') && !places.iter().any(|place| place.path == path) {
                places.push(Place { path, project: project.clone() });
            }
        }
        places
    }

    fn named<'a>(&self, data: &'a Data) -> Vec<(&'a Option<String>, Names<'a>)> {
        let under = |resource: &str| self.template.contains(&format!("/{resource}/{{uid}}"));
        let mut named: Vec<(&Option<String>, Names<'_>)> = vec![(&None, Vec::new())];
        if under("spectroclusters") {
            for cluster in &data.clusters {
                let uid = ("uid", cluster.uid.as_str());
                named.push((&cluster.project, vec![uid]));
                for attached in &cluster.profiles {
                    let version = ("profileUid", attached.version.as_str());
                    for mut names in packs(data, &attached.version) {
                        names.extend([uid, version]);
                        named.push((&cluster.project, names));
                    }
                }
            }
        } else if under("clusterprofiles") {
            for profile in &data.profiles {
                for version in &profile.versions {
                    let uid = ("uid", version.uid.as_str());
                    named.push((&profile.project, vec![uid]));
                    for mut names in packs(data, &version.uid) {
                        names.push(uid);
                        named.push((&profile.project, names));
                    }
                }
            }
        } else if under("clustergroups") {
            named.extend(data.groups.iter().map(|group| (&group.project, vec![("uid", group.uid.as_str())])));
        } else {
            let accounts = data.accounts.iter().filter(|account| under(&account.kind));
            named.extend(accounts.map(|account| (&account.project, vec![("uid", account.uid.as_str())])));
        }
        let kinds = data.clusters.iter().map(|cluster| {
            (&cluster.project, vec![("objectKind", "spectrocluster"), ("objectUid", cluster.uid.as_str())])
        });
        named.extend(kinds);
        named.push((&None, vec![("scope", "tenant")]));
        named
    }
}

/// The packs of a profile's version, each with each of its manifests.
fn packs<'a>(data: &'a Data, version: &str) -> Vec<Names<'a>> {
    let (_, version) = data.version(version).unwrap();
    let mut named = Vec::new();
    for pack in &version.packs {
        let name = ("packName", pack.name.as_str());
        named.push(vec![name]);
        named
            .extend(pack.manifests.iter().map(|manifest| vec![name, ("manifestUid", manifest.uid.as_str())]));
    }
    named
}
