//! [`Reader`]: a program that may read the exported entities and nothing else, by a token of its own in a file. Backstage
//! reads locations with what its configuration holds, and can sign in nowhere.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncReadExt as _, time::timeout};

use super::{Caller, local};
use crate::{
    kubernetes::identity::is_b64token,
    permission::{Grant, Permission, PermissionSet, Within},
};

/// A shorter one can be guessed.
const SHORTEST: usize = 32;
/// What the file may hold, in bytes.
const LONGEST: u64 = 4 << 10;
/// How long it may take to be read.
const READING: Duration = Duration::from_secs(2);
/// What stands for the issuer of what is no token of one.
const ISSUER: &str = "configuration";

/// Whose token opens what is exported.
#[derive(Debug)]
pub struct Reader {
    file: PathBuf,
    caller: Arc<Caller>,
    /// The last thing that was wrong with the file: it is asked for by whoever sends a token, and a log is not filled so.
    said: Mutex<Option<String>>,
}

impl Reader {
    /// By the token in that file. `rule` is the configuration that says so.
    pub fn new(file: PathBuf, within: Within, rule: &str) -> Self {
        let grant = Grant {
            deny: false,
            permissions: [Permission::PlatformEntitiesRead].into_iter().collect(),
            within: Arc::new(within),
            rule: rule.to_owned(),
        };
        // as the local user: no token of its own is told of anywhere, no digest either, and no cluster is shown it
        let caller = Caller {
            issuer: Some(ISSUER.into()),
            subject: rule.to_owned(),
            username: rule.to_owned(),
            ..local::with_permissions(PermissionSet::new(vec![grant]))
        };
        Self { file, caller: Arc::new(caller), said: Mutex::default() }
    }

    /// Where the token is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Who sends this token, where it is the one in the file. How long that takes tells nothing of it.
    pub async fn caller(&self, token: &str) -> Option<Arc<Caller>> {
        match self.token().await {
            Ok(ours) => {
                *self.said.lock() = None;
                let [ours, sent] =
                    [ours.expose_secret(), token].map(|token| digest(&SHA256, token.as_bytes()));
                verify_slices_are_equal(ours.as_ref(), sent.as_ref()).ok().map(|()| Arc::clone(&self.caller))
            }
            Err(why) => {
                let mut said = self.said.lock();
                if said.as_ref() != Some(&why) {
                    tracing::error!("entities.reader.tokenFile {}: {why}", self.file.display());
                    *said = Some(why);
                }
                None
            }
        }
    }

    /// The token, read anew.
    ///
    /// # Errors
    /// Why nobody can send it, in words that hold nothing of it.
    pub async fn token(&self) -> Result<SecretString, String> {
        let read = async {
            let mut text = String::new();
            tokio::fs::File::open(&self.file).await?.take(LONGEST).read_to_string(&mut text).await?;
            io::Result::Ok(SecretString::from(text.trim().to_owned()))
        };
        let token = match timeout(READING, read).await {
            Ok(read) => read.map_err(|error| format!("it cannot be read: {error}"))?,
            Err(_elapsed) => return Err("it cannot be read in time".to_owned()),
        };
        match token.expose_secret() {
            short if short.len() < SHORTEST => {
                Err(format!("a token of fewer than {SHORTEST} characters can be guessed"))
            }
            odd if !is_b64token(odd) => Err("it holds characters that no bearer token has".to_owned()),
            _ => Ok(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::{Requirement, Scope};

    const TOKEN: &str = "planted-token-of-the-reader-0123456789";

    #[tokio::test]
    async fn the_token_opens_the_entities_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let reader = Reader::new(file.clone(), Within::default(), "entities.reader");
        assert!(reader.caller(TOKEN).await.is_none(), "there is no file");
        std::fs::write(&file, format!("{TOKEN}\n")).expect("written");
        let caller = reader.caller(TOKEN).await.expect("the reader");
        assert_eq!(caller.permissions().somewhere().iter().count(), 1);
        assert!(caller.permissions().allows(Permission::PlatformEntitiesRead, &Scope::ANYWHERE));
        assert!(!caller.permissions().shows(&Requirement::one(Permission::KubernetesClustersRead)));
        assert!(!format!("{reader:?} {caller:?}").contains("planted") && caller.token().is_none());
        for other in ["", "planted", &TOKEN.to_uppercase(), &format!("{TOKEN}0"), &TOKEN[1..]] {
            assert!(reader.caller(other).await.is_none(), "{other:?}");
        }
        // another token, at the next use
        std::fs::write(&file, TOKEN.replace("planted", "replaced")).expect("written");
        assert!(reader.caller(TOKEN).await.is_none());
    }

    #[tokio::test]
    async fn a_token_that_is_none_opens_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let reader = Reader::new(file.clone(), Within::default(), "entities.reader");
        for (written, why) in
            [("", "fewer than 32"), ("short", "fewer than 32"), (&*"a b".repeat(20), "no bearer")]
        {
            std::fs::write(&file, written).expect("written");
            assert!(reader.caller(written).await.is_none(), "{written:?}");
            let said = reader.token().await.expect_err(written);
            assert!(said.contains(why) && (written.is_empty() || !said.contains(written)), "{said}");
        }
    }
}
