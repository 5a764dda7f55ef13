//! Headers that say what they should not.

use aws_lc_rs::hmac;
use serde_json::json;

use super::table::{ABSENT, TAKEN, Table};
use crate::forge::With;
use crate::issuer::Issuer;
use crate::keys::{Alg, Key};

/// What may stand in a header, and what makes it another one. `evil` is where some of them point to.
pub(super) fn members(table: &mut Table<'_>, evil: &Issuer) {
    for good in [
        json!({}),
        json!({"typ": "application/at+jwt"}),
        json!({"typ": "AT+JWT"}),
        json!({"x5t": "AAAA", "x5t#S256": "AAAA", "cty": "json", "planted": 1}),
    ] {
        table.header(good, TAKEN);
    }
    for forged in [
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"b64": false}),
        json!({"b64": true}),
        json!({"zip": "DEF"}),
        json!({"enc": "A256GCM"}),
        json!({"epk": {}}),
        json!({"cty": "JWT"}),
        json!({"cty": "application/jwt"}),
        json!({"cty": 1}),
        json!({"kid": null}),
        json!({"kid": 1}),
        json!({"kid": ["rs256-1"]}),
        json!({"kid": {"kid": "rs256-1"}}),
    ] {
        table.header(forged, "malformed");
    }
    // each of them waits until the issuer may be asked for it: few are enough
    for unknown in ["", "planted", "RS256-1", "../../../../etc/passwd", &"k".repeat(10_000)] {
        table.header(json!({"kid": unknown}), "key");
    }
    brought(table, evil);
}

/// Tokens that bring the key that signed them, or say where it is.
fn brought(table: &mut Table<'_>, evil: &Issuer) {
    let theirs = evil.forge();
    let key = theirs.key(Alg::Rs256);
    for (member, value) in [
        ("jku", json!(evil.jwks_url())),
        ("x5u", json!(evil.jwks_url())),
        ("jwk", key.jwk()),
        ("x5c", json!([key.public_pem()])),
        ("JKU", json!(evil.jwks_url())),
    ] {
        for kid in [json!(key.kid), json!(ABSENT)] {
            let mut header = json!({"alg": "RS256", "typ": "at+jwt"});
            if kid != json!(ABSENT) {
                header["kid"] = kid.clone();
            }
            header[member] = value.clone();
            let token = table.forge.sign(&header, &table.claims_of_alice(), With::Key(key, Alg::Rs256));
            // names are exact: JKU is nothing to anybody
            let end = if member == "JKU" { "signature" } else { "malformed" };
            table.token(format!("{member} of whoever signed it, kid {kid}"), &token, end);
        }
    }
}

/// `alg` against what the key is and what it signed.
pub(super) fn algorithms(table: &mut Table<'_>) {
    for alg in [Alg::Rs256, Alg::Es256, Alg::Ps256, Alg::EdDsa] {
        let good = table.good(alg).join(".");
        table.token(format!("good {alg:?}"), &good, TAKEN);
    }
    for none in ["none", "None", "NONE", "nOnE", "", "none ", "RS256 ", "rs256", "HS256", "ES256K", "RS1"] {
        table.header(json!({"alg": none}), "algorithm");
    }
    for odd in
        [json!(null), json!(ABSENT), json!(["RS256"]), json!(256), json!({"name": "RS256"}), json!(true)]
    {
        table.header(json!({"alg": odd}), "algorithm");
    }
    for name in ["none", "None", "RS256"] {
        let header = json!({"alg": name, "typ": "at+jwt"});
        let unsigned = table.forge.sign(&header, &table.claims_of_alice(), With::Bytes(b""));
        table.token(format!("alg {name} and no signature"), &unsigned, "malformed");
        let without = unsigned.trim_end_matches('.').to_owned();
        table.token(format!("alg {name} and not even a dot"), &without, "malformed");
        let header = json!({"alg": name, "typ": "at+jwt", "kid": "rs256-1"});
        let other = table.forge.sign(&header, &table.claims_of_alice(), With::Bytes(&[0]));
        let end = if name == "RS256" { "signature" } else { "algorithm" };
        table.token(format!("alg {name} and a byte for a signature"), &other, end);
    }
    secrets(table);
    swaps(table);
}

/// The public key, which everybody has, as the secret of an HMAC.
fn secrets(table: &mut Table<'_>) {
    let forge = table.forge;
    let public = forge.key(Alg::Rs256);
    let (pem, jwk) = (public.public_pem(), public.jwk());
    let modulus = super::table::decoded(jwk["n"].as_str().expect("n"));
    let set = json!({"keys": [jwk]}).to_string();
    for (name, algorithm) in
        [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
    {
        for (form, secret) in [
            ("PEM", pem.as_bytes()),
            ("trimmed PEM", pem.trim().as_bytes()),
            ("DER", &public.public_der()),
            ("JWK", jwk.to_string().as_bytes()),
            ("JWKS", set.as_bytes()),
            ("modulus", &modulus),
            ("nothing", b""),
            ("kid", b"rs256-1"),
        ] {
            let header = json!({"alg": name, "typ": "at+jwt", "kid": "rs256-1"});
            let token = forge.sign(&header, &table.claims_of_alice(), With::Hmac(algorithm, secret));
            table.token(format!("{name} with the public key as {form}"), &token, "algorithm");
        }
    }
    // and with an honest-looking alg
    let token = forge.sign(
        &forge.header(Alg::Rs256),
        &table.claims_of_alice(),
        With::Hmac(hmac::HMAC_SHA256, pem.as_bytes()),
    );
    table.token("RS256 that is an HMAC", &token, "signature");
}

/// Good keys, and another algorithm than theirs.
fn swaps(table: &mut Table<'_>) {
    let forge = table.forge;
    let (rsa, pss) = (forge.key(Alg::Rs256), forge.key(Alg::Ps256));
    for (says, kid, key, signs, end) in [
        ("ES256", "rs256-1", rsa, Alg::Rs256, "key"),
        ("PS256", "rs256-1", rsa, Alg::Rs256, "key"),
        ("PS256", "rs256-1", rsa, Alg::Ps256, "key"),
        ("EdDSA", "rs256-1", rsa, Alg::Rs256, "key"),
        ("RS256", "ps256-1", pss, Alg::Ps256, "key"),
        ("RS256", "ps256-1", pss, Alg::Rs256, "key"),
        ("RS256", "es256-1", rsa, Alg::Rs256, "key"),
        ("RS256", "rs256-1", rsa, Alg::Ps256, "signature"),
        ("RS256", "rs256-1", rsa, Alg::Rs512, "signature"),
        ("RS256", "rs256-1", pss, Alg::Rs256, "signature"),
        ("PS256", "ps256-1", pss, Alg::Rs256, "signature"),
        ("RS384", "rs256-1", rsa, Alg::Rs384, "algorithm"),
        ("RS512", "rs256-1", rsa, Alg::Rs512, "algorithm"),
        ("ES256", "es256-1", rsa, Alg::Rs256, "signature"),
        ("EdDSA", "eddsa-1", rsa, Alg::Rs256, "signature"),
        ("ES384", "es256-1", forge.key(Alg::Es256), Alg::Es256, "key"),
        ("ES512", "es256-1", forge.key(Alg::Es256), Alg::Es256, "algorithm"),
        ("ES256", "eddsa-1", forge.key(Alg::EdDsa), Alg::EdDsa, "key"),
        ("Ed25519", "eddsa-1", forge.key(Alg::EdDsa), Alg::EdDsa, "algorithm"),
        ("HS256", "es256-1", forge.key(Alg::Es256), Alg::Es256, "algorithm"),
    ] {
        let header = json!({"alg": says, "typ": "at+jwt", "kid": kid});
        let token = forge.sign(&header, &table.claims_of_alice(), With::Key(key, signs));
        table.token(format!("says {says} with {kid}, signed {signs:?} by {}", key.kid), &token, end);
    }
    for alg in [Alg::Rs256, Alg::Es256, Alg::Ps256, Alg::EdDsa] {
        let stranger = Key::new(alg, &*forge.key(alg).kid);
        let token = forge.sign(&forge.header(alg), &table.claims_of_alice(), With::Key(&stranger, alg));
        table.token(format!("{alg:?} by a stranger's key of the same name"), &token, "signature");
    }
}
