//! Which clusters run a pack, and below which version.

use std::{collections::BTreeMap, sync::Arc};

use super::row::{ClusterRow, Pack, Template};
use crate::palette::version::Version;

/// A pack on a cluster.
#[derive(Clone, Debug)]
pub struct Found {
    /// The cluster.
    pub row: Arc<ClusterRow>,
    /// The profile that brings it.
    pub profile: String,
    /// The pack.
    pub pack: Pack,
    /// How it stands to the version that was asked for.
    pub exposure: Exposure,
}

/// How a pack stands to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// Older, or no version was asked for.
    Below,
    /// Its version cannot be compared with it.
    Unknown,
    /// As new, or newer.
    Safe,
}

/// The packs whose names fit `pattern`, in which `*` stands for any characters, against `below`.
pub fn exposures(
    rows: &[Arc<ClusterRow>],
    pattern: &str,
    layer: Option<&str>,
    below: Option<&Version>,
) -> Vec<Found> {
    let fits = |pack: &&Pack| {
        matches(pattern, &pack.name) && layer.is_none_or(|layer| pack.layer.eq_ignore_ascii_case(layer))
    };
    let of = |row: &Arc<ClusterRow>, template: &Template, pack: &Pack| Found {
        row: Arc::clone(row),
        profile: template.name.clone(),
        pack: pack.clone(),
        exposure: exposure(&pack.version, below),
    };
    rows.iter()
        .flat_map(|row| row.templates().iter().map(move |template| (row, template)))
        .flat_map(|(row, template)| {
            template.packs.iter().filter(fits).map(move |pack| of(row, template, pack))
        })
        .collect()
}

fn exposure(version: &str, below: Option<&Version>) -> Exposure {
    let Some(below) = below else { return Exposure::Below };
    match Version::parse(version).map(|version| version.compare(below)) {
        Some(Some(order)) if order.is_lt() => Exposure::Below,
        Some(Some(_)) => Exposure::Safe,
        _ => Exposure::Unknown,
    }
}

/// How many have which version, the oldest first.
pub fn spread(found: &[Found]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    found.iter().for_each(|one| *counts.entry(one.pack.version.as_str()).or_default() += 1);
    let mut counts: Vec<(String, usize)> =
        counts.into_iter().map(|(version, count)| (version.to_owned(), count)).collect();
    counts.sort_by(|(one, _), (other, _)| crate::palette::version::order(one, other));
    counts
}

/// Whether a name fits a pattern, without case.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_patterns_with_stars() {
        for (pattern, name, fits) in [
            ("nginx", "nginx", true),
            ("nginx", "nginx-ingress", false),
            ("cni-*", "CNI-calico", true),
            ("*ingress*", "nginx-ingress-x", true),
            ("a*b*c", "a-b", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_version_that_cannot_be_compared_is_neither_safe_nor_exposed() {
        let below = Version::parse("1.27.5");
        for (version, wanted) in [
            ("1.27.4", Exposure::Below),
            ("1.9.0", Exposure::Below),
            ("v1.27.5", Exposure::Safe),
            ("1.27.5-rc.1", Exposure::Below),
            ("1.27.x", Exposure::Unknown),
            ("latest", Exposure::Unknown),
            ("", Exposure::Unknown),
        ] {
            assert_eq!(exposure(version, below.as_ref()), wanted, "{version}");
        }
        assert_eq!(exposure("latest", None), Exposure::Below);
    }
}
