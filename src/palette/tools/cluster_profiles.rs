//! `palette_cluster_profiles`: the profiles of a cluster with their packs.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{Ask, api::pack::AttachedProfiles},
    attached,
    pack_row::{self, PackRow},
    profile_clusters::version_names,
    reach,
};
use crate::{
    Error,
    answer::{Answer, counted},
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListClusterProfiles;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    cluster: String,
    /// Only this one.
    pack: Option<String>,
    /// Values in force too, redacted.
    values: Option<bool>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    uid: String,
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    profiles: Vec<Attached>,
    /// Packs, before paging.
    total: usize,
    rows: Vec<PackRow>,
}

/// A profile that is attached.
#[derive(Debug, Serialize, JsonSchema)]
struct Attached {
    name: String,
    version: String,
    uid: String,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
    packs: usize,
}

impl Tool for ListClusterProfiles {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let found = attached::cluster(&call, &input.cluster, input.project.as_deref()).await?;
        let asked = Ask::get(&["spectroclusters", &found.uid, "profiles"]);
        let (attached, versions) = tokio::join!(
            found.access.ask::<AttachedProfiles>(&found.place, asked),
            version_names(&found.access)
        );
        let mut gaps = found.gaps.clone();
        let versions = versions.unwrap_or_else(|fault| {
            gaps.push(format!("versions of profiles: {fault}"));
            std::collections::BTreeMap::new()
        });
        let needed = Permission::SpectrocloudClusterViewPackValues;
        let may = call.allows_place(needed, &found.access, &found.place);
        let wanted = input.values.unwrap_or_default();
        if wanted && !may {
            gaps.push(format!("values: you need the permission {} for {}", needed.name(), found.place));
        }
        let (mut profiles, mut rows, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
        for profile in attached?.profiles {
            let version = versions.get(&profile.metadata.uid).cloned().unwrap_or_default();
            let attached = Attached {
                name: profile.metadata.name,
                version,
                uid: profile.metadata.uid,
                kind: profile.spec.kind,
                packs: profile.spec.packs.len(),
            };
            let label = attached.label();
            for pack in profile.spec.packs {
                known.insert(pack.spec.name.clone());
                if input.pack.as_ref().is_none_or(|name| *name == pack.spec.name) {
                    let eol = pack.spec.eol.clone();
                    rows.push(PackRow::new(rows.len(), &label, pack.into(), eol, String::new()));
                }
            }
            profiles.push(attached);
        }
        if let (Some(name), true) = (&input.pack, rows.is_empty()) {
            return Err(super::profile_packs::no_pack(&found.name, name, known.iter()));
        }
        let listed: Vec<String> = profiles.iter().map(Attached::label).collect();
        let summary = format!(
            "{}: {} ({}) with {}",
            found.qualified(),
            counted(profiles.len(), "profile"),
            listed.join(", "),
            counted(profiles.iter().map(|profile| profile.packs).sum(), "pack")
        );
        let page = pack_row::page(&call, rows, input.cursor.as_deref(), wanted && may).await?;
        let output = Output {
            cluster: found.name.clone(),
            uid: found.uid.clone(),
            environment: found.access.environment().name().to_owned(),
            project: found.place.shown().map(str::to_owned),
            profiles,
            total: page.total,
            rows: page.rows,
        };
        Ok(Answer::new(summary, page.text, output).gaps(gaps).cut(page.cut))
    }
}

impl Attached {
    fn label(&self) -> String {
        match self.version.as_str() {
            "" => self.name.clone(),
            version => format!("{}@{version}", self.name),
        }
    }
}
