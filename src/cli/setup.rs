//! From the global flags to a toolbox and a caller: the same for every command.

use std::{path::PathBuf, sync::Arc};

use super::{Failure, Global, out};
use crate::{
    caller::{Caller, Callers},
    config::{Built, Config, FILE_VARIABLE, clusters::Sources, server::AuditTo},
};

impl Global {
    /// The configuration file, if there is one. A variable that is empty names none.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let named = || std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        self.config.clone().or_else(named)
    }

    /// The configuration, with what the flags say instead.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let mut config = match self.file() {
            Some(path) => Config::read(&path)?,
            None => Config::default(),
        };
        if let Some(path) = &self.kubeconfig {
            // the flag is meant from where the command runs, not from the file's folder
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            config.clusters.kubeconfig.path = Some(path);
            config.clusters.kubeconfig.enabled = true;
        }
        if let Some(role) = &self.role {
            config.local.role = Some(role.clone());
            config.local.roles.clear();
        }
        Ok(config)
    }
}

impl Config {
    /// Over the sample platform, which listens at `url`, and nothing else. For the local user.
    pub(super) fn over_sample(mut self, url: String) -> Self {
        self.clusters = Sources::sample(url);
        self.issuers.clear();
        self
    }

    /// For a command that needs none.
    pub(super) fn without_clusters(mut self) -> Self {
        self.clusters = Sources::none();
        self
    }

    /// For a command that ends at once: no audit log unless one is configured.
    pub(super) fn for_one_shot(mut self) -> Self {
        self.audit.to.get_or_insert(AuditTo::Off);
        self
    }
}

/// Says what is broken and was left out: in the log of a server.
pub(super) fn log(built: &Built) {
    for problem in &built.problems {
        tracing::warn!("{problem}; what works is served, `platform-mcp check` tells more");
    }
}

/// The same for whoever ran a command.
pub(super) fn warn(built: &Built) {
    for problem in &built.problems {
        out::error_line(&format!("warning: {problem}"));
    }
}

/// The local user, where there is one.
pub(super) fn local(callers: &Callers) -> Result<Arc<Caller>, Failure> {
    let none = || Failure::usage("issuers are configured, so a caller needs a token; or give --role NAME");
    callers.local().map(Arc::clone).ok_or_else(none)
}
