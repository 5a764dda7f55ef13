//! A fleet of any size for measurements and tests: always the same one for the same numbers.

use super::{
    Attached, Cluster, ClusterGroup, Condition, Data, Health, HealthCondition, Metrics, Pack, Profile,
    Project, Usage, Virtual, uid,
};

impl Data {
    /// So many clusters, virtual clusters, projects and profiles.
    ///
    /// Every profile has three versions and half of the clusters that have it are on an older one. Of ten
    /// clusters one is unhealthy though running, and one of forty each is pending, deleting and in error; one
    /// of seven waits for an update. `web` is a cluster of the first two projects and a name of two profiles,
    /// of the tenant and of the first project; every twenty-fifth cluster is the tenant's.
    pub fn fleet(clusters: usize, virtual_clusters: usize, projects: usize, profiles: usize) -> Self {
        let projects: Vec<Project> =
            (0..projects).map(|number| Project::new(&format!("project-{number:02}"))).collect();
        let project = |number: usize| projects.get(number % projects.len().max(1)).map(|of| of.uid.clone());
        let first = project(0);
        let mut data = Self {
            profiles: (0..profiles).map(|number| profile(number, first.as_deref())).collect(),
            ..Self::default()
        };
        for number in 0..clusters {
            let owner = if number % 25 == 24 { None } else { project(number) };
            let name = if number < 2 { "web".to_owned() } else { format!("cluster-{number:03}") };
            let made = cluster(&data, number, Cluster::new(&name, owner.as_deref()));
            data.clusters.push(made);
        }
        let hosts: Vec<String> = data.clusters.iter().take(2).map(|host| host.uid.clone()).collect();
        let group = ClusterGroup {
            uid: uid("group/sandboxes"),
            name: "sandboxes".into(),
            profiles: latest(&data, 1).into_iter().map(|of| of.version).collect(),
            hosts: hosts.clone(),
            ..ClusterGroup::default()
        };
        for number in 0..virtual_clusters {
            let owner = project(number);
            let guest = Cluster::new(&format!("virtual-{number:03}"), owner.as_deref());
            let host = hosts.get(number % hosts.len().max(1)).cloned().unwrap_or_default();
            let guest = virtual_cluster(&data, number, guest, host, group.uid.clone());
            data.clusters.push(guest);
        }
        data.groups.push(group);
        data.projects = projects;
        data
    }
}

fn profile(number: usize, project: Option<&str>) -> Profile {
    let (name, project) = match number {
        0 | 1 => ("web".to_owned(), project.filter(|_| number == 1)),
        _ => (format!("profile-{number:03}"), None),
    };
    let kind = if number.is_multiple_of(5) { "infra" } else { "add-on" };
    let profile = Profile { kind: kind.into(), ..Profile::new(&name, project) };
    ["1.0.0", "1.9.0", "1.10.0"].iter().enumerate().fold(profile, |profile, (step, version)| {
        let minor = 29 + step;
        let values = format!("replicas: {}\nimage:\n  tag: {version}\n", step + 1);
        let packs = if kind == "infra" {
            vec![
                Pack::new("os", "ubuntu-vsphere", "22.04", ""),
                Pack::new(
                    "k8s",
                    "kubernetes",
                    &format!("1.{minor}.{step}"),
                    "pack:\n  podCIDR: 192.168.0.0/16\n",
                ),
                Pack::new("cni", "cni-calico", &format!("3.{}.0", 27 + step), ""),
                Pack::new("csi", "csi-vsphere-csi", "3.3.1", ""),
            ]
        } else {
            vec![Pack::new("addon", "nginx", &format!("1.11.{step}"), &values)]
        };
        profile.with(version, packs)
    })
}

/// The newest version of that profile.
fn latest(data: &Data, number: usize) -> Option<Attached> {
    let profile = data.profiles.get(number % data.profiles.len().max(1))?;
    profile.versions.last().map(|version| Attached::new(&version.uid))
}

fn cluster(data: &Data, number: usize, cluster: Cluster) -> Cluster {
    let mut profiles = Vec::new();
    let count = data.profiles.len().max(1);
    for of in [number % count, (number * 7 + 3) % count] {
        let versions = data.profiles.get(of).map(|profile| profile.versions.as_slice()).unwrap_or_default();
        let back = if number.is_multiple_of(2) { 1 } else { 1 + number % 3 };
        let version = versions.get(versions.len().saturating_sub(back));
        let attached = version.map(|version| Attached::new(&version.uid));
        profiles.extend(
            attached.filter(|attached| profiles.iter().all(|of: &Attached| of.version != attached.version)),
        );
    }
    let state = match number % 40 {
        17 => "Pending",
        27 => "Error",
        37 => "Deleting",
        _ => "Running",
    };
    let sick = number % 10 == 3;
    let mut cluster = Cluster { state: state.into(), profiles, ..cluster };
    if number % 7 == 5 {
        let behind = cluster.profiles.first().and_then(|attached| data.version(&attached.version));
        let newest = behind.and_then(|(profile, _)| profile.versions.last());
        cluster.updates = newest.map(|version| version.uid.clone()).into_iter().collect();
    }
    if sick {
        // Both spellings are seen.
        let state = if number % 20 == 3 { "UnHealthy" } else { "Unhealthy" };
        let message = format!("node pool of {} has 1 node that is not ready", cluster.name);
        cluster.health = Health {
            state: state.into(),
            heartbeat: Some(if number % 30 == 3 { 95 } else { 2 }),
            conditions: vec![HealthCondition {
                kind: "NodeHealth".into(),
                message: message.clone(),
                about: Some(("machine".into(), format!("{}-worker-1", cluster.name))),
            }],
            ..Health::default()
        };
        cluster.conditions.push(Condition::failed("WorkerNodeAdditionDone", "ConnectivityIssue", &message));
        cluster.conditions.retain(|of| of.kind != "WorkerNodeAdditionDone" || of.status == "False");
    }
    if state == "Pending" {
        cluster.health = Health { state: String::new(), heartbeat: None, ..Health::default() };
    }
    cluster
}

fn virtual_cluster(data: &Data, number: usize, cluster: Cluster, host: String, group: String) -> Cluster {
    // 4 cores and 8 GiB; every sixth uses more than nine tenths.
    let used = if number.is_multiple_of(6) { 0.93 } else { 0.3 };
    let usage = |limit: f64| Usage { limit, request: limit / 2.0, total: limit, usage: limit * used };
    Cluster {
        environment: "nested".into(),
        profiles: latest(data, number).into_iter().collect(),
        metrics: Some(Metrics { cpu: usage(4_000.0), memory: usage(8_388_608.0) }),
        virtual_cluster: Some(Virtual {
            host,
            group: Some(group),
            lifecycle: if number % 10 == 9 { "Paused".into() } else { String::new() },
            size: (4, 8192, 20),
            ..Virtual::default()
        }),
        pools: Vec::new(),
        ..cluster
    }
}
