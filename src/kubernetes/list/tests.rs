use std::{sync::Arc, time::Duration};

use axum::{Router, http::Uri};
use tokio::time::Instant;

use super::super::identity::As;
use super::*;
use crate::{
    answer::redact::Learned,
    kubernetes::{
        Budgeted, Meter, View,
        cluster::Source,
        sources::{StaticCluster, static_cluster},
    },
    telemetry::CallSpan,
};

/// Sees the namespace `mine`.
struct Mine;

impl View for Mine {
    fn sees(&self, namespace: Option<&str>) -> bool {
        namespace == Some("mine")
    }

    fn reveals(&self, _: Option<&str>) -> bool {
        false
    }

    fn withheld(&self, _: Option<&str>) -> Fault {
        Fault::Gone
    }
}

fn apps() -> Kind {
    Kind {
        group: "kro.run".to_owned(),
        version: "v1alpha1".to_owned(),
        kind: "App".to_owned(),
        plural: "apps".to_owned(),
        singular: "app".to_owned(),
        short_names: Vec::new(),
        namespaced: true,
        listable: true,
    }
}

fn access(url: &str) -> Access {
    let entry = StaticCluster {
        name: "x".to_owned(),
        url: url.to_owned(),
        ca_file: None,
        token: None,
        token_file: None,
        namespace: None,
    };
    let spent = Budgeted {
        meter: Arc::new(Meter::default()),
        learned: Arc::new(Learned::default()),
        deadline: Instant::now() + Duration::from_secs(20),
        call_id: "test".into(),
        span: CallSpan::default(),
    };
    let cluster = static_cluster(entry, Source::Static).expect("a cluster");
    Access::new(Arc::new(cluster), Arc::new(Mine), As::Server, spent)
}

/// What the list reads of a server that answers each page with `body(query)`.
async fn listed(body: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> Result<Listed, Fault> {
    let answer = move |uri: Uri| {
        let body = body.clone();
        async move { body(uri.query().unwrap_or_default()) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let access = access(&url);
    let listed = access.list(&apps(), None, &Selector::all()).await;
    server.abort();
    listed
}

fn page(namespace: &str, objects: usize, token: &str) -> String {
    let item = format!(r#"{{"metadata":{{"namespace":"{namespace}","labels":{{"kro.run/a":"b"}}}}}}"#);
    let items = vec![item; objects].join(",");
    format!(r#"{{"metadata":{{"continue":"{token}"}},"items":[{items}]}}"#)
}

/// A token that no page before had.
fn next(query: &str) -> String {
    let last = query.split_once("continue=").map_or("", |(_, token)| token);
    format!("{last}x")
}

fn cut(listed: &Listed) -> &str {
    listed.cut.as_deref().unwrap_or_default()
}

#[tokio::test]
async fn objects_of_others_count_too_and_few_of_them_are_kept() {
    let listed = listed(|query| page("other", PAGE, &next(query))).await.expect("a list");
    assert!(listed.items.is_empty() && listed.withheld.len() <= MOST_WITHHELD, "{}", listed.withheld.len());
    assert_eq!(cut(&listed), "not everything was read; name a namespace", "how many they are is not told");
}

#[tokio::test]
async fn how_many_there_are_is_told_to_who_may_see_them_all() {
    let listed = listed(|query| page("mine", PAGE, &next(query))).await.expect("a list");
    assert_eq!(cut(&listed), "only the first 10000 were read: it has more than 10000 objects");
}

#[tokio::test]
async fn an_empty_list_may_come_without_items_and_what_is_no_list_is_refused() {
    for body in [
        r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"7"}}"#,
        r#"{"kind":"AppList","metadata":{"resourceVersion":"7"},"items":null}"#,
    ] {
        let listed = listed(|_| body.to_owned()).await.expect("a list");
        assert!(listed.items.is_empty() && listed.complete(), "{:?}", listed.cut);
        assert_eq!(listed.version.as_deref(), Some("7"));
    }
    for body in [r#"{"kind":"App","metadata":{}}"#, "{}", r#"{"kind":"Status","items":null}"#] {
        assert!(matches!(listed(|_| body.to_owned()).await, Err(Fault::Malformed(_))), "{body}");
    }
}

#[tokio::test]
async fn a_list_without_end_is_ended() {
    for objects in [0, 1] {
        let listed = listed(move |_| page("mine", objects, "again")).await.expect("a list");
        assert!(cut(&listed).contains("does not come to an end"), "{:?}", listed.cut);
        assert!(listed.items.len() <= 2 * objects);
    }
}

#[tokio::test]
async fn an_empty_page_may_have_another_after_it() {
    let listed = listed(|query| match query.contains("continue") {
        false => page("mine", 0, "next"),
        true => page("mine", 2, ""),
    });
    let listed = listed.await.expect("a list");
    assert_eq!((listed.items.len(), listed.cut), (2, None));
}

#[test]
fn every_object_counts_towards_the_most() {
    let (access, mut taken) = (access("https://nowhere.example"), Taken::default());
    for index in 1..=MOST / PAGE {
        assert_eq!(taken.endless(false), None, "after {index}");
        let body = page("other", PAGE, &index.to_string());
        assert!(
            taken
                .page(&access, &apps(), &Take::objects(Taking::WHOLE), body.as_bytes())
                .expect("a page")
                .is_some()
        );
    }
    assert!(
        taken.endless(false).is_some_and(|why| matches!(why, Ended::Large(why) if why.contains("10000")))
    );
    assert_eq!(taken.listed.withheld.len(), MOST_WITHHELD);
}

#[test]
fn an_object_that_blows_up_is_counted_and_not_expanded() {
    let (access, mut taken) = (access("https://nowhere.example"), Taken::default());
    let large = |namespace: &str, spec: &str| {
        format!(r#"{{"metadata":{{"namespace":"{namespace}"}},"spec":{spec}}}"#)
    };
    let zeros = format!("[{}0]", "0,".repeat(700_000));
    let text = format!("\"{}\"", "a".repeat(2 << 20));
    let items = [
        large("mine", &zeros),
        large("mine", &text),
        large("other", &text),
        large("mine", "1"),
        "7".to_owned(),
    ];
    let body = format!(r#"{{"items":[{}]}}"#, items.join(","));
    assert_eq!(taken.page(&access, &apps(), &Take::objects(Taking::WHOLE), body.as_bytes()), Ok(None));
    let listed = taken.finished(None);
    assert_eq!(listed.items.len(), 1);
    assert!(cut(&listed).starts_with("2 too large to expand (over 1536 KiB"), "{:?}", listed.cut);
}

#[test]
fn memory_is_bounded_over_all_the_objects_of_a_call() {
    let (access, mut taken) = (access("https://nowhere.example"), Taken::default());
    let item = format!(r#"{{"metadata":{{"namespace":"mine"}},"spec":[{}0]}}"#, "0,".repeat(300_000));
    let body = format!(r#"{{"items":[{}]}}"#, vec![item; 24].join(","));
    let spent =
        taken.page(&access, &apps(), &Take::objects(Taking::WHOLE), body.as_bytes()).expect_err("too much");
    assert!(matches!(spent, Fault::Spent(_)), "{spent}");
    assert!(taken.listed.items.len() < 20, "{}", taken.listed.items.len());
}

#[test]
fn of_what_is_not_kept_only_the_text_counts() {
    let (access, mut taken) = (access("https://nowhere.example"), Taken::default());
    let item =
        format!(r#"{{"metadata":{{"name":"x","namespace":"mine"}},"spec":[{}0]}}"#, "0,".repeat(300_000));
    let body = format!(r#"{{"items":[{}]}}"#, vec![item; 24].join(","));
    let name = Take::parts(Taking::WHOLE, |object: Object| object.name().to_owned());
    assert_eq!(taken.page(&access, &apps(), &name, body.as_bytes()), Ok(None));
    assert_eq!(taken.finished(None).items, vec!["x"; 24]);
}
