//! `kubectl`, and namespaces that go with their tests.
#![allow(clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::fmt;
use std::io::Write as _;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A namespace of one test; reads as its name.
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) kubectl: Kubectl,
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The control plane may be on its way out, and a failing test must show its own failure.
        let _ = self.kubectl.run(&["delete", "namespace", &self.name, "--wait=false"], "");
    }
}

/// The `kubectl` of the same version as the API server, as admin.
#[derive(Clone)]
pub(crate) struct Kubectl {
    pub(crate) program: PathBuf,
    pub(crate) kubeconfig: PathBuf,
}

impl Kubectl {
    /// What it prints, or its stderr where it fails.
    pub(crate) fn run(&self, args: &[&str], stdin: &str) -> Result<String, String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.output(args, stdin) {
            Ok(output) if output.status.success() => Ok(text(&output.stdout)),
            Ok(output) => Err(text(&output.stderr)),
            Err(error) => Err(format!("{} could not be run: {error}", self.program.display())),
        }
    }

    fn output(&self, args: &[&str], stdin: &str) -> std::io::Result<Output> {
        let mut process = Command::new(&self.program)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            // Neither what the developer's kubectl remembers nor how it is set up belongs in a test.
            .env("KUBECACHEDIR", self.kubeconfig.with_file_name("kubectl"))
            .env("KUBERC", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = process.stdin.take() {
            // kubectl may end before it has read all of it; its stderr says why, not the broken pipe.
            let _ = input.write_all(stdin.as_bytes());
        }
        process.wait_with_output()
    }

    /// What it prints.
    ///
    /// # Panics
    /// Where it fails, with its stderr.
    #[track_caller]
    pub(crate) fn checked(&self, args: &[&str], stdin: &str) -> String {
        self.run(args, stdin).unwrap_or_else(|why| panic!("kubectl {} failed: {why}", args.join(" ")))
    }
}
