//! [`Contract`]: what a tool's file in `tools/` declares, for reviewers and for the model.

use serde::Deserialize;

use crate::{answer::Budget, permission::Requirement};

/// A longer description costs every caller on every list (design section 3).
const LONGEST_DESCRIPTION: usize = 450;

/// What a tool does to the world; decides the MCP hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Looks.
    Read,
    /// Adds or changes.
    Write,
    /// May remove or overwrite.
    Destroy,
}

impl Effect {
    /// The word in contract files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destroy => "destroy",
        }
    }
}

/// What kind of secret the output can hold in spite of redaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitive {
    /// Nothing.
    None,
    /// Configuration values.
    Values,
    /// Credentials: handing them out is the purpose.
    Credentials,
}

impl Sensitive {
    /// The word in contract files.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Values => "values",
            Self::Credentials => "credentials",
        }
    }
}

/// The front matter and body of `tools/<toolset>/<name>.md`.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The tool's name: toolset first (`platform` goes without), as `kro_graph`.
    pub name: String,
    /// The folder.
    pub toolset: String,
    /// The declared facts.
    pub front: Front,
    /// What the model reads.
    pub description: String,
}

/// The declared facts of a tool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// A short name for people.
    pub title: String,
    /// What the caller needs to have; without it anywhere, the tool does not exist for them.
    pub permission: Requirement,
    /// What it does to the world.
    pub effect: Effect,
    /// Whether calling it twice is as good as once.
    pub idempotent: bool,
    /// Whether the output can carry text that an attacker wrote (events, annotations, messages).
    pub open_world: bool,
    /// Size of an answer.
    pub budget: Budget,
    /// What the output can hold.
    pub sensitive: Sensitive,
}

/// Why a contract file, or a prompt, is not one.
#[derive(Debug, thiserror::Error)]
#[error("{path}.md: {problem}")]
pub struct ContractProblem {
    path: String,
    problem: String,
}

impl ContractProblem {
    /// A problem of the file `<path>.md`.
    pub(super) fn of(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

impl Contract {
    /// Reads the file `tools/<path>.md`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(path: &str, file: &str) -> Result<Self, ContractProblem> {
        let problem = |problem: String| ContractProblem::of(format!("tools/{path}"), problem);
        let (toolset, short) =
            path.split_once('/').ok_or_else(|| problem("must be in the folder of its toolset".to_owned()))?;
        let (front, body) = file
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or_else(|| problem("must begin with front matter between two lines of ---".to_owned()))?;
        let front: Front = serde_saphyr::from_str(front).map_err(|error| problem(error.to_string()))?;
        let description = body.split_whitespace().collect::<Vec<_>>().join(" ");
        if description.is_empty() || description.len() > LONGEST_DESCRIPTION {
            let length = description.len();
            return Err(problem(format!(
                "the description has {length} bytes, not 1 to {LONGEST_DESCRIPTION}"
            )));
        }
        let name = if toolset == "platform" { short.to_owned() } else { format!("{toolset}_{short}") };
        if name.len() > 40 || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            return Err(problem(format!("{name:?} is not [a-z0-9_]{{1,40}}")));
        }
        Ok(Self { name, toolset: toolset.to_owned(), front, description })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "---\ntitle: T\npermission: {any: [kro.rgds.list, kro.instances.list]}\neffect: read\n\
        idempotent: true\nopen_world: false\nbudget: { rows: 5, bytes: 100 }\nsensitive: none\n---\nWhat\nit does.\n";

    #[test]
    fn a_file_declares_everything_or_is_refused() {
        let contract = Contract::parse("kro/graph", FILE).expect("valid");
        assert_eq!((contract.name.as_str(), contract.description.as_str()), ("kro_graph", "What it does."));
        assert_eq!(Contract::parse("platform/whoami", FILE).expect("valid").name, "whoami");
        for (wrong, because) in [
            (FILE.replace("title: T\n", ""), "title"),
            (FILE.replace("effect: read", "effect: raed"), "raed"),
            (FILE.replace("kro.rgds.list", "kro.rgds.lits"), "kro.rgds.lits"),
            (FILE.replace("sensitive: none", "sensitive: none\nextra: 1"), "extra"),
            (FILE.replace("What", &"x".repeat(500)), "bytes"),
        ] {
            let problem = Contract::parse("kro/graph", &wrong).expect_err(because).to_string();
            assert!(problem.contains(because) && problem.starts_with("tools/kro/graph.md"), "{problem}");
        }
    }
}
