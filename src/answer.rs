//! Answers: what a tool says, and the one place where every answer is redacted, sanitised and cut.
//!
//! Text and structure each stand alone (design section 7): both carry the gaps, what was cut and
//! the cursor, and each keeps the budget.

pub mod budget;
pub mod counted;
pub mod handed;
pub mod label;
pub mod page;
pub mod redact;
pub mod sanitise;
pub mod seal;
pub mod table;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use budget::Budget;
pub use counted::counted;
pub use handed::{Handed, Handing};
pub use page::{Page, Row, Rows};
pub use table::Table;

use redact::Learned;

/// What follows a plan.
const CONFIRM: &str = "Nothing was changed. To do exactly this, call again with the same arguments and this plan, \
                       within ten minutes.";
/// Gaps that one answer tells.
const MOST_GAPS: usize = 20;
/// Characters of a gap.
const LONGEST_GAP: usize = 400;

/// What a tool answers.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The first line: counts, state, what is abnormal.
    pub summary: String,
    /// The rest of the text: a table, a tree, YAML.
    pub body: String,
    /// The typed output.
    pub structure: T,
    /// What could not be seen, a line each.
    pub gaps: Vec<String>,
    /// What was left out for size.
    pub cut: Option<Cut>,
    /// Of a tool that changes something: what it did.
    pub change: Option<Change>,
    /// Of a tool that hands out credentials: what it handed out.
    pub handed: Option<Handed>,
    /// Whether what was asked for did not come about: it is told in full, and no success.
    pub failed: bool,
}

/// What a call of a tool that changes something did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Said what it would do; the handle with which the caller agrees.
    Planned(String),
    /// Nothing, since something has changed since the caller agreed; the handle on the fresh plan.
    Refused(String),
    /// Nothing: it is as it should be.
    Unneeded,
    /// What it had planned.
    Made,
}

impl Change {
    /// The word in audit lines and structures.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planned(_) => "planned",
            Self::Refused(_) => "refused",
            Self::Unneeded => "unneeded",
            Self::Made => "made",
        }
    }

    fn plan(&self) -> Option<&str> {
        match self {
            Self::Planned(plan) | Self::Refused(plan) => Some(plan),
            Self::Unneeded | Self::Made => None,
        }
    }
}

/// A question that only a person should answer: whether to do what was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The handle that says yes.
    pub plan: String,
    /// The plan, without its handle.
    pub question: String,
}

/// What was left out of an answer, and how to get it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// In words: `rows 1 to 50 of 812`.
    pub what: String,
    /// The argument that would narrow the question.
    pub narrow: String,
    /// The handle of the next page.
    pub next_cursor: Option<String>,
}

impl<T> Answer<T> {
    /// An answer that lacks nothing.
    pub fn new(summary: impl Into<String>, body: impl Into<String>, structure: T) -> Self {
        Self {
            summary: summary.into(),
            body: body.into(),
            structure,
            gaps: Vec::new(),
            cut: None,
            change: None,
            handed: None,
            failed: false,
        }
    }

    /// With what could not be seen.
    #[must_use]
    pub fn gaps(mut self, gaps: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.gaps.extend(gaps.into_iter().map(Into::into));
        self
    }

    /// Of a call that did not bring about what was asked for.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.failed = true;
        self
    }

    /// With what was done, or would be.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.failed |= matches!(change, Change::Refused(_));
        self.change = Some(change);
        self
    }

    /// With what was handed out on purpose.
    #[must_use]
    pub fn handed(mut self, handed: Handed) -> Self {
        self.handed = Some(handed);
        self
    }

    /// With what was left out.
    #[must_use]
    pub fn cut(mut self, cut: Option<Cut>) -> Self {
        self.cut = cut.or(self.cut);
        self
    }
}

/// An answer as the doors send it.
#[derive(Clone, Debug)]
pub struct Finished {
    /// For readers of text.
    pub text: String,
    /// For readers of structure: an object.
    pub structure: Value,
    /// Whether something could not be seen.
    pub partial: bool,
    /// Whether what was asked for did not come about: an error to whoever called, with all of the answer.
    pub failed: bool,
    /// What a tool that changes something did, in a word.
    pub change: Option<&'static str>,
    /// What was handed out on purpose, in words.
    pub handed: Option<&'static str>,
    /// What to ask a person, where the client can.
    pub confirmation: Option<Confirmation>,
}

/// The one way out: redact, sanitise, budget.
pub(crate) fn finish<T: Serialize>(
    answer: &Answer<T>,
    learned: &Learned,
    budget: Budget,
) -> Result<Finished, serde_json::Error> {
    let mut structure = serde_json::to_value(&answer.structure)?;
    let gaps = told(&answer.gaps, learned);
    let mut facts = Map::new();
    if !answer.gaps.is_empty() {
        facts.insert("partial".to_owned(), true.into());
        facts.insert("gaps".to_owned(), json!(gaps));
    }
    if let Some(cut) = &answer.cut {
        facts.insert("truncated".to_owned(), format!("{}; {}", cut.what, cut.narrow).into());
        facts.extend(cut.next_cursor.clone().map(|cursor| ("next_cursor".to_owned(), cursor.into())));
    }
    clean(&mut structure, learned);
    let mut facts = Value::Object(facts);
    // cursor and plan are sealed text of ours and must survive to the letter
    let cursor = facts.get_mut("next_cursor").map(Value::take);
    clean(&mut facts, learned);
    let plan = answer.change.as_ref().and_then(Change::plan);
    if let Value::Object(facts) = &mut facts {
        facts.extend(cursor.map(|cursor| ("next_cursor".to_owned(), cursor)));
        facts.extend(answer.change.as_ref().map(|change| ("change".to_owned(), change.name().into())));
        facts.extend(plan.map(|plan| ("plan".to_owned(), plan.into())));
    }
    let room = budget.bytes.saturating_sub(budget::size(&facts) + 100);
    let dropped = budget::cut_structure(&mut structure, room);
    if let (Value::Object(structure), Value::Object(facts)) = (&mut structure, facts) {
        structure.extend(facts);
        if !dropped.is_empty() {
            let text = format!("left out for size: {}", dropped.join(", "));
            structure.entry("truncated").or_insert(text.into());
        }
    }
    let partial = !answer.gaps.is_empty();
    let kept = plan.map_or(0, |plan| plan.len() + CONFIRM.len() + 20);
    let room = Budget { bytes: budget.bytes.saturating_sub(kept), ..budget };
    let mut text = text(answer, &gaps, learned, room);
    let confirmation = plan.map(|plan| {
        let question = text.clone();
        text.push_str(&format!("\nplan: {plan}\n{CONFIRM}"));
        Confirmation { plan: plan.to_owned(), question }
    });
    let change = answer.change.as_ref().map(Change::name);
    Ok(Finished { text, structure, partial, failed: answer.failed, change, handed: None, confirmation })
}

fn text<T>(answer: &Answer<T>, gaps: &[String], learned: &Learned, budget: Budget) -> String {
    let mut text = String::with_capacity(answer.summary.len() + answer.body.len() + 64);
    push_clean(&mut text, &answer.summary, learned);
    if !answer.body.is_empty() {
        text.push('\n');
        push_clean(&mut text, answer.body.trim_end(), learned);
    }
    let tail = tail(answer, gaps);
    let room = budget.bytes.saturating_sub(tail.len() + 60);
    let (head, left_out) = budget::cut_text(&text, room);
    if left_out > 0 {
        text.truncate(head.len());
        text.push_str(&format!("\ntruncated: {left_out} bytes left out for size"));
    }
    text.push_str(&tail);
    text
}

/// The gaps as they are told: each once, short, and not more than can be read. Scrubbed before it is
/// cut: a part of a secret value is not found any more.
fn told(gaps: &[String], learned: &Learned) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let gaps: Vec<&String> = gaps.iter().filter(|gap| seen.insert(gap.as_str())).collect();
    let short = |gap: &&String| sanitise::cut(&learned.scrub(&sanitise::line(gap)), LONGEST_GAP);
    let mut told: Vec<String> = gaps.iter().take(MOST_GAPS).map(short).collect();
    let more = gaps.len().saturating_sub(MOST_GAPS);
    told.extend((more > 0).then(|| format!("and {more} more")));
    told
}

/// The facts that end a text: what could not be seen, what was left out, how to go on.
fn tail<T>(answer: &Answer<T>, gaps: &[String]) -> String {
    let mut tail = String::new();
    for gap in gaps {
        tail.push_str("\npartial: ");
        tail.push_str(gap);
    }
    if let Some(cut) = &answer.cut {
        tail.push_str(&format!("\ntruncated: {}; {}", cut.what, cut.narrow));
        if let Some(cursor) = &cut.next_cursor {
            tail.push_str("\nnext_cursor: ");
            tail.push_str(cursor);
        }
    }
    tail
}

fn push_clean(text: &mut String, part: &str, learned: &Learned) {
    text.push_str(&learned.scrub(&sanitise::text(part)));
}

/// Redacts and sanitises every string of a value, keys included where they are data.
pub(crate) fn clean(value: &mut Value, learned: &Learned) {
    match value {
        Value::String(text) => {
            let sanitised = sanitise::text(text);
            let scrubbed = learned.scrub(&sanitised);
            if scrubbed != text.as_str() {
                *text = scrubbed.into_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, learned)),
        Value::Object(map) => {
            let dirty =
                |key: &String| sanitise::text(key) != key.as_str() || learned.scrub(key) != key.as_str();
            if map.keys().any(dirty) {
                let members = std::mem::take(map).into_iter();
                map.extend(
                    members.map(|(key, item)| (learned.scrub(&sanitise::line(&key)).into_owned(), item)),
                );
            }
            map.values_mut().for_each(|item| clean(item, learned));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Object;

    #[test]
    fn gaps_are_told_once_and_not_by_the_hundred() {
        let told = |count: usize| {
            let gaps: Vec<String> =
                (0..count).flat_map(|index| [format!("gap {index}"), "same".to_owned()]).collect();
            told(&gaps, &Learned::default())
        };
        assert_eq!(told(2), ["gap 0", "same", "gap 1"]);
        let many = told(100);
        assert_eq!(many.len(), MOST_GAPS + 1);
        assert_eq!(many.last().map(String::as_str), Some("and 81 more"));
    }

    #[test]
    fn a_gap_is_scrubbed_before_it_is_cut() {
        let learned = Learned::default();
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"p": "planted-0123456789-value"}});
        learned.from_object(&mut Object::from_value(secret).expect("an object"));
        let gap = format!("{}planted-0123456789-value", "x".repeat(LONGEST_GAP - 10));
        let told = told(&[gap], &learned);
        assert!(!told.concat().contains("planted"), "{told:?}");
    }
}
