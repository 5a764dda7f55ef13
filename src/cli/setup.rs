//! From the global flags to a toolbox and a caller: the same for every command.

use std::{path::PathBuf, sync::Arc};

use super::{Failure, Global, login, out};
use crate::{
    caller::{
        Caller, Callers, Credential, TOKEN_VARIABLE,
        login::{LoginSettings, Session, Store},
    },
    config::{Built, Config, FILE_VARIABLE, clusters::Sources, server::AuditTo, spectrocloud::Spectrocloud},
    demo::Sample,
    door::Who,
    toolbox::Toolbox,
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

    /// The token of whoever runs the command, if one was given. A variable that is empty gives none.
    pub(super) fn credential(&self) -> Result<Option<Credential>, Failure> {
        let variable = std::env::var_os(TOKEN_VARIABLE).filter(|token| !token.is_empty());
        match (&self.token_file, variable) {
            (Some(_), Some(_)) => Err(Failure::usage(format!(
                "--token-file and {TOKEN_VARIABLE} are both given, and only one of them can be meant"
            ))),
            (Some(file), None) => Ok(Some(Credential::file(file.clone()))),
            (None, Some(token)) => match token.into_string() {
                Ok(token) => Ok(Some(Credential::variable(token.trim().to_owned().into()))),
                Err(_) => Err(Failure::usage(format!("{TOKEN_VARIABLE} holds no token: it is not text"))),
            },
            (None, None) => Ok(None),
        }
    }

    /// Says what does not hold over the sample platform, which knows the local user alone.
    pub(super) fn before_sample(&self, config: &Config) -> Result<(), Failure> {
        let file = self.token_file.as_ref().map(|_| "--token-file");
        if let Some(given) = file.or(self.sign_in.as_ref().map(|_| "--sign-in")) {
            return Err(Failure::usage(format!(
                "{given} is of no use here: the sample platform is served to the local user; leave it out"
            )));
        }
        let token = std::env::var_os(TOKEN_VARIABLE).is_some_and(|token| !token.is_empty());
        let issuers = (!config.issuers.is_empty()).then_some("the issuers of the configuration");
        let backstage = config.backstage.is_some().then_some("the Backstage of the configuration");
        let token = token.then(|| format!("the token in {TOKEN_VARIABLE}"));
        let left_out: Vec<&str> = issuers.into_iter().chain(backstage).chain(token.as_deref()).collect();
        if !left_out.is_empty() {
            out::error_line(&format!(
                "the sample platform is served to the local user; left out: {}",
                left_out.join(", ")
            ));
        }
        Ok(())
    }
}

/// What a command runs over that asks the toolbox once and ends.
pub(super) struct Opened {
    pub(super) toolbox: Arc<Toolbox>,
    /// Who runs it.
    pub(super) caller: Arc<Caller>,
    /// Lives as long as it is asked.
    _sample: Option<Sample>,
}

impl Opened {
    /// With what is configured, or over the sample platform.
    pub(super) async fn new(global: &Global, mut config: Config, demo: bool) -> Result<Self, Failure> {
        let sample = match demo {
            true => Some(Sample::start().await.map_err(|error| Failure::failed(error.to_string()))?),
            false => None,
        };
        if let Some(sample) = &sample {
            global.before_sample(&config)?;
            config = config.over_sample(sample);
        }
        let logins = config.logins();
        let built = config.build()?;
        warn(&built);
        let caller = match sample {
            Some(_) => local(&built.callers)?,
            None => caller(global, &built.callers, &logins).await?,
        };
        Ok(Self { toolbox: built.toolbox, caller, _sample: sample })
    }
}

impl Config {
    /// Over the sample platform and nothing else. For the local user.
    pub(super) fn over_sample(mut self, sample: &Sample) -> Self {
        let (url, key) = sample.palette();
        self.clusters = Sources::sample(sample.kubernetes());
        self.spectrocloud = Spectrocloud::sample(url, key);
        self.issuers.clear();
        self.backstage = None;
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
    local_or(callers, "give it in")
}

/// The local user, or else what gets a token.
fn local_or(callers: &Callers, next: &str) -> Result<Arc<Caller>, Failure> {
    let none = || {
        Failure::usage(format!(
            "issuers are configured, so a caller needs a token: {next} {TOKEN_VARIABLE} or --token-file. \
             Or let the local user in with --role NAME or local.role"
        ))
    };
    callers.local().map(Arc::clone).ok_or_else(none)
}

/// Whom the process serves over stdio: the owner of a token if one was given, else whoever is signed in, else the
/// local user. `--role` asks for the local user.
pub(super) fn owner(global: &Global, callers: &Callers, logins: &[LoginSettings]) -> Result<Who, Failure> {
    let Some(credential) = global.credential()? else {
        if let Some(session) = signed_in(global, logins)? {
            return Ok(Who::Owner(Arc::new(Credential::login(Arc::new(session)))));
        }
        let next =
            if logins.is_empty() { "give it in" } else { "sign in with `platform-mcp login`, or give it in" };
        local_or(callers, next)?;
        return Ok(Who::Local);
    };
    if global.sign_in.is_some() {
        return Err(Failure::usage(format!(
            "--sign-in and a token ({TOKEN_VARIABLE} or --token-file) are both given, and only one of them can be \
             meant"
        )));
    }
    if !callers.need_token() {
        return Err(Failure::usage(format!(
            "a token is given ({TOKEN_VARIABLE} or --token-file), and no issuer is configured that could have \
             issued it: add issuers to the configuration, or leave the token out"
        )));
    }
    if global.role.is_some() {
        return Err(Failure::usage(format!(
            "--role is for the local user, and a token is given ({TOKEN_VARIABLE} or --token-file): only one of \
             them can be meant"
        )));
    }
    Ok(Who::Owner(Arc::new(credential)))
}

/// The same, to call a tool at once.
pub(super) async fn caller(
    global: &Global,
    callers: &Callers,
    logins: &[LoginSettings],
) -> Result<Arc<Caller>, Failure> {
    match owner(global, callers, logins)? {
        Who::Owner(credential) => {
            let caller = credential.caller(callers).await;
            caller.map_err(|unusable| Failure::failed(unusable.error.text()))
        }
        _ => local(callers),
    }
}

/// The sign-in that the process runs with, where there is one.
fn signed_in(global: &Global, logins: &[LoginSettings]) -> Result<Option<Session>, Failure> {
    let failed = |error: crate::caller::login::SignInError| Failure::usage(error.to_string());
    match (&global.sign_in, &global.role) {
        (Some(_), Some(_)) => Err(Failure::usage(
            "--role is for the local user, and --sign-in for somebody else: only one of them can be meant",
        )),
        (None, Some(_)) => Ok(None),
        (Some(written), None) => {
            Session::new(login::named(logins, written)?.clone()).map(Some).map_err(failed)
        }
        (None, None) => {
            let is_there = |login: &&LoginSettings| Store::of(login).is_ok_and(|store| store.is_there());
            let there: Vec<&LoginSettings> = logins.iter().filter(is_there).collect();
            match there.as_slice() {
                [] => Ok(None),
                [login] => Session::new((*login).clone()).map(Some).map_err(failed),
                several => {
                    let names: Vec<&str> = several.iter().map(|login| login.name()).collect();
                    let next = "say as whom with --sign-in ISSUER";
                    Err(Failure::usage(format!("you are signed in at {}; {next}", names.join(" and "))))
                }
            }
        }
    }
}
