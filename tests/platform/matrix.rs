//! Every tool × every permission set × in and out of scope, over HTTP with tokens.
//!
//! What is expected is computed from the rows by a few plain lines, not by the product's decision, and what
//! each tool needs is written here once more, not read from `tools/`. A tool without a row fails.

mod palette;
mod sets;
mod tools;

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use platform_mcp::demo::{self, palette::Data};
use serde_json::{Value, json};

use crate::{
    mcp::{Mcp, stateless},
    oidc::Provider,
    palette::{Palette, Tenant},
    server::{Product, Server},
};
use sets::{Set, sets};
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

/// The server over two clusters and two Palette environments, all the sample platform, with a rule for each set.
struct Rig {
    server: Server,
    _sample: demo::Running,
    _tenant: Tenant,
}

impl Rig {
    async fn start(sets: &[Set]) -> Self {
        let sample = demo::Api::start().await.expect("the sample platform");
        let rules: Vec<Value> = sets.iter().flat_map(Set::rules).collect();
        let palette = Palette::shared();
        let tenant = palette.tenant(Data::sample(None).expect("the sample"));
        let environments = palette.environment("demo", &tenant) + &palette.environment("other", &tenant);
        let config = format!(
            "spectrocloud:\n  environments:\n{environments}clusters:\n  static:\n    - {{name: lab, url: '{url}', token: sample}}\n    \
             - {{name: other, url: '{url}', token: sample}}\naudit: {{to: 'off'}}\nissuers: [{entry}]\n",
            url = sample.url(),
            entry = Provider::shared().entry(&json!(rules).to_string()),
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        Self { server, _sample: sample, _tenant: tenant }
    }

    /// A client whose token says which set is theirs.
    fn client(&self, set: &str) -> Mcp {
        let forge = Provider::shared().forge();
        let mut claims = forge.claims("alice");
        claims["sub"] = json!(format!("somebody with {set}"));
        claims["permission_set"] = json!(set);
        Mcp::with_token(self.server.url("/mcp"), &forge.claiming(&claims))
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

/// Status, headers and body of a call; two of them have the same number.
async fn raw(mcp: &Mcp, tool: &str, arguments: &Value) -> (u16, String, String) {
    let body = stateless(&json!(7), "tools/call", &json!({"name": tool, "arguments": arguments}));
    let answer = mcp.http_request(&body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    let mut headers = answer.headers().clone();
    headers.remove("date");
    (status, format!("{headers:?}"), answer.text().await.expect("a body"))
}

async fn outcome(mcp: &Mcp, tool: &str, arguments: &Value) -> (Outcome, bool, String) {
    match mcp.try_call(tool, arguments.clone()).await {
        Err(error) if error.code == -32602 => (Outcome::Hidden, true, error.message),
        Err(error) => panic!("{tool} {arguments}: {error:?}"),
        Ok(answer) if answer.is_error && answer.text.starts_with("you need the permission ") => {
            (Outcome::Denied, true, answer.text)
        }
        Ok(answer) => (Outcome::Answered, answer.is_error, answer.text),
    }
}

async fn check(rig: &Rig, set: &Set) -> Vec<String> {
    let mcp = rig.client(&set.name);
    let mut wrong = Vec::new();
    let mut listed = Vec::new();
    for tool in rows() {
        for call in tool.calls {
            let wanted = expected(set, tool, call);
            let arguments = (call.arguments)();
            let (got, is_error, text) = outcome(&mcp, tool.name, &arguments).await;
            if got != wanted {
                wrong.push(format!(
                    "{}: {} {arguments}: {got:?}, not {wanted:?}: {text}",
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
        let as_unknown = raw(&mcp, &unknown, &arguments).await;
        let (status, headers, body) = raw(&mcp, tool.name, &arguments).await;
        let as_hidden = (status, headers, body.replace(tool.name, &unknown));
        if as_hidden != as_unknown {
            wrong.push(format!("{}: {as_hidden:?} is not like {as_unknown:?}", set.name));
        }
    }
    let tools = mcp.list_tools().await;
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    if names != listed {
        wrong.push(format!("{}: tools/list has {names:?}, not {listed:?}", set.name));
    }
    wrong
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
    let rig = Rig::start(&sets).await;
    let rig = &rig;
    let each = stream::iter(&sets).map(|set| check(rig, set)).buffer_unordered(PARALLEL);
    let wrong: Vec<String> = each.collect::<Vec<_>>().await.concat();
    assert!(wrong.is_empty(), "{} of the matrix are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
