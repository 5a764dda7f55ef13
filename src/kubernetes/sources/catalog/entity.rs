//! One entity of a catalog: a cluster, none, or what is wrong with it. Nothing in it is to be believed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::config::AuthInfo;
use reqwest::Url;
use serde_json::Value;

use super::super::{
    super::cluster::{Cluster, Source},
    connected,
    written::one,
};
use crate::{permission::scope::matches, remote::is_loopback};

const SERVER: &str = "kubernetes.io/api-server";
const AUTHORITY: &str = "kubernetes.io/api-server-certificate-authority";
const PROVIDER: &str = "kubernetes.io/auth-provider";
const TOKEN_PROVIDER: &str = "kubernetes.io/oidc-token-provider";

/// Characters of an annotation; a bundle of authorities is shorter.
const LONGEST: usize = 256 << 10;
/// Characters of the name of an entity, of its namespace, and of a provider (Backstage's own limit for names).
const LONGEST_NAME: usize = 63;

/// `resource:NAMESPACE/NAME`, as Backstage refers to it.
pub(super) fn reference(entity: &Value) -> String {
    let text = |pointer: &str| entity.pointer(pointer).and_then(Value::as_str);
    let namespace = text("/metadata/namespace").unwrap_or("default");
    format!("resource:{namespace}/{}", text("/metadata/name").unwrap_or_default())
}

/// The cluster that an entity describes; `None` where it describes none: Backstage's own locator passes over
/// entities without these annotations, too.
pub(super) fn cluster(entity: &Value, hosts: &[String]) -> Result<Option<Cluster>, String> {
    let annotation = |name: &str| match entity.pointer("/metadata/annotations").and_then(|all| all.get(name))
    {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= LONGEST => Ok(Some(text.trim())),
        Some(Value::String(_)) => Err(format!("its annotation {name} is too long")),
        Some(_) => Err(format!("its annotation {name} is not a text")),
    };
    let all = [annotation(SERVER)?, annotation(AUTHORITY)?, annotation(PROVIDER)?];
    let [Some(server), Some(authority), Some(framework)] = all else {
        if all.iter().all(Option::is_none) {
            return Ok(None);
        }
        let missing = [SERVER, AUTHORITY, PROVIDER].into_iter().zip(all).filter(|(_, there)| there.is_none());
        let missing: Vec<&str> = missing.map(|(name, _)| name).collect();
        return Err(format!("it lacks the annotation {}", missing.join(" and ")));
    };
    let name = name(entity)?;
    let url = address(server, hosts)?;
    authorities(authority)?;
    let provider = provider(framework, annotation(TOKEN_PROVIDER)?)?;
    let described = kube::config::Cluster {
        // as it was parsed, so that nobody reads another host in it
        server: Some(url.to_string()),
        certificate_authority_data: Some(authority.to_owned()),
        ..kube::config::Cluster::default()
    };
    let kubeconfig = one(&name, described, AuthInfo::default(), None);
    Ok(Some(connected(&name, Source::Backstage, "default", kubeconfig).with_provider(Some(provider))))
}

fn name(entity: &Value) -> Result<String, String> {
    let part = |what: &str| entity.pointer("/metadata").and_then(|metadata| metadata.get(what)?.as_str());
    let name = part("name").filter(|name| is_name(name)).ok_or("its name is not one of Backstage's")?;
    let namespace = match entity.pointer("/metadata/namespace") {
        None | Some(Value::Null) => "default",
        Some(_) => {
            part("namespace").filter(|name| is_name(name)).ok_or("its namespace is not one of Backstage's")?
        }
    };
    if namespace.eq_ignore_ascii_case("default") {
        return Ok(name.to_owned());
    }
    // it would be called as a cluster of that source is, by rules too
    if Source::ALL.iter().any(|source| source.name().eq_ignore_ascii_case(namespace)) {
        return Err("its namespace has the name of a source of clusters".to_owned());
    }
    Ok(format!("{namespace}/{name}"))
}

/// As Backstage's `KubernetesValidatorFunctions` has it.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= LONGEST_NAME
        && text.chars().all(fits)
        && ends(text.chars().next())
        && ends(text.chars().next_back())
}

/// Callers' tokens go there, so it is https to one of the hosts, or this machine.
fn address(written: &str, hosts: &[String]) -> Result<Url, String> {
    let url = Url::parse(written).map_err(|_| format!("its {SERVER} is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("its {SERVER} holds credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("its {SERVER} has a query or a fragment"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err(format!("its {SERVER} must begin with https://")),
    }
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    let listed = |pattern: &String| {
        let pattern = pattern.to_ascii_lowercase();
        matches(&pattern, host) || matches(&pattern, &with_port)
    };
    if host.is_empty() || !hosts.iter().any(listed) {
        return Err(format!("the host of its {SERVER} is none of clusters.backstage.hosts"));
    }
    Ok(url)
}

fn authorities(written: &str) -> Result<(), String> {
    let pem = STANDARD.decode(written).map_err(|_| format!("its {AUTHORITY} is not base64"))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(authorities) if !authorities.is_empty() => Ok(()),
        _ => Err(format!("its {AUTHORITY} holds no certificate in PEM")),
    }
}

/// `oidc-okta` of `oidc` and its token provider, else the provider alone: the end of the header that callers send
/// their token in. Header names have no case.
fn provider(framework: &str, token_provider: Option<&str>) -> Result<String, String> {
    let provider = match token_provider {
        Some(token_provider) if framework.eq_ignore_ascii_case("oidc") => format!("oidc-{token_provider}"),
        _ => framework.to_owned(),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if provider.is_empty() || provider.len() > LONGEST_NAME || !provider.chars().all(fits) {
        return Err(format!("its {PROVIDER} or {TOKEN_PROVIDER} cannot stand in the name of a header"));
    }
    Ok(provider.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> String {
        let key = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).expect("a certificate");
        STANDARD.encode(key.cert.pem())
    }

    fn entity(change: impl Fn(&mut Value)) -> Value {
        let mut entity = serde_json::json!({
            "kind": "Resource",
            "metadata": {"name": "prod", "namespace": "default", "annotations": {
                SERVER: "https://k8s.example.com:6443", AUTHORITY: pem(), PROVIDER: "oidc", TOKEN_PROVIDER: "Okta",
            }},
            "spec": {"type": "kubernetes-cluster"},
        });
        change(&mut entity);
        entity
    }

    fn read(entity: &Value) -> Result<Option<Cluster>, String> {
        cluster(entity, &["*.example.com".to_owned(), "127.0.0.1".to_owned(), "10.0.0.1:6443".to_owned()])
    }

    #[test]
    fn an_entity_is_a_cluster_for_callers_with_a_token() {
        let cluster = read(&entity(|_| ())).expect("it is fine").expect("a cluster");
        assert_eq!(
            (cluster.qualified_name().as_str(), cluster.provider()),
            ("backstage/prod", Some("oidc-okta"))
        );
        let elsewhere = entity(|entity| entity["metadata"]["namespace"] = "team-a".into());
        let cluster = read(&elsewhere).expect("it is fine").expect("a cluster");
        assert_eq!(cluster.name(), "team-a/prod");
        let google = entity(|entity| entity["metadata"]["annotations"][PROVIDER] = "google".into());
        let cluster = read(&google).expect("it is fine").expect("a cluster");
        assert_eq!(cluster.provider(), Some("google"));
        let none = entity(|entity| entity["metadata"]["annotations"] = serde_json::json!({"a": "b"}));
        assert!(matches!(read(&none), Ok(None)), "what describes no cluster is none");
    }

    #[test]
    fn what_an_entity_has_wrong_is_said_and_nothing_of_it_is_taken() {
        for (annotation, value, said) in [
            (SERVER, "https://k8s.example.net", "none of clusters.backstage.hosts"),
            (SERVER, "https://k8s.example.com.evil.net", "none of clusters.backstage.hosts"),
            (SERVER, "https://k8s.example.com@evil.net", "holds credentials"),
            (SERVER, "https://evil.net/k8s.example.com", "none of clusters.backstage.hosts"),
            (SERVER, "https://evil.net\\@k8s.example.com", "none of clusters.backstage.hosts"),
            (SERVER, "https://evil.net#.example.com", "a fragment"),
            (SERVER, "https://169.254.169.254", "none of clusters.backstage.hosts"),
            (SERVER, "https://10.0.0.1:443", "none of clusters.backstage.hosts"),
            (SERVER, "http://k8s.example.com", "must begin with https://"),
            (SERVER, "file:///etc/passwd", "must begin with https://"),
            (SERVER, "k8s.example.com", "is no URL"),
            (AUTHORITY, "!", "is not base64"),
            (AUTHORITY, "bm9uZQ==", "holds no certificate"),
            (PROVIDER, "oi dc", "header"),
            (PROVIDER, "", "header"),
            (TOKEN_PROVIDER, "okta\r\nx: y", "header"),
        ] {
            let wrong = entity(|entity| entity["metadata"]["annotations"][annotation] = value.into());
            let why = read(&wrong).expect_err(value);
            assert!(why.contains(said), "{value}: {why}");
        }
        for (pointer, value, said) in [
            ("/metadata/name", serde_json::json!("a/b"), "its name"),
            ("/metadata/name", serde_json::json!(null), "its name"),
            ("/metadata/namespace", serde_json::json!("Kubeconfig"), "name of a source"),
            ("/metadata/namespace", serde_json::json!("../x"), "its namespace"),
            (
                "/metadata/annotations",
                serde_json::json!({SERVER: "https://a.example.com"}),
                "it lacks the annotation",
            ),
            ("/metadata/annotations", serde_json::json!({SERVER: 1}), "is not a text"),
        ] {
            let wrong = entity(|entity| *entity.pointer_mut(pointer).expect("it is there") = value.clone());
            let why = read(&wrong).expect_err(pointer);
            assert!(why.contains(said), "{pointer}: {why}");
        }
        for odd in [serde_json::json!(null), serde_json::json!([]), serde_json::json!("x")] {
            assert!(matches!(read(&odd), Ok(None)), "{odd}");
        }
        let other = |server: &str| entity(|entity| entity["metadata"]["annotations"][SERVER] = server.into());
        assert!(read(&other("https://10.0.0.1:6443")).is_ok() && read(&other("http://127.0.0.1:1")).is_ok());
    }
}
