//! [`Chosen`]: a version of a profile that a cluster is to get, read whole and fit for it.

use serde_json::{Value, json};

use super::cloud::Cloud;
use crate::{
    Error,
    palette::{
        Access, Ask, Place,
        api::{
            profile::ClusterProfile,
            variable::{Variable, Variables},
        },
        profiles::find::{self, FoundProfile, Within},
    },
    toolbox::Call,
};

/// Profiles of one cluster.
const MOST: usize = 20;

/// A version of a profile.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The profile's name.
    pub name: String,
    /// `infra`, `add-on`, `cluster`, …
    pub kind: String,
    /// `aws`, `all`, …
    pub cloud_type: String,
    /// `1.2.0`
    pub version: String,
    /// Of the version.
    pub uid: String,
    /// The version.
    pub whole: ClusterProfile,
    /// What clusters set.
    pub variables: Vec<Variable>,
    /// The same for as long as a plan may rely on it.
    pub content: Value,
}

impl Chosen {
    /// `name@version`
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Its packs: `kubernetes 1.31.4, …`
    pub fn packs(&self) -> String {
        let version =
            |tag: &str, version: &str| if tag.is_empty() { version.to_owned() } else { tag.to_owned() };
        let packs = self.whole.packs().iter();
        let packs: Vec<String> =
            packs.map(|pack| format!("{} {}", pack.name, version(&pack.tag, &pack.version))).collect();
        if packs.is_empty() { "no packs".to_owned() } else { packs.join(", ") }
    }

    /// Whether it is what a cluster stands on.
    pub fn is_infrastructure(&self) -> bool {
        matches!(self.kind.to_ascii_lowercase().as_str(), "infra" | "cluster")
    }
}

/// The profiles of these names (`name@version`, `name` for its newest, or uids), as a cluster in that place sees them.
///
/// # Errors
/// One is not there, or not fit for the cloud, or a draft; or Palette could not be asked.
pub async fn profiles(
    call: &Call,
    (access, place): (&Access, &Place),
    cloud: Cloud,
    written: &[String],
) -> Result<Vec<Chosen>, Error> {
    if written.len() > MOST {
        let message =
            format!("the argument \"profiles\" has {} entries; at most {MOST} are taken", written.len());
        return Err(Error::invalid_input(message));
    }
    let mut all: Vec<Chosen> = Vec::new();
    for written in written {
        let project = place.project_uid().unwrap_or("-");
        let found = find::profile(call, written, Some(project), Within::SeenOrTenant).await?;
        let chosen = of(access, place, &found).await?;
        fits(&chosen, cloud)?;
        if all.iter().any(|known| known.name == chosen.name || known.uid == chosen.uid) {
            return Err(wrong(&chosen, "is there twice"));
        }
        all.push(chosen);
    }
    let standing: Vec<String> = all.iter().filter(|of| of.is_infrastructure()).map(Chosen::label).collect();
    match (cloud, standing.len()) {
        (Cloud::Virtual, _) | (_, 1) => Ok(all),
        (_, 0) => {
            let message = format!(
                "the argument \"profiles\" has no infrastructure profile: a cluster of {} stands on one",
                cloud.name()
            );
            Err(Error::invalid_input(message).next("palette_profiles lists them with their clouds"))
        }
        _ => {
            let message =
                "the argument \"profiles\" has several infrastructure profiles: a cluster stands on one";
            Err(Error::invalid_input(message).candidates(standing))
        }
    }
}

fn fits(chosen: &Chosen, cloud: Cloud) -> Result<(), Error> {
    if !cloud.takes(&chosen.cloud_type, &chosen.kind) {
        let why = match cloud {
            Cloud::Virtual => {
                "is no add-on: a virtual cluster gets its infrastructure from its cluster group".to_owned()
            }
            _ => format!("is for the cloud {}, not for {}", chosen.cloud_type, cloud.name()),
        };
        return Err(wrong(chosen, &why));
    }
    Ok(())
}

fn wrong(chosen: &Chosen, why: &str) -> Error {
    Error::invalid_input(format!("the argument \"profiles\": {} {why}", chosen.label()))
        .next("palette_profiles lists profiles with their clouds and versions")
}

/// The version, whole.
///
/// # Errors
/// It is a draft, or could not be read.
pub async fn of(access: &Access, place: &Place, found: &FoundProfile) -> Result<Chosen, Error> {
    let uid = &found.version.uid;
    let chosen = version(access, place, uid).await?;
    let named = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let chosen = Chosen {
        name: named(&chosen.name, &found.profile.name),
        kind: named(&chosen.kind, &found.profile.kind),
        cloud_type: named(&chosen.cloud_type, &found.profile.cloud_type),
        version: named(&found.version.version, &chosen.version),
        ..chosen
    };
    if chosen.whole.is_draft() {
        let published =
            found.profile.versions.iter().filter(|of| of.told.as_ref().is_some_and(|told| !told.is_draft));
        let label = |version: &str| format!("{}@{version}", chosen.name);
        return Err(Error::invalid_input(format!("{} is a draft, which no cluster can get", chosen.label()))
            .candidates(published.map(|of| label(&of.version)))
            .next("name a published version, or publish it in Palette"));
    }
    Ok(chosen)
}

/// The version of this uid, whatever it is.
///
/// # Errors
/// It could not be read.
pub async fn version(access: &Access, place: &Place, uid: &str) -> Result<Chosen, Error> {
    let whole = access.ask::<Value>(place, Ask::get(&["clusterprofiles", uid]));
    let variables = access.ask::<Value>(place, Ask::get(&["clusterprofiles", uid, "variables"]));
    let (whole, variables) = tokio::try_join!(whole, variables)?;
    let spec = whole.get("spec").cloned().unwrap_or_default();
    let content = json!({"uid": uid, "spec": spec, "variables": variables});
    let malformed =
        |_| Error::from(crate::palette::Fault::Malformed("a profile is of another shape".to_owned()));
    let whole: ClusterProfile = serde_json::from_value(whole).map_err(malformed)?;
    let variables: Variables = serde_json::from_value(variables).map_err(malformed)?;
    let template = whole.spec.published.clone().or(whole.spec.draft.clone()).unwrap_or_default();
    let known = whole.spec.versions.iter().find(|known| known.uid == uid).map(|known| known.version.clone());
    Ok(Chosen {
        name: whole.metadata.name.clone(),
        kind: template.kind,
        cloud_type: template.cloud_type,
        version: known.unwrap_or_else(|| whole.spec.version.clone()),
        uid: uid.to_owned(),
        variables: variables.variables,
        whole,
        content,
    })
}
