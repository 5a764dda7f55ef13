//! From what a person writes to a kind, and to one object of it.

use super::{Access, Fault, Kind, Named, Object, Selector};
use crate::{Error, ErrorKind};

/// Namespaces that an error names.
const PLACES: usize = 8;

/// Why what was written stands for no one kind.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoKind {
    /// Several groups have it.
    #[error("{written:?} is in several groups")]
    Several {
        /// What was written.
        written: String,
        /// Each as `Kind.group`.
        kinds: Vec<String>,
    },
    /// The cluster serves none of that name.
    #[error("the cluster serves no kind {written:?}")]
    Unknown {
        /// What was written.
        written: String,
        /// What comes near, each as `Kind.group`.
        near: Vec<String>,
    },
    /// What the cluster serves could not be read.
    #[error(transparent)]
    Unread(#[from] Fault),
}

impl NoKind {
    /// The error of a call whose argument of this name it was.
    pub fn of(self, argument: &str) -> Error {
        let message = format!("the argument {argument:?}: {self}");
        match self {
            Self::Several { kinds, .. } => Error::new(ErrorKind::Conflict, message).candidates(kinds),
            Self::Unknown { near, .. } => Error::not_found(message).candidates(near),
            Self::Unread(fault) => fault.into(),
        }
    }
}

impl Access {
    /// The kind that a person means by its name, plural or short name, with or without its group. What is not
    /// known may have come since: discovery is then read again.
    ///
    /// # Errors
    /// None, or several.
    pub async fn kind_named(&self, written: &str) -> Result<Kind, NoKind> {
        if let Named::One(kind) = self.kinds().await?.named(written) {
            return Ok(kind.clone());
        }
        let written = written.to_owned();
        match self.fresh_kinds().await?.named(&written) {
            Named::One(kind) => Ok(kind.clone()),
            Named::Several(kinds) => {
                Err(NoKind::Several { written, kinds: kinds.iter().map(|kind| kind.group_kind()).collect() })
            }
            Named::None(near) => Err(NoKind::Unknown { written, near }),
        }
    }

    /// Whether the cluster tells the caller that there is no such namespace, with one request. An empty list does
    /// not tell that from an empty namespace.
    pub(super) async fn lacks_namespace(&self, name: &str) -> bool {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name || name.is_empty() {
            return false;
        }
        let path = format!("/api/v1/namespaces/{name}");
        matches!(self.get_body(&path, &[], "application/json").await, Err(Fault::NotFound(_)))
    }

    /// One object of a kind, or none. Without a namespace it is looked for in all that the caller may see.
    ///
    /// # Errors
    /// It is in several namespaces, or cannot be read.
    pub async fn found(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Object>, Error> {
        if kind.namespaced && namespace.is_none() {
            return self.found_anywhere(kind, name).await;
        }
        match self.get(kind, namespace.filter(|_| kind.namespaced), name).await {
            Ok(object) => Ok(Some(object)),
            Err(Fault::NotFound(_)) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    async fn found_anywhere(&self, kind: &Kind, name: &str) -> Result<Option<Object>, Error> {
        // What no path segment can carry is refused here as well, though it would only be a selector.
        kind.object_path(Some("default"), name)?;
        let selector = Selector::all().field("metadata.name", name);
        let mut listed = match self.list(kind, None, &selector).await {
            Ok(listed) => listed,
            Err(fault) if fault.is_forbidden() => {
                let next = "name the namespace: looking through all of them is not allowed";
                return Err(Error::from(fault).next(next));
            }
            Err(fault) => return Err(fault.into()),
        };
        if listed.items.len() > 1 {
            let places = listed.items.iter().filter_map(Object::namespace).take(PLACES);
            let message = format!("{} {name} exists in several namespaces", kind.kind);
            return Err(Error::new(ErrorKind::Conflict, message)
                .candidates(places)
                .next("call again with namespace"));
        }
        Ok(listed.items.pop())
    }
}
