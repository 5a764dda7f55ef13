//! Every tool × every permission set × in and out of scope: as MCP over HTTP with an issuer's tokens, and as actions
//! of a plugin of Backstage for its users, whom its policy, our rules, or both give the set.
//!
//! What is expected is computed from the rows by a few plain lines, not by the product's decision, and what
//! each tool needs is written here once more, not read from `tools/`. A tool without a row fails.

mod door;
mod palette;
mod rig;
mod sets;
mod tools;

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use serde_json::Value;

use crate::{backstage::Options, server::Product};
use door::{Door, Met};
use rig::{Bridged, Rig};
use sets::{Set, ruled, sets};
use tools::{At, Call, Needs, TOOLS, Tool};

/// Calls on their way at once.
const PARALLEL: usize = 8;

/// What a caller meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The tool does not exist for them.
    Hidden,
    /// They have it, and not here.
    Denied,
    /// They have it here; there may be nothing of that name.
    Answered,
}

/// What a set makes of a call, in the words of the README: deny wins, no match is a denial, a tool of which
/// nothing can be done anywhere does not exist.
fn expected(set: &Set, tool: &Tool, call: &Call) -> Outcome {
    // an RGD is in no namespace, so whoever is kept to namespaces has nothing of RGDs; Palette has neither clusters
    // nor namespaces, and clusters are in no environment
    let anywhere = |name: &str| {
        let kept_out = match name.split_once('.') {
            Some(("spectrocloud", _)) => set.clusters.is_some() || set.namespaces.is_some(),
            _ if name.starts_with("kro.rgds.") => set.namespaces.is_some() || set.in_palette(),
            _ => set.in_palette(),
        };
        set.has(name) && !kept_out
    };
    if !met(&tool.needs, anywhere) {
        return Outcome::Hidden;
    }
    match met(&call.needs, |name| set.has(name)) && reaches(set, call) {
        true => Outcome::Answered,
        false => Outcome::Denied,
    }
}

fn met(needs: &Needs, has: impl Fn(&str) -> bool) -> bool {
    match needs {
        Needs::Nothing => true,
        Needs::All(names) => names.iter().all(|name| has(name)),
        Needs::Any(names) => names.iter().any(|name| has(name)),
    }
}

fn reaches(set: &Set, call: &Call) -> bool {
    if let At::Palette { environment, .. } = call.at {
        let in_environment = match (&set.environments, environment) {
            (Some(environments), Some(environment)) => environments.contains(&environment),
            _ => true,
        };
        return in_environment && set.clusters.is_none() && set.namespaces.is_none();
    }
    if set.in_palette() && !matches!(call.needs, Needs::Nothing) {
        return false;
    }
    let in_cluster = match (&set.clusters, call.cluster) {
        (Some(clusters), Some(cluster)) => clusters.contains(&cluster),
        _ => true,
    };
    let in_namespace = match (&set.namespaces, call.at) {
        (Some(namespaces), At::Namespace(namespace)) => namespaces.contains(&namespace),
        (Some(_), At::Cluster) => false,
        _ => true,
    };
    in_cluster && in_namespace
}

/// Whether what a call is about is in a project that the set does not reach: then it is as if it were not there.
fn out_of_project(set: &Set, call: &Call) -> bool {
    match (&set.projects, call.at) {
        (Some(projects), At::Palette { project: Some(project), .. }) => !projects.contains(&project),
        _ => false,
    }
}

/// Every row, in the order of the tools' names.
fn rows() -> Vec<&'static Tool> {
    let mut rows: Vec<&Tool> = TOOLS.iter().chain(palette::TOOLS).collect();
    rows.sort_by_key(|tool| tool.name);
    rows
}

/// The tools that there are, by the binary that is tested.
pub(crate) fn all_tools() -> BTreeSet<String> {
    let output = Product::new(["tools", "--json"]).output();
    let tools: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
    tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
}

async fn check<D: Door>(door: D, set: &Set) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut listed = Vec::new();
    for tool in rows() {
        for call in tool.telling(D::IS_SECOND && set.is_everywhere()) {
            let wanted = expected(set, tool, call);
            let arguments = (call.arguments)();
            let Met { outcome, is_error, text } = door.call(tool.name, &arguments).await;
            if outcome != wanted {
                wrong.push(format!(
                    "{}: {} {arguments}: {outcome:?}, not {wanted:?}: {text}",
                    set.name, tool.name
                ));
            }
            let found = !out_of_project(set, call);
            if call.exists && wanted == Outcome::Answered && is_error == found {
                wrong.push(format!("{}: {} {arguments}: {text}", set.name, tool.name));
            }
        }
        let hidden = tool.calls.iter().all(|call| expected(set, tool, call) == Outcome::Hidden);
        if !hidden {
            listed.push(tool.name.to_owned());
            continue;
        }
        let arguments = (tool.calls[0].arguments)();
        // as long as the other, so that not even the length tells them apart
        let unknown = tool.name.replace('_', "-");
        let unknown = if unknown == tool.name { tool.name.to_uppercase() } else { unknown };
        let as_unknown = door.raw(&unknown, &arguments).await;
        let (status, headers, body) = door.raw(tool.name, &arguments).await;
        let as_hidden = (status, headers, body.replace(tool.name, &unknown));
        if as_hidden != as_unknown {
            wrong.push(format!("{}: {as_hidden:?} is not like {as_unknown:?}", set.name));
        }
    }
    let names = door.listed().await;
    if names != listed {
        wrong.push(format!("{}: {names:?} are listed, not {listed:?}", set.name));
    }
    wrong
}

/// Goes through a door with each of these sets, as the caller who has it.
async fn every_tool<D: Door>(sets: &[Set], caller: impl AsyncFn(&Set) -> D) {
    let caller = &caller;
    let each = stream::iter(sets).map(async |set| check(caller(set).await, set).await);
    let wrong: Vec<String> = each.buffer_unordered(PARALLEL).collect::<Vec<_>>().await.concat();
    assert!(wrong.is_empty(), "{} of the matrix are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_tool_has_its_row() {
    let rows: BTreeSet<String> = rows().iter().map(|tool| tool.name.to_owned()).collect();
    assert_eq!(
        rows,
        all_tools(),
        "a tool is in tests/platform/matrix/tools.rs and nowhere else, or not there"
    );
    for tool in self::rows() {
        let scoped = tool.calls.iter().any(|call| {
            call.cluster.is_some() || matches!(call.at, At::Palette { environment: Some(_), .. })
        });
        let mut places = tool.calls.iter().map(|call| (call.cluster, call.at));
        let first = places.next().expect("a call");
        assert!(!scoped || places.any(|place| place != first), "{}: in and out of scope", tool.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_is_what_every_permission_set_makes_of_it() {
    let sets = sets();
    let rules: Vec<Value> = sets.iter().flat_map(Set::rules).collect();
    let rig = Rig::start(&rig::issuer(&rules)).await;
    every_tool(&sets, async |set| rig.mcp(set)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_is_what_the_policy_of_backstage_makes_of_it() {
    let sets: Vec<Set> = sets().into_iter().filter(Set::is_everywhere).collect();
    let options = sets.iter().fold(Options::default(), |options, set| options.group(&set.group, set.names()));
    let rig = Bridged::start(options, "delegated", &[]).await;
    every_tool(&sets, async |set| rig.actions(set).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_is_what_our_rules_for_groups_of_backstage_make_of_it() {
    let sets = ruled();
    let rig = Bridged::start(Options::default(), "rules", &sets).await;
    every_tool(&sets, async |set| rig.actions(set).await).await;
    assert_eq!(rig.backstage.between().count("/api/permission/authorize"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_is_what_both_the_policy_and_our_rules_allow() {
    let policy = ["kro.*.list", "kro.instances.*", "spectrocloud.cluster.*", "kubernetes.clusters.read"];
    let allows = |name: &str| {
        ["kro.instances.", "spectrocloud.cluster."].iter().any(|prefix| name.starts_with(prefix))
            || (name.starts_with("kro.") && name.ends_with(".list"))
            || name == "kubernetes.clusters.read"
    };
    let sets: Vec<Set> = ruled().into_iter().map(|set| set.narrowed(allows)).collect();
    let options = sets.iter().fold(Options::default(), |options, set| options.group(&set.group, policy));
    let rig = Bridged::start(options, "both", &sets).await;
    every_tool(&sets, async |set| rig.actions(set).await).await;
}
