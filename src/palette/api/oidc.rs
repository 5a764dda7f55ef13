//! How users of a cluster log in.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{lenient, lenient_list};

/// `v1SpectroClusterOidcSpec`, of `/v1/spectroclusters/{uid}/oidc`. Its client secret is read for what may echo it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OidcSpec {
    /// Of the client that users log in with.
    #[serde(deserialize_with = "lenient")]
    pub client_id: String,
    /// That client's secret: never handed out.
    #[serde(deserialize_with = "secret")]
    pub client_secret: Option<SecretString>,
    /// The issuer.
    #[serde(deserialize_with = "lenient")]
    pub issuer_url: String,
    /// How the issuer is known.
    #[serde(deserialize_with = "lenient")]
    pub issuer_tls: IssuerTls,
    /// What is asked for beside `openid`.
    #[serde(deserialize_with = "lenient_list")]
    pub scopes: Vec<String>,
}

/// `v1SpectroClusterOidcIssuerTlsSpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IssuerTls {
    /// PEM in base64.
    #[serde(deserialize_with = "lenient")]
    pub ca_certificate_base64: String,
    /// Never followed.
    #[serde(deserialize_with = "lenient")]
    pub insecure_skip_verify: bool,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.into()),
        odd => Some(odd.to_string().into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_secret_is_known_and_does_not_show() {
        let read = |text: &str| serde_json::from_str::<OidcSpec>(text).expect("lenient");
        let spec = read(r#"{"clientId": "c", "clientSecret": "planted", "scopes": ["a", null]}"#);
        assert!(spec.client_secret.is_some() && !format!("{spec:?}").contains("planted"));
        assert_eq!(spec.scopes, ["a"]);
        for none in [r#"{"clientSecret": ""}"#, r#"{"clientSecret": null}"#, "{}"] {
            assert!(read(none).client_secret.is_none(), "{none}");
        }
        assert!(read(r#"{"clientSecret": {"a": "planted"}}"#).client_secret.is_some());
    }
}
