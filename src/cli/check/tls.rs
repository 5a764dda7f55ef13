//! The certificate that HTTP would be served with.

use super::{super::Failure, Report};
use crate::door::http::{TlsFiles, TlsProblem};

/// One line, where there is one.
pub(super) async fn tell(files: Option<&TlsFiles>, report: &mut Report) -> Result<(), Failure> {
    let Some(files) = files else { return Ok(()) };
    match files.check().await {
        Ok(()) => report.ok(&format!("TLS certificate: {}", files.certificate.display())),
        Err(problem) => report.fail(&format!("http.tls: {problem}"), mend(&problem)),
    }
}

fn mend(problem: &TlsProblem) -> &'static str {
    match problem {
        TlsProblem::Unreadable { .. } => {
            "put the file there, readable for the server, or mend http.tls; relative paths are meant from the \
             configuration's folder"
        }
        TlsProblem::NotPem { .. } => {
            "certFile holds the certificate and those that lead to its authority, keyFile its private key, both \
             in PEM"
        }
        TlsProblem::Unfit { .. } => "keyFile must be the key that the certificate was issued for",
    }
}
