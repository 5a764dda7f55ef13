//! `completions`: the script that lets a shell complete our commands and flags.

use clap::{Args, CommandFactory as _};

use super::{Cli, Failure, out};

/// Print the completion script for a shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut command = Cli::command();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, env!("CARGO_PKG_NAME"), &mut script);
        Ok(out::text(&String::from_utf8_lossy(&script))?)
    }
}
