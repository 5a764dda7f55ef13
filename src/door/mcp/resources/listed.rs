//! `resources/list`: the RGDs and instances of the default cluster, page by page. Clients ask for it when
//! they start, so a cluster that does not answer must not hold them.

use std::time::Duration;

use rmcp::{
    ErrorData,
    model::{CacheScope, ListResourcesResult, Resource},
};
use serde_json::{Map, Value};

use crate::{
    Error, ErrorKind,
    door::mcp::asked::Asked,
    kubernetes::Cluster,
    permission::Permission,
    toolbox::resources::{TEMPLATES, Template},
};

/// How long a client that lists waits; why a list is short stands in the audit log.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rows of one tool on one page.
const ROWS: u32 = 100;
/// How long a client may keep a page, in milliseconds.
const LIFE: u64 = 10_000;

/// What is listed, one after the other, and how.
struct Listed {
    tool: &'static str,
    /// The template of what is listed, the first that the caller may use.
    templates: &'static [&'static str],
    /// The permission that shows the names.
    names: Permission,
    /// The permission that shows each, with the template.
    shows: &'static [Permission],
}

const LISTED: [Listed; 2] = [
    Listed {
        tool: "kro_rgds",
        templates: &["kro-rgd"],
        names: Permission::KroRgdsList,
        shows: &[Permission::KroRgdsViewYaml],
    },
    Listed {
        tool: "kro_instances",
        templates: &["kro-object", "kro-graph"],
        names: Permission::KroInstancesList,
        shows: &[Permission::KroInstancesViewYaml, Permission::KroResourceGraphShow],
    },
];

/// One page of each, and where they go on.
pub(super) async fn page(asked: &Asked<'_>, cursor: Option<&str>) -> Result<ListResourcesResult, ErrorData> {
    let cursors = cursors(cursor)?;
    let parts = LISTED.iter().zip(cursors).map(|(listed, cursor)| listed.part(asked, cursor));
    let mut resources = Vec::new();
    let mut next = Vec::new();
    for part in futures::future::join_all(parts).await {
        let part = part?;
        resources.extend(part.resources);
        next.push(part.next);
    }
    let mut result = ListResourcesResult::with_all_items(resources);
    if next.iter().any(Option::is_some) {
        let next: Vec<String> = next.into_iter().map(Option::unwrap_or_default).collect();
        result.next_cursor = Some(next.join("."));
    }
    Ok(result.with_cache_scope(CacheScope::Private).with_ttl_ms(LIFE))
}

/// Where one of the lists begins on this page.
#[derive(Clone, Copy, Debug)]
enum From<'c> {
    Start,
    Cursor(&'c str),
    /// There is no more of it.
    End,
}

/// A cursor is those of the two lists, of which either may have ended.
fn cursors(cursor: Option<&str>) -> Result<[From<'_>; 2], ErrorData> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok([From::Start; 2]) };
    let of = |one| if str::is_empty(one) { From::End } else { From::Cursor(one) };
    match cursor.split_once('.') {
        Some((rgds, instances)) => Ok([of(rgds), of(instances)]),
        None => Err(no_such_cursor()),
    }
}

fn no_such_cursor() -> ErrorData {
    ErrorData::invalid_params("the argument \"cursor\" is none that this list gave you, or too old", None)
}

#[derive(Default)]
struct Part {
    resources: Vec<Resource>,
    next: Option<String>,
}

impl Listed {
    async fn part(&self, asked: &Asked<'_>, from: From<'_>) -> Result<Part, ErrorData> {
        let toolbox = &asked.served.toolbox;
        let offered = |name: &&str| asked.templates().any(|template| template.name == *name);
        let Some(template) = self.templates.iter().find(|name| offered(name)) else {
            return Ok(Part::default());
        };
        let template = TEMPLATES.iter().find(|known| known.name == *template);
        let cluster = toolbox.default_cluster(&asked.caller, &[self.names]);
        let (Some(template), Some(cluster)) = (template, cluster) else { return Ok(Part::default()) };
        if !toolbox.exists(&asked.caller, self.tool) {
            return Ok(Part::default());
        }
        let name = toolbox.clusters().shown_name(&cluster);
        let mut arguments = Map::new();
        arguments.insert("cluster".to_owned(), name.as_str().into());
        arguments.insert("limit".to_owned(), ROWS.into());
        match from {
            From::Start => {}
            From::Cursor(cursor) => {
                arguments.insert("cursor".to_owned(), cursor.into());
            }
            From::End => return Ok(Part::default()),
        }
        let mut request = asked.request(self.tool, arguments);
        request.patience = Some(PATIENCE);
        match toolbox.call(request).await {
            Ok(finished) => {
                let rows = finished.structure.get("rows").and_then(Value::as_array);
                let rows = rows.map(Vec::as_slice).unwrap_or_default();
                let resource = |row| self.resource(asked, template, &cluster, &name, row);
                let next = finished.structure.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
                Ok(Part { resources: rows.iter().filter_map(resource).collect(), next })
            }
            Err(Error { kind: ErrorKind::InvalidInput, .. }) if matches!(from, From::Cursor(_)) => {
                Err(no_such_cursor())
            }
            // the audit line of the call says why
            Err(_) => Ok(Part::default()),
        }
    }

    fn resource(
        &self,
        asked: &Asked<'_>,
        template: &Template,
        cluster: &Cluster,
        cluster_name: &str,
        row: &Value,
    ) -> Option<Resource> {
        let text = |member: &str| row.get(member).and_then(Value::as_str);
        let name = text("name")?;
        let namespace = text("namespace");
        let shows = self.shows.iter().filter(|one| template.needs.contains(one));
        let toolbox = &asked.served.toolbox;
        if !shows.into_iter().any(|one| toolbox.allows(&asked.caller, *one, cluster, namespace)) {
            return None;
        }
        let mut values = vec![("cluster", cluster_name), ("name", name)];
        values.extend(namespace.map(|namespace| ("namespace", namespace)));
        let (kind, place) = match template.variables().any(|variable| variable == "kind") {
            true => {
                let kind = text("kind")?;
                values.push(("kind", kind));
                (kind, namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}")))
            }
            false => (template.title, name.to_owned()),
        };
        let resource = Resource::new(template.expand(&values), format!("{kind} {place}"));
        Some(resource.with_mime_type(template.mime))
    }
}
