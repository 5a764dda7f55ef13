//! Confirmation by a person. A tool that changes something answers with a plan first. Where the client can
//! ask the person, the plan goes to them and not to the model, which so never holds a handle that says yes.

mod person;
#[cfg(test)]
mod tests;

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ElicitRequest,
        ElicitRequestParams, ElicitationSchema, InputRequest, InputRequiredResult, JsonObject,
    },
};

use super::{
    asked::Asked,
    tools::{answered, failed},
};
use crate::{Error, answer::Confirmation};

use person::Said;

/// The argument that carries the handle where the model is asked.
const PLAN: &str = "plan";
/// The key of the question.
const QUESTION: &str = "confirm";
/// Characters of a plan that a person is shown.
const LONGEST: usize = 4_000;
/// How often the person is asked again because something has changed meanwhile.
const ROUNDS: u8 = 5;

/// How the person can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By an answer that asks for input; the client calls again. From 2026-07-28 on.
    Answer,
    /// By a request of ours on the same connection: older clients over stdio.
    Request,
}

impl Asked<'_> {
    /// How the person can be asked, where the client declares that it can: in forms, which is also what an
    /// empty declaration means.
    pub(super) fn way(&self) -> Option<Way> {
        let declared = self.context.client_capabilities()?.elicitation?;
        if declared.form.is_none() && declared.url.is_some() {
            return None;
        }
        match self.context.protocol_version()?.has_initialize() {
            false => Some(Way::Answer),
            true => (!self.is_http()).then_some(Way::Request),
        }
    }

    /// Calls a tool that plans, and does what it planned only once the person agrees.
    pub(super) async fn confirmed(
        &self,
        way: Way,
        params: CallToolRequestParams,
    ) -> Result<CallToolResponse, ErrorData> {
        let said = match way {
            Way::Answer => person::said(&params)?,
            Way::Request => Said::nothing(),
        };
        let (mut agreed, mut round) = match said {
            Said::Nothing { round } => (None, round),
            Said::Yes { plan, round } => (Some(plan), round),
            Said::No => return Ok(declined()),
        };
        let mut arguments = params.arguments.unwrap_or_default();
        // whoever can be asked is asked, whatever handle the model holds
        arguments.remove(PLAN);
        loop {
            let confirmation = match self.step(&params.name, &arguments, agreed.take()).await {
                Ok(Ok(confirmation)) => confirmation,
                Ok(Err(done)) => return Ok(done),
                Err(error) => {
                    self.lacks(&error);
                    return failed(&error);
                }
            };
            round += 1;
            if round > ROUNDS {
                return Ok(told(
                    "it has changed each time before the person could agree; nothing was changed. \
                     Next: call again when it is at rest.",
                ));
            }
            let question = self.question(&params.name, &confirmation)?;
            match way {
                Way::Answer => return Ok(asks(question, &confirmation.plan, round)),
                Way::Request => match person::ask(self.context, question).await {
                    Ok(true) => agreed = Some(confirmation.plan),
                    Ok(false) => return Ok(declined()),
                    Err(why) => {
                        return Ok(told(&format!(
                            "the person could not be asked: {why}; nothing was changed"
                        )));
                    }
                },
            }
        }
    }

    /// One call: what to ask, or what came of it.
    async fn step(
        &self,
        tool: &str,
        arguments: &JsonObject,
        agreed: Option<String>,
    ) -> Result<Result<Confirmation, CallToolResponse>, Error> {
        let mut arguments = arguments.clone();
        let confirms = agreed.is_some();
        arguments.extend(agreed.map(|plan| (PLAN.to_owned(), plan.into())));
        match self.served.toolbox.call(self.request(tool, arguments)).await {
            Ok(mut finished) => match finished.confirmation.take() {
                Some(confirmation) => Ok(Ok(confirmation)),
                None => Ok(Err(answered(finished))),
            },
            // the model knows nothing of a plan
            Err(error) if confirms && error.message.starts_with("the argument \"plan\"") => {
                Err(Error::invalid_input(
                    "the confirmation came too late, or is not of this call; nothing was changed",
                )
                .next("call again with the same arguments"))
            }
            Err(error) => Err(error),
        }
    }

    fn question(&self, tool: &str, confirmation: &Confirmation) -> Result<ElicitRequestParams, ErrorData> {
        let title = self.served.toolbox.title(&self.caller, tool).unwrap_or_default();
        let schema = ElicitationSchema::builder()
            .required_bool_with(QUESTION, |field| {
                field.title("Do exactly this").description("Nothing is changed otherwise").with_default(false)
            })
            .build()
            .map_err(|problem| ErrorData::internal_error(problem, None))?;
        Ok(ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: format!("{title}\n\n{}", shown(&confirmation.question)),
            requested_schema: schema,
        })
    }
}

/// As much of a plan as a person reads, cut at the end of a line.
fn shown(plan: &str) -> String {
    let Some((end, _)) = plan.char_indices().nth(LONGEST) else { return plan.to_owned() };
    let head = plan.get(..end).unwrap_or_default();
    let head = head.rfind('\n').map_or(head, |end| head.get(..end).unwrap_or_default());
    let left = plan.chars().count().saturating_sub(head.chars().count());
    format!("{head}\n[{left} more characters of the plan are not shown; they would be done too]")
}

fn asks(question: ElicitRequestParams, plan: &str, round: u8) -> CallToolResponse {
    let request = InputRequest::Elicitation(ElicitRequest::new(question));
    let requests = [(QUESTION.to_owned(), request)].into();
    InputRequiredResult::new(Some(requests), Some(person::state(plan, round))).into()
}

fn declined() -> CallToolResponse {
    told("the person did not agree; nothing was changed")
}

fn told(text: &str) -> CallToolResponse {
    CallToolResult::error(vec![ContentBlock::text(text)]).into()
}
