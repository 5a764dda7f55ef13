//! How users of a cluster log in.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{lenient, lenient_list};

/// `v1SpectroClusterOidcSpec`, of `/v1/spectroclusters/{uid}/oidc`. Its client secret is never kept.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OidcSpec {
    /// Of the client that users log in with.
    #[serde(deserialize_with = "lenient")]
    pub client_id: String,
    /// Whether that client has a secret.
    #[serde(rename = "clientSecret", deserialize_with = "presence")]
    pub has_secret: bool,
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

fn presence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(Length),
        Other(IgnoredAny),
    }
    Ok(match Option::<Written>::deserialize(deserializer)? {
        Some(Written::Text(length)) => length.0 > 0,
        Some(Written::Other(_)) => true,
        None => false,
    })
}

/// How long a text is, and nothing else of it.
struct Length(usize);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_there_is_a_secret_is_known_and_the_secret_is_not() {
        let read = |text: &str| serde_json::from_str::<OidcSpec>(text).expect("lenient");
        let spec = read(r#"{"clientId": "c", "clientSecret": "planted", "scopes": ["a", null]}"#);
        assert!(spec.has_secret && !format!("{spec:?}").contains("planted"));
        assert_eq!(spec.scopes, ["a"]);
        assert!(!read(r#"{"clientSecret": ""}"#).has_secret && !read(r#"{"clientSecret": null}"#).has_secret);
        assert!(!read("{}").has_secret);
    }
}
