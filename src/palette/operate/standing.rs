//! How a cluster stands before it is changed, read anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Deserialize;

use crate::{
    Error, ErrorKind,
    palette::{
        Ask, Fault,
        api::{
            lenient, lenient_list,
            profile::{ProfileUpdates, Template},
            repave::Repave,
            summary::ClusterSummary,
        },
        find::{self, FoundCluster},
        said::said,
        summary,
    },
    permission::Permission,
    toolbox::Call,
};

/// A cluster, and how it stands.
#[derive(Debug)]
pub struct Standing {
    /// The cluster; what is asked through it is asked anew.
    pub found: FoundCluster,
    /// Its summary.
    pub summary: ClusterSummary,
}

/// `v1SpectroClusterVariables`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OfProfile {
    #[serde(deserialize_with = "lenient")]
    profile_uid: String,
    #[serde(deserialize_with = "lenient_list")]
    variables: Vec<Named>,
}

/// `v1SpectroClusterVariableResponse`, without its value.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "is_set")]
    value: bool,
}

fn is_set<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(!(value.is_null() || value.as_str().is_some_and(str::is_empty)))
}

impl Standing {
    /// The cluster of this name or uid, which the caller may change.
    ///
    /// # Errors
    /// There is none, or several; it is on its way out; or Palette could not be asked.
    pub async fn read(call: &Call, written: &str, project: Option<&str>) -> Result<Self, Error> {
        let mut found = find::cluster(call, written, project).await?;
        found.access = found.access.anew();
        call.require_place(Permission::SpectrocloudClusterUpdate, &found.access, &found.place)?;
        let (summary, _) = summary::read(&mut found).await?;
        let state = &summary.status.state;
        if matches!(state.to_ascii_lowercase().as_str(), "deleting" | "deleted") {
            let message = format!("{} is {}, so it is not changed", found.qualified(), said(state, 40));
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Ok(Self { found, summary })
    }

    /// What waits to be applied.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn pending(&self) -> Result<Vec<Template>, Fault> {
        let read: ProfileUpdates = self.ask(&["spectroclusters", &self.found.uid, "profileUpdates"]).await?;
        Ok(read.profiles.into_iter().filter(|profile| !profile.uid.is_empty()).collect())
    }

    /// Its repave, where there is one.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn repave(&self) -> Result<Option<Repave>, Fault> {
        let asked = self.ask::<Repave>(&["spectroclusters", &self.found.uid, "repave", "status"]).await;
        match asked {
            Ok(repave) => Ok(Some(repave).filter(|repave| !repave.status.state.is_empty())),
            Err(fault) if fault.is_not_found() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Whether a repave waits to be approved now.
    pub async fn waits_for_repave(&self) -> bool {
        let repave = self.repave().await.ok().flatten();
        repave.is_some_and(|repave| repave.status.state.eq_ignore_ascii_case("pending"))
    }

    /// The names of variables that have a value, by the uid of their profile's version. Values are not read.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn variables(&self) -> Result<BTreeMap<String, BTreeSet<String>>, Fault> {
        let read: Vec<OfProfile> = self.ask(&["spectroclusters", &self.found.uid, "variables"]).await?;
        let named = |of: OfProfile| {
            let set = of.variables.into_iter().filter(|variable| variable.value);
            (of.profile_uid, set.map(|variable| variable.name).collect())
        };
        Ok(read.into_iter().map(named).collect())
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, segments: &[&str]) -> Result<T, Fault> {
        self.found.access.ask(&self.found.place, Ask::get(segments).kept(Duration::ZERO)).await
    }

    /// Its machines, a line a pool; Palette tells no names of pools here.
    pub fn machines(&self) -> Vec<String> {
        let pools = self.summary.spec.cloud_config.machine_pools.iter();
        let line = |size: u64, control_plane: bool| match control_plane {
            true => format!("{size} of the control plane"),
            false => format!("{size} workers"),
        };
        pools.map(|pool| line(pool.size, pool.is_control_plane)).collect()
    }
}
