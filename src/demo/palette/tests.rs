//! The simulator as a client meets it.

mod crawl;

use std::{collections::BTreeSet, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    Cluster, Data, Failure, Fault, Kubeconfigs, Limits, Oidc, Project, Running, Simulator, Tenant, User,
};

/// A tenant and where it is served.
struct Served {
    running: Running,
    tenant: Tenant,
    client: reqwest::Client,
}

impl Served {
    async fn new(data: Data) -> Self {
        let (running, tenant) = (Simulator::start().await.unwrap(), Tenant::new(data));
        running.add(tenant.clone());
        Self { running, tenant, client: reqwest::Client::new() }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.running.url());
        self.client.request(method.parse().unwrap(), url).header("ApiKey", self.tenant.key())
    }

    async fn get(&self, path: &str, project: Option<&str>) -> (u16, Value) {
        let request = self.request("GET", path);
        answer(match project {
            Some(project) => request.header("ProjectUid", project),
            None => request,
        })
        .await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(self.request("POST", path).json(&body)).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

const SEARCH: &str = "/v1/dashboard/spectroclusters/search";
const META: &str = "/v1/dashboard/spectroclusters/meta";

#[tokio::test]
async fn the_key_tells_the_tenant_and_a_key_is_no_token() {
    let served = Served::new(Data::fleet(3, 0, 2, 2)).await;
    let other = Tenant::new(Data::fleet(1, 0, 1, 1));
    served.running.add(other.clone());
    assert_eq!(served.get(META, None).await.1.as_array().unwrap().len(), 3);
    let url = format!("{}{META}", served.running.url());
    let client = &served.client;
    let (_, rows) = answer(client.get(&url).header("ApiKey", other.key())).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    for request in [
        client.get(&url),
        client.get(&url).header("ApiKey", "none"),
        client.get(&url).header("Authorization", other.key()),
    ] {
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["code"]), (401, &json!("UnAuthorizedAccess")));
    }
    assert_eq!((served.tenant.count(), other.count()), (1, 1));
}

#[tokio::test]
async fn what_is_in_a_project_is_read_with_its_uid_in_the_header_only() {
    let data = Data::fleet(6, 0, 2, 2);
    let (cluster, other) = (data.clusters[0].clone(), data.projects[1].uid.clone());
    let served = Served::new(Data { denied: vec![other.clone()], ..data }).await;
    let project = cluster.project.clone().unwrap();
    let path = format!("/v1/dashboard/spectroclusters/{}", cluster.uid);
    let (status, body) = served.get(&path, Some(&project)).await;
    assert_eq!((status, &body["metadata"]["name"]), (200, &json!("web")));
    for project in [None, Some(other.as_str()), Some("none")] {
        let (status, body) = served.get(&path, project).await;
        assert_eq!((status, &body["code"]), (403, &json!("OperationForbidden")), "{project:?}");
        assert!(body["message"].as_str().unwrap().contains("cluster.get"), "{body}");
    }
    assert!(served.tenant.refused().is_empty());
    assert_eq!(served.get(&format!("{path}?ProjectUid={project}"), None).await.0, 400);
    assert_eq!(served.tenant.refused().len(), 1);
    let (status, body) = served.get("/v1/dashboard/spectroclusters/none", None).await;
    assert_eq!((status, &body["code"]), (404, &json!("ResourceNotFound")));
}

#[tokio::test]
async fn a_project_key_and_a_user_see_their_projects() {
    let mut data = Data::fleet(9, 0, 3, 2);
    let uids: Vec<String> = data.projects.iter().map(|project| project.uid.clone()).collect();
    data.project_keys.insert("of-one".into(), uids[0].clone());
    let projects = uids[..2].to_vec();
    data.users.push(User { token: "eyJ.user.x".into(), projects, ..User::default() });
    let served = Served::new(data).await;
    let ask = |header: &'static str, credential: &'static str, path: &str, project: Option<&str>| {
        let url = format!("{}{path}", served.running.url());
        let request = served.client.get(url).header(header, credential);
        answer(match project {
            Some(project) => request.header("ProjectUid", project),
            None => request,
        })
    };
    let listed = "/v1/dashboard/projects/metadata";
    assert_eq!(ask("ApiKey", "of-one", META, None).await.0, 403);
    assert_eq!(ask("ApiKey", "of-one", listed, None).await.0, 403);
    assert_eq!(ask("ApiKey", "of-one", META, Some(&uids[1])).await.0, 403);
    let (status, rows) = ask("ApiKey", "of-one", META, Some(&uids[0])).await;
    assert_eq!((status, rows.as_array().unwrap().len()), (200, 3));
    assert_eq!(names(&ask("Authorization", "eyJ.user.x", listed, None).await.1).len(), 2);
    assert_eq!(ask("Authorization", "eyJ.user.x", META, None).await.0, 403);
    assert_eq!(ask("Authorization", "eyJ.user.x", META, Some(&uids[1])).await.0, 200);
    assert_eq!(ask("Authorization", "eyJ.user.x", META, Some(&uids[2])).await.0, 403);
}

#[tokio::test]
async fn a_long_list_comes_in_pages_of_fifty_by_the_query() {
    let served = Served::new(Data::fleet(110, 10, 3, 4)).await;
    let (mut seen, mut token, mut pages) = (BTreeSet::new(), String::new(), 0);
    loop {
        let query = token.replace('=', "%3D").replace('+', "%2B");
        let (_, page) = served.post(&format!("{SEARCH}?limit=50&continue={query}"), json!({})).await;
        assert_eq!(page["listmeta"]["count"], 120);
        let uids = page["items"].as_array().unwrap().iter().map(|row| row["metadata"]["uid"].to_string());
        seen.extend(uids);
        pages += 1;
        token = page["listmeta"]["continue"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (120, 3));
    assert!(served.tenant.refused().is_empty());

    for (path, body) in [
        (format!("{SEARCH}?limit=51"), json!({})),
        (format!("{SEARCH}?continue=what"), json!({})),
        (format!("{SEARCH}?page=2"), json!({})),
        (SEARCH.to_owned(), json!({"continue": token})),
        (SEARCH.to_owned(), json!({"filter": {"clusterName": "web"}})),
        (
            SEARCH.to_owned(),
            json!({"filter": {"filterGroups": [{"filters": [
            {"property": "project", "type": "string", "condition": {"string": {
                "operator": "eq", "match": {"values": ["a"]}}}}]}]}}),
        ),
    ] {
        let (status, answer) = served.post(&path, body).await;
        assert_eq!((status, &answer["code"]), (400, &json!("InvalidRequest")), "{path}");
    }
    let plain = served.request("POST", SEARCH).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::BAD_REQUEST);
    assert_eq!(served.tenant.refused().len(), 7);
}

#[tokio::test]
async fn clusters_are_found_by_the_five_properties() {
    let served = Served::new(Data::fleet(80, 5, 2, 2)).await;
    let filter = |property: &str, operator: &str, value: &str, negation: bool, ignore: bool| {
        json!({"filter": {"conjunction": "and", "filterGroups": [{"conjunction": "and", "filters": [{
            "property": property, "type": "string", "condition": {"string": {"operator": operator,
            "negation": negation, "ignoreCase": ignore, "match": {"conjunction": "or", "values": [value]}}},
        }]}]}, "sort": [{"field": "clusterName", "order": "desc"}]})
    };
    let count = async |body: Value| served.post(SEARCH, body).await.1["listmeta"]["count"].clone();
    assert_eq!(count(filter("environment", "eq", "nested", false, false)).await, 5);
    assert_eq!(count(filter("environment", "eq", "nested", true, false)).await, 80);
    assert_eq!(count(filter("clusterName", "beginsWith", "WEB", false, false)).await, 0);
    assert_eq!(count(filter("clusterName", "beginsWith", "WEB", false, true)).await, 2);
    assert_eq!(count(filter("clusterState", "eq", "Pending", false, false)).await, 2);
    assert_eq!(count(filter("healthState", "eq", "UnHealthy", false, false)).await, 4);
    assert_eq!(count(filter("healthState", "eq", "unhealthy", false, true)).await, 8);
    let (_, page) = served.post(SEARCH, filter("clusterName", "contains", "l-00", false, false)).await;
    assert_eq!(names(&page)[0], "virtual-004");
    let rows = served.post("/v1/dashboard/spectroclusters/metadata/search", json!({"filter": {}})).await.1;
    assert_eq!((rows["items"].as_array().unwrap().len(), &rows["listmeta"]["count"]), (85, &json!(85)));
    served.tenant.change(|data| data.metadata_search_cut = true);
    let rows = served.post("/v1/dashboard/spectroclusters/metadata/search", json!({})).await.1;
    assert_eq!((rows["items"].as_array().unwrap().len(), &rows["listmeta"]["count"]), (50, &json!(85)));
    assert!(served.tenant.refused().is_empty(), "{:?}", served.tenant.refused());
}

#[tokio::test]
async fn errors_of_the_router_have_a_number_and_too_many_requests_no_time_to_wait() {
    let served = Served::new(Data::fleet(1, 0, 1, 1)).await;
    assert_eq!(served.get("/v1/users/me", None).await.1["code"], 404);
    assert_eq!(served.get("/v1/projects", None).await.1["code"], 405);
    served.tenant.change(|data| data.limits = Limits::Times(0.1));
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let response = served.request("GET", META).send().await.unwrap();
        assert!(response.headers().get("retry-after").is_none());
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    assert_eq!((served.tenant.answered(429), served.tenant.answered(200)), (2, 5));
    assert_eq!(served.tenant.requests()["GET /v1/dashboard/spectroclusters/meta"], 7);
}

#[tokio::test]
async fn a_kubeconfig_is_raw_or_base64_and_the_login_one_needs_a_login() {
    let served = Served::new(Data::default()).await;
    let project = Project::new("one");
    let plain = Cluster::new("plain", Some(&project.uid));
    let encoded = Cluster {
        base64: true,
        oidc: Some(Oidc { issuer_url: "https://login".into(), ..Oidc::default() }),
        ..Cluster::new("encoded", Some(&project.uid))
    };
    let own = Kubeconfigs { admin: Some("kind: Config".into()), ..Kubeconfigs::default() };
    let stored = Cluster { kubeconfigs: Some(own), ..Cluster::new("stored", Some(&project.uid)) };
    let uids = [&plain, &encoded, &stored].map(|cluster| cluster.uid.clone());
    served.tenant.change(|data| {
        data.clusters = vec![plain, encoded, stored];
        data.projects = vec![project.clone()];
    });
    let file = async |uid: &str, asset: &str| {
        let request = served.request("GET", &format!("/v1/spectroclusters/{uid}/assets/{asset}"));
        let response = request.header("ProjectUid", &project.uid).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert!(file(&uids[0], "kubeconfig").await.1.contains("server: https://proxy-"));
    assert!(file(&uids[0], "kubeconfig?frp=false").await.1.contains("server: https://plain-"));
    assert_eq!(file(&uids[0], "kubeconfigclient").await.0, 404);
    let (status, text) = file(&uids[1], "kubeconfigclient").await;
    assert!(status == 200 && !text.contains("server") && text.starts_with("YXBp"), "{text}");
    assert_eq!(file(&uids[2], "adminKubeconfig").await.1, "kind: Config");
    assert_eq!(file(&uids[2], "kubeconfig").await.0, 404);
    let oidc =
        async |uid: &str| served.get(&format!("/v1/spectroclusters/{uid}/oidc"), Some(&project.uid)).await.0;
    assert_eq!((oidc(&uids[0]).await, oidc(&uids[1]).await), (404, 200));
}

#[tokio::test]
async fn a_profile_names_its_clusters_by_version_and_the_full_one_their_projects() {
    let data = Data::fleet(20, 2, 2, 3);
    let (profile, project) = (data.profiles[0].clone(), data.projects[1].uid.clone());
    let served = Served::new(data).await;
    let listed = served.get("/v1/dashboard/clusterprofiles/metadata", None).await.1;
    assert_eq!(names(&listed).len(), 9);
    let body = json!({"filter": {"profileName": {"eq": "web"}}});
    let (_, rows) = served.post("/v1/dashboard/clusterprofiles", body).await;
    assert_eq!(names(&rows), ["web"; 6]);
    assert_eq!(rows["items"][0]["specSummary"]["versions"].as_array().unwrap().len(), 3);
    let mut clusters = 0;
    for version in &profile.versions {
        let (_, full) = served.get(&format!("/v1/clusterprofiles/{}", version.uid), Some(&project)).await;
        let used = full["status"]["inUseClusters"].as_array().unwrap();
        assert!(used.iter().all(|of| of["projectUid"].is_string() && of["kind"] == "spectrocluster"));
        clusters += used.len();
    }
    assert!(clusters > 7, "{clusters}");
    let (_, packs) =
        served.get(&format!("/v1/clusterprofiles/{}/packs", profile.versions[0].uid), None).await;
    assert_eq!(names(&packs)[1], "kubernetes");
    served.tenant.change(|data| data.tenant_profiles_only = true);
    assert_eq!(names(&served.get("/v1/dashboard/clusterprofiles/metadata", None).await.1).len(), 6);
}

#[tokio::test]
async fn it_fails_as_it_is_told() {
    let served = Served::new(Data::fleet(60, 0, 2, 1)).await;
    let tenant = &served.tenant;
    let here = "GET /v1/dashboard/spectroclusters/meta";
    tenant.fail(Fault::at(here, Failure::too_many()).times(2));
    tenant.fail(Fault::at(here, Failure::Html(502)).times(1));
    tenant.fail(Fault::at(here, Failure::Numeric(500, "no".into())).times(1));
    tenant.fail(Fault::at(here, Failure::Truncated).times(1));
    let mut seen = Vec::new();
    for _ in 0..6 {
        let (status, body) = served.get(META, None).await;
        seen.push((status, body.get("code").cloned().unwrap_or_default(), body.is_array()));
    }
    let busy = (429, json!("TooManyRequests"), false);
    assert_eq!(seen[..2], [busy.clone(), busy]);
    assert_eq!(seen[2..4], [(502, Value::Null, false), (500, json!(500), false)]);
    assert_eq!(seen[4..], [(200, Value::Null, false), (200, Value::Null, true)]);

    let second = |token: &Value| format!("{SEARCH}?continue={}", token.as_str().unwrap().replace('=', "%3D"));
    let search = "POST /v1/dashboard/spectroclusters/search";
    let first = served.post(SEARCH, json!({})).await.1;
    let whole = served.post(&second(&first["listmeta"]["continue"]), json!({})).await.1;
    for (failure, rows, count) in
        [(Failure::Doubled, 11, 60), (Failure::Lost, 9, 60), (Failure::Count(7), 10, 67)]
    {
        tenant.fail(Fault::at(search, failure.clone()).times(1));
        let page = served.post(&second(&first["listmeta"]["continue"]), json!({})).await.1;
        assert_eq!((names(&page).len(), &page["listmeta"]["count"]), (rows, &json!(count)), "{failure:?}");
    }
    tenant.fail(Fault::at(search, Failure::RepeatedContinue));
    let page = served.post(&second(&first["listmeta"]["continue"]), json!({})).await.1;
    assert_eq!(
        (names(&page), &page["listmeta"]["continue"]),
        (names(&whole), &first["listmeta"]["continue"])
    );
    tenant.heal();
    tenant.fail(Fault::everywhere(Failure::Nulls).after(1));
    assert!(served.post(SEARCH, json!({})).await.1["items"][0]["status"]["health"].is_object());
    assert!(served.post(SEARCH, json!({})).await.1["items"][0]["status"]["health"].is_null());

    tenant.heal();
    tenant.fail(Fault::everywhere(Failure::Cut).times(1));
    assert!(served.request("GET", META).send().await.unwrap().bytes().await.is_err());
    tenant.fail(Fault::everywhere(Failure::Hang).times(1));
    let hangs = served.request("GET", META).timeout(Duration::from_millis(50)).send().await;
    assert!(hangs.unwrap_err().is_timeout());
    let project = tenant.data().projects[1].uid.clone();
    tenant.fail(Fault::everywhere(Failure::Numeric(503, String::new())).project(&project));
    assert_eq!((served.get(META, None).await.0, served.get(META, Some(&project)).await.0), (200, 503));
}

#[tokio::test]
async fn the_sample_has_what_the_tour_tells_of() {
    let served = Served::new(Data::sample(Some(("127.0.0.1", 4242))).unwrap()).await;
    let data = served.tenant.data();
    let rows = served.post(SEARCH, json!({})).await.1;
    assert_eq!(names(&rows).iter().filter(|name| **name == "web").count(), 2);
    for cluster in &data.clusters {
        assert_eq!(cluster.uid.len(), 24, "{}", cluster.name);
        for version in cluster.profiles.iter().map(|of| &of.version).chain(&cluster.updates) {
            assert!(data.version(version).is_some(), "{}: {version}", cluster.name);
        }
        let owners = cluster.project.iter().map(|uid| data.project(uid).is_some());
        assert!(owners.chain(cluster.account.iter().map(|_| true)).all(|known| known), "{}", cluster.name);
    }
    let here = data.clusters.iter().find(|of| of.endpoints.contains(&("127.0.0.1".into(), 4242))).unwrap();
    let path = format!("/v1/dashboard/spectroclusters/{}", here.uid);
    let (_, shown) = served.get(&path, here.project.as_deref()).await;
    assert_eq!(shown["status"]["apiEndpoints"], json!([{"host": "127.0.0.1", "port": 4242}]));
    assert_eq!(shown["status"]["notifications"]["isAvailable"], true);
}
