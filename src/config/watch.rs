//! [`Watch`]: when a file becomes another one.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::task::JoinHandle;

/// How often it is looked at. By its metadata and not by notifications: those do not come for network
/// file systems, nor where a link on the way to the file is changed, as Kubernetes does with a `ConfigMap`.
const EVERY: Duration = Duration::from_secs(2);
/// For which part of that it has to stay the same before it is taken for written.
const AT_REST: u32 = 10;
/// To look. Where the disk hangs, the file counts as unchanged until an answer comes.
const LOOK: Duration = Duration::from_secs(5);
/// A file that is written all the time is read in the end.
const MOST_WAITS: usize = 20;

/// What tells one content of a file from the next, without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    place: (u64, u64, i64, i64),
}

impl Stamp {
    /// Of the file that `path` leads to; `None` where there is none.
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::from(&metadata))
    }
}

impl From<&std::fs::Metadata> for Stamp {
    fn from(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            // the time of the inode's change too: a tool that keeps the time of modification cannot keep that
            #[cfg(unix)]
            place: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file that may become another one.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    known: Option<Stamp>,
    every: Duration,
    /// A look that has not ended: with each further one, another thread would hang.
    looking: Option<JoinHandle<Option<Stamp>>>,
}

impl Watch {
    /// From how it is now.
    pub fn new(path: PathBuf) -> Self {
        let known = Stamp::of(&path);
        Self { path, known, every: EVERY, looking: None }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until it is another one, or gone, and has come to rest.
    pub async fn changed(&mut self) {
        loop {
            tokio::time::sleep(self.every).await;
            let mut found = self.look().await;
            if found == self.known {
                continue;
            }
            for _ in 0..MOST_WAITS {
                tokio::time::sleep(self.every / AT_REST).await;
                let again = self.look().await;
                if again == found {
                    break;
                }
                found = again;
            }
            self.known = found;
            return;
        }
    }

    /// Takes it as it is now: it was read for another reason.
    pub async fn seen(&mut self) {
        self.known = self.look().await;
    }

    async fn look(&mut self) -> Option<Stamp> {
        let path = &self.path;
        let looking = self.looking.get_or_insert_with(|| {
            let path = path.clone();
            tokio::task::spawn_blocking(move || Stamp::of(&path))
        });
        let Ok(found) = tokio::time::timeout(LOOK, &mut *looking).await else { return self.known.clone() };
        self.looking = None;
        found.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(path: PathBuf) -> Watch {
        Watch { every: Duration::from_millis(20), ..Watch::new(path) }
    }

    async fn changes(watch: &mut Watch) -> bool {
        tokio::time::timeout(watch.every * 20, watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn another_content_another_file_and_no_file_are_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "a").expect("written");
        let mut watch = watch(file.clone());
        assert!(!changes(&mut watch).await, "nothing happened");
        std::fs::write(&file, "ab").expect("written");
        assert!(changes(&mut watch).await, "another length");
        let other = folder.path().join("b.yaml");
        std::fs::write(&other, "ac").expect("written");
        std::fs::rename(&other, &file).expect("renamed");
        assert!(changes(&mut watch).await, "another file of the same length");
        std::fs::remove_file(&file).expect("removed");
        assert!(changes(&mut watch).await, "gone");
        assert!(!changes(&mut watch).await, "still gone");
        std::fs::write(&file, "a").expect("written");
        assert!(changes(&mut watch).await, "back");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_config_map_is_exchanged_by_a_link_on_the_way() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for (version, content) in [("..1", "old"), ("..2", "new")] {
            std::fs::create_dir(at(version)).expect("a folder");
            std::fs::write(at(version).join("a.yaml"), content).expect("written");
        }
        symlink("..1", at("..data")).expect("a link");
        symlink("..data/a.yaml", at("a.yaml")).expect("a link");
        let mut watch = watch(at("a.yaml"));
        assert!(!changes(&mut watch).await);
        symlink("..2", at("..tmp")).expect("a link");
        std::fs::rename(at("..tmp"), at("..data")).expect("renamed");
        assert!(changes(&mut watch).await);
    }
}
