use serde_json::json;

use super::*;

fn variables(all: Value) -> Vec<Variable> {
    serde_json::from_value(all).expect("variables")
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn shop() -> Vec<Variable> {
    variables(json!([
        {"name": "replicas", "format": "number", "defaultValue": "2"},
        {"name": "tier", "options": [{"value": "standard"}, {"value": "premium"}], "defaultValue": "standard"},
        {"name": "pin", "isSensitive": true, "required": true, "regex": "^[a-z0-9-]{8,}$"},
        {"name": "zone", "immutable": true}, {"name": "internal", "hidden": true, "defaultValue": "x"},
        {"name": "db_password"}, {"name": "cidr", "format": "ipv4cidr"}, {"name": "odd", "regex": "(?<=a)b"},
    ]))
}

fn wrong(pairs: &[(&str, &str)], has: Option<&BTreeSet<String>>) -> Vec<String> {
    let variables = shop();
    set(&[Of { profile: "shop", variables: &variables, has }], &given(pairs)).err().unwrap_or_default()
}

#[test]
fn a_value_that_breaks_its_rule_is_named_with_the_rule_and_never_told() {
    const GOOD: (&str, &str) = ("pin", "planted-pin");
    for (pair, says) in [
        (("replicas", "planted"), "replicas must be of format number"),
        (("tier", "planted"), "tier must be one of standard, premium"),
        (("pin", "PLANTED!"), "pin must be of the profile's pattern"),
        (("internal", "planted"), "internal cannot be set: the profile hides it"),
        (("cidr", "10.0.0.0/33"), "cidr must be of format ipv4cidr"),
        (("replcas", "3"), "replcas is no variable of these profiles; nearest: replicas"),
        (("other/replicas", "3"), "other/replicas is no variable of these profiles"),
    ] {
        let pairs = if pair.0 == "pin" { vec![pair] } else { vec![GOOD, pair] };
        let wrong = wrong(&pairs, None);
        assert!(wrong.len() == 1 && wrong[0].contains(says), "{says}: {wrong:?}");
        assert!(!wrong[0].to_lowercase().contains("planted"), "{wrong:?}");
    }
    assert!(wrong(&[], None)[0].starts_with("pin is missing: profile shop requires it"));
    assert!(wrong(&[("pin", "")], None)[0].contains("must not be empty"));
    // a pattern that is none of ours is Palette's to judge
    assert!(wrong(&[GOOD, ("odd", "x"), ("cidr", "10.0.0.0/8"), ("zone", "a")], None).is_empty());
}

#[test]
fn what_a_cluster_has_is_kept_and_what_is_immutable_stays() {
    let has = BTreeSet::from(["pin".to_owned(), "zone".to_owned()]);
    assert!(wrong(&[("replicas", "3")], Some(&has)).is_empty());
    assert!(wrong(&[("zone", "b")], Some(&has))[0].contains("immutable"));
    assert!(wrong(&[("zone", "b"), ("pin", "planted-pin")], Some(&BTreeSet::new())).is_empty());
}

#[test]
fn a_name_of_two_profiles_is_set_in_the_one_that_is_named() {
    let (one, two) = (variables(json!([{"name": "size"}])), variables(json!([{"name": "size"}])));
    let of = |profile, variables| Of { profile, variables, has: None };
    let profiles = [of("one", &one[..]), of("two", &two[..])];
    let error = set(&profiles, &given(&[("size", "1")])).expect_err("two have it");
    assert!(error[0].contains("write one/size or two/size"), "{error:?}");
    let sets = set(&profiles, &given(&[("two/size", "1")])).expect("one is meant");
    assert_eq!((sets[0].sent().len(), sets[1].sent()), (0, vec![json!({"name": "size", "value": "1"})]));
}

#[test]
fn sensitive_values_are_sent_and_not_told() {
    let variables = shop();
    let pairs = given(&[("pin", "planted-pin"), ("db_password", "planted"), ("replicas", "3")]);
    let sets = set(&[Of { profile: "shop", variables: &variables, has: None }], &pairs).expect("good");
    let told = format!("{:?} {:?}", sets[0].told(), sets[0]);
    assert!(
        !told.contains("planted") && told.contains("pin = (set, hidden)") && told.contains("replicas = 3")
    );
    assert_eq!(sets[0].secrets().count(), 2);
    assert!(sets[0].sent().iter().any(|sent| sent["value"] == "planted-pin"));
    assert_eq!(sets[0].defaults, ["tier", "internal"]);
}
