//! [`Paged`]: lists, however they are paged. Palette's own counts and tokens are not trusted: a list ends where
//! nothing new comes, and what came is held against what was counted.

use std::{collections::HashSet, time::Duration};

use tokio::time::Instant;

use super::super::{
    api::{ListMeta, Listing},
    fault::Fault,
};

/// Pages of one list.
const MOST_PAGES: usize = 200;

/// The rows of all pages that came.
#[derive(Clone, Debug)]
pub struct Paged<R> {
    /// Each once.
    pub rows: Vec<R>,
    /// How many Palette says there are, where it says so.
    pub count: Option<u64>,
    /// What is missing of the list, in words.
    pub gap: Option<String>,
    /// When the oldest of it was asked for: a kept answer may be some seconds old.
    pub asked: Instant,
}

impl<R> Paged<R> {
    /// How old the oldest of it is.
    pub fn age(&self) -> Duration {
        self.asked.elapsed()
    }

    /// Whether Palette counts more rows than came.
    pub fn is_short(&self) -> bool {
        self.count.is_some_and(|count| count > self.rows.len() as u64)
    }
}

/// Rows as they come in, each once.
struct Gathered<L: Listing> {
    rows: Vec<L::Row>,
    known: HashSet<String>,
    count: Option<u64>,
    asked: Option<Instant>,
}

impl<L: Listing> Gathered<L> {
    fn new() -> Self {
        Self { rows: Vec::new(), known: HashSet::new(), count: None, asked: None }
    }

    /// Takes a page: its token, where it has one, and whether anything on it was new.
    fn take(&mut self, list: L, asked: Instant) -> (Option<String>, bool) {
        let ListMeta { next, count } = list.meta().clone();
        self.count = count.or(self.count);
        self.asked = Some(self.asked.map_or(asked, |oldest| oldest.min(asked)));
        let before = self.known.len();
        // one without a uid cannot be told from others, and is none of the list's progress
        let Self { rows, known, .. } = self;
        rows.extend(list.rows().into_iter().filter(|row| {
            let uid = L::uid(row);
            uid.is_empty() || known.insert(uid.to_owned())
        }));
        (next.filter(|token| !token.is_empty()), self.known.len() > before)
    }

    fn ended(self, why: Option<String>) -> Paged<L::Row> {
        let came = self.rows.len() as u64;
        let told = self.count.filter(|count| *count != came);
        let told = told.map(|count| format!("Palette counts {count} rows and {came} came"));
        let gap = match (told, why) {
            (Some(told), Some(why)) => Some(format!("{told}: {why}")),
            (None, Some(why)) => Some(format!("after {came} rows: {why}")),
            (told, None) => told,
        };
        Paged { rows: self.rows, count: self.count, gap, asked: self.asked.unwrap_or_else(Instant::now) }
    }
}

/// All pages, each asked for with the token of the one before.
///
/// # Errors
/// The fault of the first page; a later one is told in [`Paged::gap`].
pub(super) async fn all<L: Listing, F>(page: impl Fn(Option<String>) -> F) -> Result<Paged<L::Row>, Fault>
where
    F: Future<Output = Result<(L, Instant), Fault>>,
{
    let (mut gathered, mut tokens, mut next) = (Gathered::<L>::new(), HashSet::new(), None);
    for number in 0..MOST_PAGES {
        let (list, asked) = match page(next.take()).await {
            Ok(page) => page,
            Err(fault) if number == 0 => return Err(fault),
            Err(fault) => return Ok(gathered.ended(Some(fault.to_string()))),
        };
        match gathered.take(list, asked) {
            (None, _) => return Ok(gathered.ended(None)),
            (Some(token), true) if tokens.insert(token.clone()) => next = Some(token),
            (Some(_), _) => return Ok(gathered.ended(Some("its pages repeat and do not end".to_owned()))),
        }
    }
    Ok(gathered.ended(Some(format!("only {MOST_PAGES} pages of a list are read"))))
}

/// A list that comes at once.
pub(super) fn whole<L: Listing>((list, asked): (L, Instant)) -> Paged<L::Row> {
    let mut gathered = Gathered::<L>::new();
    let (next, _) = gathered.take(list, asked);
    let short = gathered.count.is_none_or(|count| count > gathered.rows.len() as u64);
    let cut = next.is_some() && short;
    gathered.ended(cut.then(|| "it has more pages, and no way to ask for them".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Deserialize)]
    struct List {
        items: Vec<String>,
        #[serde(default)]
        listmeta: ListMeta,
    }

    impl Listing for List {
        type Row = String;

        fn meta(&self) -> &ListMeta {
            &self.listmeta
        }

        fn rows(self) -> Vec<String> {
            self.items
        }

        fn uid(row: &String) -> &str {
            row
        }
    }

    fn list(value: &Value) -> List {
        serde_json::from_value(value.clone()).expect("a list")
    }

    /// Of these pages; the last one again and again.
    async fn read(pages: &[Value]) -> (Paged<String>, usize) {
        let asked = AtomicUsize::new(0);
        let paged = all::<List, _>(|token| {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            assert_eq!(token.is_none(), number == 0);
            let page = pages.get(number).or(pages.last()).expect("a page");
            let answer = match page.get("fault") {
                Some(_) => Err(Fault::Status { status: 500, message: "down".to_owned() }),
                None => Ok((list(page), Instant::now())),
            };
            async { answer }
        })
        .await;
        (paged.expect("the first page came"), asked.into_inner())
    }

    #[tokio::test]
    async fn pages_are_read_to_the_end_and_held_against_the_count() {
        let meta = |next: &str, count: u64| json!({"continue": next, "count": count});
        let two = |count| {
            [
                json!({"items": ["a", "b"], "listmeta": meta("1", count)}),
                json!({"items": ["b", "c"], "listmeta": meta("", count)}),
            ]
        };
        for (pages, rows, gap, requests) in [
            (two(3).to_vec(), "abc", None, 2),
            (two(5).to_vec(), "abc", Some("Palette counts 5 rows and 3 came"), 2),
            (two(2).to_vec(), "abc", Some("Palette counts 2 rows and 3 came"), 2),
            (vec![json!({"items": ["a"]})], "a", None, 1),
            (vec![json!({"items": [], "listmeta": {"continue": null, "count": null}})], "", None, 1),
            // the same token for ever, with something new the first time
            (
                vec![
                    json!({"items": ["a"], "listmeta": meta("1", 9)}),
                    json!({"items": ["b"], "listmeta": meta("1", 9)}),
                ],
                "ab",
                Some("Palette counts 9 rows and 2 came: its pages repeat"),
                2,
            ),
            // other tokens, and nothing new
            (
                vec![
                    json!({"items": ["a"], "listmeta": meta("1", 1)}),
                    json!({"items": ["a"], "listmeta": meta("2", 1)}),
                ],
                "a",
                Some("after 1 rows: its pages repeat"),
                2,
            ),
            (
                vec![json!({"items": ["a"], "listmeta": meta("1", 2)}), json!({"fault": 1})],
                "a",
                Some("Palette counts 2 rows and 1 came: Palette answered 500: down"),
                2,
            ),
        ] {
            let (paged, asked) = read(&pages).await;
            assert_eq!(paged.rows.concat(), rows, "{pages:?}");
            assert_eq!(asked, requests, "{pages:?}");
            let told = paged.gap.unwrap_or_default();
            assert!(told.starts_with(gap.unwrap_or_default()), "{pages:?}: {told}");
            assert_eq!(told.is_empty(), gap.is_none(), "{pages:?}: {told}");
        }
    }

    #[tokio::test]
    async fn a_list_that_never_ends_is_left_off() {
        let asked = AtomicUsize::new(0);
        let paged = all::<List, _>(|_| {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            let page = json!({"items": [number.to_string()], "listmeta": {"continue": number.to_string()}});
            async move { Ok((list(&page), Instant::now())) }
        });
        let paged = paged.await.expect("a list");
        assert_eq!((paged.rows.len(), asked.into_inner()), (MOST_PAGES, MOST_PAGES));
        assert!(paged.gap.is_some_and(|gap| gap.contains("only 200 pages")));
    }

    #[test]
    fn a_list_without_paging_says_where_it_was_cut() {
        let read = |value: &Value| whole::<List>((list(value), Instant::now()));
        let paged = read(&json!({"items": ["a", "b", "a"], "listmeta": {"count": 60, "continue": "x"}}));
        assert_eq!(paged.rows, ["a", "b"]);
        assert!(paged.is_short());
        let gap = paged.gap.unwrap_or_default();
        assert!(gap.starts_with("Palette counts 60 rows and 2 came: it has more pages"), "{gap}");
        assert_eq!(read(&json!({"items": ["a"], "listmeta": {"count": 1}})).gap, None);
        assert!(read(&json!({"items": ["a"], "listmeta": {"continue": "x"}})).gap.is_some());
    }
}
