//! `resources/*`: reading one is a call of the tool behind its template.

mod listed;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, ListResourceTemplatesResult, ListResourcesResult, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, ResourceContents, ResourceTemplate,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{LIST_LIFE, Mcp, asked::Asked, nobody};
use crate::{
    Error, ErrorKind,
    answer::sanitise,
    toolbox::resources::{BadUri, TEMPLATES, Target, Template, not_found},
};

impl Mcp {
    pub(super) async fn resources(
        &self,
        cursor: Option<String>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        listed::page(&self.known(context).await?, cursor.as_deref()).await
    }

    pub(super) async fn resource_templates(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let asked = self.known(context).await?;
        let offered = asked.templates().map(described).collect();
        Ok(ListResourceTemplatesResult::with_all_items(offered)
            .with_cache_scope(CacheScope::Private)
            .with_ttl_ms(LIST_LIFE))
    }

    pub(super) async fn resource(
        &self,
        params: ReadResourceRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let asked = self.known(context).await?;
        let target = Target::parse(&params.uri).map_err(|bad| asked.misspelt(&params.uri, bad))?;
        if !asked.templates().any(|template| template == target.template) {
            return Err(refused(&params.uri, &not_found(&params.uri)));
        }
        let request = asked.request(target.template.tool, target.arguments());
        match asked.served.toolbox.call(request).await {
            Ok(finished) => {
                let text = target.content(finished.text);
                let content = ResourceContents::text(text, params.uri).with_mime_type(target.template.mime);
                // it may be another one at any time
                let result = ReadResourceResult::new(vec![content]).with_cache_scope(CacheScope::Private);
                Ok(result.with_ttl_ms(0).into())
            }
            Err(error) => {
                asked.lacks(&error);
                Err(refused(&params.uri, &error))
            }
        }
    }
}

impl Asked<'_> {
    /// The templates that exist for the caller.
    pub(super) fn templates(&self) -> impl Iterator<Item = &'static Template> {
        TEMPLATES.iter().filter(|template| self.served.toolbox.offers(&self.caller, template))
    }

    fn misspelt(&self, uri: &str, bad: BadUri) -> ErrorData {
        let forms: Vec<&str> = self.templates().map(|template| template.uri).collect();
        let mut error = Error::not_found(format!("{}: {bad}", not_found(uri)));
        if !forms.is_empty() {
            error = error.next(format!("write it as {}, each segment percent-encoded", forms.join(" or ")));
        }
        ErrorData::resource_not_found(error.text(), data(uri))
    }
}

fn described(template: &Template) -> ResourceTemplate {
    ResourceTemplate::new(template.uri, template.name)
        .with_title(template.title)
        .with_description(template.description)
        .with_mime_type(template.mime)
}

/// What is not there, what the caller may not see and what does not exist for them are one and the same.
pub(super) fn refused(uri: &str, error: &Error) -> ErrorData {
    match error.kind {
        ErrorKind::Unauthenticated => nobody(error),
        ErrorKind::NotFound | ErrorKind::NotAllowed | ErrorKind::UnknownTool => {
            ErrorData::resource_not_found(not_found(uri).text(), data(uri))
        }
        ErrorKind::InvalidInput | ErrorKind::Conflict => ErrorData::invalid_params(error.text(), data(uri)),
        _ => ErrorData::internal_error(error.text(), data(uri)),
    }
}

fn data(uri: &str) -> Option<Value> {
    Some(json!({ "uri": sanitise::short(uri, 200) }))
}
