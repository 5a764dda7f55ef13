//! `kro_diagnose`: what is wrong with an instance or an RGD, in one call.

mod definition;
mod instance;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{open, reach};
use crate::{
    Error,
    answer::Answer,
    kro::{
        diagnose::{Finding, Report},
        labels,
        state::State,
    },
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct Diagnose;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Kind of the instance, or Kind.group; or ResourceGraphDefinition.
    kind: String,
    /// Searched for where absent.
    namespace: Option<String>,
    name: String,
}

/// What is wrong, the cause first.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rgd: Option<String>,
    /// Of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// Absent where something could not be seen and nothing seen is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    healthy: Option<bool>,
    /// kro's own word, which looks at no child's health.
    #[serde(skip_serializing_if = "Option::is_none")]
    kro_state: Option<String>,
    findings: Vec<Row>,
    /// What was looked at.
    checked: Vec<String>,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    code: &'static str,
    /// error, waiting, warning or info
    weight: &'static str,
    /// Its id in the graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// Kind/name
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    cause: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    next: String,
}

impl Tool for Diagnose {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = open(&call).await?;
        let kind = reader.named_kind(&input.kind).await?;
        if kind.group == labels::GROUP && kind.kind == "ResourceGraphDefinition" {
            return definition::diagnose(&call, reader, &kind, &input).await;
        }
        instance::diagnose(&call, reader, &kind, &input).await
    }
}

/// Findings as an answer, as many as there is room for.
fn answer(
    call: &Call,
    report: &mut Report<'_>,
    mut output: Output,
    gaps: impl IntoIterator<Item = String>,
) -> Answer<Output> {
    let rows = call.budget().rows.max(1);
    let tools: Vec<&str> =
        call.toolbox().list(call.caller()).map(|entry| entry.contract.name.as_str()).collect();
    report.findings.iter_mut().for_each(|finding| finding.offer(|tool| tools.contains(&tool)));
    let more = report.findings.len().saturating_sub(rows);
    output.findings = report.findings.iter().take(rows).map(row).collect();
    let answer = Answer::new(report.summary(), report.body(rows), output).gaps(gaps);
    let cut = (more > 0).then(|| crate::answer::Cut {
        what: format!("{more} more findings, of less weight"),
        narrow: "mend the first ones and call again".to_owned(),
        next_cursor: None,
    });
    answer.cut(cut)
}

fn row(finding: &Finding) -> Row {
    Row {
        code: finding.code.word(),
        weight: finding.weight.word(),
        node: finding.node.clone(),
        object: finding.object.clone(),
        namespace: finding.namespace.clone(),
        cause: finding.cause.clone(),
        evidence: finding.evidence.clone(),
        next: finding.next.clone(),
    }
}
