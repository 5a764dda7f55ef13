//! Clusters: the lists, and what there is to know about one.

use serde_json::{Value, json};

use crate::demo::palette::{
    asked::{Asked, Reply},
    body::{self, Packs, Search},
    data::{Attached, Cluster, Version},
    refusal::Refusal,
    view::{View, Which},
};

/// What `metadata/search` answers where it is cut.
const CUT: usize = 50;

impl Asked<'_> {
    pub(super) fn about_clusters(&self, template: &str) -> Result<Reply, Refusal> {
        let view = self.view();
        Ok(match template {
            "/v1/dashboard/spectroclusters/meta" => {
                let listed = self.clusters().into_iter().filter(|cluster| !cluster.deleted);
                Reply::Json(listed.map(|cluster| view.cluster_meta(cluster)).collect())
            }
            "/v1/dashboard/spectroclusters/metadata/search" => {
                let found = body::read::<Search>(self.body)?.find(self.clusters())?;
                let most = if self.data.metadata_search_cut { CUT } else { found.len() };
                let rows: Vec<Value> = found.iter().take(most).map(|of| view.cluster_row(of)).collect();
                let listmeta = json!({"continue": "", "count": found.len(), "limit": most, "offset": 0});
                Reply::Json(json!({"items": rows, "listmeta": listmeta}))
            }
            "/v1/dashboard/spectroclusters/search" => {
                let found = body::read::<Search>(self.body)?.find(self.clusters())?;
                self.page(&found, |cluster| view.cluster_summary(cluster))?
            }
            "/v1/dashboard/spectroclusters/repaveStatus" => {
                let state = self.query("repaveState");
                let state = if state.is_empty() { "Pending" } else { state };
                let mut found = self.clusters();
                found.retain(|cluster| cluster.repave.as_ref().is_some_and(|repave| repave.state == state));
                self.page(&found, |cluster| view.cluster_summary(cluster))?
            }
            "/v1/notifications/{objectKind}/{objectUid}" => self.notifications()?,
            "/v1/events/components/{objectKind}/{objectUid}" => {
                let cluster = self.cluster(self.captured(1))?;
                let mut events: Vec<_> = cluster.events.iter().collect();
                events.sort_by_key(|event| event.created);
                self.page(&events, |event| view.event(cluster, event))?
            }
            "/v1/cloudconfigs/virtual/{configUid}" => {
                let uid = self.captured(0);
                let mut guests = view.guests(|_| true);
                let cluster = guests.find(|cluster| view.config_uid(cluster) == uid);
                let cluster = self
                    .cluster(&cluster.ok_or_else(|| Refusal::not_found("Virtual cloud config", uid))?.uid)?;
                let of = cluster.virtual_cluster.as_ref();
                Reply::Json(of.map_or(Value::Null, |of| view.virtual_config(cluster, of)))
            }
            _ => self.about_one(self.cluster(self.captured(0))?, template)?,
        })
    }

    fn about_one(&self, cluster: &Cluster, template: &str) -> Result<Reply, Refusal> {
        let view = self.view();
        let kubeconfig = |which: Which| {
            let name = format!("{}.kubeconfig", cluster.name);
            view.kubeconfig(cluster, which).map(|text| Reply::File(name, text))
        };
        Ok(Reply::Json(match template.rsplit("{uid}").next().unwrap_or_default() {
            "" if template.starts_with("/v1/dashboard") => view.cluster_overview(cluster),
            "" => view.cluster_full(cluster),
            "/profiles" => {
                let profiles: Vec<Value> =
                    cluster.profiles.iter().filter_map(|attached| view.attached(attached)).collect();
                json!({"profiles": profiles})
            }
            "/profiles/packs/manifests" => {
                let profiles: Vec<Value> = cluster
                    .profiles
                    .iter()
                    .filter_map(|attached| Some((attached, self.data.version(&attached.version)?)))
                    .map(|(attached, (profile, of))| view.profile_manifests(profile, of, Some(attached)))
                    .collect();
                json!({"profiles": profiles})
            }
            "/pack/manifests/{manifestUid}" => self.manifest(cluster)?,
            "/profiles/{profileUid}/packs/{packName}/config" => self.pack_config(cluster)?,
            "/profileUpdates" => {
                let updates = cluster.updates.iter();
                let profiles: Vec<Value> =
                    updates.filter_map(|uid| view.template(&Attached::new(uid))).collect();
                json!({"profiles": profiles})
            }
            "/variables" => {
                let versions = self.attached(cluster);
                versions.map(|(attached, version)| variables(attached, version)).collect()
            }
            "/repave/status" => view.repave(cluster),
            "/validate/repave" => {
                if !self.body.is_empty() {
                    body::kept("repave", self.body)?;
                }
                let Packs { profiles } = body::read(self.body)?;
                view.repave_of(cluster, &profiles.iter().map(|of| of.uid.as_str()).collect::<Vec<_>>())
            }
            "/oidc" => match &cluster.oidc {
                Some(oidc) => json!({
                    "clientId": oidc.client_id,
                    "clientSecret": oidc.client_secret,
                    "issuerUrl": oidc.issuer_url,
                    "issuerTls": {"caCertificateBase64": "", "insecureSkipVerify": false},
                    "requiredClaims": {},
                    "scopes": oidc.scopes,
                }),
                None => return Err(Refusal::not_found("OIDC configuration of the cluster", &cluster.uid)),
            },
            "/assets/kubeconfig" => return kubeconfig(Which::User { proxied: self.query("frp") != "false" }),
            "/assets/kubeconfigclient" => return kubeconfig(Which::Client),
            "/assets/frpKubeconfig" => return kubeconfig(Which::Proxied),
            "/assets/adminKubeconfig" => return kubeconfig(Which::Admin),
            _ => return Err(Refusal::no_such_path(template)),
        }))
    }

    fn clusters(&self) -> Vec<&Cluster> {
        let clusters = self.data.clusters.iter();
        clusters.filter(|cluster| self.lists(cluster.project.as_deref(), false)).collect()
    }

    fn attached<'s>(&'s self, cluster: &'s Cluster) -> impl Iterator<Item = (&'s Attached, &'s Version)> {
        let attached = cluster.profiles.iter();
        attached.filter_map(|attached| Some((attached, self.data.version(&attached.version)?.1)))
    }

    fn notifications(&self) -> Result<Reply, Refusal> {
        let (kind, uid) = (self.captured(0), self.captured(1));
        if kind != "spectrocluster" {
            self.version(uid)?;
            return self.page(&[], |(): &()| Value::Null);
        }
        let cluster = self.cluster(uid)?;
        let mut rows: Vec<_> = cluster.notifications.iter().collect();
        rows.retain(|row| match self.query("isDone") {
            "" => true,
            done => row.done == (done == "true"),
        });
        rows.sort_by_key(|row| row.created);
        self.page(&rows, |row| self.view().notification((kind, &cluster.name, &cluster.uid), row))
    }

    fn manifest(&self, cluster: &Cluster) -> Result<Value, Refusal> {
        let uid = self.captured(1);
        self.attached(cluster)
            .flat_map(|(attached, version)| version.packs.iter().map(move |pack| (attached, pack)))
            .flat_map(|(attached, pack)| pack.manifests.iter().map(move |of| (attached, of)))
            .find(|(_, manifest)| manifest.uid == uid)
            .map(|(attached, manifest)| {
                let content = attached.manifests.get(&manifest.name).unwrap_or(&manifest.content);
                self.view().manifest(manifest, content)
            })
            .ok_or_else(|| Refusal::not_found("Manifest", uid))
    }

    fn pack_config(&self, cluster: &Cluster) -> Result<Value, Refusal> {
        let (profile, name) = (self.captured(1), self.captured(2));
        let (attached, version) = self
            .attached(cluster)
            .find(|(attached, _)| attached.version == profile)
            .ok_or_else(|| Refusal::not_found("Cluster profile", profile))?;
        let pack = version.packs.iter().find(|pack| pack.name == name);
        let pack = pack.ok_or_else(|| Refusal::not_found("Pack", name))?;
        Ok(json!({"items": [self.view().pack_config(cluster, attached, pack)]}))
    }
}

fn variables(attached: &Attached, version: &Version) -> Value {
    let variables: Vec<Value> = version
        .variables
        .iter()
        .map(|of| {
            let value = attached.variables.get(&of.name).unwrap_or(&of.default_value);
            View::variable(of, Some(value))
        })
        .collect();
    json!({"profileUid": version.uid, "variables": variables})
}
