//! The command line. Every command that calls a tool takes the same way as a door does.

mod call;
mod check;
mod completions;
mod demo;
mod entities;
mod failure;
mod login;
mod logout;
mod out;
mod palette;
mod rbac;
mod reload;
mod serve;
mod setup;
mod token;
mod tools;
mod upstream;
mod whoami;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use failure::Failure;

const EXIT_CODES: &str =
    "Without a command, MCP is served over stdio for the clusters of the current kubeconfig.

Exit codes:
  0  it worked
  1  a tool answered with an error, a check failed, or serving broke
  2  the command line or the configuration is wrong; nothing was done

Environment:
  PLATFORM_MCP_CONFIG  the configuration file, where --config is not given
  PLATFORM_MCP_LOG     which logs go to standard error, as `info` or `platform_mcp=debug`
  PLATFORM_MCP_TOKEN   the token, where --token-file is not given
  KUBECONFIG           the kubeconfig files, where --kubeconfig is not given";

/// Typed tools over a Kubernetes platform, for AI agents (MCP).
#[derive(Debug, Parser)]
#[command(name = "platform-mcp", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
struct Global {
    /// Configuration file (YAML).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Kubeconfig whose contexts are the clusters.
    #[arg(long, global = true, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
    /// Role of the local user, instead of the configured one.
    #[arg(long, global = true, value_name = "NAME")]
    role: Option<String>,
    /// File with the token of whoever is served over stdio or calls from the shell; read again at each
    /// use. For configured issuers.
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Issuer whose sign-in is used over stdio and from the shell (`platform-mcp login`), where you are signed in
    /// at several.
    #[arg(long, global = true, value_name = "ISSUER")]
    sign_in: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP over stdio, or over streamable HTTP.
    Serve(serve::Serve),
    /// Show and serve an embedded sample platform; needs no cluster.
    Demo(demo::Demo),
    /// Call a tool from the shell, through the same gate as an agent.
    Call(call::Call),
    /// Export what exists as entities of a catalog: to standard output, or to a file.
    Entities(entities::Entities),
    /// Say what of the configuration and the clusters works, and how to mend the rest.
    Check(check::Check),
    /// Sign in at an issuer with a browser: stdio and the shell then run as you.
    Login(login::Login),
    /// Sign out: what `login` kept is revoked and forgotten.
    Logout(logout::Logout),
    /// Say who calls, and what they may do.
    Whoami(whoami::Whoami),
    /// Print a token for a cluster: the credential plugin of kubeconfigs, for kubectl.
    Token(token::Token),
    /// Give this server its service account in clusters of Palette, or take it away.
    Palette(palette::Palette),
    /// Show the tools: what each needs, takes and answers.
    Tools(tools::Tools),
    /// Print the RBAC that a cluster needs, no wider than what is used.
    Rbac(rbac::Rbac),
    /// Print the completion script for a shell.
    Completions(completions::Completions),
}

impl Cli {
    /// Runs the command, and says on standard error why it did not work.
    pub async fn run(self) -> ExitCode {
        let result = match self.command {
            None => serve::Serve::default().run(&self.global).await,
            Some(Command::Serve(serve)) => serve.run(&self.global).await,
            Some(Command::Demo(demo)) => demo.run(&self.global).await,
            Some(Command::Call(call)) => call.run(&self.global).await,
            Some(Command::Entities(entities)) => entities.run(&self.global).await,
            Some(Command::Check(check)) => check.run(&self.global).await,
            Some(Command::Login(login)) => login.run(&self.global).await,
            Some(Command::Logout(logout)) => logout.run(&self.global).await,
            Some(Command::Whoami(whoami)) => whoami.run(&self.global).await,
            Some(Command::Token(token)) => token.run(&self.global).await,
            Some(Command::Palette(palette)) => palette.run(&self.global).await,
            Some(Command::Tools(tools)) => tools.run(&self.global),
            Some(Command::Rbac(rbac)) => rbac.run(&self.global).await,
            Some(Command::Completions(completions)) => completions.run(),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.say(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_coherent() {
        super::Cli::command().debug_assert();
    }
}
