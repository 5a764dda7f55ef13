//! [`Client`]: at which issuer, and as which client of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use reqwest::Url;

use super::Failure;
use crate::{
    caller::login::{LoginSettings, Session, SignInError, Store},
    config::Config,
};

/// At which issuer, and as which client of it.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Client {
    /// The issuer, or its host; otherwise the only one of the configuration that has `login`.
    issuer: Option<String>,
    /// The client there, where the issuer has no `login` in the configuration: a public one, for native apps.
    #[arg(long, value_name = "ID", requires = "issuer")]
    client_id: Option<String>,
    /// With --client-id: a scope to ask for beside openid; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE", requires = "client_id")]
    scopes: Vec<String>,
    /// With --client-id: the certificate authority of the issuer, PEM in base64.
    #[arg(long, value_name = "BASE64", requires = "client_id")]
    certificate_authority_data: Option<String>,
}

impl Client {
    /// What is kept of it, or will be.
    pub(in crate::cli) fn session(&self, config: &Config) -> Result<Session, Failure> {
        let failed = |error: SignInError| Failure::usage(error.to_string());
        Session::new(self.settings(config)?).map_err(failed)
    }

    /// The client of the cluster, where it is named apart from the configuration.
    pub(in crate::cli) fn id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// What signs in there, to be typed.
    pub(in crate::cli) fn command(&self, login: &LoginSettings) -> String {
        let mut command = format!("platform-mcp login {}", login.name());
        if let Some(client_id) = &self.client_id {
            let scopes = self.scopes.iter().map(|scope| format!(" --scope {scope}"));
            command.push_str(&format!(" --client-id {client_id}{}", scopes.collect::<String>()));
        }
        if let Some(encoded) = &self.certificate_authority_data {
            command.push_str(&format!(" --certificate-authority-data {encoded}"));
        }
        command
    }

    fn settings(&self, config: &Config) -> Result<LoginSettings, Failure> {
        let logins = config.logins();
        let (issuer, client_id) = match (&self.issuer, &self.client_id) {
            (Some(issuer), Some(client_id)) => (issuer, client_id),
            (Some(issuer), None) => {
                return match (named(&logins, issuer), config.issuer(issuer)) {
                    (Err(_), Some(_)) => Err(Failure::usage(format!(
                        "{issuer} has no `login` in the configuration: add login: {{clientId: …}} to it, or give \
                         --client-id"
                    ))),
                    (found, _) => found.cloned(),
                };
            }
            _ => return only(logins),
        };
        let is_it = |login: &&LoginSettings| login.name() == issuer && login.client_id == *client_id;
        if let Some(login) = logins.iter().find(is_it) {
            return Ok(login.clone());
        }
        if let Some(known) = config.issuer(issuer) {
            return Ok(LoginSettings::public(known, client_id.clone(), self.scopes.clone()));
        }
        let wrong = |why: String| Failure::usage(format!("{issuer:?} is no issuer: it {why}"));
        let unknown = Config::unknown_issuer(issuer).map_err(wrong)?;
        let mut login = LoginSettings::public(unknown, client_id.clone(), self.scopes.clone());
        if let Some(encoded) = &self.certificate_authority_data {
            login.issuer.ca_file = Some(authority(&login, encoded)?);
        }
        Ok(login)
    }
}

/// The authority, as a file.
fn authority(login: &LoginSettings, encoded: &str) -> Result<std::path::PathBuf, Failure> {
    let none = || Failure::usage("--certificate-authority-data is no certificate: it must be PEM in base64");
    let pem =
        STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(none)?;
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err(none());
    }
    let failed = |error: SignInError| Failure::failed(error.to_string());
    Store::of(login).and_then(|store| store.beside("crt", &pem)).map_err(failed)
}

/// The one that is called so: by its URL, or by its host where no other has it.
pub(in crate::cli) fn named<'l>(
    logins: &'l [LoginSettings],
    written: &str,
) -> Result<&'l LoginSettings, Failure> {
    if let Some(login) = logins.iter().find(|login| login.name() == written) {
        return Ok(login);
    }
    let host =
        |login: &&LoginSettings| Url::parse(login.name()).is_ok_and(|url| url.host_str() == Some(written));
    let hosts: Vec<&LoginSettings> = logins.iter().filter(host).collect();
    match hosts.as_slice() {
        [login] => Ok(login),
        _ => Err(Failure::usage(format!(
            "{written:?} is none of the issuers that have `login` in the configuration{}; for another one, give \
             --client-id too",
            choices(logins)
        ))),
    }
}

fn only(mut logins: Vec<LoginSettings>) -> Result<LoginSettings, Failure> {
    match (logins.pop(), logins.is_empty()) {
        (Some(login), true) => Ok(login),
        (None, _) => Err(Failure::usage(
            "no issuer of the configuration has `login`: add login: {clientId: …} to one of them, or name ISSUER \
             and --client-id",
        )),
        (Some(last), false) => {
            logins.push(last);
            Err(Failure::usage(format!("say at which issuer{}", choices(&logins))))
        }
    }
}

fn choices(logins: &[LoginSettings]) -> String {
    let names: Vec<&str> = logins.iter().map(LoginSettings::name).collect();
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}
