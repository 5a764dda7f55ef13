use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use super::{
    super::{
        cluster::{Cluster, Digest, Source},
        clusters::Lookup,
        fault::Fault,
    },
    *,
};

/// A source elsewhere that answers what it was told to, then the last of it again and again.
#[derive(Debug)]
struct Told {
    answers: Mutex<VecDeque<Result<Vec<&'static str>, &'static str>>>,
    asked: AtomicUsize,
    takes: Duration,
    every: Duration,
    settings: u8,
}

impl Told {
    fn new(answers: impl IntoIterator<Item = Result<Vec<&'static str>, &'static str>>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: AtomicUsize::new(0),
            takes: Duration::from_millis(20),
            every: Duration::from_secs(3_600),
            settings: 0,
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl ClusterSource for Arc<Told> {
    fn source(&self) -> Source {
        Source::Backstage
    }

    fn place(&self) -> String {
        "the test".to_owned()
    }

    fn settings(&self) -> Digest {
        [self.settings; 32]
    }

    fn every(&self) -> Duration {
        self.every
    }

    fn read(&self) -> Reading {
        let told = Arc::clone(self);
        Reading::Asked(Box::pin(async move {
            told.asked.fetch_add(1, SeqCst);
            tokio::time::sleep(told.takes).await;
            let mut answers = told.answers.lock();
            let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            drop(answers);
            let names = answer.unwrap_or(Err("nothing to say"))?;
            Ok(found(Source::Backstage, &names))
        }))
    }
}

/// Files of this machine.
#[derive(Debug)]
struct File {
    path: std::path::PathBuf,
}

impl ClusterSource for File {
    fn source(&self) -> Source {
        Source::Kubeconfig
    }

    fn place(&self) -> String {
        "kubeconfig x".to_owned()
    }

    fn settings(&self) -> Digest {
        [0; 32]
    }

    fn every(&self) -> Duration {
        Duration::from_millis(20)
    }

    fn read(&self) -> Reading {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(_) => return Reading::Files(Err("it cannot be read".to_owned())),
        };
        let names: Vec<&str> = text.split_whitespace().collect();
        let files = vec![self.path.clone()];
        Reading::Files(Ok(Found { files, vacant: names.is_empty(), ..found(Source::Kubeconfig, &names) }))
    }
}

fn found(source: Source, names: &[&str]) -> Found {
    let cluster = |name: &&str| {
        Cluster::new(*name, source, "default", || async { Err(Fault::Gone) }).made_of(Some([7; 32]))
    };
    Found { clusters: names.iter().map(cluster).collect(), ..Found::default() }
}

fn registry(
    sources: Vec<Arc<dyn ClusterSource>>,
    wanted: Option<&str>,
    before: Option<&Registry>,
) -> Arc<Registry> {
    Arc::new(Registry::new(sources, wanted.map(str::to_owned), before, Known::default()))
}

fn names(registry: &Registry) -> Vec<String> {
    registry.now().iter().map(|cluster| cluster.qualified_name()).collect()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("in vain: {what}");
}

const LONG: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_source_elsewhere_is_asked_once_for_all_who_wait() {
    let told = Arc::new(Told::new([Ok(vec!["a"])]));
    let registry = registry(vec![Arc::new(Arc::clone(&told))], Some("backstage/a"), None);
    assert_eq!((told.asked(), names(&registry).len()), (0, 0), "nobody wants to know");
    assert_eq!(registry.problems(), Vec::<String>::new(), "the default may be there");
    assert!(registry.now().unread()[0].ends_with("it is being asked"));
    futures::future::join_all((0..8).map(|_| registry.settled(LONG))).await;
    assert_eq!((told.asked(), names(&registry)), (1, vec!["backstage/a".to_owned()]));
    assert!(registry.now().iter().all(|cluster| registry.now().is_default(cluster)));
    assert_eq!(registry.now().unread(), Vec::<String>::new());
}

#[tokio::test]
async fn nobody_waits_longer_for_a_source_than_is_right() {
    let slow = Told { takes: Duration::from_secs(60), ..Told::new([Ok(vec!["a"])]) };
    let registry = registry(vec![Arc::new(Arc::new(slow))], None, None);
    let began = Instant::now();
    registry.settled(Duration::from_millis(100)).await;
    assert!(began.elapsed() < LONG);
    registry.settled(Duration::from_millis(100)).await;
    assert!(registry.now().unread()[0].contains("not read yet"));
}

#[tokio::test]
async fn what_was_known_stays_while_a_source_fails_and_it_is_asked_soon_again() {
    let fails = Err("it is away");
    let told = Told::new([Ok(vec!["a", "b"]), fails.clone(), fails, Ok(vec!["b", "c"])]);
    let told = Arc::new(Told { every: Duration::from_millis(30), ..told });
    let registry = registry(vec![Arc::new(Arc::clone(&told))], None, None);
    registry.settled(LONG).await;
    let one = |name: &str| match registry.now().lookup(name) {
        Lookup::One(cluster) => cluster,
        other => panic!("{name}: {other:?}"),
    };
    let before = one("b");
    until("it fails", || !registry.problems().is_empty()).await;
    assert_eq!(names(&registry), ["backstage/a", "backstage/b"]);
    let problem = registry.problems().join("\n");
    assert!(problem.contains("the test: it is away; its 2 clusters of 0 s ago are served"), "{problem}");
    let gaps = registry.now().gaps([&*before]);
    assert_eq!(gaps, ["source backstage: not read for 0 s: it is away"]);
    assert_eq!(registry.now().gaps([]), Vec::<String>::new(), "who sees none of it hears nothing of it");
    until("it is back", || registry.problems().is_empty()).await;
    assert_eq!(names(&registry), ["backstage/b", "backstage/c"]);
    assert!(Arc::ptr_eq(&before, &one("b")), "its connection is kept");
}

#[tokio::test]
async fn a_source_that_was_never_read_says_why() {
    let registry = registry(vec![Arc::new(Arc::new(Told::new([Err("it is away")])))], Some("a"), None);
    registry.settled(LONG).await;
    assert_eq!(registry.now().unread(), ["source backstage: could not be read yet: it is away"]);
    assert_eq!(registry.problems(), ["the test: it is away"], "whether the default is there is not known");
}

#[tokio::test]
async fn a_file_is_taken_up_when_it_changes_and_kept_while_it_is_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clusters");
    std::fs::write(&path, "a b").expect("written");
    let registry = registry(vec![Arc::new(File { path: path.clone() })], Some("c"), None);
    assert_eq!(names(&registry), ["kubeconfig/a", "kubeconfig/b"]);
    assert_eq!(registry.problems(), ["clusters.default: no source has a cluster \"c\""]);
    registry.keep();
    std::fs::write(&path, "b c").expect("written");
    until("another content", || names(&registry) == ["kubeconfig/b", "kubeconfig/c"]).await;
    assert_eq!(registry.problems(), Vec::<String>::new(), "the default is there now");
    std::fs::write(&path, "").expect("written");
    until("it is empty", || registry.problems().join("").contains("it is empty")).await;
    std::fs::remove_file(&path).expect("removed");
    until("it is gone", || registry.problems().join("").contains("cannot be read")).await;
    assert_eq!(names(&registry), ["kubeconfig/b", "kubeconfig/c"]);
    std::fs::write(&path, "d").expect("written");
    until("it is back", || names(&registry) == ["kubeconfig/d"]).await;
}

#[tokio::test]
async fn a_registry_goes_on_where_the_one_before_it_ended() {
    let told = Arc::new(Told::new([Ok(vec!["a"]), Ok(vec!["b"])]));
    let first = registry(vec![Arc::new(Arc::clone(&told))], None, None);
    first.settled(LONG).await;
    let second = registry(vec![Arc::new(Arc::clone(&told))], None, Some(&first));
    assert_eq!(names(&second), ["backstage/a"], "nothing has to be asked again");
    second.keep();
    first.end();
    first.keep();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(told.asked(), 1, "it is not its time");
    let changed = Told { settings: 1, ..Told::new([Ok(vec!["a"])]) };
    let third = registry(vec![Arc::new(Arc::new(changed))], None, Some(&second));
    assert_eq!(names(&third), Vec::<String>::new(), "it may be another one");
    third.settled(LONG).await;
    assert_eq!(names(&third), ["backstage/a"]);
}

#[tokio::test]
async fn a_registry_that_is_gone_asks_nobody() {
    let told = Told { every: Duration::from_millis(10), ..Told::new([Ok(vec!["a"])]) };
    let told = Arc::new(told);
    let registry = registry(vec![Arc::new(Arc::clone(&told))], None, None);
    registry.settled(LONG).await;
    drop(registry);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let asked = told.asked();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(told.asked(), asked);
}
