//! Two tenants in which everything says by its name whose it is, and every call of every palette tool.

use std::collections::BTreeMap;

use platform_mcp::demo::palette::{
    Attached, CloudAccount, Cluster, ClusterGroup, Condition, Data, Event, Health, HealthCondition, Manifest,
    Metrics, Notification, Oidc, Pack, Profile, Project, Repave, RepaveReason, Usage, Variable, Version,
    Virtual, uid,
};
use serde_json::{Map, Value, json};

/// Uids of what is in a project, as the simulator makes them.
pub(crate) fn project(name: &str) -> String {
    uid(&format!("project/{name}"))
}

/// The tenant `acme`: projects alpha and beta with the same in both, and a part that is the tenant's own.
/// `keeps` says of a project (or the tenant's part) whether it is there at all.
pub(crate) fn acme(keeps: impl Fn(Option<&str>) -> bool) -> Data {
    let mut data = Data { name: "acme".into(), ..Data::default() };
    // the tenant's profile stays where clusters of projects use it: they say so themselves
    data.profiles.push(profile("common-addons", None));
    // and so does the group that virtual clusters of projects are in
    data.groups.push(ClusterGroup {
        uid: uid("group/common"),
        name: "common-group".into(),
        hosts: vec![Cluster::new("zenith-one", None).uid],
        ..ClusterGroup::default()
    });
    for owner in [Some("alpha"), Some("beta"), None].into_iter().filter(|owner| keeps(*owner)) {
        fill(&mut data, owner);
    }
    data
}

/// Another tenant, with a project of its own.
pub(crate) fn other(keeps: impl Fn(Option<&str>) -> bool) -> Data {
    let mut data = Data { name: "globex".into(), ..Data::default() };
    for owner in [Some("gamma")].into_iter().filter(|owner| keeps(*owner)) {
        fill(&mut data, owner);
    }
    data
}

fn fill(data: &mut Data, owner: Option<&str>) {
    let of = owner.unwrap_or("zenith");
    let scope = owner.map(project);
    let scope = scope.as_deref();
    if let Some(name) = owner {
        data.projects.push(Project::new(name));
    }
    let own = profile(&format!("{of}-infra"), scope);
    let common = profile("common-addons", None);
    let twin = profile("twin-profile", scope);
    let at = |profile: &Profile, version: usize| Attached::new(&profile.versions[version].uid);
    let one = Cluster::new(&format!("{of}-one"), scope);
    let account = uid(&format!("account/{of}"));
    let sick = Cluster {
        profiles: vec![overridden(at(&own, 0)), at(&common, 0)],
        health: Health {
            state: "UnHealthy".into(),
            heartbeat: Some(3),
            conditions: vec![HealthCondition {
                kind: "NodeHealth".into(),
                message: format!("a node of {of} is not ready"),
                about: Some(("machine".into(), format!("{of}-worker-1"))),
            }],
            ..Health::default()
        },
        conditions: vec![Condition::failed("WorkerNodeAdditionDone", "Failed", &format!("no node for {of}"))],
        pack_conditions: BTreeMap::from([(
            "nginx".to_owned(),
            Condition::failed("Error", "HelmFailed", &format!("the release of {of} failed")),
        )]),
        updates: vec![own.versions[1].uid.clone()],
        update_repaves: true,
        repave: Some(Repave {
            state: "Pending".into(),
            message: format!("nodes of {of} are to be replaced"),
            since: 30,
            reasons: vec![RepaveReason {
                message: format!("values of {of} changed"),
                pack: "kubernetes".into(),
                ..RepaveReason::default()
            }],
        }),
        notifications: vec![Notification {
            message: format!("an update for {of}"),
            created: 60,
            ..Notification::default()
        }],
        events: [("NodeNotReady", "is gone"), ("RepavePending", "waits for a repave to be approved")]
            .map(|(reason, what)| Event {
                severity: "Warning".into(),
                reason: reason.into(),
                message: format!("a node of {of} {what}"),
                component: "palette".into(),
                created: 20,
            })
            .to_vec(),
        account: Some(account.clone()),
        oidc: Some(Oidc {
            client_id: "palette".into(),
            issuer_url: "https://login.example.com".into(),
            scopes: vec!["openid".into()],
            ..Oidc::default()
        }),
        ..one
    };
    let two = Cluster {
        profiles: vec![at(&own, 1), at(&twin, 0)],
        account: Some(account.clone()),
        ..Cluster::new(&format!("{of}-two"), scope)
    };
    let twin_cluster = Cluster { profiles: vec![at(&common, 1)], ..Cluster::new("twin", scope) };
    let group = ClusterGroup {
        uid: uid(&format!("group/{of}")),
        name: format!("{of}-group"),
        project: owner.map(project),
        hosts: vec![sick.uid.clone()],
        profiles: vec![common.versions[0].uid.clone()],
        ..ClusterGroup::default()
    };
    let usage = |limit: f64| Usage { limit, request: limit / 2.0, total: limit, usage: limit * 0.95 };
    let guest = |name: String, host: String, group: Option<String>| Cluster {
        environment: "nested".into(),
        profiles: vec![at(&common, 0)],
        metrics: Some(Metrics { cpu: usage(4_000.0), memory: usage(8_388_608.0) }),
        virtual_cluster: Some(Virtual { host, group, size: (4, 8192, 20), ..Virtual::default() }),
        pools: Vec::new(),
        ..Cluster::new(&name, scope)
    };
    let guests = [
        guest(format!("{of}-guest"), sick.uid.clone(), Some(group.uid.clone())),
        // on a host that is not the project's: the tenant's own
        guest(format!("{of}-abroad"), Cluster::new("zenith-one", None).uid, Some(uid("group/common"))),
    ];
    data.clusters.extend([sick, two, twin_cluster]);
    data.clusters.extend(guests);
    data.groups.push(group);
    data.accounts.push(CloudAccount {
        uid: account,
        name: format!("{of}-account"),
        project: owner.map(project),
        kind: "aws".into(),
        account_id: format!("{of}-123456"),
        state: "Running".into(),
        ..CloudAccount::default()
    });
    data.profiles.extend([own, twin]);
}

fn overridden(attached: Attached) -> Attached {
    Attached {
        values: BTreeMap::from([("nginx".to_owned(), "replicas: 9\nimage:\n  tag: other\n".to_owned())]),
        ..attached
    }
}

fn profile(name: &str, project: Option<&str>) -> Profile {
    let packs = |minor: u32| {
        vec![
            Pack::new("os", "ubuntu", "22.04", ""),
            Pack::new("k8s", "kubernetes", &format!("1.{minor}.1"), "pack:\n  podCIDR: 192.168.0.0/16\n"),
            Pack {
                manifests: vec![Manifest::new(
                    "settings",
                    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n",
                )],
                ..Pack::new(
                    "addon",
                    "nginx",
                    &format!("1.11.{minor}"),
                    &format!("replicas: {minor}\nimage:\n  tag: a\n"),
                )
            },
        ]
    };
    let mut profile = Profile { kind: "infra".into(), ..Profile::new(name, project) }
        .with("1.0.0", packs(30))
        .with("1.1.0", packs(31));
    for version in &mut profile.versions {
        let Version { variables, .. } = version;
        variables.push(Variable { name: "size".into(), default_value: "3".into(), ..Variable::default() });
    }
    profile
}

/// Arguments that change nothing about what is shown.
const PAGING: [&str; 2] = ["cursor", "limit"];

/// What calls name: a project and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) environment: String,
    pub(crate) project: String,
    pub(crate) project_uid: String,
    /// A cluster, by name and by uid; the second is a virtual one.
    pub(crate) clusters: Vec<String>,
    pub(crate) profiles: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) versions: [String; 2],
    pub(crate) pack: String,
    pub(crate) manifest: String,
}

impl Names {
    /// Of a project of [`acme`] or [`other`], or of what is the tenant's own.
    pub(crate) fn of(environment: &str, owner: Option<&str>) -> Self {
        let of = owner.unwrap_or("zenith");
        let scope = owner.map(project);
        let scope = scope.as_deref();
        let cluster = |name: &str| Cluster::new(name, scope).uid;
        Self {
            environment: environment.into(),
            project: of.into(),
            project_uid: project(of),
            clusters: vec![
                format!("{of}-one"),
                format!("{of}-guest"),
                cluster(&format!("{of}-one")),
                cluster(&format!("{of}-guest")),
                "twin".into(),
                cluster("twin"),
                format!("{of}-abroad"),
            ],
            profiles: vec![
                format!("{of}-infra"),
                "twin-profile".into(),
                profile(&format!("{of}-infra"), scope).versions[0].uid.clone(),
            ],
            groups: vec![format!("{of}-group"), uid(&format!("group/{of}"))],
            versions: ["1.0.0".into(), "1.1.0".into()],
            pack: "nginx".into(),
            manifest: "settings".into(),
        }
    }

    /// What an argument of that name may be; nothing for those that this does not know.
    pub(crate) fn values(&self, argument: &str) -> Vec<Value> {
        let all = |values: &[String]| values.iter().map(|value| json!(value)).collect();
        match argument {
            "environment" => vec![json!(self.environment)],
            "project" => vec![json!(self.project), json!(self.project_uid)],
            "cluster" => all(&self.clusters),
            "profile" => all(&self.profiles),
            "cluster_group" => all(&self.groups),
            "with" => vec![json!(self.profiles[0])],
            "name" => vec![json!(self.clusters[0])],
            "names" => vec![json!([self.project])],
            "state" => vec![json!("Running")],
            "tag" => vec![json!("dev"), json!("no-such")],
            "layer" => vec![json!("k8s")],
            "cloud_type" => vec![json!("vsphere"), json!("aws"), json!("nested")],
            "reason" => vec![json!("NodeNotReady")],
            "since" => vec![json!("2d")],
            "pack" => vec![json!(self.pack)],
            "manifest" => vec![json!(self.manifest)],
            "version" | "below" | "from" => vec![json!(self.versions[0])],
            "to" => vec![json!(self.versions[1])],
            "variables" => vec![json!({"size": "4"})],
            "notification" | "plan" => vec![json!("none")],
            "seconds" => vec![json!(0)],
            _ => Vec::new(),
        }
    }

    /// Calls of a tool with these names: what it is about in every way, then each further argument alone, with every
    /// value that is known for it: of its kind, of its enumeration, or both of a switch.
    ///
    /// # Panics
    /// Where it has an argument of which nothing is known here.
    pub(crate) fn calls(&self, tool: &Value) -> Vec<Value> {
        if tool["name"] == "palette_create_cluster" {
            return self.creations();
        }
        let properties = tool["inputSchema"]["properties"].as_object().cloned().unwrap_or_default();
        let subjects = self.subjects(tool);
        let mut calls = subjects.clone();
        let mut heads: Vec<Map<String, Value>> = Vec::new();
        for subject in &subjects {
            if !heads.iter().any(|head| head.keys().eq(subject.keys())) {
                heads.push(subject.clone());
            }
        }
        for head in &heads {
            for (name, property) in properties.iter().filter(|(name, _)| !head.contains_key(*name)) {
                for value in self.possible(tool, name, property) {
                    let mut call = head.clone();
                    call.insert(name.clone(), value);
                    // a comparison has two sides
                    for (one, two) in [("from", "to"), ("to", "from")] {
                        if name == one && properties.contains_key(two) {
                            call.extend(
                                self.values(two).first().map(|value| (two.to_owned(), value.clone())),
                            );
                        }
                    }
                    calls.push(call);
                }
            }
        }
        // what a switch opens may depend on which form is asked for
        let switch = |property: &Value| property["type"].to_string().contains("boolean");
        for (name, property) in properties.iter().filter(|(_, property)| !words(property).is_empty()) {
            for value in self.possible(tool, name, property) {
                for (switch, _) in properties.iter().filter(|(_, property)| switch(property)) {
                    let mut call = heads[0].clone();
                    call.insert(name.clone(), value.clone());
                    call.insert(switch.clone(), json!(true));
                    calls.push(call);
                }
            }
        }
        calls.into_iter().map(Value::Object).collect()
    }

    /// Only what it is about, by one name and one uid, and narrowed to the project.
    pub(crate) fn few(&self, tool: &Value) -> Vec<Value> {
        if tool["name"] == "palette_create_cluster" {
            return self.creations().into_iter().step_by(2).collect();
        }
        let some = |all: &[String]| all.iter().step_by(2).take(2).cloned().collect();
        let fewer = Self { clusters: some(&self.clusters), profiles: some(&self.profiles), ..self.clone() };
        let mut calls = fewer.subjects(tool);
        let takes = |name: &str| tool["inputSchema"]["properties"].get(name).is_some();
        if takes("cluster") && takes("profile") && takes("pack") {
            let mut call = calls[0].clone();
            call.insert("cluster".to_owned(), json!(self.clusters[0]));
            call.insert("pack".to_owned(), json!(self.pack));
            calls.push(call);
        }
        if takes("project") {
            let mut call = calls[0].clone();
            call.insert("project".to_owned(), json!(self.project));
            calls.push(call);
        }
        calls.into_iter().map(Value::Object).collect()
    }

    /// Plans of new clusters in the project: what is not the project's own, it may have of the tenant's by its name.
    fn creations(&self) -> Vec<Value> {
        let new = |more: Value| {
            let mut call =
                json!({"environment": self.environment, "project": self.project, "name": "brand-new"});
            call.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            call
        };
        let spec = "{cloudConfig: {placement: {datacenter: d}}, machinepoolconfig: [{cloudConfig: {}, poolConfig: \
                    {name: c, size: 1, labels: [], isControlPlane: true}}]}";
        let account = format!("{}-vsphere", self.project);
        let (group, profile) = (&self.groups[0], &self.profiles[0]);
        vec![
            new(json!({"cloud": "virtual", "group": group})),
            new(json!({"cloud": "virtual", "group": group, "name": self.clusters[0]})),
            new(json!({"cloud": "virtual", "group": group, "profiles": [profile]})),
            new(json!({"cloud": "virtual", "group": "no-such-group"})),
            new(json!({"cloud": "vsphere", "account": account, "profiles": [profile], "spec": spec})),
            new(json!({"cloud": "vsphere", "account": account, "profiles": ["no-such"], "spec": spec})),
            new(json!({"cloud": "virtual", "group": group, "project": self.project_uid, "cpu": 400})),
        ]
    }

    /// What it requires in every way, and each cluster and profile where it takes one.
    fn subjects(&self, tool: &Value) -> Vec<Map<String, Value>> {
        let schema = &tool["inputSchema"];
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut bases = vec![Map::new()];
        for name in &required {
            let values = self.possible(tool, name, &properties[*name]);
            let with = |base: &Map<String, Value>, value: &Value| {
                let mut base = base.clone();
                base.insert((*name).to_owned(), value.clone());
                base
            };
            bases = bases.iter().flat_map(|base| values.iter().map(move |value| with(base, value))).collect();
        }
        let base = bases[0].clone();
        for name in ["cluster", "profile"].into_iter().filter(|name| properties.contains_key(*name)) {
            if !required.contains(&name) {
                bases.extend(self.values(name).into_iter().map(|value| {
                    let mut base = base.clone();
                    base.insert(name.to_owned(), value);
                    base
                }));
            }
        }
        bases
    }

    fn possible(&self, tool: &Value, name: &str, property: &Value) -> Vec<Value> {
        let known = self.values(name);
        if !known.is_empty() || PAGING.contains(&name) {
            return known;
        }
        let words = words(property);
        let kind = property["type"].to_string();
        match words {
            words if !words.is_empty() => words,
            _ if kind.contains("boolean") => vec![json!(true), json!(false)],
            _ => panic!(
                "{}: say in palette_world.rs what the argument {name} may be: {property}",
                tool["name"]
            ),
        }
    }
}

/// The values of an enumeration, or of one whose values are described.
fn words(property: &Value) -> Vec<Value> {
    let listed = [property, &property["items"]].into_iter().find_map(|of| of["enum"].as_array());
    let listed = listed.into_iter().flatten().filter(|word| !word.is_null()).cloned();
    let described = property["oneOf"].as_array().into_iter().flatten().map(|one| one["const"].clone());
    listed.chain(described).collect()
}
