//! An RGD: itself, the other RGDs, its instances, and kro where that is the question.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{super::cluster_name, Input, Output, answer};
use crate::{
    Error,
    answer::Answer,
    kro::{
        applyset::GroupKind,
        check,
        definition::instance_kind,
        diagnose::{Look, Looked, Report, RgdCase, Weight, of_rgd},
        fetch::{Reader, Wanted},
    },
    kubernetes::{Fault, Kind, Object},
    permission::{Permission, Requirement},
    toolbox::Call,
};

/// Kinds of one RGD that are looked for.
const MOST_KINDS: usize = 100;

pub(super) async fn diagnose(
    call: &Call,
    reader: Reader,
    kind: &Kind,
    input: &Input,
) -> Result<Answer<Output>, Error> {
    let all = reader.access().clone();
    call.require(Permission::KroRgdsList, &all, None)?;
    let reader = reader.over(call.narrowed(&all, Requirement::one(Permission::KroRgdsList)));
    let rgd = reader.object(kind, Wanted { namespace: None, name: &input.name }).await?;
    let mut gaps = Vec::new();
    let mut looked = Looked::default();
    let generated = instance_kind(&rgd);
    let missing = missing(&reader, &rgd).await;
    let active = rgd.text(&["status", "state"]) == Some("Active");

    let listing = async {
        let instances = call.narrowed(&all, Requirement::one(Permission::KroInstancesList));
        reader.look(&Look::Siblings(generated.clone()), &instances).await
    };
    let controlling = async {
        let may = call.caller().permissions().somewhere().contains(Permission::KubernetesResourcesRead);
        let access = call.narrowed(&all, Requirement::one(Permission::KubernetesResourcesRead));
        if active || !may { None } else { Some(reader.look(&Look::Controllers, &access).await) }
    };
    let (rgds, listed, controllers) = futures::join!(reader.all_rgds(), listing, controlling);
    let rgds = rgds.unwrap_or_else(|fault| {
        gaps.push(format!("other RGDs: {fault}"));
        Vec::new()
    });
    let sees = call.caller().permissions().somewhere().contains(Permission::KroInstancesList);
    let (mut served, mut instances) = (true, None);
    match listed {
        Ok(listed) if sees => {
            gaps.extend(listed.cut.map(|cut| format!("instances of {generated}: {cut}")));
            instances = Some(listed.items);
        }
        Ok(_) => {
            gaps.push("its instances: not looked at, it needs the permission kro.instances.list".to_owned());
        }
        Err(Fault::NotFound(_)) => served = false,
        Err(fault) => gaps.push(format!("instances of {generated}: {fault}")),
    }
    match controllers {
        Some(Ok(listed)) => looked.controllers = listed.items,
        Some(Err(fault)) => gaps.push(format!("kro's own Deployment: {fault}")),
        None => {}
    }
    // what is wrong with a spec quotes it
    let reads = call.allows(Permission::KroRgdsViewYaml, &all, None);
    let mut problems = Vec::new();
    if reads {
        let found = check::checked(&reader, &rgd).await?;
        gaps.extend(found.gaps.iter().map(|gap| format!("not checked: {gap}")));
        problems.extend(found.problems.into_iter().filter(|problem| problem.certain));
    }
    let others = || rgds.iter().filter(|other| other.uid() != rgd.uid());
    let generator = |kind: &GroupKind| others().find(|other| instance_kind(other) == *kind);
    let case = RgdCase {
        rgd: &rgd,
        lacking: missing.iter().map(|kind| (kind.clone(), generator(kind))).collect(),
        rivals: others().filter(|other| instance_kind(other) == generated).collect(),
        problems,
        served,
        instances: instances.as_deref(),
        looked: &looked,
        now: Timestamp::now(),
    };
    let mut findings = of_rgd(&case);
    let cluster = cluster_name(call, &reader);
    let count =
        instances.as_ref().map(|instances| format!(", {} instances", instances.len())).unwrap_or_default();
    let mut checked =
        vec!["its conditions".to_owned(), "whether the cluster serves the kinds it uses".to_owned()];
    if reads {
        checked.push("its spec by the rules of kro".to_owned());
    }
    checked.push(format!("{} other RGDs", others().count()));
    let state = rgd.text(&["status", "state"]).unwrap_or("without a state");
    let healthy = active && findings.iter().all(|finding| finding.weight >= Weight::Warning);
    let mut report = Report {
        what: format!("RGD {} ({cluster})", rgd.name()),
        findings: &mut findings,
        fine: format!(
            "nothing is wrong ({state}, generates {generated}{count}). Checked: {}",
            checked.join(", ")
        ),
        well: active,
        partial: !gaps.is_empty(),
    };
    let output = Output {
        cluster,
        kind: rgd.kind().to_owned(),
        name: rgd.name().to_owned(),
        healthy: Some(healthy),
        kro_state: rgd.text(&["status", "state"]).map(str::to_owned),
        checked,
        ..Output::default()
    };
    Ok(answer(call, &mut report, output, gaps))
}

/// The kinds of its nodes that the cluster does not serve.
async fn missing(reader: &Reader, rgd: &Object) -> Vec<GroupKind> {
    let mut kinds: BTreeSet<GroupKind> = BTreeSet::new();
    for resource in rgd.items(&["spec", "resources"]).iter().take(MOST_KINDS) {
        let node = crate::kro::definition::Node::parse(resource);
        let of = node.map(|node| node.group_kind());
        kinds.extend(
            of.filter(|of| !of.kind.is_empty() && !of.kind.contains("${") && !of.group.contains("${")),
        );
    }
    let mut missing = Vec::new();
    for kind in kinds {
        // only what is not known costs a request, and that at most every ten seconds
        if reader.kind(&kind).await.is_none() {
            missing.push(kind);
        }
    }
    missing
}
