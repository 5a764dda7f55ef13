//! Files that only the user of this process may read, replaced as a whole.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use tempfile::NamedTempFile;

/// What a sign-in may have, in bytes.
const LARGEST: u64 = 1 << 20;

/// A new file that will take the place of another; of mode 0600, and gone if it does not.
pub(in crate::caller::login) struct Place {
    file: NamedTempFile,
    path: PathBuf,
}

impl Place {
    pub(super) fn new(folder: &Path, path: &Path) -> io::Result<Self> {
        self::folder(folder)?;
        let file = tempfile::Builder::new().prefix("unfinished-").tempfile_in(folder)?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(super) fn fill(mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path)?;
        Ok(())
    }
}

/// The folder, made where it is not there.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Its content, where it is there and nobody else could have read it.
pub(super) fn read(path: &Path) -> Result<Option<SecretString>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
        let path = path.display();
        return Err(format!("others may read {path}; sign out and in again (what was in it is not secret)"));
    }
    if !metadata.is_file() {
        return Err(format!("{} is no file", path.display()));
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(Some(text.into()))
}

pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_the_user_of_this_process_may_read_it_and_it_is_replaced_as_a_whole() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("a/b");
        let path = folder.join("x.json");
        let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        for content in ["first, which is longer", "second"] {
            Place::new(&folder, &path).and_then(|place| place.fill(content)).expect("written");
            let read = read(&path).expect("readable").expect("there");
            assert_eq!(read.expose_secret(), content);
        }
        assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
        drop(Place::new(&folder, &path).expect("a place"));
        assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1, "nothing is left lying around");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("changed");
        assert!(read(&path).expect_err("others may read it").contains("others may read"));
        assert!(read(&folder.join("none")).expect("no error").is_none());
    }
}
