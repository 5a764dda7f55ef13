//! Whoever is bound to a project sees that project in every palette tool and nothing of what else there is.
//!
//! A caller asks twice: a server over two whole tenants, and one over tenants that hold nothing but what the caller
//! may see. If the answers differ in anything (rows, totals, summaries, candidates, nearest names, gaps, pages,
//! the words for what is missing), something else showed. A tool is in this test because it is in `tools/list`.

use std::{collections::BTreeSet, time::Duration};

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    mcp::Mcp,
    oidc::Provider,
    palette::{Palette, Tenant},
    palette_world::{Names, acme, other, project},
    server::{Product, Server},
};

/// Pages of a list that are read.
const PAGES: usize = 40;
/// Calls on their way at once.
const PARALLEL: usize = 4;

/// Who calls, the rules that make them, and what they see: of `acme`, and of the other tenant.
struct Who {
    name: &'static str,
    rules: Value,
    sees: fn(Option<&str>) -> bool,
    sees_other: fn(Option<&str>) -> bool,
    /// Whose names they try besides those of alpha.
    tries: &'static [(&'static str, Option<&'static str>)],
}

const BETA: (&str, Option<&str>) = ("acme", Some("beta"));
const GAMMA: (&str, Option<&str>) = ("globex", Some("gamma"));
const TENANT: (&str, Option<&str>) = ("acme", None);

fn everybody() -> Vec<Who> {
    let nothing = |_: Option<&str>| false;
    let alpha = |owner: Option<&str>| owner == Some("alpha");
    let within = |within: Value| json!([{"roles": ["admin"], "within": within}]);
    vec![
        Who {
            name: "by name",
            rules: within(json!({"projects": ["alpha"]})),
            sees: alpha,
            sees_other: nothing,
            tries: &[BETA, TENANT, GAMMA],
        },
        Who {
            name: "by uid",
            rules: within(json!({"projects": [project("alpha")]})),
            sees: alpha,
            sees_other: nothing,
            tries: &[BETA],
        },
        Who {
            name: "by pattern",
            rules: within(json!({"projects": ["al*"]})),
            sees: alpha,
            sees_other: nothing,
            tries: &[TENANT],
        },
        Who {
            name: "in one environment",
            rules: within(json!({"environments": ["acme"], "projects": ["alpha", "gamma"]})),
            sees: alpha,
            sees_other: nothing,
            tries: &[GAMMA],
        },
        Who {
            name: "denied one",
            rules: json!([{"roles": ["admin"]}, {"deny": ["*"], "within": {"projects": ["beta"]}}]),
            sees: |owner| owner != Some("beta"),
            sees_other: |_| true,
            tries: &[BETA],
        },
        Who {
            name: "whole environment",
            rules: within(json!({"environments": ["acme"]})),
            sees: |_| true,
            sees_other: nothing,
            tries: &[GAMMA],
        },
    ]
}

/// A server over both tenants, or over what is left of them.
struct Rig {
    server: Server,
    _tenants: [Tenant; 2],
}

impl Rig {
    fn start(callers: &[Who], sees: fn(Option<&str>) -> bool, sees_other: fn(Option<&str>) -> bool) -> Self {
        let palette = Palette::shared();
        let tenants = [palette.tenant(acme(sees)), palette.tenant(other(sees_other))];
        let rules: Vec<Value> = callers
            .iter()
            .flat_map(|who| {
                who.rules.as_array().into_iter().flatten().map(|rule| {
                    let mut rule = rule.clone();
                    rule["when"] = json!({"who": who.name});
                    rule
                })
            })
            .collect();
        let environments =
            palette.environment("acme", &tenants[0]) + &palette.environment("globex", &tenants[1]);
        let config = format!(
            "spectrocloud:\n  environments:\n{environments}audit: {{to: audit.log}}\nissuers: [{}]\n\
             limits: {{requestsPerSecond: 100000, burst: 100000, concurrentCalls: 1000}}\n",
            Provider::shared().entry(&json!(rules).to_string()),
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        Self { server, _tenants: tenants }
    }

    fn client(&self, who: &str) -> Mcp {
        let forge = Provider::shared().forge();
        let mut claims = forge.claims("alice");
        claims["sub"] = json!(format!("somebody, {who}"));
        claims["who"] = json!(who);
        Mcp::with_token(self.server.url("/mcp"), &forge.claiming(&claims))
    }
}

/// What is asked of a server.
#[derive(Clone, Debug)]
enum Question {
    Call(String, Value),
    /// All pages, row by row.
    Pages(String, Value),
    Method(&'static str, Value),
}

impl Question {
    fn asked(&self) -> String {
        match self {
            Self::Call(tool, arguments) | Self::Pages(tool, arguments) => format!("{tool} {arguments}"),
            Self::Method(method, params) => format!("{method} {params}"),
        }
    }

    async fn answer(&self, mcp: &Mcp) -> String {
        match self {
            Self::Call(tool, arguments) => said(mcp, tool, arguments).await.0,
            Self::Pages(tool, arguments) => {
                let (mut all, mut arguments) = (Vec::new(), arguments.clone());
                for _ in 0..PAGES {
                    let (text, next) = said(mcp, tool, &arguments).await;
                    all.push(text);
                    let Some(next) = next else { return all.join("\n") };
                    arguments["cursor"] = json!(next);
                }
                panic!("{tool} {arguments}: the pages do not end: {all:?}");
            }
            Self::Method(method, params) => match mcp.result(method, params.clone()).await {
                Ok(result) => result.to_string(),
                Err(error) => format!("{} {} {}", error.code, error.message, error.data),
            },
        }
    }
}

async fn said(mcp: &Mcp, tool: &str, arguments: &Value) -> (String, Option<String>) {
    match mcp.try_call(tool, arguments.clone()).await {
        Err(error) => (format!("{} {}", error.code, error.message), None),
        Ok(answer) => {
            let next = answer.structure["next_cursor"].as_str().map(str::to_owned);
            (format!("{} {}\n{}", answer.is_error, answer.text, answer.structure), next)
        }
    }
}

/// Without times, ages, marks of fences and cursors, which differ between any two answers.
fn steady(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "-_.:+".contains(c);
    let text = text.replace("\\t", "\t").replace("\\n", "\n");
    let mut steady = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let (token, behind) = rest.split_at(end);
        let digits = token.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let unit = &token[digits.len()..];
        let behind_units = ["s", "ms", "m", "min", "h", "d"];
        let spaced = behind.strip_prefix(' ').is_some_and(|next| {
            behind_units
                .iter()
                .any(|unit| next.strip_prefix(unit).is_some_and(|rest| !rest.starts_with(word)))
        });
        let is_mark = token.len() == 16 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = token.len() >= 20 && token.starts_with("20") && token.contains('T');
        match () {
            () if is_number && (spaced || behind_units.contains(&unit)) => steady.push('#'),
            () if is_time || is_mark || token.len() > 50 => steady.push('#'),
            () => steady.push_str(token),
        }
        let mut after = behind.chars();
        steady.extend(after.next());
        rest = after.as_str();
    }
    // what is kept for a while is newer on one side than on the other
    for aged in [" (as of # s ago)", ", as of # s ago"] {
        steady = steady.replace(aged, "");
    }
    for age in ["\"heartbeat_age_seconds\":", "\"age_seconds\":"] {
        let mut parts = steady.split(age);
        let first = parts.next().unwrap_or_default().to_owned();
        steady =
            parts.fold(first, |all, part| all + age + part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    steady
}

/// Everything that is asked of the tools, with the names of one owner.
fn of_tools(tools: &[Value], names: &Names, whole: bool) -> Vec<Question> {
    let mut questions = Vec::new();
    for tool in tools {
        let name = tool["name"].as_str().expect("a name").to_owned();
        let calls = names.calls(tool);
        let calls = if whole { calls } else { names.few(tool) };
        if whole && tool["inputSchema"]["properties"].get("cursor").is_some() {
            let mut arguments = calls[0].clone();
            arguments["limit"] = json!(1);
            questions.push(Question::Pages(name.clone(), arguments));
        }
        questions.extend(calls.into_iter().map(|arguments| Question::Call(name.clone(), arguments)));
    }
    questions
}

/// What else shows something: prompts, resources and what completes.
async fn of_the_rest(mcp: &Mcp, names: &Names) -> Vec<Question> {
    let mut questions = Vec::new();
    let list = mcp.result("prompts/list", json!({})).await.expect("a list");
    for prompt in list["prompts"].as_array().expect("prompts") {
        let mut needs =
            prompt["arguments"].as_array().into_iter().flatten().filter(|one| one["required"] == true);
        let known = |one: &Value| one["name"].as_str().is_some_and(|name| !names.values(name).is_empty());
        if !needs.all(known) || prompt["name"].as_str().is_some_and(|name| name.contains("kubernetes")) {
            // it is about clusters that are none of Palette's
            continue;
        }
        let of = json!({"type": "ref/prompt", "name": prompt["name"]});
        let mut arguments = json!({});
        for argument in prompt["arguments"].as_array().into_iter().flatten() {
            let name = argument["name"].as_str().expect("a name");
            questions.push(completion(&of, name, ""));
            questions.push(completion(&of, name, &names.project[..2]));
            if argument["required"] == true {
                arguments[name] = names.values(name)[0].clone();
            }
        }
        questions
            .push(Question::Method("prompts/get", json!({"name": prompt["name"], "arguments": arguments})));
    }
    let list = mcp.result("resources/templates/list", json!({})).await.expect("a list");
    for template in list["resourceTemplates"].as_array().expect("templates") {
        let of = json!({"type": "ref/resource", "uri": template["uriTemplate"]});
        for variable in ["environment", "uid"] {
            questions.push(completion(&of, variable, ""));
            questions.push(completion(&of, variable, &names.project[..2]));
        }
    }
    for cluster in &names.clusters {
        let uri = format!("palette://{}/clusters/{cluster}", names.environment);
        questions.push(Question::Method("resources/read", json!({"uri": uri})));
    }
    questions.push(Question::Method("resources/list", json!({})));
    questions
}

fn completion(of: &Value, argument: &str, typed: &str) -> Question {
    let params = json!({"ref": of, "argument": {"name": argument, "value": typed}});
    Question::Method("completion/complete", params)
}

/// Every name and uid of the owners that this caller does not see.
fn foreign(who: &Who) -> Vec<String> {
    let acme = [Some("alpha"), Some("beta"), None].into_iter().filter(|owner| !(who.sees)(*owner));
    let other = [Some("gamma")].into_iter().filter(|owner| !(who.sees_other)(*owner));
    let uid = |name: &String| name.len() == 24 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    acme.map(|owner| Names::of("acme", owner))
        .chain(other.map(|owner| Names::of("globex", owner)))
        .flat_map(|names| {
            let uids: Vec<String> = names
                .clusters
                .iter()
                .chain(&names.profiles)
                .chain(&names.groups)
                .filter(|name| uid(name))
                .cloned()
                .collect();
            uids.into_iter().chain([names.project, names.project_uid])
        })
        .collect()
}

/// Has a server sweep the fleet, or keep what it swept.
async fn swept(mcp: &Mcp) {
    said(mcp, "palette_fleet", &json!({})).await;
}

/// What shows in the answers of one caller that should not.
async fn leaks(full: &Rig, stripped: &Rig, who: &Who, whole: bool) -> Vec<String> {
    let (all, left) = (full.client(who.name), stripped.client(who.name));
    let tools = all.list_tools().await;
    let palette = |tool: &&Value| tool["name"].as_str().is_some_and(|name| name.starts_with("palette_"));
    let tools: Vec<Value> = tools.iter().filter(palette).cloned().collect();
    assert_eq!(tools, left.list_tools().await.iter().filter(palette).cloned().collect::<Vec<_>>());
    let own = Names::of("acme", Some("alpha"));
    let mut questions = of_tools(&tools, &own, whole);
    for (environment, owner) in who.tries.iter().copied() {
        questions.extend(of_tools(&tools, &Names::of(environment, owner), false));
    }
    for (environment, owner) in [("acme", Some("alpha")), ("acme", Some("beta"))] {
        questions.extend(of_the_rest(&all, &Names::of(environment, owner)).await);
    }
    let foreign = &foreign(who);
    let (all, left) = (&all, &left);
    let checked = stream::iter(questions).map(|question| async move {
        let (said, wanted) = tokio::join!(question.answer(all), question.answer(left));
        let asked = question.asked();
        let mut wrong = Vec::new();
        if let Some(name) = foreign.iter().find(|name| said.contains(*name) && !asked.contains(*name)) {
            wrong.push(format!("{}: {asked} shows {name}:\n{said}", who.name));
        }
        let (mut said, mut wanted) = (steady(&said), steady(&wanted));
        // repaves are told where a sweep of the fleet is kept, and those of the two servers end at their own times: what
        // shows of others shows each time
        for _ in 0..4 {
            if said == wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(700)).await;
            tokio::join!(swept(all), swept(left));
            let (again, too) = tokio::join!(question.answer(all), question.answer(left));
            (said, wanted) = (steady(&again), steady(&too));
        }
        if said != wanted {
            wrong.push(format!("{}: {asked}:\n{said}\nand without what is not theirs:\n{wanted}", who.name));
        }
        let name = match question {
            Question::Call(name, _) if said.starts_with("false") && said.contains("alpha") => Some(name),
            _ => None,
        };
        (wrong, name)
    });
    let checked: Vec<(Vec<String>, Option<String>)> = checked.buffer_unordered(PARALLEL).collect().await;
    let (mut wrong, mut shown) = (Vec::new(), BTreeSet::new());
    for (found, name) in checked {
        wrong.extend(found);
        shown.extend(name);
    }
    for tool in &tools {
        let name = tool["name"].as_str().expect("a name");
        if !shown.contains(name) {
            wrong.push(format!("{}: {name} shows nothing of alpha, so it says nothing here", who.name));
        }
    }
    wrong
}

async fn check(who: &[usize], whole: bool) {
    let everybody = everybody();
    let full = Rig::start(&everybody, |_| true, |_| true);
    let first = &everybody[who[0]];
    let stripped = Rig::start(&everybody, first.sees, first.sees_other);
    let mut wrong = Vec::new();
    for who in who {
        wrong.extend(leaks(&full, &stripped, &everybody[*who], whole && *who == 0).await);
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_bound_to_a_project_sees_it_and_nothing_else_in_every_tool() {
    check(&[0], true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_the_same_by_uid_by_pattern_and_in_an_environment() {
    check(&[1, 2, 3], false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_denied_shows_nowhere() {
    check(&[4], false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_is_not_theirs_shows_nowhere() {
    check(&[5], false).await;
}
