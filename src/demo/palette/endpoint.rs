//! The part of the contract that is served: paths, and the query parameters each of them knows.

use percent_encoding::percent_decode_str;

use super::refusal::Refusal;

/// One operation of the contract.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) template: &'static str,
    /// The query parameters.
    pub(super) query: &'static [&'static str],
    /// Whether it changes what the tenant holds.
    pub(super) changes: bool,
}

const fn get(template: &'static str, query: &'static [&'static str]) -> Endpoint {
    Endpoint { method: "GET", template, query, changes: false }
}

const fn post(template: &'static str, query: &'static [&'static str]) -> Endpoint {
    Endpoint { method: "POST", template, query, changes: false }
}

const fn create(template: &'static str) -> Endpoint {
    Endpoint { changes: true, ..post(template, &[]) }
}

const fn patch(template: &'static str, query: &'static [&'static str]) -> Endpoint {
    Endpoint { method: "PATCH", template, query, changes: true }
}

/// What is asked about a cluster of that cloud before it is made, and the making of it.
macro_rules! clouds {
    ($($cloud:literal),+) => {
        /// The clouds that clusters are made in; virtual ones have no rate.
        pub(super) const MADE: &[Endpoint] = &[
            create("/v1/spectroclusters/virtual"),
            post("/v1/spectroclusters/virtual/validate", &[]),
            $(
                create(concat!("/v1/spectroclusters/", $cloud)),
                post(concat!("/v1/spectroclusters/", $cloud, "/validate"), &[]),
                post(concat!("/v1/spectroclusters/", $cloud, "/rate"), &["periodType"]),
            )+
        ];
    };
}

clouds!("aks", "aws", "azure", "eks", "gcp", "gke", "maas", "vsphere");

const PAGED: &[&str] = &["limit", "offset", "continue"];
const LISTED: &[&str] = &["fields", "filters", "orderBy", "limit", "offset", "continue"];

/// Literals stand before what is open, as 79 pairs of the contract's paths overlap.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    get("/v1/users/info", &[]),
    post("/v1/dashboard/projects", PAGED),
    get("/v1/dashboard/projects/metadata", &["name"]),
    get("/v1/dashboard/spectroclusters/meta", &[]),
    post("/v1/dashboard/spectroclusters/metadata/search", &[]),
    post("/v1/dashboard/spectroclusters/search", PAGED),
    get("/v1/dashboard/spectroclusters/repaveStatus", &["repaveState", "limit", "offset", "continue"]),
    get("/v1/dashboard/spectroclusters/{uid}", &[]),
    post("/v1/dashboard/clusterprofiles", PAGED),
    get("/v1/dashboard/clusterprofiles/metadata", &[]),
    post("/v1/dashboard/clustergroups/{uid}/hostClusters", PAGED),
    post("/v1/dashboard/clustergroups/{uid}/virtualClusters", PAGED),
    get("/v1/dashboard/cloudaccounts/metadata", &["environment"]),
    get("/v1/clusterprofiles/{uid}", &["includePackMeta", "resourceType", "includePackAnnotations"]),
    get("/v1/clusterprofiles/{uid}/packs", &["includePackMeta"]),
    get("/v1/clusterprofiles/{uid}/packs/manifests", &["includePackMeta"]),
    get("/v1/clusterprofiles/{uid}/packs/{packName}/manifests", &[]),
    get("/v1/clusterprofiles/{uid}/packs/{packName}/manifests/{manifestUid}", &[]),
    get("/v1/clusterprofiles/{uid}/variables", &[]),
    get("/v1/clustergroups/hostCluster", &[]),
    get("/v1/clustergroups/{uid}", &[]),
    get("/v1/clustergroups/developerCredit/usage/{scope}", &[]),
    get(
        "/v1/spectroclusters/{uid}",
        &["includeTags", "resolvePackValues", "includePackMeta", "profileType", "includeNonSpectroLabels"],
    ),
    get("/v1/spectroclusters/{uid}/profiles", &["includePackMeta"]),
    get("/v1/spectroclusters/{uid}/profiles/packs/manifests", &["includePackMeta", "resolveMacros"]),
    get("/v1/spectroclusters/{uid}/pack/manifests/{manifestUid}", &["resolveManifestValues"]),
    get("/v1/spectroclusters/{uid}/profiles/{profileUid}/packs/{packName}/config", &[]),
    get("/v1/spectroclusters/{uid}/profileUpdates", &[]),
    get("/v1/spectroclusters/{uid}/variables", &[]),
    get("/v1/spectroclusters/{uid}/repave/status", &[]),
    post("/v1/spectroclusters/{uid}/validate/repave", &[]),
    get("/v1/spectroclusters/{uid}/oidc", &[]),
    get("/v1/spectroclusters/{uid}/assets/kubeconfig", &["frp"]),
    get("/v1/spectroclusters/{uid}/assets/kubeconfigclient", &[]),
    get("/v1/spectroclusters/{uid}/assets/frpKubeconfig", &[]),
    get("/v1/spectroclusters/{uid}/assets/adminKubeconfig", &[]),
    get(
        "/v1/notifications/{objectKind}/{objectUid}",
        &["isDone", "fields", "filters", "orderBy", "limit", "offset", "continue"],
    ),
    get("/v1/events/components/{objectKind}/{objectUid}", LISTED),
    get("/v1/cloudaccounts/summary", &["filters", "orderBy", "limit", "offset", "continue"]),
    get("/v1/cloudaccounts/apache-cloudstack", LISTED),
    get("/v1/cloudaccounts/apache-cloudstack/{uid}", &[]),
    get("/v1/cloudaccounts/aws", LISTED),
    get("/v1/cloudaccounts/aws/{uid}", &["assumeCredentials"]),
    get("/v1/cloudaccounts/azure", LISTED),
    get("/v1/cloudaccounts/azure/{uid}", &[]),
    get("/v1/cloudaccounts/gcp", LISTED),
    get("/v1/cloudaccounts/gcp/{uid}", &[]),
    get("/v1/cloudaccounts/maas", LISTED),
    get("/v1/cloudaccounts/maas/{uid}", &[]),
    get("/v1/cloudaccounts/vsphere", LISTED),
    get("/v1/cloudaccounts/vsphere/{uid}", &[]),
    get("/v1/cloudconfigs/virtual/{configUid}", &[]),
    patch("/v1/spectroclusters/{uid}/profiles", &["resolveNotification"]),
    patch("/v1/spectroclusters/{uid}/repave/approve", &[]),
    patch("/v1/notifications/{uid}/ack", &[]),
    patch("/v1/notifications/{uid}/done", &[]),
];

/// Known to the router, but not to be read.
const NOT_READ: &[(&str, &str)] = &[("/v1/projects", "POST"), ("/v1/edgehosts", "POST")];

/// The endpoint of a request, with what stands in the open places of its template.
pub(super) fn find(method: &str, path: &str) -> Result<(&'static Endpoint, Vec<String>), Refusal> {
    if let Some((_, allowed)) = NOT_READ.iter().find(|(known, _)| *known == path) {
        return Err(Refusal::method(method, allowed));
    }
    let mut allowed = None;
    for endpoint in MADE.iter().chain(ENDPOINTS) {
        if let Some(captured) = captured(endpoint.template, path) {
            if endpoint.method == method {
                return Ok((endpoint, captured));
            }
            allowed.get_or_insert(endpoint.method);
        }
    }
    Err(match allowed {
        Some(allowed) => Refusal::method(method, allowed),
        None => Refusal::no_such_path(path),
    })
}

/// What stands in the open places; `None` where the path is another one.
fn captured(template: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    let mut captured = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(captured),
            (Some(wanted), Some(part)) if wanted.starts_with('{') && !part.is_empty() => {
                captured.push(percent_decode_str(part).decode_utf8().ok()?.into_owned());
            }
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return None,
        }
    }
}

impl Endpoint {
    /// As it is counted.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    const CONTRACT: &str = include_str!("../../../tests/support/palette/contract.json");

    #[test]
    fn each_endpoint_takes_the_query_parameters_of_the_contract_and_no_other() {
        let contract: Value = serde_json::from_str(CONTRACT).unwrap();
        let mut served = 0;
        for (path, item) in contract["paths"].as_object().unwrap() {
            for method in ["get", "post", "patch"].into_iter().filter(|method| item.get(method).is_some()) {
                let parameters = [&item["parameters"], &item[method]["parameters"]];
                let parameters = parameters.into_iter().filter_map(Value::as_array).flatten();
                let query = parameters.filter(|parameter| parameter["in"] == "query");
                let known: BTreeSet<&str> = query.map(|query| query["name"].as_str().unwrap()).collect();
                let (endpoint, _) = find(&method.to_uppercase(), path).unwrap();
                assert_eq!(known, endpoint.query.iter().copied().collect(), "{method} {path}");
                served += 1;
            }
        }
        assert!(served >= ENDPOINTS.len() + MADE.len(), "an endpoint is not in the contract");
    }

    #[test]
    fn literals_are_found_before_open_places() {
        let found = |method: &str, path: &str| find(method, path).map(|(endpoint, _)| endpoint.template);
        let dashboard = "/v1/dashboard/spectroclusters";
        assert_eq!(found("GET", &format!("{dashboard}/meta")).unwrap(), format!("{dashboard}/meta"));
        assert_eq!(found("GET", &format!("{dashboard}/65f0")).unwrap(), format!("{dashboard}/{{uid}}"));
        assert_eq!(found("GET", "/v1/clustergroups/hostCluster").unwrap(), "/v1/clustergroups/hostCluster");
        assert_eq!(found("GET", "/v1/cloudaccounts/summary").unwrap(), "/v1/cloudaccounts/summary");
        assert_eq!(found("GET", "/v1/cloudaccounts/aws/1").unwrap(), "/v1/cloudaccounts/aws/{uid}");
        assert_eq!(found("POST", &format!("{dashboard}/meta")).unwrap_err().status, 405);
        assert_eq!(found("GET", "/v1/projects").unwrap_err().status, 405);
        assert_eq!(found("GET", "/v1/users/me").unwrap_err().status, 404);
        let (_, captured) = find("GET", "/v1/clusterprofiles/a/packs/b%2Fc/manifests/d").unwrap();
        assert_eq!(captured, ["a", "b/c", "d"]);
    }
}
