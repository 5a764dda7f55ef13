//! A kubeconfig as a file that nobody else reads.

use std::{
    fs::{DirBuilder, OpenOptions, remove_dir_all, rename},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

/// Writes it into a new directory of its own, which only the user of this process may enter: in the user's runtime
/// directory where there is one, which is gone with their session; else in that for temporary files.
///
/// # Errors
/// It could not be written; nothing of it is left then.
pub fn written(name: &str, content: &SecretString) -> io::Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let parent =
        runtime.filter(|path| path.is_absolute() && path.is_dir()).unwrap_or_else(std::env::temp_dir);
    written_below(&parent, name, content)
}

fn written_below(parent: &Path, name: &str, content: &SecretString) -> io::Result<PathBuf> {
    let mut random = [0; 12];
    SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = parent.join(format!("platform-mcp-{random}"));
    // fails where there is something of this name already, a link too
    private_folder().create(&folder)?;
    let path = folder.join(format!("{name}.yaml"));
    let unfinished = folder.join("unfinished");
    let done = private_file().open(&unfinished).and_then(|mut file| {
        file.write_all(content.expose_secret().as_bytes())?;
        file.sync_all()?;
        rename(&unfinished, &path)
    });
    if let Err(error) = done {
        let _ = remove_dir_all(&folder);
        return Err(error);
    }
    Ok(path)
}

fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_the_user_of_this_process_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().expect("a folder");
        let content: SecretString = "apiVersion: v1\n".to_owned().into();
        let first = written_below(parent.path(), "prod-a", &content).expect("written");
        let second = written_below(parent.path(), "prod-a", &content).expect("written");
        assert_ne!(first, second);
        let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&first), mode(first.parent().expect("a folder"))), (0o600, 0o700));
        assert_eq!(std::fs::read_to_string(&first).expect("read"), "apiVersion: v1\n");
        assert_eq!(std::fs::read_dir(first.parent().expect("a folder")).expect("read").count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let parent = tempfile::tempdir().expect("a folder");
        let content: SecretString = "x".to_owned().into();
        assert!(written_below(parent.path(), "no/such/folder", &content).is_err());
        assert_eq!(std::fs::read_dir(parent.path()).expect("read").count(), 0);
    }
}
