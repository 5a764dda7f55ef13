//! Keys that name a credential.

/// Words that end the name of a credential, as letters without case.
const ENDINGS: [&str; 20] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "token",
    "tokens",
    "secret",
    "apikey",
    "apikeys",
    "accesskey",
    "secretkey",
    "secretaccesskey",
    "privatekey",
    "clientkeydata",
    "credential",
    "credentials",
    "connectionstring",
    "authorization",
    "kubeconfig",
];
/// What a name may end with after such a word.
const FORMS: [&str; 5] = ["pem", "value", "data", "base64", "b64"];

/// Whether a key names a credential: it ends with a word for one. Names of Secrets (`secretName`,
/// `tokenSecretRef`) do not.
pub fn is_secret_key(key: &str) -> bool {
    let letters: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let ends = |name: &str| ENDINGS.iter().any(|ending| name.ends_with(ending));
    let bare = FORMS.iter().find_map(|form| letters.strip_suffix(form));
    // `pass` ends ordinary words too, so it must be a word of its own: `db_pass`, `dbPass`
    let pass = letters == "pass"
        || key.ends_with("_pass")
        || key.ends_with("-pass")
        || key.ends_with("Pass")
        || key.ends_with("_PASS");
    ends(&letters) || pass || bare.is_some_and(ends)
}

#[cfg(test)]
mod tests {
    use super::is_secret_key;

    #[test]
    fn names_of_secrets_are_no_secrets() {
        for key in [
            "adminPassword",
            "DB_PASSWORD",
            "api-key",
            "clientSecret",
            "db_pass",
            "privateKeyPem",
            "tokens",
            "pwd",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "secretName",
            "tokenSecretRef",
            "bypass",
            "keyboard",
            "passwordPolicy",
            "monkey",
            "existingSecretKeyRef",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }
}
