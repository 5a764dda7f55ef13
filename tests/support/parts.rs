//! What the tests take from npm and PyPI, installed once by `install.sh`. A test that cannot have its part
//! fails.
#![allow(clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the TypeScript clients and the conformance suite; `bin/node` runs them.
pub(crate) fn node() -> &'static Path {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(FOLDER.get_or_init(|| install("node")))
}

/// The folder of the Backstage backend; `bin/node` runs it.
pub(crate) fn backstage() -> &'static Path {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(FOLDER.get_or_init(|| install("backstage")))
}

/// The folder of Knative's types and of the event mesh provider for Backstage's catalog; `bin/node` runs them.
pub(crate) fn eventing() -> &'static Path {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(FOLDER.get_or_init(|| install("eventing")))
}

/// The folder of a headless browser: `chromium`, with its libraries in `lib`.
pub(crate) fn browser() -> &'static Path {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(FOLDER.get_or_init(|| install("browser")))
}

/// The folder of the Python client; `bin/python` runs it.
pub(crate) fn python() -> &'static Path {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(FOLDER.get_or_init(|| install("python")))
}

/// A file of `tests/support`.
pub(crate) fn support(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(path)
}

fn install(part: &str) -> Result<PathBuf, String> {
    let output = Command::new("bash").arg(support("install.sh")).arg(part).output();
    let output = output.map_err(|error| format!("bash could not be started: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    match said.lines().last() {
        Some(folder) if output.status.success() => Ok(folder.into()),
        _ => Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

#[track_caller]
fn found(folder: &'static Result<PathBuf, String>) -> &'static Path {
    match folder {
        Ok(folder) => folder,
        Err(why) => panic!("install.sh failed:\n{why}"),
    }
}
