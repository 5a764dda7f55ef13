//! One odd thing at a time, in tokens that are good but for it.

use super::*;

#[tokio::test]
async fn what_a_token_may_leave_open_it_may() {
    let issuers = issuers(settings(), &published());
    for (header, claims) in [
        (json!({"alg": "EdDSA", "typ": "application/AT+JWT", "kid": "EdDSA"}), claims()),
        (json!({"alg": "EdDSA", "typ": "JWT", "kid": "EdDSA", "x5t": "AAAA", "cty": "json"}), claims()),
        (json!({"alg": "EdDSA", "typ": "at+jwt"}), claims()),
        (header(Alg::EdDsa), with(json!({"aud": ["other", "spare"]}))),
        (header(Alg::EdDsa), with(json!({"groups": null, "jti": null, "iat": null}))),
        (header(Alg::EdDsa), with(json!({"groups": []}))),
        (header(Alg::EdDsa), with(json!({"exp": at(-29)}))),
        (header(Alg::EdDsa), with(json!({"exp": 1_795_176_000.5}))),
        (header(Alg::EdDsa), with(json!({"nbf": at(30), "iat": at(30)}))),
        (header(Alg::EdDsa), with(json!({"sub": "é ü"}))),
        (header(Alg::EdDsa), with(json!({"sub": "a".repeat(256)}))),
        (header(Alg::EdDsa), with(json!({"Iss": "https://evil.example.com", "EXP": 1, "SUB": "x"}))),
        (header(Alg::EdDsa), with(json!({"typ": "Bearer", "nonce": "n"}))),
        (header(Alg::EdDsa), with(json!({"token_use": "access"}))),
        (header(Alg::EdDsa), with(json!({"groups": vec!["g"; 1000]}))),
        (header(Alg::EdDsa), with(json!({"_claim_names": {"roles": "src1"}}))),
    ] {
        let token = token(&header, &claims);
        issuers.verify(&token, now()).await.unwrap_or_else(|refusal| panic!("{header} {claims}: {refusal}"));
    }
}

#[tokio::test]
async fn headers_that_must_not_be_taken_are_not() {
    let issuers = issuers(settings(), &published());
    for (changes, reason) in [
        (json!({"alg": "none"}), "algorithm"),
        (json!({"alg": "None"}), "algorithm"),
        (json!({"alg": "HS256"}), "algorithm"),
        (json!({"alg": "RS512"}), "algorithm"),
        (json!({"alg": "eddsa"}), "algorithm"),
        (json!({"alg": "ES512"}), "algorithm"),
        (json!({"alg": "ES256K"}), "algorithm"),
        (json!({"alg": ["EdDSA"]}), "algorithm"),
        (json!({"alg": null}), "algorithm"),
        (json!({"alg": "RS256"}), "key"),
        (json!({"alg": "ES256"}), "key"),
        (json!({"alg": "PS256", "kid": "RS256"}), "key"),
        (json!({"alg": "RS256", "kid": "RS256"}), "signature"),
        (json!({"kid": "nobody"}), "key"),
        (json!({"kid": "eddsa"}), "key"),
        (json!({"kid": ""}), "key"),
        (json!({"kid": 1}), "malformed"),
        (json!({"kid": "../../../etc/passwd"}), "key"),
        (json!({"crit": ["exp"]}), "malformed"),
        (json!({"crit": []}), "malformed"),
        (json!({"b64": false}), "malformed"),
        (json!({"b64": true}), "malformed"),
        (json!({"zip": "DEF"}), "malformed"),
        (json!({"enc": "A256GCM"}), "malformed"),
        (json!({"cty": "JWT"}), "malformed"),
        (json!({"cty": "application/jwt"}), "malformed"),
        (json!({"cty": 1}), "malformed"),
        (json!({"jku": "https://evil.example.com/keys"}), "malformed"),
        (json!({"x5u": "https://evil.example.com/cert"}), "malformed"),
        (json!({"x5c": ["AAAA"]}), "malformed"),
        (json!({"jwk": own(Alg::EdDsa).jwk()}), "malformed"),
        (json!({"typ": null}), "type"),
        (json!({"typ": ""}), "type"),
        (json!({"typ": 1}), "type"),
        (json!({"typ": "logout+jwt"}), "type"),
        (json!({"typ": "application/logout+jwt"}), "type"),
        (json!({"typ": "secevent+jwt"}), "type"),
        (json!({"typ": "dpop+jwt"}), "type"),
        (json!({"typ": "oauth-authz-req+jwt"}), "type"),
        (json!({"typ": "token-introspection+jwt"}), "type"),
        (json!({"typ": "application/x/at+jwt"}), "type"),
        (json!({"typ": "at+jwt "}), "type"),
    ] {
        let token = token(&changed(header(Alg::EdDsa), changes.clone()), &claims());
        assert_eq!(refused(&issuers, &token).await, reason, "{changes}");
    }
}

#[tokio::test]
async fn claims_that_must_not_be_taken_are_not() {
    let issuers = issuers(settings(), &published());
    for (changes, reason) in [
        (json!({"iss": null}), "issuer"),
        (json!({"iss": null, "Iss": ISSUER}), "issuer"),
        (json!({"iss": format!("{ISSUER}/")}), "issuer"),
        (json!({"iss": "HTTPS://login.example.com"}), "issuer"),
        (json!({"iss": "https://login.example.com:443"}), "issuer"),
        (json!({"iss": [ISSUER]}), "issuer"),
        (json!({"aud": null}), "audience"),
        (json!({"aud": "other"}), "audience"),
        (json!({"aud": format!("{OURS}/")}), "audience"),
        (json!({"aud": []}), "audience"),
        (json!({"aud": ["other"]}), "audience"),
        (json!({"aud": [OURS, 1]}), "claim"),
        (json!({"aud": [[OURS]]}), "claim"),
        (json!({"aud": {"a": OURS}}), "claim"),
        (json!({"exp": null}), "claim"),
        (json!({"exp": null, "EXP": at(300)}), "claim"),
        (json!({"exp": at(300).to_string()}), "claim"),
        (json!({"exp": at(-30)}), "expired"),
        (json!({"exp": 0}), "expired"),
        (json!({"exp": -1}), "expired"),
        (json!({"exp": at(367 * 86_400)}), "lifetime"),
        (json!({"exp": 1e300}), "lifetime"),
        (json!({"exp": u64::MAX}), "lifetime"),
        (json!({"nbf": at(31)}), "not_yet_valid"),
        (json!({"nbf": "now"}), "claim"),
        (json!({"iat": at(31)}), "not_yet_valid"),
        (json!({"iat": true}), "claim"),
        (json!({"sub": null}), "claim"),
        (json!({"sub": null, "Sub": "anna"}), "claim"),
        (json!({"sub": ""}), "claim"),
        (json!({"sub": 7}), "claim"),
        (json!({"sub": "a\u{0}b"}), "claim"),
        (json!({"sub": "a\nb"}), "claim"),
        (json!({"sub": "a\u{85}b"}), "claim"),
        (json!({"sub": " anna"}), "claim"),
        (json!({"sub": "   "}), "claim"),
        (json!({"sub": "a".repeat(257)}), "claim"),
        (json!({"sub": "system:admin"}), "system_name"),
        (json!({"groups": ["shop", "system:masters"]}), "system_name"),
        (json!({"groups": [" system:masters"]}), "claim"),
        (json!({"groups": "shop"}), "claim"),
        (json!({"groups": {"shop": true}}), "claim"),
        (json!({"groups": ["shop", 1]}), "claim"),
        (json!({"groups": ["shop", null]}), "claim"),
        (json!({"groups": [["shop"]]}), "claim"),
        (json!({"groups": ["a\r\nb"]}), "claim"),
        (json!({"groups": [""]}), "claim"),
        (json!({"groups": ["g".repeat(257)]}), "claim"),
        (json!({"groups": vec!["g"; 1001]}), "claim"),
        (json!({"groups": null, "_claim_names": {"groups": "src1"}}), "claim"),
        (json!({"groups": null, "hasgroups": true}), "claim"),
        (json!({"jti": 1}), "claim"),
        (json!({"jti": "a\u{7}"}), "claim"),
        (json!({"cnf": {"jkt": "AAAA"}}), "bound"),
        (json!({"cnf": {"x5t#S256": "AAAA"}}), "bound"),
        (json!({"nonce": "n"}), "kind"),
        (json!({"at_hash": "AAAA"}), "kind"),
        (json!({"c_hash": "AAAA", "typ": "Bearer"}), "kind"),
        (json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}), "kind"),
        (json!({"token_introspection": {"active": true}}), "kind"),
        (json!({"response_type": "code"}), "kind"),
        (json!({"redirect_uri": "https://a"}), "kind"),
        (json!({"htm": "POST", "htu": "https://a"}), "kind"),
        (json!({"typ": "ID"}), "kind"),
        (json!({"typ": "Refresh"}), "kind"),
        (json!({"typ": "Logout"}), "kind"),
        (json!({"typ": 1}), "claim"),
        (json!({"token_use": "id"}), "kind"),
        (json!({"token_use": "refresh"}), "kind"),
    ] {
        let whole = with(changes.clone());
        assert_eq!(refused(&issuers, &token(&header(Alg::EdDsa), &whole)).await, reason, "{changes}");
    }
    let null = claims().to_string().replace(r#"["shop","payments"]"#, "null");
    let null = signed(&header(Alg::EdDsa).to_string(), null.as_bytes(), own(Alg::EdDsa), Alg::EdDsa);
    assert_eq!(refused(&issuers, &null).await, "claim", "groups that are null are no list");
}
