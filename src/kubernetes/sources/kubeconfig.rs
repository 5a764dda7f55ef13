//! [`KubeconfigFiles`]: the contexts of a kubeconfig.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use kube::config::{Context, Kubeconfig, KubeconfigError};

use super::{
    super::{
        cluster::{Digest, Source},
        registry::{ClusterSource, Reading},
    },
    Found, Shown, connected, settings_of, whole_chain,
};

/// The contexts of a kubeconfig.
#[derive(Debug)]
pub struct KubeconfigFiles {
    /// The file; otherwise those of `KUBECONFIG`, or `~/.kube/config`.
    pub file: Option<PathBuf>,
    /// How its clusters are shown who calls.
    pub shown: Shown,
}

impl ClusterSource for KubeconfigFiles {
    fn source(&self) -> Source {
        Source::Kubeconfig
    }

    fn place(&self) -> String {
        match self.paths().0.as_slice() {
            [] => "kubeconfig".to_owned(),
            files => {
                let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                format!("kubeconfig {}", files.join(", "))
            }
        }
    }

    fn settings(&self) -> Digest {
        settings_of(&format!("{:?} {}", self.paths(), self.shown.settings()))
    }

    fn every(&self) -> Duration {
        super::LOOK
    }

    fn read(&self) -> Reading {
        Reading::Files(self.found())
    }
}

impl KubeconfigFiles {
    /// The files, and whether somebody named them.
    fn paths(&self) -> (Vec<PathBuf>, bool) {
        if let Some(file) = &self.file {
            return (vec![file.clone()], true);
        }
        let named = std::env::var_os("KUBECONFIG");
        let named = named.iter().flat_map(|paths| std::env::split_paths(paths));
        let named: Vec<PathBuf> = named.filter(|path| !path.as_os_str().is_empty()).collect();
        if !named.is_empty() {
            return (named, true);
        }
        (std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(), false)
    }

    fn found(&self) -> Result<Found, String> {
        let (files, named) = self.paths();
        // no file at all is not a problem unless one was named
        if !named && !files.iter().any(|file| file.is_file()) {
            return Ok(Found { files, vacant: true, ..Found::default() });
        }
        let (kubeconfig, doubles) = merged(&files).map_err(|error| said(&error))?;
        let vacant = kubeconfig.contexts.is_empty() && files.iter().all(|file| is_blank(file));
        let mut found = contexts(&Arc::new(kubeconfig), &doubles, &self.shown);
        found.files.extend(files);
        Ok(Found { vacant, ..found })
    }
}

/// What is wrong, in words without the path, and without further lines, which quote the file and its
/// credentials.
fn said(error: &KubeconfigError) -> String {
    let said = match error {
        KubeconfigError::ReadConfig(error, _) => format!("it cannot be read: {error}"),
        error => whole_chain(error),
    };
    said.lines().next().unwrap_or_default().to_owned()
}

fn is_blank(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|text| text.trim_ascii().is_empty())
}

/// All files as kubectl merges them (`Kubeconfig::merge`), and the contexts that several of them have: kubectl
/// takes the first.
fn merged(files: &[PathBuf]) -> Result<(Kubeconfig, BTreeSet<String>), KubeconfigError> {
    let (mut all, mut doubles) = (Kubeconfig::default(), BTreeSet::new());
    for file in files {
        let next = Kubeconfig::read_from(file)?;
        let known = |name: &str| all.contexts.iter().any(|context| context.name == name);
        doubles.extend(next.contexts.iter().map(|context| context.name.clone()).filter(|name| known(name)));
        all = all.merge(next)?;
    }
    Ok((all, doubles))
}

fn contexts(kubeconfig: &Arc<Kubeconfig>, doubles: &BTreeSet<String>, shown: &Shown) -> Found {
    let mut found = Found::default();
    for name in doubles {
        found
            .problems
            .push(format!("kubeconfig: several files have the context {name:?}; none of them is taken"));
    }
    for named in kubeconfig.contexts.iter().filter(|named| !doubles.contains(&named.name)) {
        let Some(context) = &named.context else {
            found.problems.push(format!("kubeconfig: context {:?} is empty", named.name));
            continue;
        };
        if let Some(problem) = broken(kubeconfig, &named.name, context) {
            found.problems.push(problem);
            continue;
        }
        let namespace = context.namespace.as_deref().unwrap_or("default");
        let cluster = connected(&named.name, Source::Kubeconfig, namespace, Arc::clone(kubeconfig));
        found.clusters.push(shown.on(cluster));
        found.files.extend(named_files(kubeconfig, context));
    }
    match kubeconfig.current_context.as_deref().filter(|current| !current.is_empty()) {
        Some(current) if kubeconfig.contexts.iter().any(|context| context.name == current) => {
            found.default = Some(format!("{}/{current}", Source::Kubeconfig.name()));
        }
        Some(current) => {
            found
                .problems
                .push(format!("kubeconfig: current-context {current:?} is not one of its contexts"));
        }
        None => {}
    }
    found.without_doubles("kubeconfig: context")
}

/// What a context names that the file does not have, or has twice.
fn broken(kubeconfig: &Kubeconfig, name: &str, context: &Context) -> Option<String> {
    let lacks = |what: &str, part: &str, wanted: &str, times: usize| {
        let how = match times {
            0 => "does not have",
            1 => return None,
            _ => "has more than once",
        };
        Some(format!("kubeconfig: context {name:?} names {what} {wanted:?}, which {part} {how}"))
    };
    let clusters: Vec<_> =
        kubeconfig.clusters.iter().filter(|cluster| cluster.name == context.cluster).collect();
    if let Some(problem) = lacks("cluster", "clusters", &context.cluster, clusters.len()) {
        return Some(problem);
    }
    let server = clusters.first().and_then(|cluster| cluster.cluster.as_ref()?.server.as_deref());
    if server.is_none_or(str::is_empty) {
        return Some(format!("kubeconfig: cluster {:?} has no server", context.cluster));
    }
    let user = context.user.as_deref().filter(|user| !user.is_empty())?;
    let users = kubeconfig.auth_infos.iter().filter(|info| info.name == user).count();
    lacks("user", "users", user, users)
}

/// The files that a context names and that are read once.
fn named_files(kubeconfig: &Kubeconfig, context: &Context) -> Vec<PathBuf> {
    let cluster = kubeconfig.clusters.iter().find(|cluster| cluster.name == context.cluster);
    let authority = cluster.and_then(|named| named.cluster.as_ref()?.certificate_authority.as_ref());
    let user = kubeconfig.auth_infos.iter().find(|info| Some(&info.name) == context.user.as_ref());
    let user = user.and_then(|named| named.auth_info.as_ref());
    let own = user.map(|user| [user.client_certificate.as_ref(), user.client_key.as_ref()]);
    let own = own.into_iter().flatten().flatten();
    authority.into_iter().chain(own).map(PathBuf::from).collect()
}
