//! One finding for one cause: what the agent, a condition and the machines say of the same pack or node.

use super::finding::{Finding, Subject};

/// Joins those that are plainly about one pack or node; the order of the others stays.
pub(super) fn joined(findings: Vec<Finding>) -> Vec<Finding> {
    let (mut kept, agents): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| !matches!(finding.subject, Subject::Reported { .. }));
    let missing: u64 = kept.iter().map(Finding::missing).sum();
    let mut places = 0;
    for mut agent in agents {
        let Subject::Reported { kind, name } = agent.subject.clone() else { continue };
        if kind.eq_ignore_ascii_case("pack") {
            let mut packs = kept.iter_mut();
            match packs.find(|finding| finding.subject == Subject::Pack(name.clone())) {
                Some(pack) => pack.absorb(&agent),
                None => kept.push(agent),
            }
            continue;
        }
        if !is_node(&kind) || name.len() < 3 {
            kept.push(agent);
            continue;
        }
        // one machine is gone, and one is named: it is that one
        let only = missing == 1;
        let (same, others) = kept.into_iter().partition(|finding: &Finding| match &finding.subject {
            Subject::Condition => names(&finding.message, &name),
            Subject::Machines { .. } => only,
            _ => false,
        });
        kept = others;
        let same: Vec<Finding> = same;
        same.iter().for_each(|finding| agent.absorb(finding));
        kept.insert(places, agent);
        places += 1;
    }
    kept
}

fn is_node(kind: &str) -> bool {
    ["machine", "node", "edgehost"].iter().any(|node| kind.eq_ignore_ascii_case(node))
}

/// Whether a text speaks of that one: `worker-4` is not named by `worker-41`.
fn names(text: &str, name: &str) -> bool {
    let mut words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
    words.any(|word| word.trim_end_matches('.') == name)
}
