//! The known name nearest to a misspelt one: the same judgement wherever something is misspelt.

/// The nearest of `known` to `written`, where one is near enough to be meant.
pub fn name<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (likeness(&candidate.to_lowercase(), &written), candidate))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The one of `known` that is `written` but for a few letters. Names that begin alike, as those of tools do, are
/// alike to [`name`] whatever they mean.
pub fn misspelt<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written = written.to_lowercase();
    let most = (written.chars().count() / 5).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&candidate.to_lowercase(), &written), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// From 0 to 1. One slip of a short name, as `lgo` for `log`, leaves little that is alike letter by letter.
fn likeness(candidate: &str, written: &str) -> f64 {
    let slip = candidate.len().min(written.len()) >= 3 && strsim::osa_distance(candidate, written) == 1;
    strsim::jaro_winkler(candidate, written).max(if slip { 0.95 } else { 0.0 })
}

/// Up to `most` of `known`, nearest to `written` first; all of them in order where none is near.
pub fn names<'k>(written: &str, known: impl IntoIterator<Item = &'k str>, most: usize) -> Vec<String> {
    let written = written.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|candidate| (likeness(&candidate.to_lowercase(), &written), candidate))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(most).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// Up to `most` of `known` that may have been meant, nearest first: what holds `written`, or is near. None where
/// nothing is.
pub fn meant<'k>(written: &str, known: impl IntoIterator<Item = &'k str>, most: usize) -> Vec<String> {
    const NEAR: f64 = 0.8;
    let written = written.trim().to_lowercase();
    let score = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let holds = written.len() >= 3 && candidate.contains(&written);
        likeness(&candidate, &written).max(if holds { NEAR } else { 0.0 })
    };
    let scored = known.into_iter().map(|candidate| (score(candidate), candidate));
    let mut near: Vec<(f64, &str)> = scored.filter(|(score, _)| *score >= NEAR).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.into_iter().take(most).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// What completes `written`: what begins with it, then what holds it, then what is near, each in order; and
/// how many those are.
pub fn completions<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
    most: usize,
) -> (Vec<String>, usize) {
    let written = written.trim().to_lowercase();
    let rank = |name: &str| {
        let name = name.to_lowercase();
        match name.find(&written) {
            Some(0) => Some(0),
            Some(_) => Some(1),
            None => (strsim::jaro_winkler(&name, &written) >= 0.8).then_some(2),
        }
    };
    let mut ranked: Vec<(u8, &str)> =
        known.into_iter().filter_map(|name| Some((rank(name)?, name))).collect();
    ranked.sort_unstable();
    let total = ranked.len();
    (ranked.into_iter().take(most).map(|(_, name)| name.to_owned()).collect(), total)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_beginning_that_all_have_is_no_misspelling() {
        let tools = ["palette_cluster_profiles", "palette_clusters", "palette_fleet", "kro_rgd", "kro_rgds"];
        for (written, meant) in [
            ("palette_kubeconfig", None),
            ("palette_cluster", Some("palette_clusters")),
            ("palette_clutsers", Some("palette_clusters")),
            ("palette_feet", Some("palette_fleet")),
            ("kro_rdg", Some("kro_rgd")),
            ("kro_yaml", None),
        ] {
            assert_eq!(super::misspelt(written, tools), meant, "{written}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        assert_eq!(super::name("namespce", ["name", "namespace", "kind"]), Some("namespace"));
        assert_eq!(super::name("lgo", ["exec", "log"]), Some("log"));
        assert_eq!(super::name("zzz", ["name", "namespace"]), None);
        assert_eq!(super::names("b", ["a", "b", "c"], 2), ["b", "a"]);
    }

    #[test]
    fn of_what_is_far_off_nothing_was_meant() {
        let known = ["payments", "checkout", "store-017", "store-019", "payments-eu", "team-a"];
        assert_eq!(super::meant("Payments", known, 3), ["payments", "payments-eu"]);
        assert_eq!(super::meant("chekout", known, 3), ["checkout"]);
        assert!(super::meant("zzz", known, 3).is_empty());
    }

    #[test]
    fn what_begins_so_completes_first() {
        let known = ["checkout-b", "my-checkout", "chekout", "db", "Checkout-a"];
        let (all, total) = super::completions("checkout", known, 10);
        let wanted = ["Checkout-a", "checkout-b", "my-checkout", "chekout"];
        assert_eq!((all, total), (wanted.map(str::to_owned).into(), 4));
        assert_eq!(
            super::completions("", known, 2),
            (vec!["Checkout-a".to_owned(), "checkout-b".to_owned()], 5)
        );
    }
}
