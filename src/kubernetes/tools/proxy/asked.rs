//! [`Asked`]: the arguments, checked, and the request that they make.

use serde_json::Value;

use super::{Form, Input, Method, fields::Fields, place::Place};
use crate::{
    Error,
    kubernetes::proxy::{Query, Target, What, unknown_keys},
    toolbox::Call,
};

/// Objects of a page as JSON: more of them seldom fit an answer.
const OBJECTS: usize = 25;
/// Lines of a log, where nothing says how many: kubelets send all.
const LINES: usize = 200;
/// What says how much of a log is wanted.
const MEASURES: [&str; 4] = ["tailLines", "limitBytes", "sinceSeconds", "sinceTime"];

/// JSON first, and anything where there is none (logs, metrics).
const ANY: &str = "application/json, */*;q=0.5";
/// The columns, and JSON where an API has none.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json";

/// What is read.
pub(super) struct Asked {
    pub(super) method: http::Method,
    pub(super) target: Target,
    pub(super) form: Form,
    pub(super) fields: Option<Fields>,
    /// Where a list, or a text, goes on.
    pub(super) place: Place,
    /// Items of a page, or lines of a log.
    pub(super) most: usize,
    query: Vec<(String, String)>,
    limited: bool,
}

impl Asked {
    pub(super) fn of(call: &Call, input: &Input) -> Result<Self, Error> {
        let target = target(&input.path)?;
        if target.is_channel() {
            return Err(Error::invalid_input(format!(
                "what answers on the subresource in {} is another program, and reading it may change something",
                target.path()
            ))
            .next("over the HTTP proxy endpoint it is passed on for who has kubernetes.proxy.write"));
        }
        if target.resource().is_some_and(|resource| resource.watch) {
            return Err(once("the prefix /watch/"));
        }
        let form = input.r#as.unwrap_or_default();
        let fields = input.fields.as_deref().map(Fields::parse).transpose()?;
        if form == Form::Table && fields.is_some() {
            return Err(Error::invalid_input(
                "the arguments \"fields\" and \"as\": \"table\" exclude each other",
            )
            .next("leave one of them out: fields are of the JSON"));
        }
        let method = match input.method.unwrap_or_default() {
            Method::Get => http::Method::GET,
            Method::Head => http::Method::HEAD,
        };
        let query = query(input)?;
        let rows = call.budget().rows;
        let mut asked = Self {
            method,
            target,
            form,
            fields,
            place: Place::default(),
            most: rows,
            query,
            limited: input.limit.is_some(),
        };
        if input.limit.is_none() && asked.lists() && form == Form::Json && asked.fields.is_none() {
            asked.most = OBJECTS;
        }
        if input.limit.is_none() && asked.logs() {
            asked.most = LINES;
        }
        if let Some(cursor) = &input.cursor {
            asked.place = Place::open(call, cursor)?;
        }
        // as long as a path may be that a program sends
        Query::parse(asked.sent().as_str())
            .map_err(|bad| Error::invalid_input(format!("the argument \"query\" does not do: {bad}")))?;
        Ok(asked)
    }

    /// Whether a list is asked for.
    pub(super) fn lists(&self) -> bool {
        self.method == http::Method::GET
            && self.target.resource().is_some_and(|resource| resource.name.is_none())
    }

    /// Whether the log of a Pod is asked for.
    pub(super) fn logs(&self) -> bool {
        self.target
            .resource()
            .is_some_and(|one| one.plural == "pods" && one.subresource.as_deref() == Some("log"))
    }

    /// Whether objects are asked for, and not a text beside one.
    pub(super) fn objects(&self) -> bool {
        self.target.is_secret()
            || self.target.resource().is_some_and(|resource| resource.subresource.is_none())
    }

    /// Whether what is answered says what there is, and holds nothing of anybody's.
    pub(super) fn discovers(&self) -> bool {
        *self.target.what() == What::Discovery
    }

    /// The namespace in the path.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.target.resource()?.namespace.as_deref()
    }

    /// The path of the collection that the object would be in.
    pub(super) fn collection(&self) -> &str {
        let path = self.target.path();
        let Some(resource) = self.target.resource() else { return path };
        let prefix = if resource.group.is_empty() { 2 } else { 3 };
        let segments = prefix + if resource.namespace.is_some() { 3 } else { 1 };
        let end = path.match_indices('/').nth(segments).map_or(path.len(), |(at, _)| at);
        path.get(..end).unwrap_or(path)
    }

    /// What the objects are called, and where.
    pub(super) fn what(&self) -> String {
        let Some(resource) = self.target.resource() else { return self.target.path().to_owned() };
        match &resource.namespace {
            Some(namespace) => format!("{} in {namespace}", resource.plural),
            None => resource.plural.clone(),
        }
    }

    pub(super) fn accept(&self) -> &'static str {
        if self.form == Form::Table { TABLE } else { ANY }
    }

    /// How many items the page is asked to have: that of the cursor where a part of it was shown.
    pub(super) fn page(&self) -> usize {
        if self.place.offset > 0 { self.place.page.max(1) } else { self.most }
    }

    /// Keys of the query that have no effect.
    pub(super) fn unknown(&self) -> Vec<String> {
        match self.target.resource() {
            Some(_) => unknown_keys(self.query.iter().map(|(key, _)| key.as_str()), false),
            None => Vec::new(),
        }
    }

    /// Path and query as they are sent.
    pub(super) fn uri(&self) -> String {
        self.sent().behind(self.target.path())
    }

    fn sent(&self) -> Query {
        let mut pairs = self.query.clone();
        if self.place.goes_on() {
            // a version belongs to the first page alone
            pairs.retain(|(name, _)| !name.starts_with("resourceVersion"));
        }
        let mut add = |name: &str, value: String| pairs.push((name.to_owned(), value));
        if self.lists() {
            add("limit", self.page().to_string());
            if let Some(token) = &self.place.token {
                add("continue", token.clone());
            } else if let Some(version) = self.place.version.as_ref().filter(|_| self.place.offset > 0) {
                // the first page once more, as it was
                add("resourceVersion", version.clone());
                add("resourceVersionMatch", "Exact".to_owned());
            }
        } else if self.logs() && (!self.measured() || (self.limited && !self.has("tailLines"))) {
            add("tailLines", self.most.to_string());
        }
        Query::of(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Whether the query says how much of a log is wanted.
    fn measured(&self) -> bool {
        MEASURES.iter().any(|measure| self.has(measure))
    }

    fn has(&self, wanted: &str) -> bool {
        self.query.iter().any(|(name, _)| name == wanted)
    }
}

fn target(path: &str) -> Result<Target, Error> {
    let wrong = |why: &str| Error::invalid_input(format!("the argument \"path\" does not do: {why}"));
    if path.contains(['?', '#']) {
        let next = "as path: /api/v1/pods, query: {\"labelSelector\": \"app=web\"}";
        return Err(wrong("give the query apart, in the argument \"query\"").next(next));
    }
    Target::parse(path).map_err(|bad| {
        let next = match path {
            path if !path.starts_with('/') => {
                "core objects are below /api/v1, others below /apis/GROUP/VERSION; GET /apis lists the groups"
            }
            path if path.contains("//") || path.ends_with('/') => "leave the surplus / out",
            _ => "give it as the API server has it: /api/v1/namespaces/NAMESPACE/pods/NAME",
        };
        wrong(&bad.to_string()).next(next)
    })
}

fn once(what: &str) -> Error {
    Error::invalid_input(format!("a tool answers once, so {what} does not do")).next(
        "call again later, follow KRO objects with kro_watch or by subscribing to a resource, or watch over the HTTP \
         proxy endpoint",
    )
}

fn query(input: &Input) -> Result<Vec<(String, String)>, Error> {
    let pairs = input.query.iter().flatten();
    pairs
        .map(|(name, value)| {
            let ours = |argument: &str| {
                Err(Error::invalid_input(format!(
                    "{name:?} does not go into \"query\": give the argument {argument:?}"
                )))
            };
            match name.as_str() {
                "limit" => return ours("limit"),
                "continue" => return ours("cursor"),
                "watch" | "follow" | "allowWatchBookmarks" | "sendInitialEvents" => {
                    return Err(once(&format!("{name:?} in \"query\"")));
                }
                _ => {}
            }
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => return Err(Error::invalid_input(format!("{name:?} in \"query\" must be a text"))),
            };
            Ok((name.clone(), value))
        })
        .collect()
}
