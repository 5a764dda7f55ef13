//! An instance: its graph, then two requests where they pay.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;

use super::{Input, Output, answer};
use crate::{
    Error, ErrorKind,
    answer::Answer,
    kro::{
        applyset::GroupKind,
        diagnose::{self, Case, Finding, Look, Looked, Report, allowance, owner, worth},
        fetch::{Reader, Wanted},
        graph::{Collected, Graph, Rgd},
        tools::graph::not_generated,
    },
    kubernetes::{Access, Event, Fault, Kind, Listed, Object},
    permission::{Permission, Requirement},
    toolbox::Call,
};

/// Levels of nested instances that are looked into.
const DEPTH: u32 = 3;

pub(super) async fn diagnose(
    call: &Call,
    reader: Reader,
    kind: &Kind,
    input: &Input,
) -> Result<Answer<Output>, Error> {
    let all = reader.access().clone();
    let named = input.namespace.as_deref().filter(|_| kind.namespaced);
    // Before anything is read: the words of a denial do not tell whether it exists.
    if named.is_some() || !kind.namespaced {
        call.require(Permission::KroResourceGraphShow, &all, named)?;
    }
    let narrowed = call.narrowed(&all, Requirement::one(Permission::KroResourceGraphShow));
    let reader = reader.over(narrowed);
    let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
    let instance = match reader.object(kind, wanted).await {
        // the same words whether or not there is a Secret of that name
        Err(error) if error.kind == ErrorKind::NotFound && !reader.is_of_kro(kind).await => {
            return Err(not_generated(&reader, kind).await);
        }
        found => found?,
    };
    let mut collected = reader.collect(instance, DEPTH).await;
    if matches!(collected.rgd, Rgd::Unknown) {
        return Err(not_generated(&reader, kind).await);
    }
    collected.each_object_mut(&mut |object| call.scrub(object));
    let now = Timestamp::now();
    let (collected, names_rgds) = (Arc::new(collected), reader.names_rgds());
    let judged = {
        let collected = Arc::clone(&collected);
        let judged = reader.judge(move |work| {
            let graph = Graph::build(&collected, work);
            let looked = Looked::default();
            let case = Case { collected: &collected, graph: &graph, looked: &looked, names_rgds, now };
            let looks = worth(&case);
            (graph, looks)
        });
        judged.await?
    };
    let (graph, looks) = judged;
    let mut looked = look(call, &reader, &all, looks, allowance(&collected)).await;
    if let Some(others) = &mut looked.siblings {
        others.retain(|other| {
            other.uid() != collected.instance.uid() && !collected.nested.contains_key(other.uid())
        });
    }
    let judged = reader.judge(move |_| {
        let case = Case { collected: &collected, graph: &graph, looked: &looked, names_rgds, now };
        let findings = diagnose::of_instance(&case);
        (findings, collected, graph, looked)
    });
    let (mut findings, collected, graph, looked) = judged.await?;
    Ok(report(call, reader.access(), &collected, &graph, looked, &mut findings))
}

/// What the caller needs to be shown what a look gives, and the same as words.
fn needs(look: &Look) -> (Permission, String) {
    match look {
        Look::Owner { .. } => (Permission::KroResourceGraphShow, "the owner of the object".to_owned()),
        Look::Controllers => (Permission::KubernetesResourcesRead, "kro's own Deployment".to_owned()),
        Look::Siblings(kind) => (Permission::KroInstancesList, format!("other instances of {kind}")),
        Look::Pods(namespace, _) => (Permission::KroResourcesList, format!("Pods in {namespace}")),
        Look::Warnings(namespace) => {
            (Permission::KroResourcesShowEvents, format!("Warning events in {namespace}"))
        }
    }
}

/// Looks as far as the caller may, and not further than `allowance`.
async fn look(call: &Call, reader: &Reader, all: &Access, looks: Vec<Look>, allowance: usize) -> Looked {
    let mut looked = Looked::default();
    let mut chosen = Vec::new();
    for look in looks {
        let (permission, what) = needs(&look);
        let may = match &look {
            Look::Pods(namespace, _) | Look::Warnings(namespace) => {
                call.allows(permission, all, Some(namespace))
            }
            Look::Owner { .. } => true,
            Look::Controllers | Look::Siblings(_) => {
                call.caller().permissions().somewhere().contains(permission)
            }
        };
        if !may {
            looked.gaps.push(format!("{what}: not looked at, it needs the permission {}", permission.name()));
        } else if chosen.len() < allowance {
            chosen.push(look);
        } else {
            looked.gaps.push(format!("{what}: not looked at, since a diagnosis makes only so many requests"));
        }
    }
    let read = chosen.into_iter().map(|look| async move {
        let (permission, _) = needs(&look);
        let access = call.narrowed(all, Requirement::one(permission));
        let found = reader.look(&look, &access).await;
        (look, found)
    });
    for (look, found) in join_all(read).await {
        let (_, what) = needs(&look);
        match found {
            Ok(listed) => {
                let items = listed.items.len();
                looked.gaps.extend(listed.cut.as_ref().map(|cut| format!("{what}: {cut}")));
                looked.checked.push(format!("{what} ({items})"));
                take(call, reader, &mut looked, look, listed);
            }
            Err(Fault::NotFound(_)) if matches!(look, Look::Owner { .. }) => {}
            Err(fault) => looked.gaps.push(format!("{what}: {fault}")),
        }
    }
    looked
}

fn take(call: &Call, reader: &Reader, looked: &mut Looked, look: Look, mut listed: Listed) {
    listed.items.iter_mut().for_each(|object| call.scrub(object));
    match look {
        Look::Owner { kind, namespace, name } => {
            let sees = |namespace: Option<&str>| reader.access().sees(namespace);
            let owner = listed.items.first().map(|object: &Object| owner::of(object, sees));
            looked.owners.extend(owner.map(|owner| ((kind, namespace, name), owner)));
        }
        Look::Controllers => looked.controllers = listed.items,
        Look::Siblings(_) => looked.siblings = Some(listed.items),
        Look::Pods(..) => looked.pods.extend(listed.items),
        Look::Warnings(_) => looked.warnings.extend(listed.items.iter().map(Event::read)),
    }
}

fn report(
    call: &Call,
    access: &Access,
    collected: &Collected,
    graph: &Graph,
    looked: Looked,
    findings: &mut [Finding],
) -> Answer<Output> {
    let cluster = call.toolbox().clusters().shown_name(access.cluster());
    let instance = &collected.instance;
    let place = instance.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let root = graph.root();
    let healthy = graph.healthy();
    let word = root.and_then(|root| root.kro_state.clone());
    let said = word.as_deref().map(|word| format!("kro says {word}, ")).unwrap_or_default();
    let counts: Vec<String> =
        graph.counts().iter().map(|(state, count)| format!("{count} {state}")).collect();
    let nodes = if counts.is_empty() { "no nodes".to_owned() } else { counts.join(", ") };
    let verdict = match healthy {
        Some(true) => "nothing is wrong",
        Some(false) => "not healthy",
        None => "nothing wrong was found, though not all could be looked at",
    };
    let mut checked = vec![
        "what kro says of it".to_owned(),
        format!("RGD {}", collected.rgd.name().unwrap_or("?")),
        format!("{} of {}", objects(collected), kinds(collected)),
    ];
    checked.extend(looked.checked);
    let fine = format!("{verdict} ({said}{nodes}). Checked: {}", checked.join(", "));
    let mut gaps = graph.gaps.clone();
    gaps.extend(looked.gaps);
    let mut report = Report {
        what: format!("{}/{}{place} ({cluster})", instance.kind(), instance.name()),
        findings,
        fine,
        well: healthy != Some(false),
        partial: !gaps.is_empty(),
    };
    let output = Output {
        cluster,
        kind: instance.kind().to_owned(),
        namespace: instance.namespace().map(str::to_owned),
        name: instance.name().to_owned(),
        rgd: collected.rgd.name().map(str::to_owned),
        state: root.map(|root| root.state),
        healthy,
        kro_state: word,
        findings: Vec::new(),
        checked,
    };
    answer(call, &mut report, output, gaps)
}

fn objects(collected: &Collected) -> String {
    let count = count(collected);
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

fn count(collected: &Collected) -> usize {
    collected.children.len() + collected.nested.values().map(count).sum::<usize>()
}

fn kinds(collected: &Collected) -> String {
    let mut kinds = std::collections::BTreeSet::new();
    gather(collected, &mut kinds);
    if kinds.len() == 1 { "1 kind".to_owned() } else { format!("{} kinds", kinds.len()) }
}

fn gather(collected: &Collected, kinds: &mut std::collections::BTreeSet<GroupKind>) {
    kinds.extend(collected.children.iter().map(GroupKind::of));
    collected.nested.values().for_each(|nested| gather(nested, kinds));
}
