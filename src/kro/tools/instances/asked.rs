//! What was asked for, and the words where the caller may see nothing of it.

use std::collections::BTreeSet;

use super::Input;
use crate::{
    Error, ErrorKind,
    answer::sanitise,
    kro::{
        fetch::Reader,
        inventory::{Inventory, age::Ages},
    },
    kubernetes::LabelSelector,
    nearest,
};

/// Names that an error offers.
const CANDIDATES: usize = 8;

/// The filters of a call, read.
#[derive(Default)]
pub(in crate::kro::tools) struct Asked<'i> {
    pub(in crate::kro::tools) kind: Option<&'i str>,
    pub(in crate::kro::tools) rgd: Option<&'i str>,
    pub(in crate::kro::tools) namespace: Option<&'i str>,
    pub(in crate::kro::tools) labels: LabelSelector,
    pub(in crate::kro::tools) ages: Ages,
}

impl<'i> Asked<'i> {
    /// # Errors
    /// A selector or an age that is none.
    pub(in crate::kro::tools) fn read(input: &'i Input) -> Result<Self, Error> {
        let labels = input.labels.as_deref().unwrap_or_default();
        let odd = |_| {
            let labels = sanitise::short(labels, 120);
            Error::invalid_input(format!("the argument \"labels\": {labels:?} is not a label selector"))
                .candidates(["app=web", "tier in (a,b)", "!legacy", "team=x,env!=prod"])
        };
        Ok(Self {
            kind: input.kind.as_deref(),
            rgd: input.rgd.as_deref(),
            namespace: input.namespace.as_deref(),
            labels: LabelSelector::parse(labels).map_err(odd)?,
            ages: Ages::parse(input.older.as_deref(), input.newer.as_deref())?,
        })
    }

    /// Whether instances of one kind or RGD alone are asked for.
    pub(in crate::kro::tools) fn is_narrowed(&self) -> bool {
        self.rgd.is_some() || self.kind.is_some()
    }

    /// The places of the kinds asked for among those of the cluster.
    ///
    /// # Errors
    /// There is none such, with the names that come near, for who may hear them.
    pub(in crate::kro::tools) async fn kinds(
        &self,
        reader: &Reader,
        inventory: &Inventory,
    ) -> Result<BTreeSet<usize>, Error> {
        let near = |wanted: &str, known: Vec<String>| {
            nearest::names(wanted, known.iter().map(String::as_str), CANDIDATES)
        };
        let names = reader.names_rgds();
        let all = &inventory.generated;
        let mut chosen: BTreeSet<usize> = (0..all.len()).collect();
        let keep = |chosen: &mut BTreeSet<usize>,
                    wanted: &dyn Fn(&crate::kro::inventory::Generated) -> bool| {
            chosen.retain(|place| all.get(*place).is_some_and(wanted));
        };
        if let Some(wanted) = self.rgd {
            keep(&mut chosen, &|kind| kind.is_of(wanted));
            if chosen.is_empty() && names {
                let known = inventory.rgds.iter().map(|rgd| rgd.name.clone()).collect();
                return Err(Error::not_found(format!("the argument \"rgd\": there is no RGD {wanted:?}"))
                    .candidates(near(wanted, known)));
            }
        }
        if let Some(written) = self.kind {
            let kinds = match reader.named_kind(written).await {
                Ok(kind) => vec![kind.group_kind()],
                // the groups may be of RGDs that they do not see
                Err(error) if !names && error.kind == ErrorKind::Conflict => error.candidates,
                Err(error) if !names && error.kind == ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            };
            keep(&mut chosen, &|kind| kinds.contains(&kind.kind.to_string()));
            if chosen.is_empty() && names {
                let message = format!("the argument \"kind\": no RGD generates {}", kinds.join(", "));
                let known = all.iter().map(|kind| kind.kind.to_string()).collect();
                return Err(Error::invalid_input(message).candidates(near(written, known)));
            }
        }
        if chosen.is_empty() && self.is_narrowed() {
            return Err(self.unseen());
        }
        Ok(chosen)
    }

    /// For callers who may not list RGDs: the same words where there is no such RGD or kind and where they
    /// may see none of its instances.
    pub(in crate::kro::tools) fn unseen(&self) -> Error {
        let asked: Vec<(&str, &str, &str)> = [("rgd", "RGD", self.rgd), ("kind", "kind", self.kind)]
            .into_iter()
            .filter_map(|(argument, what, written)| Some((argument, what, written?)))
            .collect();
        let of =
            |(_, what, written): &(&str, &str, &str)| format!("{what} {:?}", sanitise::short(written, 80));
        let what = asked.iter().map(of).collect::<Vec<_>>().join(" and ");
        let arguments = asked.iter().map(|(argument, ..)| *argument).collect::<Vec<_>>().join(" and ");
        let (place, name) = match self.namespace {
            Some(_) => ("in a namespace ", ""),
            None => ("", "name a namespace, or "),
        };
        Error::not_found(format!(
            "the argument {arguments}: there is no instance of {what} {place}that you may see"
        ))
        .next(format!("{name}call again without {arguments} to list all that you may see"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(arguments: &str) -> Input {
        serde_json::from_str(arguments).expect("arguments")
    }

    #[test]
    fn what_is_not_seen_is_told_by_its_own_name_alone() {
        let input = input(r#"{"rgd": "a", "kind": "B"}"#);
        assert_eq!(
            Asked::read(&input).expect("fine").unseen().text(),
            "the argument rgd and kind: there is no instance of RGD \"a\" and kind \"B\" that you may see. \
             Next: name a namespace, or call again without rgd and kind to list all that you may see."
        );
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        for (arguments, said) in [
            (
                r#"{"labels": "app in web"}"#,
                "the argument \"labels\": \"app in web\" is not a label selector",
            ),
            (r#"{"older": "yesterday"}"#, "the argument \"older\": \"yesterday\" is not a time"),
        ] {
            let text = Asked::read(&input(arguments)).err().map(|error| error.text()).unwrap_or_default();
            assert!(text.starts_with(said) && text.contains("Possible: "), "{text}");
        }
    }
}
