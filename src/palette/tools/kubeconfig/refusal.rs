//! What is not handed out, and to whom.

use super::Form;
use crate::{
    Error, ErrorKind,
    answer::Handing,
    palette::{Access, api::summary::is_virtual, find::FoundCluster},
};

const INSTEAD: &str = "form oidc holds no secret, and is handed out everywhere";

/// What the door does not hand out so.
pub(super) fn of_door(form: Form, content: bool, handing: Handing) -> Result<(), Error> {
    match (form, handing, content) {
        (Form::Oidc, _, _) | (_, Handing::File, false) | (_, Handing::Content, true) => Ok(()),
        (_, Handing::File, true) => Err(Error::invalid_input(
            "the argument \"content\": a kubeconfig with a credential is written to a file here, not into the answer",
        )
        .next("leave content out: the answer says where the file is")),
        (_, Handing::Content, false) => Err(Error::invalid_input(format!(
            "a kubeconfig of the form {} holds a credential, which would be in the answer",
            form.name()
        ))
        .next(format!("pass content: true if that is what you want; {INSTEAD}"))),
        (_, Handing::Withheld, _) => Err(Error::new(
            ErrorKind::NotAllowed,
            format!("kubeconfigs of the form {} hold a credential, and are not handed out over HTTP", form.name()),
        )
        .next(format!(
            "{INSTEAD}; `platform-mcp call palette_kubeconfig` writes the others to a file, and whoever runs this \
             server may set http.kubeconfigs"
        ))),
    }
}

/// What the environments do not hand out, and arguments that do not fit.
pub(super) fn of_form(form: Form, frp: Option<bool>, accesses: &[Access]) -> Result<(), Error> {
    if form != Form::Admin {
        return Ok(());
    }
    if frp.is_some() {
        return Err(
            Error::invalid_input("the argument \"frp\" is for the forms oidc and user").next("leave frp out")
        );
    }
    if accesses.iter().any(|access| access.environment().settings().admin_kubeconfig) {
        return Ok(());
    }
    let why = "kubeconfigs of the form admin are not handed out for this environment";
    Err(Error::new(ErrorKind::NotAllowed, why).next(format!(
        "{INSTEAD}; whoever runs this server may set adminKubeconfig: true for the environment"
    )))
}

/// A cluster of the other kind than was asked for.
pub(super) fn of_kind(found: &FoundCluster, must_be_virtual: Option<bool>) -> Result<(), Error> {
    let is_virtual = is_virtual(&found.cloud_type);
    let (not, next) = match (must_be_virtual, is_virtual) {
        (Some(true), false) => ("not a virtual cluster", "palette_virtual_clusters lists those that are"),
        (Some(false), true) => ("a virtual cluster", "palette_clusters lists those that are not"),
        _ => return Ok(()),
    };
    let cloud = &found.cloud_type;
    Err(Error::invalid_input(format!("{} is {not} (cloud type {cloud:?})", found.qualified()))
        .next(format!("leave virtual out, or name another one: {next}")))
}
