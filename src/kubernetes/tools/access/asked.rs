//! [`Asked`]: the one request that a caller asks about, in RBAC's words.

use http::Method;

use super::{Input, named::Meant};
use crate::{
    Error,
    answer::sanitise,
    kubernetes::{Fault, Kind, proxy::Target},
    nearest,
    toolbox::Call,
};

/// The verbs of requests (apiserver `request.RequestInfo`).
const REQUESTS: [&str; 8] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
/// Those that are asked on the way of others (Kubernetes, "Authorization", special verbs).
const SPECIAL: [&str; 8] = ["*", "use", "bind", "escalate", "impersonate", "approve", "sign", "attest"];

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) verb: String,
    /// `None`: every one (`*`).
    pub(super) kind: Option<Kind>,
    pub(super) subresource: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// Why it is not known whether there is such a resource, where it is not: the cluster cannot be asked.
    pub(super) unknown: Option<Fault>,
}

impl Asked {
    /// Reads the arguments; `None` where they ask about no request in particular.
    pub(super) async fn read(call: &Call, input: &Input) -> Result<Option<Self>, Error> {
        let (verb, resource) = match (&input.verb, &input.resource, &input.name) {
            (Some(verb), Some(resource), _) => (verb, resource),
            (None, None, None) => return Ok(None),
            (None, _, _) => return Err(with("verb", "get, list, create, …")),
            (Some(_), None, _) => return Err(with("resource", "pods, deployments.apps, pods/log")),
        };
        let verb = verb.trim().to_lowercase();
        let known = || REQUESTS.into_iter().chain(SPECIAL);
        if !known().any(|known| known == verb) {
            let shown = sanitise::short(&verb, 40);
            let near = nearest::name(&verb, known()).map(|near| format!("; did you mean {near:?}?"));
            let message = format!("the argument \"verb\": {shown:?} is none{}", near.unwrap_or_default());
            return Err(Error::invalid_input(message).candidates(known()));
        }
        let (resource, subresource) = match resource.trim().split_once('/') {
            Some((resource, sub)) => (resource, Some(sub)),
            None => (resource.trim(), None),
        };
        let special = verb != "*" && SPECIAL.contains(&verb.as_str());
        if resource.is_empty() || subresource.is_some_and(|sub| !is_word(sub, special)) {
            let message = "the argument \"resource\" must be a resource, or resource/subresource";
            return Err(Error::invalid_input(message).candidates(["pods", "deployments.apps", "pods/log"]));
        }
        let (kind, unknown) = match resource {
            "*" => (None, None),
            named => {
                let meant = Meant { resource: named, subresource, special, namespace: &input.namespace };
                let (kind, unknown) = meant.kind(call.cluster()?).await?;
                (Some(kind), unknown)
            }
        };
        let namespace = input.namespace.clone().filter(|_| kind.as_ref().is_none_or(|kind| kind.namespaced));
        let asked = Self {
            verb,
            kind,
            subresource: subresource.map(str::to_owned),
            namespace,
            name: input.name.clone(),
            unknown,
        };
        // names that no request could carry are refused before anything is sent
        if let Some(kind) = &asked.kind {
            kind.object_path(Some(asked.namespace.as_deref().unwrap_or("default")), asked.some_name())?;
        }
        Ok(Some(asked))
    }

    /// `list pods in all namespaces`
    pub(super) fn words(&self) -> String {
        let mut words = format!("{} {}", self.verb, self.resource());
        if let Some(name) = &self.name {
            words.push_str(&format!(" {name}"));
        }
        match (&self.namespace, &self.kind) {
            (Some(namespace), _) => words.push_str(&format!(" in namespace {namespace}")),
            (None, Some(kind)) if kind.namespaced => words.push_str(" in all namespaces"),
            (None, _) => {}
        }
        words
    }

    /// `deployments.apps/scale`
    pub(super) fn resource(&self) -> String {
        let mut words = match &self.kind {
            Some(kind) if kind.group.is_empty() => kind.plural.clone(),
            Some(kind) => format!("{}.{}", kind.plural, kind.group),
            None => "*".to_owned(),
        };
        if let Some(sub) = &self.subresource {
            words.push_str(&format!("/{sub}"));
        }
        words
    }

    /// The requests that would be made through the proxy: none for a verb that no request has by itself.
    pub(super) fn requests(&self) -> Vec<(Method, Target)> {
        let methods: &[Method] = match self.verb.as_str() {
            "get" | "list" | "watch" => &[Method::GET],
            "create" => &[Method::POST],
            "update" => &[Method::PUT],
            "patch" => &[Method::PATCH],
            "delete" | "deletecollection" => &[Method::DELETE],
            "*" => &[Method::GET, Method::DELETE],
            _ => &[],
        };
        let target = self.path().and_then(|path| Target::parse(&path).ok());
        target.map_or_else(Vec::new, |target| {
            methods.iter().map(|method| (method.clone(), target.clone())).collect()
        })
    }

    fn path(&self) -> Option<String> {
        let Some(kind) = &self.kind else {
            // whatever there is: what covers this covers all
            return Some(match &self.namespace {
                Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
                None => "/api/v1/pods".to_owned(),
            });
        };
        let namespace = self.namespace.as_deref();
        let of_one =
            matches!(self.verb.as_str(), "get" | "update" | "patch" | "delete") || self.subresource.is_some();
        let path = match of_one && (namespace.is_some() || !kind.namespaced) {
            true => kind.object_path(namespace, self.some_name()),
            false => kind.collection_path(namespace),
        };
        let sub = self.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
        path.ok().map(|path| path + &sub)
    }

    fn some_name(&self) -> &str {
        self.name.as_deref().unwrap_or("some-name")
    }
}

fn with(argument: &str, values: &str) -> Error {
    Error::invalid_input(format!("the argument {argument:?} is missing: verb and resource go together"))
        .next(format!("call again with {argument}: {values}; or without both, for everything"))
}

/// What a subresource may be called; that of `userextras` is any key.
fn is_word(text: &str, special: bool) -> bool {
    let other: &[u8] = if special { b"-*._%/" } else { b"-*" };
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || other.contains(&byte))
}
