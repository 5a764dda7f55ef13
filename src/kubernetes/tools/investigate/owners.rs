//! What owns an object, step by step.

use crate::{
    kubernetes::{Access, Fault, Object, Reference},
    toolbox::Call,
};

/// Steps: Pod, ReplicaSet, Deployment, an operator's kind, another's.
const STEPS: usize = 5;

/// The owners, the nearest first.
#[derive(Debug, Default)]
pub(super) struct Above {
    pub(super) objects: Vec<Object>,
    pub(super) gaps: Vec<String>,
}

/// Reads them, with one GET for each. Of several owners of an object the one that controls it is followed.
pub(super) async fn above(call: &Call, access: &Access, object: &Object) -> Above {
    let mut above = Above::default();
    let mut owner = Reference::owners_of(object).into_iter().next();
    for _ in 0..STEPS {
        let Some(of) = owner else { return above };
        match read(access, &of).await {
            Ok(Some(mut read)) => {
                call.scrub(&mut read);
                owner = Reference::owners_of(&read).into_iter().next();
                above.objects.push(read);
            }
            Ok(None) => {
                above.gaps.push(format!("its owner {} is gone", of.shown()));
                return above;
            }
            Err(fault) => {
                above.gaps.push(format!("owner {}: {fault}", of.shown()));
                return above;
            }
        }
    }
    above
}

async fn read(access: &Access, of: &Reference) -> Result<Option<Object>, Fault> {
    let kinds = access.kinds().await?;
    let Some(kind) = kinds.find(&of.group, &of.kind) else { return Ok(None) };
    let namespace = of.namespace.as_deref().filter(|_| kind.namespaced);
    match access.get(kind, namespace, &of.name).await {
        Ok(read) if read.uid() == of.uid => Ok(Some(read)),
        // another in its place
        Ok(_) | Err(Fault::NotFound(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}
