//! [`Survey`]: what an expression refers to and how much work it could cause, from its syntax.

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use std::collections::BTreeSet;

/// A selection on a free name: `deployment.status.readyReplicas`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(pub Vec<String>);

impl Path {
    /// The name that the path starts at.
    pub fn root(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// The members after the root.
    pub fn members(&self) -> &[String] {
        self.0.get(1..).unwrap_or_default()
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0.join("."))
    }
}

/// What is in an expression.
#[derive(Debug, Default)]
pub struct Survey {
    /// Every selection on a free name, in the order written, without repetition.
    pub paths: Vec<Path>,
    /// Selections whose presence alone matters: `has(secret.data.key)`.
    pub tested: Vec<Path>,
    /// Every member selected and every string written, in any place: the keys it may reach values by.
    pub words: Vec<String>,
    /// How many parts the syntax has.
    pub parts: usize,
    /// How deep the syntax nests: `a + b + c` is two deep.
    pub nesting: usize,
    /// How deep comprehensions (and functions as costly as one) nest.
    pub loops: u32,
    /// The longest list or map written out.
    pub literal: usize,
    /// By how much a string may grow through calls such as `replace`; each multiplies.
    pub growth: Vec<Growth>,
    /// The argument of each `lists.range`.
    pub ranges: Vec<Range>,
}

/// How a call can make a string longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// At most by this factor.
    Factor(usize),
    /// By a factor that depends on data.
    Data,
}

/// How long the list is that `lists.range` makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// As long as written.
    Literal(i64),
    /// As the value at a path says.
    At(Path),
    /// As something says that only evaluation would show.
    Unclear,
}

impl Survey {
    pub(super) fn of(syntax: &IdedExpr) -> Self {
        let mut survey = Self::default();
        survey.walk(syntax, &mut Vec::new(), 0);
        survey.measure(syntax);
        survey
    }

    /// The free names in the expression.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        let roots: BTreeSet<&str> = self.paths.iter().chain(&self.tested).map(Path::root).collect();
        roots.into_iter()
    }

    /// Whether `name` is free in the expression.
    pub fn refers_to(&self, name: &str) -> bool {
        self.paths.iter().chain(&self.tested).any(|path| path.root() == name)
    }

    fn measure(&mut self, syntax: &IdedExpr) {
        let mut open = vec![(syntax, 1)];
        while let Some((syntax, depth)) = open.pop() {
            self.nesting = self.nesting.max(depth);
            self.parts += 1;
            match &syntax.expr {
                Expr::Select(select) => self.words.push(select.field.clone()),
                _ => self.words.extend(text(syntax).map(str::to_owned)),
            }
            open.extend(parts(&syntax.expr).into_iter().map(|part| (part, depth + 1)));
        }
    }

    fn walk(&mut self, syntax: &IdedExpr, bound: &mut Vec<String>, depth: u32) {
        match &syntax.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(_) | Expr::Select(_) => self.select(syntax, bound, depth),
            Expr::Call(call) => {
                self.call(&call.func_name, &call.args);
                let costly = matches!(call.func_name.as_str(), "distinct" | "sort" | "flatten");
                let depth = depth + u32::from(costly);
                self.loops = self.loops.max(depth);
                let before = bound.len();
                if call.func_name == "bind" {
                    bound.extend(
                        call.args.first().and_then(|name| path(name).ok()).map(|name| name.to_string()),
                    );
                }
                self.walk_all(&syntax.expr, bound, depth);
                bound.truncate(before);
            }
            Expr::Comprehension(loops) => {
                self.loops = self.loops.max(depth + 1);
                self.walk(&loops.iter_range, bound, depth + 1);
                self.walk(&loops.accu_init, bound, depth + 1);
                let before = bound.len();
                bound.push(loops.iter_var.clone());
                bound.extend(loops.iter_var2.clone());
                bound.push(loops.accu_var.clone());
                for part in [&loops.loop_cond, &loops.loop_step, &loops.result] {
                    self.walk(part, bound, depth + 1);
                }
                bound.truncate(before);
            }
            Expr::List(_) | Expr::Map(_) | Expr::Struct(_) => {
                self.literal = self.literal.max(parts(&syntax.expr).len());
                self.walk_all(&syntax.expr, bound, depth);
            }
        }
    }

    fn walk_all(&mut self, expr: &Expr, bound: &mut Vec<String>, depth: u32) {
        for part in parts(expr) {
            self.walk(part, bound, depth);
        }
    }

    fn select(&mut self, syntax: &IdedExpr, bound: &mut Vec<String>, depth: u32) {
        let tested = matches!(&syntax.expr, Expr::Select(select) if select.test);
        let found = if tested { &mut self.tested } else { &mut self.paths };
        match path(syntax) {
            Ok(path) if bound.iter().any(|name| name == path.root()) => {}
            Ok(path) if path.root().starts_with('@') || found.contains(&path) => {}
            Ok(path) => found.push(path),
            Err(operand) => self.walk(operand, bound, depth),
        }
    }

    fn call(&mut self, name: &str, args: &[IdedExpr]) {
        match name {
            "replace" => self.growth.push(replacement(args)),
            "join" | "format" => self.growth.push(Growth::Data),
            "range" | "lists.range" => self.ranges.push(range(args)),
            _ => {}
        }
    }
}

fn parts(expr: &Expr) -> Vec<&IdedExpr> {
    match expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Vec::new(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entries(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| entries(&entry.expr)).collect(),
        Expr::Comprehension(it) => {
            vec![&it.iter_range, &it.accu_init, &it.loop_cond, &it.loop_step, &it.result]
        }
    }
}

fn entries(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// A plain selection as a path, or the innermost operand that is not one.
fn path(syntax: &IdedExpr) -> Result<Path, &IdedExpr> {
    let mut names = Vec::new();
    let mut at = syntax;
    loop {
        match &at.expr {
            Expr::Ident(name) => {
                names.push(name.clone());
                names.reverse();
                return Ok(Path(names));
            }
            Expr::Select(select) => {
                names.push(select.field.clone());
                at = &select.operand;
            }
            _ => return Err(at),
        }
    }
}

fn replacement(args: &[IdedExpr]) -> Growth {
    match (args.first().and_then(text), args.get(1).and_then(text)) {
        (Some(""), Some(new)) => Growth::Factor(new.len() + 1),
        (Some(old), Some(new)) => Growth::Factor(new.len().div_ceil(old.len()).max(1)),
        _ => Growth::Data,
    }
}

fn text(syntax: &IdedExpr) -> Option<&str> {
    match &syntax.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn range(args: &[IdedExpr]) -> Range {
    match args.first() {
        Some(IdedExpr { expr: Expr::Literal(LiteralValue::Int(count)), .. }) => {
            Range::Literal(*count.inner())
        }
        Some(argument) => path(argument).map_or(Range::Unclear, Range::At),
        None => Range::Unclear,
    }
}

/// The identifiers in `text` that are not members of something.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let member = |word: &str| {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        at.checked_sub(1).and_then(|at| text.as_bytes().get(at)) == Some(&b'.')
    };
    text.split(move |c| !part(c)).filter(move |word| !word.is_empty() && !member(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kro::expression::Work;

    fn survey(source: &str) -> Result<Survey, crate::kro::expression::Unresolved> {
        crate::kro::expression::survey(source, &Work::default())
    }

    #[test]
    fn paths_in_the_order_written() {
        let found =
            survey("a.b.c == a.d && has(e.f) && a.b.c > 1 && g.h[0].i == schema.?spec").expect("parses");
        let shown: Vec<_> = found.paths.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a.b.c", "a.d", "g.h", "schema"]);
        assert!(found.refers_to("e"));
    }

    #[test]
    fn work_is_seen_before_it_is_done() {
        assert_eq!(survey("a.map(x, b.filter(y, y == x))").expect("parses").loops, 2);
        assert_eq!(survey("a.replace('.', '--')").expect("parses").growth, [Growth::Factor(2)]);
        assert_eq!(survey("a.replace('', b)").expect("parses").growth, [Growth::Data]);
        assert_eq!(survey("lists.range(9)").expect("parses").ranges, [Range::Literal(9)]);
    }
}
