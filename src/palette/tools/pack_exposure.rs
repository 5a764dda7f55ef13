//! `palette_pack_exposure`: which clusters run a pack, below a version.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        fleet::{
            self, Detail, Fleet, Wanted,
            exposure::{Exposure, Found, exposures, spread},
        },
        version::Version,
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows, counted, sanitise},
    nearest,
    toolbox::{Call, Reach, Tool},
};

/// Names that an error suggests.
const NEAREST: usize = 5;
/// Versions that the summary counts one by one.
const MOST_VERSIONS: usize = 8;

/// The handler.
#[derive(Debug)]
pub struct ShowExposure;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name; * stands for any part.
    pack: String,
    /// A version, as 1.27.5.
    below: Option<String>,
    layer: Option<Layer>,
    environment: Option<String>,
    project: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Layer {
    Kernel,
    Os,
    K8s,
    Cni,
    Csi,
    Addon,
}

impl Layer {
    /// `v1PackLayer`
    fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Os => "os",
            Self::K8s => "k8s",
            Self::Cni => "cni",
            Self::Csi => "csi",
            Self::Addon => "addon",
        }
    }
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Clusters that surely run it below the version.
    exposed: usize,
    /// Clusters whose version of it cannot be compared.
    unknown: usize,
    /// Clusters that run it in any version.
    clusters: usize,
    /// Exposed ones first, then those with unknown versions.
    rows: Rows<Line>,
}

/// A pack on a cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// environment/project/name
    cluster: String,
    uid: String,
    pack: String,
    version: String,
    layer: String,
    /// The profile that brings it.
    profile: String,
    /// Its version cannot be compared.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unknown: bool,
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] = &["cluster", "uid", "pack", "version", "layer", "profile"];

    fn cells(&self) -> Vec<String> {
        let version = match (self.unknown, self.version.is_empty()) {
            (true, true) => "unknown".to_owned(),
            (true, false) => format!("{} (cannot be compared)", self.version),
            (false, _) => self.version.clone(),
        };
        let (cluster, uid) = (self.cluster.clone(), self.uid.clone());
        vec![cluster, uid, self.pack.clone(), version, self.layer.clone(), self.profile.clone()]
    }

    fn key(&self) -> String {
        let Self { cluster, uid, pack, profile, .. } = self;
        format!("{} {cluster} {uid} {pack} {profile}", u8::from(self.unknown))
    }
}

impl Tool for ShowExposure {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let below = match input.below.as_deref() {
            None => None,
            Some(written) => Some(Version::parse(written).ok_or_else(|| {
                let shown = sanitise::short(written, 40);
                Error::invalid_input(format!("the argument \"below\" is no version: {shown:?}"))
                    .next("write numbers, as 1.27.5 or 1.27")
            })?),
        };
        let wanted = Wanted { project: input.project.as_deref(), fresh: false };
        let fleet = fleet::rows(call.environments(), Detail::Full, wanted).await?;
        let found = exposures(&fleet.rows, &input.pack, input.layer.map(Layer::name), below.as_ref());
        if found.is_empty() && fleet.gaps.is_empty() && !fleet.rows.is_empty() {
            return Err(none(&fleet, &input));
        }
        let clusters = |wanted: &dyn Fn(&Found) -> bool| {
            let uids = found.iter().filter(|one| wanted(one)).map(|one| (&one.row.environment, &one.row.uid));
            uids.collect::<BTreeSet<_>>().len()
        };
        let exposed = clusters(&|one| one.exposure == Exposure::Below);
        let unknown = clusters(&|one| one.exposure == Exposure::Unknown);
        let all = clusters(&|_| true);
        let pack = sanitise::short(&input.pack, 60);
        let mut summary = match &input.below {
            Some(below) => format!(
                "{exposed} of {all} clusters that run {pack} run it below {}",
                sanitise::short(below, 40)
            ),
            None if all == 1 => format!("1 cluster runs {pack}"),
            None => format!("{all} clusters run {pack}"),
        };
        if unknown > 0 {
            summary.push_str(&format!("; {unknown} in a version that cannot be compared"));
        }
        summary.push_str(&format!(
            " (of {}{}); {}",
            counted(fleet.rows.len(), "cluster"),
            fleet.as_of(),
            versions(&found)
        ));
        if input.below.is_some() {
            summary.push_str(&apart(&found));
        }
        let told = found.into_iter().filter(|one| one.exposure != Exposure::Safe);
        let rows = told.map(line).collect();
        let narrow = "narrow with project, layer or below";
        let (page, cut) = call.page(rows, input.cursor.as_deref(), narrow)?;
        let output = Output { exposed, unknown, clusters: all, rows: page.rows };
        Ok(Answer::new(summary, page.table, output).gaps(fleet.gaps).cut(cut))
    }
}

fn line(found: Found) -> Line {
    Line {
        cluster: found.row.qualified(),
        uid: found.row.uid.clone(),
        pack: found.pack.name,
        version: found.pack.version,
        layer: found.pack.layer,
        profile: found.profile,
        unknown: found.exposure == Exposure::Unknown,
    }
}

/// That one version was held against those of packs which have nothing to do with each other.
fn apart(found: &[Found]) -> String {
    let names: BTreeSet<&str> = found.iter().map(|one| one.pack.name.as_str()).collect();
    if names.len() < 2 {
        return String::new();
    }
    let shown: Vec<&str> = names.iter().copied().take(NEAREST).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    format!(
        "; note: versions of {} different packs are compared with it ({}{more})",
        names.len(),
        shown.join(", ")
    )
}

/// `versions: 1.29.0 ×12, 1.30.1 ×40`
fn versions(found: &[Found]) -> String {
    let spread = spread(found);
    let more = spread.len().saturating_sub(MOST_VERSIONS);
    let shown: Vec<String> = spread
        .iter()
        .take(MOST_VERSIONS)
        .map(|(version, count)| {
            let version = if version.is_empty() { "unknown" } else { version };
            format!("{version} ×{count}")
        })
        .collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("versions: {}{rest}", shown.join(", "))
}

fn none(fleet: &Fleet, input: &Input) -> Error {
    let templates = fleet.rows.iter().flat_map(|row| row.templates());
    let names: BTreeSet<&str> =
        templates.flat_map(|template| &template.packs).map(|pack| pack.name.as_str()).collect();
    let pack = sanitise::short(&input.pack, 60);
    let layer = input.layer.map(|layer| format!(" in layer {:?}", layer.name())).unwrap_or_default();
    let none = format!("none of {} runs a pack {pack:?}{layer}", counted(fleet.rows.len(), "cluster"));
    let mut templates = fleet.rows.iter().flat_map(|row| row.templates());
    if templates.any(|template| template.name.eq_ignore_ascii_case(&input.pack)) {
        return Error::not_found(format!("{pack:?} is a cluster profile, and no pack: {none}"))
            .candidates(nearest::names(&input.pack, names, NEAREST))
            .next(
                "call palette_profile_clusters for who uses the profile, palette_profile_packs for its packs",
            );
    }
    Error::not_found(none)
        .candidates(nearest::names(&input.pack, names, NEAREST))
        .next("name one of these, or use * as in cni-*")
}
