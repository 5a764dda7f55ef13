//! [`Credential`]: the token of whoever started the process, for stdio and the shell. Whoever reads what is
//! said here owns the token, so it is said plainly, as it never is over HTTP.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncReadExt as _, time::timeout};

use super::{
    Caller, Callers, Refusal, Token,
    login::{Session, SignInError},
    oidc,
};
use crate::{Error, ErrorKind};

/// The environment variable that holds a token.
pub const TOKEN_VARIABLE: &str = "PLATFORM_MCP_TOKEN";

/// What a token file may hold, in bytes.
const LONGEST: u64 = 64 << 10;
/// How long a file may take to be read.
const READING: Duration = Duration::from_secs(5);
/// How long it may take to find out whose a token is; the issuer may have to be asked for its keys.
pub(crate) const VERIFYING: Duration = Duration::from_secs(15);
/// How long a program that replaces the token may leave the file empty.
const REPLACING: Duration = Duration::from_millis(100);

/// Where the token of whoever started the process comes from.
#[derive(Debug)]
pub struct Credential {
    place: Place,
    /// The last token that was taken, by what may be said of it.
    taken: Mutex<Option<Token>>,
}

#[derive(Debug)]
enum Place {
    Variable(SecretString),
    File(PathBuf),
    Login(Arc<Session>),
}

/// Why there is no caller.
#[derive(Clone, Debug)]
pub struct Unusable {
    /// A word for the audit log.
    pub reason: &'static str,
    /// What the audit log may say of the token, where there was one.
    pub token: Option<String>,
    /// What the owner is told.
    pub error: Error,
}

impl Credential {
    /// The token that [`TOKEN_VARIABLE`] held when the process began.
    pub fn variable(token: SecretString) -> Self {
        Self { place: Place::Variable(token), taken: Mutex::default() }
    }

    /// The token in a file, read at each use.
    pub fn file(path: PathBuf) -> Self {
        Self { place: Place::File(path), taken: Mutex::default() }
    }

    /// The token of a sign-in, read at each use and renewed before it ends.
    pub fn login(session: Arc<Session>) -> Self {
        Self { place: Place::Login(session), taken: Mutex::default() }
    }

    /// Its owner, by the rules that hold now.
    ///
    /// # Errors
    /// That there is no token, or that it is not taken, and what to do. There is no other caller then.
    pub async fn caller(&self, callers: &Callers) -> Result<Arc<Caller>, Unusable> {
        let token = match timeout(VERIFYING, self.token()).await {
            Ok(token) => token?,
            Err(_elapsed) => return Err(outage("unavailable", "its issuer does not answer")),
        };
        if has_scheme(token.expose_secret()) {
            return Err(self.with_scheme());
        }
        match timeout(VERIFYING, callers.token(token.expose_secret())).await {
            Ok(Ok(caller)) => {
                *self.taken.lock() = caller.token().cloned();
                Ok(caller)
            }
            Err(_elapsed) => Err(outage("unavailable", "its issuer does not answer")),
            Ok(Err(refusal)) => {
                let named = oidc::named(token.expose_secret().as_bytes());
                Err(Unusable { token: Some(named.clone()), ..self.refused(&refusal, &named) })
            }
        }
    }

    async fn token(&self) -> Result<SecretString, Unusable> {
        match &self.place {
            Place::Variable(token) => Ok(token.clone()),
            Place::Login(session) => {
                let held = session.token(session.settings().shown).await;
                held.map(|held| held.token).map_err(|error| unsigned(session, &error))
            }
            Place::File(path) => match read(path).await {
                Ok(Some(token)) => Ok(token),
                Ok(None) => {
                    Err(self.unusable("empty", format!("the token file {} is empty", path.display())))
                }
                Err(why) => {
                    let what = format!("the token file {} cannot be read: {why}", path.display());
                    Err(self.unusable("unreadable", what))
                }
            },
        }
    }

    fn refused(&self, refusal: &Refusal, named: &str) -> Unusable {
        match refusal {
            Refusal::Unavailable { .. } => outage(refusal.reason(), &refusal.to_string()),
            Refusal::Expired => {
                // when another one ended is of no use
                let taken = self.taken.lock().clone().filter(|taken| taken.hash == named);
                let at = taken.map_or(String::new(), |taken| format!(" at {}", taken.expires));
                self.unusable(refusal.reason(), format!("your token has expired{at}"))
            }
            Refusal::Audience | Refusal::Issuer | Refusal::Type | Refusal::Kind(_) => {
                let file = match &self.place {
                    Place::File(path) => path.display().to_string(),
                    Place::Variable(_) => "FILE".to_owned(),
                    Place::Login(_) => {
                        let what = format!("the token of your sign-in is not taken: {refusal}");
                        let next = "mend login.token, login.resource or login.scopes of the issuer, or what it \
                                    takes (audiences, tokens, types); then sign in again: `platform-mcp login`";
                        return unusable(refusal.reason(), what, next.to_owned());
                    }
                };
                let next = format!(
                    "it is not a token for this server, so another like it will not do: \
                     `platform-mcp check --as {file}` explains it"
                );
                unusable(refusal.reason(), format!("your token is not taken: {refusal}"), next)
            }
            _ => self.unusable(refusal.reason(), format!("your token is not taken: {refusal}")),
        }
    }

    fn with_scheme(&self) -> Unusable {
        let place = match &self.place {
            Place::Variable(_) => TOKEN_VARIABLE.to_owned(),
            Place::File(path) => path.display().to_string(),
            Place::Login(_) => "the sign-in".to_owned(),
        };
        let what = "your token begins with \"Bearer\", which is no part of it".to_owned();
        unusable("malformed", what, format!("leave out Bearer: {place} holds the token alone"))
    }

    fn unusable(&self, reason: &'static str, what: String) -> Unusable {
        let next = match &self.place {
            Place::Variable(_) => {
                format!("get a new token and start the server again with it in {TOKEN_VARIABLE}")
            }
            Place::File(path) => format!("get a new token and write it to {}", path.display()),
            Place::Login(session) => sign_in(session),
        };
        unusable(reason, what, next)
    }
}

fn unusable(reason: &'static str, what: String, next: String) -> Unusable {
    Unusable { reason, token: None, error: Error::new(ErrorKind::Unauthenticated, what).next(next) }
}

/// Whether it begins as a header's value does. White space is in no token.
fn has_scheme(token: &str) -> bool {
    token.split_once(char::is_whitespace).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
}

fn unsigned(session: &Session, error: &SignInError) -> Unusable {
    let next = match error {
        SignInError::Outage { .. } => "try again; your sign-in is kept".to_owned(),
        SignInError::NotSignedIn(_) => format!("sign in with `{}`", login(session)),
        _ => sign_in(session),
    };
    unusable(error.reason(), error.to_string(), next)
}

/// What signs in again.
fn sign_in(session: &Session) -> String {
    format!("sign in again with `{}`", login(session))
}

fn login(session: &Session) -> String {
    format!("platform-mcp login {}", session.settings().name())
}

fn outage(reason: &'static str, why: &str) -> Unusable {
    let error = Error::new(ErrorKind::Unauthenticated, format!("your token cannot be verified: {why}"));
    Unusable { reason, token: None, error: error.next("try again; the token may be good") }
}

/// The token in the file; none where the file stays empty.
async fn read(path: &Path) -> std::io::Result<Option<SecretString>> {
    for again in [false, true] {
        if again {
            tokio::time::sleep(REPLACING).await;
        }
        let text = timeout(READING, whole(path)).await??;
        let token = text.expose_secret().trim();
        if !token.is_empty() {
            return Ok(Some(token.to_owned().into()));
        }
    }
    Ok(None)
}

async fn whole(path: &Path) -> std::io::Result<SecretString> {
    let mut text = String::new();
    tokio::fs::File::open(path).await?.take(LONGEST).read_to_string(&mut text).await?;
    Ok(text.into())
}
