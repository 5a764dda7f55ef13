//! `palette_cluster`: what there is to know about one cluster, virtual or not.

mod output;

use futures::future::join;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    super::{
        api::repave::{Repave, RepaveStatus},
        find, fleet, health, same, summary,
    },
    reach,
};
use crate::{
    Error,
    answer::Answer,
    palette::{Ask, api::profile::ProfilesMetadata},
    toolbox::{Call, Reach, Tool},
};

use output::{Output, Read, answer};

/// The handler.
#[derive(Debug)]
pub struct ShowCluster;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub environment: Option<String>,
    pub project: Option<String>,
    /// Name or uid.
    pub cluster: String,
}

impl Tool for ShowCluster {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let mut found = find::cluster(&call, &input.cluster, input.project.as_deref()).await?;
        let (access, place) = (found.access.clone(), found.place.clone());
        let versions =
            access.ask::<ProfilesMetadata>(&place, Ask::get(&["dashboard", "clusterprofiles", "metadata"]));
        let (read, versions) = join(summary::read(&mut found), versions).await;
        let (summary, asked) = read?;
        let mut gaps = found.gaps.clone();
        let attached = !summary.spec.cluster_profile_templates.is_empty();
        let versions = versions.unwrap_or_else(|fault| {
            gaps.extend(attached.then(|| format!("the versions of its profiles: {fault}")));
            ProfilesMetadata::default()
        });
        let kubernetes = same::in_registry(&call, &access, &found.qualified(), &summary::endpoints(&summary));
        let next = health::Next { uid: found.uid.clone(), kubernetes: kubernetes.clone() };
        let now = Timestamp::now();
        let repave = fleet::repave(&found);
        let judged = health::judge(&summary, &waiting(repave.as_deref()), &next, now);
        let read = Read {
            found: &found,
            summary: &summary,
            versions: &versions,
            judged,
            repaves_known: repave.is_some(),
            kubernetes,
            asked,
            now,
        };
        Ok(answer(&read).gaps(gaps))
    }
}

/// What listings tell of its repave, without its reasons.
fn waiting(repave: Option<&str>) -> health::Waiting {
    let listed = repave.filter(|state| !state.is_empty()).map(|state| {
        let status = RepaveStatus { state: state.to_owned(), ..RepaveStatus::default() };
        Repave { status, ..Repave::default() }
    });
    health::Waiting { repave: listed, ..health::Waiting::default() }
}
