//! The simulator keeps the vendor's contract, and the rig before it notices who does not.

mod acme;
mod changes;
mod operations;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use platform_mcp::demo::palette::{Data, Failure, Fault, Kubeconfigs, Limits};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use self::operations::{Operation, Place, contract, operations};
use crate::palette::{Palette, Tenant};
use crate::parts::support;

const SEARCH: &str = "/v1/dashboard/spectroclusters/search";

/// Asks a tenant's API by way of prism.
struct Caller<'a> {
    palette: &'a Palette,
    tenant: &'a Tenant,
    http: Client,
}

impl<'a> Caller<'a> {
    fn new(palette: &'a Palette, tenant: &'a Tenant) -> Self {
        // without authorities, which take longer to load than all else here
        Self { palette, tenant, http: Client::builder().tls_certs_only([]).build().unwrap() }
    }

    async fn get(&self, path: &str) -> Response {
        self.ask(&Method::GET, &Place::new(path), None).await
    }

    async fn ask(&self, method: &Method, place: &Place, body: Option<Value>) -> Response {
        self.try_ask(method, place, body).await.unwrap()
    }

    async fn try_ask(
        &self,
        method: &Method,
        place: &Place,
        body: Option<Value>,
    ) -> reqwest::Result<Response> {
        let request = self.http.request(method.clone(), format!("{}{}", self.palette.url(), place.path));
        let mut request = request.header("ApiKey", self.tenant.key());
        if let Some(project) = &place.project {
            request = request.header("ProjectUid", project);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await
    }
}

fn reads() -> Vec<Operation> {
    operations().into_iter().filter(Operation::is_read).collect()
}

fn body(operation: &Operation) -> Option<Value> {
    (operation.method == Method::POST).then(|| json!({}))
}

#[tokio::test]
async fn every_answer_of_the_simulator_is_as_the_contract_has_it() {
    let answered = every_answer_is_valid(acme::data()).await;
    let all: BTreeSet<String> = reads().iter().map(Operation::name).collect();
    assert_eq!(answered, all, "what has a good answer somewhere");
}

#[tokio::test]
async fn every_answer_of_the_sample_platform_is_as_the_contract_has_it() {
    every_answer_is_valid(Data { limits: Limits::Off, ..Data::sample(None).unwrap() }).await;
}

/// Asks each operation everywhere it leads; says which of them had a good answer.
async fn every_answer_is_valid(data: Data) -> BTreeSet<String> {
    let tenant = Palette::shared().tenant(data);
    let (caller, data) = (Caller::new(Palette::shared(), &tenant), tenant.data());
    let mut answered = BTreeSet::new();
    for operation in reads() {
        for place in operation.places(&data) {
            let answer = caller.ask(&operation.method, &place, body(&operation)).await;
            let (name, status) = (operation.name(), answer.status().as_u16());
            let text = answer.text().await.unwrap();
            let expected = matches!(status, 200 | 404) && !text.contains(r#""code":404"#);
            assert!(expected, "{name} at {}: {status}: {text}", place.path);
            if status == 200 {
                answered.insert(name);
            }
        }
    }
    assert_eq!(tenant.bad_answers(), [""; 0]);
    answered
}

#[tokio::test]
async fn every_query_parameter_of_the_contract_is_taken_and_no_other() {
    let tenant = Palette::shared().tenant(acme::data()).lenient();
    let (caller, data) = (Caller::new(Palette::shared(), &tenant), tenant.data());
    for operation in reads() {
        let place = operation.places(&data).remove(0);
        let pairs: Vec<String> =
            operation.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for (query, expected) in [(pairs.join("&"), 200), ("ProjectUid=x".to_owned(), 400)] {
            let asked = Place { path: format!("{}?{query}", place.path), project: place.project.clone() };
            let answer = caller.ask(&operation.method, &asked, body(&operation)).await;
            assert_eq!(answer.status(), expected, "{}?{query}", operation.name());
        }
    }
    let violations = tenant.violations();
    let unknown = violations.iter().filter(|violation| violation.contains("ProjectUid")).count();
    assert_eq!((unknown, violations.len()), (reads().len(), reads().len()));
}

#[tokio::test]
async fn no_field_is_taken_that_the_contract_does_not_have() {
    let tenant = Palette::shared().tenant(acme::data()).lenient();
    let (caller, data) = (Caller::new(Palette::shared(), &tenant), tenant.data());
    for operation in reads().into_iter().filter(|operation| operation.method == Method::POST) {
        let place = operation.places(&data).remove(0);
        for body in [json!({"continue": "x"}), json!({"filter": {"clusterNames": ["x"]}})] {
            let answer = caller.ask(&Method::POST, &place, Some(body.clone())).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{}: {body}", operation.name());
            assert_eq!(tenant.violations().len(), 1, "{}: {body}", operation.name());
            tenant.forget();
        }
    }
}

#[tokio::test]
async fn a_request_that_breaks_the_contract_is_told_to_its_tenant_alone() {
    // one of its own: the log of the shared one stays clean
    let palette = Palette::start();
    let (guilty, innocent) = (palette.tenant(acme::data()).lenient(), palette.tenant(acme::data()));
    let broken = [
        (Method::GET, "/v1/users/me".to_owned(), None, "Selected route not found"),
        (Method::DELETE, "/v1/users/info".to_owned(), None, "Selected route not found"),
        (Method::POST, format!("{SEARCH}?limit=51"), Some(json!({})), "limit must be <= 50"),
        (Method::POST, format!("{SEARCH}?limit=x"), Some(json!({})), "limit must be integer"),
        (
            Method::POST,
            SEARCH.to_owned(),
            Some(json!({"sort": [{"field": "x", "order": "asc"}]})),
            "sort.0.field",
        ),
        (Method::POST, SEARCH.to_owned(), Some(json!({"sort": {}})), "sort must be array"),
    ];
    let (bad, good) = (Caller::new(&palette, &guilty), Caller::new(&palette, &innocent));
    for (method, path, body, _) in &broken {
        bad.ask(method, &Place::new(path), body.clone()).await;
        good.ask(&Method::POST, &Place::new(SEARCH), Some(json!({}))).await;
    }
    let told = guilty.violations().join("\n");
    for (method, path, _, what) in &broken {
        let line =
            told.lines().find(|line| line.contains(&format!("{method} {path}: ")) && line.contains(what));
        assert!(line.is_some(), "{what} is missing:\n{told}");
    }
    innocent.assert_kept();
    let log = palette.log().join("\n");
    assert_eq!(log.matches("Violation: request").count(), broken.len(), "{log}");
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_noticed() {
    let tenant = Palette::shared().tenant(acme::data());
    let caller = Caller::new(Palette::shared(), &tenant);
    caller.get("/v1/users/info").await;
    assert_eq!(tenant.bad_answers(), [""; 0]);
    tenant.fail(Fault::everywhere(Failure::Instead(json!({"tenantUid": 7}))));
    caller.get("/v1/users/info").await;
    let bad = tenant.bad_answers();
    assert!(bad.len() == 1 && bad[0].contains("tenantUid must be string"), "{bad:?}");
    // more than prism puts into a header, and what no header can hold
    tenant.heal();
    let row = json!({"metadata": {"labels": {"k\u{1F511}": 7}}, "spec": {"cloudType": 7, "location": 7}});
    tenant.fail(Fault::everywhere(Failure::Instead(Value::Array(vec![row; 100]))));
    caller.get("/v1/dashboard/spectroclusters/meta").await;
    assert_eq!(tenant.bad_answers().len(), 2);
}

#[tokio::test]
async fn a_stranger_counts_for_everybody() {
    let palette = Palette::start();
    let tenant = palette.tenant(acme::data()).lenient();
    let answer =
        Client::new().get(format!("{}/v1/users/me", palette.url())).header("ApiKey", "nobody").send();
    answer.await.unwrap();
    Caller::new(&palette, &tenant).get("/v1/users/info").await;
    let began = Instant::now();
    while tenant.violations().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", palette.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_comes_through_prism_as_it_is() {
    let tenant = Palette::shared().tenant(acme::data());
    let caller = Caller::new(Palette::shared(), &tenant);
    let path = "/v1/users/info";
    let whole = caller.get(path).await.text().await.unwrap();

    tenant.fail(Fault::everywhere(Failure::too_many()).times(1));
    let answer = caller.get(path).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers().get("retry-after"), None);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "TooManyRequests");

    tenant.fail(Fault::everywhere(Failure::Html(502)).times(1));
    let answer = caller.get(path).await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(answer.text().await.unwrap().starts_with("<"));

    tenant.fail(Fault::everywhere(Failure::Truncated).times(1));
    let answer = caller.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let half = answer.text().await.unwrap();
    assert!(half.len() < whole.len() && serde_json::from_str::<Value>(&half).is_err(), "{half}");

    tenant.fail(Fault::everywhere(Failure::Cut).times(1));
    let answer = caller.try_ask(&Method::GET, &Place::new(path), None).await;
    // before or after the head, as it comes
    let text = match answer {
        Ok(answer) => answer.text().await,
        Err(error) => Err(error),
    };
    assert!(text.is_err(), "a cut answer was whole: {text:?}");

    tenant.fail(Fault::everywhere(Failure::Slow(Duration::from_millis(300))).times(1));
    let began = Instant::now();
    assert_eq!(caller.get(path).await.text().await.unwrap(), whole);
    assert!(began.elapsed() >= Duration::from_millis(300));

    tenant.fail(Fault::everywhere(Failure::Hang).times(1));
    let hanging = tokio::time::timeout(Duration::from_millis(300), caller.get(path)).await;
    assert!(hanging.is_err(), "a hanging API answered");
    // the verdict on a request whose client left comes too
    tenant.assert_kept();
    assert_eq!(tenant.count(), 7);
}

#[tokio::test]
async fn what_is_no_json_comes_byte_for_byte_and_headers_arrive() {
    let mut data = acme::data();
    let config = "kind: Config\nusers: [{name: \"ü\u{1F511}\"}]\n";
    data.clusters[0].kubeconfigs =
        Some(Kubeconfigs { user: Some(config.to_owned()), ..Kubeconfigs::default() });
    let tenant = Palette::shared().tenant(data);
    let caller = Caller::new(Palette::shared(), &tenant);
    let cluster = tenant.data().clusters[0].clone();
    let path = format!("/v1/spectroclusters/{}/assets/kubeconfig?frp=false", cluster.uid);
    let answer = caller.get(&path).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "without ProjectUid");
    let place = Place { path, project: cluster.project.clone() };
    let answer = caller.ask(&Method::GET, &place, None).await;
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    assert!(answer.headers().contains_key("content-disposition"));
    assert_eq!(answer.text().await.unwrap(), config);
    let sent = tenant.sent();
    assert_eq!(sent[1].project, cluster.project);
    assert_eq!(sent[1].query, "frp=false");
}

#[test]
fn the_contract_holds_every_path_in_use_and_all_they_lead_to() {
    let contract = contract();
    let listed = std::fs::read_to_string(support("palette/paths.txt")).unwrap();
    let listed: BTreeSet<&str> =
        listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let held: Vec<String> = operations().iter().map(Operation::name).collect();
    assert_eq!(listed, held.iter().map(String::as_str).collect());
    let definitions: BTreeSet<&str> =
        contract["definitions"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted = BTreeSet::new();
    references(&contract, &mut wanted);
    assert_eq!(wanted, definitions);
    assert_eq!(contract["info"]["license"]["name"], "Apache-2.0");
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str);
            found.extend(name.and_then(|name| name.strip_prefix("#/definitions/")));
            members.values().for_each(|member| references(member, found));
        }
        _ => {}
    }
}
