use serde_json::{Value, json};

use super::{Attributes, Filter, Verdict};

fn event(attributes: &[(&str, &str)]) -> Attributes {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect()
}

fn judged(spec: &Value, attributes: &[(&str, &str)]) -> Verdict {
    Filter::of(spec).verdict(&event(attributes))
}

#[test]
fn a_trigger_without_a_filter_passes_everything() {
    for spec in
        [json!({}), json!({"filter": {}}), json!({"filter": {"attributes": {}}, "filters": []}), Value::Null]
    {
        assert_eq!(judged(&spec, &[]), Verdict::Yes, "{spec}");
    }
}

#[test]
fn an_attribute_of_the_older_filter_must_be_equal_and_an_empty_one_must_be_there() {
    let spec = |attributes: Value| json!({"filter": {"attributes": attributes}});
    assert_eq!(judged(&spec(json!({"type": "a"})), &[("type", "a")]), Verdict::Yes);
    assert_eq!(judged(&spec(json!({"type": "a"})), &[("type", "ab")]), Verdict::No);
    assert_eq!(
        judged(&spec(json!({"type": "a", "source": "s"})), &[("type", "a"), ("source", "t")]),
        Verdict::No
    );
    assert_eq!(judged(&spec(json!({"type": "a", "region": "eu"})), &[("type", "a")]), Verdict::Unknown);
    assert_eq!(judged(&spec(json!({"region": ""})), &[("region", "eu")]), Verdict::Yes);
    assert_eq!(judged(&spec(json!({"region": ""})), &[("region", "")]), Verdict::No);
    assert_eq!(judged(&spec(json!({"region": ""})), &[]), Verdict::Unknown);
    assert_eq!(judged(&spec(json!({"type": "", "source": ""})), &[]), Verdict::Yes, "every event has these");
}

#[test]
fn filters_replace_the_older_filter_and_an_empty_list_does_not() {
    let older = json!({"attributes": {"type": "a"}});
    let both = json!({"filter": older, "filters": [{"exact": {"type": "b"}}]});
    assert_eq!(judged(&both, &[("type", "a")]), Verdict::No);
    assert_eq!(judged(&both, &[("type", "b")]), Verdict::Yes);
    let empty = json!({"filter": older, "filters": []});
    assert_eq!(judged(&empty, &[("type", "b")]), Verdict::No);
    assert_eq!(judged(&empty, &[("type", "a")]), Verdict::Yes);
}

#[test]
fn each_dialect_judges_as_knative_does() {
    let dialects = [
        (json!([{"exact": {"type": "com.a"}}]), "com.a", "com.ab"),
        (json!([{"prefix": {"type": "com."}}]), "com.a", "org.a"),
        (json!([{"suffix": {"type": ".made"}}]), "com.made", "com.sent"),
        (json!([{"prefix": {"type": "com."}}, {"suffix": {"type": ".made"}}]), "com.x.made", "com.x.sent"),
        (json!([{"all": [{"prefix": {"type": "com."}}, {"suffix": {"type": "d"}}]}]), "com.d", "com.e"),
        (json!([{"any": [{"exact": {"type": "a"}}, {"exact": {"type": "b"}}]}]), "b", "c"),
        (json!([{"not": {"exact": {"type": "a"}}}]), "b", "a"),
        (json!([{"not": {"any": [{"exact": {"type": "a"}}, {"prefix": {"type": "b"}}]}}]), "c", "bb"),
    ];
    for (filters, passes, fails) in dialects {
        let spec = json!({"filters": filters});
        assert_eq!(judged(&spec, &[("type", passes)]), Verdict::Yes, "{spec}");
        assert_eq!(judged(&spec, &[("type", fails)]), Verdict::No, "{spec}");
        assert_eq!(judged(&spec, &[]), Verdict::Unknown, "{spec}");
    }
}

#[test]
fn what_is_not_known_leaves_certain_what_does_not_depend_on_it() {
    let any = json!({"filters": [{"any": [{"exact": {"type": "a"}}, {"cesql": "type = 'b'"}]}]});
    assert_eq!(judged(&any, &[("type", "a")]), Verdict::Yes);
    assert_eq!(judged(&any, &[("type", "b")]), Verdict::Unknown);
    let all = json!({"filters": [{"exact": {"type": "a"}}, {"cesql": "EXISTS region"}]});
    assert_eq!(judged(&all, &[("type", "b")]), Verdict::No);
    assert_eq!(judged(&all, &[("type", "a")]), Verdict::Unknown);
    let not = json!({"filters": [{"not": {"cesql": "TRUE"}}]});
    assert_eq!(judged(&not, &[("type", "a")]), Verdict::Unknown);
}

#[test]
fn what_knative_refuses_is_not_known_and_never_fails() {
    let refused = [
        json!([{"exact": {"type": "a"}, "prefix": {"type": "a"}}]),
        json!([{"exact": {"type": ""}}]),
        json!([{"exact": {"type": 7}}]),
        json!([{"regex": {"type": ".*"}}]),
        json!([{"not": {}}]),
        json!(["type"]),
        json!("type"),
        json!({"exact": {"type": "a"}}),
        json!([{"all": {"type": "a"}}]),
    ];
    for filters in refused {
        let filter = Filter::of(&json!({"filters": filters}));
        assert_eq!(filter.verdict(&event(&[("type", "a")])), Verdict::Unknown, "{filters}");
        assert!(!filter.is_evaluated(), "{filters}");
        assert_eq!(filter.contradiction(), None, "{filters}");
    }
    assert_eq!(judged(&json!({"filter": {"attributes": [1]}}), &[]), Verdict::Unknown);
}

#[test]
fn an_entry_that_says_nothing_is_passed_over() {
    let filters = json!({"filters": [{}, {"all": []}, {"any": [{}, {"exact": {"type": "a"}}]}]});
    assert_eq!(judged(&filters, &[("type", "b")]), Verdict::No);
    assert_eq!(judged(&filters, &[("type", "a")]), Verdict::Yes);
}

#[test]
fn filters_too_deep_or_too_many_are_not_known() {
    let mut deep = json!({"exact": {"type": "a"}});
    for _ in 0..100 {
        deep = json!({"not": deep});
    }
    assert_eq!(judged(&json!({"filters": [deep]}), &[("type", "a")]), Verdict::Unknown);
    let many: Vec<Value> = (0..5_000).map(|n| json!({"exact": {"type": n.to_string()}})).collect();
    let spec = json!({"filters": [{"any": many}]});
    assert_eq!(judged(&spec, &[("type", "3")]), Verdict::Yes);
    assert_eq!(judged(&spec, &[("type", "4999")]), Verdict::Unknown);
    let words = Filter::of(&spec).to_string();
    assert!(words.len() < 500 && words.contains("more"), "{words}");
}

#[test]
fn a_filter_is_said_in_short_words() {
    let words = |filters: Value| Filter::of(&json!({"filters": filters})).to_string();
    assert_eq!(words(json!([])), "everything");
    assert_eq!(words(json!([{"exact": {"type": "a", "source": "b"}}])), "type = a, source = b");
    assert_eq!(words(json!([{"prefix": {"type": "x"}}])), "type begins with x");
    assert_eq!(
        words(
            json!([{"any": [{"exact": {"type": "a"}}, {"suffix": {"type": "z"}}]}, {"not": {"exact": {"type": "q"}}}])
        ),
        "any of (type = a; type ends with z), not (type = q)"
    );
    assert_eq!(words(json!([{"cesql": "type\n= 'a'"}])), "CESQL: type = 'a' (not evaluated)");
    assert_eq!(words(json!([{"regex": {"type": "a"}}])), "unknown filter: regex (not evaluated)");
    let legacy = Filter::of(&json!({"filter": {"attributes": {"type": "a", "region": ""}}}));
    assert_eq!(legacy.to_string(), "type = a, region is there");
}

#[test]
fn a_filter_that_nothing_can_pass_is_found_with_its_reason() {
    let never = [
        (json!([{"exact": {"type": "a"}}, {"prefix": {"type": "b"}}]), "type cannot"),
        (json!([{"exact": {"type": "a"}}, {"not": {"exact": {"type": "a"}}}]), "not be a"),
        (json!([{"prefix": {"type": "a"}}, {"prefix": {"type": "b"}}]), "begin with"),
        (json!([{"suffix": {"type": "a"}}, {"suffix": {"type": "b"}}]), "end with"),
        (json!([{"prefix": {"type": "abc"}}, {"not": {"prefix": {"type": "ab"}}}]), "not begin with"),
        (
            json!([{"exact": {"type": "a"}}, {"any": [{"exact": {"type": "b"}}, {"exact": {"type": "c"}}]}]),
            "type cannot be",
        ),
        (
            json!([{"not": {"any": [{"exact": {"type": "a"}}, {"not": {"exact": {"type": "a"}}}]}}]),
            "type cannot",
        ),
    ];
    for (filters, why) in never {
        let filter = Filter::of(&json!({"filters": filters}));
        let said = filter.contradiction().unwrap_or_default();
        assert!(said.contains(why), "{filters}: {said}");
    }
}

#[test]
fn a_filter_that_something_can_pass_is_no_contradiction() {
    let some = [
        json!([{"exact": {"type": "a"}}, {"prefix": {"type": "a"}}, {"suffix": {"type": "a"}}]),
        json!([{"prefix": {"type": "a"}}, {"prefix": {"type": "ab"}}]),
        json!([{"prefix": {"type": "a"}}, {"suffix": {"type": "b"}}]),
        json!([{"exact": {"type": "a"}}, {"exact": {"source": "b"}}]),
        json!([{"exact": {"type": "a"}}, {"any": [{"exact": {"type": "b"}}, {"exact": {"type": "a"}}]}]),
        json!([{"not": {"exact": {"type": "a", "region": "eu"}}}, {"exact": {"type": "a"}}]),
        json!([{"not": {"exact": {"region": "eu"}}}, {"not": {"not": {"prefix": {"type": "a"}}}}]),
        json!([{"exact": {"type": "a"}}, {"cesql": "FALSE"}]),
        json!([{"any": [{"all": [{"exact": {"type": "a"}}, {"exact": {"type": "b"}}]}, {"prefix": {"type": "c"}}]}]),
    ];
    for filters in some {
        let filter = Filter::of(&json!({"filters": filters}));
        assert_eq!(filter.contradiction(), None, "{filters}");
    }
}

#[test]
fn looking_for_a_contradiction_ends_where_there_are_too_many_ways() {
    let one = |n: usize| json!({"any": [{"exact": {"type": "a"}}, {"exact": {"source": n.to_string()}}]});
    let filters: Vec<Value> = (0..60).map(one).collect();
    let filter = Filter::of(&json!({"filters": filters}));
    assert_eq!(filter.contradiction(), None);
    let begun = std::time::Instant::now();
    let half: Vec<Value> = (0..40)
        .map(|n| json!({"any": [{"exact": {"type": format!("a{n}")}}, {"exact": {"type": format!("b{n}")}}]}))
        .collect();
    let _ = Filter::of(&json!({"filters": half})).contradiction();
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn an_attribute_with_one_passing_value_is_known_after_the_filter() {
    let filter = Filter::of(&json!({"filters": [{"exact": {"type": "a"}}, {"prefix": {"source": "s"}}]}));
    assert_eq!(filter.pins(), event(&[("type", "a")]));
    assert_eq!(Filter::of(&json!({"filters": [{"not": {"exact": {"type": "a"}}}]})).pins(), event(&[]));
}

#[test]
fn what_looks_like_a_secret_is_not_said() {
    let filter = Filter::of(&json!({"filter": {"attributes": {"password": "planted-value", "type": "a"}}}));
    assert_eq!(filter.to_string(), "type = a, password = <redacted:13 bytes>");
}
