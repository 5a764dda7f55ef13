use super::*;

fn shown(text: &str) -> String {
    Written::read(text).text()
}

fn told(before: &str, after: &str) -> Vec<String> {
    Written::read(before).differences(&Written::read(after)).iter().map(ToString::to_string).collect()
}

#[test]
fn values_are_shown_without_comments_and_secrets() {
    let text = "# password is planted-0\npack:\n  namespace: web # planted-1\ncharts:\n  app:\n    adminPassword: planted-2\n    \
                replicas: 2\n    env:\n    - {name: API_TOKEN, value: planted-3}\n    extra: |\n      apiVersion: v1\n      kind: \
                Secret\n      stringData:\n        anything: planted-4\n    url: postgres://u:planted-5@db/x\n";
    let shown = shown(text);
    assert!(!shown.contains("planted"), "{shown}");
    for kept in ["namespace: web", "replicas: 2", "kind: Secret", "adminPassword:"] {
        assert!(shown.contains(kept), "{kept} in {shown}");
    }
}

#[test]
fn several_documents_keep_their_order_and_lose_secrets_of_any_version() {
    let text = "kind: Secret\nmetadata: {name: a}\ndata: {x: planted-1}\n---\n# planted-2\napiVersion: v1\nkind: List\nitems:\n- \
                {apiVersion: v1, kind: Secret, stringData: {y: planted-3}}\n---\nkind: ConfigMap\ndata: {z: kept}\n";
    let shown = shown(text);
    assert!(!shown.contains("planted") && shown.contains("kept"), "{shown}");
    assert!(shown.find("kind: Secret") < shown.find("kind: List"), "{shown}");
}

#[test]
fn what_is_no_yaml_is_shown_by_line_or_by_size() {
    let written = Written::read("port: {{ .spectro.var.port }}\n\tpassword: planted\n");
    assert!(written.note().expect("a note").contains("line by line"));
    assert!(!written.text().contains("planted"), "{}", written.text());
    let opaque = Written::read("kind: Secret\n\tx: {{ planted }}");
    assert_eq!(opaque.text(), "<redacted:30 bytes>");
    let large = format!("a: {}", "x ".repeat(300 << 10));
    assert_eq!(Written::read(&large).text(), redacted(large.len()));
}

#[test]
fn a_change_is_told_by_its_path_and_a_secret_only_said_to_change() {
    let before = "a: 1\nb: {password: planted-1, x: 1}\nc: |\n  k: v\n  token: planted-3\n";
    let after = "a: 2\nb: {password: planted-2, x: 1}\nc: |\n  k: w\n  token: planted-4\n";
    let told = told(before, after);
    assert!(!told.concat().contains("planted"), "{told:?}");
    assert!(told.contains(&"~ a: 1 → 2".to_owned()), "{told:?}");
    assert!(told.contains(&"~ b.password: <redacted> → <redacted>".to_owned()), "{told:?}");
    assert!(told.contains(&"~ c.k: v → w".to_owned()), "a text that is YAML itself: {told:?}");
    assert!(told.contains(&"~ c.token: <redacted> → <redacted>".to_owned()), "{told:?}");
}

#[test]
fn comments_and_order_are_no_difference() {
    assert!(told("a: 1\nb: 2 # x\n", "# y\nb: 2\na: 1\n").is_empty());
}

#[test]
fn members_below_a_secret_name_are_not_named_by_their_values() {
    let list = |id: &str| format!("credentials:\n- id: {id}\n  key: k\n");
    let told = told(&list("planted-1"), &list("planted-2"));
    assert_eq!(told, ["~ credentials: <redacted> → <redacted>"]);
}

#[test]
fn objects_of_a_manifest_are_known_by_their_names() {
    let object =
        |name: &str, n: u8| format!("kind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{n: {n}}}\n");
    let before = format!("{}---\n{}", object("a", 1), object("b", 1));
    let after = format!("{}---\n{}", object("b", 2), object("a", 1));
    assert_eq!(told(&before, &after), ["~ [\"ConfigMap/b\"].data.n: 1 → 2"]);
}

#[test]
fn texts_that_are_no_yaml_differ_by_their_lines() {
    let told = told("a: {{ x }}\n\tb: 1\npassword: planted-1", "a: {{ x }}\n\tb: 2\npassword: planted-1");
    assert_eq!(told, ["- (text): b: 1", "+ (text): b: 2"]);
}
