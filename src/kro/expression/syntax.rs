//! [`Syntax`]: an expression taken apart and otherwise left as it is written, macros too.

use cel::Env;
use cel::common::ast::IdedExpr;

use super::{Work, bounds, deep};
use crate::answer::sanitise;

/// Characters of a parser's complaint that are told.
const LONGEST: usize = 200;

/// What an expression is made of.
#[derive(Debug)]
pub enum Syntax {
    /// These parts.
    Tree(IdedExpr),
    /// It is not CEL: why.
    Invalid(String),
    /// It is too long or too deep to be looked at, or there is no time left.
    Unread,
}

/// Takes the text between `${` and `}` apart.
pub fn syntax(source: &str, work: &Work) -> Syntax {
    // cel-go takes field names in backticks, this parser does not
    if bounds::source(source).is_err() || source.contains('`') || work.expression().is_err() {
        return Syntax::Unread;
    }
    // an environment without macros leaves them as calls
    let parse = || Env::default().parser().max_recursion_depth(bounds::NESTING).parse(source);
    match deep(|| parse().map_err(|errors| errors.to_string())) {
        Ok(Ok(tree)) => Syntax::Tree(tree),
        Ok(Err(why)) if why.contains("Recursion limit") || why.contains("attempt limit") => Syntax::Unread,
        Ok(Err(why)) => {
            let first = why.lines().next().unwrap_or_default();
            Syntax::Invalid(sanitise::short(first.trim_start_matches("ERROR: <input>:"), LONGEST))
        }
        Err(_) => Syntax::Unread,
    }
}
