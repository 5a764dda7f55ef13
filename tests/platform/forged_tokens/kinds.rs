//! Every other kind of token that an issuer signs, with its own keys and for our audience.

use serde_json::{Value, json};

use super::table::{ABSENT, TAKEN, Table, changed};
use crate::forge::{AUDIENCE, With, now};
use crate::keys::Alg;

/// `typ` of tokens that give no access, as RFCs 7519, 8417, 9101, 9449, 9701 and others have them.
const TYPES: [&str; 20] = [
    "JWT",
    "jwt",
    "application/jwt",
    "logout+jwt",
    "application/logout+jwt",
    "secevent+jwt",
    "dpop+jwt",
    "oauth-authz-req+jwt",
    "token-introspection+jwt",
    "client-authentication+jwt",
    "oauth-id-jag+jwt",
    "entity-statement+jwt",
    "statuslist+jwt",
    "kb+jwt",
    "vc+sd-jwt",
    "JOSE",
    "JWE",
    "at+jwt ",
    "application/application/at+jwt",
    "at+JWT;profile=planted",
];

/// Where only RFC 9068 access tokens are taken.
pub(super) fn by_header(table: &mut Table<'_>) {
    table.claims(json!({"typ": "Bearer", "nonce": "n", "scope": "openid", "act": {"sub": "bob"}}), TAKEN);
    for kind in TYPES {
        table.header(json!({"typ": kind}), "type");
    }
    for odd in [json!(ABSENT), json!(null), json!(""), json!(7), json!(["at+jwt"]), json!({"at+jwt": 1})] {
        table.header(json!({"typ": odd}), "type");
    }
    for (end, claims) in by_claims() {
        table.claims(claims, end);
    }
}

/// Where an issuer does not follow RFC 9068 and only claims tell: `types: [at+jwt, JWT, none]`.
pub(super) fn by_claims_alone(table: &mut Table<'_>) {
    for typ in [json!("JWT"), json!(ABSENT), json!("at+jwt")] {
        let mut header = table.forge.header(Alg::Rs256);
        header = changed(header, json!({"typ": typ}));
        let mut sign = |name: &str, changes: Value, end| {
            let claims = changed(table.claims_of_alice(), changes);
            let token = table.forge.sign(&header, &claims, With::Own(Alg::Rs256));
            table.token(format!("typ {typ}: {name}"), &token, end);
        };
        sign("a good one", json!({}), TAKEN);
        sign("as Keycloak says it", json!({"typ": "Bearer", "azp": "app", "nonce": "n"}), TAKEN);
        sign("as Cognito says it", json!({"token_use": "access"}), TAKEN);
        for (end, claims) in by_claims() {
            sign(&claims.to_string(), claims.clone(), end);
        }
        let client = json!({"iss": "app", "sub": "app", "aud": AUDIENCE, "exp": now() + 60});
        sign("a client's assertion", client, "issuer");
    }
    for kind in
        TYPES.into_iter().filter(|kind| !kind.to_ascii_lowercase().ends_with("/jwt") && *kind != "JWT")
    {
        let end = if kind == "jwt" { TAKEN } else { "type" };
        table.header(json!({"typ": kind}), end);
    }
}

/// What the claims of other tokens give away.
fn by_claims() -> Vec<(&'static str, Value)> {
    let logout = "http://schemas.openid.net/event/backchannel-logout";
    vec![
        ("bound", json!({"cnf": {"jkt": "AAAA"}})),
        ("bound", json!({"cnf": {"x5t#S256": "AAAA"}})),
        ("bound", json!({"cnf": {"jwk": {"kty": "EC"}}})),
        ("bound", json!({"cnf": {"kid": "planted"}})),
        ("bound", json!({"cnf": {}})),
        ("bound", json!({"cnf": null})),
        ("bound", json!({"cnf": "planted", "token_type": "DPoP"})),
        ("kind", json!({"nonce": "n"})),
        ("kind", json!({"nonce": null})),
        ("kind", json!({"at_hash": "AAAA"})),
        ("kind", json!({"c_hash": "AAAA"})),
        ("kind", json!({"s_hash": "AAAA", "typ": "Bearer"})),
        ("kind", json!({"events": {(logout): {}}, "sid": "planted"})),
        ("kind", json!({"events": {}})),
        ("kind", json!({"token_introspection": {"active": true, "sub": "alice"}})),
        ("kind", json!({"response_type": "code", "client_id": "planted"})),
        ("kind", json!({"redirect_uri": "https://planted.test"})),
        ("kind", json!({"request_uri": "https://planted.test"})),
        ("kind", json!({"code_challenge": "planted"})),
        ("kind", json!({"htm": "POST"})),
        ("kind", json!({"htu": "https://planted.test"})),
        ("kind", json!({"jwks": {"keys": []}})),
        ("kind", json!({"typ": "ID"})),
        ("kind", json!({"typ": "Refresh"})),
        ("kind", json!({"typ": "Offline"})),
        ("kind", json!({"typ": "Logout"})),
        ("kind", json!({"typ": "DPoP"})),
        ("kind", json!({"typ": "Serialized-ID"})),
        ("kind", json!({"token_use": "id"})),
        ("kind", json!({"token_use": "refresh"})),
        ("claim", json!({"typ": 7})),
        ("claim", json!({"typ": null})),
        ("claim", json!({"token_use": ["access"]})),
    ]
}

/// What the provider itself gave to someone who signed in at an app.
pub(super) fn signed_in(table: &mut Table<'_>, given: &Value) {
    let text = |name: &str| given[name].as_str().unwrap_or_else(|| panic!("{name}: {given}")).to_owned();
    table.token("the provider's own access token", &text("access_token"), TAKEN);
    table.token("the provider's own ID token", &text("id_token"), "type");
    table.token("the provider's own refresh token", &text("refresh_token"), "malformed");
    let mut parts: Vec<String> = text("id_token").split('.').map(str::to_owned).collect();
    let header = changed(table.forge.header(Alg::Rs256), json!({}));
    parts[0] = crate::forge::encode(header.to_string().as_bytes());
    table.token("the provider's own ID token under the header of an access token", &parts.join("."), "kind");
}

/// Keys that the issuer publishes, and that are not for this.
pub(super) fn unfit_keys(table: &mut Table<'_>, unfit: &crate::odd_keys::Unfit) {
    let header = json!({"kid": ABSENT});
    table.header(header, TAKEN);
    for (key, says, signs, end) in [
        (&unfit.small, "RS256", Alg::Rs256, "key"),
        (&unfit.encrypts, "RS256", Alg::Rs256, "key"),
        (&unfit.operates, "RS256", Alg::Rs256, "key"),
        (&unfit.other_alg, "RS256", Alg::Rs256, "key"),
        (&unfit.other_alg, "RS512", Alg::Rs512, "algorithm"),
        (&unfit.large_curve, "ES512", Alg::Es512, "algorithm"),
        (&unfit.large_curve, "ES256", Alg::Es512, "key"),
    ] {
        let header = json!({"alg": says, "typ": "at+jwt", "kid": key.kid});
        let token = table.forge.sign(&header, &table.claims_of_alice(), With::Key(key, signs));
        table.token(format!("says {says}, signed {signs:?} by the published key {}", key.kid), &token, end);
    }
    let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": "oct"});
    let secret = With::Hmac(aws_lc_rs::hmac::HMAC_SHA256, crate::odd_keys::OCT);
    let token = table.forge.sign(&header, &table.claims_of_alice(), secret);
    table.token("HS256 with the secret that the issuer published", &token, "algorithm");
}
