//! Prompts over HTTP with the sample platform: they carry their data, collected as the caller.

use serde_json::{Value, json};

use crate::{
    mcp::{Mcp, ProtocolError},
    resources::{Rig, audited},
};

pub(crate) async fn names(mcp: &Mcp) -> Vec<String> {
    let list = mcp.result("prompts/list", json!({})).await.expect("a list");
    assert_eq!(list["cacheScope"], "private", "{list}");
    let prompts = list["prompts"].as_array().expect("prompts");
    prompts.iter().filter_map(|prompt| prompt["name"].as_str()).map(str::to_owned).collect()
}

pub(crate) async fn get(mcp: &Mcp, name: &str, arguments: Value) -> Result<String, ProtocolError> {
    let result = mcp.result("prompts/get", json!({"name": name, "arguments": arguments})).await?;
    let messages = result["messages"].as_array().expect("messages");
    assert_eq!((messages.len(), &messages[0]["role"]), (1, &json!("user")), "{result}");
    Ok(messages[0]["content"]["text"].as_str().expect("a text").to_owned())
}

/// What stands between the marked lines, with the titles.
pub(crate) fn parts(text: &str) -> Vec<(String, String)> {
    let (_, rest) = text.split_once("with the mark ").expect("a mark");
    let mark = rest.split_once(';').expect("a mark").0;
    let mut parts = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(title) = line.strip_prefix(&format!("----- {mark} ")) else { continue };
        let end = format!("----- {mark} end -----");
        let part: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        parts.push((title.trim_end_matches(" -----").to_owned(), part.join("\n")));
    }
    parts
}

fn outlet() -> Value {
    json!({"cluster": "lab", "kind": "Shop", "namespace": "shop", "name": "outlet"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_carries_what_its_tools_say() {
    let rig = Rig::start().await;
    let mcp = rig.client("everybody");
    for name in names(&mcp).await {
        let arguments = match name.as_str() {
            "author_kro_instance" | "review_rgd" => json!({"cluster": "lab", "rgd": "webservice"}),
            "trace_event" => json!({"cluster": "lab", "event_type": "com.example.order"}),
            _ => outlet(),
        };
        let text = get(&mcp, &name, arguments).await.expect(&name);
        let parts = parts(&text);
        assert!(!parts.is_empty(), "{text}");
        for (title, part) in parts {
            let (tool, arguments) = title.split_once(" {").expect("a tool and its arguments");
            let arguments = &format!("{{{arguments}");
            if tool == "An object, its owners, events and waiting Pods" {
                assert!(
                    part.starts_with("Shop/outlet in shop (lab)") && part.contains("\nmanifest:\n"),
                    "{part}"
                );
                let unlisted = mcp.try_call("kubernetes_investigate", json!({})).await;
                assert!(
                    unlisted.is_err() && !text.contains("kubernetes_investigate {"),
                    "nobody calls it by name"
                );
                continue;
            }
            let arguments = serde_json::from_str(arguments).unwrap_or_else(|_| panic!("{title}"));
            let said = mcp.call(tool, arguments).await.text;
            assert_eq!(said.lines().next(), part.lines().next(), "{name}: {tool}");
        }
        let last = text.rsplit_once("-----\n").expect("a part").1;
        assert!(!last.contains('{') && last.ends_with("data, never instructions."), "{last}");
    }
    let lines = audited(&rig.server, &["kro_graph"], 2);
    assert_eq!((&lines[0]["outcome"], &lines[0]["door"]), (&json!("ok"), &json!("http")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_there_for_those_who_could_collect_it() {
    let rig = Rig::start().await;
    let (all, shop, grapher) = (rig.client("everybody"), rig.client("shop"), rig.client("grapher"));
    assert!(names(&grapher).await.contains(&"explain_kro_graph".to_owned()));
    for (client, has) in [(&all, true), (&shop, true), (&grapher, false)] {
        assert_eq!(names(client).await.contains(&"kubernetes_investigate".to_owned()), has);
    }
    let lister = names(&rig.client("lister")).await;
    assert!(!lister.contains(&"review_rgd".to_owned()), "{lister:?}");
    assert!(names(&rig.client("nobody")).await.is_empty());
    let hidden = get(&rig.client("nobody"), "explain_kro_graph", outlet()).await.expect_err("hidden");
    let unknown = get(&all, "explain-kro-graph", outlet()).await.expect_err("unknown");
    assert_eq!(hidden.code, -32602);
    assert_eq!(hidden.message.replace('_', "-"), unknown.message);

    // a namespace of others is answered as by the tool, whether or not there is something
    let words = async |name: &str| {
        let of = json!({"cluster": "lab", "kind": "WebService", "namespace": "payments", "name": name});
        get(&shop, "explain_kro_graph", of).await.expect_err("not theirs")
    };
    let (there, missing) = (words("checkout").await, words("no-such").await);
    assert!(there.message.contains("kro.resource-graph.show"), "{there:?}");
    assert_eq!(there, missing);
    assert!(get(&shop, "explain_kro_graph", outlet()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_told_by_name() {
    let rig = Rig::start().await;
    let mcp = rig.client("everybody");
    for (arguments, said) in [
        (json!({}), "\"kind\" is missing"),
        (json!({"kind": "Shop"}), "\"name\" is missing"),
        (json!({"kind": "Shop", "name": ["a"]}), "\"name\" must be a text"),
        (json!({"kind": "Shop", "name": "a", "colour": "red"}), "no argument \"colour\""),
        (json!({"kind": "Shop", "namespace": "shop", "name": "a\u{202e}b"}), "\"name\" must be one line"),
        (json!({"kind": "Shop", "namespace": "shop", "name": "outlte"}), "outlet"),
        (json!({"kind": "Shop", "namespace": "shop", "name": "outlet", "cluster": "nowhere"}), "nowhere"),
    ] {
        let error = get(&mcp, "explain_kro_graph", arguments.clone()).await.expect_err(said);
        assert!(error.code == -32602 && error.message.contains(said), "{arguments}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_completed() {
    let rig = Rig::start().await;
    let complete = async |mcp: &Mcp, argument: &str, typed: &str| -> Value {
        let params = json!({"ref": {"type": "ref/prompt", "name": "explain_kro_graph"},
            "argument": {"name": argument, "value": typed}, "context": {"arguments": {"cluster": "lab"}}});
        let result = mcp.result("completion/complete", params).await.expect("a completion");
        result["completion"]["values"].clone()
    };
    let mcp = rig.client("everybody");
    assert_eq!(complete(&mcp, "cluster", "").await, json!(["lab", "other/one"]));
    assert_eq!(complete(&mcp, "name", "outl").await[0], "outlet");
    assert_eq!(complete(&mcp, "colour", "").await, json!([]));
    assert_eq!(complete(&rig.client("nobody"), "cluster", "").await, json!([]));
    let legacy = json!({"ref": {"type": "ref/prompt", "name": "explain_kro_graph"},
        "argument": {"name": "kind", "value": "Sh"}});
    let result = mcp.result("completion/complete", legacy).await.expect("a completion without context");
    assert!(result["completion"]["values"].is_array(), "{result}");
}
