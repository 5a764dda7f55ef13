//! Claims of tokens that the issuer itself signed, and that are not for us, not now, or of nobody.

use serde_json::{Value, json};

use super::table::{ABSENT, TAKEN, Table};
use crate::forge::{AUDIENCE, With, now};
use crate::issuer::Issuer;
use crate::keys::Alg;

pub(super) fn audiences(table: &mut Table<'_>) {
    for good in [json!([AUDIENCE]), json!(["https://planted.test", AUDIENCE])] {
        table.claims(json!({"aud": good}), TAKEN);
    }
    for wrong in [
        json!(ABSENT),
        json!(""),
        json!([]),
        json!([""]),
        json!("https://planted.test"),
        json!(["https://planted.test", "account"]),
        json!(format!("{AUDIENCE}/")),
        json!(AUDIENCE.to_uppercase()),
        json!(AUDIENCE.replace("https", "HTTPS")),
        json!(AUDIENCE.replace("https", "http")),
        json!(AUDIENCE.replace("/mcp", "")),
        json!(AUDIENCE.replace(".test", ".test:443")),
        json!(format!("{AUDIENCE}?")),
        json!(format!("{AUDIENCE}#planted")),
        json!(format!(" {AUDIENCE}")),
        json!(format!("{AUDIENCE} https://planted.test")),
        json!(format!("{AUDIENCE}\u{0}")),
        json!("*"),
        json!("platform-mcp"),
    ] {
        table.claims(json!({"aud": wrong}), "audience");
    }
    for odd in [
        json!(null),
        json!(7),
        json!(true),
        json!({"0": AUDIENCE}),
        json!([AUDIENCE, 1]),
        json!([AUDIENCE, null]),
        json!([[AUDIENCE]]),
    ] {
        table.claims(json!({"aud": odd}), "claim");
    }
    table.claims(json!({"aud": ABSENT, "Aud": AUDIENCE, "azp": AUDIENCE, "resource": AUDIENCE}), "audience");
}

/// `other` is configured too, and has keys of the same names.
pub(super) fn issuers(table: &mut Table<'_>, other: &Issuer, evil: &Issuer) {
    let ours = table.forge.issuer().to_owned();
    for odd in [
        json!(ABSENT),
        json!(null),
        json!(""),
        json!(7),
        json!([ours]),
        json!({"0": ours}),
        json!(format!("{ours}/")),
        json!(format!(" {ours}")),
        json!(format!("{ours}?")),
        json!(format!("{ours}/planted")),
        json!(format!("{ours}\u{0}")),
        json!(ours.replace("https", "HTTPS")),
        json!(ours.replace("https", "http")),
        json!(ours.replace("127.0.0.1", "localhost")),
        json!(ours.replace("https://", "https://planted@")),
        json!(evil.url()),
        json!("https://kubernetes.default.svc.cluster.local"),
        json!("kubernetes/serviceaccount"),
    ] {
        table.claims(json!({"iss": odd}), "issuer");
    }
    table.claims(json!({"iss": ABSENT, "Iss": ours, "ISS": ours}), "issuer");
    table.claims(json!({"Iss": evil.url(), "EXP": 1, "Sub": "bob"}), TAKEN);
    // each issuer with its own keys alone
    let mut theirs = table.claims_of_alice();
    theirs["iss"] = json!(other.url());
    table.token(
        "of another configured issuer, signed by this one",
        &table.forge.claiming(&theirs),
        "signature",
    );
    let forge = other.forge();
    let crossed = forge.claiming(&table.claims_of_alice());
    table.token("of this issuer, signed by another configured one", &crossed, "signature");
    let theirs = evil.forge();
    let wholly = theirs.good("alice");
    table.token("wholly of an issuer that is not configured", &wholly, "issuer");
    let named = theirs.sign(&theirs.header(Alg::Rs256), &table.claims_of_alice(), With::Own(Alg::Rs256));
    table.token("of this issuer, signed by a stranger with a key of the same name", &named, "signature");
}

pub(super) fn times(table: &mut Table<'_>) {
    let now = now();
    let year = 366 * 86_400;
    for good in [
        json!({"exp": now - 10}),
        json!({"nbf": now + 10, "iat": now + 10}),
        json!({"nbf": 0, "iat": 0}),
        json!({"exp": now as f64 + 300.75}),
        json!({"iat": ABSENT, "nbf": ABSENT}),
    ] {
        table.claims(good, TAKEN);
    }
    for (claims, end) in [
        (json!({"exp": now - 45}), "expired"),
        (json!({"exp": now - 3_600}), "expired"),
        (json!({"exp": 0}), "expired"),
        (json!({"exp": -1}), "expired"),
        (json!({"exp": -1e300}), "expired"),
        (json!({"exp": i64::MIN}), "expired"),
        (json!({"exp": now as f64 - 45.5}), "expired"),
        (json!({"exp": now + year + 86_400}), "lifetime"),
        (json!({"exp": now * 1_000}), "lifetime"),
        (json!({"exp": u64::MAX}), "lifetime"),
        (json!({"exp": 1e300}), "lifetime"),
        (json!({"nbf": now + 120}), "not_yet_valid"),
        (json!({"nbf": now + 50 * year}), "not_yet_valid"),
        (json!({"nbf": u64::MAX}), "not_yet_valid"),
        (json!({"nbf": 1e300}), "not_yet_valid"),
        (json!({"iat": now + 120}), "not_yet_valid"),
        (json!({"iat": now * 1_000}), "not_yet_valid"),
        (json!({"iat": now + 50 * year}), "not_yet_valid"),
    ] {
        table.claims(claims, end);
    }
    for odd in [json!(null), json!("9999999999"), json!("never"), json!(true), json!([now + 300]), json!({})]
    {
        for claim in ["exp", "nbf", "iat"] {
            table.claims(json!({claim: odd}), "claim");
        }
    }
    table.claims(json!({"exp": ABSENT}), "claim");
    table.claims(json!({"exp": ABSENT, "Exp": now + 300, "EXP": now + 300, "expires_in": 300}), "claim");
    table.text("exp of infinity", "\"exp\":", "\"exp\":1e999,\"was\":", "malformed");
    table.text("exp that is no number", "\"exp\":", "\"exp\":NaN,\"was\":", "malformed");
}

/// Who the caller is: names that are none, and names that are the API server's own.
pub(super) fn names(table: &mut Table<'_>) {
    for good in [json!({"jti": ABSENT}), json!({"preferred_username": 7, "email": "planted\n"})] {
        table.claims(good, TAKEN);
    }
    for odd in [
        json!(ABSENT),
        json!(null),
        json!(""),
        json!(7),
        json!(true),
        json!(["alice"]),
        json!({"name": "alice"}),
        json!(" alice"),
        json!("alice "),
        json!("   "),
        json!("planted\u{0}"),
        json!("planted\nImpersonate-Group: system:masters"),
        json!("planted\r\n"),
        json!("planted\u{1b}[31m"),
        json!("planted\u{7f}"),
        json!("planted\u{85}"),
        json!("planted\t"),
        json!("p".repeat(257)),
        json!("é".repeat(129)),
        json!("p".repeat(20_000)),
    ] {
        table.claims(json!({"sub": odd}), "claim");
    }
    table.claims(
        json!({"sub": ABSENT, "Sub": "alice", "SUB": "alice", "preferred_username": "alice"}),
        "claim",
    );
    for system in ["system:admin", "system:serviceaccount:kube-system:default", "system:", "system:anonymous"]
    {
        table.claims(json!({"sub": system}), "system_name");
    }
    for odd in [json!(null), json!(7), json!(["a"]), json!(""), json!("planted\u{7}"), json!("j".repeat(257))]
    {
        table.claims(json!({"jti": odd}), "claim");
    }
}

pub(super) fn groups(table: &mut Table<'_>) {
    for good in [json!(ABSENT), json!([]), json!(["team-a"]), json!(vec!["g"; 1_000])] {
        table.claims(json!({"groups": good}), TAKEN);
    }
    let ten_thousand: Vec<Value> = vec![json!("g"); 10_000];
    for odd in [
        json!(null),
        json!("planted"),
        json!(""),
        json!("team-a,platform-admins"),
        json!({"planted": true}),
        json!(7),
        json!(true),
        json!([["planted"]]),
        json!(["planted", 1]),
        json!(["planted", null]),
        json!(["planted", {"name": "planted"}]),
        json!(["planted", ""]),
        json!(["planted\r\nImpersonate-User: planted"]),
        json!(["planted\u{0}"]),
        json!([" system:masters"]),
        json!(["p".repeat(257)]),
        json!(vec!["g"; 1_001]),
        json!(ten_thousand),
    ] {
        table.claims(json!({"groups": odd}), "claim");
    }
    for system in
        ["system:masters", "system:authenticated", "system:unauthenticated", "system:nodes", "system:"]
    {
        table.claims(json!({"groups": ["team-a", system]}), "system_name");
    }
    table.claims(json!({"groups": ABSENT, "_claim_names": {"groups": "src1"}}), "claim");
    table.claims(
        json!({
            "groups": ABSENT, "_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": "https://planted.test/groups"}},
        }),
        "claim",
    );
    table.claims(json!({"groups": ABSENT, "hasgroups": true}), "claim");
}
