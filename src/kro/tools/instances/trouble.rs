//! RGDs that are not in order, told beside the instances: new ones may never come.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{answer::sanitise, kro::definition::Definition, kubernetes::Object};

/// RGDs that are told of; the rest is a number.
const MOST: usize = 20;
/// Characters of a problem.
const LONGEST: usize = 200;

/// An RGD that is not in order.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct RgdTrouble {
    name: String,
    problem: String,
}

/// What is wrong with RGDs: the first of them, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    pub(super) rgds: Vec<RgdTrouble>,
    count: usize,
}

impl Troubles {
    pub(super) fn of<'r>(rgds: impl Iterator<Item = &'r Object>) -> Self {
        let mut troubles = Self::default();
        for rgd in rgds.filter(|rgd| is_troubled(rgd)) {
            // reading a definition parses its CEL, which is not for all of thousands
            if troubles.rgds.len() < MOST {
                troubles.rgds.push(RgdTrouble { name: rgd.name().to_owned(), problem: problem(rgd) });
            }
            troubles.count += 1;
        }
        troubles
    }

    /// For the summary; empty where there are none.
    pub(super) fn count(&self) -> String {
        match self.count {
            0 => String::new(),
            1 => "; 1 RGD with problems".to_owned(),
            count => format!("; {count} RGDs with problems"),
        }
    }

    /// A line each.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        for RgdTrouble { name, problem } in &self.rgds {
            lines.push_str(&format!("\nRGD {name} is {problem}"));
        }
        match self.count - self.rgds.len() {
            0 => {}
            more => lines.push_str(&format!("\nand {more} more RGDs with problems")),
        }
        lines
    }
}

fn is_troubled(rgd: &Object) -> bool {
    let refused = |condition: &crate::kubernetes::object::Condition<'_>| {
        condition.is_false() && condition.kind != "Ready"
    };
    rgd.text(&["status", "state"]) != Some("Active") || rgd.conditions().iter().any(refused)
}

/// `Inactive: GraphAccepted is False: …`
fn problem(rgd: &Object) -> String {
    let trouble = Definition::read(rgd, &[]).trouble.unwrap_or_default();
    let problem = match rgd.text(&["status", "state"]) {
        None => format!("not ready: {trouble}"),
        // without a false condition the state is all there is to say
        Some(state) if trouble.ends_with(&format!("state is {state}")) => state.to_owned(),
        Some(state) => format!("{state}: {trouble}"),
    };
    sanitise::short(&problem, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rgd(name: &str, status: &serde_json::Value) -> Object {
        Object::from_value(json!({"metadata": {"name": name}, "spec": {"resources": []}, "status": status}))
            .expect("an object")
    }

    #[test]
    fn what_is_wrong_is_told_by_name_and_the_rest_counted() {
        let refused = json!({"state": "Inactive", "conditions": [
            {"type": "GraphAccepted", "status": "False", "message": "no such field"},
            {"type": "Ready", "status": "False", "message": "again"}]});
        let mut rgds = vec![
            rgd("fine", &json!({"state": "Active", "conditions": [{"type": "Ready", "status": "True"}]})),
            rgd("stream", &refused),
            rgd("idle", &json!({"state": "Inactive"})),
            rgd("new", &json!({})),
        ];
        let troubles = Troubles::of(rgds.iter());
        assert_eq!(
            troubles.lines(),
            "\nRGD stream is Inactive: GraphAccepted is False: no such field\nRGD idle is Inactive\n\
             RGD new is not ready: kro has not looked at it yet"
        );
        assert_eq!(troubles.count(), "; 3 RGDs with problems");
        rgds.extend((0..30).map(|index| rgd(&format!("r{index}"), &refused)));
        let troubles = Troubles::of(rgds.iter());
        assert_eq!(troubles.rgds.len(), MOST);
        assert!(troubles.lines().ends_with("\nand 13 more RGDs with problems"));
        let fine = Troubles::of(rgds.iter().take(1));
        assert_eq!((fine.lines(), fine.count()), (String::new(), String::new()));
    }
}
