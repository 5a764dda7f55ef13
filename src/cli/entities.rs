//! `entities`: what exists, as entities of a catalog, whole or not at all.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::{Failure, Global, out, serve, setup::Opened};
use crate::{
    ErrorKind,
    answer::Handing,
    catalog::{Document, Format},
    permission::Permission,
    toolbox::{Progress, Request},
};

/// Export what exists as entities of a catalog.
#[derive(Debug, Args)]
#[command(
    after_help = "What could not be read whole is not exported: the exit code is then 1, and the file is left as it was."
)]
pub(super) struct Entities {
    /// The file that is written, at once and whole; otherwise standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How entities are written.
    #[arg(short, long, value_enum, default_value_t)]
    format: Format,
    /// Over the embedded sample platform.
    #[arg(long)]
    demo: bool,
}

impl Entities {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let config = global.config()?.for_one_shot();
        let Opened { toolbox, caller, .. } = &Opened::new(global, config, self.demo).await?;
        let request = Request {
            door: "entities",
            caller: Arc::clone(caller),
            tool: String::new(),
            arguments: serde_json::Map::new(),
            cancel: serve::on_signal(),
            client: None,
            trace: None,
            progress: Progress::default(),
            patience: None,
            presented: Default::default(),
            handing: Handing::Withheld,
        };
        let document = toolbox.entities(request, self.format).await.map_err(|error| match error.kind {
            ErrorKind::UnknownTool => Failure::failed(format!(
                "you need the permission {}",
                Permission::PlatformEntitiesRead.name()
            )),
            _ => Failure::failed(error.text()),
        })?;
        self.write(&document)
    }

    fn write(&self, document: &Document) -> Result<(), Failure> {
        let Some(file) = &self.output else { return Ok(out::text(&document.text)?) };
        written(file, &document.text)
            .map_err(|error| Failure::failed(format!("{}: {error}", file.display())))?;
        out::error_line(&format!("{} entities written to {}", document.entities, file.display()));
        Ok(())
    }
}

/// Puts it in the place of the file at once: who reads it reads the old one or the new one. A link is followed.
fn written(file: &Path, text: &str) -> io::Result<()> {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    // as any other file of whoever runs this; otherwise it would be theirs alone
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = builder.prefix(".unfinished-").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Ok(old) = File::open(&file) {
        new.as_file().set_permissions(old.metadata()?.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_old_one_or_the_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("entities.yaml");
        written(&file, "one").expect("written");
        written(&file, "two").expect("written again");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "two");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1, "nothing is left beside it");
        assert!(written(&folder.path().join("no/such/folder"), "x").is_err());
        assert!(written(folder.path(), "x").is_err(), "a folder is no file");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_a_mode_stays_what_it_is() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("real.yaml"), folder.path().join("link.yaml"));
        std::fs::write(&file, "one").expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
        symlink(&file, &link).expect("a link");
        written(&link, "two").expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "two");
        assert!(link.symlink_metadata().expect("there").is_symlink());
        assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
    }
}
