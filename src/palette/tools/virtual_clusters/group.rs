//! Whether there is such a cluster group where no virtual cluster is in one.

use futures::future::join_all;

use crate::{
    Error,
    answer::sanitise,
    nearest,
    palette::{Access, groups},
};

/// Names that an error suggests.
const NEAREST: usize = 5;

/// That the caller sees a group of this name or uid; what could not be read, where that is why none is known.
pub(super) async fn exists(accesses: &[Access], written: &str) -> Result<Vec<String>, Error> {
    let asked = join_all(accesses.iter().map(|access| groups::seen(access, None))).await;
    let (mut names, mut gaps) = (Vec::new(), Vec::new());
    for (access, asked) in accesses.iter().zip(asked) {
        match asked {
            Ok((seen, told)) => {
                gaps.extend(told);
                for group in seen {
                    let metadata = group.summary.metadata;
                    if metadata.uid == written || metadata.name == written {
                        return Ok(Vec::new());
                    }
                    names.push(metadata.name);
                }
            }
            Err(fault) => {
                gaps.push(format!("environment {}: cluster groups: {fault}", access.environment().name()));
            }
        }
    }
    if !gaps.is_empty() {
        return Ok(gaps);
    }
    Err(Error::not_found(format!("there is no cluster group {:?}", sanitise::short(written, 80)))
        .candidates(nearest::names(written, names.iter().map(String::as_str), NEAREST))
        .next("call palette_cluster_groups to see those that you may see"))
}
