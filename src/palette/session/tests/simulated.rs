//! Against the simulator, which keeps the vendor's limits.

use std::collections::HashMap;

use serde::Deserialize;

use super::{By, Instant, Limits, Semaphore, Session, Settings, Shown, Url, caller, settings, spent};
use crate::{
    demo::palette::{Data, Failure, Fault as Wrong, Simulator, Tenant, User},
    palette::{
        Ask, Place,
        api::{ListMeta, Listing, ObjectMeta},
        session::{Acting, Paged},
    },
};

const SEARCH: &str = "POST /v1/dashboard/spectroclusters/search";

#[derive(Deserialize)]
struct Rows {
    #[serde(default)]
    items: Vec<Row>,
    #[serde(default)]
    listmeta: ListMeta,
}

#[derive(Deserialize)]
struct Row {
    metadata: ObjectMeta,
}

impl Listing for Rows {
    type Row = Row;

    fn meta(&self) -> &ListMeta {
        &self.listmeta
    }

    fn rows(self) -> Vec<Row> {
        self.items
    }

    fn uid(row: &Row) -> &str {
        &row.metadata.uid
    }
}

struct Rig {
    _simulator: crate::demo::palette::Running,
    tenant: Tenant,
    session: Session,
}

impl Rig {
    async fn new(data: Data) -> Self {
        let simulator = Simulator::start().await.expect("a port");
        let tenant = Tenant::new(data);
        simulator.add(tenant.clone());
        let settings = Settings { url: Url::parse(&simulator.url()).expect("a URL"), ..settings() };
        let session = Session::new(&settings, std::sync::Arc::<Limits>::default());
        Self { _simulator: simulator, tenant, session }
    }

    async fn clusters(&self) -> Paged<Row> {
        let acting = Acting::Key(self.tenant.key().into());
        let (spent, parallel) = (spent(20), Semaphore::new(8));
        let by =
            By { acting: &acting, place: &Place::Tenant, spent: &spent, parallel: &parallel, since: None };
        let ask = Ask::search(&["dashboard", "spectroclusters", "search"], serde_json::json!({}));
        self.session.pages::<Rows>(by, &ask).await.expect("the first page")
    }

    fn asked(&self) -> u64 {
        self.tenant.requests().get(SEARCH).copied().unwrap_or_default()
    }
}

#[tokio::test]
async fn eight_callers_at_full_speed_stay_inside_the_vendors_limits() {
    let mut data = Data::fleet(120, 0, 3, 2);
    let token = |number: u8| format!("caller-{number}-of-eight");
    data.users =
        (0..8).map(|number| User { token: token(number), tenant: true, ..User::default() }).collect();
    let rig = Rig::new(data).await;
    let began = Instant::now();
    // nothing is shared between callers, and each call asks something else
    let callers = (0..8_u8).map(|number| {
        let rig = &rig;
        async move {
            let Acting::Caller(shown) = caller(number) else { return };
            let acting = Acting::Caller(Shown { token: token(number).into(), ..shown });
            let (spent, parallel) = (spent(20), Semaphore::new(8));
            let by = By {
                acting: &acting,
                place: &Place::Tenant,
                spent: &spent,
                parallel: &parallel,
                since: None,
            };
            let asks = (0..9).map(|number| async move {
                let ask = Ask::get(&["dashboard", "projects", "metadata"]).with("name", number.to_string());
                rig.session.json::<serde_json::Value>(by, &ask).await
            });
            for answer in futures::future::join_all(asks).await {
                answer.expect("it waits its turn");
            }
        }
    });
    futures::future::join_all(callers).await;
    assert_eq!((rig.tenant.count(), rig.tenant.answered(200), rig.tenant.answered(429)), (72, 72, 0));
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_sweep_is_as_many_requests_as_pages_and_none_while_it_is_fresh() {
    let rig = Rig::new(Data::fleet(110, 12, 4, 3)).await;
    let first = rig.clusters().await;
    assert_eq!((first.rows.len(), first.count, first.gap.clone()), (122, Some(122), None));
    assert_eq!(rig.asked(), 3);
    let again = rig.clusters().await;
    assert_eq!((again.rows.len(), rig.asked()), (122, 3));
    assert!(again.asked <= first.asked && rig.tenant.refused().is_empty());
}

#[tokio::test]
async fn a_list_that_goes_wrong_is_told_with_what_came_of_it() {
    let cases: HashMap<&str, (Failure, usize, &str)> = [
        ("repeated", (Failure::RepeatedContinue, 50, "repeat")),
        ("more", (Failure::Count(7), 122, "counts 129 rows and 122 came")),
        ("fewer", (Failure::Count(-7), 122, "counts 115 rows and 122 came")),
        ("lost", (Failure::Lost, 120, "counts 122 rows and 120 came")),
        ("doubled", (Failure::Doubled, 122, "")),
    ]
    .into();
    for (name, (failure, rows, words)) in cases {
        let rig = Rig::new(Data::fleet(110, 12, 4, 3)).await;
        rig.tenant.fail(Wrong::at(SEARCH, failure));
        let paged = rig.clusters().await;
        let gap = paged.gap.unwrap_or_default();
        assert!(gap.contains(words) && gap.is_empty() == words.is_empty(), "{name}: {gap}");
        assert_eq!(paged.rows.len(), rows, "{name}: {gap}");
        assert!(rig.asked() <= 3, "{name}");
    }
    let rig = Rig::new(Data::fleet(110, 12, 4, 3)).await;
    rig.tenant.fail(Wrong::at(SEARCH, Failure::Html(502)).after(1));
    let paged = rig.clusters().await;
    let gap = paged.gap.unwrap_or_default();
    assert!(gap.contains("122 rows and 50 came: Palette answered 502") && gap.contains("HTML"), "{gap}");
    assert_eq!(rig.asked(), 4, "the second page three times");
}
