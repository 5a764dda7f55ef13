//! Asking what is no cluster: issuers and catalogs, within bounds of time and size, without following redirects.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use reqwest::{Client, Response, Url, header, redirect};

/// How long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one request.
    pub whole: Duration,
}

/// A client for this place, which trusts the authority in a PEM file, or those of the system. Made anew for each
/// look or kept for a while: so a changed authority is seen.
///
/// # Errors
/// The file is none, or the system has no authorities.
pub async fn client(ca_file: Option<PathBuf>, place: &Url, times: Times) -> Result<Client, String> {
    let place = place.clone();
    // reads files: our authority, or the system's
    tokio::task::spawn_blocking(move || build(ca_file, &place, times))
        .await
        .map_err(|_| "no client could be made".to_owned())?
}

fn build(ca_file: Option<PathBuf>, place: &Url, times: Times) -> Result<Client, String> {
    let mut builder = Client::builder()
        .user_agent(concat!("platform-mcp/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(times.connect)
        .timeout(times.whole)
        // Node ends a connection that rests for five seconds
        .pool_idle_timeout(Duration::from_secs(3))
        .redirect(redirect::Policy::none())
        .referer(false)
        .http1_only()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .https_only(place.scheme() == "https");
    if is_loopback(place) {
        builder = builder.no_proxy();
    }
    if let Some(file) = ca_file {
        let unusable = |why: &dyn std::fmt::Display| format!("caFile {}: {why}", file.display());
        let pem = std::fs::read(&file).map_err(|error| unusable(&error))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|authorities| !authorities.is_empty())
            .ok_or_else(|| unusable(&"has no certificate in PEM"))?;
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|error| said(&error))
}

/// The JSON that came, unless it is something else, or more than `largest` bytes. `what` it is that was asked for.
///
/// # Errors
/// Why it is not taken.
pub async fn body(mut answer: Response, what: &str, largest: usize) -> Result<Vec<u8>, String> {
    if answer.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(format!("its {what} comes compressed, which was not asked for"));
    }
    let html = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if html.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html")) {
        return Err(format!(
            "its {what} is a page (HTML) and not JSON: perhaps a login page or a proxy's error"
        ));
    }
    let too_large = || format!("its {what} has more than {} KiB", largest / 1024);
    if answer.content_length().is_some_and(|length| length > largest as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| said(&error))? {
        if body.len() + chunk.len() > largest {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost cause, without the URL, which whoever reads it knows.
pub fn said(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut said = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said = error.to_string();
        cause = error.source();
    }
    if said.is_empty() { "it cannot be reached".to_owned() } else { format!("it cannot be reached: {said}") }
}

/// Whether the host is this machine by its very name.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
