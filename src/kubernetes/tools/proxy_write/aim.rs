//! [`Aim`]: the change that a caller wants made, and how it is sent.

use http::{Method, Request, header};
use kube::client::Body;
use serde_json::Value;

use super::{Input, Output, seen::Seen};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change, redact},
    kubernetes::{
        Access, Basis, DryRun, Fault, Object,
        access::{Reply, parse, uncertain, warnings},
        proxy::{
            BadPath, Query, Resource, Target, What, permit, unknown_keys,
            write::{
                content::{Content, reads},
                options::Options,
                pinned::pinned,
                said::Said,
            },
        },
    },
    permission::Permission,
    toolbox::Call,
};

/// A change that a caller wants made, and may.
pub(super) struct Aim<'a> {
    pub(super) call: &'a Call,
    pub(super) access: &'a Access,
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) options: Options,
    pub(super) content: Content,
    pub(super) body: Option<Value>,
    /// Keys of the query that have no effect.
    pub(super) unknown: Vec<String>,
}

impl<'a> Aim<'a> {
    /// Takes the arguments apart, and decides.
    pub(super) fn of(call: &'a Call, input: Input) -> Result<Self, Error> {
        let access = call.cluster()?;
        let method = Method::from(input.method);
        let target = Target::parse(&input.path).map_err(|BadPath(why)| {
            Error::invalid_input(format!("the argument \"path\": {why}"))
                .next("give it as /api/v1/namespaces/NAMESPACE/configmaps/NAME, the query apart")
        })?;
        access.note(&method, target.path());
        permit(call, access, &method, &target)?;
        writable(&target)?;
        let content = Content::of(&method, input.content_type.as_deref())?;
        let keys = input.query.iter().flatten().map(|(key, _)| key.as_str());
        let unknown = if target.resource().is_some() { unknown_keys(keys, true) } else { Vec::new() };
        let of_many = method == Method::DELETE && target.resource().is_some_and(|one| one.name.is_none());
        if let Some(why) = unknown.first().filter(|_| of_many) {
            // misspelled, a selector would select everything
            return Err(Error::invalid_input(format!("the argument \"query\": {why}")).next(
                "a collection is deleted with keys that are known alone: labelSelector, fieldSelector",
            ));
        }
        let options = Options::of(&method, content, input.query)?;
        let mut body = content.body(&method, input.body.as_deref())?;
        if target.is_secret() && body.as_ref().is_some_and(|body| reads(content, body)) {
            let namespace = target.resource().and_then(|resource| resource.namespace.as_deref());
            call.require(Permission::KubernetesSecretsRead, access, namespace)?;
        }
        if method == Method::DELETE {
            body = Some(options.deletion(body.as_ref())?);
        }
        Ok(Self { call, access, method, target, options, content, body, unknown })
    }

    /// The objects it is about, if it is about some.
    pub(super) fn resource(&self) -> Option<&Resource> {
        self.target.resource()
    }

    fn subresource(&self) -> Option<&str> {
        self.resource()?.subresource.as_deref()
    }

    /// Whether it deletes all of a collection that match.
    pub(super) fn is_of_many(&self) -> bool {
        self.method == Method::DELETE && self.resource().is_some_and(|resource| resource.name.is_none())
    }

    /// Whether it makes an object in a collection.
    pub(super) fn is_new(&self) -> bool {
        self.method == Method::POST && self.resource().is_some_and(|resource| resource.name.is_none())
    }

    /// Whether it is a question in the form of a change, of which the API server keeps nothing.
    pub(super) fn is_review(&self) -> bool {
        self.is_new()
            && self.resource().is_some_and(|resource| {
                matches!(resource.group.as_str(), "authentication.k8s.io" | "authorization.k8s.io")
                    && resource.plural.ends_with("reviews")
            })
    }

    /// Whether the status is what it changes, or may be.
    pub(super) fn is_of_status(&self) -> bool {
        let patches = |operation: &Value| {
            let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
            path.is_empty() || path.starts_with("/status")
        };
        let written = match &self.body {
            Some(Value::Array(operations)) => operations.iter().any(patches),
            Some(body) => self.method == Method::PATCH && body.get("status").is_some(),
            None => false,
        };
        written || self.subresource() == Some("status")
    }

    /// `deployments.apps/scale shop/web`
    pub(super) fn what(&self) -> String {
        let Some(resource) = self.resource() else { return self.target.path().to_owned() };
        let group = if resource.group.is_empty() { String::new() } else { format!(".{}", resource.group) };
        let sub = resource.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
        let place = match (&resource.namespace, &resource.name) {
            (Some(namespace), Some(name)) => format!(" {namespace}/{name}"),
            (Some(namespace), None) => format!(" in {namespace}"),
            (None, Some(name)) => format!(" {name}"),
            (None, None) => String::new(),
        };
        format!("{}{group}{sub}{place}", resource.plural)
    }

    /// Its dry run.
    pub(super) async fn tried(&self, version: Option<&str>) -> Result<Reply, Fault> {
        let mut body = self.body.clone();
        if let (&Method::DELETE, Some(Value::Object(options))) = (&self.method, &mut body) {
            // where there is a body, it is what counts; the query is for who reads the API server's audit log
            options.insert("dryRun".to_owned(), serde_json::json!(["All"]));
        }
        self.sent(body.as_ref(), DryRun::Yes, version).await
    }

    /// Makes the change, of that state alone; `None` where the state has changed since it was seen.
    pub(super) async fn send(&self, seen: &Seen) -> Result<Option<Reply>, Error> {
        let basis = seen.live.as_ref().filter(|_| seen.pins).map(|live| Basis {
            uid: live.uid(),
            resource_version: live.text(&["metadata", "resourceVersion"]).unwrap_or_default(),
        });
        let basis = basis.filter(|basis| !basis.uid.is_empty() && !basis.resource_version.is_empty());
        let body = match basis {
            Some(basis) => pinned(&self.method, self.content, self.resource(), self.body.as_ref(), basis),
            None => self.body.clone(),
        };
        let reply = self.sent(body.as_ref(), DryRun::No, seen.version.as_deref()).await?;
        if reply.status.is_success() {
            return Ok(Some(reply));
        }
        let said = Said::of(self.access, &self.target, &reply);
        let tested = basis.is_some() && self.content == Content::JsonPatch;
        let pinned = basis.is_some() || seen.version.is_some();
        if pinned && said.is_stale(tested) {
            return Ok(None);
        }
        Err(self.failed(&said, true))
    }

    async fn sent(
        &self,
        body: Option<&Value>,
        dry_run: DryRun,
        version: Option<&str>,
    ) -> Result<Reply, Fault> {
        let unfit = |error: String| Fault::Configuration(error);
        let query = self.options.query(dry_run == DryRun::Yes, version);
        let query: Query = query.map_err(|BadPath(why)| unfit(why.to_owned()))?;
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(query.behind(self.target.path()))
            .header(header::ACCEPT, "application/json");
        let bytes = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, self.content.name());
                Body::from(serde_json::to_vec(body).map_err(|error| unfit(error.to_string()))?)
            }
            None => Body::empty(),
        };
        let request = request.body(bytes).map_err(|error| unfit(error.to_string()))?;
        self.access.reply(request).await.map_err(|fault| uncertain(fault, dry_run))
    }

    /// What the cluster says, as the error of this call.
    pub(super) fn failed(&self, said: &Said, made: bool) -> Error {
        let refused = &said.refused;
        let structure = Output {
            status: Some(refused.status),
            reason: Some(refused.reason.clone()).filter(|reason| !reason.is_empty()),
            causes: refused.causes.clone(),
            ..self.output()
        };
        said.error(&self.what(), made).structure(structure)
    }

    /// What every answer says of the request.
    pub(super) fn output(&self) -> Output {
        Output {
            cluster: self.call.toolbox().clusters().shown_name(self.access.cluster()),
            method: self.method.to_string(),
            path: self.target.path().to_owned(),
            ..Output::default()
        }
    }

    /// Asks a review, which changes nothing and needs no plan.
    pub(super) async fn reviewed(&self) -> Result<Answer<Output>, Error> {
        let reply = self.sent(self.body.as_ref(), DryRun::No, None).await?;
        if !reply.status.is_success() {
            return Err(self.failed(&Said::of(self.access, &self.target, &reply), false));
        }
        let object = self.object(&reply.body)?;
        let mut output = self.output();
        output.warnings = warnings(&reply.headers);
        let (yaml, object) = self.shown(object);
        output.object = object;
        let summary = format!("{}: answered; a review changes nothing, and needs no plan", self.what());
        Ok(Answer::new(summary, yaml, output).change(Change::Unneeded))
    }

    /// An answer's body as an object.
    pub(super) fn object(&self, body: &[u8]) -> Result<Object, Fault> {
        super::seen::weighed(self.access, body)?;
        Object::from_value(parse(body)?).ok_or_else(|| Fault::Malformed("not an object".to_owned()))
    }

    /// An object as the caller may see it, as YAML and as a value; nothing of what only says that it went well.
    pub(super) fn shown(&self, mut object: Object) -> (String, Option<Value>) {
        if object.kind() == "Status" {
            return (String::new(), None);
        }
        // whatever else is at the path of Secrets is not shown
        if self.target.is_secret() && (object.kind(), object.api_version()) != ("Secret", "v1") {
            return (String::new(), None);
        }
        self.access.take_secrets(&mut object);
        self.call.scrub(&mut object);
        let value = redact::manifest(object);
        (serde_saphyr::to_string(&value).unwrap_or_else(|_| value.to_string()), Some(value))
    }
}

/// What this tool can do: it sends one body and reads one answer.
fn writable(target: &Target) -> Result<(), Error> {
    let wrong = |why: String| Error::invalid_input(format!("the argument \"path\": {why}"));
    match target.what() {
        What::Discovery => Err(wrong("it only says what there is, and takes no change".to_owned())
            .next("name a resource, as /api/v1/namespaces/NAMESPACE/configmaps")),
        What::Resource(resource) if target.is_channel() => {
            let sub = resource.subresource.clone().unwrap_or_default();
            Err(wrong(format!("{sub} opens a channel to a program, which is no call of a tool"))
                .next("use kubectl, or this server's HTTP endpoint for programs (http.proxy)"))
        }
        What::Resource(_) if target.is_credential() => {
            Err(wrong("the answer would be a token, and answers of tools never show one".to_owned())
                .next("use kubectl create token, or this server's HTTP endpoint for programs (http.proxy)"))
        }
        What::Resource(resource) if resource.watch => {
            Err(Error::new(ErrorKind::InvalidInput, "the argument \"path\": a watch takes no change"))
        }
        What::Resource(_) | What::Other => Ok(()),
    }
}
