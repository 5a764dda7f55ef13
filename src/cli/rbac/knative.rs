//! `rbac knative`.

use clap::{Args, ValueEnum};

use super::{
    super::{Failure, Global, out, setup},
    SERVER, To, reached, unseen,
};
use crate::{
    knative::rights::{InUse, Reader, Resource, may_take_events, rights},
    kubernetes::rights::{Manifest, Token, is_name},
};

/// The account for the drop-in, where none is named.
const DROP_IN: &str = "knative-event-mesh";

/// For reading the event mesh, over the kinds that it is made of and refers to.
#[derive(Debug, Args)]
#[command(
    after_help = "The cluster is read with the server's own credential (the context's user, the configured token).\n\
                  Make it anew when sources, channels or subscribers of other kinds come."
)]
pub(super) struct Knative {
    /// The cluster; otherwise that of http.eventMesh (for the drop-in), or the default one.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    #[command(flatten)]
    to: To,
    /// What reads it: the account whose token Backstage sends, or this server.
    #[arg(long = "for", value_enum, default_value_t = For::DropIn, value_name = "WHAT")]
    purpose: For,
    /// Kinds that events go to, by the names of their CRDs, as services (of the core group) or
    /// services.serving.knative.dev; channels and sources too (groups messaging.… and sources.…). Without --cluster
    /// no cluster is looked at.
    #[arg(long, value_name = "PLURAL.GROUP,…", value_delimiter = ',', value_parser = resource)]
    kinds: Vec<Resource>,
}

/// What reads the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum For {
    /// GET /v1/getEventMesh, by the token that comes with each request.
    DropIn,
    /// The tool knative_event_mesh, with the server's own account.
    Tool,
}

impl Knative {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let (reader, name) = match self.purpose {
            For::DropIn => (Reader::DropIn, DROP_IN),
            For::Tool => (Reader::Tool, SERVER),
        };
        let (used, from) = match self.cluster.is_none() && !self.kinds.is_empty() {
            true => {
                let from = "with Knative Eventing as it comes and the kinds that were named";
                (InUse::named(self.kinds), from.to_owned())
            }
            false => {
                let config = global.config()?.for_one_shot();
                let built = config.build()?;
                setup::warn(&built);
                let published = config.http.event_mesh.as_ref().filter(|_| self.purpose == For::DropIn);
                let wanted = self.cluster.as_deref().or(published.map(|mesh| mesh.cluster.as_str()));
                let cluster = reached::cluster(&built, wanted).await?;
                let read = InUse::read(&reached::whole(&cluster), reader).await;
                let (mut used, gaps) = read.map_err(|error| {
                    Failure::failed(format!("cluster {}: {}", cluster.name(), error.text()))
                })?;
                unseen(&gaps);
                used.targets.extend(self.kinds);
                (used, format!("in the cluster {}, with what it has now", cluster.name()))
            }
        };
        let account = self.to.account(name);
        let (what, role, token) = match reader {
            Reader::DropIn => (
                "The account whose token Backstage sends to GET /v1/getEventMesh",
                account.name.clone(),
                Token::Lasting,
            ),
            Reader::Tool => {
                ("What the tool knative_event_mesh reads", format!("{}-knative", account.name), Token::None)
            }
        };
        let mut about = vec![format!("{what}, {from}. It reads all namespaces and changes nothing.")];
        if reader == Reader::Tool {
            about.push(
                "Bound to the server's own account, as `identity: own` uses it. Where callers reach the cluster as \
                 themselves, bind the role to their groups instead."
                    .to_owned(),
            );
        }
        let rights = rights(&used, reader);
        Ok(out::text(&Manifest { about, account, role, token, rights: &rights }.to_string())?)
    }
}

/// A kind, by the name of its CRD. It is not looked up, so it must be the very name.
fn resource(text: &str) -> Result<Resource, String> {
    let (plural, group) = text.split_once('.').unwrap_or((text, ""));
    if !is_name(text) {
        return Err(
            "a kind is named as its CRD is, in lower case and the plural: services, services.serving.knative.dev"
                .to_owned(),
        );
    }
    match group {
        "" if plural != "services" => {
            Err("of the core group, services alone take events; write plural.group for others, as \
                 services.serving.knative.dev"
                .to_owned())
        }
        "" => Ok((String::new(), plural.to_owned())),
        _ if !may_take_events(group) => {
            Err(format!("kinds of {group} are Kubernetes's own and take no events"))
        }
        _ => Ok((group.to_owned(), plural.to_owned())),
    }
}
