//! From a configuration to what commands work with. Connects to nothing.

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use secrecy::ExposeSecret as _;

use super::{Config, issuers::Issuer, server::AuditTo};
use crate::{
    answer::seal::Seal,
    audit::Audit,
    backstage::Plugin,
    caller::{
        Caller, Callers,
        backstage::Backstage,
        local,
        login::LoginSettings,
        oidc::{IssuerSettings, Issuers},
    },
    door::Terms,
    kubernetes::Registry,
    palette::Environments,
    permission::{Policy, PolicyProblem, RoleProblem, Roles},
    telemetry::{OtlpProblem, Spans},
    toolbox::{ContractProblem, Offer, Parts, Process, Toolbox},
};

/// What a configuration makes.
#[derive(Debug)]
pub struct Built {
    /// The tools, over the clusters.
    pub toolbox: Arc<Toolbox>,
    /// Who may call.
    pub callers: Callers,
    /// On which terms over HTTP.
    pub terms: Terms,
    /// What is broken and was left out, a line each.
    pub problems: Vec<String>,
}

/// What was made of the configuration before, and is kept where nothing about it changed.
#[derive(Clone, Copy, Debug)]
pub struct Before<'b> {
    /// The tools: with the connections to clusters, and what the process has once.
    pub toolbox: &'b Toolbox,
    /// The callers: with the keys of issuers.
    pub callers: &'b Callers,
}

/// Why nothing can be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildProblem {
    /// A role that does not make sense: who may do what would be unclear.
    #[error("{0}")]
    Role(#[from] RoleProblem),
    /// Rules that do not make sense, of the issuer at that place.
    #[error("issuers[{0}].{1}")]
    Policy(usize, PolicyProblem),
    /// The same of Backstage's users or plugins.
    #[error("backstage.{0}")]
    BackstagePolicy(PolicyProblem),
    /// No audit line may be lost, so there is no serving without the log.
    #[error("the audit log cannot be written: {0}")]
    Audit(#[from] io::Error),
    /// The system's cryptography does not work.
    #[error("no key to seal cursors with could be made")]
    Seal(#[from] aws_lc_rs::error::Unspecified),
    /// Spans cannot be exported.
    #[error("traces: {0}")]
    Traces(#[from] OtlpProblem),
    /// A defect: a contract file that is not valid.
    #[error("{0}")]
    Contract(#[from] ContractProblem),
}

impl Config {
    /// Assembles everything that calls share, and the callers. Nothing is connected to.
    ///
    /// # Errors
    /// What must be mended first. What is only broken in part is in [`Built::problems`].
    pub fn build(&self) -> Result<Built, BuildProblem> {
        self.make(None)
    }

    /// The same in place of what is served. Clusters that are configured as before keep their connections,
    /// and issuers their keys.
    ///
    /// # Errors
    /// As [`Self::build`]; nothing has changed then.
    pub fn rebuild(&self, before: Before<'_>) -> Result<Built, BuildProblem> {
        self.make(Some(before))
    }

    fn make(&self, before: Option<Before<'_>>) -> Result<Built, BuildProblem> {
        let callers = self.callers(before.map(|before| before.callers.issuers()))?;
        let process = match before {
            Some(before) => Arc::clone(before.toolbox.process()),
            None => Arc::new(Process::new(self.seal()?, self.open_audit()?, self.spans()?)),
        };
        let backstage =
            self.known_backstage(&process, before.and_then(|before| before.callers.backstage()))?;
        let callers = callers.with_backstage(backstage);
        let callers = callers.with_reader(self.entities.reader(|path| self.resolved(path)));
        let own = callers.backstage().map(|backstage| (backstage.backend(), backstage.plugin()));
        let environments = Environments::new(
            self.spectrocloud.environments(|path| self.resolved(path)),
            before.map(|before| &**before.toolbox.environments()),
        );
        let mut sources = self.clusters.all(|path| self.resolved(path), own);
        sources.extend(self.spectrocloud.sources(&environments));
        let registry = Arc::new(Registry::new(
            sources,
            self.clusters.default.clone(),
            before.map(|before| &**before.toolbox.registry()),
            process.measure().known().clone(),
        ));
        let problems = registry.problems();
        let toolbox = Toolbox::new(Parts {
            registry,
            environments: Arc::new(environments),
            catalog: Arc::new(self.entities.settings(&self.spectrocloud)),
            process,
            limits: self.limits.limits(),
            offer: self.offer(),
        })?;
        Ok(Built { toolbox, callers, terms: self.http.terms(&self.limits, &self.issuers), problems })
    }

    /// Tools for Palette are offered where there is an environment, or the contract is to be shown.
    fn offer(&self) -> Offer {
        let mut offer = self.tools.offer();
        if self.spectrocloud.is_off() && !self.whole_contract {
            offer.without.push("palette".to_owned());
        }
        offer
    }

    /// The local user.
    ///
    /// # Errors
    /// A role that does not exist or does not make sense: any of those configured, also one that
    /// nobody has yet.
    pub fn caller(&self) -> Result<Arc<Caller>, RoleProblem> {
        let roles = Roles::new(self.roles.clone());
        for name in self.roles.keys() {
            roles.bind(std::slice::from_ref(name), &self.local.within, "roles")?;
        }
        Ok(Arc::new(local::caller(&roles, &self.local.roles(), &self.local.within)?))
    }

    /// How people sign in at the issuers, where they do.
    pub fn logins(&self) -> Vec<LoginSettings> {
        let audience = self.http.url.as_deref();
        self.issuers.iter().filter_map(|issuer| issuer.login(|path| self.resolved(path), audience)).collect()
    }

    /// An issuer as its verifier knows it, where it is configured.
    pub fn issuer(&self, url: &str) -> Option<IssuerSettings> {
        let known = self.issuers.iter().find(|issuer| issuer.url == url)?;
        Some(known.settings(|path| self.resolved(path), self.http.url.as_deref()))
    }

    /// An issuer as its verifier would know it, of which nothing but its name is known.
    ///
    /// # Errors
    /// It is no name of an issuer.
    pub fn unknown_issuer(url: &str) -> Result<IssuerSettings, String> {
        let issuer = Issuer::named(url)?;
        Ok(issuer.settings(Path::to_path_buf, None))
    }

    fn callers(&self, before: Option<&Issuers>) -> Result<Callers, BuildProblem> {
        let local = self.caller()?;
        let open = self.issuers.is_empty() && self.backstage.is_none();
        let local = (open || self.local.is_configured()).then_some(local);
        let roles = Roles::new(self.roles.clone());
        let audience = self.http.url.as_deref();
        let settings =
            self.issuers.iter().map(|issuer| issuer.settings(|path| self.resolved(path), audience)).collect();
        let mut policies = BTreeMap::new();
        for (index, issuer) in self.issuers.iter().enumerate() {
            let claim = issuer.permissions_claim.as_deref();
            let policy = Policy::new(&issuer.url, &roles, &issuer.rules, claim, &issuer.scopes)
                .map_err(|problem| BuildProblem::Policy(index, problem))?;
            policies.insert(issuer.url.clone(), policy);
        }
        Ok(Callers::new(local, Issuers::new(settings, before), policies, self.identity))
    }

    fn known_backstage(
        &self,
        process: &Process,
        before: Option<&Backstage>,
    ) -> Result<Option<Backstage>, BuildProblem> {
        let Some((configured, backend)) = self
            .backstage
            .as_ref()
            .and_then(|configured| Some((configured, configured.backend(|path| self.resolved(path))?)))
        else {
            return Ok(None);
        };
        let roles = Roles::new(self.roles.clone());
        let settings = configured.settings(backend, &roles).map_err(BuildProblem::BackstagePolicy)?;
        let plugin = Arc::new(Plugin::new(configured.plugin_id(), process.plugin_secret()?));
        Ok(Some(Backstage::new(settings, plugin, self.identity, before)))
    }

    fn spans(&self) -> Result<Spans, OtlpProblem> {
        let otlp = self.traces.otlp(|path| self.resolved(path));
        otlp.map_or_else(|| Ok(Spans::default()), |otlp| Spans::otlp(&otlp))
    }

    fn seal(&self) -> Result<Seal, aws_lc_rs::error::Unspecified> {
        match &self.seal_key {
            Some(key) => Seal::from_secret(key.expose_secret().as_bytes()),
            None => Seal::random(),
        }
    }

    fn open_audit(&self) -> io::Result<Audit> {
        match &self.audit.to {
            None | Some(AuditTo::Stderr) => Audit::stderr(),
            Some(AuditTo::Off) => Ok(Audit::off()),
            Some(AuditTo::File(path)) => {
                let path = self.resolved(path);
                Audit::file(&path)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
            }
        }
    }
}
