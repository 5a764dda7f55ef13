//! A good token where it must not be, and beside others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::table::{NO_TOKEN, PLANTED, Sent, TAKEN, Table};
use crate::forge::With;
use crate::keys::{Alg, Key};

pub(super) fn wrong(table: &mut Table<'_>) {
    schemes(table);
    let good = table.good(Alg::Rs256).join(".");
    let bearer = format!("Bearer {good}");
    for (name, value) in [
        ("x-forwarded-access-token", good.clone()),
        ("x-access-token", good.clone()),
        ("x-auth-token", good.clone()),
        ("x-api-key", good.clone()),
        ("x-authorization", bearer.clone()),
        ("x-forwarded-authorization", bearer.clone()),
        ("x-original-authorization", bearer.clone()),
        ("proxy-authorization", bearer.clone()),
        ("mcp-authorization", bearer.clone()),
        ("authorisation", bearer.clone()),
        ("cookie", format!("access_token={good}; authorization={bearer}")),
        ("sec-websocket-protocol", format!("base64url.bearer.authorization, {good}")),
        ("x-forwarded-user", "alice".to_owned()),
        ("x-remote-user", "alice".to_owned()),
        ("impersonate-user", "alice".to_owned()),
    ] {
        table.row(format!("in {name}"), Sent::header(name, value), NO_TOKEN);
    }
    let form = Sent { form: Some(format!("access_token={good}")), ..Sent::default() };
    table.row("in a form", form, NO_TOKEN);
    table.row("nowhere", Sent::default(), NO_TOKEN);
    for query in ["access_token", "ACCESS_TOKEN", "access%5Ftoken", "token", "id_token", "x=1&access_token"] {
        let path = format!("?{query}={good}");
        table.row(format!("in the query as {query}"), Sent::default().at(&path), "credential");
        let both = Sent::bearer(&good).at(&path);
        table.row(format!("in the header and in the query as {query}"), both, "credential");
    }
    for method in ["GET", "DELETE", "PUT", "PATCH"] {
        let sent = Sent { method: Some(method), ..Sent::bearer(PLANTED) };
        table.row(format!("{method} with no good token"), sent, "malformed");
    }
    table.row("at the path with a slash", Sent::bearer(PLANTED).at("/"), "malformed");
}

fn schemes(table: &mut Table<'_>) {
    let good = table.good(Alg::Rs256).join(".");
    let pair = |user: &str| STANDARD.encode(format!("{user}:{good}"));
    for scheme in ["Bearer", "bearer", "BEARER", "bEARER"] {
        let sent = Sent::header("authorization", format!("{scheme} {good}"));
        table.row(format!("scheme {scheme}"), sent, TAKEN);
    }
    // RFC 9110 section 11.4: 1*SP; white space around a value is not part of it
    for (name, value) in [
        ("two spaces", format!("Bearer  {good}")),
        ("a space behind", format!("Bearer {good} ")),
        ("a tab before", format!("\tBearer {good}")),
    ] {
        table.row(format!("scheme with {name}"), Sent::header("authorization", value), TAKEN);
    }
    for value in [
        format!("Basic {}", pair("alice")),
        format!("Basic {}", pair("")),
        format!("Token {good}"),
        format!("JWT {good}"),
        format!("DPoP {good}"),
        format!("Negotiate {good}"),
        format!("MAC {good}"),
        format!("Bearer: {good}"),
        format!("Bearer={good}"),
        format!("Bearer{good}"),
        format!("Bearer\t{good}"),
        format!("Bearer token={good}"),
        format!("Bearer realm=\"x\", {good}"),
        format!("Bearer {good},"),
        format!("Bearer ,{good}"),
        format!("Bearer {good},{good}"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {good}, Basic {}", pair("alice")),
        format!("Bearer {good} {good}"),
        format!("Bearer Bearer {good}"),
        format!("Bearer {good};a=b"),
        format!("Bearer {good}\u{e9}"),
        format!("\u{e9}Bearer {good}"),
        format!(" {good}"),
        good.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer =".to_owned(),
        "Bearer null undefined".to_owned(),
        String::new(),
    ] {
        let name = value.replace(&good, "TOKEN");
        table.row(format!("as {name:?}"), Sent::header("authorization", value), "credential");
    }
    for made_up in ["null", "undefined", "Bearer", "admin", "0", "e30.e30.e30"] {
        let end = if made_up.contains('.') { "issuer" } else { "malformed" };
        table.token(format!("the token {made_up:?}"), made_up, end);
    }
}

/// More than one `Authorization`.
pub(super) fn several(table: &mut Table<'_>) {
    let good = format!("Bearer {}", table.good(Alg::Rs256).join("."));
    let stranger = Key::new(Alg::Rs256, "rs256-1");
    let (header, claims) = (table.forge.header(Alg::Rs256), table.claims_of_alice());
    let bad = format!("Bearer {}", table.forge.sign(&header, &claims, With::Key(&stranger, Alg::Rs256)));
    let basic = format!("Basic {}", STANDARD.encode("alice:planted"));
    for (name, values) in [
        ("the same twice", vec![&good, &good]),
        ("a good one and a bad one", vec![&good, &bad]),
        ("a bad one and a good one", vec![&bad, &good]),
        ("a good one and Basic", vec![&good, &basic]),
        ("Basic and a good one", vec![&basic, &good]),
        ("three", vec![&good, &good, &good]),
    ] {
        let sent = values.into_iter().fold(Sent::default(), |sent, value| sent.and("authorization", value));
        table.row(format!("Authorization headers: {name}"), sent, "credential");
    }
    let beside = Sent::header("authorization", &good).and("cookie", "access_token=planted");
    table.row("a good one beside a cookie", beside, TAKEN);
    let beside = Sent::header("authorization", &good).and("proxy-authorization", &bad);
    table.row("a good one beside a bad one for the proxy", beside, TAKEN);
}
