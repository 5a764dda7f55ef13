//! `check --as` and `check --claims`: what a caller could do and why, before anybody tries.

use serde_json::{Value, json};

use crate::{
    forge::{With, now},
    issuer::Issuer,
    keys::Alg,
    server::Product,
};

const RULES: &str = r#"[
    {name: team a, when: {groups: [team-a, "ops-*"]}, roles: [viewer], within: {namespaces: [team-a]}},
    {name: admins, when: {groups: platform-admins}, roles: [admin]},
    {name: no events, when: {realm.roles: contractor}, deny: ["*.show-events"]},
]"#;

fn configured(issuer: &Issuer) -> String {
    let entry = issuer.entry(RULES);
    let entry = entry.trim_end_matches('}');
    format!("issuers: [{entry}, scopes: {{'kro:graph': [kro.resource-graph.show]}}}}]\n")
}

struct Explained {
    code: i32,
    out: String,
    err: String,
}

/// Runs `check` with a file that holds this text.
fn explain(config: &str, flag: &str, text: &str, more: &[&str]) -> Explained {
    let file = if flag == "--claims" { "@whom" } else { "whom" };
    let product = Product::new(["check", flag, file].iter().chain(more)).config(config);
    product.write("whom", text);
    let output = product.output();
    Explained {
        code: output.status.code().expect("it ended by itself"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_good_token_is_explained_rule_by_rule() {
    let issuer = Issuer::start();
    let token = issuer.forge().good("alice");
    let explained = explain(&configured(&issuer), "--as", &format!("Bearer {token}\n"), &[]);
    assert_eq!((explained.code, explained.err.as_str()), (0, ""), "{}", explained.out);
    let first = explained.out.lines().next().expect("a line");
    has(first, &["ok", "the token is good until 20", "logs call it "]);
    has(
        &explained.out,
        &[
            &format!("issuer: {}", issuer.url()),
            "caller: alice, in team-a",
            "clusters see over HTTP, where nothing else is configured: oidc:alice, in oidc:team-a",
            "yes   rule \"team a\" (rules[0]): groups has \"team-a\"\n",
            "gives within namespaces team-a: 19 permissions (role viewer)",
            "no    rule \"admins\" (rules[1]): groups: wanted \"platform-admins\"; there is \"team-a\"",
            "would give everywhere: 30 permissions (role admin)",
            "no    rule \"no events\" (rules[2]): realm.roles: wanted \"contractor\"; the token has no such claim",
            "no    scope \"kro:graph\"",
            "permissions within namespaces team-a: kro.",
            "kro_graph kro_instances kro_overview kro_resources ",
        ],
    );
    assert!(!explained.out.contains(&token) && !explained.out.contains("eyJ"), "{}", explained.out);
}

#[test]
fn a_token_that_would_be_refused_is_explained_and_the_first_line_says_why() {
    let issuer = Issuer::start();
    let forge = issuer.forge();
    let mut claims = forge.claims("carol");
    claims["exp"] = json!(now() - 3600);
    let expired = forge.claiming(&claims);
    let header = forge.header(Alg::Rs256);
    let unsigned = forge.sign(&header, &forge.claims("carol"), With::Bytes(b"not a signature"));
    let mut claims = forge.claims("carol");
    claims["aud"] = json!("https://somebody.else");
    let foreign = forge.claiming(&claims);
    for (token, why) in [
        (expired, "it would be refused: expired"),
        (unsigned, "it would be refused: the signature is not the issuer's"),
        (foreign, "it would be refused: none of its audiences is ours"),
    ] {
        let explained = explain(&configured(&issuer), "--as", &token, &[]);
        assert_eq!((explained.code, explained.err.as_str()), (1, ""), "{why}: {}", explained.out);
        let first = explained.out.lines().next().expect("a line");
        has(first, &["fail", why]);
        has(
            &explained.out,
            &["caller: carol, in platform-admins", "yes   rule \"admins\"", "permissions everywhere"],
        );
        assert!(!explained.out.contains("eyJ"), "{}", explained.out);
    }
}

#[test]
fn what_is_no_token_of_a_configured_issuer_is_refused_at_once() {
    let (issuer, other) = (Issuer::start(), Issuer::start());
    let config = configured(&issuer);
    for (text, said) in [
        ("", "it would be refused: malformed"),
        ("one two three", "it would be refused: malformed"),
        (other.forge().good("alice").as_str(), "no configured issuer is \"https://127.0.0.1:"),
    ] {
        let explained = explain(&config, "--as", text, &[]);
        assert_eq!((explained.code, explained.out.as_str()), (1, ""), "{}", explained.err);
        has(&explained.err, &[said]);
        assert!(!explained.err.contains("eyJ"), "{}", explained.err);
    }
    let token = issuer.forge().good("alice");
    let ran = Product::new(["check", "--as", &token]).config(&config).output();
    let err = String::from_utf8(ran.stderr).expect("UTF-8");
    assert_eq!(ran.status.code(), Some(2), "{err}");
    assert!(err.contains("takes the name of a file") && !err.contains(&token), "{err}");
    let none = explain("", "--as", &token, &[]);
    assert_eq!(none.code, 2);
    has(&none.err, &["no issuer is configured"]);
}

#[test]
fn claims_are_explained_without_a_token() {
    let issuer = Issuer::start();
    let config = configured(&issuer);
    let told = explain(&config, "--claims", r#"{"sub": "me", "groups": ["ops-eu"], "scope": "openid"}"#, &[]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{}", told.out);
    has(
        &told.out,
        &[
            "ok    the claims are taken as they are written",
            "caller: me, in ops-eu",
            "groups has \"ops-eu\" (wanted \"ops-*\")",
            "no    scope \"kro:graph\" (scopes.kro:graph): the token has the scopes \"openid\"",
        ],
    );
    let odd =
        explain(&config, "--claims", r#"{"groups": ["x"], "realm": {"roles": {"contractor": 1}}}"#, &[]);
    has(
        &odd.out,
        &[
            "?     rule \"no events\" (rules[2]): realm.roles cannot be judged",
            "takes everywhere: kro.rgds.show-events kro.instances.show-events kro.resources.show-events (deny)",
            "permissions: none",
            "no tool kro_graph: it needs kro.resource-graph.show; the scope kro:graph would give it",
            "no tool kubernetes_clusters: it needs kubernetes.clusters.read\n",
            "tools: whoami\n",
        ],
    );
    for (claims, why) in [
        (r#"{"groups": ["ops-eu"]}"#, "fail  it would be refused: claim sub: absent"),
        (r#"{"sub": 1}"#, "fail  it would be refused: claim sub: not a string"),
        (r#"{"sub": "me", "groups": "ops-eu"}"#, "fail  it would be refused: claim groups: not a list"),
    ] {
        let lacking = explain(&config, "--claims", claims, &[]);
        assert_eq!(lacking.code, 1, "{claims}: {}", lacking.out);
        has(&lacking.out, &[why, "caller: the claims do not say who it is", "rule \"team a\""]);
    }
    let system = explain(&config, "--claims", r#"{"sub": "me", "groups": ["system:masters"]}"#, &[]);
    assert_eq!(system.code, 1);
    has(&system.out, &["fail  it would be refused: a name that begins with \"system:\""]);
    for (wrong, said) in [
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
        (r#"{"iss": "https://nowhere"}"#, "no configured issuer is \"https://nowhere\", byte for byte"),
        (r#"{"iss": 1}"#, "iss must be a string"),
    ] {
        let refused = explain(&config, "--claims", wrong, &[]);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{wrong}");
        has(&refused.err, &[said]);
    }
}

#[test]
fn the_same_is_told_as_json() {
    let issuer = Issuer::start();
    let told =
        explain(&configured(&issuer), "--claims", r#"{"sub": "me", "groups": ["team-a"]}"#, &["--json"]);
    assert_eq!(told.code, 0, "{}", told.err);
    let told: Value = serde_json::from_str(&told.out).expect("JSON");
    assert_eq!(told["caller"]["cluster_user"], "oidc:me");
    assert_eq!((&told["rules"][0]["matches"], &told["rules"][1]["matches"]), (&json!("yes"), &json!("no")));
    assert_eq!(told["permissions"][0]["within"], "within namespaces team-a");
}

#[test]
fn a_rule_for_a_cluster_that_nobody_knows_is_warned_of() {
    let issuer = Issuer::start();
    let entry = issuer.entry(r#"[{name: not there, deny: ["*"], within: {clusters: [prd, "de*"]}}]"#);
    let config =
        format!("clusters: {{static: [{{name: dev, url: 'https://127.0.0.1:1'}}]}}\nissuers: [{entry}]\n");
    let output = Product::new(["check"]).config(&config).output();
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    let about: Vec<&str> = out.lines().filter(|line| line.contains("not there")).collect();
    assert_eq!(about.len(), 1, "{out}");
    has(about[0], &["warn", "rule \"not there\": within.clusters: no cluster is called \"prd\""]);
}
