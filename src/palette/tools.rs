//! The tools: typed input and output, the requirement, and glue.

pub mod names;
mod projects;

pub use projects::ListProjects;

use crate::toolbox::Reach;

/// What a tool reaches whose arguments are these.
fn reach(environment: Option<&String>, project: Option<&String>) -> Reach {
    Reach::Environments { environment: environment.cloned(), project: project.cloned() }
}
