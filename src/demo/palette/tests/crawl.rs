//! Every endpoint, asked for everything there is.

use super::*;
use crate::demo::palette::{endpoint::ENDPOINTS, view::View};

/// The answers of every endpoint for everything that a tenant holds: endpoint and body.
async fn crawl(served: &Served) -> Vec<(String, String)> {
    let data = served.tenant.data();
    let view = View { data: &data, made: served.tenant.made() };
    let project = |uid: &Option<String>| uid.clone().unwrap_or_default();
    let mut asked = Vec::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| !endpoint.changes) {
        let mut ask = |path: String, project: String| asked.push((endpoint, path, project));
        let template = endpoint.template;
        let fill = |uid: &str| template.replace("{uid}", uid).replace("{objectUid}", uid);
        if template.contains("/clusterprofiles/{uid}") {
            for (profile, version) in
                data.profiles.iter().flat_map(|of| of.versions.iter().map(move |v| (of, v)))
            {
                for pack in &version.packs {
                    let manifest = pack.manifests.first().map_or("", |of| of.uid.as_str());
                    let path = fill(&version.uid).replace("{packName}", &pack.name);
                    if !(manifest.is_empty() && path.contains("{manifestUid}")) {
                        ask(path.replace("{manifestUid}", manifest), project(&profile.project));
                    }
                }
            }
        } else if template.contains("clustergroups/{uid}") {
            data.groups.iter().for_each(|group| ask(fill(&group.uid), project(&group.project)));
        } else if let Some(kind) =
            template.strip_prefix("/v1/cloudaccounts/").and_then(|of| of.strip_suffix("/{uid}"))
        {
            let accounts = data.accounts.iter().filter(|of| of.kind == kind);
            accounts.for_each(|of| ask(fill(&of.uid), project(&of.project)));
        } else if template.contains("spectroclusters/{uid}") || template.contains("{objectUid}") {
            for cluster in &data.clusters {
                let path = fill(&cluster.uid).replace("{objectKind}", "spectrocluster");
                let packs = cluster.profiles.iter().filter_map(|of| Some((of, data.version(&of.version)?.1)));
                let packs = packs.flat_map(|(of, version)| version.packs.iter().map(move |pack| (of, pack)));
                if !path.contains('{') {
                    ask(path, project(&cluster.project));
                    continue;
                }
                for (of, pack) in packs {
                    let path = path.replace("{profileUid}", &of.version).replace("{packName}", &pack.name);
                    if !path.contains('{') {
                        ask(path.clone(), project(&cluster.project));
                    }
                    for manifest in &pack.manifests {
                        ask(path.replace("{manifestUid}", &manifest.uid), project(&cluster.project));
                    }
                }
            }
        } else if template.contains("{configUid}") {
            for guest in view.guests(|_| true) {
                ask(template.replace("{configUid}", &view.config_uid(guest)), project(&guest.project));
            }
        } else {
            ask(template.replace("{scope}", "tenant"), String::new());
        }
    }
    let mut answers = Vec::new();
    for (endpoint, path, project) in asked {
        let mut request = served.request(endpoint.method, &path);
        if endpoint.method == "POST" {
            request = request.json(&json!({}));
        }
        if !project.is_empty() {
            request = request.header("ProjectUid", project);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        assert!(status == 200 || path.contains("/assets/") || path.contains("/oidc"), "{status} {path}");
        answers.push((endpoint.name(), response.text().await.unwrap()));
    }
    assert_eq!(served.tenant.refused(), Vec::<String>::new());
    answers
}

#[tokio::test]
async fn the_sample_is_answered_without_a_null() {
    let data = Data { limits: Limits::Off, ..Data::sample(None).unwrap() };
    let served = Served::new(data).await;
    let answers = crawl(&served).await;
    for (name, text) in &answers {
        assert!(!text.contains(":null") && !text.contains("[null"), "{name}: {text}");
    }
}

#[tokio::test]
async fn every_endpoint_answers_and_every_planted_secret_is_in_an_answer() {
    let (data, secrets) = Data::planted("sentinel");
    let served = Served::new(Data { limits: Limits::Off, ..data }).await;
    let answers = crawl(&served).await;
    let asked: BTreeSet<&String> = answers.iter().map(|(name, _)| name).collect();
    assert_eq!(asked.len(), ENDPOINTS.iter().filter(|endpoint| !endpoint.changes).count());
    let mut shown: String = answers.into_iter().map(|(_, text)| text).collect();
    shown.push_str(&served.get("/v1/dashboard/spectroclusters/none", None).await.1.to_string());
    let token = &served.tenant.data().users[0].token;
    let missing: Vec<&String> =
        secrets.iter().filter(|secret| !shown.contains(secret.as_str()) && *secret != token).collect();
    // These are within base64: of a key, of a Secret's data.
    assert!(
        missing
            .iter()
            .all(|of| of.ends_with("private-key") || of.ends_with("database") || of.ends_with("override")),
        "{missing:?}"
    );
    assert!(missing.len() < secrets.len() / 8, "{} of {}", missing.len(), secrets.len());
    assert_eq!(secrets.iter().collect::<BTreeSet<_>>().len(), secrets.len());
}
