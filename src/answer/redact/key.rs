//! Keys that name a credential.

/// Words that end the name of a credential, as letters without case.
const ENDINGS: [&str; 64] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "storepass",
    "bindpw",
    "rootpw",
    "requirepass",
    "masterauth",
    "token",
    "tokens",
    "secret",
    "apikey",
    "apikeys",
    "accesskey",
    "accesskeys",
    "secretkey",
    "secretaccesskey",
    "secretkeybase",
    "privatekey",
    "privatekeys",
    "privkey",
    "tlskey",
    "encryptionkey",
    "encryptionkeys",
    "decryptionkey",
    "signingkey",
    "signingkeys",
    "masterkey",
    "masterkeys",
    "sharedkey",
    "hmackey",
    "hmackeys",
    "licensekey",
    "licensekeys",
    "accountkey",
    "accountkeys",
    "storagekey",
    "sessionkey",
    "authkey",
    "sshkey",
    "clientkey",
    "clientkeydata",
    "serverkey",
    "jwtkey",
    "recoverykey",
    "recoverykeys",
    "unsealkey",
    "unsealkeys",
    "idrsa",
    "ided25519",
    "passwordhash",
    "secretbinary",
    "credential",
    "credentials",
    "connectionstring",
    "authorization",
    "kubeconfig",
    "dockerconfigjson",
    "dockerconfig",
    "dockercfg",
    "mnemonic",
];
/// Words that end ordinary words too (`bypass`, `pinned`), so they must stand by themselves: `db_pass`, `dbPass`.
const ALONE: [&str; 7] = ["pass", "psk", "pin", "pw", "creds", "bearer", "otp"];
/// Words, by themselves, that name a credential where a text stands there, and settings where an object does.
const TEXTS: [&str; 2] = ["auth", "cookie"];
/// What a name may end with after such a word: forms, places and ages.
const DECORATIONS: [&str; 34] = [
    "pem",
    "value",
    "data",
    "base64",
    "b64",
    "hash",
    "string",
    "text",
    "plain",
    "raw",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "stg",
    "test",
    "qa",
    "uat",
    "live",
    "old",
    "new",
    "prev",
    "previous",
    "current",
    "next",
    "backup",
    "bak",
    "primary",
    "secondary",
    "default",
    "admin",
    "root",
];
/// Decorations of one name that are looked behind: `api_key_prod_old_2`.
const MOST_DECORATIONS: usize = 4;

/// Whether a key names a credential: it ends with a word for one. Names of Secrets (`secretName`,
/// `tokenSecretRef`) do not.
pub fn is_secret_key(key: &str) -> bool {
    let letters: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let ends = |name: &str| ENDINGS.iter().any(|ending| name.ends_with(ending));
    let mut bare = letters.as_str();
    for _ in 0..=MOST_DECORATIONS {
        if ends(bare) {
            // names the Secret that there is already
            return !bare.ends_with("existingsecret");
        }
        let Some(shorter) = undecorated(bare) else { break };
        bare = shorter;
    }
    stands_alone(key, &ALONE)
}

/// Whether what stands under a key is a credential if it is a text (`auth: dXNlcjpwdw==`); an object there holds
/// settings.
pub fn is_secret_text(key: &str) -> bool {
    is_secret_key(key) || stands_alone(key, &TEXTS)
}

/// The name without one decoration.
fn undecorated(name: &str) -> Option<&str> {
    let shorter = DECORATIONS.iter().find_map(|decoration| {
        let at = name.len().checked_sub(decoration.len())?;
        let (bare, end) = (name.get(..at)?, name.get(at..)?);
        end.eq_ignore_ascii_case(decoration).then_some(bare)
    });
    let shorter = shorter.unwrap_or_else(|| name.trim_end_matches(|c: char| c.is_ascii_digit()));
    (shorter.len() < name.len()).then_some(shorter)
}

/// Whether the last word of a key, but for decorations, is one of these.
fn stands_alone(key: &str, words: &[&str]) -> bool {
    let mut rest = key;
    for _ in 0..=MOST_DECORATIONS {
        rest = rest.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let word = last_word(rest);
        if words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            return true;
        }
        let Some(shorter) = undecorated(word) else { return false };
        rest = rest.get(..rest.len() - word.len() + shorter.len()).unwrap_or_default();
    }
    false
}

/// `Pass` of `dbPass` and `DBPass`, `pass` of `db_pass`, `PASS` of `DB_PASS`.
fn last_word(key: &str) -> &str {
    let mut start = key.len();
    let (mut after, mut second) = (' ', ' ');
    for (at, letter) in key.char_indices().rev() {
        let begins =
            after.is_ascii_uppercase() && (!letter.is_ascii_uppercase() || second.is_ascii_lowercase());
        if !letter.is_ascii_alphanumeric() || begins {
            break;
        }
        start = at;
        (after, second) = (letter, after);
    }
    key.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{is_secret_key, is_secret_text};

    #[test]
    fn names_of_credentials_are_known() {
        for key in [
            "adminPassword",
            "DB_PASSWORD",
            "api-key",
            "clientSecret",
            "db_pass",
            "dbPass",
            "DBPass",
            "privateKeyPem",
            "tokens",
            "pwd",
            "dockerconfigjson",
            ".dockerconfigjson",
            "tls.key",
            "encryptionKey",
            "signingKey",
            "masterKey",
            "sharedKey",
            "preSharedKey",
            "psk",
            "hmac_key",
            "licenseKey",
            "accountKey",
            "sshKey",
            "clientKey",
            "serverKey",
            "jwtKey",
            "privkey",
            "recoveryKey",
            "secretKeyBase",
            "unsealKeys",
            "bindpw",
            "rootpw",
            "storepass",
            "passcode",
            "pin",
            "userPin",
            "passwordHash",
            "secretString",
            "secretText",
            "bearer",
            "mnemonic",
            "password1",
            "passwordOld",
            "api_key_prod",
            "DB_PASS_PROD",
            "pass2",
            "apiKeyProdOld2",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn names_of_secrets_and_ordinary_keys_are_no_secrets() {
        for key in [
            "secretName",
            "tokenSecretRef",
            "bypass",
            "keyboard",
            "passwordPolicy",
            "monkey",
            "existingSecretKeyRef",
            "key",
            "keys",
            "key1",
            "publicKey",
            "sshPublicKey",
            "sshKeyName",
            "existingSecret",
            "authorizationMode",
            "author",
            "pinned",
            "spin",
            "apiKeySecretRef",
            "cookiecutter",
            "tokenTTLSeconds",
            "accessKeyId",
            "imagePullSecrets",
            "admin",
            "data",
            "test",
            "auth",
            "",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn some_keys_hold_a_secret_only_as_a_text() {
        for key in ["auth", "basicAuth", "cookie", "session_cookie", "token"] {
            assert!(is_secret_text(key), "{key}");
        }
        for key in ["author", "oauth", "cookiecutter", "authType", "cookies"] {
            assert!(!is_secret_text(key), "{key}");
        }
    }
}
