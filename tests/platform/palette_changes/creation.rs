//! `palette_create_cluster`.

use futures::future::join;
use platform_mcp::demo::palette::{Failure, Fault, Limits, Making, Pace};

use super::*;

const TOOL: &str = "palette_create_cluster";
const VIRTUAL: &str = "POST /v1/spectroclusters/virtual";
const EKS: &str = "cloudConfig: {region: eu-central-1}\nmachinepoolconfig:\n- cloudConfig: {instanceType: t3.large}\n  \
    poolConfig: {name: workers, size: 3, labels: [worker]}\n";

fn with(mut arguments: Value, more: &Value) -> Value {
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

fn guest() -> Value {
    json!({
        "project": "shop", "name": "team-c", "cloud": "virtual", "group": "sandboxes", "profiles": ["app@1.1.0"],
        "variables": {"pin": SECRET, "salt": SHORT_SECRET, "replicas": "3"}, "cpu": 2, "memory_gib": 4,
        "storage_gib": 10, "description": "a sandbox", "tags": ["dev", "team:c"],
    })
}

fn eks() -> Value {
    json!({
        "project": "shop", "name": "prod-9", "cloud": "eks", "account": "aws-one", "profiles": ["base", "plain@1.0.0"],
        "spec": EKS,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_cluster_is_planned_made_and_followed_until_it_runs() {
    let rig = able(data());
    let plan = rig.plan(TOOL, &guest()).await;
    for part in [
        "virtual cluster demo/shop/team-c would be made in the cluster group sandboxes",
        "size: at most 2 cores, 4 GiB memory, 10 GiB storage",
        "profile: app@1.1.0 (add-on: nginx 1.11.3)",
        "variable of app: pin = (set, hidden)",
        "variable of app: replicas = 3",
        "variables of app that keep their default: tier",
        "the group has 4 of 16 cores in use, 2 more are asked for",
        "tags: dev, team:c",
    ] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    assert!(rig.changes().is_empty() && rig.cluster("team-c").is_none(), "a plan changes nothing");
    let mut arguments = guest();
    arguments["plan"] = plan.structure["plan"].clone();
    let (heard, answer) = rig.heard(TOOL, &arguments).await;
    let structure = &answer["structuredContent"];
    assert_eq!(
        (&structure["change"], &structure["state"]),
        (&json!("made"), &json!("Running")),
        "{answer:#}"
    );
    assert_eq!(structure["ended"], "reached");
    assert!(heard.iter().any(|line| line.starts_with("Provisioning: ")), "{heard:?}");
    assert!(heard.last().is_some_and(|line| line.starts_with("Running: ")), "{heard:?}");
    let uid = structure["uid"].as_str().expect("a uid");
    let notes = structure["notes"].to_string();
    assert!(notes.contains(&format!("palette_cluster_health with cluster {uid}")), "{notes}");
    let health = rig.mcp.call("palette_cluster_health", json!({"cluster": uid})).await;
    assert!(health.text.contains("demo/shop/team-c"), "{}", health.text);

    let made = rig.cluster("team-c").expect("it is there");
    assert_eq!(made.labels["team"], "c");
    assert_eq!(
        made.profiles[0].variables["pin"], SECRET,
        "variables are sent, which the vendor's wizard forgets"
    );
    let changes = rig.changes();
    let [(request, body)] = changes.as_slice() else { panic!("one request: {changes:?}") };
    assert_eq!((request.as_str(), &body["spec"]["cloudType"]), (VIRTUAL, &json!("nested")));
    // every list knows of it at once
    let listed = rig.mcp.call("palette_clusters", json!({})).await;
    assert!(listed.text.contains("team-c"), "{}", listed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_a_cloud_is_planned_with_what_it_costs_and_made() {
    let rig = able(data());
    let plan = rig.plan(TOOL, &eks()).await;
    for part in [
        "eks cluster demo/shop/prod-9 would be made with the cloud account aws-one",
        "profile: base@1.1.0 (infra: ubuntu 22.04, kubernetes 1.31.4)",
        "machine pool: 3 × workers, t3.large",
        "cloudConfig.region = eu-central-1",
        "cost: 0.33 an hour, about 241 a month",
    ] {
        assert!(plan.text.contains(part), "{part}: {}", plan.text);
    }
    let answer = rig.confirm(TOOL, &eks(), &plan).await;
    assert_eq!(
        (&answer.structure["change"], &answer.structure["state"]),
        (&json!("made"), &json!("Running"))
    );
    let made = rig.cluster("prod-9").expect("it is there");
    assert_eq!(
        (made.environment.as_str(), made.region.as_str(), made.pools[0].size),
        ("eks", "eu-central-1", 3)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sensitive_values_are_in_no_answer_log_audit_line_or_plan() {
    // an API that quotes what it was sent
    let mut data = data();
    for version in &mut data.profiles[2].versions {
        version.variables[0].regex = "^[a-z]+$".into();
        version.variables[0].sensitive = false;
        version.variables[0].name = "word".into();
        version.variables[1].required = true;
    }
    let careless = able(data);
    let mut shown = Vec::new();
    let quoting = with(guest(), &json!({"variables": {"word": "abc", "salt": SECRET}}));
    let plan = careless.plan(TOOL, &quoting).await;
    careless.tenant.fail(Fault::at(
        VIRTUAL,
        Failure::Coded(422, "ClusterValidationFailed".into(), format!("salt '{SECRET}' is bad")),
    ));
    shown.push(careless.confirm(TOOL, &quoting, &plan).await);
    shown.push(plan);
    let short = with(guest(), &json!({"variables": {"word": "abc", "salt": SHORT_SECRET}}));
    careless.tenant.heal();
    let validate = "POST /v1/spectroclusters/virtual/validate";
    let quote = json!({"machinePools": {"results": [{"name": "x", "errors": [{"message": format!("no {SHORT_SECRET}!")}]}]}});
    careless.tenant.fail(Fault::at(validate, Failure::Instead(quote)));
    shown.push(careless.mcp.call(TOOL, short).await);
    assert!(shown[2].text.contains("is left out"), "{}", shown[2].text);

    let rig = able(super::data());
    shown.push(rig.done(TOOL, &guest()).await);
    let wrong =
        with(guest(), &json!({"name": "x", "variables": {"pin": SECRET.to_uppercase(), "salt": SECRET}}));
    shown.push(rig.mcp.call(TOOL, wrong).await);
    for answer in &shown {
        let said = format!("{} {}", answer.text, answer.structure).to_lowercase();
        assert!(!said.contains(SECRET) && !said.contains("no z9"), "{said}");
    }
    let lines = rig.audit(3);
    let made = lines.iter().find(|line| line["change"] == "made").expect("a line");
    assert_eq!(
        made["request"],
        json!({"method": "POST", "path": "/v1/spectroclusters/virtual", "status": 201})
    );
    for rig in [&careless, &rig] {
        for log in [rig.server.said(), rig.server.read("audit.log")] {
            assert!(!log.to_lowercase().contains(SECRET), "a log tells it");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_its_argument_before_anything_is_made() {
    let rig = able(Data { limits: Limits::Off, ..data() });
    let mut wrong = Vec::new();
    for (more, says) in [
        (json!({"cloud": "mars"}), "the argument \"cloud\" must be one of its values"),
        (json!({"name": "Team_C"}), "the argument \"name\" \"Team_C\" cannot be a cluster's"),
        (json!({"project": "shp"}), "no Palette project \"shp\""),
        (json!({"project": null}), "the argument \"project\" is missing"),
        (json!({"project": null}), "Possible: other, shop"),
        (json!({"environment": "prod"}), "prod"),
        (json!({"group": "sandbxes"}), "no cluster group \"sandbxes\""),
        (json!({"group": "sandbxes"}), "Nearest: sandboxes"),
        (json!({"group": null}), "the argument \"group\" is missing"),
        (json!({"group": "asleep"}), "it is not active"),
        (json!({"cpu": 5}), "does not let one cluster have as much: cpu: at most 4 cores"),
        (json!({"group": "full"}), "the group has no room for it"),
        (json!({"account": "aws-one"}), "\"account\" is not of virtual clusters"),
        (json!({"profiles": ["app@2.0.0"]}), "app@2.0.0 is a draft"),
        (json!({"profiles": ["app@9.0.0"]}), "has no version \"9.0.0\""),
        (json!({"profiles": ["ap"]}), "there is no cluster profile \"ap\""),
        (
            json!({"profiles": ["base"]}),
            "is no add-on: a virtual cluster gets its infrastructure from its cluster group",
        ),
        (json!({"profiles": ["app@1.1.0", "app@1.0.0"]}), "is there twice"),
        (json!({"variables": {"salt": "x"}}), "pin is missing: profile app requires it"),
        (json!({"variables": {"pin": "Not That"}}), "pin must be of the profile's pattern"),
        (json!({"variables": {"pin": "a", "replicas": "many"}}), "replicas must be of format number"),
        (json!({"variables": {"pin": "a", "tier": "huge"}}), "tier must be one of small, large"),
        (json!({"variables": {"pin": "a", "replcas": "2"}}), "nearest: replicas"),
        (
            json!({"spec": "clusterConfig: {timezon: UTC}"}),
            "spec.clusterConfig.timezon is not known to Palette (nearest: timezone)",
        ),
        (json!({"spec": "profiles: []"}), "must not have profiles"),
        (
            json!({"spec": "clusterConfig: {hostClusterConfig: {hostCluster: {uid: 65f010000000000000000004}}}"}),
            "must not have clusterConfig.hostClusterConfig.hostCluster: use the argument group",
        ),
        (json!({"variables": {"pin": "a", "salt": "planted-".repeat(8_000)}}), "has more than 4096 bytes"),
        (json!({"cpu": 0}), "at least 1"),
        (json!({"tags": [""]}), "\"tags\""),
        (json!({"name": "running", "profiles": []}), "there is a cluster demo/shop/running already"),
    ] {
        let mut arguments = with(guest(), &more);
        if more.get("profiles").is_some() && !more["profiles"].to_string().contains("app@1.1.0") {
            arguments["variables"] = json!({});
        }
        let answer = rig.mcp.call(TOOL, arguments).await;
        if !(answer.is_error && answer.text.contains(says)) {
            wrong.push(format!("{more}: {says}: {}", answer.text));
        }
    }
    for (more, says) in [
        (json!({"account": "aws-on"}), "Nearest: aws-one"),
        (json!({"account": "twin"}), "the account name \"twin\" is ambiguous"),
        (json!({"account": "vcenter"}), "is of vsphere, and clusters of eks are made with accounts of aws"),
        (json!({"account": "of-other"}), "there is no cloud account \"of-other\""),
        (json!({"account": null}), "the argument \"account\" is missing"),
        (json!({"profiles": ["vsphere-base"]}), "vsphere-base@1.0.0 is for the cloud vsphere, not for eks"),
        (json!({"profiles": ["plain"]}), "has no infrastructure profile"),
        (json!({"spec": null}), "the argument \"spec\" is missing"),
        (json!({"spec": "cloudConfig: {region: a}"}), "at least one machine pool"),
        (
            json!({"spec": EKS.replace("size: 3, ", "")}),
            "spec.machinepoolconfig[0].poolConfig.size is missing",
        ),
        (json!({"cpu": 2}), "are of virtual clusters"),
    ] {
        let answer = rig.mcp.call(TOOL, with(eks(), &more)).await;
        if !(answer.is_error && answer.text.contains(says)) {
            wrong.push(format!("{more}: {says}: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(rig.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_stale_or_of_others_makes_nothing() {
    let rig = able(data());
    let plan = rig.plan(TOOL, &guest()).await;
    // other arguments
    let other = rig.confirm(TOOL, &with(guest(), &json!({"cpu": 1})), &plan).await;
    assert!(
        other.is_error && other.text.contains("the argument \"plan\" is not one that you got"),
        "{}",
        other.text
    );
    // a profile has changed
    rig.tenant.change(|data| data.profiles[2].versions[1].packs[0].values = "replicas: 9\n".into());
    let changed = rig.confirm(TOOL, &guest(), &plan).await;
    assert_eq!(changed.structure["change"], "refused", "{}", changed.text);
    assert!(
        changed.is_error && changed.text.contains("NOTHING WAS DONE: a profile changed"),
        "{}",
        changed.text
    );
    // the group has
    let plan = rig.plan(TOOL, &guest()).await;
    rig.tenant.change(|data| data.groups[0].limits = json!({"cpuMilliCore": 2000}));
    let changed = rig.confirm(TOOL, &guest(), &plan).await;
    assert!(
        changed.text.contains("NOTHING WAS DONE: the cluster group or the cloud account"),
        "{}",
        changed.text
    );
    // somebody took the name
    let plan = rig.plan(TOOL, &guest()).await;
    rig.tenant.change(|data| {
        let shop = data.projects[0].uid.clone();
        data.clusters.push(Cluster::new("team-c", Some(&shop)));
    });
    let taken = rig.confirm(TOOL, &guest(), &plan).await;
    assert!(
        taken.is_error && taken.text.contains("NOTHING WAS DONE: since that plan, somebody has made"),
        "{}",
        taken.text
    );
    assert!(rig.changes().is_empty(), "{:?}", rig.changes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_done_once_and_of_two_callers_one_gets_the_name() {
    let rig = able(data());
    let (one, two) = (rig.plan(TOOL, &guest()).await, rig.plan(TOOL, &guest()).await);
    let (first, second) = join(rig.confirm(TOOL, &guest(), &one), rig.confirm(TOOL, &guest(), &two)).await;
    let (made, lost) = if first.is_error { (second, first) } else { (first, second) };
    assert_eq!(made.structure["change"], "made", "{}", made.text);
    assert!(lost.is_error && lost.text.contains("team-c"), "{}", lost.text);
    assert_eq!(rig.tenant.data().clusters.iter().filter(|of| of.name == "team-c").count(), 1);
    let again = rig.confirm(TOOL, &guest(), &one).await;
    assert!(again.is_error, "{}", again.text);
    assert!(rig.tenant.answered(201) == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_permission_the_tool_does_not_exist_and_elsewhere_it_says_so() {
    let rig = serve(data(), "spectrocloud.cluster.update");
    let error = rig.mcp.try_call(TOOL, guest()).await.expect_err("hidden");
    assert!(error.message.contains("there is no tool \"palette_create_cluster\""), "{error:?}");
    assert!(rig.tenant.count() == 0 && rig.audit(1)[0]["decision"] == "deny");
    // readOnly hides every write, whoever asks
    let tenant = Palette::shared().tenant(data());
    let config =
        format!("{}local: {{role: admin}}\ntools: {{readOnly: true}}\n", Palette::shared().config(&tenant));
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let names: Vec<String> =
        Mcp::new(server.url("/mcp")).list_tools().await.iter().map(|tool| tool["name"].to_string()).collect();
    assert!(
        !names.iter().any(|name| name.contains("create_cluster"))
            && names.iter().any(|name| name.contains("palette_fleet"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_looked_up_and_never_sent_twice() {
    for (failure, made, says) in [
        (Failure::Done(502), true, "it was most likely made by this call"),
        (Failure::Cut, true, "it was most likely made by this call"),
        (Failure::Html(503), false, "UNKNOWN WHETHER IT WAS MADE: Palette lists no cluster of that name yet"),
        (
            Failure::Coded(500, "InternalError".into(), "it broke".into()),
            false,
            "UNKNOWN WHETHER IT WAS MADE",
        ),
    ] {
        let rig = able(data());
        let plan = rig.plan(TOOL, &guest()).await;
        rig.tenant.fail(Fault::at(VIRTUAL, failure.clone()));
        let answer = rig.confirm(TOOL, &guest(), &plan).await;
        assert!(answer.is_error && answer.text.contains(says), "{failure:?}: {}", answer.text);
        assert!(answer.text.contains("was sent once and its answer was lost"), "{}", answer.text);
        assert!(!answer.text.contains("Retryable"), "{}", answer.text);
        assert_eq!(rig.changes().len(), 1, "{failure:?}");
        assert_eq!(rig.cluster("team-c").is_some(), made, "{failure:?}");
        if made {
            let there = rig.cluster("team-c").expect("made").uid;
            assert!(
                answer.text.contains(&there) && answer.text.contains("do not create it again"),
                "{}",
                answer.text
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn palette_down_after_the_create_is_said_and_what_it_refused_unseen_is_sent_again() {
    let rig = able(data());
    let plan = rig.plan(TOOL, &guest()).await;
    rig.tenant.fail(Fault::at(VIRTUAL, Failure::Done(502)));
    rig.tenant.fail(Fault::at("POST /v1/dashboard/spectroclusters/search", Failure::Html(503)).after(1));
    let answer = rig.confirm(TOOL, &guest(), &plan).await;
    assert!(
        answer.text.contains("UNKNOWN WHETHER IT WAS MADE: it could not be looked up either"),
        "{}",
        answer.text
    );
    assert_eq!(rig.changes().len(), 1);

    let rig = able(data());
    let plan = rig.plan(TOOL, &guest()).await;
    rig.tenant.fail(Fault::at(VIRTUAL, Failure::too_many()).times(1));
    let answer = rig.confirm(TOOL, &guest(), &plan).await;
    assert_eq!(answer.structure["change"], "made", "{}", answer.text);
    assert_eq!(rig.changes().len(), 2, "a 429 was not looked at");

    // and what goes down once it is made does not make it unmade
    let rig = able(Data { pace: Pace { looks: u32::MAX, fails: false }, ..data() });
    let plan = rig.plan(TOOL, &guest()).await;
    rig.tenant.fail(Fault::at("GET /v1/dashboard/spectroclusters/{uid}", Failure::Html(503)));
    let answer = rig.confirm(TOOL, &with(guest(), &json!({})), &plan).await;
    assert_eq!((&answer.structure["change"], &answer.structure["ended"]), (&json!("made"), &json!("unseen")));
}

#[tokio::test(flavor = "multi_thread")]
async fn following_ends_with_a_failure_with_the_time_or_with_the_caller() {
    let fails = able(Data { pace: Pace { looks: 0, fails: true }, ..data() });
    let plan = fails.plan(TOOL, &guest()).await;
    let answer = fails.confirm(TOOL, &guest(), &plan).await;
    assert_eq!((&answer.structure["change"], &answer.structure["ended"]), (&json!("made"), &json!("failed")));
    assert!(answer.is_error && answer.text.contains("it is Error. It FAILED after"), "{}", answer.text);
    assert!(answer.text.contains("the account has no room for another machine"), "{}", answer.text);

    let slow = able(Data { pace: Pace { looks: u32::MAX, fails: false }, ..data() });
    let arguments = with(guest(), &json!({"seconds": 1}));
    let plan = slow.plan(TOOL, &arguments).await;
    let answer = slow.confirm(TOOL, &arguments, &plan).await;
    assert_eq!((&answer.structure["state"], &answer.structure["ended"]), (&json!("Pending"), &json!("time")));
    assert!(answer.text.contains("not yet it runs; it goes on by itself"), "{}", answer.text);
    assert!(
        slow.cluster("team-c").is_some_and(|made| made.making.is_some_and(|making: Making| making.left > 0))
    );
    let arguments = with(guest(), &json!({"name": "team-d", "seconds": 0}));
    let plan = slow.plan(TOOL, &arguments).await;
    let answer = slow.confirm(TOOL, &arguments, &plan).await;
    assert_eq!(answer.structure["ended"], "not followed", "{}", answer.text);

    // the caller leaves: the audit log tells what was made
    let arguments = with(guest(), &json!({"name": "team-e", "seconds": 600}));
    let plan = slow.plan(TOOL, &arguments).await;
    let mut confirmed = arguments.clone();
    confirmed["plan"] = plan.structure["plan"].clone();
    let mcp = slow.mcp.clone();
    let follows = tokio::spawn(async move { mcp.call(TOOL, confirmed).await });
    while slow.cluster("team-e").is_none() {
        assert!(!follows.is_finished());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    slow.tenant.forget();
    while slow.tenant.count() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    follows.abort();
    let line = slow.audit(6).pop().expect("a line");
    assert_eq!((&line["outcome"], &line["request"]["status"]), (&json!("cancelled"), &json!(201)), "{line}");
}
