//! Of what a connection is made: what two readings of a source are told apart by.

use std::path::Path;

use aws_lc_rs::digest;
use kube::config::Kubeconfig;

use super::super::cluster::Digest;

/// Of what the connection of a context is made: its parts of the kubeconfig, and the files that they name
/// and that are read once.
pub(super) fn made_of(kubeconfig: &Kubeconfig, context: &str) -> Option<Digest> {
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?.cluster.as_ref()?;
    let user = kubeconfig.auth_infos.iter().find(|named| Some(&named.name) == context.user.as_ref());
    let user = user.and_then(|named| named.auth_info.as_ref());
    let mut parts = serde_json::to_value((context, cluster, user)).ok()?;
    // some of it is kept in maps without an order
    parts.sort_all_objects();
    let files = [
        cluster.certificate_authority.as_ref(),
        user.and_then(|user| user.client_certificate.as_ref()),
        user.and_then(|user| user.client_key.as_ref()),
    ];
    digest_of(&parts.to_string(), files.into_iter().flatten())
}

pub(super) fn digest_of<P: AsRef<Path>>(text: &str, files: impl IntoIterator<Item = P>) -> Option<Digest> {
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(text.as_bytes());
    for file in files {
        let content = std::fs::read(file).unwrap_or_default();
        digest.update(&(content.len() as u64).to_be_bytes());
        digest.update(&content);
    }
    digest.finish().as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_known_by_its_own_parts_and_the_files_that_they_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = folder.path().join("ca.crt");
        let written = |server: &str, token: &str| {
            let env: Vec<_> =
                (0..8).map(|n| serde_json::json!({"name": n.to_string(), "value": "x"})).collect();
            let text = serde_json::json!({
                "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
                "clusters": [
                    {"name": "a", "cluster": {"server": "https://a", "certificate-authority": authority}},
                    {"name": "b", "cluster": {"server": server}},
                ],
                "users": [{"name": "a", "user": {"token": token, "exec": {"command": "x", "env": env}}}],
            });
            let kubeconfig = Kubeconfig::from_yaml(&text.to_string()).expect("a kubeconfig");
            made_of(&kubeconfig, "a").expect("it is there")
        };
        std::fs::write(&authority, "one").expect("written");
        let first = written("https://b", "t");
        assert_eq!(written("https://c", "t"), first, "another cluster is nothing to it");
        assert_ne!(written("https://b", "u"), first, "a secret is a part of it");
        std::fs::write(&authority, "two").expect("written");
        assert_ne!(written("https://b", "t"), first, "and so is a file that is read once");
    }
}
