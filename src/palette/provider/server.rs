//! Where the API server of a cluster is: of a kubeconfig for its users where Palette has one, and only then of one
//! that holds cluster-admin credentials, which are not looked at.

use reqwest::Url;

use super::ask::{Asker, no_way};
use crate::{
    kubernetes::Fault as NoWay,
    palette::{
        access::Access,
        ask::Ask,
        kubeconfig::{Server, Upstream},
        place::Place,
    },
    permission::scope::matches,
    remote::is_loopback,
};

/// Asks for the address and the authorities.
pub(super) async fn server(
    asker: &Asker,
    access: &Access,
    place: &Place,
    uid: &str,
) -> Result<Server, NoWay> {
    let proxied = if asker.settings.proxied { "true" } else { "false" };
    let asset = |name: &str| Ask::get(&["spectroclusters", uid, "assets", name]);
    for ask in [asset("kubeconfig").with("frp", proxied), asset("kubeconfigclient"), asset("adminKubeconfig")]
    {
        if let Some(upstream) = upstream(asker, access, place, ask).await? {
            return Ok(upstream.server);
        }
    }
    let message = "Palette has no kubeconfig of it, or not for the credential that is used".to_owned();
    Err(NoWay::NoWay { message, retryable: false })
}

/// A kubeconfig of Palette's, taken apart; nothing where there is none, or not for us.
pub(super) async fn upstream(
    asker: &Asker,
    access: &Access,
    place: &Place,
    ask: Ask,
) -> Result<Option<Upstream>, NoWay> {
    let local = is_loopback(&asker.environment.settings().url);
    let bytes = match access.bytes(place, ask).await {
        Ok(bytes) => bytes,
        Err(fault) if fault.is_not_found() || fault.is_forbidden() => return Ok(None),
        Err(fault) => return Err(no_way("Palette does not tell where the cluster is", &fault)),
    };
    let upstream = Upstream::read(&bytes, local).map_err(|why| NoWay::NoWay {
        message: format!("what Palette sent as a kubeconfig of the cluster cannot be used: {why}"),
        retryable: false,
    })?;
    permitted(asker, &upstream.server)?;
    Ok(Some(upstream))
}

/// Credentials go there.
fn permitted(asker: &Asker, server: &Server) -> Result<(), NoWay> {
    let hosts = &asker.settings.hosts;
    let listed = Url::parse(&server.url).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().to_owned();
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        hosts
            .iter()
            .map(|pattern| pattern.to_ascii_lowercase())
            .any(|pattern| matches(&pattern, &host) || matches(&pattern, &with_port))
    });
    match hosts.is_empty() || listed {
        true => Ok(()),
        false => Err(NoWay::NoWay {
            message: "the host of its API server is none of clusterProvider.hosts".to_owned(),
            retryable: false,
        }),
    }
}
