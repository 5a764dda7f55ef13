//! The known name nearest to a misspelt one: the same judgement wherever something is misspelt.

/// The nearest of `known` to `written`, where one is near enough to be meant.
pub fn name<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&candidate.to_lowercase(), &written), candidate))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Up to `most` of `known`, nearest to `written` first; all of them in order where none is near.
pub fn names<'k>(written: &str, known: impl IntoIterator<Item = &'k str>, most: usize) -> Vec<String> {
    let written = written.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&candidate.to_lowercase(), &written), candidate))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(most).map(|(_, candidate)| candidate.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_is_near_is_suggested() {
        assert_eq!(super::name("namespce", ["name", "namespace", "kind"]), Some("namespace"));
        assert_eq!(super::name("zzz", ["name", "namespace"]), None);
        assert_eq!(super::names("b", ["a", "b", "c"], 2), ["b", "a"]);
    }
}
