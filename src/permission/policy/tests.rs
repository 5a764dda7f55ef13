use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{
    name::Permission,
    role::Roles,
    rule::Rule,
    scope::{Extent, Scope},
};
use super::*;

const LIST: Permission = Permission::KroInstancesList;
const GRAPH: Permission = Permission::KroResourceGraphShow;

fn rules(rules: Value) -> Vec<Rule> {
    serde_json::from_value(rules).expect("rules")
}

fn policy(written: Value) -> Policy {
    Policy::new("https://login.example.com/acme/", &Roles::default(), &rules(written), None, &BTreeMap::new())
        .expect("valid")
}

fn claims(claims: Value) -> Map<String, Value> {
    let Value::Object(members) = claims else { panic!("an object") };
    members
}

fn at(cluster: &str, namespace: &str) -> Scope {
    Scope::cluster(Extent::named(cluster), Extent::named(namespace))
}

fn allows(policy: &Policy, with: Value, permission: Permission) -> bool {
    policy.bind(&claims(with)).allows(permission, &at("dev", "team-a"))
}

#[test]
fn all_claims_must_match_and_of_each_one_value() {
    let policy = policy(json!([
        {"when": {"groups": ["team-a", "ops-*"], "email_verified": "true", "level": ["3", "4"]}, "roles": ["viewer"]},
    ]));
    let with = |groups: Value, verified: Value, level: Value| {
        allows(&policy, json!({"groups": groups, "email_verified": verified, "level": level}), LIST)
    };
    assert!(with(json!(["x", "team-a"]), json!(true), json!(3)));
    assert!(with(json!("ops-eu"), json!("true"), json!("4")));
    assert!(!with(json!(["team-b"]), json!(true), json!(3)));
    assert!(!with(json!(["team-a"]), json!(false), json!(3)));
    assert!(!with(json!(["team-a"]), json!(true), json!(30)));
    assert!(!with(json!("x team-a"), json!(true), json!(3)), "only scopes are lists with spaces");
    assert!(!with(json!(["TEAM-A"]), json!(true), json!(3)), "letters count");
    assert!(!with(json!({"team-a": true}), json!(true), json!(3)));
    assert!(!with(Value::Null, json!(true), json!(3)));
    assert!(!allows(&policy, json!({}), LIST));
}

#[test]
fn a_rule_without_conditions_is_about_everyone_of_the_issuer() {
    let policy = policy(json!([{"allow": ["kro.instances.list"]}]));
    assert!(allows(&policy, json!({}), LIST));
    assert!(!allows(&policy, json!({}), GRAPH));
    let none = Policy::default();
    assert!(!allows(&none, json!({"groups": ["admin"]}), LIST), "no rule gives nothing");
}

#[test]
fn rules_add_up_each_where_it_holds_and_deny_wins() {
    let policy = policy(json!([
        {"name": "all", "roles": ["viewer"]},
        {"name": "mine", "when": {"groups": "team-a"}, "roles": ["operator"], "within": {"namespaces": ["team-a"]}},
        {"name": "not prod", "when": {"groups": "*"}, "deny": ["kro.*"], "within": {"clusters": ["prod"]}},
    ]));
    let set = policy.bind(&claims(json!({"groups": ["team-a"]})));
    assert!(set.allows(LIST, &at("dev", "other")));
    assert!(!set.allows(LIST, &at("prod", "team-a")), "denied there");
    assert!(set.allows(Permission::KroInstancesApply, &at("dev", "team-a")));
    assert!(!set.allows(Permission::KroInstancesApply, &at("dev", "other")));
    let none = policy.bind(&claims(json!({})));
    assert!(none.allows(LIST, &at("prod", "x")), "no group, so the denial is not about them");
}

#[test]
fn a_denial_holds_where_its_claim_cannot_be_judged() {
    let policy = policy(json!([
        {"roles": ["viewer"]},
        {"when": {"realm_access.roles": "contractor"}, "roles": ["admin"], "deny": ["kro.instances.list"]},
    ]));
    for odd in [
        json!({"realm_access": {"roles": {"contractor": true}}}),
        json!({"realm_access": {"roles": [["contractor"]]}}),
        json!({"realm_access": {"roles": ["dev", {"name": "contractor"}]}}),
        json!({"realm_access": ["contractor"]}),
        json!({"realm_access": "contractor"}),
        json!({"_claim_names": {"realm_access.roles": "src1"}}),
    ] {
        assert!(!allows(&policy, odd.clone(), LIST), "{odd}");
        assert!(!allows(&policy, odd.clone(), Permission::KubernetesSecretsRead), "it gives nothing: {odd}");
        assert!(allows(&policy, odd.clone(), GRAPH), "{odd}");
    }
    let plain = json!({"realm_access": {"roles": ["contractor"]}});
    assert!(!allows(&policy, plain.clone(), LIST));
    assert!(allows(&policy, plain, Permission::KubernetesSecretsRead));
    assert!(allows(&policy, json!({"realm_access": {"roles": ["dev"]}}), LIST));
    assert!(allows(&policy, json!({}), LIST));
}

#[test]
fn grants_name_the_rule_as_its_author_does() {
    let policy = policy(json!([
        {"name": "team a", "when": {"groups": "team-*"}, "roles": ["operator"]},
        {"allow": ["kro.instances.list"]},
        {"when": {"sub": "*"}, "deny": ["kro.rgds.*"]},
    ]));
    let set = policy.bind(&claims(json!({"groups": ["x", "team-a"], "sub": "john"})));
    let names: Vec<&str> = set.grants().iter().map(|grant| grant.rule.as_str()).collect();
    assert_eq!(
        names,
        [
            "login.example.com/acme rule \"team a\" (groups: team-*) → role viewer",
            "login.example.com/acme rule \"team a\" (groups: team-*) → role operator",
            "login.example.com/acme rules[1] → allow",
            "login.example.com/acme rules[2] (sub: *) → deny",
        ]
    );
}

#[test]
fn of_a_token_with_thousands_of_scopes_those_that_give_something_are_kept() {
    let scopes = BTreeMap::from([("kro".to_owned(), vec!["kro.*".to_owned()])]);
    let policy = Policy::new("https://a", &Roles::default(), &[], None, &scopes).expect("valid");
    let had = |scope: &str| policy.scopes_had(&claims(json!({ "scope": scope })));
    assert_eq!(had("openid kro other openid"), ["kro", "openid", "other"]);
    let many: Vec<String> = (0..11_000).map(|number| format!("s{number}")).collect();
    let kept = had(&format!("{} {} kro kro", "x".repeat(10_000), many.join(" ")));
    assert_eq!(kept.len(), MOST_OTHER_SCOPES + 1);
    assert!(kept.contains(&"kro".to_owned()) && kept.iter().all(|scope| scope.len() < 10), "{kept:?}");
}

#[test]
fn a_claim_and_scopes_give_permissions_by_name() {
    let scopes = BTreeMap::from([
        ("kro:read".to_owned(), vec!["kro.*.list".to_owned(), "kro.resource-graph.show".to_owned()]),
        ("admin".to_owned(), vec!["*".to_owned()]),
    ]);
    let denies = rules(json!([{"deny": ["kro.rgds.list"]}]));
    let policy =
        Policy::new("https://a", &Roles::default(), &denies, Some("permissions"), &scopes).expect("valid");
    let gives = |with: Value| -> Vec<&'static str> {
        policy.bind(&claims(with)).somewhere().iter().map(Permission::name).collect()
    };
    let read = ["kro.instances.list", "kro.resources.list", "kro.resource-graph.show"];
    assert_eq!(gives(json!({"scope": "openid kro:read"})), read);
    assert_eq!(gives(json!({"scope": ["openid", "kro:read"]})), read);
    assert_eq!(gives(json!({"scp": "kro:read"})), read);
    assert_eq!(gives(json!({"scp": ["kro:read"]})), read);
    for nothing in
        [json!({"scope": "kro:reader kro: Admin"}), json!({"scp": {"admin": 1}}), json!({"scopes": "admin"})]
    {
        assert_eq!(gives(nothing.clone()), [""; 0], "{nothing}");
    }
    assert_eq!(gives(json!({"permissions": "kro.instances.list openid"})), ["kro.instances.list"]);
    assert_eq!(gives(json!({"permissions": ["kro.*.list", "kro.nonsense"], "scope": ""})), read[..2]);
    assert_eq!(gives(json!({"permissions": {"kro.instances.list": true}})), [""; 0]);
    assert_eq!(policy.scopes().collect::<Vec<_>>(), ["admin", "kro:read"]);
    assert_eq!(policy.scopes_giving(&[LIST]), ["admin", "kro:read"]);
    assert_eq!(policy.scopes_giving(&[Permission::KubernetesProxy]), ["admin"]);
}

#[test]
fn mistakes_are_refused_with_their_place() {
    for (written, said) in [
        (
            json!([{"roles": ["viewr"]}]),
            r#"rules[0].roles: there is no role "viewr"; known roles: admin, operator, viewer"#,
        ),
        (
            json!([{"roles": ["viewer"]}, {"allow": ["kro.instances.lst"]}]),
            r#"rules[1].allow: "kro.instances.lst" matches no permission (did you mean "kro.instances.list"?)"#,
        ),
        (json!([{"deny": ["kro.instnaces.*"]}]), r#"rules[0].deny: "kro.instnaces.*" matches no permission"#),
        (json!([{"when": {"groups": "a"}}]), "rules[0]: gives and takes nothing"),
        (json!([{"when": {"groups": []}, "roles": ["viewer"]}]), "rules[0].when.groups: no value is wanted"),
        (
            json!([{"when": {"groups": ["a", ""]}, "roles": ["viewer"]}]),
            "rules[0].when.groups: a value is empty",
        ),
        (json!([{"when": {"": "a"}, "roles": ["viewer"]}]), "rules[0].when: a claim must have a name"),
        (json!([{"name": " ", "roles": ["viewer"]}]), "rules[0].name: is empty"),
        (
            json!([{"name": "a", "roles": ["viewer"]}, {"name": "a", "roles": ["admin"]}]),
            r#"rules[1].name: another rule is called "a""#,
        ),
        (
            json!([{"deny": ["*"], "within": {"clusters": []}}]),
            "rules[0].within.clusters: an empty list or name covers nothing",
        ),
    ] {
        let problem =
            Policy::new("https://a", &Roles::default(), &rules(written.clone()), None, &BTreeMap::new());
        let problem = problem.expect_err(&written.to_string()).to_string();
        assert!(problem.contains(said), "{written}: {problem}");
    }
    for (scope, patterns, said) in [
        ("read", &["kro.lst"][..], r#"scopes.read: "kro.lst" matches no permission"#),
        ("read", &[], "scopes.read: gives nothing"),
        ("read write", &["*"], "scopes.read write: a scope is one word"),
    ] {
        let scopes = BTreeMap::from([(scope.to_owned(), patterns.iter().map(ToString::to_string).collect())]);
        let problem = Policy::new("https://a", &Roles::default(), &[], None, &scopes).expect_err(said);
        assert!(problem.to_string().contains(said), "{problem}");
    }
}

#[test]
fn an_explanation_says_of_each_rule_what_matched_or_was_wanted() {
    let scopes = BTreeMap::from([("kro".to_owned(), vec!["kro.*".to_owned()])]);
    let written = rules(json!([
        {"name": "a", "when": {"groups": ["team-a", "ops-*"]}, "roles": ["viewer"]},
        {"when": {"groups": "ops-*", "department": "it"}, "roles": ["admin"]},
        {"when": {"nested.roles": "x"}, "allow": ["*"], "deny": ["kro.rgds.*"], "within": {"clusters": ["prod"]}},
        {"roles": ["viewer"]},
    ]));
    let policy =
        Policy::new("https://a", &Roles::default(), &written, Some("perms"), &scopes).expect("valid");
    let many: Vec<String> = (0..20).map(|n| format!("g{n:02}")).chain(["ops-eu".to_owned()]).collect();
    let explained = policy.explain(&claims(
        json!({"groups": many, "nested": "x", "perms": "kro.rgds.list nonsense", "scope": "openid"}),
    ));
    let said: Vec<(&str, Fit, String)> =
        explained.iter().map(|one| (one.what.as_str(), one.fit, one.why.join("; "))).collect();
    assert_eq!(said[0], ("rule \"a\"", Fit::Matches, r#"groups has "ops-eu" (wanted "ops-*")"#.to_owned()));
    assert_eq!((said[1].0, said[1].1), ("rules[1]", Fit::Not));
    assert!(
        said[1].2.starts_with(r#"department: wanted "it"; the token has no such claim"#),
        "{}",
        said[1].2
    );
    assert_eq!((said[2].0, said[2].1), ("rules[2]", Fit::Unclear));
    assert!(explained[2].grants.iter().all(|grant| grant.deny), "{:?}", explained[2].grants);
    assert_eq!(said[3].2, "it is about every caller of the issuer");
    assert_eq!((said[4].0, said[4].1), ("claim \"perms\"", Fit::Matches));
    assert!(said[4].2.ends_with(r#"left out: "nonsense""#), "{}", said[4].2);
    assert_eq!(said[5], ("scope \"kro\"", Fit::Not, r#"the token has the scopes "openid""#.to_owned()));
    let unmatched = policy.explain(&claims(json!({"groups": many[..20].to_vec()})));
    assert!(unmatched[0].why[0].contains(r#"there is "g00", "#), "{:?}", unmatched[0].why);
    assert!(unmatched[0].why[0].ends_with("and 8 more"), "{:?}", unmatched[0].why);
}

#[test]
fn what_is_explained_is_what_is_bound() {
    let written = rules(json!([
        {"when": {"groups": "a"}, "roles": ["viewer"]},
        {"when": {"groups": "b"}, "roles": ["operator"], "within": {"namespaces": ["b"]}},
        {"when": {"odd": "x"}, "roles": ["admin"], "deny": ["kro.instances.*"]},
        {"deny": ["kro.rgds.*"], "within": {"clusters": ["prod"]}},
    ]));
    let scopes = BTreeMap::from([("kro".to_owned(), vec!["kro.*".to_owned()])]);
    let policy =
        Policy::new("https://a", &Roles::default(), &written, Some("perms"), &scopes).expect("valid");
    for with in [
        json!({}),
        json!({"groups": ["a"]}),
        json!({"groups": ["a", "b"], "odd": {}, "perms": "*", "scope": "kro"}),
        json!({"groups": "b", "odd": "x"}),
    ] {
        let with = claims(with);
        let bound = policy.bind(&with);
        let explained = policy.explain(&with);
        let explained: Vec<(bool, Permissions, Arc<Within>)> = explained
            .into_iter()
            .filter(|one| one.fit != Fit::Not)
            .flat_map(|one| one.grants)
            .map(|grant| (grant.deny, grant.permissions, grant.within))
            .collect();
        let bound: Vec<_> =
            bound.grants().iter().map(|g| (g.deny, g.permissions, Arc::clone(&g.within))).collect();
        assert_eq!(bound, explained, "{with:?}");
    }
}
