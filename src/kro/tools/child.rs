//! Why a child is not changed directly, and what to change instead.

use super::{SHOW_CHILDREN, operation::named};
use crate::{
    Error,
    kro::{
        fetch::{Parent, Reader, instance_kinds},
        graph::Rgd,
        labels,
        operate::governs,
    },
    kubernetes::{Kind, Object},
    permission::{Permission, Requirement},
    toolbox::Call,
};

/// For a manifest of a kind that no RGD generates.
pub(super) async fn refusal(call: &Call, reader: &Reader, kind: &Kind, manifest: &Object) -> Error {
    let narrowed = call.narrowed(reader.access(), Requirement::Any(SHOW_CHILDREN.into()));
    let namespace = manifest.namespace().filter(|_| kind.namespaced);
    // who may not see children hears the same as where there is none
    if let Ok(live) = narrowed.get(kind, namespace, manifest.name()).await
        && let Some(refusal) = governed(call, reader, kind, manifest, &live).await
    {
        return refusal;
    }
    let of = kind.group_kind();
    Error::invalid_input(format!(
        "the argument \"manifest\": no ResourceGraphDefinition generates {of}, and this tool applies instances \
         only; what belongs to an instance is changed through it"
    ))
    .candidates(instance_kinds(reader).await)
    .next("kro_graph shows what an instance consists of")
}

/// For an object that is a child: which instance governs it, and through which fields. None where it is no
/// child, or nobody keeps it any more.
pub(super) async fn governed(
    call: &Call,
    reader: &Reader,
    kind: &Kind,
    manifest: &Object,
    live: &Object,
) -> Option<Error> {
    let what = named(kind, live.namespace(), live.name());
    let parent = match reader.parent(live).await {
        Parent::None | Parent::Gone => return None,
        Parent::Unclear(why) => {
            return Some(
                Error::invalid_input(format!(
                    "{what} is marked as a child of an instance, of which kro would revert a change; the instance cannot be read ({why})"
                ))
                .next("change the instance that it belongs to"),
            );
        }
        Parent::Found(parent) => parent,
    };
    let access = reader.access();
    let (rgd, _) = reader.rgd_of(&parent).await;
    let node = labels::node_id(live).unwrap_or("?").to_owned();
    let of = match call.allows(Permission::KroInstancesList, access, parent.namespace()) {
        true => match parent.namespace() {
            Some(namespace) => format!("{} {namespace}/{}", parent.kind(), parent.name()),
            None => format!("{} {}", parent.kind(), parent.name()),
        },
        false => "an instance that you may not see".to_owned(),
    };
    let rgd_name = match rgd.name() {
        Some(name) if reader.names_rgds() => format!("RGD {name}"),
        _ => "its RGD".to_owned(),
    };
    let fields = match rgd {
        Rgd::Read(definition) => {
            let class = match labels::is_instance(live) {
                true => Permission::KroInstancesViewYaml,
                false => Permission::KroResourcesViewYaml,
            };
            // whether a value differs would let it be guessed
            let live = call.allows(class, access, live.namespace()).then(|| live.clone());
            let (manifest, node, rgd_name) = (manifest.clone(), node.clone(), rgd_name.clone());
            let source = call.allows(Permission::KroRgdsViewYaml, access, None);
            let judged = reader.judge(move |work| {
                let Some(node) = definition.node(&node) else { return Vec::new() };
                governs::of(&manifest, live.as_ref(), node, work)
                    .iter()
                    .map(|governed| governed.told(&rgd_name, source))
                    .collect::<Vec<String>>()
            });
            judged.await.unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join("; ")) };
    Some(
        Error::invalid_input(format!(
            "{what} is a child, node {node} of {of}, and kro would revert a change of it; its fields are governed by that instance{fields}"
        ))
        .next(format!(
            "change these fields of {of} with kro_apply_instance; what is fixed in {rgd_name} is changed there"
        )),
    )
}
