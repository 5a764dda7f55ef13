//! [`Sample`]: all that the demo serves: a Kubernetes cluster, and the Palette tenant that it is part of.

use std::io;

use secrecy::SecretString;

use super::{Api, Running, palette};

/// The sample platform while it is served; dropping it stops it.
#[derive(Debug)]
pub struct Sample {
    kubernetes: Running,
    palette: palette::Running,
    key: SecretString,
}

impl Sample {
    /// Serves both on free loopback ports.
    ///
    /// # Errors
    /// No port can be had, or what was recorded cannot be read.
    pub async fn start() -> io::Result<Self> {
        let kubernetes = Api::start().await?;
        let palette = palette::Simulator::start().await?;
        let endpoint = kubernetes.address;
        let key = "sample-api-key";
        palette.add(palette::Tenant::sample(key, Some((&endpoint.ip().to_string(), endpoint.port())))?);
        Ok(Self { kubernetes, palette, key: key.into() })
    }

    /// Where the Kubernetes API is.
    pub fn kubernetes(&self) -> String {
        self.kubernetes.url()
    }

    /// Where Palette is, and an API key of its tenant.
    pub fn palette(&self) -> (String, SecretString) {
        (self.palette.url(), self.key.clone())
    }
}
