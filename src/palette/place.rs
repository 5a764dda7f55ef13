//! [`Place`]: where in an environment something is: in the tenant itself, or in a project.

use crate::permission::Extent;

/// The scope of a resource (`metadata.annotations.scope`, `.projectUid`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In no project: what is tenant-scoped, and what is asked across all projects.
    #[default]
    Tenant,
    /// In a project.
    Project {
        /// Its uid, as `ProjectUid` takes it.
        uid: String,
        /// Its name; nothing where it could not be read, and rules that name projects then cannot be judged.
        name: Option<String>,
    },
}

impl Place {
    /// The value of the header `ProjectUid`; absent for the tenant.
    pub fn project_uid(&self) -> Option<&str> {
        match self {
            Self::Tenant => None,
            Self::Project { uid, .. } => Some(uid),
        }
    }

    /// What people call it: the project's name, else its uid; nothing for the tenant.
    pub fn shown(&self) -> Option<&str> {
        match self {
            Self::Tenant => None,
            Self::Project { uid, name: None } if uid.is_empty() => Some("(unknown)"),
            Self::Project { uid, name } => Some(name.as_deref().unwrap_or(uid)),
        }
    }

    /// As permissions know it.
    pub fn extent(&self) -> Extent {
        match self {
            Self::Tenant => Extent::None,
            Self::Project { uid, name } => Extent::Named(name.iter().cloned().chain([uid.clone()]).collect()),
        }
    }

    /// Whether `written`, an argument, is its name or uid.
    pub fn is_called(&self, written: &str) -> bool {
        match self {
            Self::Tenant => false,
            Self::Project { uid, name } => {
                !written.is_empty() && (uid == written || name.as_deref() == Some(written))
            }
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.shown() {
            Some(project) => write!(f, "project {project}"),
            None => f.write_str("the tenant"),
        }
    }
}
