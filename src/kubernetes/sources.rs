//! Where clusters come from: kubeconfig contexts, the Pod's service account, configured entries.
//! Each source yields what works and says what does not; one broken entry spoils no other.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use kube::{
    Config,
    config::{AuthInfo, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    cluster::{Cluster, Digest, Source},
    fault::Fault,
};
use crate::caller::TOKEN_VARIABLE;

/// Where Pods find the certificate authority of their cluster.
const IN_CLUSTER_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";

/// What a source found.
#[derive(Debug, Default)]
pub struct Found {
    /// The clusters that can be tried.
    pub clusters: Vec<Cluster>,
    /// The qualified name of the one meant where none is named.
    pub default: Option<String>,
    /// What is broken, a line each, with the part of the file.
    pub problems: Vec<String>,
}

/// The contexts of a kubeconfig: the given file, or those of `KUBECONFIG`, or `~/.kube/config`.
/// No file at all is not a problem unless one was named.
pub fn kubeconfig(file: Option<&Path>) -> Found {
    let read = match file {
        Some(file) => Kubeconfig::read_from(file),
        None if std::env::var_os("KUBECONFIG").is_none_or(|paths| paths.is_empty())
            && !home_file_exists() =>
        {
            return Found::default();
        }
        None => Kubeconfig::read(),
    };
    match read {
        Ok(kubeconfig) => contexts(&kubeconfig),
        Err(error) => {
            let at = file.map_or("kubeconfig".to_owned(), |file| format!("kubeconfig {}", file.display()));
            // further lines quote the file, which holds credentials
            let chain = whole_chain(&error);
            let problems = vec![format!("{at}: {}", chain.lines().next().unwrap_or_default())];
            Found { problems, ..Found::default() }
        }
    }
}

fn home_file_exists() -> bool {
    std::env::home_dir().is_some_and(|home| home.join(".kube/config").is_file())
}

fn contexts(kubeconfig: &Kubeconfig) -> Found {
    let mut found = Found::default();
    for named in &kubeconfig.contexts {
        let Some(context) = &named.context else {
            found.problems.push(format!("kubeconfig: context {:?} is empty", named.name));
            continue;
        };
        if let Some(problem) = broken(kubeconfig, &named.name, context) {
            found.problems.push(problem);
            continue;
        }
        let options = KubeConfigOptions { context: Some(named.name.clone()), ..KubeConfigOptions::default() };
        let namespace = context.namespace.clone().unwrap_or_else(|| "default".to_owned());
        found.clusters.push(connected(
            &named.name,
            Source::Kubeconfig,
            &namespace,
            kubeconfig.clone(),
            options,
        ));
    }
    match kubeconfig.current_context.as_deref().filter(|current| !current.is_empty()) {
        Some(current) if kubeconfig.contexts.iter().any(|context| context.name == current) => {
            found.default = Some(format!("{}/{current}", Source::Kubeconfig.name()));
        }
        Some(current) => {
            found
                .problems
                .push(format!("kubeconfig: current-context {current:?} is not one of its contexts"));
        }
        None => {}
    }
    found
}

/// What a context names that the file does not have.
fn broken(kubeconfig: &Kubeconfig, name: &str, context: &Context) -> Option<String> {
    let cluster = kubeconfig.clusters.iter().find(|cluster| cluster.name == context.cluster);
    let Some(cluster) = cluster else {
        return Some(format!(
            "kubeconfig: context {name:?} names cluster {:?}, which clusters does not have",
            context.cluster
        ));
    };
    if cluster.cluster.as_ref().and_then(|cluster| cluster.server.as_deref()).is_none_or(str::is_empty) {
        return Some(format!("kubeconfig: cluster {:?} has no server", cluster.name));
    }
    let user = context.user.as_deref().filter(|user| !user.is_empty())?;
    let known = kubeconfig.auth_infos.iter().any(|info| info.name == user);
    (!known).then(|| format!("kubeconfig: context {name:?} names user {user:?}, which users does not have"))
}

fn connected(
    name: &str,
    source: Source,
    namespace: &str,
    kubeconfig: Kubeconfig,
    options: KubeConfigOptions,
) -> Cluster {
    let made_of = made_of(&kubeconfig, name);
    let connect = move || {
        let (kubeconfig, options) = (kubeconfig.clone(), options.clone());
        async move {
            let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|error| Fault::Configuration(whole_chain(&error)))?;
            if let Some(exec) = &mut config.auth_info.exec {
                exec.drop_env.get_or_insert_default().push(TOKEN_VARIABLE.to_owned());
            }
            if let Some(token) = &config.auth_info.token {
                config.auth_info.token = Some(usable_token(token).map_err(Fault::Configuration)?);
            }
            Ok(config)
        }
    };
    Cluster::new(name, source, namespace, connect).made_of(made_of)
}

/// Of what the connection of a context is made: its parts of the kubeconfig, and the files that they name
/// and that are read once.
fn made_of(kubeconfig: &Kubeconfig, context: &str) -> Option<Digest> {
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

fn digest_of<P: AsRef<Path>>(text: &str, files: impl IntoIterator<Item = P>) -> Option<Digest> {
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(text.as_bytes());
    for file in files {
        let content = std::fs::read(file).unwrap_or_default();
        digest.update(&(content.len() as u64).to_be_bytes());
        digest.update(&content);
    }
    digest.finish().as_ref().try_into().ok()
}

/// The cluster of the Pod that we run in, where we run in one.
pub fn in_cluster() -> Found {
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return Found::default();
    }
    let source = Source::InCluster;
    let connect = || async { Config::incluster().map_err(|error| Fault::Configuration(whole_chain(&error))) };
    let namespace = std::fs::read_to_string("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
        .map_or_else(|_| "default".to_owned(), |namespace| namespace.trim().to_owned());
    // the token is read again when it changes, and the authority is not
    let made_of = digest_of("", [IN_CLUSTER_CA]);
    let cluster = Cluster::new("in-cluster", source, namespace, connect).made_of(made_of);
    Found {
        clusters: vec![cluster],
        default: Some(format!("{}/in-cluster", source.name())),
        problems: Vec::new(),
    }
}

/// A cluster written out in our own configuration.
#[derive(Clone, Debug)]
pub struct StaticCluster {
    /// Its name.
    pub name: String,
    /// `https://…` of the API server; plain http only for loopback addresses.
    pub url: String,
    /// PEM file of the certificate authority; the system's otherwise.
    pub ca_file: Option<PathBuf>,
    /// Bearer token of the server's own credential.
    pub token: Option<SecretString>,
    /// File that holds it, read again when it changes.
    pub token_file: Option<PathBuf>,
    /// Namespace meant where none is named.
    pub namespace: Option<String>,
}

/// A configured cluster, or what is wrong with it.
///
/// # Errors
/// A URL that is not one, or plain http to another machine.
pub fn static_cluster(entry: StaticCluster, source: Source) -> Result<Cluster, String> {
    let url: http::Uri = entry
        .url
        .parse()
        .map_err(|error| format!("cluster {:?}: url {:?}: {error}", entry.name, entry.url))?;
    let loopback = matches!(url.host(), Some("127.0.0.1" | "[::1]" | "localhost"));
    match url.scheme_str() {
        Some("https") => {}
        Some("http") if loopback => {}
        _ => {
            return Err(format!("cluster {:?}: url must be https:// (http:// only on loopback)", entry.name));
        }
    }
    let cluster = kube::config::Cluster {
        server: Some(entry.url),
        certificate_authority: entry.ca_file.map(|file| file.to_string_lossy().into_owned()),
        ..kube::config::Cluster::default()
    };
    let auth_info = AuthInfo {
        token: entry.token,
        token_file: entry.token_file.map(|file| file.to_string_lossy().into_owned()),
        ..AuthInfo::default()
    };
    let name = entry.name;
    let context = Context {
        cluster: name.clone(),
        user: Some(name.clone()),
        namespace: entry.namespace.clone(),
        ..Context::default()
    };
    let kubeconfig = Kubeconfig {
        clusters: vec![NamedCluster {
            name: name.clone(),
            cluster: Some(cluster),
            other: Default::default(),
        }],
        auth_infos: vec![NamedAuthInfo {
            name: name.clone(),
            auth_info: Some(auth_info),
            other: Default::default(),
        }],
        contexts: vec![NamedContext {
            name: name.clone(),
            context: Some(context),
            other: Default::default(),
        }],
        current_context: Some(name.clone()),
        ..Kubeconfig::default()
    };
    let namespace = entry.namespace.unwrap_or_else(|| "default".to_owned());
    Ok(connected(&name, source, &namespace, kubeconfig, KubeConfigOptions::default()))
}

/// A token as a header can carry it, without the newline that files end with.
///
/// # Errors
/// It holds what no header can: tower-http would panic at every call.
pub fn usable_token(token: &SecretString) -> Result<SecretString, String> {
    let trimmed = token.expose_secret().trim();
    match http::HeaderValue::from_str(trimmed) {
        Ok(_) => Ok(trimmed.to_owned().into()),
        Err(_) => Err("the token holds control characters or others that no HTTP header carries".to_owned()),
    }
}

/// An error with its causes: kube keeps the file's line in the innermost one.
fn whole_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_that_ends_with_a_newline_is_used_without_it() {
        let connect = |token: &str| {
            let entry = StaticCluster {
                name: "a".to_owned(),
                url: "http://127.0.0.1:1".to_owned(),
                ca_file: None,
                token: Some(token.to_owned().into()),
                token_file: None,
                namespace: None,
            };
            static_cluster(entry, Source::Static).expect("a cluster")
        };
        assert!(connect("token\n").connected().await.is_ok());
        let fault = connect("to\nken").connected().await.err();
        assert!(matches!(&fault, Some(Fault::Configuration(why)) if !why.contains("ken\"")), "{fault:?}");
        assert_eq!(
            usable_token(&" t\r\n".to_owned().into()).map(|t| t.expose_secret().to_owned()),
            Ok("t".into())
        );
        assert!(usable_token(&"t\u{7f}".to_owned().into()).is_err());
    }

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
