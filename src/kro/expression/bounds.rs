//! Bounds on what an expression may cost. The `cel` crate has no cost limit of its own.

use super::survey::{Growth, Range, Survey};
use super::{Scope, Unresolved};
use serde_json::Value;

/// The longest expression that is parsed; real ones have a few hundred bytes.
const SOURCE: usize = 4096;
/// Operators and selections in one expression. Each can be a level of recursion.
pub(super) const OPERATORS: usize = 600;
/// How deep the syntax may nest to be evaluated: the interpreter's frames are larger.
pub(super) const DEPTH: usize = 64;
/// How deep an expression may nest. The parser recurses on the caller's stack.
pub(super) const NESTING: u16 = 32;
/// The longest list that is iterated.
const LIST: usize = 10_000;
/// How many times the innermost comprehension may run.
const STEPS: u64 = 200_000;
/// How many parts of the syntax all runs of comprehensions may evaluate.
const PARTS: u64 = 2_000_000;
/// The most bytes that an evaluation may pile up.
const BYTES: u64 = 32 << 20;

pub(super) fn source(source: &str) -> Result<(), Unresolved> {
    let operators = source.bytes().filter(|byte| b"+-*/%.[(<>=!?&|{".contains(byte)).count();
    let words = source.matches(" in ").count();
    if source.len() > SOURCE || operators + words > OPERATORS {
        return Err(refused("the expression is too long"));
    }
    Ok(())
}

/// Whether `survey`'s expression may be evaluated on the values of `scope` that it refers to.
pub(super) fn work(survey: &Survey, scope: &Scope<'_>) -> Result<(), Unresolved> {
    if survey.nesting > DEPTH {
        return Err(refused("the expression nests too deep"));
    }
    let mut size = Size { list: survey.literal, text: SOURCE };
    for path in &survey.paths {
        let length = scope.each(path.root(), |value| size.measure(value));
        size.list = size.list.max(length);
    }
    for range in &survey.ranges {
        size.list = size.list.max(range_length(range, scope)?);
    }
    // `split` and friends make lists out of strings.
    let list = if survey.loops > 0 { size.list.max(16) } else { 1 };
    let text = survey.growth.iter().fold(size.text as u64, |text, growth| {
        text.saturating_mul(match growth {
            Growth::Factor(factor) => *factor as u64,
            Growth::Data => (size.list.max(2) as u64).saturating_mul(16),
        })
    });
    let steps = (list as u64).saturating_pow(survey.loops);
    let parts = steps.saturating_mul(survey.parts as u64);
    if size.list > LIST
        || steps > STEPS
        || parts > PARTS
        || (survey.loops > 0 && steps.saturating_mul(text) > 2 * BYTES)
    {
        return Err(refused("it would take too long"));
    }
    if text > BYTES { Err(refused("it would make too long a string")) } else { Ok(()) }
}

fn range_length(range: &Range, scope: &Scope<'_>) -> Result<usize, Unresolved> {
    let count = match range {
        Range::Literal(count) => Some(*count),
        Range::At(path) => scope.at(path).and_then(Value::as_i64),
        Range::Unclear => None,
    };
    count
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(|| refused("the length of lists.range is not clear"))
}

#[derive(Clone, Copy)]
struct Size {
    list: usize,
    text: usize,
}

impl Size {
    fn measure(&mut self, value: &Value) {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => self.text = self.text.max(text.len()),
                Value::Array(items) => {
                    self.list = self.list.max(items.len());
                    open.extend(items);
                }
                Value::Object(members) => {
                    self.list = self.list.max(members.len());
                    open.extend(members.values());
                }
                _ => {}
            }
        }
    }
}

fn refused(why: &str) -> Unresolved {
    Unresolved::Unsupported(why.to_owned())
}
