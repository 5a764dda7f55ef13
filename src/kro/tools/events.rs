//! `kro_events`: what the cluster reports about an RGD, an instance or a child, and about what these own.

mod row;
mod silence;
mod target;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cluster_name, open, reach};
use crate::{
    Error,
    answer::{Answer, Rows},
    kro::{
        applyset::GroupKind,
        class::Class,
        events::{Sorted, sort_out},
        fetch::{Reader, Reported},
        labels,
    },
    kubernetes::{
        Access, Event, Object, Selection, Selector,
        events::{EventRow, merged, since},
    },
    permission::{Extent, Permission, Requirement, Scope},
    toolbox::{Call, Reach, Subject, Tool},
};

use row::{Line, rows};
use target::Target;

/// Levels of nested instances that a subtree has at most.
const DEPTH: u32 = 8;
const FILTERED: &str = "filtered to the namespaces that you may see";

/// The handler.
#[derive(Debug)]
pub struct ListEvents;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Kind, or Kind.group.
    kind: String,
    /// Searched for where absent.
    namespace: Option<String>,
    name: String,
    /// With all that it owns.
    subtree: Option<bool>,
    /// 30m, 2h, or RFC 3339.
    since: Option<String>,
    /// Rows at most.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(rename = "limit")]
    _limit: Option<u32>,
    /// next_cursor of the page before.
    cursor: Option<String>,
}

/// The events. Rows leave out `object` and `namespace` where they are the object's that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    class: Class,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
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
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn subject(call: Call, input: Input) -> Result<Subject, Error> {
        let reader = open(&call).await?;
        let kind = reader.named_kind(&input.kind).await?;
        let (reader, target) = Target::find(&call, reader, &kind, &input, false).await?;
        let events = reader.kind(&GroupKind::new("", "Event")).await;
        let events = events.ok_or_else(|| Error::not_found("the cluster serves no events"))?;
        // those of what is in no namespace are in this one
        let namespace = target.object.namespace().unwrap_or("default").to_owned();
        let selector = Selector::all().field("involvedObject.uid", target.object.uid());
        let selections = vec![Selection { kind: events, namespace: Some(namespace), selector }];
        Ok(Subject { access: reader.access().clone(), selections })
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let now = Timestamp::now();
        let since = input.since.as_deref().map(|written| since(written, now)).transpose()?;
        let subtree = input.subtree.unwrap_or_default();
        let reader = open(&call).await?;
        let kind = reader.named_kind(&input.kind).await?;
        let (reader, target) = Target::find(&call, reader, &kind, &input, subtree).await?;
        let wanted = wanted(&call, &reader, &target, subtree).await;
        let reported = reader.reported(&wanted.subjects, wanted.owned.as_ref(), since).await;
        if let Some(fault) = reported.fault.clone().filter(|fault| !fault.is_forbidden()) {
            return Err(fault.into());
        }
        let unread = reported.fault.is_some();
        let Reported { events, ownership, gaps, .. } = reported;
        let events = events.into_iter().map(|mut event| {
            // messages are cut later, and a part of a secret value is not found any more
            call.scrub(&mut event);
            Event::read(&event)
        });
        let events = merged(events.collect::<Vec<_>>());
        let sorted = sort_out(&wanted.subjects, events, &ownership, &reader.kinds());
        let cluster = cluster_name(&call, &reader);
        let line =
            Line { target: &target, cluster: &cluster, subtree, since: input.since.as_deref(), unread };
        let summary = line.text(&sorted.told, now);
        let notes = notes(&target, &sorted, subtree, since.is_some());
        let warnings = sorted.told.iter().filter(|told| told.event.is_warning()).count();
        let rows = rows(&sorted.told, &target.object, now);
        let (page, cut) =
            call.page(rows, input.cursor.as_deref(), "narrow it with since or a child's name")?;
        let told = notes.iter().map(|note| format!("\nnote: {note}")).collect::<String>();
        let table = if page.rows.rows.is_empty() { "" } else { page.table.trim_end() };
        let body = format!("{table}{told}");
        let output = Output {
            cluster,
            class: target.class,
            kind: target.object.kind().to_owned(),
            namespace: target.object.namespace().map(str::to_owned),
            name: target.object.name().to_owned(),
            warnings,
            events: page.rows,
            notes,
        };
        Ok(Answer::new(summary, body.trim_start_matches('\n'), output).gaps(wanted.gaps).gaps(gaps).cut(cut))
    }
}

/// The objects whose events are asked for.
struct Wanted {
    subjects: Vec<Object>,
    /// Where what they own is looked for.
    owned: Option<Access>,
    gaps: Vec<String>,
}

async fn wanted(call: &Call, reader: &Reader, target: &Target, subtree: bool) -> Wanted {
    let access = reader.access();
    let needs = |class: Class| Requirement::one(target::permission(class));
    let owned = subtree.then(|| call.narrowed(access, needs(Class::Child)));
    let mut wanted = Wanted { subjects: Vec::new(), owned, gaps: Vec::new() };
    if !subtree || target.class != Class::Instance {
        wanted.subjects.push(target.object.clone());
        return wanted;
    }
    let cluster = Extent::Named(access.cluster().names());
    let somewhere = |permission: Permission| {
        let anywhere = Scope::cluster(cluster.clone(), Extent::Anywhere);
        call.caller().permissions().allows(permission, &anywhere)
    };
    // said whether or not something is left out: otherwise it would tell that there is something
    for (class, what) in [(Class::Instance, "instances"), (Class::Child, "children and what they own")] {
        let permission = target::permission(class);
        if !somewhere(permission) {
            let needs = permission.name();
            wanted.gaps.push(format!("events of {what} are left out: they need the permission {needs}"));
        } else if !call.caller().permissions().covers_cluster(permission, &cluster) {
            wanted.gaps.push(FILTERED.to_owned());
        }
    }
    let children = somewhere(Permission::KroResourcesShowEvents);
    let mut collected = reader.children(target.object.clone(), DEPTH).await;
    collected.each_level(&mut |level| {
        let home = crate::kro::graph::Home::of(&level.instance);
        wanted.subjects.extend(level.children.iter().filter(|child| home.has(child)).cloned());
        if children {
            wanted.gaps.append(&mut level.gaps);
            wanted.gaps.extend(level.unread.iter().map(|(kind, why)| format!("{kind}: {why}")));
            let deeper = level.unexpanded.iter().map(|nested| format!("{nested} was not looked into"));
            wanted.gaps.extend(deeper);
        }
    });
    wanted.subjects.push(target.object.clone());
    wanted.subjects.retain(|object| {
        let class = if is_instance(target, object) { Class::Instance } else { Class::Child };
        call.allows(target::permission(class), access, object.namespace())
    });
    if !children {
        wanted.owned = None;
    }
    wanted
}

fn is_instance(target: &Target, object: &Object) -> bool {
    object.uid() == target.object.uid() || labels::is_instance(object)
}

fn notes(target: &Target, sorted: &Sorted, subtree: bool, narrowed: bool) -> Vec<String> {
    let silent = sorted.told.is_empty().then(|| silence::explained(target.class, subtree, narrowed));
    let gone = "events of objects that are gone (deleted Pods, for example) are not shown: nobody can tell whose they were";
    silent.into_iter().chain(sorted.of_gone.then(|| gone.to_owned())).collect()
}
