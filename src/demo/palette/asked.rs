//! [`Asked`]: a request held against the contract, and the scope that it is in.

use std::sync::Arc;

use axum::extract::Query;
use http::{header::CONTENT_TYPE, request::Parts};
use serde_json::Value;

use super::{
    data::{Cluster, Data, Profile, Version},
    endpoint::Endpoint,
    fault::Failure,
    page::Page,
    refusal::Refusal,
    tenant::{Identity, Tenant},
    view::View,
};

/// What is answered where nothing is wrong.
pub(super) enum Reply {
    Json(Value),
    /// A file of that name.
    File(String, String),
    /// 201: the uid of what was made.
    Made(String),
    /// 204
    Done,
}

/// A request that the contract knows.
pub(super) struct Asked<'a> {
    pub(super) data: Arc<Data>,
    made: jiff::Timestamp,
    pub(super) endpoint: &'static Endpoint,
    identity: Identity,
    captured: Vec<String>,
    query: Vec<(String, String)>,
    /// The scope; none is the tenant's.
    pub(super) project: Option<String>,
    pub(super) body: &'a [u8],
    pub(super) failure: Option<&'a Failure>,
}

impl<'a> Asked<'a> {
    #[expect(clippy::too_many_arguments, reason = "they are the request, in its parts")]
    pub(super) fn new(
        tenant: &Tenant,
        endpoint: &'static Endpoint,
        identity: Identity,
        captured: Vec<String>,
        parts: &Parts,
        project: Option<String>,
        body: &'a [u8],
        failure: Option<&'a Failure>,
    ) -> Result<Self, Refusal> {
        let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|rejection| Refusal::breach(rejection.body_text()))?;
        if let Some((name, _)) = query.iter().find(|(name, _)| !endpoint.query.contains(&name.as_str())) {
            return Err(Refusal::breach(format!("query parameter '{name}' is not known")));
        }
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let json = content_type.is_some_and(|of| of.starts_with("application/json"));
        if endpoint.method == "GET" && !body.is_empty() {
            return Err(Refusal::breach("a GET has no body"));
        }
        if !body.is_empty() && !json {
            let content_type = content_type.unwrap_or_default();
            return Err(Refusal::breach(format!(
                "the content type is '{content_type}', not application/json"
            )));
        }
        let asked = Self {
            data: tenant.data(),
            made: tenant.made(),
            endpoint,
            identity,
            captured,
            query,
            project,
            body,
            failure,
        };
        asked.scope()?;
        Ok(asked)
    }

    /// Whether the caller may be in the scope at all.
    fn scope(&self) -> Result<(), Refusal> {
        let open = match (&self.project, &self.identity) {
            (None, Identity::Tenant) => true,
            // One who signed in is told which projects are theirs.
            (None, Identity::Projects(_, signed_in)) => {
                *signed_in
                    && matches!(
                        self.endpoint.template,
                        "/v1/dashboard/projects" | "/v1/dashboard/projects/metadata" | "/v1/users/info"
                    )
            }
            (Some(project), identity) => {
                self.data.project(project).is_some()
                    && !self.data.denied.contains(project)
                    && self.sees(identity, project)
            }
        };
        if open { Ok(()) } else { Err(Refusal::forbidden(self.permission())) }
    }

    fn sees(&self, identity: &Identity, project: &str) -> bool {
        match identity {
            Identity::Tenant => true,
            Identity::Projects(projects, _) => projects.iter().any(|of| of == project),
        }
    }

    /// The permission that Palette names.
    fn permission(&self) -> &'static str {
        let template = self.endpoint.template;
        let one = template.contains("id}");
        if self.endpoint.changes {
            return if one { "cluster.update" } else { "cluster.create" };
        }
        match template.split('/').find(|part| !matches!(*part, "" | "v1" | "dashboard")).unwrap_or_default() {
            "projects" => "project.list",
            "clusterprofiles" if one => "clusterProfile.get",
            "clusterprofiles" => "clusterProfile.list",
            "clustergroups" if one => "clusterGroup.get",
            "clustergroups" => "clusterGroup.list",
            "cloudaccounts" if one => "cloudaccount.get",
            "cloudaccounts" => "cloudaccount.list",
            _ if one => "cluster.get",
            _ => "cluster.list",
        }
    }

    /// Whether what is in `owner`, a project or the tenant, can be read from the scope; what is shared is read
    /// from every project.
    pub(super) fn reach(&self, owner: Option<&str>, shared: bool) -> Result<(), Refusal> {
        let reached = match (owner, self.project.as_deref()) {
            (Some(owner), Some(project)) => owner == project,
            (None, None) => true,
            (None, Some(_)) => shared,
            (Some(_), None) => false,
        };
        if reached { Ok(()) } else { Err(Refusal::forbidden(self.permission())) }
    }

    /// Whether a list in the scope has what is in `owner`.
    pub(super) fn lists(&self, owner: Option<&str>, shared: bool) -> bool {
        match self.project.as_deref() {
            None => true,
            Some(project) => owner == Some(project) || (shared && owner.is_none()),
        }
    }

    /// Whether the list of projects has that one.
    pub(super) fn lists_project(&self, uid: &str) -> bool {
        self.project.as_deref().is_none_or(|project| project == uid) && self.sees(&self.identity, uid)
    }

    pub(super) fn made(&self) -> jiff::Timestamp {
        self.made
    }

    pub(super) fn view(&self) -> View<'_> {
        View { data: &self.data, made: self.made }
    }

    /// What stands in that open place of the path.
    pub(super) fn captured(&self, place: usize) -> &str {
        self.captured.get(place).map(String::as_str).unwrap_or_default()
    }

    /// The query parameter, empty where there is none.
    pub(super) fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// The cluster that the path names.
    pub(super) fn cluster(&self, uid: &str) -> Result<&Cluster, Refusal> {
        let cluster = self.data.cluster(uid).ok_or_else(|| Refusal::not_found("Cluster", uid))?;
        self.reach(cluster.project.as_deref(), false)?;
        Ok(cluster)
    }

    /// The uid of the cluster that the path of a change names, where it is in the scope.
    pub(super) fn changed(&self, data: &Data) -> Result<String, Refusal> {
        let uid = self.captured(0);
        let cluster = data.cluster(uid).ok_or_else(|| Refusal::not_found("Cluster", uid))?;
        self.reach(cluster.project.as_deref(), false)?;
        Ok(cluster.uid.clone())
    }

    /// The version of a profile that the path names.
    pub(super) fn version(&self, uid: &str) -> Result<(&Profile, &Version), Refusal> {
        let (profile, version) =
            self.data.version(uid).ok_or_else(|| Refusal::not_found("Cluster profile", uid))?;
        self.reach(profile.project.as_deref(), true)?;
        Ok((profile, version))
    }

    /// The page of `rows` that is asked for.
    pub(super) fn page<T>(&self, rows: &[T], row: impl Fn(&T) -> Value) -> Result<Reply, Refusal> {
        let page = Page::parse(|name| self.query(name))?;
        Ok(Reply::Json(page.of(rows, self.failure, row)))
    }
}
