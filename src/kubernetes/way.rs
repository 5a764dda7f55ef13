//! [`Way`]: how an API server is reached that somebody else knows, and for how long that is good.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use kube::{
    Config,
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};

use super::{
    fault::Fault,
    sources::{whole_chain, written::one},
};

/// What a way is called in a kubeconfig that nobody sees.
const NAME: &str = "way";

/// How an API server is reached.
#[derive(Clone, Debug)]
pub struct Way {
    /// Where it is, and what the server shows it of itself.
    pub config: Config,
    /// For how long that is good; nothing: as long as it is configured.
    pub lease: Option<Lease>,
}

/// For how long a way is good that can be had anew. It is had anew, too, where the API server does not take the
/// credential, is not reached, or is not known by its authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Until then; nothing: as long as it works.
    pub until: Option<Timestamp>,
}

impl Way {
    /// To an API server that is known by `authorities` (PEM; the system's where empty), with a credential.
    ///
    /// # Errors
    /// [`Fault::Configuration`]: the parts do not make a client.
    pub async fn to(url: &str, authorities: &str, user: AuthInfo, lease: Lease) -> Result<Self, Fault> {
        let cluster = kube::config::Cluster {
            server: Some(url.to_owned()),
            certificate_authority_data: (!authorities.is_empty()).then(|| STANDARD.encode(authorities)),
            ..kube::config::Cluster::default()
        };
        let kubeconfig = Arc::unwrap_or_clone(one(NAME, cluster, user, None));
        Self::of(kubeconfig).await.map(|config| Self { config, lease: Some(lease) })
    }

    async fn of(kubeconfig: Kubeconfig) -> Result<Config, Fault> {
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(|error| Fault::Configuration(whole_chain(&error)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::SignedDuration;

    use super::{
        super::cluster::{Cluster, Source},
        *,
    };

    /// A cluster, and how often the way to it was asked for.
    fn cluster(life: Option<SignedDuration>) -> (Cluster, Arc<AtomicUsize>) {
        let asked = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&asked);
        let connect = move || {
            count.fetch_add(1, Ordering::Relaxed);
            let lease = Lease { until: life.map(|life| Timestamp::now() + life) };
            async move { Way::to("https://127.0.0.1:1", "", AuthInfo::default(), lease).await }
        };
        (Cluster::leased("a", Source::Palette, "default", connect), asked)
    }

    #[tokio::test]
    async fn a_way_is_had_anew_a_little_before_it_ends_and_not_sooner() {
        for (life, times) in
            [(None, 1), (Some(SignedDuration::from_mins(10)), 1), (Some(SignedDuration::from_secs(9)), 3)]
        {
            let (cluster, asked) = cluster(life);
            for _ in 0..3 {
                assert!(cluster.connected().await.is_ok());
            }
            assert_eq!(asked.load(Ordering::Relaxed), times, "{life:?}");
            assert!(cluster.bare().await.is_ok() && cluster.bare().await.is_ok());
        }
    }
}
