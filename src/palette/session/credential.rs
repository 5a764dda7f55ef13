//! [`Acting`]: whose credential a request carries.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};

use super::super::fault::Fault;
use crate::answer::redact::Learned;

/// Where an API key goes; in `Authorization` it is refused (reference 6.1).
const KEY: HeaderName = HeaderName::from_static("apikey");

/// Whose credential a request carries.
#[derive(Clone, Debug)]
pub enum Acting {
    /// The server's own API key.
    Key(SecretString),
    /// The token that the caller sent for this environment.
    Caller(Shown),
    /// None can be had; why.
    Nobody(String),
    /// None is shown: to see whether anything answers.
    Anonymous,
}

/// A token that a caller brought, and whose it is.
#[derive(Clone, Debug)]
pub struct Shown {
    pub(in crate::palette) token: SecretString,
    /// A digest of the caller and the token: nobody else gets what was answered to it.
    pub(in crate::palette) owner: [u8; 32],
}

impl Acting {
    /// Adds it to a request.
    pub(super) fn show(&self, headers: &mut HeaderMap) -> Result<(), Fault> {
        let (name, secret) = match self {
            Self::Key(key) => (KEY, key),
            Self::Caller(shown) => (header::AUTHORIZATION, &shown.token),
            Self::Nobody(why) => return Err(Fault::Unfit(why.clone())),
            Self::Anonymous => return Ok(()),
        };
        let unfit = |_| Fault::Unfit("the credential holds what no HTTP header carries".to_owned());
        let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }

    /// Has a call take it out of whatever an upstream echoes.
    pub(in crate::palette) fn teach(&self, learned: &Learned) {
        match self {
            Self::Key(key) => learned.hold(key.expose_secret()),
            Self::Caller(shown) => learned.hold(shown.token.expose_secret()),
            Self::Nobody(_) | Self::Anonymous => {}
        }
    }

    /// Whether it is the caller's.
    pub(super) fn is_callers(&self) -> bool {
        matches!(self, Self::Caller(_))
    }

    /// What tells it from others of the same environment, whose only key needs no telling.
    pub(in crate::palette) fn owner(&self) -> &[u8] {
        match self {
            Self::Key(_) => b"key",
            Self::Caller(shown) => &shown.owner,
            Self::Nobody(_) | Self::Anonymous => b"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_a_token_have_each_a_header_of_their_own() {
        let shown = Shown { token: "planted-token".to_owned().into(), owner: [7; 32] };
        for (acting, name, value) in [
            (Acting::Key("planted-key".to_owned().into()), "apikey", "planted-key"),
            (Acting::Caller(shown), "authorization", "planted-token"),
        ] {
            let mut headers = HeaderMap::new();
            acting.show(&mut headers).expect("it is shown");
            assert_eq!(headers.len(), 1);
            assert_eq!(headers[name], value);
            assert!(!format!("{headers:?} {acting:?}").contains("planted"));
            let learned = Learned::default();
            acting.teach(&learned);
            assert_eq!(learned.scrub(&format!("echo {value}!")), "echo <redacted>!");
        }
        let mut headers = HeaderMap::new();
        let nobody = Acting::Nobody("none came".to_owned()).show(&mut headers);
        assert!(matches!(nobody, Err(Fault::Unfit(_))) && headers.is_empty());
    }
}
