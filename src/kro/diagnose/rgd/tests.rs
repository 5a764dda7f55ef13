#![allow(clippy::needless_pass_by_value, reason = "json!(…) arguments read better than &json!(…)")]

use super::*;
use serde_json::{Value, json};

const NOW: &str = "2026-01-01T01:00:00Z";

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

fn rgd(status: Value, created: &str) -> Object {
    object(json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition",
        "metadata": {"name": "shop", "generation": 1, "creationTimestamp": created},
        "spec": {"schema": {"kind": "Shop"}, "resources": []}, "status": status}))
}

fn instance(generation: i64) -> Object {
    object(
        json!({"apiVersion": "kro.run/v1alpha1", "kind": "Shop", "metadata": {"name": "one", "namespace": "shop",
        "generation": generation}, "status": {"state": "ACTIVE", "conditions": [
            {"type": "Ready", "status": "True", "observedGeneration": 1}]}}),
    )
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.word()).collect()
}

fn case<'a>(rgd: &'a Object, looked: &'a Looked) -> RgdCase<'a> {
    let now = NOW.parse().expect("a time");
    RgdCase {
        rgd,
        lacking: vec![],
        rivals: vec![],
        problems: vec![],
        served: true,
        instances: None,
        looked,
        now,
    }
}

#[test]
fn an_rgd_is_told_what_it_lacks() {
    let (looked, early) = (Looked::default(), "2026-01-01T00:00:00Z");
    let accepted = json!({"type": "GraphAccepted", "status": "True", "observedGeneration": 1});
    let fine = rgd(json!({"state": "Active", "conditions": [accepted]}), early);
    assert_eq!(codes(&of_rgd(&case(&fine, &looked))), [""; 0]);
    assert_eq!(codes(&of_rgd(&RgdCase { served: false, ..case(&fine, &looked) })), ["crd-gone"]);
    assert_eq!(codes(&of_rgd(&RgdCase { rivals: vec![&fine], ..case(&fine, &looked) })), ["kind-duplicate"]);

    let refused = json!({"type": "GraphAccepted", "status": "False", "message": "schema not found", "observedGeneration": 1});
    let invalid = rgd(json!({"state": "Inactive", "conditions": [refused]}), early);
    let widget = GroupKind::new("x.io", "Widget");
    let lacking = |generator| vec![(widget.clone(), generator)];
    let waits = RgdCase { lacking: lacking(Some(&fine)), ..case(&invalid, &looked) };
    assert_eq!(codes(&of_rgd(&waits)), ["waits-for-rgd", "rgd-invalid"]);
    let lacks = RgdCase { lacking: lacking(None), ..case(&invalid, &looked) };
    assert_eq!(codes(&of_rgd(&lacks)), ["kind-not-served", "rgd-invalid"]);

    let problem = |rule, field: &str| Problem {
        rule,
        node: Some("db".into()),
        field: field.into(),
        message: "there is no such field".into(),
        certain: true,
    };
    let problems =
        vec![problem(Rule::TemplateField, "template.spec.size"), problem(Rule::UnknownKind, "template")];
    let stale = of_rgd(&RgdCase { problems: problems.clone(), ..case(&fine, &looked) });
    assert_eq!(codes(&stale), ["rgd-invalid"]);
    assert!(stale[0].cause.contains("db template.spec.size (template-field)"), "{}", stale[0].cause);
    assert_eq!(stale[0].evidence.len(), 1);
    let both = of_rgd(&RgdCase { problems, lacking: lacking(None), ..case(&invalid, &looked) });
    assert_eq!(codes(&both), ["kind-not-served", "rgd-invalid"]);
    assert_eq!(both[1].evidence.len(), 2, "{:?}", both[1].evidence);

    let instances = [instance(2), instance(1)];
    let frozen = of_rgd(&RgdCase { instances: Some(&instances), ..case(&invalid, &looked) });
    assert_eq!(codes(&frozen), ["rgd-invalid", "instances-frozen"]);
    assert!(frozen[1].cause.starts_with("1 of its 2 instances are frozen"), "{}", frozen[1].cause);
}

#[test]
fn an_rgd_that_kro_has_not_looked_at() {
    let looked = Looked::default();
    let awaiting = || json!({"conditions": [{"type": "Ready", "status": "Unknown", "reason": "AwaitingReconciliation"}]});
    for (status, created, code) in [
        (awaiting(), "2026-01-01T00:00:00Z", "controller-behind"),
        (json!({}), "2026-01-01T00:00:00Z", "controller-behind"),
        (awaiting(), "2026-01-01T00:59:58Z", "not-looked-at"),
    ] {
        assert_eq!(codes(&of_rgd(&case(&rgd(status, created), &looked))), [code]);
    }
    let down = object(
        json!({"kind": "Deployment", "metadata": {"name": "kro", "namespace": "kro"}, "spec": {"replicas": 2}}),
    );
    let looked = Looked { controllers: vec![down], ..Looked::default() };
    let unseen = rgd(awaiting(), "2026-01-01T00:00:00Z");
    let findings = of_rgd(&case(&unseen, &looked));
    assert_eq!(codes(&findings), ["controller-down"]);
    assert!(
        findings[0].cause.ends_with("Deployment kro/kro has 0 of 2 replicas available"),
        "{}",
        findings[0].cause
    );
}
