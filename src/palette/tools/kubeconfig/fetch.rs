//! What has to be asked of Palette for each form.

use futures::future::join;
use secrecy::ExposeSecret as _;

use super::Form;
use crate::{
    Error, ErrorKind,
    palette::{
        Ask, Fault,
        api::oidc::OidcSpec,
        find::FoundCluster,
        kubeconfig::{Login, Made, NoLogin, Server, Unusable, Upstream},
        summary,
    },
    remote::is_loopback,
};

/// A kubeconfig that was made.
pub(super) struct Fetched {
    /// What it is, which may be another form than was asked for.
    pub(super) form: Form,
    pub(super) server: String,
    pub(super) made: Made,
    pub(super) left_out: Vec<String>,
    pub(super) notes: Vec<String>,
}

const NO_AUTHORITY: &str =
    "no certificate authority of the cluster is known: kubectl will trust those of the system";

/// Asks for what the form needs, and makes it.
pub(super) async fn fetched(
    found: &FoundCluster,
    form: Form,
    frp: bool,
    context: &str,
) -> Result<Fetched, Error> {
    match form {
        Form::Oidc => {
            let (oidc, upstream) = join(oidc(found), upstream(found, Form::User, frp)).await;
            let login = oidc.map_err(|error| no_login(found, error))?;
            let (server, left_out) = match upstream {
                Ok(Some(upstream)) => (upstream.server, upstream.dropped),
                Ok(None) => (endpoint(found).await?, Vec::new()),
                Err(error) => return Err(error),
            };
            made_login(context, server, left_out, login)
        }
        Form::User | Form::Admin => {
            let Some(upstream) = upstream(found, form, frp).await? else { return Err(absent(found, form)) };
            let Upstream { server, user, dropped } = upstream;
            let user = user.map_err(|why| odd(found, &why))?;
            if !user.has_credential() && user.starts {
                let login = oidc(found).await.map_err(|error| no_login(found, error))?;
                let mut fetched = made_login(context, server, dropped, login)?;
                let why = "Palette's kubeconfig for users holds no credential, it starts a program: this is the form oidc";
                fetched.notes.insert(0, why.to_owned());
                return Ok(fetched);
            }
            if !user.has_credential() {
                return Err(unusable(found, "it holds no credential that can be handed on"));
            }
            let made = Made::credential(context, &server, &user).map_err(|why| odd(found, &why))?;
            let notes = notes(&server);
            Ok(Fetched { form, server: server.url, made, left_out: dropped, notes })
        }
    }
}

fn made_login(context: &str, server: Server, left_out: Vec<String>, login: Login) -> Result<Fetched, Error> {
    let made = Made::login(context, &server, &login)
        .map_err(|why| Error::new(upstream_kind(), format!("no kubeconfig could be made: {why}")))?;
    let mut notes = notes(&server);
    notes.extend(login.notes);
    // that Palette's own user was left out goes without saying
    let left_out = left_out.into_iter().filter(|told| !told.starts_with("user.")).collect();
    Ok(Fetched { form: Form::Oidc, server: server.url, made, left_out, notes })
}

fn notes(server: &Server) -> Vec<String> {
    let unknown = server.authorities.is_empty();
    unknown.then(|| NO_AUTHORITY.to_owned()).into_iter().collect()
}

/// Palette's own kubeconfig, taken apart; nothing where there is none.
async fn upstream(found: &FoundCluster, form: Form, frp: bool) -> Result<Option<Upstream>, Error> {
    let ask = match form {
        Form::Admin => Ask::get(&["spectroclusters", &found.uid, "assets", "adminKubeconfig"]),
        Form::User | Form::Oidc => {
            let ask = Ask::get(&["spectroclusters", &found.uid, "assets", "kubeconfig"]);
            ask.with("frp", if frp { "true" } else { "false" })
        }
    };
    match found.access.bytes(&found.place, ask).await {
        Ok(bytes) => Upstream::read(&bytes, local(found)).map(Some).map_err(|why| odd(found, &why)),
        Err(fault) if fault.is_not_found() => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

enum NoOidc {
    Fault(Fault),
    Login(NoLogin),
}

async fn oidc(found: &FoundCluster) -> Result<Login, NoOidc> {
    // it holds a client's secret: never kept
    let ask = Ask::get(&["spectroclusters", &found.uid, "oidc"]).kept(std::time::Duration::ZERO);
    match found.access.ask::<Option<OidcSpec>>(&found.place, ask).await {
        Ok(spec) => {
            let spec = spec.unwrap_or_default();
            if let Some(secret) = &spec.client_secret {
                found.access.spent().learned.hold(secret.expose_secret());
            }
            Login::of(&spec).map_err(NoOidc::Login)
        }
        Err(fault) if fault.is_not_found() => Err(NoOidc::Login(NoLogin::Absent)),
        Err(fault) => Err(NoOidc::Fault(fault)),
    }
}

/// Where the API server is by the cluster's summary.
async fn endpoint(found: &FoundCluster) -> Result<Server, Error> {
    let (summary, _) = summary::read(&mut found.clone()).await?;
    let told = summary.status.api_endpoints.iter().find(|told| !told.host.is_empty() && told.port > 0);
    let Some(told) = told else { return Err(absent(found, Form::Oidc)) };
    Server::at(&told.host, told.port, local(found)).map_err(|why| odd(found, &why))
}

/// Whether an API server on this very machine may be meant: where Palette is on it, too.
fn local(found: &FoundCluster) -> bool {
    is_loopback(&found.access.environment().settings().url)
}

fn upstream_kind() -> ErrorKind {
    ErrorKind::Upstream { status: None, retryable: false }
}

fn odd(found: &FoundCluster, why: &Unusable) -> Error {
    unusable(found, &why.to_string())
}

fn unusable(found: &FoundCluster, why: &str) -> Error {
    let message =
        format!("what Palette sent as a kubeconfig of {} cannot be handed on: {why}", found.qualified());
    Error::new(upstream_kind(), message)
        .next("try another form, or ask whoever administers the cluster in Palette")
}

fn no_login(found: &FoundCluster, why: NoOidc) -> Error {
    match why {
        NoOidc::Fault(fault) => fault.into(),
        NoOidc::Login(why) => Error::not_found(format!(
            "{} has no kubeconfig of the form oidc: {why}",
            found.qualified()
        ))
        .next("form user works where Palette has a kubeconfig with a credential; or set up OIDC in the Kubernetes layer of its profile"),
    }
}

fn absent(found: &FoundCluster, form: Form) -> Error {
    let (why, next) = match form {
        Form::Admin => (
            "Palette has no admin kubeconfig of it, or not for the credential that is used",
            "form oidc or user; a cluster that is not Running has none yet (palette_cluster_health)",
        ),
        Form::User => (
            "Palette has no kubeconfig for its users",
            "form oidc where OIDC is configured; a cluster that is not Running has none yet (palette_cluster_health)",
        ),
        Form::Oidc => (
            "Palette tells no address of its API server",
            "a cluster that is not Running has none yet: palette_cluster_health tells",
        ),
    };
    Error::not_found(format!("{}: {why}", found.qualified())).next(next)
}
