//! `kro_reconcile`: suspending an instance, resuming it, and having kro look at it now.

mod annotations;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    cluster_name,
    operation::{self, ATTEMPTS, Generated, Next, instance_kind, named, not_deleting, section},
    reach,
};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change},
    kro::{
        fetch::{Reader, Wanted},
        graph::Rgd,
        instance, labels,
        operate::{
            MANAGER,
            observed::{Observed, Part, stable},
            refusal, version,
        },
    },
    kubernetes::{Access, DryRun, Fault, Kind, Object, Written},
    toolbox::{Call, Reach, Tool},
};

/// Between tries to resume what was suspended for a moment.
const PAUSE: Duration = Duration::from_millis(300);
/// Tries to resume it.
const RESUMES: usize = 5;

/// The handler.
#[derive(Debug)]
pub struct Reconcile;

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
    action: Action,
    /// From the call before.
    plan: Option<String>,
}

// No comments on the variants: each would be a line in every tool list.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Action {
    Suspend,
    Resume,
    Now,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Now => "now",
        }
    }
}

/// What would be done, or was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    action: Action,
    /// Whether kro leaves its children alone now.
    suspended: bool,
    /// Metadata of the instance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for Reconcile {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = super::open(&call).await?;
        let of = instance_kind(&reader, &input.kind, input.namespace.as_deref()).await?;
        let aim = Aim { call: &call, reader: &reader, of: &of, action: input.action };
        let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
        for _ in 0..ATTEMPTS {
            let live = reader.object(&of.kind, wanted).await?;
            let what = named(&of.kind, live.namespace(), live.name());
            aim.may_be_told(&live, &what)?;
            let suspended = instance::is_suspended(&live);
            let unneeded = match (input.action, suspended) {
                (Action::Suspend, true) => Some("is suspended already"),
                (Action::Resume, false) => Some("is not suspended"),
                _ => None,
            };
            if let Some(unneeded) = unneeded {
                let summary = format!("{what} {unneeded}: nothing to change");
                return Ok(aim
                    .answer(summary, &live, suspended, Vec::new(), Vec::new())
                    .change(Change::Unneeded));
            }
            let word = aim.word(&live, &what)?;
            let first = if input.action == Action::Resume {
                annotations::resumed(&live)
            } else {
                annotations::suspending(&live, word)
            };
            let tried = aim.send(&live, first.clone(), DryRun::Yes).await;
            let warnings = match tried {
                Ok(written) => written.warnings,
                Err(fault) if refusal::is_stale(&fault) => continue,
                Err(fault) => return Err(fault.into()),
            };
            let changes = annotations::changes(input.action, &live, word);
            let mut notes = aim.notes(&live).await;
            notes.extend(warnings.into_iter().map(|warning| format!("the API server warns: {warning}")));
            let observed = Observed::default().with(Part::Object, &stable(&live));
            match operation::next(&call, input.plan.as_deref(), &observed)? {
                Next::Tell(head, change) => {
                    let would = match input.action {
                        Action::Suspend => "would be suspended: kro leaves its children as they are",
                        Action::Resume => "would be resumed: kro brings its children back to its spec",
                        Action::Now => "would be reconciled now, by suspending and resuming it at once",
                    };
                    let summary = format!("{head}{what} {would}");
                    return Ok(aim.answer(summary, &live, suspended, changes, notes).change(change));
                }
                Next::Do => {}
            }
            match aim.send(&live, annotations::stamped(first, input.action), DryRun::No).await {
                Ok(_) => {}
                Err(fault) if refusal::is_stale(&fault) => continue,
                Err(fault) => return Err(fault.into()),
            }
            if input.action == Action::Now {
                aim.resume(&live, &what).await?;
            }
            let done = match input.action {
                Action::Suspend => "is suspended",
                Action::Resume => "is resumed",
                Action::Now => {
                    "was suspended and resumed: kro is asked to look at it (kro_watch shows whether it does)"
                }
            };
            let suspended = input.action == Action::Suspend;
            let answer = aim.answer(format!("{what} {done}"), &live, suspended, changes, notes);
            return Ok(answer.change(Change::Made));
        }
        Err(operation::restless(&format!("{} {}", of.kind.kind, input.name)))
    }
}

struct Aim<'a> {
    call: &'a Call,
    reader: &'a Reader,
    of: &'a Generated,
    action: Action,
}

impl Aim<'_> {
    /// # Errors
    /// It is no instance, or on its way out, or "now" would end a suspension that somebody wants.
    fn may_be_told(&self, live: &Object, what: &str) -> Result<(), Error> {
        self.of.has(live, what, "left alone")?;
        not_deleting(what, live)?;
        if self.action == Action::Now && instance::is_suspended(live) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{what} is suspended, so kro does not look at it"),
            )
            .next("use action resume, which has kro look at it too"));
        }
        Ok(())
    }

    /// The value that its kro understands.
    fn word(&self, live: &Object, what: &str) -> Result<&'static str, Error> {
        let version = version::of(live);
        version::suspending(version).ok_or_else(|| {
            let version = version.map_or_else(String::new, |version| format!(" {version}"));
            Error::invalid_input(format!(
                "{what} is kept by kro{version}, which cannot suspend: that came with v0.9.0"
            ))
            .next("change its spec to have kro look at it, or upgrade kro")
        })
    }

    async fn send(
        &self,
        live: &Object,
        annotations: Map<String, Value>,
        dry_run: DryRun,
    ) -> Result<Written, Fault> {
        let metadata = json!({
            "uid": live.uid(), "resourceVersion": live.at(&["metadata", "resourceVersion"]),
            "annotations": annotations,
        });
        let patch = json!({"metadata": metadata});
        let access = self.reader.access();
        access.merge(&self.of.kind, live.namespace(), live.name(), &patch, MANAGER, dry_run).await
    }

    /// Ends the suspension that was made a moment ago, whether or not anybody still waits for this call.
    async fn resume(&self, live: &Object, what: &str) -> Result<(), Error> {
        let patch = json!({"metadata": {"uid": live.uid(), "annotations": annotations::stamped(annotations::resumed_all(), self.action)}});
        let (access, kind, live) = (self.reader.access().clone(), self.of.kind.clone(), live.clone());
        let resumed = tokio::spawn(async move { resume(&access, &kind, &live, &patch).await }).await;
        let why = match resumed {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(fault)) => fault.to_string(),
            Err(_) => "a defect of this server".to_owned(),
        };
        Err(Error::new(
            ErrorKind::Upstream { status: None, retryable: false },
            format!(
                "{what} was suspended, and resuming it failed {RESUMES} times: {why}. IT IS STILL SUSPENDED"
            ),
        )
        .next("call kro_reconcile with action resume"))
    }

    async fn notes(&self, live: &Object) -> Vec<String> {
        let mut notes = Vec::new();
        let (rgd, _) = self.reader.rgd_of(live).await;
        let called = match rgd.name() {
            Some(name) if self.reader.names_rgds() => format!("RGD {name}"),
            _ => "its RGD".to_owned(),
        };
        match &rgd {
            Rgd::Gone(_) => notes.push(format!("{called} does not exist: kro does not look at it at all")),
            Rgd::Read(definition) => {
                let words = |trouble: &String| match self.reader.names_rgds() {
                    true => format!("{called} is not in order: {trouble}"),
                    false => format!("{called} is not in order"),
                };
                notes.extend(definition.trouble.as_ref().map(words));
            }
            Rgd::Unread(..) | Rgd::Unknown => {}
        }
        if labels::parent(live).is_some() {
            notes.push("it belongs to another instance, which goes on as it is".to_owned());
        }
        if self.action != Action::Suspend {
            return notes;
        }
        notes.push("changes of its spec wait until it is resumed; deleting it works all the same".to_owned());
        if version::of(live).is_none() {
            notes.push(
                "which kro keeps it is not known: before v0.9.1 this annotation means nothing".to_owned(),
            );
        }
        notes
    }

    fn answer(
        &self,
        summary: String,
        live: &Object,
        suspended: bool,
        changes: Vec<String>,
        notes: Vec<String>,
    ) -> Answer<Output> {
        let body = [section("fields:", &changes), section("note:", &notes)].concat();
        let output = Output {
            cluster: cluster_name(self.call, self.reader),
            kind: self.of.kind.kind.clone(),
            namespace: live.namespace().map(str::to_owned),
            name: live.name().to_owned(),
            action: self.action,
            suspended,
            changes,
            notes,
        };
        Answer::new(summary, body, output)
    }
}

async fn resume(access: &Access, kind: &Kind, live: &Object, patch: &Value) -> Result<(), Fault> {
    let mut tries = 0;
    loop {
        tries += 1;
        let sent = access.merge(kind, live.namespace(), live.name(), patch, MANAGER, DryRun::No).await;
        match sent {
            Ok(_) => return Ok(()),
            // it is gone, so there is nothing to resume
            Err(fault) if fault.is_not_found() => return Ok(()),
            Err(fault) if tries >= RESUMES => return Err(fault),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
