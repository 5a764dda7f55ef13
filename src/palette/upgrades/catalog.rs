//! [`Catalog`]: the versions there are of each profile, from one request an environment. That request tells names
//! and no places: where one name stands for several profiles, those are told apart by another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt as _, future::join_all, stream};
use serde_json::json;

use crate::palette::{
    access::Access,
    api::profile::{ProfileSummaries, ProfilesMetadata},
    ask::Ask,
    fault::Fault,
    fleet::{self, ClusterRow},
    place::Place,
};

/// Names that are told apart in one call.
const MOST_NAMES: usize = 10;
/// Requests at once.
const PARALLEL: usize = 6;

/// A version of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What clusters refer to.
    pub uid: String,
    /// The profile's.
    pub name: String,
    /// `1.2.0`
    pub version: String,
    /// Whether no cluster can get it yet, where that is known.
    pub is_draft: Option<bool>,
    pub(super) cloud_type: String,
    /// Which of the profiles of its name; empty where there is one.
    pub(super) family: String,
}

/// The versions of all profiles of some environments.
#[derive(Debug, Default)]
pub struct Catalog {
    /// By environment.
    entries: BTreeMap<String, Vec<Entry>>,
    /// What is not known of them.
    pub gaps: Vec<String>,
}

impl Catalog {
    /// The version of this uid.
    pub fn entry(&self, environment: &str, uid: &str) -> Option<&Entry> {
        self.entries.get(environment)?.iter().find(|entry| entry.uid == uid)
    }

    /// The versions of the same profile.
    pub fn family<'a>(&'a self, environment: &str, of: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let entries = self.entries.get(environment).into_iter().flatten();
        entries.filter(move |entry| {
            entry.name == of.name && entry.cloud_type == of.cloud_type && entry.family == of.family
        })
    }
}

/// The catalog of what is attached to these clusters.
///
/// # Errors
/// None of the environments could be read.
pub async fn read(accesses: &[Access], rows: &[Arc<ClusterRow>]) -> Result<Catalog, Fault> {
    let asked = join_all(accesses.iter().map(|access| async move {
        let mine: Vec<&ClusterRow> = rows
            .iter()
            .map(|row| &**row)
            .filter(|row| *row.environment == *access.environment().name())
            .collect();
        of(access, &mine).await
    }));
    let (mut catalog, mut first) = (Catalog::default(), None);
    for (access, asked) in accesses.iter().zip(asked.await) {
        let environment = access.environment().name();
        match asked {
            Ok((entries, gaps)) => {
                catalog.entries.insert(environment.to_owned(), entries);
                let told = gaps.into_iter().map(|gap| format!("environment {environment}: {gap}"));
                catalog.gaps.extend(told);
            }
            Err(fault) => {
                catalog.gaps.push(format!("environment {environment}: versions of profiles: {fault}"));
                first.get_or_insert(fault);
            }
        }
    }
    match first {
        Some(fault) if catalog.entries.is_empty() => Err(fault),
        _ => Ok(catalog),
    }
}

async fn of(access: &Access, rows: &[&ClusterRow]) -> Result<(Vec<Entry>, Vec<String>), Fault> {
    let mut gaps = Vec::new();
    let mut entries = match index(access, &Place::Tenant).await {
        Ok(entries) => entries,
        // a credential of projects: those that have clusters are asked below
        Err(fault) if fault.is_forbidden() => Vec::new(),
        Err(fault) => return Err(fault),
    };
    // tenant scope may leave out what is in projects
    let known: BTreeSet<&str> = entries.iter().map(|entry| entry.uid.as_str()).collect();
    let places: BTreeSet<Place> = rows
        .iter()
        .filter(|row| row.templates().iter().any(|template| !known.contains(template.uid.as_str())))
        .map(|row| row.place.clone())
        .filter(|place| *place != Place::Tenant)
        .collect();
    let asked: Vec<_> = stream::iter(places)
        .map(|place: Place| async move {
            let asked = index(access, &place).await;
            (place, asked)
        })
        .buffered(PARALLEL)
        .collect()
        .await;
    for (place, asked) in asked {
        match asked {
            Ok(more) => more.into_iter().for_each(|entry| add(&mut entries, entry)),
            Err(fault) => gaps.push(format!("versions of profiles of {place}: {fault}")),
        }
    }
    let mut names: Vec<String> = {
        // which names are several profiles does not depend on which clusters are asked about
        let sweep = fleet::peek_full(access);
        let known: Vec<&ClusterRow> = sweep.iter().flat_map(|sweep| &sweep.rows).map(|row| &**row).collect();
        ambiguous(&entries, rows, &known).into_iter().collect()
    };
    if names.len() > MOST_NAMES {
        let more = names.split_off(MOST_NAMES);
        gaps.push(format!(
            "profiles of one name are not told apart for {} names, such as {}: ask for one cluster",
            more.len(),
            more.first().map(String::as_str).unwrap_or_default()
        ));
        entries.retain(|entry| !more.contains(&entry.name));
    }
    let told: Vec<_> = stream::iter(names)
        .map(|name| async move {
            let families = families(access, &name).await;
            (name, families)
        })
        .buffered(PARALLEL)
        .collect()
        .await;
    for (name, families) in told {
        match families {
            Ok(families) => apply(&mut entries, &name, &families),
            Err(fault) => {
                entries.retain(|entry| entry.name != name);
                gaps.push(format!("several profiles are called {name}, and which is which: {fault}"));
            }
        }
    }
    Ok((entries, gaps))
}

async fn index(access: &Access, place: &Place) -> Result<Vec<Entry>, Fault> {
    let ask = Ask::get(&["dashboard", "clusterprofiles", "metadata"]);
    let read: ProfilesMetadata = access.ask(place, ask).await?;
    let mut entries = Vec::new();
    for item in read.items {
        let entry = Entry {
            uid: item.metadata.uid,
            name: item.metadata.name,
            version: item.spec.version,
            cloud_type: item.spec.cloud_type,
            ..Entry::default()
        };
        if !entry.uid.is_empty() {
            add(&mut entries, entry);
        }
    }
    Ok(entries)
}

fn add(entries: &mut Vec<Entry>, entry: Entry) {
    if entries.iter().all(|known| known.uid != entry.uid) {
        entries.push(entry);
    }
}

/// Names in use that stand for more than one profile, as far as that shows: one version twice, or templates of two
/// scopes on any cluster that is known.
fn ambiguous(entries: &[Entry], rows: &[&ClusterRow], known: &[&ClusterRow]) -> BTreeSet<String> {
    let templates = rows.iter().flat_map(|row| row.templates());
    let used: BTreeSet<&str> = templates.map(|template| template.name.as_str()).collect();
    let mut scopes = BTreeMap::<&str, BTreeSet<(&str, &str)>>::new();
    for row in rows.iter().chain(known) {
        for template in row.templates() {
            // a project's profile is another one in each project
            let within = if template.scope == "project" { row.place.project_uid() } else { None };
            let scope = (template.scope.as_str(), within.unwrap_or_default());
            scopes.entry(template.name.as_str()).or_default().insert(scope);
        }
    }
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for entry in entries {
        let key = (entry.name.as_str(), entry.cloud_type.as_str(), entry.version.as_str());
        if !seen.insert(key) {
            twice.insert(entry.name.as_str());
        }
    }
    let several = scopes.into_iter().filter(|(_, scopes)| scopes.len() > 1).map(|(name, _)| name);
    twice.into_iter().chain(several).filter(|name| used.contains(name)).map(str::to_owned).collect()
}

/// Which profile each version of that name is of, by uid; and whether it is a draft.
async fn families(access: &Access, name: &str) -> Result<BTreeMap<String, (String, Option<bool>)>, Fault> {
    let body = json!({"filter": {"profileName": {"eq": name}}, "sort": []});
    let ask = Ask::search(&["dashboard", "clusterprofiles"], body);
    let paged = access.pages::<ProfileSummaries>(&Place::Tenant, ask).await?;
    let mut families = BTreeMap::new();
    for row in paged.rows {
        let place = row.metadata.place();
        let is_system = row.metadata.annotations.get("scope").is_some_and(|scope| scope == "system");
        let tenant = if is_system { "system" } else { "tenant" };
        let family = place.project_uid().unwrap_or(tenant).to_owned();
        let is_draft = Some(row.spec_summary.is_draft());
        for version in row.spec_summary.versions {
            families.entry(version.uid).or_insert_with(|| (family.clone(), None));
        }
        families.insert(row.metadata.uid, (family, is_draft));
    }
    Ok(families)
}

/// What is of no known profile is left out: its newer versions might be another's.
fn apply(entries: &mut Vec<Entry>, name: &str, families: &BTreeMap<String, (String, Option<bool>)>) {
    entries.retain_mut(|entry| {
        if entry.name != name {
            return true;
        }
        let Some((family, is_draft)) = families.get(&entry.uid) else { return false };
        entry.family.clone_from(family);
        entry.is_draft = *is_draft;
        true
    });
}
