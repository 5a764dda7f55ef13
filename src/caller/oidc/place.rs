//! Where an issuer may be: `https`, or plain `http` on a loopback address.

use reqwest::Url;

use crate::remote::is_loopback;

/// The URL of an issuer as configured, or what is wrong with it.
pub(crate) fn issuer(written: &str) -> Result<Url, String> {
    let url = Url::parse(written)
        .map_err(|error| format!("must be a URL as https://login.example.com: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no credentials".to_owned());
    }
    if written.contains(['?', '#']) {
        return Err("must have no query and no fragment (OpenID Connect Discovery section 3)".to_owned());
    }
    if written.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("must have no white space, control characters or backslashes".to_owned());
    }
    if written.ends_with("/.well-known/openid-configuration") {
        return Err("must be the issuer, which is what stands before /.well-known/".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("must begin with https://; plain http is for loopback addresses only".to_owned()),
        _ => Err("must begin with https://".to_owned()),
    }
}

/// The URL of a token endpoint as configured, or what is wrong with it.
pub(crate) fn endpoint(written: &str) -> Result<Url, String> {
    let url = Url::parse(written)
        .map_err(|error| format!("must be a URL as https://login.example.com/token: {error}"))?;
    match () {
        () if !url.username().is_empty() || url.password().is_some() => {
            Err("must hold no credentials".to_owned())
        }
        () if url.fragment().is_some() => Err("must have no fragment (RFC 6749 section 3.2)".to_owned()),
        () if url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url) => Ok(url),
        () => Err("must begin with https://; plain http is for loopback addresses only".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_token_endpoint_is_https_or_on_loopback() {
        for good in ["https://login.example.com/token?p=b2c", "http://127.0.0.1:9000/token"] {
            assert!(super::endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/token",
            "http://login.example.com/token",
            "https://user@login.example.com/token",
            "https://login.example.com/token#a",
            "file:///etc/passwd",
        ] {
            assert!(super::endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_issuer_is_https_or_on_loopback() {
        for good in [
            "https://login.example.com",
            "https://login.example.com/",
            "https://login.example.com:8443/realms/a",
            "http://127.0.0.1:9000",
            "http://[::1]:9000/a",
            "http://localhost:9000",
        ] {
            assert!(super::issuer(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "login.example.com",
            "http://login.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "https://user@login.example.com",
            "https://login.example.com?",
            "https://login.example.com#",
            "https://login.example.com/a?b=c",
            " https://login.example.com",
            "https:\\\\login.example.com",
            "https://login.example.com/.well-known/openid-configuration",
        ] {
            assert!(super::issuer(bad).is_err(), "{bad}");
        }
    }
}
