//! `call`: one tool from the shell.

mod arguments;

use std::{io::Read as _, sync::Arc};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{Failure, Global, out, serve, setup::Opened};
use crate::{
    ErrorKind,
    answer::Handing,
    caller::Caller,
    nearest,
    toolbox::{Progress, Request, Sensitive, Toolbox, list},
};

/// Call a tool from the shell, through the same gate as an agent.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// The tool, as `platform-mcp tools` names it.
    tool: String,
    /// Arguments. Typed by the tool's schema: `limit=5` is a number where one is wanted. A list is
    /// a key given several times, or JSON.
    #[arg(value_name = "KEY=VALUE", conflicts_with = "json")]
    arguments: Vec<String>,
    /// All arguments as a JSON object; `-` reads it from standard input.
    #[arg(long, value_name = "JSON")]
    json: Option<String>,
    /// Over the embedded sample platform.
    #[arg(long)]
    demo: bool,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// What of an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// What hosts that read text show the model.
    #[default]
    Text,
    /// What hosts that read structure show the model.
    Json,
}

impl Call {
    /// This one without arguments.
    pub(super) fn bare(tool: &str, output: Output) -> Self {
        Self { tool: tool.to_owned(), arguments: Vec::new(), json: None, demo: false, output }
    }

    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let config = global.config()?;
        // what hands out credentials leaves its line in the audit log, wherever that goes
        let config = if hands_out(&self.tool) { config } else { config.for_one_shot() };
        let Opened { toolbox, caller, .. } = &Opened::new(global, config, self.demo).await?;
        let (progress, mut heard) = Progress::heard();
        let request = Request {
            progress,
            patience: None,
            handing: Handing::File,
            presented: Default::default(),
            door: "call",
            caller: Arc::clone(caller),
            arguments: self.arguments(toolbox, caller)?,
            tool: self.tool.clone(),
            cancel: serve::on_signal(),
            client: None,
            trace: None,
        };
        let call = toolbox.call(request);
        tokio::pin!(call);
        let answer = loop {
            tokio::select! {
                biased;
                Some(line) = heard.recv() => out::error_line(&line),
                answer = &mut call => break answer,
            }
        };
        match answer {
            Ok(finished) => {
                match self.output {
                    Output::Json => out::json(&finished.structure)?,
                    Output::Text => out::text(&finished.text)?,
                }
                if finished.failed { Err(Failure::silent()) } else { Ok(()) }
            }
            Err(error) if error.kind == ErrorKind::UnknownTool => {
                Err(Failure::failed(format!("{}{}", error.message, others(toolbox, caller, &self.tool))))
            }
            Err(error) => Err(Failure::failed(error.text())),
        }
    }

    fn arguments(&self, toolbox: &Toolbox, caller: &Caller) -> Result<Map<String, Value>, Failure> {
        match self.json.as_deref() {
            None => {
                let entry = toolbox.list(caller).find(|entry| entry.contract.name == self.tool);
                let nothing = Map::new();
                let schema = entry.map_or(&nothing, |entry| &entry.input_schema);
                arguments::typed(schema, &self.arguments).map_err(Failure::usage)
            }
            Some("-") => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|error| Failure::usage(format!("standard input: {error}")))?;
                object(&text)
            }
            Some(text) => object(text),
        }
    }
}

fn object(text: &str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(Failure::usage("--json must be a JSON object, as '{\"limit\": 5}'")),
        Err(error) => Err(Failure::usage(format!("--json is not valid JSON: {error}"))),
    }
}

fn hands_out(tool: &str) -> bool {
    let known = list::all().unwrap_or_default();
    let contract = known.iter().map(|entry| &entry.contract).find(|contract| contract.name == tool);
    contract.is_some_and(|contract| contract.front.sensitive == Sensitive::Credentials)
}

/// What may have been meant, of what the caller may see.
fn others(toolbox: &Toolbox, caller: &Caller, written: &str) -> String {
    let names: Vec<&str> = toolbox.list(caller).map(|entry| entry.contract.name.as_str()).collect();
    match nearest::misspelt(written, names.iter().copied()) {
        Some(near) => format!("; did you mean {near:?}?"),
        None => format!("; tools: {}", names.join(", ")),
    }
}
