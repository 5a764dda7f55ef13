//! The other direction: the profiles of one cluster, and their versions.

use super::{Input, Output, UseRow, version_names};
use crate::{
    Error,
    answer::Answer,
    palette::{Ask, api::pack::AttachedProfiles, profiles::usage::UserKind, tools::attached},
    toolbox::Call,
};

pub(super) async fn answer(call: &Call, cluster: &str, input: &Input) -> Result<Answer<Output>, Error> {
    let found = attached::cluster(call, cluster, input.project.as_deref()).await?;
    let attached = Ask::get(&["spectroclusters", &found.uid, "profiles"]);
    let (attached, versions) = tokio::join!(
        found.access.ask::<AttachedProfiles>(&found.place, attached),
        version_names(&found.access)
    );
    let mut gaps = found.gaps.clone();
    let versions = versions.unwrap_or_else(|fault| {
        gaps.push(format!("versions of profiles: {fault}"));
        std::collections::BTreeMap::new()
    });
    let is_virtual = found.cloud_type == "nested";
    let kind = if is_virtual { UserKind::VirtualCluster } else { UserKind::Cluster };
    let rows: Vec<UseRow> = attached?
        .profiles
        .into_iter()
        .map(|profile| UseRow {
            kind,
            name: found.name.clone(),
            uid: found.uid.clone(),
            version: versions.get(&profile.metadata.uid).cloned().unwrap_or(profile.metadata.uid),
            profile: profile.metadata.name,
            environment: found.access.environment().name().to_owned(),
            project: found.place.shown().map(str::to_owned),
        })
        .collect();
    let summary = format!("{} has {} profiles", found.qualified(), rows.len());
    let (page, cut) = call.page(rows, input.cursor.as_deref(), "nothing narrows it")?;
    let output = Output { versions: Vec::new(), total: page.rows.total, rows: page.rows.rows };
    Ok(Answer::new(summary, page.table, output).gaps(gaps).cut(cut))
}
