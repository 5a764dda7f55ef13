//! CEL as RGDs use it: found in strings, surveyed for what it refers to, evaluated within bounds.
//!
//! Whoever may write an RGD wrote the expressions, so they are untrusted: their length, nesting
//! and the work they could cause are bounded before anything is evaluated, and what cannot be
//! evaluated here is [`Unresolved`] with the reason, never a guess. kro declares more functions
//! than the `cel` crate knows (`random.seededString`, `quantity`, `url`, `cel.bind` …; kro v0.9.4
//! `pkg/cel/environment.go`): those are [`Unresolved::Unsupported`].

mod bounds;
mod scope;
mod survey;
mod syntax;
mod template;
mod work;

pub use scope::{Scope, Variable, plain_path};
pub use survey::{Path, Survey};
pub use syntax::{Syntax, syntax};
pub use template::{Segment, expressions, segments, strings_of};
pub use work::Work;

use cel::common::ast::IdedExpr;
use cel::{Env, extensions};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use crate::stack::{self, GaveUp};

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// A key or an index that is not there (yet): what kro calls "data pending".
    Pending(String),
    /// It refers to a node that has not been observed.
    Absent(String),
    /// It cannot be judged here: an unknown function, a bound, a type error.
    Unsupported(String),
}

impl From<GaveUp> for Unresolved {
    fn from(_: GaveUp) -> Self {
        Self::Unsupported("the CEL library gave up".to_owned())
    }
}

/// As [`stack::deep`], for expressions.
///
/// # Errors
/// The parser gave up.
pub fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Unresolved> {
    Ok(stack::deep(work)?)
}

impl std::fmt::Display for Unresolved {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pending(what) => write!(out, "{what} is not there yet"),
            Self::Absent(node) => write!(out, "{node} has not been observed"),
            Self::Unsupported(why) => write!(out, "cannot be evaluated here: {why}"),
        }
    }
}

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    for library in [extensions::strings, extensions::lists, extensions::encoders] {
        // A conflict would only leave functions undeclared, and those are "unsupported".
        let _ = library(&mut env);
    }
    Arc::new(env)
});

/// What the text between `${` and `}` refers to.
///
/// # Errors
/// [`Unresolved::Unsupported`] where it is not CEL, or too long, or there is no time left for it.
pub fn survey(source: &str, work: &Work) -> Result<Survey, Unresolved> {
    bounds::source(source)?;
    work.expression()?;
    deep(|| parse(source).map(|(_, survey)| survey))?
}

/// Call it on a [`deep`] stack only.
fn parse(source: &str) -> Result<(IdedExpr, Survey), Unresolved> {
    let syntax = ENVIRONMENT
        .parser()
        .max_recursion_depth(bounds::NESTING)
        .parse(source)
        .map_err(|_| Unresolved::Unsupported("not valid CEL".into()))?;
    let survey = Survey::of(&syntax);
    Ok((syntax, survey))
}

/// The ids among `known` that the expression refers to. Text that does not parse is searched for
/// the ids as words, so that an edge is not lost to a function that only kro knows.
pub fn references<'a>(source: &str, known: &BTreeSet<&'a str>, work: &Work) -> Vec<&'a str> {
    if let Some(path) = plain_path(source) {
        return known.get(path.root()).copied().into_iter().collect();
    }
    match survey(source, work) {
        Ok(survey) => survey.roots().filter_map(|root| known.get(root)).copied().collect(),
        Err(_) => survey::words(source).filter_map(|word| known.get(word)).copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_free_names_only() {
        let known = ["schema", "deployment", "c", "other"];
        let source = "deployment.status.conditions.exists(c, c.type == schema.spec.other)";
        assert_eq!(references(source, &BTreeSet::from(known), &Work::default()), ["deployment", "schema"]);
    }

    #[test]
    fn what_does_not_parse_is_searched_for_words() {
        let known = BTreeSet::from(["bar", "baz", "fo"]);
        assert_eq!(references("foo(bar.baz +", &known, &Work::default()), ["bar"]);
    }

    #[test]
    fn hostile_text_is_refused_without_a_panic_or_a_long_wait() {
        let mut scope = Scope::default();
        scope.set("a", Variable::data(serde_json::json!(1)));
        let deepest = format!("a{}", "+a".repeat(bounds::DEPTH - 1));
        assert_eq!(scope.evaluate(&deepest), Ok(bounds::DEPTH.into()));
        let deeper = format!("a{}", "+a".repeat(bounds::OPERATORS));
        assert!(matches!(scope.evaluate(&deeper), Err(Unresolved::Unsupported(_))));
        let nested = format!("{}1{}", "(".repeat(3000), ")".repeat(3000));
        let sources = [
            nested.as_str(),
            &"[".repeat(5000),
            &"!".repeat(4000),
            &"-".repeat(4000),
            &"a?".repeat(2000),
            &"a.b".repeat(9000),
            &"1+".repeat(1900),
            &"a[".repeat(1900),
            "ma[[[[[[[[[[[[\u{c}\0\0[[[putTo?[[[[[ep",
            &format!("a{}", ".a".repeat(1900)),
            &format!("a{}", "[0]".repeat(1300)),
            &format!("a{}", "+a".repeat(1900)),
            &format!("a{}", " in a".repeat(800)),
            &"a,".repeat(2000),
            "",
            "\u{202e}",
        ];
        for source in sources {
            let start = std::time::Instant::now();
            let _ = survey(source, &Work::default());
            let shown: String = source.chars().take(12).collect();
            assert!(start.elapsed().as_secs() < 2, "{shown} took {:?}", start.elapsed());
        }
    }
}
