//! [`Named`]: the clusters that a caller may see, by name and by how they are reached, without asking any.

use std::sync::Arc;

use futures::FutureExt as _;

use super::{Call, Request, Toolbox, entry::Parsed, record::Record};
use crate::{Error, kubernetes::Identity};

/// The tool that shows more of them: who may not call it is told of none.
const TOOL: &str = "kubernetes_clusters";

/// One cluster.
#[derive(Clone, Debug)]
pub struct Named {
    /// The shortest name that is not ambiguous.
    pub name: String,
    /// How the caller is shown to it.
    pub identity: Identity,
    /// Whose header its callers send their token for it in.
    pub provider: Option<String>,
}

impl Toolbox {
    /// The clusters that the caller of `request` may see.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn named(self: &Arc<Self>, mut request: Request) -> Result<Vec<Named>, Error> {
        request.tool = TOOL.to_owned();
        let entry = self.find(&request.caller, TOOL);
        let mut record = Record::open(self, &request, entry.as_ref());
        let result = self.written(&mut record, entry, request, names).await;
        record.close(result.as_ref().map(|_| None));
        result
    }
}

fn names(_: Box<dyn Parsed>, call: Call) -> futures::future::BoxFuture<'static, Result<Vec<Named>, Error>> {
    async move {
        let known = call.toolbox().clusters();
        let named = call.clusters().iter().map(|access| Named {
            name: known.shown_name(access.cluster()),
            identity: access.identity(),
            provider: access.cluster().provider().map(str::to_owned),
        });
        Ok(named.collect())
    }
    .boxed()
}
