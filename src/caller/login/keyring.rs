//! The system's keyring, through the program that the system has for it: `secret-tool` (libsecret) where a session
//! bus is, `security` on macOS. It holds one small key for each sign-in; a sign-in itself is too large for some.
//!
//! The key goes over pipes: arguments of programs are to be seen by everybody.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use super::SignInError;
use crate::answer::sanitise;

/// It may ask the person for a password first.
const TIME: Duration = Duration::from_secs(60);

/// What our keys are called there.
const SERVICE: &str = "platform-mcp";

/// Characters of what it says.
const LONGEST_SAID: usize = 200;

/// A keyring of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// The Secret Service of the session.
    SecretTool(PathBuf),
    /// The keychain of macOS.
    Security(PathBuf),
}

impl Keyring {
    /// The keyring, where there is one.
    pub fn found() -> Option<Self> {
        if cfg!(target_os = "macos") {
            return Some(PathBuf::from("/usr/bin/security"))
                .filter(|path| path.is_file())
                .map(Self::Security);
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("bus"));
        let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
            || runtime.is_some_and(|socket| socket.exists());
        on_path(Path::new("secret-tool")).filter(|_| bus).map(Self::SecretTool)
    }

    /// Keeps a key by this name.
    ///
    /// # Errors
    /// The keyring does not take it.
    pub async fn put(&self, name: &str, key: &SecretString) -> Result<(), SignInError> {
        let key = key.expose_secret();
        match self {
            Self::SecretTool(_) => {
                let label = format!("--label={SERVICE} sign-in");
                self.ask(&["store", &label, "service", SERVICE, "account", name], key).await?
            }
            Self::Security(_) => {
                let line = format!("add-generic-password -U -s {SERVICE} -a {name} -w {key}\n");
                self.ask(&["-i"], &line).await?
            }
        };
        // neither says reliably whether it worked
        match self.get(name).await? {
            Some(kept) if kept.expose_secret() == key => Ok(()),
            _ => Err(unusable("it did not keep the key")),
        }
    }

    /// The key of this name.
    ///
    /// # Errors
    /// The keyring cannot be asked.
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>, SignInError> {
        let said = match self {
            Self::SecretTool(_) => self.ask(&["lookup", "service", SERVICE, "account", name], "").await?,
            Self::Security(_) => {
                self.ask(&["find-generic-password", "-s", SERVICE, "-a", name, "-w"], "").await?
            }
        };
        let key = said.expose_secret().trim();
        Ok(if key.is_empty() { None } else { Some(key.to_owned().into()) })
    }

    /// Forgets the key of this name.
    ///
    /// # Errors
    /// The keyring cannot be asked.
    pub async fn remove(&self, name: &str) -> Result<(), SignInError> {
        match self {
            Self::SecretTool(_) => self.ask(&["clear", "service", SERVICE, "account", name], "").await?,
            Self::Security(_) => {
                self.ask(&["delete-generic-password", "-s", SERVICE, "-a", name], "").await?
            }
        };
        Ok(())
    }

    /// What it prints. That it knows no such key is no error, and prints nothing.
    async fn ask(&self, arguments: &[&str], input: &str) -> Result<SecretString, SignInError> {
        let (Self::SecretTool(program) | Self::Security(program)) = self;
        let asked = async {
            let mut child = Command::new(program)
                .args(arguments)
                .env_remove(super::super::TOKEN_VARIABLE)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // it may not want any
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let output = match timeout(TIME, asked).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(unusable(&error.to_string())),
            Err(_elapsed) => return Err(unusable("it does not answer")),
        };
        let complaint = String::from_utf8_lossy(&output.stderr);
        // secret-tool says nothing where there is no such key, and security ends with 44
        let unknown = complaint.trim().is_empty() || output.status.code() == Some(44);
        match String::from_utf8(output.stdout) {
            Ok(said) if output.status.success() => Ok(said.into()),
            _ if unknown => Ok(String::new().into()),
            _ => Err(unusable(complaint.trim())),
        }
    }
}

fn unusable(why: &str) -> SignInError {
    SignInError::Kept(format!("the system's keyring cannot be used: {}", sanitise::short(why, LONGEST_SAID)))
}

/// A program on `PATH`.
pub(crate) fn on_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
