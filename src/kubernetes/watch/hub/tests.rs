use serde_json::Value;
use tokio::time::sleep;

use super::{
    super::tests::{Does, Scripted, app, apps, event},
    *,
};
use crate::kubernetes::access::tests::access;

/// One more look at the clock than a task takes to run.
const MOMENT: Duration = Duration::from_millis(300);

async fn join(hub: &Arc<Hub>, access: &Access) -> (Seat, Arc<Bell>) {
    let bell = Arc::new(Bell::default());
    let seat = hub.join(access, &apps(), (&bell, true), || "1-1".to_owned()).await.expect("a seat");
    (seat, bell)
}

async fn rings(bell: &Bell) -> bool {
    timeout(MOMENT, bell.rung()).await.is_ok()
}

fn stays(events: Vec<Value>) -> Does {
    Does::Stays(events)
}

#[tokio::test]
async fn all_who_follow_the_same_share_one_watch_and_it_ends_with_the_last() {
    let server = Scripted::start([Does::Lists("5", vec![app("a", "4")]), stays(vec![])]).await;
    let (hub, access) = (Arc::new(Hub::default()), access(&server.url));
    let mut seats = Vec::new();
    for _ in 0..200 {
        seats.push(join(&hub, &access).await);
    }
    sleep(MOMENT).await;
    assert_eq!((server.seen(), hub.len()), (vec!["list".to_owned(), "5".to_owned()], 1));
    for (_, bell) in &seats {
        assert!(timeout(Duration::ZERO, bell.rung()).await.is_err(), "nothing has changed");
    }
    drop(seats.drain(100..));
    assert_eq!(hub.len(), 1);
    drop(seats);
    assert_eq!(hub.len(), 0);
}

#[tokio::test]
async fn it_goes_on_as_another_where_it_was_when_its_first_leaves() {
    let changed = event("MODIFIED", &app("a", "8"));
    let script = [Does::Lists("5", vec![]), stays(vec![changed]), stays(vec![])];
    let server = Scripted::start(script).await;
    let (hub, access) = (Arc::new(Hub::default()), access(&server.url));
    let (first, bell) = join(&hub, &access).await;
    assert!(rings(&bell).await);
    let (_second, other) = join(&hub, &access).await;
    drop(first);
    sleep(MOMENT).await;
    assert_eq!(server.seen(), ["list", "5", "8"]);
    assert!(!rings(&other).await, "it came after that change");
}

#[tokio::test]
async fn a_change_while_nobody_could_see_is_told() {
    let script = [
        Does::Lists("5", vec![app("a", "4")]),
        Does::Refuses(410),
        Does::Lists("9", vec![app("a", "4")]),
        Does::Refuses(410),
        Does::Lists("12", vec![app("a", "11")]),
        stays(vec![]),
    ];
    let server = Scripted::start(script).await;
    let hub = Arc::new(Hub::default());
    let (_seat, bell) = join(&hub, &access(&server.url)).await;
    assert!(timeout(Duration::from_secs(5), bell.rung()).await.is_ok());
    assert!(!rings(&bell).await, "the same once more is no news");
    assert_eq!(server.seen(), ["list", "5", "list", "9", "list", "12"]);
}

#[tokio::test]
async fn who_may_not_watch_hears_it_and_the_next_one_takes_over() {
    let script = [Does::Refuses(403), Does::Lists("5", vec![]), stays(vec![])];
    let server = Scripted::start(script).await;
    let (hub, access) = (Arc::new(Hub::default()), access(&server.url));
    let both = futures::join!(join(&hub, &access), join(&hub, &access));
    let ((_one, second), (_two, first)) = both;
    assert!(rings(&first).await && first.is_refused());
    assert!(!rings(&second).await && !second.is_refused());
    assert_eq!(server.seen(), ["list", "list", "5"]);
}
