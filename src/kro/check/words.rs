//! Words that names may not be, and the forms that they must have (kro v0.9.4
//! `pkg/graph/validation.go`).

/// Words that no identifier of CEL may be.
const CEL: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];
/// Words that kro keeps for itself.
const KRO: [&str; 33] = [
    "apiVersion",
    "context",
    "dependency",
    "dependencies",
    "each",
    "externalRef",
    "externalReference",
    "externalRefs",
    "externalReferences",
    "graph",
    "instance",
    "item",
    "items",
    "kind",
    "kro",
    "metadata",
    "namespace",
    "object",
    "resource",
    "resourcegraphdefinition",
    "resourceGraphDefinition",
    "resources",
    "root",
    "runtime",
    "schema",
    "self",
    "serviceAccountName",
    "spec",
    "status",
    "this",
    "variables",
    "vars",
    "version",
];

/// Whether neither a node nor an iterator may be called so.
pub(super) fn is_reserved(word: &str) -> bool {
    CEL.contains(&word) || KRO.contains(&word)
}

/// `^[a-z][a-zA-Z0-9]*$`
pub(super) fn is_lower_camel(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `^[A-Z][a-zA-Z0-9]{0,62}$`
pub(super) fn is_kind(word: &str) -> bool {
    word.len() <= 63
        && word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `^v\d+((alpha|beta)\d+)?$`
pub(super) fn is_version(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = word.strip_prefix('v') else { return false };
    let stage = rest.split_once("alpha").or_else(|| rest.split_once("beta"));
    stage.map_or_else(|| digits(rest), |(major, minor)| digits(major) && digits(minor))
}

/// RFC 1123, as Kubernetes wants the name of a group.
pub(super) fn is_subdomain(name: &str) -> bool {
    let label = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_what_looks_like_them() {
        assert!(["a", "aB9"].iter().all(|word| is_lower_camel(word)));
        assert!(!["", "A", "a-b", "a_b", "9a", "é"].iter().any(|word| is_lower_camel(word)));
        assert!(is_kind("WebApp") && !is_kind("webApp") && !is_kind("") && !is_kind(&"A".repeat(64)));
        assert!(["v1", "v12", "v1alpha1", "v2beta10"].iter().all(|word| is_version(word)));
        let wrong = ["", "v", "1", "v1alpha", "valpha1", "v1gamma1", "kro.run/v1", "v1alpha1beta1"];
        assert!(!wrong.iter().any(|word| is_version(word)));
        assert!(
            is_reserved("schema") && is_reserved("namespace") && is_reserved("loop") && !is_reserved("web")
        );
    }
}
