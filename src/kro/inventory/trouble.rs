//! RGDs that are not in order, told beside the instances: new ones may never come.

use schemars::JsonSchema;
use serde::Serialize;

use super::rgd::Rgd;

/// RGDs that are told of; the rest is a number.
const MOST: usize = 20;

/// An RGD that is not in order.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RgdTrouble {
    /// Of several clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    name: String,
    problem: String,
}

/// What is wrong with RGDs: the first of them, and how many there are.
#[derive(Debug, Default)]
pub struct Troubles {
    /// The first of them.
    pub rgds: Vec<RgdTrouble>,
    count: usize,
}

impl Troubles {
    /// Of these RGDs.
    pub fn of<'r>(rgds: impl IntoIterator<Item = &'r Rgd>) -> Self {
        let mut troubles = Self::default();
        troubles.add(None, rgds);
        troubles
    }

    /// And of those of another cluster.
    pub fn add<'r>(&mut self, cluster: Option<&str>, rgds: impl IntoIterator<Item = &'r Rgd>) {
        for rgd in rgds {
            let Some(problem) = rgd.problem.clone() else { continue };
            if self.rgds.len() < MOST {
                let cluster = cluster.map(str::to_owned);
                self.rgds.push(RgdTrouble { cluster, name: rgd.name.clone(), problem });
            }
            self.count += 1;
        }
    }

    /// For the summary; empty where there are none.
    pub fn count(&self) -> String {
        match self.count {
            0 => String::new(),
            1 => "; 1 RGD with problems".to_owned(),
            count => format!("; {count} RGDs with problems"),
        }
    }

    /// A line each.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for RgdTrouble { cluster, name, problem } in &self.rgds {
            let place = cluster.as_ref().map(|cluster| format!(" in {cluster}")).unwrap_or_default();
            lines.push_str(&format!("\nRGD {name}{place} is {problem}"));
        }
        match self.count - self.rgds.len() {
            0 => {}
            more => lines.push_str(&format!("\nand {more} more RGDs with problems")),
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Object;
    use serde_json::json;

    fn rgd(name: &str, status: &serde_json::Value) -> Rgd {
        let object = json!({"metadata": {"name": name}, "spec": {"resources": []}, "status": status});
        Rgd::read(&Object::from_value(object).expect("an object"))
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
