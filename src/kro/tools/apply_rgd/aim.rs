//! [`Aim`]: one RGD on its way: what there is, what would be, what kro makes of it.

mod reach;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    super::{
        cluster_name,
        operation::{count, not_deleting, section, shown},
    },
    ARGUMENT, Output, PATIENCE, VerdictRow, Wanted, impact, refused, revision,
};
use crate::{
    Error,
    answer::Answer,
    kro::{
        check,
        definition::instance_kind,
        fetch::Reader,
        operate::{
            MANAGER, carried,
            observed::{Observed, Part, intent, stable},
            refusal,
            verdict::{self, Verdict},
        },
    },
    kubernetes::{
        DryRun, Fault, Kind, Object, Selector, Written,
        difference::{Difference, differences},
    },
    permission::Permission,
    toolbox::Call,
};

/// How often kro's verdict is asked for.
const EVERY: Duration = Duration::from_millis(700);
/// How long a verdict that was there before is taken for the old one, where kro has no other sign.
const DOUBT: Duration = Duration::from_secs(5);

/// One RGD on its way.
pub(super) struct Aim<'a> {
    call: &'a Call,
    reader: &'a Reader,
    kind: &'a Kind,
    name: String,
    wanted: Manifest,
}

enum Manifest {
    Given(Object),
    Snapshot(i64, Value),
}

/// What there is, and what would be.
pub(super) struct Seen {
    pub(super) live: Option<Object>,
    pub(super) changes: Vec<Difference>,
    pub(super) total: usize,
    pub(super) nodes: Vec<String>,
    pub(super) schema: Vec<String>,
    pub(super) instances: BTreeMap<String, usize>,
    pub(super) breaks: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) gaps: Vec<String>,
    pub(super) observed: Observed,
}

impl<'a> Aim<'a> {
    pub(super) async fn new(
        call: &'a Call,
        reader: &'a Reader,
        kind: &'a Kind,
        wanted: Wanted,
    ) -> Result<Self, Error> {
        let (name, wanted) = match wanted {
            Wanted::Manifest(manifest) => {
                carried::fits(ARGUMENT, &manifest, kind)?;
                (manifest.name().to_owned(), Manifest::Given(*manifest))
            }
            Wanted::Revision(name, number) => {
                let spec = revision::spec(reader, &name, number).await?;
                (name, Manifest::Snapshot(number, spec))
            }
        };
        Ok(Self { call, reader, kind, name, wanted })
    }

    pub(super) fn what(&self) -> String {
        format!("RGD {}", self.name)
    }

    fn manifest(&self, live: Option<&Object>) -> Object {
        match &self.wanted {
            Manifest::Given(manifest) => manifest.clone(),
            Manifest::Snapshot(_, spec) => {
                revision::manifest(&self.kind.api_version(), &self.name, spec, live)
            }
        }
    }

    pub(super) async fn send(&self, live: Option<&Object>, dry_run: DryRun) -> Result<Written, Fault> {
        // what kro notes on it meanwhile must not fail a dry run; the change itself is of what was seen
        let meant = live.filter(|_| dry_run == DryRun::No);
        let sent = carried::sent(&self.manifest(live), meant);
        self.reader.access().apply(self.kind, None, &self.name, &sent, MANAGER, dry_run).await
    }

    fn values(&self) -> bool {
        self.call.allows(Permission::KroRgdsViewYaml, self.reader.access(), None)
    }

    /// Why it was not taken.
    pub(super) fn refused(&self, fault: Fault) -> Error {
        let conflict = matches!(&fault, Fault::Refused(refused) if refused.status == 409);
        let error = refusal::of_apply(fault, &self.what(), self.values());
        match &self.wanted {
            Manifest::Snapshot(number, _) if conflict => error.next(format!(
                "have that manager apply revision {number} (kro_yaml of its GraphRevision has it under \
                 spec.snapshot.spec), as from its repository or with kubectl"
            )),
            _ => error,
        }
    }

    async fn live(&self) -> Result<Option<Object>, Error> {
        match self.reader.access().get(self.kind, None, &self.name).await {
            Ok(live) => Ok(Some(live)),
            Err(Fault::NotFound(_)) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    pub(super) async fn observe(&self) -> Result<Seen, Error> {
        let live = self.live().await?;
        let manifest = self.manifest(live.as_ref());
        carried::means(ARGUMENT, &manifest, live.as_ref())?;
        if let Some(live) = &live {
            not_deleting(&self.what(), live)?;
        }
        let mut seen = Seen {
            live,
            changes: Vec::new(),
            total: 0,
            nodes: Vec::new(),
            schema: Vec::new(),
            instances: BTreeMap::new(),
            breaks: Vec::new(),
            notes: Vec::new(),
            gaps: Vec::new(),
            observed: Observed::default(),
        };
        self.check(&mut seen, &manifest).await?;
        let dry_run = self.send(seen.live.as_ref(), DryRun::Yes).await;
        let mut written = dry_run.map_err(|fault| self.refused(fault))?;
        self.whole(&written.object)?;
        let before = seen.live.as_ref().map_or(Value::Null, stable);
        seen.observed =
            Observed::default().with(Part::Object, &before).with(Part::Effect, &intent(&written.object));
        seen.notes.extend(written.warnings.iter().map(|warning| format!("the API server warns: {warning}")));
        let mut told = seen.live.clone();
        told.iter_mut().for_each(|live| self.call.scrub(live));
        self.call.scrub(&mut written.object);
        let before = told.as_ref().map_or_else(|| json!({}), intent);
        let differences = differences(&before, &intent(&written.object));
        seen.total = differences.len();
        let respecified = differences.iter().any(|difference| difference.path.starts_with("spec"));
        let (changes, notes) = shown(differences, self.values(), Permission::KroRgdsViewYaml);
        seen.changes = changes;
        seen.notes.extend(notes);
        seen.nodes = impact::nodes(told.as_ref(), &written.object);
        if let Some(live) = told.filter(|_| respecified) {
            self.reach(&mut seen, live, written.object).await?;
        }
        Ok(seen)
    }

    /// What kro checks and the API server does not.
    async fn check(&self, seen: &mut Seen, manifest: &Object) -> Result<(), Error> {
        let mut problems: Vec<String> =
            seen.live.as_ref().map(|live| impact::immutable(live, manifest)).unwrap_or_default();
        problems.extend(self.taken(seen, manifest).await);
        let check::Checked { problems: found, gaps } = check::checked(self.reader, manifest).await?;
        seen.gaps.extend(gaps.iter().map(|gap| format!("not checked: {gap}")));
        let (certain, perhaps): (Vec<_>, Vec<_>) = found.into_iter().partition(|problem| problem.certain);
        problems.extend(certain.iter().map(ToString::to_string));
        if !problems.is_empty() {
            return Err(refused(&self.what(), &problems));
        }
        seen.notes.extend(perhaps.iter().map(ToString::to_string));
        Ok(())
    }

    /// Another RGD that generates the kind.
    async fn taken(&self, seen: &mut Seen, manifest: &Object) -> Option<String> {
        let kind = instance_kind(manifest);
        let listed = self.reader.access().unfiltered().list(self.kind, None, &Selector::all()).await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(fault) => {
                seen.gaps.push(format!("whether another RGD generates {kind}: {fault}"));
                return None;
            }
        };
        let other = listed.items.iter().find(|rgd| rgd.name() != self.name && instance_kind(rgd) == kind)?;
        let other = match self.reader.names_rgds() {
            true => format!("RGD {}", other.name()),
            false => "another RGD".to_owned(),
        };
        Some(format!("spec.schema.kind: {other} generates {kind} already"))
    }

    /// # Errors
    /// A rollback that would leave fields behind, since others hold them.
    fn whole(&self, written: &Object) -> Result<(), Error> {
        let Manifest::Snapshot(number, spec) = &self.wanted else { return Ok(()) };
        let left = differences(spec, written.member("spec").unwrap_or(&Value::Null));
        if left.is_empty() {
            return Ok(());
        }
        let paths: Vec<&str> = left.iter().take(10).map(|difference| difference.path.as_str()).collect();
        let message = format!(
            "{} was not rolled back: {} of revision {number} would not be as they were, since other managers hold them and nothing is forced: {}",
            self.what(),
            count(left.len(), "field"),
            paths.join(", ")
        );
        Err(Error::new(crate::ErrorKind::Conflict, message).next(format!(
            "have the manager of the RGD apply revision {number} (kro_yaml of its GraphRevision has it under \
             spec.snapshot.spec)"
        )))
    }

    /// What kro makes of it, as soon as it says.
    pub(super) async fn verdict(&self, before: Option<&Object>, written: &Object) -> Result<Verdict, Fault> {
        let began = Instant::now();
        // what is left of the call has to do for the answer
        let last = self.call.deadline().checked_sub(Duration::from_secs(1)).unwrap_or(began);
        let until = (began + PATIENCE).min(last);
        let respecified = before.is_none_or(|before| before.generation() != written.generation());
        let conditions = |rgd: &Object| rgd.at(&["status", "conditions"]).cloned();
        loop {
            sleep(EVERY).await;
            let rgd = self.reader.access().get(self.kind, None, &self.name).await?;
            let said = verdict::of(&rgd);
            // a label alone makes no new generation, and what kro said before stands until it looks again
            let fresh = respecified
                || before.is_some_and(|before| conditions(before) != conditions(&rgd))
                || began.elapsed() > DOUBT;
            let settled = match said {
                Verdict::Accepted(_) => true,
                Verdict::Refused(_) => fresh,
                Verdict::Pending(_) => false,
            };
            if let (Verdict::Accepted(_), None) = (&said, self.reader.kind(&instance_kind(&rgd)).await) {
                // so that the next call can make an instance
                let _ = self.reader.access().changed_kinds().await;
            }
            if settled || Instant::now() + EVERY > until {
                return Ok(said);
            }
        }
    }

    pub(super) fn would(&self, seen: &Seen) -> String {
        let what = match (&self.wanted, &seen.live) {
            (Manifest::Snapshot(number, _), Some(_)) => {
                format!("{} would be rolled back to revision {number}", self.what())
            }
            (_, Some(_)) => format!("{} would change in {}", self.what(), count(seen.total, "field")),
            (_, None) => format!("{} would be created", self.what()),
        };
        let instances: usize = seen.instances.values().sum();
        let reached = match instances {
            0 => String::new(),
            number => format!("; kro would reconcile {}", count(number, "instance")),
        };
        let broken = match seen.breaks.len() {
            0 => String::new(),
            _ => ", and the new schema breaks some".to_owned(),
        };
        format!("{what}{reached}{broken}")
    }

    pub(super) fn answer(&self, summary: String, seen: Seen, verdict: Option<&Verdict>) -> Answer<Output> {
        let instances: Vec<String> =
            seen.instances.iter().map(|(namespace, number)| format!("{namespace}: {number}")).collect();
        let body = [
            section("breaks:", &seen.breaks),
            section("schema:", &seen.schema),
            section("nodes:", &seen.nodes),
            section("instances by namespace:", &instances),
            section("note:", &seen.notes),
            section("fields:", &seen.changes),
        ];
        let output = Output {
            cluster: cluster_name(self.call, self.reader),
            name: self.name.clone(),
            new: seen.live.is_none(),
            changes: seen.changes,
            nodes: seen.nodes,
            schema: seen.schema,
            instances: seen.instances,
            breaks: seen.breaks,
            notes: seen.notes,
            verdict: verdict.map(VerdictRow::from),
        };
        Answer::new(summary, body.concat(), output).gaps(seen.gaps)
    }
}
