//! [`Lock`]: one process at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{super::SignInError, file::private};

/// Longer than a process that renews a sign-in takes.
const TIME: Duration = Duration::from_secs(20);
/// How often is looked whether it is free.
const LOOK: Duration = Duration::from_millis(50);

/// Held until it is dropped, or its process ends, however that ends.
#[derive(Debug)]
pub(in crate::caller::login) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) async fn taken(path: &Path) -> Result<Self, SignInError> {
        let unlocked = |why: &dyn std::fmt::Display| SignInError::Kept(format!("{}: {why}", path.display()));
        let mut options = OpenOptions::new();
        let options = private(options.write(true).create(true).truncate(false));
        let file = options.open(path).map_err(|error| unlocked(&error))?;
        let until = Instant::now() + TIME;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => return Err(unlocked(&error)),
                Err(TryLockError::WouldBlock) if Instant::now() > until => {
                    return Err(unlocked(&"another process renews the sign-in and does not end"));
                }
                Err(TryLockError::WouldBlock) => sleep(LOOK).await,
            }
        }
    }
}
