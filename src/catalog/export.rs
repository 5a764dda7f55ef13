//! [`read`]: everything that is exported, as the caller sees it, and whole.

use std::sync::Arc;

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    entity::named,
    palette,
    written::{Document, Format},
};
use crate::{
    Error, ErrorKind,
    answer::{Answer, redact::Learned, sanitise},
    permission::{Permission, Requirement},
    toolbox::{Call, Reach, Tool},
};

/// What a contract file would say.
pub const CONTRACT: &str = "---\ntitle: Exported catalog entities\npermission: platform.entities.read\neffect: read\n\
    idempotent: true\nopen_world: true\nbudget: { rows: 1, bytes: 1000 }\nsensitive: none\n---\n\
    The entities of a catalog, whole.\n";

/// What a request names, for the gate. It is no tool: its answer is no answer of a tool, and [`read`] gives it.
#[derive(Debug)]
pub struct Export;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// Nothing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Nothing {}

impl Tool for Export {
    type Input = Input;
    type Output = Nothing;

    fn reach(_: &Input) -> Reach {
        // which environments those are is decided one by one
        Reach::Nowhere
    }

    async fn run(_: Call, _: Input) -> Result<Answer<Nothing>, Error> {
        Err(Error::new(ErrorKind::Internal, "entities are exported, and not called"))
    }
}

/// Reads what is exported, of what the caller may see.
///
/// # Errors
/// Any part of it could not be read; or there is nothing: a catalog that reads an empty export deletes what it has.
pub async fn read(call: &Call, learned: &Arc<Learned>, format: Format) -> Result<Document, Error> {
    let settings = Arc::clone(call.toolbox().catalog());
    let accesses = call.environments_for(&Requirement::one(Permission::PlatformEntitiesRead));
    let read = accesses.iter().filter_map(|access| {
        let provider = settings.environments.get(access.environment().name())?;
        Some(async move { palette::read(access, provider).await.map(|held| (access, provider, held)) })
    });
    let read: Vec<_> = try_join_all(read).await?;
    let learned = Arc::clone(learned);
    let held: Vec<_> = read
        .into_iter()
        .map(|(access, provider, holdings)| {
            (access.environment().name().to_owned(), provider.clone(), holdings)
        })
        .collect();
    // no work for a thread that serves others
    let written = tokio::task::spawn_blocking(move || {
        let clean = |text: &str| learned.scrub(&sanitise::line(text)).into_owned();
        let drafts = held.iter().flat_map(|(environment, provider, holdings)| {
            palette::drafts(environment, holdings, (&settings, provider), &clean)
        });
        Document::new(&named(drafts.collect()), format)
    });
    let defect = |_| Error::new(ErrorKind::Internal, "the entities could not be made");
    let document = written.await.map_err(defect)??;
    if document.entities == 0 {
        let nothing =
            "there is nothing to export that you may see, and an empty export would empty a catalog";
        return Err(Error::not_found(nothing).next(
            "set `spectrocloud.environments` (and `catalogProvider` in each), or widen who has platform.entities.read",
        ));
    }
    Ok(document)
}
