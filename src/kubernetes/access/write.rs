//! Changing what a cluster has. Each of these is sent once: a change whose answer got lost may have been
//! made, and nobody but the caller can tell whether to try again.

use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use super::{
    super::{fault::Fault, kind::Kind, object::Object},
    Access,
    send::{Ask, parse, with_query},
};

/// Warnings that are kept of one answer, and characters of each.
const MOST_WARNINGS: usize = 20;
const LONGEST_WARNING: usize = 400;

/// Whether the API server makes the change, or only says what would become of it (`dryRun=All`: with
/// validation, defaults and admission).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// Nothing is changed.
    Yes,
    /// The change is made.
    No,
}

/// What the API server made, or would make, of a change.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object afterwards.
    pub object: Object,
    /// What the API server warns of (RFC 9110 `Warning` headers, code 299).
    pub warnings: Vec<String>,
}

/// The very object that is meant: it is left alone where it is another one, or has changed.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// `metadata.uid`
    pub uid: &'a str,
    /// `metadata.resourceVersion`
    pub resource_version: &'a str,
}

impl Access {
    /// Server-side apply: creates the object, or changes what the manifest names of it. Never forced, so
    /// that fields of other managers stay theirs; unknown fields are errors. A manifest that carries
    /// `metadata.uid` and `metadata.resourceVersion` changes that state of that object only.
    ///
    /// # Errors
    /// [`Fault::Refused`] with the fields and managers in conflict, or the fields that are not valid.
    pub async fn apply(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        manifest: &Object,
        manager: &str,
        dry_run: DryRun,
    ) -> Result<Written, Fault> {
        let query = [("force", "false".to_owned()), ("fieldValidation", "Strict".to_owned())];
        let body = serde_json::to_vec(manifest.members());
        self.patch(kind, namespace, name, ("application/apply-patch+yaml", body), &query, manager, dry_run)
            .await
    }

    /// The same for an object that is the server's own: fields that somebody else changed become its own again.
    ///
    /// # Errors
    /// As [`Self::apply`], without conflicts.
    pub(in crate::kubernetes) async fn reclaim(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        manifest: &Object,
        manager: &str,
    ) -> Result<Written, Fault> {
        let query = [("force", "true".to_owned()), ("fieldValidation", "Strict".to_owned())];
        let content = ("application/apply-patch+yaml", serde_json::to_vec(manifest.members()));
        self.patch(kind, namespace, name, content, &query, manager, DryRun::No).await
    }

    /// JSON merge patch (RFC 7396). With `metadata.uid` and `metadata.resourceVersion` in it, it changes
    /// that state of that object only.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub async fn merge(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        manager: &str,
        dry_run: DryRun,
    ) -> Result<Written, Fault> {
        let body = serde_json::to_vec(patch);
        let content = ("application/merge-patch+json", body);
        self.patch(kind, namespace, name, content, &[], manager, dry_run).await
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one request")]
    async fn patch(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        (content, body): (&'static str, serde_json::Result<Vec<u8>>),
        query: &[(&str, String)],
        manager: &str,
        dry_run: DryRun,
    ) -> Result<Written, Fault> {
        let path = self.writable(kind, namespace, name)?;
        let body = body.map_err(|error| Fault::Malformed(error.to_string()))?;
        let mut query = query.to_vec();
        query.push(("fieldManager", manager.to_owned()));
        if dry_run == DryRun::Yes {
            query.push(("dryRun", "All".to_owned()));
        }
        let uri = with_query(&path, &query);
        let ask =
            Ask { method: Method::PATCH, uri: &uri, accept: "application/json", body: Some((content, body)) };
        let answered = self.once(ask).await.map_err(|fault| uncertain(fault, dry_run))?;
        let object = Object::from_value(parse(&answered.body)?);
        let mut object = object.ok_or_else(|| Fault::Malformed("not an object".to_owned()))?;
        self.take_secrets(&mut object);
        Ok(Written { object, warnings: warnings(&answered.headers) })
    }

    /// Deletes that object in that state; what depends on it follows in the background. An object with
    /// finalizers stays until they are gone.
    ///
    /// # Errors
    /// [`Fault::Refused`] with status 409 where it is another one, or has changed.
    pub async fn delete(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        basis: Basis<'_>,
        dry_run: DryRun,
    ) -> Result<Vec<String>, Fault> {
        let path = self.writable(kind, namespace, name)?;
        // the body is what counts; the query is for whoever reads the API server's audit log
        let dry: &[(&str, String)] = match dry_run {
            DryRun::Yes => &[("dryRun", "All".to_owned())],
            DryRun::No => &[],
        };
        let uri = with_query(&path, dry);
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
            "preconditions": {"uid": basis.uid, "resourceVersion": basis.resource_version},
        });
        if let (DryRun::Yes, Some(options)) = (dry_run, options.as_object_mut()) {
            options.insert("dryRun".to_owned(), json!(["All"]));
        }
        let body = options.to_string().into_bytes();
        let ask = Ask {
            method: Method::DELETE,
            uri: &uri,
            accept: "application/json",
            body: Some(("application/json", body)),
        };
        let answered = self.once(ask).await.map_err(|fault| uncertain(fault, dry_run))?;
        Ok(warnings(&answered.headers))
    }

    /// The path of an object that the caller may change.
    fn writable(&self, kind: &Kind, namespace: Option<&str>, name: &str) -> Result<String, Fault> {
        let path = kind.object_path(namespace, name)?;
        let namespace = namespace.filter(|_| kind.namespaced);
        match self.view.as_ref().filter(|view| !view.sees(namespace)) {
            Some(view) => Err(view.withheld(namespace)),
            None => Ok(path),
        }
    }
}

/// A change that was sent, and whose answer did not come.
pub(in crate::kubernetes) fn uncertain(fault: Fault, dry_run: DryRun) -> Fault {
    match (fault, dry_run) {
        (fault @ (Fault::Timeout(_) | Fault::Unreachable(_)), DryRun::No) => {
            Fault::Unanswered(fault.to_string())
        }
        (fault, _) => fault,
    }
}

/// The texts of `299 - "text"`.
pub(in crate::kubernetes) fn warnings(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(header::WARNING).iter().filter_map(|value| {
        let (_, text) = value.to_str().ok()?.split_once('"')?;
        let text = text.rsplit_once('"').map_or(text, |(text, _)| text).replace("\\\"", "\"");
        Some(text.chars().take(LONGEST_WARNING).collect())
    });
    texts.take(MOST_WARNINGS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_read_out_of_their_headers() {
        let mut headers = HeaderMap::new();
        for value in [r#"299 - "unknown field \"spec.x\"""#, "odd", r#"299 - "second""#] {
            headers.append(header::WARNING, value.parse().expect("a value"));
        }
        assert_eq!(warnings(&headers), [r#"unknown field "spec.x""#, "second"]);
    }
}
