//! [`Findings`]: where problems are collected, up to a bound.

use super::infer::Complaint;
use super::problem::{Problem, Rule};
use crate::answer::sanitise;

/// Problems of one RGD that are told; who has that many starts with the first.
const MOST: usize = 100;
/// Characters of a message.
const LONGEST: usize = 500;
/// Characters of an expression that are quoted.
const QUOTED: usize = 120;

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    more: usize,
}

/// Where in an RGD something is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    /// The id of the node, or nothing for the RGD.
    pub(super) node: Option<&'p str>,
    /// From the RGD's `spec`, or from the node.
    pub(super) field: &'p str,
}

impl<'p> Place<'p> {
    pub(super) fn rgd(field: &'p str) -> Self {
        Self { node: None, field }
    }

    pub(super) fn node(id: &'p str, field: &'p str) -> Self {
        Self { node: Some(id), field }
    }
}

impl Findings {
    pub(super) fn add(&mut self, rule: Rule, at: Place<'_>, message: &str) {
        self.push(rule, at, message, true);
    }

    /// Something that kro may take, and that is wrong all the same.
    pub(super) fn doubt(&mut self, rule: Rule, at: Place<'_>, message: &str) {
        self.push(rule, at, message, false);
    }

    /// What is wrong in the expression `source`.
    pub(super) fn complaints(&mut self, at: Place<'_>, source: &str, complaints: Vec<Complaint>) {
        for Complaint { rule, message, certain } in complaints {
            self.push(rule, at, &format!("in {}: {message}", quoted(source)), certain);
        }
    }

    fn push(&mut self, rule: Rule, at: Place<'_>, message: &str, certain: bool) {
        let problem = Problem {
            rule,
            node: at.node.map(|node| sanitise::short(node, QUOTED)),
            field: sanitise::short(at.field, QUOTED),
            message: sanitise::short(message, LONGEST),
            certain,
        };
        if self.problems.contains(&problem) {
            return;
        }
        if self.problems.len() < MOST {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// All of them: those of the RGD, then those of its nodes, each in the order found; what is certain
    /// comes first.
    pub(super) fn into_problems(mut self) -> (Vec<Problem>, usize) {
        self.problems.sort_by_key(|problem| (!problem.certain, problem.node.is_some()));
        (self.problems, self.more)
    }
}

/// An expression as it is quoted.
pub(super) fn quoted(source: &str) -> String {
    format!("`{}`", sanitise::short(source.trim(), QUOTED))
}
