//! The doors that the matrix goes through, each as one caller.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::Outcome;
use crate::{
    backstage::PLUGIN,
    mcp::{Mcp, stateless},
};

/// How a denial begins, at every door.
const DENIAL: &str = "you need the permission ";

/// What became of a call.
pub(super) struct Met {
    pub(super) outcome: Outcome,
    /// Whether it is an error, of any kind.
    pub(super) is_error: bool,
    pub(super) text: String,
}

/// A caller at a door.
pub(super) trait Door {
    /// Whether what tools do in each place is seen through another.
    const IS_SECOND: bool;

    /// The tools that are listed.
    async fn listed(&self) -> Vec<String>;

    /// Calls a tool.
    async fn call(&self, tool: &str, arguments: &Value) -> Met;

    /// The request of a call; two of them have the same number, where there are numbers.
    fn request(&self, tool: &str, arguments: &Value) -> RequestBuilder;

    /// Status, headers and body of a call.
    async fn raw(&self, tool: &str, arguments: &Value) -> (u16, String, String) {
        let answer = self.request(tool, arguments).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let mut headers = answer.headers().clone();
        headers.remove("date");
        (status, format!("{headers:?}"), answer.text().await.expect("a body"))
    }
}

impl Door for Mcp {
    const IS_SECOND: bool = false;

    async fn listed(&self) -> Vec<String> {
        let tools = self.list_tools().await;
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    async fn call(&self, tool: &str, arguments: &Value) -> Met {
        match self.try_call(tool, arguments.clone()).await {
            Err(error) if error.code == -32602 => {
                Met { outcome: Outcome::Hidden, is_error: true, text: error.message }
            }
            Err(error) => panic!("{tool} {arguments}: {error:?}"),
            Ok(answer) => {
                let denied = answer.is_error && answer.text.starts_with(DENIAL);
                let outcome = if denied { Outcome::Denied } else { Outcome::Answered };
                Met { outcome, is_error: answer.is_error, text: answer.text }
            }
        }
    }

    fn request(&self, tool: &str, arguments: &Value) -> RequestBuilder {
        let params = json!({"name": tool, "arguments": arguments});
        self.http_request(&stateless(&json!(7), "tools/call", &params))
    }
}

/// A plugin of Backstage that lists and invokes actions for one of its users.
#[derive(Clone, Debug)]
pub(super) struct Actions {
    pub(super) http: reqwest::Client,
    /// `http://127.0.0.1:PORT/api/PLUGIN/.backstage/actions/v1/actions`
    pub(super) url: String,
    pub(super) token: String,
}

impl Door for Actions {
    const IS_SECOND: bool = true;

    async fn listed(&self) -> Vec<String> {
        let answer = self.http.get(&self.url).bearer_auth(&self.token).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let list: Value = answer.json().await.expect("JSON");
        let ids = list["actions"].as_array().expect("actions").iter();
        let ids = ids.map(|action| action["id"].as_str().expect("an id"));
        ids.map(|id| id.strip_prefix(&format!("{PLUGIN}:")).expect("our own").to_owned()).collect()
    }

    async fn call(&self, tool: &str, arguments: &Value) -> Met {
        let (status, _, body) = self.raw(tool, arguments).await;
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        if status == 200 {
            assert!(answer["output"].is_object(), "{tool} {arguments}: {answer}");
            return Met { outcome: Outcome::Answered, is_error: false, text: body };
        }
        let error = |member: &str| answer["error"][member].as_str().expect("an error").to_owned();
        let (name, text) = (error("name"), error("message"));
        let unknown = format!("Action \"{PLUGIN}:{tool}\" not found");
        let outcome = match (status, name.as_str()) {
            (404, "NotFoundError") if text == unknown => Outcome::Hidden,
            (403, "NotAllowedError") if text.starts_with(DENIAL) => Outcome::Denied,
            _ if text.starts_with(DENIAL) || text == unknown => panic!("{tool}: {status} {name}: {text}"),
            (401, _) => panic!("{tool}: {status} {name}: {text}"),
            _ => Outcome::Answered,
        };
        Met { outcome, is_error: true, text }
    }

    fn request(&self, tool: &str, arguments: &Value) -> RequestBuilder {
        let url = format!("{}/{PLUGIN}%3A{tool}/invoke", self.url);
        self.http.post(url).bearer_auth(&self.token).json(arguments)
    }
}
