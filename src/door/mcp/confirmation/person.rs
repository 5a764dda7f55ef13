//! What the person said.

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult,
        ElicitationAction, ServerRequest,
    },
    service::{PeerRequestOptions, RequestContext},
};
use serde_json::Value;

use super::{QUESTION, ROUNDS};

/// How long the person may take; the plan is good for longer.
const PATIENCE: Duration = Duration::from_secs(540);

/// What the person said, as a call that is made again carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing yet, or nothing that can be understood.
    Nothing { round: u8 },
    /// To do exactly what this handle stands for.
    Yes { plan: String, round: u8 },
    /// Not to do it.
    No,
}

impl Said {
    pub(super) fn nothing() -> Self {
        Self::Nothing { round: 0 }
    }
}

/// What a client carries from the question to the answer. It may alter it: the handle is sealed, and the
/// number of rounds is its own trouble.
pub(super) fn state(plan: &str, round: u8) -> String {
    format!("{round}.{plan}")
}

/// What is said in a call.
pub(super) fn said(params: &CallToolRequestParams) -> Result<Said, ErrorData> {
    let Some(state) = &params.request_state else { return Ok(Said::nothing()) };
    let parts = state.split_once('.').and_then(|(round, plan)| Some((round.parse::<u8>().ok()?, plan)));
    let Some((round, plan)) = parts.filter(|(round, _)| *round <= ROUNDS) else {
        return Err(ErrorData::invalid_params("requestState is none that this server gave", None));
    };
    let answer = params.input_responses.as_ref().and_then(|answers| answers.get(QUESTION));
    Ok(match answer.and_then(understood) {
        Some(true) => Said::Yes { plan: plan.to_owned(), round },
        Some(false) => Said::No,
        None => Said::Nothing { round },
    })
}

fn understood(answer: &Value) -> Option<bool> {
    let answer: ElicitResult = serde_json::from_value(answer.clone()).ok()?;
    Some(agrees(&answer))
}

/// Whether the person agrees. A form that was sent without saying so says no: who did not mean it is not
/// asked again and again.
fn agrees(answer: &ElicitResult) -> bool {
    let said = || answer.content.as_ref()?.get(QUESTION)?.as_bool();
    answer.action == ElicitationAction::Accept && said() == Some(true)
}

/// Asks on the connection that the call came by.
pub(super) async fn ask(
    context: &RequestContext<RoleServer>,
    question: ElicitRequestParams,
) -> Result<bool, String> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(question));
    let options = PeerRequestOptions::with_timeout(PATIENCE);
    let answer = async {
        let sent = context.peer.send_request_with_option(request, options).await;
        sent.map_err(|error| error.to_string())?.await_response().await.map_err(|error| error.to_string())
    };
    let answer = tokio::select! {
        biased;
        () = context.ct.cancelled() => return Err("the call was cancelled".to_owned()),
        answer = answer => answer?,
    };
    match answer {
        ClientResult::ElicitResult(answer) => Ok(agrees(&answer)),
        _ => Err("the client did not answer what it was asked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(state: Option<&str>, answers: &Value) -> Option<Said> {
        let mut params = CallToolRequestParams::new("x");
        params.request_state = state.map(str::to_owned);
        params.input_responses = serde_json::from_value(answers.clone()).expect("answers");
        super::said(&params).ok()
    }

    #[test]
    fn only_a_plain_yes_is_one() {
        let yes = json!({"confirm": {"action": "accept", "content": {"confirm": true}}});
        let plan = || "sealed.text".to_owned();
        assert_eq!(said(Some("2.sealed.text"), &yes), Some(Said::Yes { plan: plan(), round: 2 }));
        assert_eq!(said(None, &yes), Some(Said::nothing()), "a yes to nothing");
        for no in [
            json!({"confirm": {"action": "accept", "content": {"confirm": false}}}),
            json!({"confirm": {"action": "decline"}}),
            json!({"confirm": {"action": "cancel", "content": {"confirm": true}}}),
            json!({"confirm": {"action": "accept"}}),
            json!({"confirm": {"action": "accept", "content": {"confirm": "true"}}}),
        ] {
            assert_eq!(said(Some("1.p"), &no), Some(Said::No), "{no}");
        }
        for nothing in [
            json!({}),
            json!({"other": {"action": "accept", "content": {"confirm": true}}}),
            json!({"confirm": {"action": "perhaps", "content": {"confirm": true}}}),
            json!({"confirm": true}),
        ] {
            assert_eq!(said(Some("1.p"), &nothing), Some(Said::Nothing { round: 1 }), "{nothing}");
        }
        for state in ["", "p", ".p", "x.p", "-1.p", "6.p", "300.p"] {
            assert_eq!(said(Some(state), &yes), None, "{state}");
        }
    }
}
