//! An RSA key of 1024 bits. Our own library neither makes nor uses one, and no such key belongs in a
//! repository, so openssl does the work; the control plane needs it too.
#![allow(clippy::expect_used, reason = "a broken rig must fail the test at once and say why")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

/// The key, in a file that goes with it.
#[derive(Debug)]
pub(crate) struct SmallRsa {
    file: NamedTempFile,
    modulus: Vec<u8>,
}

impl SmallRsa {
    /// A new one.
    pub(crate) fn new() -> Self {
        let file = NamedTempFile::new().expect("a file for the key");
        let path = file.path().to_str().expect("a path in UTF-8");
        openssl(&["genrsa", "-out", path, "1024"], &[]);
        let said = openssl(&["rsa", "-in", path, "-noout", "-modulus"], &[]);
        let hex = String::from_utf8(said).expect("hex digits");
        let hex = hex.trim().trim_start_matches("Modulus=");
        let byte = |at: usize| hex.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let modulus = (0..hex.len()).step_by(2).map(|at| byte(at).expect("hex digits")).collect();
        Self { file, modulus }
    }

    /// `n`; `e` is 65537.
    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Signs RS256.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        openssl(&["dgst", "-sha256", "-sign", self.path()], message)
    }

    /// The public key, DER.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        openssl(&["rsa", "-in", self.path(), "-pubout", "-outform", "DER"], &[])
    }

    fn path(&self) -> &str {
        self.file.path().to_str().expect("a path in UTF-8")
    }
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut process = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is on PATH");
    // dropped here, so that it sees the end; some commands never read
    let _ = process.stdin.take().expect("a stdin").write_all(input);
    let output = process.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?} failed");
    output.stdout
}
