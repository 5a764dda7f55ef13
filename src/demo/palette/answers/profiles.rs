//! Cluster profiles.

use serde_json::{Value, json};

use crate::demo::palette::{
    asked::{Asked, Reply},
    body::{self, ProfileFilter, Profiles},
    data::{Manifest, Pack, Profile, Version},
    refusal::Refusal,
    view::View,
};

impl Asked<'_> {
    pub(super) fn about_profiles(&self, template: &str) -> Result<Option<Reply>, Refusal> {
        let view = self.view();
        let uid = self.captured(0);
        Ok(Some(match template {
            "/v1/dashboard/clusterprofiles" => {
                let Profiles { filter, .. } = body::read(self.body)?;
                let wanted = |profile: &Profile, version: &Version| wanted(&filter, profile, version);
                self.page(&self.profiles(wanted), |(profile, version)| {
                    view.profile_summary(profile, version)
                })?
            }
            "/v1/dashboard/clusterprofiles/metadata" => {
                let rows = self.profiles(|_, _| true);
                let row = |(profile, version): &(&Profile, &Version)| View::profile_meta(profile, version);
                Reply::Json(json!({"items": rows.iter().map(row).collect::<Vec<Value>>()}))
            }
            "/v1/clusterprofiles/{uid}" => {
                let (profile, version) = self.version(uid)?;
                Reply::Json(view.profile(profile, version))
            }
            "/v1/clusterprofiles/{uid}/packs" => {
                let (_, version) = self.version(uid)?;
                let packs: Vec<Value> =
                    version.packs.iter().map(|pack| view.pack(pack, &pack.values)).collect();
                Reply::Json(json!({"items": packs}))
            }
            "/v1/clusterprofiles/{uid}/packs/manifests" => {
                let (profile, version) = self.version(uid)?;
                Reply::Json(view.profile_manifests(profile, version, None))
            }
            "/v1/clusterprofiles/{uid}/packs/{packName}/manifests" => {
                let manifests = self.pack_of(uid)?.manifests.iter();
                let rows: Vec<Value> = manifests.map(|of| view.manifest(of, &of.content)).collect();
                Reply::Json(json!({"items": rows}))
            }
            "/v1/clusterprofiles/{uid}/packs/{packName}/manifests/{manifestUid}" => {
                let manifest = named(self.pack_of(uid)?, self.captured(2))?;
                Reply::Json(view.manifest(manifest, &manifest.content))
            }
            "/v1/clusterprofiles/{uid}/variables" => {
                let (_, version) = self.version(uid)?;
                let rows: Vec<Value> = version.variables.iter().map(|of| View::variable(of, None)).collect();
                Reply::Json(json!({"variables": rows}))
            }
            _ => return Ok(None),
        }))
    }

    fn pack_of(&self, uid: &str) -> Result<&Pack, Refusal> {
        let (_, version) = self.version(uid)?;
        let name = self.captured(1);
        version.packs.iter().find(|pack| pack.name == name).ok_or_else(|| Refusal::not_found("Pack", name))
    }

    /// The rows of the lists: one a version, unless the tenant has it otherwise.
    fn profiles(&self, wanted: impl Fn(&Profile, &Version) -> bool) -> Vec<(&Profile, &Version)> {
        let of_tenant = self.data.tenant_profiles_only && self.project.is_none();
        let listed = self.data.profiles.iter().filter(|profile| {
            self.lists(profile.project.as_deref(), true) && !(of_tenant && profile.project.is_some())
        });
        let rows = listed.flat_map(|profile| {
            let skipped =
                if self.data.one_row_per_profile { profile.versions.len().saturating_sub(1) } else { 0 };
            profile.versions.iter().skip(skipped).map(move |version| (profile, version))
        });
        rows.filter(|(profile, version)| wanted(profile, version)).collect()
    }
}

fn named<'a>(pack: &'a Pack, uid: &str) -> Result<&'a Manifest, Refusal> {
    let found = pack.manifests.iter().find(|manifest| manifest.uid == uid);
    found.ok_or_else(|| Refusal::not_found("Manifest", uid))
}

fn wanted(filter: &ProfileFilter, profile: &Profile, version: &Version) -> bool {
    let among = |wanted: &[String], is: &str| wanted.is_empty() || wanted.iter().any(|of| of == is);
    let scope = if profile.project.is_some() { "project" } else { "tenant" };
    // An add-on fits every cloud.
    (profile.cloud_type == "all" || among(&filter.environment, &profile.cloud_type))
        && among(&filter.profile_type, &profile.kind)
        && filter.scope.as_deref().is_none_or(|wanted| wanted == scope)
        && filter.profile_name.matches(&profile.name)
        && filter.version.matches(&version.version)
}
