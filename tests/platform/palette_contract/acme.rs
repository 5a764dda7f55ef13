//! A tenant that has something of everything the contract can say.

use std::collections::BTreeMap;

use platform_mcp::demo::palette::{
    Attached, CloudAccount, Cluster, ClusterGroup, Condition, Data, Event, HealthCondition, Limits, Manifest,
    Metrics, Notification, Oidc, Pack, Profile, Project, Repave, RepaveReason, Upgrade, Usage, Variable,
    Virtual, uid,
};

/// Two projects, profiles of several versions, host and virtual clusters in every condition, groups, accounts.
pub(super) fn data() -> Data {
    let projects = vec![Project::new("shop"), Project::new("data")];
    let (shop, other) = (projects[0].uid.clone(), projects[1].uid.clone());
    let profiles = profiles(&shop);
    let version = |profile: usize, version: usize| profiles[profile].versions[version].uid.clone();
    let account = uid("account/vsphere");
    let group = ClusterGroup {
        uid: uid("group/previews"),
        name: "previews".into(),
        project: Some(shop.clone()),
        hosts: vec![Cluster::new("host", Some(&shop)).uid],
        profiles: vec![version(1, 0)],
        ..ClusterGroup::default()
    };
    let mut host = sick(Cluster::new("host", Some(&shop)));
    host.profiles = vec![overriding(&version(0, 0)), Attached::new(&version(1, 0))];
    host.updates = vec![version(0, 1)];
    host.account = Some(account.clone());
    let mut small = Cluster::new("small", Some(&shop));
    small.environment = "nested".into();
    small.virtual_cluster = Some(Virtual {
        host: host.uid.clone(),
        group: Some(group.uid.clone()),
        lifecycle: "Paused".into(),
        message: "asked for".into(),
        size: (4, 8192, 20),
        ..Virtual::default()
    });
    small.profiles = vec![Attached::new(&version(1, 1))];
    let usage = |limit| Usage { limit, request: 1.0, total: limit, usage: limit / 2.0 };
    small.metrics = Some(Metrics { cpu: usage(4000.0), memory: usage(8_388_608.0) });
    let mut fresh = Cluster::new("fresh", Some(&other));
    fresh.state = "Provisioning".into();
    fresh.health.state = String::new();
    fresh.health.heartbeat = None;
    fresh.conditions.clear();
    fresh.endpoints.clear();
    fresh.pools.clear();
    let mut gone = Cluster::new("gone", None);
    gone.deleted = true;
    gone.state = "Deleted".into();
    // the same name in another project
    let twin = Cluster { base64: true, ..Cluster::new("host", Some(&other)) };
    Data {
        groups: vec![
            group,
            ClusterGroup { uid: uid("group/empty"), name: "empty".into(), ..ClusterGroup::default() },
        ],
        accounts: accounts(&shop),
        clusters: vec![host, small, fresh, gone, twin],
        profiles,
        projects,
        limits: Limits::Off,
        ..Data::default()
    }
}

fn profiles(project: &str) -> Vec<Profile> {
    let operating_system = Pack::new("os", "ubuntu", "22.04", "kubeadmconfig: {}\n");
    let kubernetes = |tag| Pack::new("k8s", "kubernetes", tag, "pack:\n  podCIDR: 192.168.0.0/16\n");
    let mut monitoring =
        Pack::new("addon", "monitoring", "66.2.1", "charts:\n  grafana:\n    adminPassword: x\n");
    monitoring.kind = "helm".into();
    monitoring.eol = "2027-01-31".into();
    monitoring.deprecated = true;
    let mut rules = Pack::new("addon", "rules", "1.0.0", "");
    rules.kind = "manifest".into();
    rules.manifests =
        vec![Manifest::new("quota", "kind: ResourceQuota\n"), Manifest::new("limits", "kind: LimitRange\n")];
    let mut base = Profile::new("base", Some(project))
        .with("1.0.0", vec![operating_system.clone(), kubernetes("1.30.4")])
        .with("1.1.0", vec![operating_system, kubernetes("1.31.4")]);
    base.kind = "cluster".into();
    base.cloud_type = "vsphere".into();
    base.versions[0].variables = vec![
        Variable { name: "region".into(), options: vec!["eu".into(), "us".into()], ..Variable::default() },
        Variable {
            name: "password".into(),
            sensitive: true,
            required: true,
            default_value: "x".into(),
            ..Variable::default()
        },
    ];
    let mut watch = Profile::new("watch", None)
        .with("2.0.0", vec![monitoring.clone(), rules.clone()])
        .with("2.1.0", vec![monitoring, rules]);
    watch.versions[1].draft = true;
    vec![base, watch, Profile::new("empty", None).with("1.0.0", Vec::new())]
}

fn sick(cluster: Cluster) -> Cluster {
    let mut cluster = Cluster {
        repave: Some(Repave {
            state: "Pending".into(),
            message: "nodes are replaced".into(),
            since: 30,
            reasons: vec![RepaveReason {
                code: "PackValuesChanged".into(),
                message: "kubernetes changed".into(),
                pack: "kubernetes".into(),
                layer: "k8s".into(),
                from: "1.30.4".into(),
                to: "1.31.4".into(),
                keys: vec!["pack.podCIDR".into()],
            }],
        }),
        update_repaves: true,
        notifications: vec![Notification {
            message: "an update".into(),
            created: 60,
            ..Notification::default()
        }],
        events: vec![Event {
            severity: "Error".into(),
            reason: "FailedCreate".into(),
            message: "no room".into(),
            component: "palette".into(),
            created: 5,
        }],
        upgrades: vec![Upgrade { reasons: vec!["kubernetes 1.29.1 -> 1.30.4".into()], at: 900 }],
        oidc: Some(Oidc {
            client_id: "kubernetes".into(),
            client_secret: "x".into(),
            issuer_url: "https://issuer.example.com".into(),
            scopes: vec!["openid".into()],
        }),
        ..cluster
    };
    cluster.health.state = "UnHealthy".into();
    cluster.health.conditions = vec![HealthCondition {
        kind: "NodeNotReady".into(),
        message: "a node is not ready".into(),
        about: Some(("machine".into(), "worker-1".into())),
    }];
    cluster.conditions.push(Condition::failed("WorkerNodeAdditionDone", "Scaling", "no room"));
    let failed = Condition::failed("Ready", "InstallFailed", "timed out");
    cluster.pack_conditions.insert("monitoring".into(), failed);
    cluster
}

fn overriding(version: &str) -> Attached {
    let values = BTreeMap::from([("kubernetes".to_owned(), "pack:\n  podCIDR: 10.0.0.0/8\n".to_owned())]);
    let variables = BTreeMap::from([("region".to_owned(), "us".to_owned())]);
    Attached { values, variables, ..Attached::new(version) }
}

fn accounts(project: &str) -> Vec<CloudAccount> {
    let account = |kind: &str, spec| CloudAccount {
        uid: uid(&format!("account/{kind}")),
        name: format!("our {kind}"),
        project: Some(project.to_owned()),
        kind: kind.to_owned(),
        account_id: "1234".to_owned(),
        state: "Running".to_owned(),
        spec,
        ..CloudAccount::default()
    };
    vec![
        account("aws", serde_json::json!({"accessKey": "x", "secretKey": "x", "credentialType": "secret"})),
        account(
            "apache-cloudstack",
            serde_json::json!({"apiUrl": "https://c.example.com", "apiKey": "x", "secretKey": "x"}),
        ),
        account("gcp", serde_json::json!({"jsonCredentials": "{}"})),
        account("maas", serde_json::json!({"apiEndpoint": "https://m.example.com", "apiKey": "x"})),
        account("azure", serde_json::json!({"clientId": "x", "clientSecret": "x", "tenantId": "x"})),
        account(
            "vsphere",
            serde_json::json!({"vcenterServer": "v.example.com", "username": "x", "password": "x", "insecure": false}),
        ),
    ]
}
