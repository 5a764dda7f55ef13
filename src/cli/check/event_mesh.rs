//! Whether there is the cluster whose event mesh is served to catalogs.

use super::{super::Failure, Report};
use crate::{
    config::{Built, Config},
    kubernetes::clusters::Lookup,
};

/// A line, where it is served.
pub(super) fn tell(config: &Config, built: &Built, report: &mut Report) -> Result<(), Failure> {
    let Some(mesh) = &config.http.event_mesh else { return Ok(()) };
    let name = &mesh.cluster;
    if config.tools.without.iter().any(|toolset| toolset == "knative") {
        return report.warn(
            "http.eventMesh: tools.without leaves out knative, so nothing is served there",
            "take knative out of tools.without, or http.eventMesh out of the configuration",
        );
    }
    let clusters = built.toolbox.clusters();
    match clusters.lookup(name) {
        Lookup::One(cluster) => report.ok(&format!(
            "event mesh: GET /v1/getEventMesh, of the cluster {}, by the token that each request brings",
            clusters.shown_name(&cluster)
        )),
        Lookup::Several(names) => report.fail(
            &format!("http.eventMesh.cluster: {name:?} is ambiguous"),
            &format!("write {}", names.join(" or ")),
        ),
        Lookup::None if !clusters.unread().is_empty() => report.warn(
            &format!("http.eventMesh.cluster: no cluster {name:?} is known so far"),
            "a source of clusters was not read: see above",
        ),
        Lookup::None => {
            let names = clusters.iter().map(|cluster| cluster.name());
            let near = crate::nearest::name(name, names);
            let near = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            report.fail(
                &format!("http.eventMesh.cluster: no source has a cluster {name:?}{near}"),
                "name one of the clusters below; until then the endpoint answers 502",
            )
        }
    }
}
