//! The answer of `kro_rgd` for readers of text.

use super::Output;
use crate::answer::{Table, sanitise};

pub(super) fn summary(output: &Output, hidden_fields: usize) -> String {
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let required =
        output.fields.iter().filter(|field| field.required && !field.path.contains(['[', '{'])).count();
    let scope = if output.namespaced { "namespaced" } else { "cluster-scoped" };
    let mut summary = format!(
        "{} generates {} ({}, {scope}): {}; {} of spec, {required} required; {}",
        output.name,
        output.kind,
        output.api_version,
        output.state.as_deref().unwrap_or("not looked at by kro yet"),
        plural(output.fields.len() + hidden_fields, "field"),
        plural(output.nodes.len(), "node"),
    );
    if let Some(newest) = output.revisions.first() {
        summary.push_str(&format!("; newest revision {}", newest.number));
    }
    if let Some(instances) = &output.instances {
        let abnormal: usize =
            instances.states.iter().filter(|(state, _)| state.is_abnormal()).map(|(_, count)| count).sum();
        summary.push_str(&format!("; {}", plural(instances.total, "instance")));
        if abnormal > 0 {
            summary.push_str(&format!(", {abnormal} not ready"));
        }
    }
    if let Some(problem) = &output.problem {
        summary.push_str(&format!("\nproblem: {}", sanitise::line(problem)));
    }
    summary
}

pub(super) fn body(output: &Output) -> String {
    let sections = [
        fields(output),
        example(output),
        status(output),
        nodes(output),
        conditions(output),
        revisions(output),
        used(output),
        output.notes.iter().map(|note| format!("note: {note}")).collect::<Vec<_>>().join("\n"),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn fields(output: &Output) -> String {
    let from = match output.schema_from {
        crate::kro::schema::From::Crd => "from the CRD",
        crate::kro::schema::From::Rgd => "from the RGD, not from a CRD",
    };
    if output.fields.is_empty() {
        return format!("spec has no fields ({from})");
    }
    let mut table = Table::new(&["field", "type", "required", "default", "rules", "description"]);
    for field in &output.fields {
        table.row([
            field.path.clone(),
            field.kind.clone(),
            match (field.required, field.needed) {
                (true, _) => "yes".to_owned(),
                (false, true) => "by kro".to_owned(),
                (false, false) => String::new(),
            },
            field.default.as_ref().map_or(String::new(), ToString::to_string),
            field.rules.join("; "),
            field.description.clone().unwrap_or_default(),
        ]);
    }
    let mut legend = format!("Fields of spec ({from}");
    let has = |mark: &str| output.fields.iter().any(|field| field.path.contains(mark));
    if has("[]") || has("{}") {
        legend.push_str("; [] is each item of a list, {} each value of a map");
    }
    if output.fields.iter().any(|field| field.needed && !field.required) {
        legend.push_str("; by kro: a template reads it, so kro waits until it is given");
    }
    format!("{legend})\n{}", table.into_text())
}

fn example(output: &Output) -> String {
    output.example.as_ref().map_or_else(String::new, |example| {
        format!("The smallest instance (what has a default is left out)\n{}", example.trim_end())
    })
}

fn status(output: &Output) -> String {
    if output.status.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["field of status", "type", "from node"]);
    for field in &output.status {
        table.row([field.path.clone(), field.kind.clone().unwrap_or_default(), field.from.join(", ")]);
    }
    table.into_text()
}

fn nodes(output: &Output) -> String {
    if output.nodes.is_empty() {
        return "no nodes".to_owned();
    }
    let mut table = Table::new(&["node", "kind", "role", "needs", "conditions"]);
    for node in &output.nodes {
        let named = |word: &str, list: &[String]| {
            (!list.is_empty()).then(|| format!("{word} {}", list.join(" and ")))
        };
        let when = [
            named("for each", &node.for_each),
            named("included when", &node.include_when),
            named("ready when", &node.ready_when),
        ];
        let role = match &node.rgd {
            Some(rgd) => format!("{} of RGD {rgd}", node.role.word()),
            None => node.role.word().to_owned(),
        };
        let when: Vec<String> = when.into_iter().flatten().collect();
        table.row([node.id.clone(), node.kind.clone(), role, node.needs.join(", "), when.join("; ")]);
    }
    let from = output.graph_from.as_deref().map_or(String::new(), |from| format!(", {from}"));
    format!("Nodes in the order in which kro processes them{from}\n{}", table.into_text())
}

fn conditions(output: &Output) -> String {
    let line = |row: &super::condition::ConditionRow| {
        let mut line = format!("{} {}: {}", row.kind, row.status, row.means);
        if let Some(reason) = &row.reason {
            line.push_str(&format!("\n  {reason}"));
        }
        if let Some(message) = &row.message {
            line.push_str(&format!("\n  says: {message}"));
        }
        if let Some(next) = row.next {
            line.push_str(&format!("\n  do: {next}"));
        }
        line
    };
    output.conditions.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn revisions(output: &Output) -> String {
    if output.revisions.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["revision", "issued", "state", "error"]);
    for row in &output.revisions {
        table.row([
            row.number.to_string(),
            row.created.clone().unwrap_or_default(),
            row.state.to_owned(),
            row.error.clone().unwrap_or_default(),
        ]);
    }
    table.into_text()
}

fn used(output: &Output) -> String {
    let mut lines = Vec::new();
    if let Some(instances) = output.instances.as_ref().filter(|instances| instances.total > 0) {
        let states: Vec<String> =
            instances.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let mut line = format!("Instances: {}", states.join(", "));
        if !instances.namespaces.is_empty() {
            let places: Vec<String> = instances
                .namespaces
                .iter()
                .map(|(namespace, count)| format!("{namespace} {count}"))
                .collect();
            line.push_str(&format!("; by namespace: {}", places.join(", ")));
        }
        if instances.more_namespaces > 0 {
            line.push_str(&format!(" and {} more namespaces", instances.more_namespaces));
        }
        lines.push(line);
    }
    let used: Vec<String> =
        output.used_in.iter().map(|one| format!("{} (node {})", one.rgd, one.node)).collect();
    if !used.is_empty() {
        lines.push(format!("Nested in RGDs: {}", used.join(", ")));
    }
    lines.join("\n")
}
