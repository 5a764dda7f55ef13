//! TLS, with a certificate that is read again when its files change.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The certificate of the server and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the server's certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// A certificate that is no good.
#[derive(Debug, thiserror::Error)]
pub enum TlsProblem {
    /// A file that cannot be read.
    #[error("{}: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        error: std::io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{} holds no {wanted} in PEM", file.display())]
    NotPem {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// The two do not fit, or the key is of a kind that is not known.
    #[error("{} and {} cannot be served: {error}", certificate.display(), key.display())]
    Unfit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        #[source]
        error: rustls::Error,
    },
}

/// What the files hold.
#[derive(PartialEq, Eq)]
struct Held {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl TlsFiles {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) async fn load(&self) -> Result<Tls, TlsProblem> {
        let held = self.read().await?;
        let config = RustlsConfig::from_config(self.config(&held)?);
        Ok(Tls { files: self.clone(), held, config })
    }

    /// Whether they could be served.
    ///
    /// # Errors
    /// What is wrong with them.
    pub async fn check(&self) -> Result<(), TlsProblem> {
        self.load().await.map(drop)
    }

    async fn read(&self) -> Result<Held, TlsProblem> {
        let read = |path: &PathBuf| {
            let path = path.clone();
            async move {
                tokio::fs::read(&path)
                    .await
                    .map_err(|error| TlsProblem::Unreadable { file: path.clone(), error })
            }
        };
        Ok(Held { certificate: read(&self.certificate).await?, key: read(&self.key).await? })
    }

    fn config(&self, held: &Held) -> Result<Arc<ServerConfig>, TlsProblem> {
        let (certificate, key) = (self.certificate.clone(), self.key.clone());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&held.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsProblem::NotPem { file: certificate.clone(), wanted: "certificate" })?;
        if chain.is_empty() {
            return Err(TlsProblem::NotPem { file: certificate, wanted: "certificate" });
        }
        let private = PrivateKeyDer::from_pem_slice(&held.key)
            .map_err(|_| TlsProblem::NotPem { file: key.clone(), wanted: "private key" })?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, private));
        let mut config = config.map_err(|error| TlsProblem::Unfit { certificate, key, error })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// TLS as it is served now.
pub(super) struct Tls {
    files: TlsFiles,
    held: Held,
    config: RustlsConfig,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// What is served: it changes with the files.
    pub(super) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Looks at the files for ever. Bad new ones are kept out; the old ones go on.
    pub(super) async fn follow(mut self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            // a file that is away for a moment is being replaced
            let Ok(held) = self.files.read().await else { continue };
            if held == self.held {
                continue;
            }
            match self.files.config(&held) {
                Ok(config) => {
                    self.config.reload_from_config(config);
                    tracing::info!("the TLS certificate was replaced");
                }
                Err(problem) => {
                    tracing::error!("the new TLS certificate is kept out, the old one goes on: {problem}");
                }
            }
            self.held = held;
        }
    }
}
