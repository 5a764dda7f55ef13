//! From what a person writes to one instance, or to the names that they may have meant.

use super::Reader;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::{instance_kind, trouble};
use crate::kro::labels;
use crate::kubernetes::{Kind, Named, NoKind, Object, Selector};
use crate::{Error, nearest};

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its namespace, where it was given.
    pub namespace: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
}

const CANDIDATES: usize = 8;

impl Reader {
    /// The kind that a person means.
    ///
    /// # Errors
    /// None, or several: the error has the candidates.
    pub async fn named_kind(&self, written: &str) -> Result<Kind, Error> {
        if let Named::One(kind) = self.kinds().named(written) {
            return Ok(kind.clone());
        }
        match self.access.kind_named(written).await {
            Ok(kind) => Ok(kind),
            Err(NoKind::Unknown { written, near }) => Err(self.no_such_kind(&written, near).await),
            Err(other) => Err(other.of("kind")),
        }
    }

    /// A kind that is not served, with the RGD that would generate it or the names that come near.
    async fn no_such_kind(&self, written: &str, near: Vec<String>) -> Error {
        let message = format!("the argument \"kind\": the cluster serves no kind {written:?}");
        if !self.may_name_rgds {
            // what comes near may be a kind that an RGD of others generates
            return Error::not_found(message).next("kro_instances lists what you may see");
        }
        let rgds = rgds(self).await;
        let (wanted, group) =
            written.split_once('.').map_or((written, None), |(kind, group)| (kind, Some(group)));
        let generates = |rgd: &&Object| {
            let of = instance_kind(rgd);
            of.kind.eq_ignore_ascii_case(wanted) && group.is_none_or(|group| of.group == group)
        };
        if let Some(rgd) = rgds.iter().find(generates) {
            let trouble = trouble(rgd).unwrap_or_else(|| "its CRD is gone".to_owned());
            return Error::not_found(format!(
                "{message} yet: RGD {} would generate it, but {trouble}",
                rgd.name()
            ));
        }
        let known: Vec<String> = rgds.iter().map(|rgd| instance_kind(rgd).to_string()).collect();
        let candidates = match near.is_empty() {
            true => nearest::names(written, known.iter().map(String::as_str), CANDIDATES),
            false => near,
        };
        Error::not_found(message).candidates(candidates)
    }

    /// One object of a kind. Without a namespace it is looked for in all that the caller may see.
    ///
    /// # Errors
    /// It is not there (with the nearest names), or in several namespaces, or cannot be read.
    pub async fn object(&self, kind: &Kind, wanted: Wanted<'_>) -> Result<Object, Error> {
        let found = self.access.found(kind, wanted.namespace, wanted.name).await?;
        match found {
            Some(object) => Ok(object),
            None => Err(self.not_found(kind, wanted).await),
        }
    }

    async fn not_found(&self, kind: &Kind, wanted: Wanted<'_>) -> Error {
        let place = match wanted.namespace.filter(|_| kind.namespaced) {
            Some(namespace) => format!(" in namespace {namespace}"),
            None => String::new(),
        };
        let what = format!("there is no {} {:?}{place} that you may see", kind.kind, wanted.name);
        let error = Error::not_found(what);
        let mut listed = self.access.list(kind, None, &Selector::all()).await;
        if matches!(&listed, Err(fault) if fault.is_forbidden()) && wanted.namespace.is_some() {
            listed = self.access.list(kind, wanted.namespace, &Selector::all()).await;
        }
        let Ok(listed) = listed else { return error };
        let named = |object: &Object| match object.namespace() {
            Some(namespace) => format!("{namespace}/{}", object.name()),
            None => object.name().to_owned(),
        };
        // a tool that changes or tells of one object is no way to list the others
        let kros = matches!(kind.group.as_str(), labels::GROUP | labels::INTERNAL_GROUP)
            && matches!(kind.kind.as_str(), "ResourceGraphDefinition" | "GraphRevision");
        let nameable = |object: &&Object| {
            kros || self.nameable.as_ref().is_none_or(|seen| seen.sees(object.namespace()))
        };
        // Of kinds that are not kro's, only what belongs to an instance may be named: this is no
        // way to list Secrets or Pods.
        let all = self.is_of_kro(kind).await;
        let mut nearest: Vec<(bool, f64, String)> = listed
            .items
            .iter()
            .filter(nameable)
            .filter(|object| all || object.label(labels::PART_OF).is_some())
            .map(|object| {
                let elsewhere = wanted.namespace.is_some() && object.namespace() != wanted.namespace;
                (elsewhere, strsim::jaro_winkler(object.name(), wanted.name), named(object))
            })
            .collect();
        nearest.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then_with(|| a.2.cmp(&b.2)));
        error.candidates(nearest.into_iter().take(CANDIDATES).map(|(_, _, name)| name))
    }

    /// Whether objects of this kind are kro's own or generated by an RGD.
    pub async fn is_of_kro(&self, kind: &Kind) -> bool {
        let own = matches!(kind.group.as_str(), labels::GROUP | labels::INTERNAL_GROUP);
        own || self.rgd_of_kind(&GroupKind::new(&kind.group, &kind.kind)).await.is_some()
    }
}

/// The kinds that RGDs of the cluster generate, as `Kind.group`; empty where RGDs cannot be read or
/// may not be named.
pub async fn instance_kinds(reader: &Reader) -> Vec<String> {
    if !reader.may_name_rgds {
        return Vec::new();
    }
    rgds(reader).await.iter().map(|rgd| instance_kind(rgd).to_string()).collect()
}

async fn rgds(reader: &Reader) -> Vec<Object> {
    reader.all_rgds().await.unwrap_or_default()
}
