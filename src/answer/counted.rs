//! [`counted`]: how many there are, in words.

/// `1 cluster group`, `2 cluster groups`; `noun` is one whose plural has an `s`.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_is_not_several() {
        let told: Vec<String> = (0..3).map(|count| super::counted(count, "text")).collect();
        assert_eq!(told, ["0 texts", "1 text", "2 texts"]);
    }
}
