use secrecy::ExposeSecret as _;

use super::{
    super::made::{Made, context_name},
    *,
};

fn authority() -> String {
    let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).expect("a certificate");
    STANDARD.encode(made.cert.pem())
}

fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["user".to_owned()]).expect("a certificate");
    (STANDARD.encode(made.cert.pem()), STANDARD.encode(made.signing_key.serialize_pem()))
}

fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\npreferences: {{}}\nclusters:\n- name: k\n  cluster: {cluster}\n\
         contexts:\n- name: c\n  context: {{cluster: k, user: u}}\nusers:\n- name: u\n  user: {user}\n"
    )
}

fn read(text: &str) -> Result<Upstream, Unusable> {
    Upstream::read(text.as_bytes(), false)
}

fn secret(made: &Made) -> &str {
    match made {
        Made::Secret(text) => text.expose_secret(),
        Made::Open(text) => text,
    }
}

const SERVER: &str = "{server: \"https://a.example:6443\"}";

#[test]
fn a_kubeconfig_is_read_as_yaml_as_base64_and_as_a_json_string() {
    let yaml = kubeconfig(SERVER, "{token: t-1}");
    let encoded = STANDARD.encode(&yaml);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let json = serde_json::to_string(&yaml).expect("JSON");
    for text in [yaml.clone(), encoded.clone(), lines.join("\n"), json, format!("\u{feff}{yaml}")] {
        let read = read(&text).expect(&text);
        assert_eq!(read.server.url, "https://a.example:6443");
        assert!(read.user.expect("a user").has_credential() && read.dropped.is_empty(), "{:?}", read.dropped);
    }
}

#[test]
fn what_would_start_read_or_go_elsewhere_is_left_out_and_said() {
    let cluster = "{server: \"https://a.example\", proxy-url: \"http://evil.example\", insecure-skip-tls-verify: true, \
                   certificate-authority: /etc/passwd, tls-server-name: evil.example, disable-compression: false}";
    let user = "{token: t-planted, exec: {command: rm, args: [-rf]}, auth-provider: {name: gcp}, tokenFile: /etc/shadow, \
                client-certificate: /a, client-key: /b, username: u, password: p-planted, as: admin, as-groups: [x]}";
    let read = read(&kubeconfig(cluster, user)).expect("the rest is fine");
    for dropped in [
        "cluster.proxy-url",
        "cluster.insecure-skip-tls-verify",
        "cluster.certificate-authority",
        "cluster.tls-server-name",
        "user.exec",
        "user.auth-provider",
        "user.tokenFile",
        "user.client-certificate",
        "user.client-key",
        "user.username",
        "user.password",
        "user.as",
        "user.as-groups",
    ] {
        assert!(read.dropped.iter().any(|told| told == dropped), "{dropped} in {:?}", read.dropped);
    }
    let user = read.user.as_ref().expect("a user");
    assert!(user.starts);
    let made = Made::credential("prod-a", &read.server, user).expect("made");
    let text = secret(&made);
    for gone in ["evil", "passwd", "shadow", "rm", "gcp", "insecure", "proxy", "p-planted", "as:", "name: k"]
    {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    assert!(text.contains("token: t-planted") && text.contains("current-context: prod-a"), "{text}");
    assert!(!format!("{read:?} {made:?}").contains("planted"), "nothing secret in Debug");
}

#[test]
fn a_certificate_of_a_user_is_written_anew() {
    let (certificate, key) = pair();
    let user = format!("{{client-certificate-data: {certificate}, client-key-data: {key}}}");
    let read = read(&kubeconfig(SERVER, &user)).expect("fine");
    let written = Made::credential("x", &read.server, &read.user.expect("a user")).expect("made");
    let made: Value = serde_saphyr::from_str(secret(&written)).expect("YAML");
    let user = made.pointer("/users/0/user").expect("a user");
    for member in ["client-certificate-data", "client-key-data"] {
        let pem = STANDARD.decode(user[member].as_str().expect("text")).expect("base64");
        assert!(pem.starts_with(b"-----BEGIN "), "{member}");
    }
    for broken in [
        format!("{{client-certificate-data: {certificate}}}"),
        format!("{{client-certificate-data: {key}, client-key-data: {key}}}"),
        format!("{{client-certificate-data: {certificate}, client-key-data: {certificate}}}"),
        "{token: \"a b\"}".to_owned(),
        "{token: \"a\\nb\"}".to_owned(),
    ] {
        let read = self::read(&kubeconfig(SERVER, &broken)).expect("the server is fine");
        assert!(matches!(read.user, Err(Unusable::Credential(_))), "{broken}");
    }
}

#[test]
fn only_certificates_of_an_authority_are_taken() {
    let (_, key) = pair();
    let decode = |text: &str| STANDARD.decode(text).expect("base64");
    let mixed = STANDARD.encode([b"a comment\n".to_vec(), decode(&authority()), decode(&key)].concat());
    let with = |data: &str| {
        read(&kubeconfig(
            &format!("{{server: \"https://a.example\", certificate-authority-data: {data}}}"),
            "{}",
        ))
    };
    let read = with(&mixed).expect("it holds a certificate");
    assert!(read.server.authorities.contains("BEGIN CERTIFICATE"));
    assert!(!read.server.authorities.contains("PRIVATE") && !read.server.authorities.contains("comment"));
    for broken in ["bm9uZQ==", "'!'", "7", &key] {
        assert!(matches!(with(broken), Err(Unusable::Authority(_))), "{broken}");
    }
}

#[test]
fn of_several_clusters_the_current_context_is_meant_and_otherwise_none() {
    let two = |current: &str| {
        format!(
            "kind: Config\ncurrent-context: {current}\nclusters:\n- {{name: k, cluster: {{server: \"https://k.example\"}}}}\n\
             - {{name: l, cluster: {{server: \"https://l.example\"}}}}\ncontexts:\n- {{name: a, context: {{cluster: k, user: u}}}}\n\
             - {{name: b, context: {{cluster: l, user: u}}}}\nusers:\n- {{name: u, user: {{token: t}}}}\n"
        )
    };
    let read_b = read(&two("b")).expect("it says which");
    assert_eq!(read_b.server.url, "https://l.example");
    assert_eq!(read_b.dropped, ["1 other clusters", "1 other contexts"]);
    assert_eq!(read(&two("\"\"")).err(), Some(Unusable::Several(2, 2)));
    assert_eq!(read(&two("gone")).err(), Some(Unusable::Dangling("context")));
    let twice = two("b").replace("name: l", "name: k");
    assert_eq!(read(&twice).err(), Some(Unusable::Dangling("cluster")));
}

#[test]
fn what_is_no_kubeconfig_is_refused_without_a_word_of_it() {
    let started = std::time::Instant::now();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
    }
    let deep = format!("clusters: {}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let large = format!("clusters: {}", "x".repeat(300 << 10));
    for odd in [
        "",
        "<html>planted</html>",
        "planted",
        "cGxhbnRlZA==",
        "- planted",
        "{}",
        "kind: Planted",
        "kind: Config\nclusters: planted",
        "a: [planted",
        &bomb,
        &deep,
        &large,
        "a: 1\n---\nb: 2",
        "clusters: [{name: k}]",
        "clusters: [{name: k, cluster: {server: \"https://planted@x\"}}]",
    ] {
        let error = read(odd).expect_err("refused").to_string();
        assert!(!error.contains("planted"), "{error}");
    }
    assert!(matches!(read(&"x".repeat(LARGEST + 1)), Err(Unusable::Large(_))));
    assert!(Upstream::read(&[0xff, 0xfe], false).is_err());
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn contexts_have_names_of_our_own() {
    assert_eq!(context_name(["prod", "Team A", "pay/ments\n"]), "prod-team-a-pay-ments");
    assert_eq!(context_name(["", "💥"]), "palette");
}
