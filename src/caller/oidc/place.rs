//! Where an issuer may be: `https`, or plain `http` on a loopback address.

use std::net::IpAddr;

use reqwest::Url;

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

/// Whether the host is this machine by its very name.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
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
