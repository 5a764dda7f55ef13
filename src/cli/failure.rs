//! [`Failure`]: why a command did not work, and the exit code that says so.

use std::process::ExitCode;

use super::out;
use crate::{
    caller::login::SignInError, config, door::http::HttpProblem, permission::RoleProblem,
    toolbox::ContractProblem,
};

/// A command that did not work.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The command line or the configuration is wrong.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// It was tried, and did not work.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// It did not work, and everything has been said.
    pub(super) fn silent() -> Self {
        Self::failed("")
    }

    /// Says it on standard error.
    pub(super) fn say(&self) -> ExitCode {
        if !self.message.is_empty() {
            out::error_line(&format!("error: {}", self.message));
        }
        ExitCode::from(self.code)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<config::Problem> for Failure {
    fn from(problem: config::Problem) -> Self {
        Self::usage(problem.to_string())
    }
}

impl From<config::BuildProblem> for Failure {
    fn from(problem: config::BuildProblem) -> Self {
        Self::usage(problem.to_string())
    }
}

impl From<RoleProblem> for Failure {
    fn from(problem: RoleProblem) -> Self {
        Self::usage(problem.to_string())
    }
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<ContractProblem> for Failure {
    fn from(problem: ContractProblem) -> Self {
        Self::failed(problem.to_string())
    }
}

impl From<HttpProblem> for Failure {
    fn from(problem: HttpProblem) -> Self {
        match problem {
            HttpProblem::Serve(_) => Self::failed(problem.to_string()),
            _ => Self::usage(problem.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    /// Of writing to standard output: a reader that has enough (`| head`) is not a failure.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { code: 0, message: String::new() };
        }
        Self::failed(format!("standard output: {error}"))
    }
}
