//! `kro_delete_instance`: deletion of an instance, planned first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    SHOW_CHILDREN, cluster_name,
    operation::{self, ATTEMPTS, Generated, Next, count, instance_kind, named, section},
    reach,
};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change, Table},
    kro::{
        fetch::{Parent, Reader, Wanted},
        labels,
        operate::{
            observed::{Observed, Part, stable},
            refusal,
            waves::{self, Going},
        },
    },
    kubernetes::{Basis, DryRun, Fault, Object},
    permission::{Permission, Requirement},
    toolbox::{Call, Reach, Tool},
};

/// How deep nested instances are looked into.
const DEPTH: u32 = 4;

/// The handler.
#[derive(Debug)]
pub struct DeleteInstance;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Kind of the instance, or Kind.group.
    kind: String,
    /// Of a namespaced kind.
    namespace: Option<String>,
    name: String,
    /// From the call before.
    plan: Option<String>,
}

/// What would go, or goes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// Since when it is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleting: Option<String>,
    /// Children, in the order in which they go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    goes: Vec<GoingRow>,
    /// What keeps it, or will.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stays: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// A child that goes.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct GoingRow {
    /// Each begins when the one before is gone.
    wave: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// What it waits for, or takes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Tool for DeleteInstance {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = super::open(&call).await?;
        let of = instance_kind(&reader, &input.kind, input.namespace.as_deref()).await?;
        let aim = Aim { call: &call, reader: &reader, of: &of };
        let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
        for _ in 0..ATTEMPTS {
            let seen = aim.observe(reader.object(&of.kind, wanted).await?).await?;
            if let Some(since) = seen.live.deletion() {
                let summary = format!("{} is being deleted already, since {since}", aim.what(&seen.live));
                return Ok(aim.answer(summary, seen).change(Change::Unneeded));
            }
            let sent = match operation::next(&call, input.plan.as_deref(), &seen.observed)? {
                Next::Tell(head, change) => {
                    let summary = format!("{head}{}", aim.would(&seen));
                    return Ok(aim.answer(summary, seen).change(change));
                }
                Next::Do => aim.send(&seen.live, DryRun::No).await,
            };
            match sent {
                Ok(_) => {
                    let what = aim.what(&seen.live);
                    let summary =
                        format!("{what}: its deletion has begun; kro_watch follows it until it is gone");
                    return Ok(aim.answer(summary, seen).change(Change::Made));
                }
                Err(fault) if refusal::is_stale(&fault) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Err(operation::restless(&format!("{} {}", of.kind.kind, input.name)))
    }
}

struct Aim<'a> {
    call: &'a Call,
    reader: &'a Reader,
    of: &'a Generated,
}

struct Seen {
    live: Object,
    goes: Vec<Going>,
    blocks: Vec<String>,
    stays: Vec<String>,
    notes: Vec<String>,
    gaps: Vec<String>,
    observed: Observed,
}

impl Aim<'_> {
    fn what(&self, live: &Object) -> String {
        named(&self.of.kind, live.namespace(), live.name())
    }

    async fn send(&self, live: &Object, dry_run: DryRun) -> Result<Vec<String>, Fault> {
        let version = live.text(&["metadata", "resourceVersion"]).unwrap_or_default();
        let basis = Basis { uid: live.uid(), resource_version: version };
        self.reader.access().delete(&self.of.kind, live.namespace(), live.name(), basis, dry_run).await
    }

    async fn observe(&self, live: Object) -> Result<Seen, Error> {
        self.of.has(&live, &self.what(&live), "not deleted")?;
        self.not_a_child(&live).await?;
        let mut notes = Vec::new();
        if live.deletion().is_none() {
            match self.send(&live, DryRun::Yes).await {
                Ok(warnings) => notes.extend(warnings),
                // only kro's own notes on it have changed since it was read
                Err(fault) if refusal::is_stale(&fault) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        let access = self.reader.access();
        let children = self.call.narrowed(access, Requirement::Any(SHOW_CHILDREN.into()));
        let hidden = waves::places(&live).into_iter().any(|place| !children.sees(place));
        let none = !waves::places(&live).into_iter().any(|place| children.sees(place));
        let reader = Reader::new(&children).await?.naming_rgds(self.reader.names_rgds());
        let collected = reader.collect(live.clone(), if none { 0 } else { DEPTH }).await;
        let mut gaps = collected.gaps.clone();
        gaps.extend(collected.unread.iter().map(|(kind, unread)| format!("{kind}: {unread}")));
        gaps.extend(collected.unexpanded.iter().map(|name| format!("{name} was not looked into")));
        if hidden {
            gaps.push(
                "children in places that you may not see are not told; they go all the same (they need \
                 kro.resources.list or kro.resource-graph.show)"
                    .to_owned(),
            );
        }
        let goes = waves::going(&collected);
        let observed = goes.iter().map(|going| json!([going.kind, going.namespace, going.name])).collect();
        let (mut blocks, mut stays) = (waves::blocks(&collected), waves::stays(&collected));
        if !self.reader.names_rgds() {
            let rgd = collected.rgd.name().map(|name| format!("RGD {name}"));
            for line in blocks.iter_mut().chain(&mut gaps) {
                if let Some(rgd) = &rgd {
                    *line = line.replace(rgd.as_str(), "its RGD");
                }
            }
        }
        if hidden && none {
            // nodes are as little the caller's to see as children
            stays.clear();
        }
        Ok(Seen {
            observed: Observed::default().with(Part::Object, &stable(&live)).with(Part::Gone, &observed),
            live,
            goes,
            blocks,
            stays,
            notes,
            gaps,
        })
    }

    /// # Errors
    /// kro would make it again.
    async fn not_a_child(&self, live: &Object) -> Result<(), Error> {
        let what = self.what(live);
        let of = match self.reader.parent(live).await {
            Parent::None | Parent::Gone => return Ok(()),
            Parent::Unclear(why) => format!("an instance that cannot be read ({why})"),
            Parent::Found(parent) if parent.deletion().is_some() => return Ok(()),
            Parent::Found(parent) => {
                let namespace = parent.namespace();
                match self.call.allows(Permission::KroInstancesList, self.reader.access(), namespace) {
                    true => match namespace {
                        Some(namespace) => format!("{} {namespace}/{}", parent.kind(), parent.name()),
                        None => format!("{} {}", parent.kind(), parent.name()),
                    },
                    false => "an instance that you may not see".to_owned(),
                }
            }
        };
        let node = labels::node_id(live).unwrap_or("?");
        let message = format!("{what} is a child, node {node} of {of}: kro would make it again");
        Err(Error::new(ErrorKind::Conflict, message)
            .next("delete the instance that it belongs to, or change the field that includes it"))
    }

    fn would(&self, seen: &Seen) -> String {
        let waves = seen.goes.last().map_or(0, |going| going.wave);
        let with = match seen.goes.len() {
            0 => String::new(),
            number => format!(", with {} in {}", count(number, "object"), count(waves, "wave")),
        };
        let blocked = match seen.blocks.len() {
            0 => String::new(),
            number => format!("; {} would keep it", count(number, "thing")),
        };
        format!("{} would be deleted{with}{blocked}", self.what(&seen.live))
    }

    fn answer(&self, summary: String, seen: Seen) -> Answer<Output> {
        let rows: Vec<GoingRow> = seen.goes.into_iter().map(row).collect();
        let mut body = String::new();
        if !rows.is_empty() {
            let mut table = Table::new(&["wave", "node", "kind", "namespace", "name", "note"]);
            for row in &rows {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let (node, namespace, note) = (text(&row.node), text(&row.namespace), text(&row.note));
                table.row([&row.wave.to_string(), &node, &row.kind, &namespace, &row.name, &note]);
            }
            body = format!("{}\n", table.into_text());
        }
        body.push_str(&section("keeps it:", &seen.blocks));
        body.push_str(&section("stays:", &seen.stays));
        body.push_str(&section("note:", &seen.notes));
        let output = Output {
            cluster: cluster_name(self.call, self.reader),
            kind: self.of.kind.kind.clone(),
            namespace: seen.live.namespace().map(str::to_owned),
            name: seen.live.name().to_owned(),
            deleting: seen.live.deletion().map(str::to_owned),
            goes: rows,
            blocks: seen.blocks,
            stays: seen.stays,
            notes: seen.notes,
        };
        Answer::new(summary, body, output).gaps(seen.gaps)
    }
}

fn row(going: Going) -> GoingRow {
    let held = (!going.finalizers.is_empty()).then(|| format!("waits for {}", going.finalizers.join(", ")));
    let takes = going.takes.map(|takes| format!("takes {takes}"));
    let notes: Vec<String> = held.into_iter().chain(takes).collect();
    GoingRow {
        wave: going.wave,
        node: going.node,
        kind: going.kind,
        namespace: going.namespace,
        name: going.name,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}
