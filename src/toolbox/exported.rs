//! The entities of a catalog: decided and written down as a call is, and whole. Their bound is no budget of a model.

use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::Map;

use super::{Request, Toolbox, reach::hides, record::Record};
use crate::{
    Error,
    catalog::{Document, Format, export},
};

/// What answers it, for the gate.
const TOOL: &str = "catalog_entities";

impl Toolbox {
    /// Everything that is exported to catalogs, as the caller of `request` may see it.
    ///
    /// # Errors
    /// As [`Self::call`]; [`crate::ErrorKind::UnknownTool`] for a caller who may read no entities at all.
    pub async fn entities(self: &Arc<Self>, mut request: Request, format: Format) -> Result<Document, Error> {
        request.tool = TOOL.to_owned();
        request.arguments = Map::new();
        let entry = self.askable(&request.caller, TOOL);
        let mut record = Record::open(self, &request, entry.as_ref());
        if let (None, Some(hidden)) = (&entry, self.unlisted(TOOL)) {
            let requirement = &hidden.contract.front.permission;
            record.line.decide(&hides(&request.caller, requirement), "anywhere");
        }
        let result = self
            .written(&mut record, entry, request, |_, call| {
                async move { export::read(&call, call.learned(), format).await }.boxed()
            })
            .await;
        if let Ok(document) = &result {
            record.line.answered(document.text.len());
        }
        record.close(result.as_ref().map(|_| None));
        result
    }
}
