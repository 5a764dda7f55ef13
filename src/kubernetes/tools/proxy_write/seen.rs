//! [`Seen`]: what there is, and what a change would make of it.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::aim::Aim;
use crate::{
    Error,
    kubernetes::{
        Access, Fault, Object,
        access::{Reply, parse, warnings},
        difference::{Difference, differences},
        observed::{Observed, Part},
        proxy::write::{
            content::Content,
            dry_run,
            effect::{self, settled, stable, varying, without},
            managers::{managed, taken},
            risk::{follows, risks},
            said::Said,
        },
        raw,
    },
};

/// Objects that one call deletes at most.
const MOST: usize = 500;
/// For what is told of a collection: metadata alone, where the server can.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

/// What there is, and what would be.
pub(super) struct Seen {
    /// The object there is, values of Secrets included: never shown as it is.
    pub(super) live: Option<Object>,
    /// Whether the request can say that it is for that state.
    pub(super) pins: bool,
    /// The version of the collection that goes.
    pub(super) version: Option<String>,
    pub(super) changes: Vec<Difference>,
    /// Names of what goes.
    pub(super) goes: Vec<String>,
    /// Whether nothing at all would be different.
    pub(super) same: bool,
    /// Why it could not be tried.
    pub(super) untried: Option<String>,
    pub(super) risks: Vec<String>,
    pub(super) takes: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) observed: Observed,
}

impl Seen {
    fn of(live: Option<Object>) -> Self {
        Self {
            live,
            pins: true,
            version: None,
            changes: Vec::new(),
            goes: Vec::new(),
            same: false,
            untried: None,
            risks: Vec::new(),
            takes: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            observed: Observed::default(),
        }
    }
}

/// What a dry run came to.
enum Tried {
    Reply(Reply),
    Not(String),
}

impl Aim<'_> {
    /// Reads what there is, and tries the change. `agreed`: what was observed for the plan that is to be done.
    pub(super) async fn observe(&self, agreed: Option<&str>) -> Result<Seen, Error> {
        if self.is_of_many() {
            return self.observe_many().await;
        }
        let (live, pins) = self.live().await?;
        let mut seen = Seen { pins, ..Seen::of(live) };
        let with_status = self.is_of_status();
        if let Some(live) = &seen.live {
            seen.observed = seen.observed.with(Part::Object, &stable(live, with_status));
        }
        let tried = self.try_it(None).await?;
        let object = match &tried {
            Tried::Reply(reply) => {
                seen.warnings = warnings(&reply.headers);
                Some(self.object(&reply.body)?)
            }
            Tried::Not(why) => {
                seen.untried = Some(why.clone());
                None
            }
        };
        if let Some(resource) = self.resource() {
            seen.risks = risks(&self.method, resource, seen.live.as_ref().or(object.as_ref()));
        }
        if self.method == Method::DELETE {
            if let (Some(live), Some(options)) = (&seen.live, &self.body) {
                seen.notes.extend(follows(live, options));
            }
            return Ok(seen);
        }
        match object.filter(|object| object.kind() != "Status") {
            Some(after) => self.effect(&mut seen, &after, agreed).await?,
            None => seen.observed = seen.observed.with(Part::Effect, &json!(seen.untried.is_some())),
        }
        Ok(seen)
    }

    /// What it changes from what to what.
    async fn effect(&self, seen: &mut Seen, after: &Object, agreed: Option<&str>) -> Result<(), Error> {
        let with_status = self.is_of_status();
        let before = seen.live.as_ref().map(|live| settled(live, with_status));
        let made = settled(after, with_status);
        let varying = match agreed {
            Some(agreed) => Observed::varying(agreed),
            None => self.varying(before.as_ref(), after, &made).await?,
        };
        let made = without(made, &varying);
        seen.observed = std::mem::take(&mut seen.observed).with(Part::Effect, &made).but_for(&varying);
        let applied = self.content == Content::Apply;
        let owned = |live: &Object| !applied || managed(live) == managed(after);
        seen.same = before.as_ref() == Some(&made) && seen.live.as_ref().is_some_and(owned);
        if let Some(live) = &seen.live {
            seen.takes = taken(live, after, self.options.manager());
            if before.as_ref() == Some(&made) && !seen.same {
                let manager = self.options.manager();
                seen.notes.push(format!("no value changes; {manager} becomes a manager of the fields"));
            }
        }
        if !varying.is_empty() {
            let places: Vec<String> = varying.iter().map(|pointer| effect::told(pointer)).collect();
            seen.notes.push(format!("made up anew when it is done: {}", places.join(", ")));
        }
        let nothing = json!({});
        seen.changes = self.differences(before.as_ref().unwrap_or(&nothing), &made);
        Ok(())
    }

    /// Where a second dry run says something else. Not asked where all that is new is of the caller's words.
    async fn varying(
        &self,
        before: Option<&Value>,
        after: &Object,
        made: &Value,
    ) -> Result<Vec<String>, Error> {
        let words = json!([self.body, after.kind(), after.api_version(), after.namespace(), self.named()]);
        if !effect::adds_to(&words, before.unwrap_or(&Value::Null), made) {
            return Ok(Vec::new());
        }
        match self.try_it(None).await? {
            Tried::Reply(again) => {
                let again = settled(&self.object(&again.body)?, self.is_of_status());
                Ok(varying(made, &again))
            }
            Tried::Not(_) => Ok(Vec::new()),
        }
    }

    fn named(&self) -> Option<&str> {
        self.resource()?.name.as_deref()
    }

    /// The differences as they may be told: values of Secrets are only said to differ.
    fn differences(&self, before: &Value, after: &Value) -> Vec<Difference> {
        let shown = |value: &Value| {
            let mut object = Object::from_value(value.clone()).unwrap_or_default();
            self.access.take_secrets(&mut object);
            self.call.scrub(&mut object);
            object.into_value()
        };
        if !self.target.is_secret() {
            return differences(&shown(before), &shown(after));
        }
        // what is redacted alike may differ: values are compared as they are, under a kind whose are never told
        let split = |value: &Value| {
            let mut rest = shown(value);
            let mut values = json!({"kind": "Secret"});
            for member in ["data", "stringData"] {
                if let (Value::Object(rest), Value::Object(values)) = (&mut rest, &mut values) {
                    rest.remove(member);
                    values.extend(value.get(member).map(|said| (member.to_owned(), said.clone())));
                }
            }
            (rest, values)
        };
        let ((before, hidden_before), (after, hidden_after)) = (split(before), split(after));
        let mut found = differences(&before, &after);
        found.extend(differences(&hidden_before, &hidden_after));
        found
    }

    /// The object that it is about, where it is about one that may be there, and whether a request can say so.
    async fn live(&self) -> Result<(Option<Object>, bool), Error> {
        let Some(resource) = self.resource().filter(|resource| resource.name.is_some()) else {
            return Ok((None, false));
        };
        let path = self.target.path();
        let parent = path.rsplit_once('/').map_or(path, |(parent, _)| parent);
        let is_parent = match resource.subresource.as_deref() {
            None => false,
            Some("finalize") => true,
            Some(_) => self.method == Method::POST,
        };
        let found = read(self.access, if is_parent { parent } else { path }).await;
        let mut pins = true;
        let found = match found {
            // a subresource that cannot be read: what it takes is not known
            Err(Fault::NotFound(_) | Fault::Status { status: 405, .. })
                if resource.subresource.is_some() && !is_parent =>
            {
                pins = false;
                read(self.access, parent).await
            }
            found => found,
        };
        let live = match found {
            Ok(live) => live,
            // an apply or PUT may make it; of anything else the API server says it itself
            Err(Fault::NotFound(_)) => return Ok((None, false)),
            Err(fault) => return Err(fault.into()),
        };
        // learned before anything is told of it
        self.access.take_secrets(&mut live.clone());
        Ok((Some(live), pins))
    }

    /// Tries it, where that changes nothing.
    async fn try_it(&self, version: Option<&str>) -> Result<Tried, Error> {
        let Some(resource) = self.resource() else {
            return Ok(Tried::Not("it is no resource of the API, and dry runs are of resources".to_owned()));
        };
        if let Err(why) = dry_run::is_tried(self.access, &self.method, resource).await {
            return Ok(Tried::Not(why));
        }
        let reply = self.tried(version).await?;
        if reply.status.is_success() {
            return Ok(Tried::Reply(reply));
        }
        let said = Said::of(self.access, &self.target, &reply);
        if said.is_no_dry_run() {
            return Ok(Tried::Not(said.refused.message));
        }
        Err(self.failed(&said, false))
    }

    /// All that match, by name.
    async fn observe_many(&self) -> Result<Seen, Error> {
        let uri = self.options.listing(MOST).behind(self.target.path());
        let body = self.access.get_body(&uri, &[], METADATA).await?;
        let list: List = parse(&body)?;
        let items = list.items.unwrap_or_default();
        if list.metadata.token.is_some_and(|token| !token.is_empty()) || items.len() > MOST {
            return Err(Error::invalid_input(format!(
                "{}: more than {MOST} objects match, which is more than one call deletes",
                self.what()
            ))
            .next("narrow it with query labelSelector or fieldSelector"));
        }
        let mut seen = Seen::of(None);
        let found: Vec<Value> = items
            .iter()
            .map(|item| json!([item.metadata.name, item.metadata.uid, item.metadata.generation]))
            .collect();
        seen.observed = seen.observed.with(Part::Gone, &Value::Array(found));
        seen.same = items.is_empty();
        let held = items.iter().filter(|item| !item.metadata.finalizers.is_empty()).count();
        seen.goes = items.into_iter().map(|item| item.metadata.name).collect();
        seen.version = list.metadata.version.filter(|version| !version.is_empty());
        if seen.same {
            return Ok(seen);
        }
        if !self.options.selects() {
            seen.risks.push("no selector narrows it: this is all there is".to_owned());
        }
        if let Some(resource) = self.resource() {
            seen.risks.extend(risks(&self.method, resource, None));
        }
        if held > 0 {
            seen.notes.push(format!("{held} of them stay until their finalizers are done"));
        }
        match self.try_it(seen.version.as_deref()).await? {
            Tried::Reply(reply) => seen.warnings = warnings(&reply.headers),
            Tried::Not(why) => seen.untried = Some(why),
        }
        Ok(seen)
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMetadata,
    /// `null` where there are none.
    items: Option<Vec<Item>>,
}

#[derive(Default, Deserialize)]
struct ListMetadata {
    #[serde(rename = "continue")]
    token: Option<String>,
    #[serde(rename = "resourceVersion")]
    version: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    metadata: ItemMetadata,
}

#[derive(Deserialize)]
struct ItemMetadata {
    name: String,
    #[serde(default)]
    uid: String,
    generation: Option<i64>,
    #[serde(default)]
    finalizers: Vec<String>,
}

async fn read(access: &Access, path: &str) -> Result<Object, Fault> {
    let body = access.get_body(path, &[], "application/json").await?;
    weighed(access, &body)?;
    Object::from_value(parse(&body)?).ok_or_else(|| Fault::Malformed("not an object".to_owned()))
}

/// Counts what a body takes in memory, before it does.
pub(super) fn weighed(access: &Access, body: &[u8]) -> Result<(), Fault> {
    let weight = raw::weight(body);
    // an object that etcd could not hold is an attack on our memory
    if body.len() > raw::LARGEST || weight > raw::HEAVIEST {
        return Err(Fault::TooLarge(raw::LARGEST));
    }
    access.keep(weight)
}
