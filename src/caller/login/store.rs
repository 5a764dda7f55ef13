//! [`Store`]: where the sign-ins of the user of this process are kept: a file for each issuer and client, which
//! nobody else may read, sealed with a key in the system's keyring where there is one.

mod entry;
mod file;
mod lock;

use std::path::{Path, PathBuf};

use super::{LoginSettings, SignInError, Tokens, keyring::Keyring, settings::Storage};
use crate::caller::oidc;

pub use entry::Kept;
pub(super) use file::Place;
pub(super) use lock::Lock;

/// The sign-in of one client at one issuer, kept or not.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    /// What names it in files and in the keyring.
    id: String,
    issuer: String,
    client_id: String,
    storage: Option<Storage>,
}

impl Store {
    /// That of this client.
    ///
    /// # Errors
    /// The user of this process has no home.
    pub fn of(settings: &LoginSettings) -> Result<Self, SignInError> {
        let (issuer, client_id) = (settings.name().to_owned(), settings.client_id.clone());
        let named = format!("{issuer}\n{client_id}");
        let hash = oidc::hash(named.as_bytes());
        let id = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { folder: folder()?, id, issuer, client_id, storage: settings.storage })
    }

    /// Whether there is one. What it is worth is not looked at.
    pub fn is_there(&self) -> bool {
        self.path().exists()
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.id))
    }

    /// What is kept.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub async fn read(&self) -> Result<(Kept, Tokens), SignInError> {
        let text = match file::read(&self.path()) {
            Ok(Some(text)) => text,
            Ok(None) => return Err(SignInError::NotSignedIn(self.issuer.clone())),
            Err(why) => return Err(self.unreadable(&why)),
        };
        let sealed = entry::read(&text).map_err(|why| self.unreadable(why))?;
        if (sealed.issuer(), sealed.client_id()) != (&self.issuer, &self.client_id) {
            return Err(self.unreadable("it is of another issuer or client"));
        }
        let key = match sealed.is_sealed() {
            false => None,
            true => Some(self.key().await?),
        };
        let tokens = sealed.open(key.as_ref()).map_err(|why| self.unreadable(why))?;
        Ok((Kept { key }, tokens))
    }

    async fn key(&self) -> Result<secrecy::SecretString, SignInError> {
        let none = || self.unreadable("its key is in the system's keyring, and there is none here");
        let keyring = Keyring::found().ok_or_else(none)?;
        let gone = || self.unreadable("its key is not in the system's keyring any more");
        keyring.get(&self.id).await?.ok_or_else(gone)
    }

    /// Where a new sign-in will be kept: its key is made now. Why there is none comes too, where one was looked for.
    ///
    /// # Errors
    /// Nothing can be written there, or the keyring is configured and cannot be used.
    pub async fn begin(&self) -> Result<(Kept, Option<String>), SignInError> {
        // before somebody signs in in vain
        drop(self.place()?);
        let wanted = self.storage == Some(Storage::Keyring);
        // what is kept must be readable until the new one takes its place
        let before = self.read().await.ok().map(|(kept, _)| kept).filter(Kept::is_sealed);
        if let Some(kept) = before.filter(|_| self.storage != Some(Storage::File)) {
            return Ok((kept, None));
        }
        let keyring = match (self.storage, Keyring::found()) {
            (Some(Storage::File), _) => return Ok((Kept { key: None }, None)),
            (_, Some(keyring)) => keyring,
            (_, None) if wanted => {
                let why = "login.storage is keyring, and there is no keyring here (on Linux: secret-tool, of \
                           libsecret, and a session bus); with storage: file the tokens are kept in a file that \
                           you alone may read";
                return Err(SignInError::Kept(why.to_owned()));
            }
            (_, None) => {
                return Ok((Kept { key: None }, Some("there is no keyring here".to_owned())));
            }
        };
        let key = entry::key()?;
        match keyring.put(&self.id, &key).await {
            Ok(()) => Ok((Kept { key: Some(key) }, None)),
            Err(error) if wanted => Err(error),
            Err(error) => Ok((Kept { key: None }, Some(error.to_string()))),
        }
    }

    /// Makes room for an entry, so that what is asked for next can be kept.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub(super) fn place(&self) -> Result<Place, SignInError> {
        Place::new(&self.folder, &self.path()).map_err(|error| self.unwritable(&error))
    }

    /// Keeps it, in place of what was there.
    ///
    /// # Errors
    /// It cannot be written; what was there is there still.
    pub(super) fn write(&self, place: Place, kept: &Kept, tokens: &Tokens) -> Result<(), SignInError> {
        let text = entry::text(&self.issuer, &self.client_id, kept, tokens)?;
        place.fill(&text).map_err(|error| self.unwritable(&error))
    }

    /// Keeps it at once.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn keep(&self, kept: &Kept, tokens: &Tokens) -> Result<(), SignInError> {
        let _lock = self.lock().await?;
        self.write(self.place()?, kept, tokens)
    }

    /// Forgets it. Whether there was one.
    ///
    /// # Errors
    /// It is still there.
    pub async fn remove(&self) -> Result<bool, SignInError> {
        let was = match std::fs::remove_file(self.path()) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(self.unwritable(&error)),
        };
        if let Some(keyring) = Keyring::found() {
            // without the file it is worth nothing
            let _ = keyring.remove(&self.id).await;
        }
        Ok(was)
    }

    /// The right to renew it: no other process has it meanwhile.
    ///
    /// # Errors
    /// Another one has it for too long.
    pub(super) async fn lock(&self) -> Result<Lock, SignInError> {
        file::folder(&self.folder).map_err(|error| self.unwritable(&error))?;
        Lock::taken(&self.folder.join(format!("{}.lock", self.id))).await
    }

    /// A file beside it that is no secret, as the authority of an issuer.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn beside(&self, end: &str, content: &str) -> Result<PathBuf, SignInError> {
        let path = self.folder.join(format!("{}.{end}", self.id));
        let same = std::fs::read_to_string(&path).is_ok_and(|there| there == content);
        let written = || Place::new(&self.folder, &path)?.fill(content);
        if !same {
            written().map_err(|error| self.unwritable(&error))?;
        }
        Ok(path)
    }

    fn unreadable(&self, why: &str) -> SignInError {
        SignInError::Kept(format!("your sign-in at {} cannot be read: {why}", self.issuer))
    }

    fn unwritable(&self, error: &std::io::Error) -> SignInError {
        let folder = self.folder.display();
        SignInError::Kept(format!("your sign-in at {} cannot be kept in {folder}: {error}", self.issuer))
    }
}

/// `$XDG_STATE_HOME/platform-mcp/sign-in`, or `~/.local/state/platform-mcp/sign-in`.
fn folder() -> Result<PathBuf, SignInError> {
    let named =
        |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    let below = |state: PathBuf| state.join(Path::new("platform-mcp/sign-in"));
    state.map(below).ok_or_else(|| {
        let why = "there is no place for a sign-in: neither HOME nor XDG_STATE_HOME names a folder";
        SignInError::Kept(why.to_owned())
    })
}
