//! `palette_kubeconfig`: a kubeconfig for a cluster, made here.

mod fetch;
mod refusal;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        api::summary::is_virtual,
        find::{self, FoundCluster},
        kubeconfig::{Made, context_name, written},
        summary,
    },
    reach,
};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Handed, Handing},
    toolbox::{Call, Reach, Tool},
};

use fetch::Fetched;

/// The handler.
#[derive(Debug)]
pub struct MakeKubeconfig;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub environment: Option<String>,
    pub project: Option<String>,
    /// Name or uid.
    pub cluster: String,
    pub form: Option<Form>,
    /// By reverse proxy (default).
    pub frp: Option<bool>,
    /// Must (not) be one.
    #[serde(rename = "virtual")]
    pub must_be_virtual: Option<bool>,
    pub content: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    #[default]
    Oidc,
    User,
    Admin,
}

impl Form {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// The kubeconfig, or where it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    cluster: String,
    uid: String,
    #[serde(rename = "virtual", skip_serializing_if = "std::ops::Not::not")]
    is_virtual: bool,
    /// oidc: no secret in it.
    form: Form,
    context: String,
    server: String,
    /// A file that only the user of this process may read.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubeconfig: Option<String>,
    /// What of Palette's own was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for MakeKubeconfig {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let form = input.form.unwrap_or_default();
        // before anything is asked: whoever may not have it learns nothing of what there is
        refusal::of_door(form, input.content.unwrap_or_default(), call.handing())?;
        refusal::of_form(form, input.frp, call.environments())?;
        let mut found = find::cluster(&call, &input.cluster, input.project.as_deref()).await?;
        refusal::of_form(form, input.frp, std::slice::from_ref(&found.access))?;
        if found.row.is_none() {
            // by uid and project alone: where it is has to be seen before anything is handed out
            summary::read(&mut found).await?;
        }
        refusal::of_kind(&found, input.must_be_virtual)?;
        let context = context_name([
            found.access.environment().name(),
            found.place.shown().unwrap_or_default(),
            &found.name,
        ]);
        let fetched = fetch::fetched(&found, form, input.frp.unwrap_or(true), &context).await?;
        answer(&found, fetched, &context, call.handing())
    }
}

fn answer(
    found: &FoundCluster,
    fetched: Fetched,
    context: &str,
    handing: Handing,
) -> Result<Answer<Output>, Error> {
    let Fetched { form, server, made, left_out, mut notes } = fetched;
    let mut output = Output {
        environment: found.access.environment().name().to_owned(),
        project: found.place.shown().map(str::to_owned),
        cluster: found.name.clone(),
        uid: found.uid.clone(),
        is_virtual: is_virtual(&found.cloud_type),
        form,
        context: context.to_owned(),
        server,
        path: None,
        kubeconfig: None,
        left_out,
        notes: Vec::new(),
    };
    let what = format!("{}: {} kubeconfig, context {context}", found.qualified(), form.name());
    let (summary, body, handed) = match made {
        Made::Open(text) => {
            let body = text.clone();
            output.kubeconfig = Some(text);
            (
                format!("{what}; it holds no secret: you sign in with `platform-mcp login`"),
                body,
                Handed::apart("oidc, no secret"),
            )
        }
        Made::Secret(content) => match handing {
            Handing::File => {
                let path = saved(context, &content)?;
                notes.push("delete the file when it is not needed any more".to_owned());
                output.path = Some(path.clone());
                (
                    format!("{what}; written to {path}"),
                    format!("kubectl --kubeconfig {path} get nodes"),
                    file(form),
                )
            }
            Handing::Content => {
                (format!("{what}; it holds a credential"), String::new(), inline(form, content))
            }
            Handing::Withheld => return Err(Error::new(ErrorKind::Internal, "this door hands out nothing")),
        },
    };
    let mut lines: Vec<String> = notes.iter().map(|note| format!("note: {note}")).collect();
    if !output.left_out.is_empty() {
        lines.push(format!("left out of what Palette sent: {}", output.left_out.join(", ")));
    }
    output.notes = notes;
    if !body.is_empty() {
        lines.push(body);
    }
    Ok(Answer::new(summary, lines.join("\n"), output).gaps(found.gaps.clone()).handed(handed))
}

fn saved(context: &str, content: &SecretString) -> Result<String, Error> {
    let path = written(context, content).map_err(|error| {
        let why = format!("the kubeconfig could not be written to a file of this machine: {}", error.kind());
        Error::new(ErrorKind::Internal, why).next("form oidc needs no file")
    })?;
    Ok(path.to_string_lossy().into_owned())
}

fn file(form: Form) -> Handed {
    Handed::apart(if form == Form::Admin { "admin, as a file" } else { "user, as a file" })
}

fn inline(form: Form, content: SecretString) -> Handed {
    let what = if form == Form::Admin { "admin, in the answer" } else { "user, in the answer" };
    Handed { what, content: Some(("kubeconfig", content)) }
}
