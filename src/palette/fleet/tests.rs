//! Who is bound to one project, while the sweeps of others are warm.

use std::{sync::Arc, time::Duration};

use reqwest::Url;
use tokio::time::Instant;

use super::*;
use crate::{
    answer::redact::Learned,
    demo::palette::{Data, Running, Simulator, Tenant},
    kubernetes::{Budgeted, Meter},
    palette::{
        Ask, Environments, Settings, View, api::project::ProjectsMetadata, environment::Acting,
        find::FoundCluster,
    },
    permission::Decision,
    telemetry::CallSpan,
};

/// Sees one project, or everything.
struct Only(Option<String>);

impl View for Only {
    fn sees(&self, place: &Place) -> bool {
        self.0
            .as_deref()
            .is_none_or(|mine| matches!(place, Place::Project { uid, name: Some(_) } if uid == mine))
    }

    fn sees_all(&self) -> bool {
        self.0.is_none()
    }

    fn withheld(&self, place: &Place) -> Fault {
        let decision = Box::new(Decision::Deny { missing: Vec::new(), hidden: false, rule: None });
        Fault::Withheld { needs: "a permission".to_owned(), place: place.to_string(), decision }
    }
}

struct Rig {
    _simulator: Running,
    tenant: Tenant,
    environments: Environments,
}

impl Rig {
    async fn new() -> Self {
        let simulator = Simulator::start().await.expect("a port");
        let tenant = Tenant::new(Data::fleet(4, 4, 2, 1));
        simulator.add(tenant.clone());
        let settings = Settings {
            name: "e".to_owned(),
            url: Url::parse(&simulator.url()).expect("a URL"),
            tenant: None,
            api_token: None,
            ca_file: None,
            admin_kubeconfig: false,
        };
        Self { _simulator: simulator, tenant, environments: Environments::new(vec![settings], None) }
    }

    fn access(&self, only: Option<&str>) -> Access {
        let spent = Budgeted {
            meter: Arc::new(Meter::default()),
            learned: Arc::new(Learned::default()),
            deadline: Instant::now() + Duration::from_secs(20),
            call_id: "1".into(),
            span: CallSpan::default(),
        };
        let environment = Arc::clone(self.environments.named("e").expect("one"));
        let view = Arc::new(Only(only.map(str::to_owned)));
        Access::new(environment, view, Acting::Key(self.tenant.key().into()), spent)
    }
}

fn presumed(access: &Access, uid: &str, place: &Place) -> FoundCluster {
    FoundCluster {
        access: access.clone(),
        uid: uid.to_owned(),
        name: String::new(),
        place: place.clone(),
        cloud_type: String::new(),
        row: None,
        gaps: Vec::new(),
    }
}

#[tokio::test]
async fn a_virtual_cluster_of_another_project_is_missing_though_a_sweep_has_it() {
    let rig = Rig::new().await;
    let data = rig.tenant.data();
    let (alpha, beta) = (&data.projects[0], &data.projects[1]);
    let place = |of: &crate::demo::palette::Project| Place::Project {
        uid: of.uid.clone(),
        name: Some(of.name.clone()),
    };
    let guest = |of: &str| {
        let guests = data.clusters.iter().filter(|one| one.environment == "nested");
        guests.clone().find(|one| one.project.as_deref() == Some(of)).expect("one of each").uid.clone()
    };
    let (mine, theirs) = (guest(&alpha.uid), guest(&beta.uid));
    let access = rig.access(Some(&alpha.uid));
    let seen = rows(std::slice::from_ref(&access), Detail::Virtual, Wanted::default()).await.expect("rows");
    assert!(seen.rows.iter().any(|row| row.uid == mine) && seen.rows.iter().all(|row| row.uid != theirs));
    let known = peek_virtual(&access).with_uid(&theirs);
    assert!(known.is_some(), "the sweep has it, or this proves nothing");

    let found = full(&presumed(&access, &mine, &place(alpha))).await.expect("its own");
    assert_eq!(found.uid, mine);
    // by a project of theirs, by its own project, and by that of somebody who sees everything
    let everything = rig.access(None);
    for (access, at) in [(&access, alpha), (&access, beta), (&everything, alpha)] {
        let error = full(&presumed(access, &theirs, &place(at))).await.expect_err("another project's");
        assert_eq!(error.message, find::missing(&theirs).message, "{}", at.name);
    }
    assert_eq!(full(&presumed(&everything, &theirs, &place(beta))).await.expect("seen").uid, theirs);
    assert!(knowing(&access, &theirs).is_some(), "whoever presumes a place looks into every sweep");
}

fn peek_virtual(access: &Access) -> Arc<Sweep> {
    access.environment().kept().peek(access, Detail::Virtual).expect("a warm sweep")
}

#[tokio::test]
async fn nothing_is_asked_in_a_project_that_is_not_seen() {
    let rig = Rig::new().await;
    let data = rig.tenant.data();
    let access = rig.access(Some(&data.projects[0].uid));
    let ask = || Ask::get(&["dashboard", "projects", "metadata"]);
    let place = |number: usize, name: bool| Place::Project {
        uid: data.projects[number].uid.clone(),
        name: name.then(|| data.projects[number].name.clone()),
    };
    for place in [place(1, true), place(1, false), place(0, false)] {
        let asked = access.ask::<ProjectsMetadata>(&place, ask()).await.map(|_| ());
        assert!(matches!(asked, Err(Fault::Withheld { .. })), "{asked:?}");
        let asked = access.bytes(&place, ask()).await;
        assert!(matches!(asked, Err(Fault::Withheld { .. })), "{asked:?}");
    }
    assert_eq!(rig.tenant.count(), 0, "and Palette hears nothing of it");
    access.ask::<ProjectsMetadata>(&place(0, true), ask()).await.expect("its own");
    access.unfiltered().ask::<ProjectsMetadata>(&place(1, false), ask()).await.expect("a sweep");
    let back = access.unfiltered().through(Arc::new(Only(Some(data.projects[0].uid.clone()))));
    assert!(back.ask::<ProjectsMetadata>(&place(1, true), ask()).await.is_err());
}
