//! [`ClusterSource`]: what a source of clusters is.

use std::{path::Path, time::Duration};

use aws_lc_rs::digest;
use futures::future::BoxFuture;

use super::super::{
    cluster::{Digest, Source},
    sources::Found,
};

/// What can be asked which clusters there are. It knows nothing of when, and of what it said before.
pub trait ClusterSource: std::fmt::Debug + Send + Sync {
    /// Its word in `source/name`.
    fn source(&self) -> Source;

    /// Which one it is, where a registry has several of its word: the environment.
    fn part(&self) -> Option<String> {
        None
    }

    /// Where it reads, for whoever runs the server: a file, a URL without credentials.
    fn place(&self) -> String;

    /// SHA-256 of how it is configured, secrets included: who finds another in its place knows by it whether
    /// that would find the same.
    fn settings(&self) -> Digest;

    /// From one good reading to the next.
    fn every(&self) -> Duration;

    /// Reads it.
    fn read(&self) -> Reading;
}

/// A reading of a source. The error says why in words for any caller: no path, no address, no secret.
pub enum Reading {
    /// Of files of this machine: done.
    Files(Result<Found, String>),
    /// Of something elsewhere: to be waited for, with an end of its own.
    Asked(BoxFuture<'static, Result<Found, String>>),
}

/// What the files were that something was found in.
pub(super) type Content = Digest;

/// What is found in files, and what these held before they were read; `None` for a source elsewhere.
pub(super) fn of_files(source: &dyn ClusterSource) -> Option<(Result<Found, String>, Option<Content>)> {
    let read = || match source.read() {
        Reading::Files(found) => Some(found),
        Reading::Asked(_) => None,
    };
    match read()? {
        // read once more: what is written in between is then seen at the next look
        Ok(found) => {
            let content = content(&found.files);
            Some((read()?, content))
        }
        Err(why) => Some((Err(why), None)),
    }
}

/// What files hold; one that is not there holds something else than an empty one.
pub(super) fn content<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Option<Content> {
    let mut digest = digest::Context::new(&digest::SHA256);
    for file in files {
        match std::fs::read(file) {
            Ok(held) => {
                digest.update(&(held.len() as u64).to_be_bytes());
                digest.update(&held);
            }
            Err(_) => digest.update(&u64::MAX.to_be_bytes()),
        }
    }
    digest.finish().as_ref().try_into().ok()
}
