//! `prompts/*`: a prompt comes with what the server collected for it, as the caller.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult, Prompt,
        PromptArgument, PromptMessage, Role,
    },
    service::RequestContext,
};

use super::{LIST_LIFE, Mcp, nobody};
use crate::{
    Error, ErrorKind,
    answer::sanitise,
    toolbox::prompts::{self, Given},
};

impl Mcp {
    pub(super) async fn prompts(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let asked = self.known(context).await?;
        let prompts = asked.served.toolbox.prompts(&asked.caller).map(described).collect();
        Ok(ListPromptsResult::with_all_items(prompts)
            .with_cache_scope(CacheScope::Private)
            .with_ttl_ms(LIST_LIFE))
    }

    pub(super) async fn prompt(
        &self,
        params: GetPromptRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let asked = self.known(context).await?;
        let toolbox = &asked.served.toolbox;
        // the same words for one that does not exist and for one that is hidden from the caller
        let Some(prompt) = toolbox.prompts(&asked.caller).find(|prompt| prompt.name == params.name) else {
            let name = sanitise::short(&params.name, 64);
            return Err(ErrorData::invalid_params(format!("there is no prompt {name:?}"), None));
        };
        let given = Given::check(prompt, params.arguments.unwrap_or_default())
            .map_err(|error| ErrorData::invalid_params(error.text(), None))?;
        let ask = |tool: &str, arguments| asked.request(tool, arguments);
        match toolbox.recipe(prompt, &given, ask).await {
            Ok(text) => {
                let message = PromptMessage::new_text(Role::User, text);
                let result = GetPromptResult::new(vec![message]);
                Ok(result.with_description(prompt.front.description.clone()).into())
            }
            Err(error) => {
                asked.lacks(&error);
                Err(failed(&error))
            }
        }
    }
}

fn described(prompt: &prompts::Prompt) -> Prompt {
    let arguments = prompt.front.arguments.iter().map(|argument| {
        PromptArgument::new(argument.name.clone())
            .with_description(argument.description.clone())
            .with_required(argument.required)
    });
    Prompt::new(prompt.name, Some(prompt.front.description.clone()), Some(arguments.collect()))
        .with_title(prompt.front.title.clone())
}

fn failed(error: &Error) -> ErrorData {
    match error.kind {
        ErrorKind::Unauthenticated => nobody(error),
        ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::NotAllowed
        | ErrorKind::UnknownTool
        | ErrorKind::Conflict => ErrorData::invalid_params(error.text(), None),
        _ => ErrorData::internal_error(error.text(), None),
    }
}
