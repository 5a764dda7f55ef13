use super::*;

fn issuer(text: &str) -> Issuer {
    let text = format!("{{url: 'https://a.example', audiences: [us], {text}}}");
    serde_saphyr::from_str(&text).expect("an issuer")
}

fn settings(text: &str) -> IssuerSettings {
    issuer(text).settings(Path::to_path_buf, Some("https://mcp.example/mcp"))
}

#[test]
fn the_kinds_of_tokens_decide_the_types_where_none_are_given() {
    let some = |kind: &str| Some(kind.to_owned());
    for (text, types) in [
        ("", vec![some("at+jwt")]),
        ("tokens: [access]", vec![some("at+jwt")]),
        ("tokens: [id]", vec![some("jwt"), None]),
        ("tokens: [access, id]", vec![some("at+jwt"), some("jwt"), None]),
        ("types: [Application/AT+jwt, none]", vec![some("at+jwt"), None]),
        ("types: [at+jwt, JWT]", vec![some("at+jwt"), some("jwt")]),
    ] {
        assert_eq!(settings(text).types, types, "{text}");
    }
    assert!(settings("tokens: [id]").id_tokens && !settings("").id_tokens);
}

#[test]
fn what_is_not_given_has_a_default() {
    let settings = settings("");
    assert_eq!(settings.audiences, ["us"]);
    assert_eq!(settings.algorithms, algorithm::DEFAULT);
    assert_eq!((settings.username_claim.as_str(), settings.groups_claim.as_str()), ("sub", "groups"));
    assert_eq!(settings.leeway, Duration::from_secs(30));
    let ours = Issuer { audiences: Vec::new(), ..issuer("") };
    let settings = ours.settings(Path::to_path_buf, Some("https://mcp.example/mcp"));
    assert_eq!(settings.audiences, ["https://mcp.example/mcp"]);
}

#[test]
fn what_would_open_a_door_is_a_mistake_of_the_file() {
    for (text, said) in [
        ("algorithms: [HS256]", "algorithms[0]: \"HS256\" is not an asymmetric"),
        ("algorithms: [RS256, none]", "algorithms[1]"),
        ("algorithms: [rs256]", "did you mean \"RS256\""),
        ("types: [logout+jwt]", "types[0]"),
        ("types: [application/DPoP+jwt]", "types[0]"),
        ("types: ['']", "write none"),
        ("leewaySeconds: 61", "leewaySeconds: must be from 0 to 60"),
        ("username: {prefix: 'system:'}", "username.prefix"),
        ("groups: {prefix: ' oidc:'}", "groups.prefix"),
        ("groups: {prefix: '-'}", "groups.prefix: leave it out"),
        ("username: {claim: ''}", "username.claim"),
        ("extra: {Team: team}", "extra.Team"),
        ("extra: {'a/b/c': team}", "extra.a/b/c"),
        ("extra: {'/b': team}", "extra./b"),
        ("extra: {'a%2fb': team}", "extra.a%2fb"),
        ("extra: {'authentication.kubernetes.io/pod-name': team}", "API server's own"),
        ("extra: {team: ''}", "extra.team"),
        ("exchange: {clientId: '', clientSecret: a}", "exchange.clientId"),
        ("exchange: {clientId: a}", "exchange.clientSecret: must be given"),
        ("exchange: {clientId: a, clientSecret: ''}", "exchange.clientSecret: must not"),
        ("exchange: {clientId: a, clientSecret: b, clientSecretFile: c}", "exchange.clientSecretFile"),
        (
            "exchange: {clientId: a, clientSecret: b, tokenEndpoint: 'http://a.example/t'}",
            "exchange.tokenEndpoint: must begin with https://",
        ),
        ("exchange: {clientId: a, clientSecret: b, scope: ' '}", "exchange.scope"),
    ] {
        let wrong = coherent(&[issuer(text)], None).expect_err(text).to_string();
        assert!(wrong.contains(said), "{text}: {wrong}");
    }
    let fine =
        "algorithms: [ES256], username: {claim: email, prefix: 'oidc:'}, extra: {example.com/team: team}";
    assert_eq!(coherent(&[issuer(fine)], None), Ok(()));
}

#[test]
fn what_is_exchanged_is_what_is_taken() {
    use crate::caller::oidc::settings::{Parameter, SubjectTokenType as Type};
    for (tokens, more, kind) in [
        ("[]", "", Type::Access),
        ("[access, id]", "", Type::Access),
        ("[id]", "", Type::Id),
        ("[id]", ", subjectTokenType: jwt", Type::Jwt),
    ] {
        let text = format!("tokens: {tokens}, exchange: {{clientId: a, clientSecret: planted{more}}}");
        assert_eq!(coherent(&[issuer(&text)], None), Ok(()));
        let exchange = settings(&text).exchange.expect("it is configured");
        assert_eq!((exchange.subject_token_type, exchange.parameter), (kind, Parameter::Audience), "{text}");
        assert!(!format!("{exchange:?}").contains("planted"));
    }
    let text = "exchange: {clientId: a, clientSecretFile: secret, parameter: resource}";
    let resolved = |file: &Path| Path::new("/etc").join(file);
    let file = issuer(text).settings(resolved, None).exchange.expect("it is configured");
    assert!(format!("{file:?}").contains("/etc/secret") && file.parameter == Parameter::Resource);
}

#[test]
fn an_issuer_stands_once_and_its_tokens_are_for_someone() {
    let wrong = coherent(&[issuer(""), issuer("")], None).expect_err("twice").to_string();
    assert!(wrong.contains("[1].url: another entry"), "{wrong}");
    let nobody = Issuer { audiences: Vec::new(), ..issuer("") };
    let wrong = coherent(std::slice::from_ref(&nobody), None).expect_err("for nobody").to_string();
    assert!(wrong.contains("[0].audiences") && wrong.contains("http.url"), "{wrong}");
    assert_eq!(coherent(&[nobody], Some("https://mcp.example/mcp")), Ok(()));
}
