//! [`Report`]: findings as text that a person or a model reads first.

use super::code::Weight;
use super::finding::Finding;
use crate::answer::sanitise;

/// Findings as an answer says them.
#[derive(Debug)]
pub struct Report<'f> {
    /// `Shop/one in shop (lab)`
    pub what: String,
    /// The findings, the cause first.
    pub findings: &'f mut [Finding],
    /// What is said where nothing is wrong.
    pub fine: String,
    /// Whether nothing is wrong but what is harmless.
    pub well: bool,
    /// Whether something could not be seen.
    pub partial: bool,
}

impl Report<'_> {
    /// The first line: the cause.
    pub fn summary(&self) -> String {
        let mut line = format!("{}: ", self.what);
        let partial = if self.partial { ". Partial: see the end" } else { "" };
        let Some(first) = self.findings.first() else {
            line.push_str(&self.fine);
            line.push_str(partial);
            return sanitise::line(&line).into_owned();
        };
        if first.weight >= Weight::Warning && self.well {
            line.push_str(&self.fine);
            line.push_str(". To know: ");
        }
        line.push_str(&format!("{}: {}", first.code.word(), first.cause));
        let more = self.findings.len() - 1;
        if more > 0 {
            line.push_str(&format!(". {more} more finding{} below", if more == 1 { "" } else { "s" }));
        }
        line.push_str(partial);
        sanitise::line(&line).into_owned()
    }

    /// The first findings, one by one.
    pub fn body(&self, most: usize) -> String {
        let told =
            self.findings.iter().take(most).enumerate().map(|(index, finding)| entry(index + 1, finding));
        told.collect::<Vec<_>>().join("\n")
    }
}

fn entry(number: usize, finding: &Finding) -> String {
    let mut head = format!("{number}. {} [{}]", finding.code.word(), finding.weight.word());
    if let Some(node) = &finding.node {
        head.push_str(&format!(" {node}"));
    }
    if let Some(object) = &finding.object {
        head.push_str(&format!(" {object}"));
    }
    if let Some(namespace) = &finding.namespace {
        head.push_str(&format!(" (ns {namespace})"));
    }
    let mut text = sanitise::line(&head).into_owned();
    text.push_str(&format!("\n   {}", finding.cause));
    for evidence in &finding.evidence {
        text.push_str(&format!("\n   seen: {evidence}"));
    }
    if !finding.next.is_empty() {
        text.push_str(&format!("\n   next: {}", finding.next));
    }
    text
}
