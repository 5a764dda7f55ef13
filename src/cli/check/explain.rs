//! `check --as` and `check --claims`: what a caller could do and why, rule by rule.

mod backstage;
mod findings;
mod source;
mod text;

use std::path::{Path, PathBuf};

use clap::Args;

use super::super::{Failure, Global, out};
use crate::caller::backstage::Backstage;
use findings::Findings;
use source::Source;

/// Whom to explain.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Explain what the owner of the token in this file could do and why (- for standard input).
    #[arg(long = "as", value_name = "FILE", group = "whom", conflicts_with_all = ["schema", "demo"])]
    token: Option<PathBuf>,
    /// The same for a token with these claims: a JSON object, or @FILE.
    #[arg(long, value_name = "JSON", group = "whom", conflicts_with_all = ["schema", "demo"])]
    claims: Option<String>,
    /// As JSON.
    #[arg(long, requires = "whom")]
    json: bool,
}

/// A token, or claims of one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whom<'a> {
    Token(&'a Path),
    Claims(&'a str),
}

impl Explain {
    /// Whom to explain, if anybody.
    pub(super) fn whom(&self) -> Option<Whom<'_>> {
        let claims = self.claims.as_deref().map(Whom::Claims);
        self.token.as_deref().map(Whom::Token).or(claims)
    }

    /// Explains. A token that would be refused is explained too, and is a failure.
    pub(super) async fn run(&self, whom: Whom<'_>, global: &Global) -> Result<(), Failure> {
        let built = global.config()?.for_one_shot().without_clusters().build()?;
        if !built.callers.need_token() {
            return Err(Failure::usage(
                "no issuer is configured, so no token is taken; add `issuers` to the configuration",
            ));
        }
        let findings = match whom {
            Whom::Token(file) => {
                let token = source::token_in(file)?;
                match built.callers.backstage().filter(|_| Backstage::is_of(&token)) {
                    Some(asked) => backstage::findings(&token, asked, &built).await?,
                    None => Findings::of(Source::token(&token, &built.callers).await?, &built),
                }
            }
            Whom::Claims(written) => {
                let claims = source::object(written)?;
                match backstage::meant(&claims, &built.callers) {
                    Some(asked) => backstage::of_claims(claims, asked, &built)?,
                    None => Findings::of(Source::claims(claims, &built.callers)?, &built),
                }
            }
        };
        match self.json {
            true => out::json(&findings)?,
            false => text::tell(&findings)?,
        }
        if findings.refused.is_some() { Err(Failure::silent()) } else { Ok(()) }
    }
}
