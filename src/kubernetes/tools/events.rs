//! `kubernetes_events`: the events of a namespace or an object.

mod sieve;
mod told;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    answer::{Answer, Rows, sanitise},
    kubernetes::{
        Access, Event, Kind, Listed,
        events::{About, DEFAULT_NAMESPACE, EventRow, events, merged, since},
    },
    permission::{Extent, Permission},
    toolbox::{Call, Reach, Tool},
};

use sieve::Sieve;
use told::Target;

const FILTERED: &str = "filtered to the namespaces that you may see";
const NOT_CLUSTER_SCOPED: &str = "events about cluster-scoped objects, which are kept in the namespace default, \
                                  are left out: you may not see such objects";

/// The handler.
#[derive(Debug)]
pub struct ListEvents;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub cluster: Option<String>,
    pub namespace: Option<String>,
    /// Kind or Kind.group
    pub kind: Option<String>,
    pub name: Option<String>,
    pub uid: Option<String>,
    pub r#type: Option<Type>,
    pub reason: Option<String>,
    /// 30m, 2h, or a time
    pub since: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Type {
    Warning,
    Normal,
}

/// The events. Rows leave out what was asked for: the object, and its namespace.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Rows that are warnings; they come first.
    warnings: usize,
    #[serde(flatten)]
    events: Rows<EventRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for ListEvents {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        super::reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let now = Timestamp::now();
        let since = input.since.as_deref().map(|written| since(written, now)).transpose()?;
        let access = call.cluster()?;
        let kind = match &input.kind {
            Some(written) => Some(access.kind_named(written).await.map_err(|none| none.of("kind"))?),
            None => None,
        };
        let namespace = place(&call, access, kind.as_ref(), &input)?;
        let sieve = Sieve::new(access, kind.as_ref(), &input, since);
        let kinds = access.kinds().await?;
        let about = about(kind.as_ref(), &input);
        let listed = events(access, &kinds, namespace, about, &|event| sieve.keeps(event)).await;
        let Listed { items, cut, .. } = listed.map_err(|fault| {
            let wide = fault.is_forbidden() && namespace.is_none();
            let error = Error::from(fault);
            match wide {
                true => error.next("name a namespace: reading those of all namespaces is not allowed"),
                false => error,
            }
        })?;
        let items = items.into_iter().map(|mut event| {
            // messages are cut later, and a part of a secret value is not found any more
            call.scrub(&mut event);
            Event::read(&event)
        });
        let events = merged(items);
        let target = Target::new(kind.as_ref(), namespace, &input);
        let cluster = call.toolbox().clusters().shown_name(access.cluster());
        let summary = target.line(&cluster, &events, now);
        let mut notes = target.notes(&events, &sieve.counted());
        if let Some(gone) = input.namespace.as_deref().filter(|_| events.is_empty() && namespace.is_some())
            && access.lacks_namespace(gone).await
        {
            notes.push(format!("there is no namespace {gone}"));
        }
        let warnings = events.iter().filter(|event| event.is_warning()).count();
        let rows = events.iter().map(|event| EventRow::new(event, target.placed(event), now)).collect();
        let narrow = "narrow it with namespace, kind and name, type, reason or since";
        let (page, rest) = call.page(rows, input.cursor.as_deref(), narrow)?;
        let table = if page.rows.rows.is_empty() { "" } else { page.table.trim_end() };
        let told = notes.iter().map(|note| format!("\nnote: {note}")).collect::<String>();
        let body = format!("{table}{told}");
        let is_namespaced = kind.as_ref().is_none_or(|kind| kind.namespaced);
        let gaps = filtered(&call, access, namespace).into_iter().map(str::to_owned);
        let gaps: Vec<String> = gaps.chain(cut.map(|why| format!("events: {why}"))).collect();
        let output = Output {
            cluster,
            namespace: namespace.filter(|_| is_namespaced).map(str::to_owned),
            kind: kind.map(|kind| kind.group_kind()),
            name: input.name.as_deref().map(|name| sanitise::short(name, 253)),
            warnings,
            events: page.rows,
            notes,
        };
        Ok(Answer::new(summary, body.trim_start_matches('\n'), output).gaps(gaps).cut(rest))
    }
}

/// The namespace whose events are read; `None` for all. What cannot be a name is refused before anything is sent.
fn place<'i>(
    call: &Call,
    access: &Access,
    kind: Option<&Kind>,
    input: &'i Input,
) -> Result<Option<&'i str>, Error> {
    let namespace = input.namespace.as_deref();
    if let (Some(kind), Some(name)) = (kind, &input.name) {
        kind.object_path(Some(namespace.unwrap_or(DEFAULT_NAMESPACE)), name)?;
    }
    match kind {
        Some(kind) if !kind.namespaced => {
            call.require(Permission::KubernetesResourcesRead, access, None)?;
            Ok(Some(DEFAULT_NAMESPACE))
        }
        _ => Ok(namespace),
    }
}

/// What the API server is asked to narrow.
fn about<'i>(kind: Option<&'i Kind>, input: &'i Input) -> About<'i> {
    match (&input.uid, kind, &input.name) {
        (Some(uid), ..) => About::Uid(uid),
        (None, Some(kind), Some(name)) => About::Named(&kind.kind, name),
        (None, Some(kind), None) => About::Kind(&kind.kind),
        (None, None, Some(name)) => About::Called(name),
        (None, None, None) => About::All,
    }
}

/// What is left out for want of permissions, whether or not there is something.
fn filtered(call: &Call, access: &Access, namespace: Option<&str>) -> Option<&'static str> {
    let needed = Permission::KubernetesResourcesRead;
    let cluster = Extent::Named(access.cluster().names());
    match namespace {
        None => (!call.caller().permissions().covers_cluster(needed, &cluster)).then_some(FILTERED),
        Some(DEFAULT_NAMESPACE) => (!call.allows(needed, access, None)).then_some(NOT_CLUSTER_SCOPED),
        Some(_) => None,
    }
}
