//! [`Opener`]: what opens a URL in the browser of whoever sits at this machine.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use reqwest::Url;
use tokio::process::Command;

use crate::caller::{TOKEN_VARIABLE, login::keyring::on_path};

/// A program that takes a URL. Never a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opener {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Opener {
    /// `$BROWSER`, or the system's own, where somebody would see it.
    pub(super) fn found() -> Option<Self> {
        let named = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
        if let Some(browser) = named("BROWSER") {
            return Self::written(&browser);
        }
        let alone = |program| Self { program, arguments: Vec::new() };
        if cfg!(target_os = "macos") {
            // over ssh it would open where nobody looks
            let here = named("SSH_CONNECTION").is_none();
            return Some(PathBuf::from("/usr/bin/open")).filter(|path| here && path.is_file()).map(alone);
        }
        // without a display, xdg-open starts a browser for terminals
        let display = named("DISPLAY").or_else(|| named("WAYLAND_DISPLAY"));
        display.and_then(|_| on_path(Path::new("xdg-open"))).map(alone)
    }

    /// As xdg-open reads it: several with colons between, each a program with words after it.
    fn written(browser: &str) -> Option<Self> {
        browser.split(':').find_map(|one| {
            let mut words = one.split_whitespace().filter(|word| *word != "%s").map(str::to_owned);
            let program = PathBuf::from(words.next()?);
            let program = if program.is_absolute() { Some(program) } else { on_path(&program) };
            Some(Self { program: program.filter(|path| path.is_file())?, arguments: words.collect() })
        })
    }

    /// Opens it. Nothing waits for the browser to end. What is in the URL is worth nothing without the verifier,
    /// which stays here.
    pub(super) fn open(&self, url: &Url) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(url.as_str()).env_remove(TOKEN_VARIABLE);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(drop).map_err(|error| format!("{}: {error}", self.program.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_a_program_that_is_there_with_words_after_it() {
        let found = Opener::written("/no/such:/bin/sh -x %s:/bin/true").expect("the second");
        assert_eq!(
            (found.program.to_str(), found.arguments.as_slice()),
            (Some("/bin/sh"), &["-x".to_owned()][..])
        );
        assert_eq!(Opener::written(" : /no/such"), None);
    }
}
