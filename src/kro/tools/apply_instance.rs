//! `kro_apply_instance`: server-side apply of an instance, planned first.

mod fates;
mod targets;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    child, cluster_name,
    operation::{self, ATTEMPTS, Next, count, named, not_deleting, section, shown},
    reach,
};
use crate::{
    Error,
    answer::{Answer, Change},
    kro::{
        applyset::GroupKind,
        fetch::{Reader, instance_kinds},
        labels,
        operate::{
            MANAGER, carried,
            observed::{Observed, Part, intent, stable},
            refusal,
        },
    },
    kubernetes::{
        DryRun, Fault, Kind, Object, Written,
        difference::{Difference, differences},
        written,
    },
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

const ARGUMENT: &str = "manifest";

/// The handler.
#[derive(Debug)]
pub struct ApplyInstance;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// YAML or JSON of one instance.
    #[schemars(length(max = 262_144))]
    manifest: String,
    /// From the call before.
    plan: Option<String>,
}

/// What would change, or did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// Whether it does not exist yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    new: bool,
    /// Fields of the instance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Difference>,
    /// Objects that are there already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    risks: Vec<String>,
    /// What becomes of its nodes, losses first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<String>,
    /// Of the API server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for ApplyInstance {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), None)
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let manifest = written::manifest(ARGUMENT, &input.manifest)?;
        let faults = carried::faults(&manifest);
        if !faults.is_empty() {
            let faults = faults.join(", ");
            return Err(Error::invalid_input(format!("the argument {ARGUMENT:?} has {faults}"))
                .next("leave these out"));
        }
        let reader = super::open(&call).await?;
        let (kind, generated) = kind(&call, &reader, &manifest).await?;
        let aim = Aim { call: &call, reader: &reader, kind: &kind, generated, manifest: &manifest };
        for _ in 0..ATTEMPTS {
            let seen = aim.observe().await?;
            if seen.live.is_some() && seen.total == 0 {
                let summary = format!("{}: nothing to change", aim.what());
                return Ok(aim.answer(summary, seen).change(Change::Unneeded));
            }
            let sent = match operation::next(&call, input.plan.as_deref(), &seen.observed)? {
                Next::Tell(head, change) => {
                    let summary = format!("{head}{}", aim.would(&seen));
                    return Ok(aim.answer(summary, seen).change(change));
                }
                Next::Do => aim.send(seen.live.as_ref(), DryRun::No).await,
            };
            match sent {
                Ok(written) => return Ok(aim.done(seen, &written)),
                Err(fault) if refusal::is_stale(&fault) => {}
                Err(fault) => return Err(refusal::of_apply(fault, &aim.what(), aim.values())),
            }
        }
        Err(operation::restless(&aim.what()))
    }
}

/// The kind of the manifest, in a place where the caller may apply, and whether it is known that an RGD
/// generates it.
async fn kind(call: &Call, reader: &Reader, manifest: &Object) -> Result<(Kind, bool), Error> {
    let access = reader.access();
    let of = GroupKind::of(manifest);
    let Some(kind) = reader.kind(&of).await else {
        call.require(Permission::KroInstancesApply, access, manifest.namespace())?;
        let error = Error::not_found(format!("the argument {ARGUMENT:?}: the cluster serves no {of}"));
        let known = instance_kinds(reader).await;
        return Err(error.candidates(crate::nearest::names(
            &of.to_string(),
            known.iter().map(String::as_str),
            8,
        )));
    };
    carried::fits(ARGUMENT, manifest, &kind)?;
    call.require(Permission::KroInstancesApply, access, manifest.namespace())?;
    if kind.group == labels::GROUP && kind.kind == "ResourceGraphDefinition" {
        let message = format!("the argument {ARGUMENT:?} is a ResourceGraphDefinition, not an instance");
        return Err(Error::invalid_input(message).next("kro_apply_rgd applies those"));
    }
    match reader.is_generated(&of).await {
        Some(false) => Err(child::refusal(call, reader, &kind, manifest).await),
        known => Ok((kind, known == Some(true))),
    }
}

/// One manifest on its way.
struct Aim<'a> {
    call: &'a Call,
    reader: &'a Reader,
    kind: &'a Kind,
    /// Whether it is known that an RGD generates it.
    generated: bool,
    manifest: &'a Object,
}

/// What there is, and what would be.
struct Seen {
    live: Option<Object>,
    changes: Vec<Difference>,
    /// How many there are, those that are not told included.
    total: usize,
    nodes: Vec<String>,
    /// How the first line ends.
    danger: String,
    risks: Vec<String>,
    warnings: Vec<String>,
    notes: Vec<String>,
    gaps: Vec<String>,
    observed: Observed,
}

impl Aim<'_> {
    fn namespace(&self) -> Option<&str> {
        self.manifest.namespace()
    }

    fn what(&self) -> String {
        named(self.kind, self.namespace(), self.manifest.name())
    }

    fn values(&self) -> bool {
        self.call.allows(Permission::KroInstancesViewYaml, self.reader.access(), self.namespace())
    }

    async fn send(&self, live: Option<&Object>, dry_run: DryRun) -> Result<Written, Fault> {
        // what kro notes on it meanwhile must not fail a dry run; the change itself is of what was seen
        let meant = live.filter(|_| dry_run == DryRun::No);
        let sent = carried::sent(self.manifest, meant);
        let access = self.reader.access();
        access.apply(self.kind, self.namespace(), self.manifest.name(), &sent, MANAGER, dry_run).await
    }

    async fn observe(&self) -> Result<Seen, Error> {
        let access = self.reader.access();
        let live = match access.get(self.kind, self.namespace(), self.manifest.name()).await {
            Ok(live) => Some(live),
            Err(Fault::NotFound(_)) => None,
            Err(fault) => return Err(fault.into()),
        };
        self.may_be_applied(live.as_ref()).await?;
        let dry_run = self.send(live.as_ref(), DryRun::Yes).await;
        let mut written = dry_run.map_err(|fault| refusal::of_apply(fault, &self.what(), self.values()))?;
        let before = live.as_ref().map_or(Value::Null, stable);
        let observed =
            Observed::default().with(Part::Object, &before).with(Part::Effect, &intent(&written.object));
        let mut seen = Seen {
            live,
            changes: Vec::new(),
            total: 0,
            nodes: Vec::new(),
            danger: String::new(),
            risks: Vec::new(),
            warnings: written.warnings.clone(),
            notes: Vec::new(),
            gaps: Vec::new(),
            observed,
        };
        let mut told = seen.live.clone();
        told.iter_mut().for_each(|live| self.call.scrub(live));
        self.call.scrub(&mut written.object);
        let before = told.as_ref().map_or_else(|| json!({}), intent);
        let mut changes = differences(&before, &intent(&written.object));
        if seen.live.is_none() {
            changes.retain(|change| !is_identity(&change.path));
        }
        self.fates(&mut seen, &written.object, &changes).await?;
        seen.total = changes.len();
        let (changes, notes) = shown(changes, self.values(), Permission::KroInstancesViewYaml);
        seen.changes = changes;
        seen.notes.extend(notes);
        Ok(seen)
    }

    /// # Errors
    /// It is being deleted, is not the one meant, or is a child.
    async fn may_be_applied(&self, live: Option<&Object>) -> Result<(), Error> {
        carried::means(ARGUMENT, self.manifest, live)?;
        if let Some(live) = live {
            not_deleting(&self.what(), live)?;
            let marked = labels::parent(live).is_some();
            if marked
                && let Some(refusal) =
                    child::governed(self.call, self.reader, self.kind, self.manifest, live).await
            {
                return Err(refusal);
            }
        }
        if live.is_some_and(labels::is_instance) || self.generated {
            return Ok(());
        }
        Err(Error::invalid_input(format!(
            "the argument {ARGUMENT:?}: whether an RGD generates {} cannot be read in this cluster, so it is not applied",
            self.kind.group_kind()
        ))
        .next("ask for get on customresourcedefinitions or list on resourcegraphdefinitions (examples/rbac/callers.yaml)"))
    }

    fn would(&self, seen: &Seen) -> String {
        let danger = &seen.danger;
        match seen.live {
            Some(_) => format!("{} would change in {}{danger}", self.what(), count(seen.total, "field")),
            None => format!("{} would be created{danger}", self.what()),
        }
    }

    fn done(&self, mut seen: Seen, written: &Written) -> Answer<Output> {
        let what = self.what();
        let summary = match (&seen.live, written.object.generation()) {
            (Some(_), Some(generation)) => {
                format!("{what} was changed in {}, generation {generation}", count(seen.total, "field"))
            }
            (Some(_), None) => format!("{what} was changed"),
            (None, _) => format!("{what} was created"),
        };
        if seen.live.is_none() && written.object.field_managers().iter().any(|manager| *manager != MANAGER) {
            let note = "somebody else created it at the same moment: it has the fields of both";
            seen.notes.push(note.to_owned());
        }
        seen.warnings.clone_from(&written.warnings);
        seen.notes.push("kro_watch follows it until it is ready".to_owned());
        self.answer(summary, seen).change(Change::Made)
    }

    fn answer(&self, summary: String, seen: Seen) -> Answer<Output> {
        let body = [
            section("risks:", &seen.risks),
            section("fields:", &seen.changes),
            section("nodes:", &seen.nodes),
            section("the API server warns:", &seen.warnings),
            section("note:", &seen.notes),
        ];
        let output = Output {
            cluster: cluster_name(self.call, self.reader),
            kind: self.kind.kind.clone(),
            namespace: self.namespace().map(str::to_owned),
            name: self.manifest.name().to_owned(),
            new: seen.live.is_none(),
            changes: seen.changes,
            risks: seen.risks,
            nodes: seen.nodes,
            warnings: seen.warnings,
            notes: seen.notes,
        };
        Answer::new(summary, body.concat(), output).gaps(seen.gaps)
    }
}

/// What a new object has in any case.
fn is_identity(path: &str) -> bool {
    matches!(path, "apiVersion" | "kind" | "metadata.name" | "metadata.namespace")
}
