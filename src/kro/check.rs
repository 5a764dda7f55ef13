//! What kro checks of an RGD and the API server does not, found before anything is sent.
//!
//! [`check`] is pure; what it must know of the cluster is a [`World`]. It speaks only where it is
//! sure: where a schema could not be had, or a type is not known, it is silent. The rules are those
//! of kro v0.9.4 (`pkg/graph/{builder,validation}.go`, `pkg/graph/parser`), and kro stops at the
//! first that is broken; here all are told.
//!
//! ```text
//!  spec.schema ────▶ schema     names, SimpleSchema ─┐ what `schema` is
//!  spec.resources ─▶ nodes      ids, iterators       │
//!                    placement  kind, namespace      │ what each id is
//!                    template   fields, literals ────┤
//!                         │ expressions              ▼
//!                         └────────────▶ infer   names, fields, types ──▶ uses, cycle
//!  status ─────────▶ status ───────────▶
//! ```

mod cycle;
mod external;
mod findings;
mod infer;
mod nodes;
mod placement;
mod problem;
mod schema;
mod status;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod twice;
mod typed;
mod uses;
mod words;
mod world;

pub use problem::{Problem, Rule};
pub use world::World;

use serde_json::Value;

use self::findings::{Findings, Place};
use self::infer::Names;
use self::nodes::Node;
use self::template::{Slot, Walk};
use self::typed::Type;
use self::world::Served;
use crate::Error;
use crate::kro::expression::{Work, deep};
use crate::kro::fetch::Reader;
use crate::kubernetes::Object;
use crate::kubernetes::openapi::Shape;

/// What was found, and what was not looked at.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What is wrong: what kro will refuse first.
    pub problems: Vec<Problem>,
    /// What was not checked, and why: a line each.
    pub gaps: Vec<String>,
}

impl Checked {
    /// Whether kro will refuse the RGD.
    pub fn refused(&self) -> bool {
        self.problems.iter().any(|problem| problem.certain)
    }
}

/// Reads what must be known of the cluster and checks an RGD, a new one or one that is there. Where
/// everything is kept from before, and nothing is wrong, that costs no request.
///
/// # Errors
/// Checking panicked, which is a defect.
pub async fn checked(reader: &Reader, rgd: &Object) -> Result<Checked, Error> {
    let found = judged(reader, rgd, World::read(reader, rgd).await).await?;
    if !found.refused() {
        return Ok(found);
    }
    judged(reader, rgd, World::read_again(reader, rgd).await).await
}

async fn judged(reader: &Reader, rgd: &Object, world: World) -> Result<Checked, Error> {
    let mut gaps = world.gaps.clone();
    let rgd = rgd.clone();
    let (problems, ran_out) = reader.judge(move |work| (check(&rgd, &world, work), work.ran_out())).await?;
    if ran_out {
        gaps.push("not every expression was looked at: there was no time left".to_owned());
    }
    Ok(Checked { problems, gaps })
}

/// What is wrong with an RGD. Expressions draw on `work`.
pub fn check(rgd: &Object, world: &World, work: &Work) -> Vec<Problem> {
    deep(|| looked_at(rgd, world, work)).unwrap_or_default()
}

fn looked_at(rgd: &Object, world: &World, work: &Work) -> Vec<Problem> {
    let mut findings = Findings::default();
    let block = rgd.at(&["spec", "schema"]).unwrap_or(&Value::Null);
    if !block.is_object() {
        findings.add(Rule::Schema, Place::rgd("schema"), "it has no spec.schema");
    }
    let declared = schema::declared(block, &mut findings);
    let nodes = nodes::nodes(rgd.items(&["spec", "resources"]), &mut findings);
    let mut names = Names::from([("schema".to_owned(), Type::of(declared.schema.shape()))]);
    let mut parts = Vec::new();
    let reference = external::shape();
    for node in &nodes {
        let served = placement::kind(node, world, &mut findings);
        let shape = match served {
            Some(Served::Yes { namespaced, schema }) => {
                placement::placed(node, *namespaced, declared.namespaced, &mut findings);
                schema.as_ref().map(|schema| schema.shape())
            }
            _ => None,
        };
        placement::reserved(node, &mut findings);
        if node.external {
            external::reference(node, &mut findings);
        }
        let slots = slots(node, shape, reference.shape(), &mut findings);
        let one = shape.map_or(Type::Unknown, Type::of);
        let namespaced = matches!(served, Some(Served::Yes { namespaced: true, .. }) | None);
        if node.named {
            let kind = if node.is_collection() { Type::list(one.clone()) } else { one.clone() };
            names.insert(node.id.clone(), kind);
        }
        parts.push((node, one, namespaced, slots));
    }
    let mut edges = cycle::Edges::default();
    for (node, one, namespaced, slots) in parts {
        let mut uses = uses::Uses { node, names: &names, work, findings: &mut findings, edges: &mut edges };
        uses.check(one, namespaced, slots);
    }
    cycle::check(&nodes, &edges, &mut findings);
    twice::check(&nodes, &mut findings);
    status::check(block.get("status"), &names, work, &mut findings);
    let (mut problems, more) = findings.into_problems();
    if more > 0 {
        problems.push(Problem {
            rule: Rule::Resource,
            node: None,
            field: "resources".to_owned(),
            message: format!("{more} more problems are not told"),
            certain: false,
        });
    }
    problems
}

/// Goes through the object of a node: what it says itself is checked, what it evaluates is handed on.
fn slots<'r, 's>(
    node: &'r Node<'_>,
    shape: Option<Shape<'s>>,
    reference: Shape<'s>,
    findings: &mut Findings,
) -> Vec<Slot<'r, 's>> {
    let is_crd = node.text("kind") == Some("CustomResourceDefinition")
        && node.text("apiVersion").is_some_and(|version| version.starts_with("apiextensions.k8s.io/"));
    // kro reads neither an external reference nor a CRD by the schema of its kind
    let root = match (node.external, is_crd) {
        (true, _) => Some(reference),
        (false, true) => None,
        (false, false) => shape,
    };
    let mut walk = Walk { node: &node.id, part: node.part(), findings, slots: Vec::new() };
    walk.object(node.object, root);
    let mut slots = walk.slots;
    if node.external {
        slots.iter_mut().for_each(external::wanted);
    }
    if is_crd && !node.external {
        for slot in slots.iter().filter(|slot| !slot.path.starts_with("metadata.")) {
            let field = format!("template.{}", slot.path);
            let message = "kro takes expressions in the metadata of a CRD only";
            findings.add(Rule::Template, Place::node(&node.id, &field), message);
        }
    }
    slots
}
