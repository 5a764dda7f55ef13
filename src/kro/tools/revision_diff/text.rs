//! The answer of `kro_revision_diff` for readers of text.

use super::sides::Sides;
use crate::kro::{
    revision::{Comparison, How},
    schema::{Effect, Impact},
};

pub(super) fn summary(rgd: &str, sides: &Sides, found: &Comparison, impact: Option<&Impact>) -> String {
    let head = format!("{rgd}: {} → {}", sides.before.label, sides.after.label);
    if found.is_empty() {
        return format!("{head}: nothing differs");
    }
    let counted = |what: &str, how: How, count: usize| {
        let word = match how {
            How::Added => "added",
            How::Removed => "removed",
            How::Changed => "changed",
        };
        (count > 0).then(|| format!("{count} {what}{} {word}", if count == 1 { "" } else { "s" }))
    };
    let hows = [How::Added, How::Removed, How::Changed];
    let nodes =
        hows.map(|how| counted("node", how, found.nodes.iter().filter(|node| node.how == how).count()));
    let edges =
        hows.map(|how| counted("edge", how, found.edges.iter().filter(|edge| edge.how == how).count()));
    let effects: Vec<String> = [Effect::Breaking, Effect::Tightening, Effect::Compatible]
        .into_iter()
        .filter(|effect| found.count(*effect) > 0)
        .map(|effect| format!("{} {}", found.count(effect), effect.word()))
        .collect();
    let schema = (!effects.is_empty()).then(|| format!("schema: {}", effects.join(", ")));
    let other = counted("other field", How::Changed, found.other.len());
    let parts: Vec<String> = nodes.into_iter().chain(edges).chain([schema, other]).flatten().collect();
    let mut line = format!("{head}: {}", parts.join("; "));
    if let Some(impact) = impact {
        line.push_str(&match (impact.looked_at, impact.broken) {
            (0, _) => "; there are no instances".to_owned(),
            (1, 0) => "; its one instance keeps the schema after".to_owned(),
            (all, 0) => format!("; all {all} instances keep the schema after"),
            (all, broken) => format!("; {broken} of {all} instances would not keep the schema after"),
        });
    }
    line
}

pub(super) fn body(found: &Comparison, impact: Option<&Impact>, notes: &[String]) -> String {
    let mut sections = Vec::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            sections.push(format!("{title}\n{}", lines.join("\n")));
        }
    };
    let broken = impact.map_or_else(Vec::new, |impact| {
        let mut lines: Vec<String> = impact.first.iter().map(ToString::to_string).collect();
        let more = impact.broken - impact.first.len().min(impact.broken);
        lines.extend((more > 0).then(|| format!("and {more} more")));
        lines
    });
    let schema = found.schema.iter().map(|change| format!("{}\t{change}", change.effect.word()));
    section("Schema", schema.collect());
    section("Instances that would break", broken);
    let mut nodes = Vec::new();
    for node in &found.nodes {
        nodes.push(format!("{} {}\t{}", node.how.mark(), node.id, node.kind));
        nodes.extend(node.fields.iter().map(|field| format!("    {field}")));
        nodes.extend((node.more > 0).then(|| format!("    and {} more fields", node.more)));
    }
    section("Nodes", nodes);
    let edges = found.edges.iter().map(|edge| format!("{} {} → {}", edge.how.mark(), edge.from, edge.to));
    section("Edges", edges.collect());
    section("Other fields of spec", found.other.iter().map(ToString::to_string).collect());
    sections.extend(
        (!notes.is_empty())
            .then(|| notes.iter().map(|note| format!("note: {note}")).collect::<Vec<_>>().join("\n")),
    );
    sections.join("\n\n")
}
