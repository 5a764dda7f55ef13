//! To be rid of the account. Only what is this server's own is taken away.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::{
    super::{
        access::{Access, parse},
        fault::Fault,
        kind::Kind,
    },
    Change, Plan, Rights, Step,
    objects::{self, Piece},
    plan::{deletion, is_ours, there},
};

/// Kinds looked at at once.
const PARALLEL: usize = 8;
/// Names and no more.
const NAMES: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

impl Plan {
    /// To be rid of the account: the binding first, so that nothing is left that may anything.
    ///
    /// # Errors
    /// The cluster does not say what there is.
    pub async fn to_be_rid(admin: &Access, rights: &Rights) -> Result<Self, Fault> {
        let mut steps = Vec::new();
        for piece in [
            objects::binding(rights),
            objects::role(rights, &[]),
            objects::secret(rights),
            objects::account(rights),
        ] {
            let Some(there) = there(admin, &piece).await? else { continue };
            let change = match is_ours(&there) {
                true => deletion(&there),
                false => Change::Leave("it is not of this server".to_owned()),
            };
            steps.push(Step { piece, change });
        }
        let piece = objects::namespace(rights);
        if let Some(there) = there(admin, &piece).await? {
            let change = match is_ours(&there) {
                false => Change::Leave("it is not of this server".to_owned()),
                true => match others(admin, rights).await? {
                    Some(other) => Change::Leave(format!("there is more in it, as {other}")),
                    None => deletion(&there),
                },
            };
            steps.push(Step { piece, change });
        }
        Ok(Self { steps })
    }
}

/// Something in the namespace that is none of ours and not made by Kubernetes for every namespace.
async fn others(admin: &Access, rights: &Rights) -> Result<Option<String>, Fault> {
    let kinds = admin.kinds().await?;
    let kinds: Vec<Kind> = kinds.iter().filter(|kind| kind.namespaced && kind.listable).cloned().collect();
    let ours = [objects::secret(rights), objects::account(rights)];
    let ours = &ours;
    let looking = kinds.into_iter().map(|kind| async move { other(admin, rights, &kind, ours).await });
    let found: Vec<Option<String>> = stream::iter(looking).buffer_unordered(PARALLEL).try_collect().await?;
    Ok(found.into_iter().flatten().next())
}

async fn other(
    admin: &Access,
    rights: &Rights,
    kind: &Kind,
    ours: &[Piece],
) -> Result<Option<String>, Fault> {
    // what was told of the namespace goes with it, and metrics are of pods
    if kind.kind == "Event" || kind.group == "metrics.k8s.io" {
        return Ok(None);
    }
    let path = kind.collection_path(Some(&rights.namespace))?;
    let body = admin.get_body(&path, &[("limit", "20".to_owned())], NAMES).await?;
    let listed: Value = parse(&body)?;
    let names = listed.get("items").and_then(Value::as_array).into_iter().flatten();
    let names = names.filter_map(|item| item.pointer("/metadata/name")?.as_str());
    let mut names = names.filter(|name| {
        let of_kubernetes = matches!(
            (kind.kind.as_str(), *name),
            ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt")
        );
        let is_ours = |piece: &Piece| piece.kind.kind == kind.kind && piece.name == *name;
        !of_kubernetes && (!kind.group.is_empty() || !ours.iter().any(is_ours))
    });
    Ok(names.next().map(|name| format!("{} {name}", kind.kind)))
}
