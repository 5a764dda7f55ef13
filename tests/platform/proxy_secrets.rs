//! Secrets through the endpoint for programs: whoever may not read their values gets them as any other object, in
//! every form, without the values.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    server::{Product, Server},
};

const PLANTED: &str = "planted-hunter2-value";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The product over the control plane as its administrator, for the local user.
fn serve(secrets_of: &str) -> Server {
    let plane = ControlPlane::shared();
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.admin, "identity": "own"}],
    });
    let deny = if secrets_of == "nobody" { ", deny: [kubernetes.secrets.read]" } else { "" };
    let config = format!(
        "clusters: {clusters}\nhttp: {{proxy: {{base: kubernetes}}}}\nroles: {{program: {{allow: ['*']{deny}}}}}\nlocal: {{roles: [program]}}\n"
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

struct Answer {
    status: u16,
    kind: String,
    text: String,
}

async fn ask(
    server: &Server,
    method: &str,
    path: &str,
    accept: &str,
    body: Option<(&str, String)>,
) -> Answer {
    let url = server.url(&format!("/api/kubernetes/proxy{path}"));
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), url).header("accept", accept);
    if let Some((kind, body)) = body {
        request = request.header("content-type", kind).body(body);
    }
    let answer = request.send().await.expect("an answer");
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    Answer {
        status: answer.status().as_u16(),
        kind: kind.unwrap_or_default(),
        text: answer.text().await.expect("a whole answer"),
    }
}

/// The fields of managedFields name the annotation; what it holds must be gone.
#[track_caller]
fn holds_no_value(what: &str, text: &str) {
    for form in [
        PLANTED.to_owned(),
        STANDARD.encode(PLANTED),
        "hunter2".to_owned(),
        "last-applied-configuration\":\"".to_owned(),
    ] {
        assert!(!text.contains(&form), "{what} shows {form}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_secrets_in_every_form_without_their_values() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("passed");
    let ns: &str = &namespace;
    plane.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{namespace: {ns}, name: vault, annotations: {{note: '{PLANTED}'}}}}\nstringData: {{password: {PLANTED}}}\n"
    ));
    let server = serve("nobody");
    let list = format!("/api/v1/namespaces/{ns}/secrets");
    let one = format!("{list}/vault");
    for (path, accept) in [
        (one.clone(), "*/*"),
        (one.clone(), "application/json"),
        (one.replace("secrets", "%73ecrets"), "application/json"),
        (format!("{one}?pretty=true"), "application/json"),
        (one.clone(), TABLE),
        (format!("{one}?includeObject=Object"), TABLE),
        (list.clone(), "application/vnd.kubernetes.protobuf,application/json"),
        (list.clone(), "application/yaml,*/*"),
        (format!("{list}?includeObject=Object"), TABLE),
        (format!("{list}?watch=false"), "application/json"),
        (format!("{list}?watch=true&timeoutSeconds=1"), "application/json"),
        (format!("{list}?watch=1&timeoutSeconds=1&includeObject=Object"), TABLE),
        (format!("/api/v1/watch{}?timeoutSeconds=1", list.trim_start_matches("/api/v1")), "application/json"),
        (format!("/api/v1/watch{}?timeoutSeconds=1", one.trim_start_matches("/api/v1")), "*/*"),
        ("/api/v1/secrets?fieldSelector=metadata.name%3Dvault".to_owned(), "application/json"),
        (list.clone(), "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"),
    ] {
        let answer = ask(&server, "GET", &path, accept, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(answer.kind.starts_with("application/json"), "{path}: {}", answer.kind);
        assert!(answer.text.contains("vault"), "{path}: {}", answer.text);
        holds_no_value(&format!("{path} as {accept}"), &answer.text);
        for line in answer.text.lines().filter(|line| path.contains("watch") && !line.is_empty()) {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{path}: {line}");
        }
    }
    let whole: Value = serde_json::from_str(&ask(&server, "GET", &one, "*/*", None).await.text).unwrap();
    assert_eq!(whole["data"]["password"], STANDARD.encode("<redacted:21 bytes>"), "clients decode it");
    for only in [PROTOBUF, "application/yaml", "application/cbor"] {
        let answer = ask(&server, "GET", &one, only, None).await;
        assert_eq!(
            (answer.status, answer.text.contains("NotAcceptable")),
            (406, true),
            "{only}: {}",
            answer.text
        );
    }
    let missing = ask(&server, "GET", &format!("{list}/none"), "*/*", None).await;
    assert_eq!(
        (missing.status, missing.text.contains("secrets \\\"none\\\" not found")),
        (404, true),
        "{}",
        missing.text
    );

    // what is written is echoed, and what was redacted is not written back
    let patch = |text: &str| Some(("application/merge-patch+json", text.to_owned()));
    let patched =
        ask(&server, "PATCH", &one, "*/*", patch(r#"{"stringData":{"added":"another-value"}}"#)).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    holds_no_value("an echo", &patched.text);
    let put = ask(&server, "PUT", &one, "*/*", Some(("application/json", whole.to_string()))).await;
    assert_eq!((put.status, put.text.contains("redacted for you")), (400, true), "{}", put.text);
    let kept = plane.get(ns, "secret/vault").expect("it is there");
    assert_eq!(kept["data"]["password"], STANDARD.encode(PLANTED));
    assert_eq!(kept["data"]["added"], STANDARD.encode("another-value"));
    let gone = ask(&server, "DELETE", &list, "*/*", None).await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    holds_no_value("what was deleted", &gone.text);
    plane.wait_for("its end", Duration::from_secs(10), || {
        plane.get(ns, "secret/vault").is_none().then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_the_permission_gets_them_as_they_are() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("plain");
    let ns: &str = &namespace;
    plane.kubectl(&[
        "create",
        "secret",
        "generic",
        "vault",
        "-n",
        ns,
        &format!("--from-literal=password={PLANTED}"),
    ]);
    let server = serve("all");
    let one = format!("/api/v1/namespaces/{ns}/secrets/vault");
    let answer = ask(&server, "GET", &one, "application/json", None).await;
    assert!(answer.text.contains(&STANDARD.encode(PLANTED)), "{}", answer.text);
    let yaml = ask(&server, "GET", &one, "application/yaml", None).await;
    assert!(yaml.kind.starts_with("application/yaml"), "as it was asked for: {}", yaml.kind);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_says_against_a_change_quotes_no_value() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("quoted");
    let ns: &str = &namespace;
    // of which nothing is known by its shape
    plane.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{namespace: {ns}, name: vault}}\nstringData: {{password: {PLANTED}, user: bob}}\n"
    ));
    let server = serve("nobody");
    let list = format!("/api/v1/namespaces/{ns}/secrets");
    let one = format!("{list}/vault");
    let (merge, strategic) = ("application/merge-patch+json", "application/strategic-merge-patch+json");
    let typo = r#"{"dta":{"c":9}}"#;
    for (kind, query, body) in [
        (merge, "", r#"{"data":{"c":9}}"#),
        (merge, "?fieldValidation=Strict", typo),
        (strategic, "?fieldValidation=Strict", typo),
        (strategic, "?dryRun=All", r#"{"data":{"c":"%"}}"#),
        (merge, "", r#"{"metadata":{"labels":{"a":"no label"}}}"#),
        (merge, "", r#"{"type":"another"}"#),
        ("application/json-patch+json", "", r#"[{"op":"add","path":"/data/c","value":9}]"#),
    ] {
        let what = format!("{kind} {body}");
        let answer =
            ask(&server, "PATCH", &format!("{one}{query}"), "*/*", Some((kind, body.to_owned()))).await;
        assert!([400, 422].contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
        holds_no_value(&what, &answer.text);
        assert!(!answer.text.contains("Ym9i"), "{what}: {}", answer.text);
        let status: Value = serde_json::from_str(&answer.text).expect("a Status");
        assert_eq!((&status["kind"], &status["code"]), (&json!("Status"), &json!(answer.status)), "{status}");
        let said = status["message"].as_str().unwrap_or_default();
        assert!(said.contains("withheld") && said.contains("kubernetes.secrets.read"), "{what}: {status}");
        assert!(status["reason"].is_string(), "{what}: {status}");
    }
    // what can quote none is said
    let exists = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault"}}).to_string();
    let answer = ask(&server, "POST", &list, "*/*", Some(("application/json", exists))).await;
    assert_eq!((answer.status, answer.text.contains("already exists")), (409, true), "{}", answer.text);
    let stale = r#"{"metadata":{"resourceVersion":"1"},"data":{"a":"Yg=="}}"#.to_owned();
    let answer = ask(&server, "PATCH", &one, "*/*", Some((merge, stale))).await;
    assert_eq!((answer.status, answer.text.contains("has been modified")), (409, true), "{}", answer.text);

    // whoever may read them is told all
    let server = serve("all");
    let answer = ask(&server, "PATCH", &one, "*/*", Some((merge, r#"{"data":{"c":9}}"#.to_owned()))).await;
    assert_eq!((answer.status, answer.text.contains("Ym9i")), (422, true), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_reads_values_is_not_sent_for_who_may_not_read_them() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("reading");
    let ns: &str = &namespace;
    plane.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{namespace: {ns}, name: vault}}\nstringData: {{user: bob}}\n"
    ));
    let server = serve("nobody");
    let one = format!("/api/v1/namespaces/{ns}/secrets/vault");
    let patch = "application/json-patch+json";
    let copy = r#"[{"op":"copy","from":"/data/user","path":"/metadata/labels"}]"#;
    let mark = plane.audit_mark();
    for (kind, body, refused) in [
        (patch, copy, 403),
        (patch, r#"[{"op":"move","from":"/data/user","path":"/metadata/labels/a"}]"#, 403),
        (
            patch,
            r#"[{"op":"remove","path":"/data/x"},{"op":"test","path":"/data/user","value":"Ym9i"}]"#,
            403,
        ),
        (patch, r#"[{"\u006fp":"t\u0065st","path":"/data/user","value":"Ym9i"}]"#, 403),
        (patch, r#"[{"op":"copy","op":"add","from":"/data/user","path":"/metadata/labels/a"}]"#, 403),
        (patch, r#"[{"op":"add","op":"copy","from":"/data/user","path":"/metadata/labels/a"}]"#, 403),
        (patch, r#"[{"OP":"COPY","from":"/data/user","path":"/metadata/labels/a"}]"#, 403),
        ("application/json-patch+json; charset=utf-8", copy, 403),
        ("application/json-patch+json;", copy, 403),
        ("Application/JSON-Patch+JSON", copy, 403),
        (patch, "\u{feff}[]", 400),
        (patch, r#"{"op":"copy"}"#, 400),
        (patch, r#"[{"op":"copy""#, 400),
        (patch, "[null]", 400),
        ("text/plain", copy, 400),
        ("application/merge-patch+json, application/json-patch+json", copy, 400),
    ] {
        let answer = ask(&server, "PATCH", &one, "*/*", Some((kind, body.to_owned()))).await;
        assert_eq!(answer.status, refused, "{kind} {body}: {}", answer.text);
        assert!(!answer.text.contains("Ym9i"), "{kind} {body}: {}", answer.text);
    }
    let sent: Vec<_> =
        plane.audit_since(mark, "platform-mcp").into_iter().filter(|line| line.uri.contains(ns)).collect();
    assert!(sent.iter().all(|line| line.verb != "patch"), "{sent:?}");
    // what only writes is sent
    let add = r#"[{"op":"add","path":"/data/other","value":"YQ=="},{"op":"replace","path":"/data/other","value":"Yg=="}]"#;
    let answer = ask(&server, "PATCH", &one, "*/*", Some((patch, add.to_owned()))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(plane.get(ns, "secret/vault").expect("it is there")["data"]["other"], "Yg==");
    let server = serve("all");
    let copy = r#"[{"op":"copy","from":"/data/user","path":"/data/copied"}]"#;
    let answer = ask(&server, "PATCH", &one, "*/*", Some((patch, copy.to_owned()))).await;
    assert_eq!((answer.status, answer.text.contains("Ym9i")), (200, true), "{}", answer.text);
}
