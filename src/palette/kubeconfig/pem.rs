//! PEM, read and written anew.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// Certificates of one bundle.
const MOST: usize = 32;
/// Characters of a line (RFC 7468).
const LINE: usize = 64;

/// The certificates of a text, each parsed.
pub(super) fn certificates(text: &[u8]) -> Result<String, &'static str> {
    let mut written = String::new();
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|_| "it is not PEM")?;
        RootCertStore::empty().add(certificate.clone()).map_err(|_| "it is no certificate")?;
        count += 1;
        if count > MOST {
            return Err("it has too many certificates");
        }
        write("CERTIFICATE", &certificate, &mut written);
    }
    if count == 0 { Err("it holds no certificate in PEM") } else { Ok(written) }
}

/// The one private key of a text.
pub(super) fn key(text: &[u8]) -> Result<String, &'static str> {
    let mut keys = PrivateKeyDer::pem_slice_iter(text);
    let (Some(Ok(key)), None) = (keys.next(), keys.next()) else { return Err("it is not one key in PEM") };
    let label = match &key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        PrivateKeyDer::Pkcs8(_) => "PRIVATE KEY",
        _ => return Err("it is of no known kind"),
    };
    let mut written = String::new();
    write(label, key.secret_der(), &mut written);
    Ok(written)
}

fn write(label: &str, der: &[u8], written: &mut String) {
    written.push_str(&format!("-----BEGIN {label}-----\n"));
    let encoded = STANDARD.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        written.push_str(line);
        written.push('\n');
        rest = more;
    }
    written.push_str(&format!("-----END {label}-----\n"));
}
