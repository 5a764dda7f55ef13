//! Credentials that are known by their shape, wherever they stand.

use std::{borrow::Cow, sync::LazyLock};

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use regex::{Captures, Regex};

use super::{is_secret_key, redacted, userinfo};

#[allow(clippy::expect_used, reason = "literal patterns, covered by the tests below")]
fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a literal pattern")
}

static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"|-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)",
        r"|(?i:bearer|basic) [A-Za-z0-9+/=._~-]{16,}",
        r"|\bA[KS]IA[0-9A-Z]{16}\b",
        r"|\bhv[sbr]\.[A-Za-z0-9_-]{16,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"|https://hooks\.slack\.com/[A-Za-z0-9/_-]+",
        r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bglpat-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}",
    ))
});
/// PEM in base64, as kubeconfigs carry certificates and keys: five dashes and the word BEGIN.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| pattern(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]+=*"));
/// Characters that tell which kind of PEM it is.
const HEAD: usize = 60;
/// Names of credentials in free text: fewer than [`is_secret_key`] knows, for prose has colons too.
const NAMES: &str = concat!(
    r"(?:password|passwd|passphrase|passcode|token|secret|[_-]pass|\bpass|\bpwd|_pwd|\bpsk|bindpw|rootpw|storepass",
    r"|(?:api|access|private|secret|encryption|signing|master|shared|hmac|license|account|storage|ssh|client|server",
    r"|jwt|recovery|unseal)[_-]?keys?|tls\.key|priv[_-]?key|secret[_-]?key[_-]?base|dockerconfigjson|mnemonic)",
    r"(?:[_-]?(?:hash|string|text|value|data|base64|prod|production|dev|staging|test|old|new|prev|backup|admin)|[_-]?\d+)*",
);
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?im)\b([\w.-]*{NAMES}[\\"']{{0,4}}\s*[=:]\s*)(\\?"[^"\n]+"|'[^'\n]+'|[^\s"',;$<=\\][^\s"',;]*)"#
    ))
});
static TIGHT_ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r#"(?i)\b([\w.-]*{NAMES}=)("[^"\n]+"|'[^'\n]+'|[^\s"',;&$<=][^\s"',;&]*)"#))
});
/// Members of JSON that hold a credential as a text.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(\\?["'](?:[\w.-]*[_.-])?(?:auth|cookie|bearer|pin)\\?["']\s*:\s*)(\\?"[^"\n]+"|'[^'\n]+')"#,
    )
});
/// `--password X`; which names are secret ones is asked for each.
static FLAG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?m)((?:^|[\s"'\[(,=])--?[A-Za-z][\w.-]*["']?(?:,[ \t]*|[ \t]+))("[^"\n]+"|'[^'\n]+'|[^\s"'<-][^\s"']*)"#,
    )
});
/// What signs a URL.
static SIGNATURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)([?&;](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature)=)([^\s&"'#<][^\s&"'#]*)"#,
    )
});
/// `curl -u user:password`
static LOGIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"((?:\s-u|--user|--proxy-user)[ =]?["']?[^\s:"']+:)([^\s"'<][^\s"']*)"#));
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
        "github_pat_",
        "hvs.",
        "hvb.",
        "hvr.",
        "curl",
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
    if let Cow::Owned(cleaned) = userinfo::scrub(&text) {
        text = Cow::Owned(cleaned);
    }
    if text.contains('=') {
        for assigned in [&TIGHT_ASSIGNMENT, &SIGNATURE] {
            if let Cow::Owned(cleaned) = assigned.replace_all(&text, without_value) {
                text = Cow::Owned(cleaned);
            }
        }
    }
    if text.contains("curl")
        && let Cow::Owned(cleaned) = LOGIN.replace_all(&text, without_value)
    {
        text = Cow::Owned(cleaned);
    }
    text
}

/// `password=…`, `password: …` and `--password …` inside a longer text, such as a properties file in a ConfigMap.
pub(super) fn scrub_assignments(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains(['=', ':']) {
        for assigned in [&ASSIGNMENT, &QUOTED] {
            if let Cow::Owned(cleaned) = assigned.replace_all(&text, without_value) {
                text = Cow::Owned(cleaned);
            }
        }
    }
    if text.contains('-')
        && let Cow::Owned(cleaned) = FLAG.replace_all(&text, without_argument)
        && cleaned != *text
    {
        text = Cow::Owned(cleaned);
    }
    text
}

fn without_value(found: &Captures<'_>) -> String {
    let part = |index| found.get(index).map_or("", |part: regex::Match<'_>| part.as_str());
    let name = part(1).trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_lowercase();
    let names_one = name.ends_with("existingsecret");
    if names_one || part(2).trim_start_matches(['"', '\'', '\\']).starts_with("<redacted") {
        return part(0).to_owned();
    }
    format!("{}{}", part(1), redacted(part(2).len()))
}

fn without_argument(found: &Captures<'_>) -> String {
    let flag = found.get(1).map_or("", |flag| flag.as_str());
    if is_secret_key(flag) {
        return without_value(found);
    }
    found.get(0).map_or_else(String::new, |all| all.as_str().to_owned())
}

/// A certificate stays.
fn without_key(found: &Captures<'_>) -> String {
    let encoded = found.get(0).map_or("", |encoded| encoded.as_str());
    let head = STANDARD_NO_PAD.decode(encoded.get(..HEAD).unwrap_or(encoded).trim_end_matches('='));
    let private = |head: Vec<u8>| String::from_utf8_lossy(&head).contains("PRIVATE");
    if head.is_ok_and(private) { redacted(encoded.len()) } else { encoded.to_owned() }
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
    fn more_credentials_are_known_by_shape() {
        for text in [
            "token is hvs.CAESIplanted0123456789abcdef",
            "post to https://hooks.slack.com/services/T000/B000/planted",
            "Endpoint=x;AccountName=a;AccountKey=planted1234==;Suffix=y",
            "https://a.blob.example/c?sv=2022&sig=planted%3D&se=1",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nplanted\n-----END PGP PRIVATE KEY BLOCK-----",
            "run curl -s -u admin:planted https://h/x",
            "curl --user=admin:planted https://h/x",
            "rotate github_pat_11planted0123456789abcdef now",
        ] {
            let clean = scrub(text);
            assert!(!clean.contains("planted") && clean.contains("<redacted"), "{clean}");
        }
    }

    #[test]
    fn what_is_assigned_or_given_to_a_flag_is_known_by_its_name() {
        for text in [
            "{\"auths\":{\"r\":{\"auth\":\"planted\"}}}",
            "{\\\"auth\\\":\\\"planted\\\"}",
            "\"session_cookie\": 'planted'",
            "encryption_key=planted",
            "passwordOld: planted",
            "api_key_prod: \"planted\"",
            "serve --api-key planted --port 80",
            "--password 'planted planted'",
            "[\"--token\",\"planted\"]",
        ] {
            let clean = scrub_assignments(text);
            assert!(!clean.contains("planted") && clean.contains("<redacted"), "{clean}");
        }
        for text in [
            "auth: failed",
            "the api-token expired",
            "monkey: business",
            "the author: a pinned one",
            "--mode fast --port 80",
            "- --key-file /etc/x",
            "password: <redacted:3 bytes>",
            "\"password\": \"<redacted:3 bytes>\"",
        ] {
            assert_eq!(scrub_assignments(text), text);
        }
    }
}
