use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-22T12:00:00Z";

fn judged_with(summary: Value, waiting: &Waiting) -> Judged {
    let summary: ClusterSummary = serde_json::from_value(summary).expect("lenient");
    let next = Next { uid: "u1".to_owned(), kubernetes: None };
    judge(&summary, waiting, &next, NOW.parse().expect("a time"))
}

fn judged(status: &Value) -> Judged {
    judged_with(json!({"status": status}), &Waiting::default())
}

fn fine() -> Value {
    json!({
        "state": "Running",
        "health": {"state": "Healthy", "lastHeartBeatTimestamp": "2026-11-22T11:59:30.000Z"},
        "conditions": [{"type": "BootstrappingDone", "status": "True"}],
        "packs": [{"name": "nginx", "version": "1.2.3", "condition": {"status": "True", "type": "Ready"}}],
    })
}

fn changed(change: impl FnOnce(&mut Value)) -> Judged {
    let mut status = fine();
    change(&mut status);
    judged(&status)
}

fn about(judged: &Judged) -> Vec<(&'static str, &str)> {
    judged.findings.iter().map(|finding| (finding.severity.name(), finding.about.as_str())).collect()
}

#[test]
fn a_cluster_with_nothing_wrong_is_healthy() {
    let judged = judged(&fine());
    assert_eq!(judged.verdict, Verdict::Healthy);
    assert!(judged.findings.is_empty(), "{:?}", judged.findings);
    assert_eq!((judged.packs.fine, judged.conditions.fine), (1, 1));
}

#[test]
fn unhealthy_is_seen_in_every_spelling_and_running_is_no_excuse() {
    for spelling in ["UnHealthy", "Unhealthy", "unhealthy", "UNHEALTHY", " unhealthy "] {
        let judged = changed(|status| status["health"]["state"] = spelling.into());
        assert_eq!(judged.verdict, Verdict::Unhealthy, "{spelling}");
        assert!(judged.findings[0].message.contains("Running is no contradiction"), "{:?}", judged.findings);
    }
}

#[test]
fn an_agent_that_is_silent_is_critical_though_the_last_thing_it_said_was_healthy() {
    let at =
        |heartbeat: &str| changed(|status| status["health"]["lastHeartBeatTimestamp"] = heartbeat.into());
    assert_eq!(at("2026-11-22T11:50:00.000Z").verdict, Verdict::Healthy, "ten minutes are not over");
    let silent = at("2026-11-22T11:49:59.000Z");
    assert_eq!(silent.verdict, Verdict::Unhealthy);
    assert_eq!(about(&silent), [("critical", "heartbeat")]);
    assert_eq!(silent.findings[0].since.as_deref(), Some("2026-11-22T11:49:59Z"));
    let never = at("0001-01-01T00:00:00.000Z");
    assert_eq!((never.verdict, never.heartbeat), (Verdict::Attention, None), "the zero time is none");
    assert_eq!(at("2026-11-22T12:05:00.000Z").verdict, Verdict::Healthy, "a clock that is ahead");
}

#[test]
fn nothing_known_is_never_called_fine() {
    for status in
        [json!(null), json!({}), json!({"state": "Running"}), json!({"state": "Unknown", "health": null})]
    {
        assert_eq!(judged(&status).verdict, Verdict::Attention, "{status}");
    }
    assert_eq!(changed(|status| status["health"]["state"] = "Odd".into()).verdict, Verdict::Attention);
}

#[test]
fn conditions_that_are_not_true_are_told_with_reason_and_a_next_step() {
    let judged = changed(|status| {
        status["conditions"] = json!([
            {"type": "WorkerNodeAdditionDone", "status": "False", "reason": "Scaling", "message": "waiting for 2 nodes"},
            {"type": "CloudInfrastructureReady", "status": "False", "reason": "Failed", "message": "quota exceeded",
             "lastTransitionTime": "2026-11-22T10:00:00.000Z"},
            {"type": "KubeConfigReady", "status": "true"},
            {"type": "BootstrapReady", "status": "Unknown"},
        ]);
    });
    assert_eq!(
        about(&judged),
        [
            ("critical", "condition CloudInfrastructureReady"),
            ("warning", "condition WorkerNodeAdditionDone"),
            ("warning", "condition BootstrapReady"),
        ]
    );
    let first = &judged.findings[0];
    assert_eq!(first.message, "Failed: quota exceeded");
    assert_eq!(first.since.as_deref(), Some("2026-11-22T10:00:00Z"));
    assert!(first.next.contains("quota") && first.next.contains("palette_cluster_events cluster=u1"));
    assert_eq!((judged.conditions.total, judged.conditions.fine, judged.conditions.failing), (4, 1, 1));
}

#[test]
fn a_failing_pack_is_told_with_its_manifests_and_messages() {
    let judged = changed(|status| {
        status["packs"] = json!([
            {"name": "fine", "version": "1", "condition": {"status": "True"}},
            {"name": "spectro", "version": "2", "condition": {"type": "InstallSuccess", "status": ""}},
            {"name": "vault", "version": "0.27.0", "condition": {"status": "False", "reason": "Failed",
                "message": "upgrade failed: password: hunter2-planted", "lastTransitionTime": "0001-01-01T00:00:00.000Z"},
             "manifests": [
                {"name": "ok", "uid": "m0", "condition": {"status": "True"}},
                {"name": "vault-config", "uid": "m1", "condition": {"status": "False", "message": "no such CRD"}}]},
            {"name": "half", "version": "3", "condition": {"status": "True"},
             "manifests": [{"name": "late", "uid": "m2", "condition": {"status": "False", "reason": "ApplyFailed"}}]},
            {"name": "busy", "version": "4", "condition": {"status": "False", "reason": "InProgress"}},
            {"name": "silent", "version": "5", "condition": null},
        ]);
    });
    assert_eq!(judged.verdict, Verdict::Unhealthy);
    assert_eq!(
        about(&judged),
        [
            ("critical", "pack vault 0.27.0"),
            ("warning", "pack half 3"),
            ("warning", "pack busy 4"),
            ("warning", "packs"),
        ]
    );
    let vault = &judged.findings[0];
    assert!(vault.message.contains("upgrade failed"), "{vault:?}");
    assert!(vault.message.contains("manifest vault-config: no such CRD"), "{vault:?}");
    assert!(!vault.message.contains("planted") && vault.since.is_none(), "{vault:?}");
    assert!(vault.next.contains("palette_pack_manifest cluster=u1 manifest=m1"), "{vault:?}");
    assert!(judged.findings[3].message.contains("silent"));
    assert_eq!(judged.packs, Counts { total: 6, fine: 3, failing: 1, working: 1, unreported: 1 });
}

#[test]
fn health_conditions_name_what_they_are_about() {
    let judged = changed(|status| {
        status["health"]["state"] = "Unhealthy".into();
        status["health"]["conditions"] = json!([
            {"type": "NodeNotReady", "message": "kubelet stopped", "relatedObject": {"kind": "machine", "name": "w-1"}},
            {"type": null, "message": null, "relatedObject": null},
        ]);
    });
    let told: Vec<&str> = judged.findings.iter().map(|finding| finding.about.as_str()).collect();
    assert!(told.contains(&"health NodeNotReady (machine w-1)"), "{told:?}");
    assert_eq!(judged.count(Severity::Critical), 3);
}

#[test]
fn one_cause_is_told_once_with_all_that_is_said_of_it() {
    let mut status = fine();
    status["health"]["state"] = "Unhealthy".into();
    status["health"]["conditions"] = json!([
        {"type": "NodeHealth", "message": "worker-4 has been NotReady", "relatedObject": {"kind": "machine", "name": "worker-4"}},
        {"type": "PackHealth", "message": "is not ready", "relatedObject": {"kind": "pack", "name": "vault"}},
        {"type": "PackHealth", "message": "of another", "relatedObject": {"kind": "pack", "name": "vaul"}},
    ]);
    status["conditions"] = json!([
        {"type": "WorkerNodeAdditionDone", "status": "False", "reason": "Lost", "message": "Node worker-4 does not answer"},
        {"type": "KubeConfigReady", "status": "False", "reason": "Failed", "message": "worker-41"},
    ]);
    status["packs"] =
        json!([{"name": "vault", "version": "1", "condition": {"status": "False", "reason": "Failed"}}]);
    let pools = json!({"machinePools": [{"size": 4, "healthy": 3}]});
    let judged = judged_with(json!({"status": status, "spec": {"cloudConfig": pools}}), &Waiting::default());
    let mut told: Vec<&str> = judged.findings.iter().map(|finding| finding.about.as_str()).collect();
    told.sort_unstable();
    let wanted = [
        "condition KubeConfigReady",
        "health",
        "health NodeHealth (machine worker-4)",
        "health PackHealth (pack vaul)",
        "pack vault 1",
    ];
    assert_eq!(told, wanted);
    let of = |about: &str| judged.findings.iter().find(|finding| finding.about == about).expect("told");
    let node = of("health NodeHealth (machine worker-4)");
    for said in ["NotReady", "condition WorkerNodeAdditionDone: Lost", "3 of 4 are healthy"] {
        assert!(node.message.contains(said), "{said} in {node:?}");
    }
    assert!(node.next.contains("capacity and quota"), "{node:?}");
    let pack = of("pack vault 1");
    assert!(pack.message.contains("is not ready"), "{pack:?}");
    for call in ["palette_cluster_events cluster=u1", "palette_pack_manifest cluster=u1 pack=vault"] {
        assert!(pack.next.contains(call), "{call} in {pack:?}");
    }
}

#[test]
fn a_virtual_cluster_that_has_used_its_quota_is_not_called_healthy() {
    let using = |usage: f64, cloud: &str| {
        let mut status = fine();
        status["metrics"] = json!({"cpu": {"limit": 4000, "usage": usage, "unit": "MilliCore"}});
        judged_with(
            json!({"status": status, "spec": {"cloudConfig": {"cloudType": cloud}}}),
            &Waiting::default(),
        )
    };
    let high = using(3_880.0, "nested");
    assert_eq!((high.verdict, about(&high)), (Verdict::Attention, vec![("warning", "CPU quota")]));
    assert!(high.findings[0].message.contains("3.88 of 4 cores (97 %)"), "{:?}", high.findings);
    assert_eq!(about(&using(4_400.0, "nested")), [("critical", "CPU quota")]);
    assert_eq!(using(3_200.0, "nested").verdict, Verdict::Healthy);
    assert_eq!(using(3_880.0, "vsphere").verdict, Verdict::Healthy, "what is no quota");
}

#[test]
fn machines_that_are_short_are_told_and_pools_that_say_nothing_are_not() {
    let with = |pool: &Value| {
        let summary = json!({"status": fine(), "spec": {"cloudConfig": {"machinePools": [pool]}}});
        judged_with(summary, &Waiting::default())
    };
    let short = with(&json!({"size": 3, "healthy": 2}));
    assert_eq!(about(&short), [("warning", "machines of workers")]);
    let short = with(&json!({"size": 3, "healthy": 2, "isControlPlane": true}));
    assert_eq!(about(&short), [("critical", "machines of the control plane")]);
    for quiet in
        [json!({"size": 3}), json!({"size": 0, "healthy": 0}), json!({"size": 3, "healthy": 3}), json!(null)]
    {
        assert!(with(&quiet).findings.is_empty(), "{quiet}");
    }
}

#[test]
fn a_cluster_that_is_being_made_is_not_healthy_and_one_that_takes_hours_is_told() {
    let made = |created: &str| {
        let step = json!({"type": "BootstrappingDone", "status": "False", "message": "in progress"});
        let status = json!({"state": "Provisioning", "conditions": [step]});
        let summary = json!({"metadata": {"creationTimestamp": created}, "status": status});
        judged_with(summary, &Waiting::default())
    };
    let young = made("2026-11-22T11:45:00.000Z");
    assert_eq!((young.verdict, young.count(Severity::Warning)), (Verdict::InProgress, 0));
    let old = made("2026-11-22T01:00:00.000Z");
    assert_eq!((old.verdict, old.count(Severity::Warning)), (Verdict::InProgress, 1));
    assert!(old.findings[0].message.contains("11h"), "{:?}", old.findings);
}

#[test]
fn what_goes_away_is_not_alarming() {
    let judged = changed(|status| {
        status["state"] = "Deleting".into();
        status["health"]["state"] = "UnHealthy".into();
        status["packs"][0]["condition"]["status"] = "False".into();
    });
    assert_eq!((judged.verdict, judged.count(Severity::Critical)), (Verdict::Deleting, 0));
}

#[test]
fn a_virtual_cluster_that_sleeps_is_paused_and_one_that_cannot_is_broken() {
    let with = |lifecycle: &str| {
        changed(|status| {
            status["health"]["lastHeartBeatTimestamp"] = "2026-11-20T00:00:00.000Z".into();
            status["virtual"] = json!({"lifecycleStatus": {"status": lifecycle, "msg": "x"},
                                       "hostCluster": {"uid": "h"}});
        })
    };
    assert_eq!(with("Paused").verdict, Verdict::Paused);
    assert_eq!(with("Running").verdict, Verdict::Unhealthy, "it is awake and silent");
    let broken = with("Error");
    assert_eq!(broken.verdict, Verdict::Unhealthy);
    assert!(broken.findings.iter().any(|finding| finding.next.contains("palette_cluster_health cluster=h")));
}

#[test]
fn repaves_and_notifications_are_told_with_reasons() {
    let pack = json!({"current": {"name": "kubernetes", "tag": "1.29.x"},
        "target": {"name": "kubernetes", "version": "1.30.1"}, "diffConfigKeys": ["kubeadmconfig.apiServer"]});
    let repave = json!({"status": {"state": "Pending"}, "spec": {"source": "user", "reasons": [
        {"code": "PackUpdate", "message": "kubernetes changes", "pack": pack}, {"code": "Other", "pack": null}]}});
    let notifications = json!({"items": [
        {"type": "NotificationPackUpdate",
         "action": {"actionType": "NotifyActionClusterProfileUpdate", "actionMessage": "infra 1.2.0"}},
        {"action": {"isDone": true, "actionMessage": "over"}}, null]});
    let waiting = Waiting {
        repave: Some(serde_json::from_value(repave).expect("lenient")),
        notifications: Some(serde_json::from_value(notifications).expect("lenient")),
    };
    let mut status = fine();
    status["notifications"] = json!({"isAvailable": true});
    let judged = judged_with(json!({"status": status}), &waiting);
    assert_eq!(judged.verdict, Verdict::Attention);
    let repave = &judged.findings[0];
    assert_eq!(repave.about, "repave");
    for said in ["pack kubernetes 1.29.x to 1.30.1", "values of kubeadmconfig.apiServer", "Other"] {
        assert!(repave.message.contains(said), "{said} in {repave:?}");
    }
    assert_eq!(waiting.notified(), ["ClusterProfileUpdate: infra 1.2.0"]);
    assert!(judged.findings.iter().any(|finding| finding.about == "updates"));
}

#[test]
fn three_hundred_failing_packs_are_not_three_hundred_findings() {
    let failing = json!({"status": "False", "message": "x".repeat(5_000)});
    let packs: Vec<Value> =
        (0..300).map(|n| json!({"name": format!("p{n}"), "condition": failing})).collect();
    let judged = changed(|status| status["packs"] = packs.into());
    assert!(judged.findings.len() <= 21 && judged.packs.failing == 300);
    let text: usize = judged.findings.iter().map(|finding| finding.message.len()).sum();
    assert!(text < 10_000, "{text}");
}
