//! Credentials that are known by their shape, wherever they stand.

use std::{borrow::Cow, sync::LazyLock};

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use regex::{Captures, Regex};

use super::redacted;

#[allow(clippy::expect_used, reason = "literal patterns, covered by the tests below")]
fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a literal pattern")
}

static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        r"|(?i:bearer|basic) [A-Za-z0-9+/=._~-]{16,}",
        r"|\bA[KS]IA[0-9A-Z]{16}\b",
        r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bglpat-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}",
    ))
});
/// PEM in base64, as kubeconfigs carry certificates and keys: five dashes and the word BEGIN.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| pattern(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]+=*"));
/// Characters that tell which kind of PEM it is.
const HEAD: usize = 60;
static USERINFO: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(://[^/\s:@"']*:)([^\s"']+)@"#));
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?im)\b([\w.-]*(?:password|passwd|passphrase|token|secret|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s*[=:]\s*)("[^"\n]+"|'[^'\n]+'|[^\s"',;$<=][^\s"',;]*)"#,
    )
});
static TIGHT_ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)\b([\w.-]*(?:password|passwd|passphrase|token|secret|api[_-]?key|access[_-]?key|private[_-]?key)=)("[^"\n]+"|'[^'\n]+'|[^\s"',;&$<=][^\s"',;&]*)"#,
    )
});
/// What each pattern cannot do without: one pass over a text tells that most hold none of it.
#[allow(clippy::expect_used, reason = "literal patterns, covered by the tests below")]
static HINTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let hints = [
        "eyJ",
        "LS0tLS1CRUdJTi",
        "PRIVATE KEY",
        "earer ",
        "EARER ",
        "asic ",
        "ASIC ",
        "://",
        "AKIA",
        "ASIA",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "glpat-",
        "xox",
        "=",
    ];
    AhoCorasick::new(hints).expect("literal patterns")
});
/// No credential that has a shape is shorter.
const SHORTEST_SHAPE: usize = 12;

/// `text` without anything shaped like a credential.
pub(super) fn scrub(text: &str) -> Cow<'_, str> {
    if text.len() < SHORTEST_SHAPE || !HINTS.is_match(text) {
        return Cow::Borrowed(text);
    }
    let mut text = SHAPES.replace_all(text, "<redacted>");
    if text.contains("LS0tLS1CRUdJTi")
        && let Cow::Owned(cleaned) = ENCODED.replace_all(&text, without_key)
    {
        text = Cow::Owned(cleaned);
    }
    if text.contains("://")
        && let Cow::Owned(cleaned) = USERINFO.replace_all(&text, without_userinfo)
    {
        text = Cow::Owned(cleaned);
    }
    if text.contains('=')
        && let Cow::Owned(cleaned) = TIGHT_ASSIGNMENT.replace_all(&text, without_value)
    {
        text = Cow::Owned(cleaned);
    }
    text
}

/// `password=…` and `password: …` inside a longer text, such as a properties file in a ConfigMap.
pub(super) fn scrub_assignments(text: &str) -> Cow<'_, str> {
    if !text.contains(['=', ':']) {
        return Cow::Borrowed(text);
    }
    ASSIGNMENT.replace_all(text, without_value)
}

fn without_value(found: &Captures<'_>) -> String {
    let key = found.get(1).map_or("", |key| key.as_str());
    format!("{key}{}", redacted(found.get(2).map_or(0, |value| value.len())))
}

/// A certificate stays.
fn without_key(found: &Captures<'_>) -> String {
    let encoded = found.get(0).map_or("", |encoded| encoded.as_str());
    let head = STANDARD_NO_PAD.decode(encoded.get(..HEAD).unwrap_or(encoded).trim_end_matches('='));
    let private = |head: Vec<u8>| String::from_utf8_lossy(&head).contains("PRIVATE");
    if head.is_ok_and(private) { redacted(encoded.len()) } else { encoded.to_owned() }
}

/// `registry:5000/app@sha256:…` has a port there, not a password.
fn without_userinfo(found: &Captures<'_>) -> String {
    let part = |index| found.get(index).map_or("", |part: regex::Match<'_>| part.as_str());
    let port = part(2).split('/').next().is_some_and(|port| port.len() <= 5 && port.parse::<u16>().is_ok());
    if port && part(2).contains('/') {
        return part(0).to_owned();
    }
    format!("{}<redacted>@", part(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_shape() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
        let github = format!("ghp_{}", "a1B2".repeat(9));
        for text in [
            jwt,
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "AKIAIOSFODNN7EXAMPLE",
            &github,
        ] {
            assert_eq!(scrub(&format!("a {text} b")), "a <redacted> b");
        }
        assert_eq!(
            scrub("the Bearer of news, a secret = of nothing"),
            "the Bearer of news, a secret = of nothing"
        );
        assert_eq!(scrub("schema.spec.password == other.password"), "schema.spec.password == other.password");
        assert_eq!(
            scrub("login failed: password=hunter2, retry"),
            "login failed: password=<redacted:7 bytes>, retry"
        );
    }

    #[test]
    fn a_kubeconfig_keeps_its_certificates_and_loses_its_keys() {
        use base64::engine::general_purpose::STANDARD;
        let pem =
            |kind: &str| STANDARD.encode(format!("-----BEGIN {kind}-----\nMIIE\n-----END {kind}-----\n"));
        let certificate = format!("certificate-authority-data: {}", pem("CERTIFICATE"));
        assert_eq!(scrub(&certificate), certificate);
        for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
            let key = pem(kind);
            assert_eq!(
                scrub(&format!("key-data: {key}")),
                format!("key-data: <redacted:{} bytes>", key.len())
            );
        }
    }

    #[test]
    fn a_url_loses_its_password_and_keeps_its_port() {
        assert_eq!(scrub("postgres://u:pa/ss@w@db/x"), "postgres://u:<redacted>@db/x");
        assert_eq!(scrub("docker://registry:5000/app@sha256:ab"), "docker://registry:5000/app@sha256:ab");
        assert_eq!(scrub("http://127.0.0.1:8080/mcp"), "http://127.0.0.1:8080/mcp");
    }
}
