//! Signing in with a browser on another device (RFC 8628).

use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Provider, SignInError, given::Given};
use crate::{answer::sanitise, caller::oidc::place, strict_json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How often is asked where the issuer does not say it, at least, and at most (section 3.2).
const INTERVAL: u64 = 5;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// By how much rarer after being told so (section 3.5), and after the issuer could not be asked.
const SLOWER: Duration = Duration::from_secs(5);
/// For how long at the most.
const MOST: u64 = 30 * 60;

/// Characters of a code that somebody types.
const LONGEST_CODE: usize = 64;

/// A sign-in that waits for somebody on another device. Its `Debug` says nothing of it.
pub struct Device {
    code: SecretString,
    /// What the person types there.
    pub user_code: String,
    /// Where.
    pub place: Url,
    /// Where nothing has to be typed.
    pub complete: Option<Url>,
    interval: Duration,
    until: Instant,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Device")
    }
}

impl Device {
    /// Begins one.
    ///
    /// # Errors
    /// The issuer does not let devices sign in.
    pub async fn begin(provider: &Provider<'_>) -> Result<Self, SignInError> {
        let settings = provider.settings();
        let endpoint = provider.device().ok_or_else(|| {
            let why = "it lets no devices sign in (no device_authorization_endpoint on its own origin)";
            SignInError::Unfit(why.to_owned())
        })?;
        let scopes = provider.scopes();
        let mut form = vec![("scope", scopes.as_str())];
        form.extend(settings.resource.as_deref().map(|resource| ("resource", resource)));
        form.extend(settings.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let body = provider.ask(&endpoint, form, &[]).await.map_err(|failed| failed.error(settings))?;
        Self::read(&body)
    }

    fn read(body: &[u8]) -> Result<Self, SignInError> {
        let unfit = |why: &str| SignInError::Unfit(why.to_owned());
        let members = strict_json::object(body).map_err(unfit)?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let seconds = |name: &str| members.get(name).and_then(Value::as_u64);
        let url = |name: &str| text(name).map(|written| shown(written).ok_or_else(|| unfit(ODD_PLACE)));
        let user_code = text("user_code").ok_or_else(|| unfit("it has no user_code"))?;
        if user_code.chars().count() > LONGEST_CODE || !sanitise::is_readable(user_code) {
            return Err(unfit("its user_code is none that somebody could type"));
        }
        let life = seconds("expires_in").ok_or_else(|| unfit("it does not say when it ends (expires_in)"))?;
        let life = life.min(MOST);
        Ok(Self {
            code: text("device_code").ok_or_else(|| unfit("it has no device_code"))?.to_owned().into(),
            user_code: user_code.to_owned(),
            // Google says it by the other name
            place: url("verification_uri")
                .or_else(|| url("verification_url"))
                .ok_or_else(|| unfit("it has no verification_uri"))??,
            complete: url("verification_uri_complete").transpose()?,
            interval: Duration::from_secs(seconds("interval").unwrap_or(INTERVAL)).clamp(SHORTEST, LONGEST),
            until: Instant::now() + Duration::from_secs(life),
        })
    }

    /// For how long it waits, in minutes.
    pub fn minutes(&self) -> u64 {
        self.until.duration_since(Instant::now()).as_secs().div_ceil(60)
    }

    /// Waits until the person has agreed there.
    ///
    /// # Errors
    /// They did not, or not in time, or the issuer gives what cannot be taken.
    pub async fn answered(self, provider: &Provider<'_>) -> Result<Given, SignInError> {
        let refused = |why: &str| Err(SignInError::Refused(why.to_owned()));
        match timeout_at(self.until, self.polled(provider)).await {
            Ok(answered) => answered,
            Err(_elapsed) => refused("nobody agreed to it in time; sign in again"),
        }
    }

    async fn polled(&self, provider: &Provider<'_>) -> Result<Given, SignInError> {
        let mut interval = self.interval;
        loop {
            sleep(interval).await;
            let form = vec![("grant_type", GRANT), ("device_code", self.code.expose_secret())];
            let failed = match provider.ask(provider.token(), form, &[&self.code]).await {
                Ok(body) => return Given::read(&body),
                Err(failed) => failed,
            };
            match failed.code.as_deref() {
                Some("authorization_pending") => {}
                Some("slow_down") => interval = (interval + SLOWER).min(LONGEST),
                _ if failed.retryable => interval = (interval + SLOWER).min(LONGEST),
                _ => return Err(failed.error(provider.settings())),
            }
        }
    }
}

const ODD_PLACE: &str = "its verification_uri is no https:// URL";

/// A URL that may be shown and opened: nothing in it plays with a terminal or is another scheme.
fn shown(written: &str) -> Option<Url> {
    place::endpoint(written).ok().filter(|_| sanitise::is_readable(written))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(change: impl FnOnce(&mut Value)) -> Result<Device, SignInError> {
        let mut answer = json!({"device_code": "planted", "user_code": "ABCD-EFGH", "expires_in": 600,
            "verification_uri": "https://id.example.com/device", "interval": 0});
        change(&mut answer);
        Device::read(answer.to_string().as_bytes())
    }

    #[tokio::test]
    async fn what_is_shown_is_fit_to_be_shown() {
        let device = read(|_| ()).expect("good");
        assert_eq!((device.user_code.as_str(), device.interval), ("ABCD-EFGH", SHORTEST));
        assert!(!format!("{device:?}").contains("planted"));
        let google = read(|answer| {
            answer.as_object_mut().expect("one").remove("verification_uri");
            answer["verification_url"] = "https://id.example.com/device".into();
        });
        assert!(google.is_ok());
        for (name, value) in [
            ("device_code", json!("")),
            ("user_code", json!("A\u{1b}[31m")),
            ("user_code", json!("A".repeat(65))),
            ("verification_uri", json!("http://id.example.com")),
            ("verification_uri", json!("file:///etc/passwd")),
            ("verification_uri_complete", json!("javascript:alert(1)")),
            ("expires_in", json!(null)),
        ] {
            let error = read(|answer| answer[name] = value.clone()).expect_err(name);
            assert!(!error.to_string().contains("planted"), "{error}");
        }
    }
}
