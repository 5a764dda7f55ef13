//! From what a person writes to one RGD: its name, or the kind that it generates.

use super::Reader;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::instance_kind;
use crate::kro::labels;
use crate::kubernetes::{Fault, Listed, Object, Selector, selector::is_label_value};
use crate::{Error, ErrorKind, nearest};

const CANDIDATES: usize = 8;

/// An RGD among the others of its cluster.
#[derive(Debug)]
pub struct NamedRgd {
    /// The one that was asked for.
    pub rgd: Object,
    /// All others, as far as they could be read.
    pub others: Vec<Object>,
    /// Why those are not all.
    pub gap: Option<String>,
}

impl Reader {
    /// The RGD that a person means, and the others: one LIST.
    ///
    /// # Errors
    /// None, or several: the error has the candidates. Or none can be read.
    pub async fn named_rgd(&self, written: &str) -> Result<NamedRgd, Error> {
        let kind = self.rgd_kind().await.ok_or_else(no_kro)?;
        let mut listed = match self.access.list(&kind, None, &Selector::all()).await {
            Ok(listed) => listed,
            Err(fault) if fault.is_forbidden() => {
                let rgd = self.access.get(&kind, None, written).await?;
                let gap = Some(format!("the other ResourceGraphDefinitions: {fault}"));
                return Ok(NamedRgd { rgd, others: Vec::new(), gap });
            }
            Err(fault) => return Err(fault.into()),
        };
        let gap = listed.cut.take().map(|why| format!("the other ResourceGraphDefinitions: {why}"));
        match pick(&listed, written) {
            Picked::One(at) => {
                let rgd = listed.items.swap_remove(at);
                Ok(NamedRgd { rgd, others: listed.items, gap })
            }
            Picked::Several(names) => {
                let message = format!("the argument \"name\": several RGDs generate the kind {written:?}");
                Err(Error::new(ErrorKind::Conflict, message).candidates(names).next("name the RGD"))
            }
            // a list that was cut may lack it
            Picked::None if gap.is_some() => match self.access.get(&kind, None, written).await {
                Ok(rgd) => Ok(NamedRgd { rgd, others: listed.items, gap }),
                Err(Fault::NotFound(_)) => Err(self.no_such_rgd(written, &listed.items)),
                Err(fault) => Err(fault.into()),
            },
            Picked::None => Err(self.no_such_rgd(written, &listed.items)),
        }
    }

    /// The nearest names, for whoever may list RGDs.
    fn no_such_rgd(&self, written: &str, rgds: &[Object]) -> Error {
        let written = crate::answer::sanitise::short(written, 80);
        let error = Error::not_found(format!(
            "the argument \"name\": there is no ResourceGraphDefinition {written:?}"
        ));
        if !self.may_name_rgds {
            return error;
        }
        let kinds: Vec<String> = rgds.iter().map(|rgd| instance_kind(rgd).kind).collect();
        let mut near = nearest::names(&written, rgds.iter().map(Object::name), CANDIDATES);
        if let Some(kind) = nearest::name(&written, kinds.iter().map(String::as_str)) {
            let of = rgds.iter().filter(|rgd| instance_kind(rgd).kind == kind).map(Object::name);
            let of: Vec<&str> = of.filter(|name| near.first().map(String::as_str) != Some(name)).collect();
            near.retain(|name| !of.contains(&name.as_str()));
            near.splice(0..0, of.into_iter().map(str::to_owned));
            near.truncate(CANDIDATES);
        }
        error.candidates(near).next("kro_rgds lists them")
    }

    /// The GraphRevisions of an RGD; `None` where this kro keeps none (< 0.9).
    ///
    /// # Errors
    /// They cannot be read: 403 is normal for most users.
    pub async fn graph_revisions(&self, rgd: &str) -> Result<Option<Listed>, Fault> {
        let wanted = GroupKind::new(labels::INTERNAL_GROUP, "GraphRevision");
        let Some(kind) = self.kind(&wanted).await else { return Ok(None) };
        let selector = Selector::all().field("spec.snapshot.name", rgd);
        self.access.unfiltered().list(&kind, None, &selector).await.map(Some)
    }

    /// The CRD of the kind that an RGD generates; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn generated_crd(&self, rgd: &Object) -> Result<Option<Object>, Fault> {
        let crds = GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition");
        let Some(crds) = self.kind(&crds).await else { return Ok(None) };
        let of = instance_kind(rgd);
        let access = self.access.unfiltered();
        if let Some(generated) = self.kind(&of).await {
            let name = format!("{}.{}", generated.plural, generated.group);
            return match access.get(&crds, None, &name).await {
                Ok(crd) => Ok(Some(crd)),
                Err(Fault::NotFound(_)) => Ok(None),
                Err(fault) => Err(fault),
            };
        }
        // Discovery is read at most every ten seconds: the kind may have come since.
        if !is_label_value(rgd.name()) {
            return Ok(None);
        }
        let listed = access.list(&crds, None, &Selector::all().label(labels::RGD_NAME, rgd.name())).await?;
        let is_its = |crd: &Object| {
            crd.text(&["spec", "names", "kind"]) == Some(&of.kind)
                && crd.text(&["spec", "group"]) == Some(&of.group)
        };
        Ok(listed.items.into_iter().find(is_its))
    }
}

fn no_kro() -> Error {
    Error::not_found("this cluster has no kro: it serves no ResourceGraphDefinition")
        .next("kubernetes_clusters lists the others")
}

enum Picked {
    One(usize),
    Several(Vec<String>),
    None,
}

/// By name, else by kind: `WebApp`, `webapp.kro.run`, or its plural as the CRD's name has it.
fn pick(listed: &Listed, written: &str) -> Picked {
    let written = written.trim();
    let at = |meant: &dyn Fn(&Object) -> bool| -> Vec<usize> {
        (0..).zip(&listed.items).filter(|(_, rgd)| meant(rgd)).map(|(at, _)| at).collect()
    };
    let (kind, group) = written.split_once('.').map_or((written, None), |(kind, group)| (kind, Some(group)));
    let generates = |rgd: &Object| {
        let of = instance_kind(rgd);
        of.kind.eq_ignore_ascii_case(kind) && group.is_none_or(|group| of.group == group)
    };
    let by_uid = |rgd: &Object| rgd.uid() == written;
    let by_name = |rgd: &Object| rgd.name() == written;
    let in_any_case = |rgd: &Object| rgd.name().eq_ignore_ascii_case(written);
    for meant in [&by_name as &dyn Fn(&Object) -> bool, &by_uid, &generates, &in_any_case] {
        match at(meant).as_slice() {
            [] => {}
            [one] => return Picked::One(*one),
            several => {
                let names = several.iter().filter_map(|at| listed.items.get(*at));
                return Picked::Several(names.map(|rgd| rgd.name().to_owned()).collect());
            }
        }
    }
    Picked::None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_rgd_is_meant_by_its_name_or_its_kind() {
        let rgd = |name: &str, kind: &str, group: &str| {
            Object::from_value(json!({"metadata": {"name": name, "uid": format!("uid-{name}")},
                "spec": {"schema": {"kind": kind, "group": group}}}))
            .expect("an object")
        };
        let items = vec![
            rgd("web", "WebApp", ""),
            rgd("data", "Database", "a.example"),
            rgd("more", "Database", "b.example"),
        ];
        let listed = Listed { items, ..Listed::default() };
        for (written, wanted) in [
            ("web", 0),
            ("webapp", 0),
            ("WebApp.kro.run", 0),
            ("uid-data", 1),
            ("Database.b.example", 2),
            ("DATA", 1),
        ] {
            assert!(matches!(pick(&listed, written), Picked::One(at) if at == wanted), "{written}");
        }
        assert!(matches!(pick(&listed, "database"), Picked::Several(names) if names == ["data", "more"]));
        assert!(matches!(pick(&listed, "nothing"), Picked::None));
    }
}
