//! `kubernetes_access`: what the caller may do, by our permissions and by the cluster's.

mod asked;
mod named;
mod ours;
mod theirs;
mod verdict;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    answer::{Answer, Cut, Rows},
    kubernetes::Identity,
    permission::{Extent, Permission},
    toolbox::{Call, Reach, Tool},
};

use asked::Asked;
use ours::{Ours, Way};
use theirs::{RuleRow, Theirs};

const OWN: &str = "the cluster sees this server and not you (identity: own): its answer is about this server's \
                   credential, and of all callers the same";
const INCOMPLETE: &str = "the cluster says that its list of rules is not complete: an authorizer of it cannot list \
                          rules. Ask with verb and resource";

/// The handler.
#[derive(Debug)]
pub struct ShowAccess;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub cluster: Option<String>,
    pub namespace: Option<String>,
    /// get, list, create, …
    pub verb: Option<String>,
    /// As pods, deployments.apps, pods/log
    pub resource: Option<String>,
    pub name: Option<String>,
}

/// Both answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// How you are shown to the cluster.
    identity: &'static str,
    /// As whom, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_user: Option<String>,
    /// Whether it is allowed, who says no, and whom to ask.
    verdict: String,
    /// Of the one request that was asked about: whether this server lets it through.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_allows: Option<bool>,
    /// Whether the cluster does.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_allows: Option<bool>,
    /// Tools that make such requests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Way>,
    /// This server's permissions that you have here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<&'static str>,
    /// That you have in some namespaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions_in_part: Vec<&'static str>,
    /// That you do not have here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions_lacking: Vec<&'static str>,
    /// What the cluster lets you do.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Rows<RuleRow>>,
}

impl Tool for ShowAccess {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        // what is lacking in the namespace is the answer: it is decided on inside
        super::reach(input.cluster.as_ref(), None)
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        match Asked::read(&call, &input).await? {
            Some(asked) => one(&call, &asked).await,
            None => all(&call, input.namespace.as_deref()).await,
        }
    }
}

/// Whether one request is allowed.
async fn one(call: &Call, asked: &Asked) -> Result<Answer<Output>, Error> {
    let access = call.cluster()?;
    let ways = ours::ways(call, asked);
    let theirs = async {
        match (&asked.unknown, &asked.namespace) {
            // a binding there would tell that the namespace is
            (_, Some(namespace)) if !ours::sees(call, access, namespace) => Theirs::Unseen,
            (Some(fault), _) => Theirs::Unread(fault.clone()),
            (None, _) => theirs::allows(access, asked).await,
        }
    };
    let (theirs, user) = futures::join!(theirs, theirs::user(access));
    let output = Output {
        namespace: asked.namespace.clone(),
        verdict: verdict::of_one(call, asked, &ways, &theirs, user.as_deref()),
        server_allows: Some(ways.iter().any(|way| way.allowed)),
        cluster_allows: theirs.allowed(),
        tools: ways,
        ..output(call, user)?
    };
    let mut lines =
        vec![format!("this server: {}", if output.server_allows == Some(true) { "yes" } else { "no" })];
    lines.extend(output.tools.iter().map(|way| format!("  {}", way.line())));
    lines.push(format!("the cluster: {}", theirs.line()));
    lines.extend(output.cluster_user.iter().map(|user| format!("  it sees you as {user}")));
    let summary = output.verdict.clone();
    Ok(Answer::new(summary, lines.join("\n"), output).gaps(gaps(call, &theirs)?))
}

/// Everything, of a namespace or as far as it is known of the whole cluster.
async fn all(call: &Call, namespace: Option<&str>) -> Result<Answer<Output>, Error> {
    let access = call.cluster()?;
    // the cluster answers of one namespace at a time, and of what is in none along with each
    let place = namespace.unwrap_or(access.cluster().default_namespace());
    let ours = Ours::read(call, access, namespace);
    let sees = ours::sees(call, access, place);
    let theirs = async {
        match (sees, namespace) {
            (true, _) => theirs::rules(access, place).await,
            (false, Some(_)) => Theirs::Unseen,
            (false, None) => Theirs::Unasked,
        }
    };
    let (theirs, user) = futures::join!(theirs, theirs::user(access));
    let own = access.identity() == Identity::Own;
    let verdict = verdict::of_all(&ours, &theirs, namespace, (place, own));
    let (rules, incomplete) = theirs.rows();
    let mut gaps = gaps(call, &theirs)?;
    gaps.extend(incomplete.then(|| INCOMPLETE.to_owned()));
    let (page, cut) = call.page(rules, None, "ask with verb and resource")?;
    let cut =
        cut.map(|cut| Cut { narrow: "ask with verb and resource".to_owned(), next_cursor: None, ..cut });
    let mut body = ours.lines();
    let known = matches!(theirs, Theirs::Rules { .. });
    if known {
        body.push_str(&format!("the cluster, in namespace {place} and of what is in none:\n{}", page.table));
    }
    let output = Output {
        namespace: namespace.map(str::to_owned),
        verdict,
        permissions: ours.all,
        permissions_in_part: ours.part,
        permissions_lacking: ours.none,
        rules: known.then_some(page.rows),
        ..output(call, user)?
    };
    let summary = output.verdict.clone();
    Ok(Answer::new(summary, body, output).gaps(gaps).cut(cut))
}

/// What every answer begins with.
fn output(call: &Call, cluster_user: Option<String>) -> Result<Output, Error> {
    let access = call.cluster()?;
    Ok(Output {
        cluster: call.toolbox().clusters().shown_name(access.cluster()),
        namespace: None,
        identity: access.identity().name(),
        cluster_user,
        verdict: String::new(),
        server_allows: None,
        cluster_allows: None,
        tools: Vec::new(),
        permissions: Vec::new(),
        permissions_in_part: Vec::new(),
        permissions_lacking: Vec::new(),
        rules: None,
    })
}

fn gaps(call: &Call, theirs: &Theirs) -> Result<Vec<String>, Error> {
    let access = call.cluster()?;
    let unread = match theirs {
        Theirs::Unread(fault) => Some(format!("the cluster's own answer could not be had: {fault}")),
        Theirs::Unasked => Some(
            "the cluster was not asked: it answers of one namespace at a time; call again with a namespace that \
             you may see"
                .to_owned(),
        ),
        Theirs::Unseen => Some(
            "the cluster was not asked: this server shows you nothing of this namespace, whether or not it is \
             there"
                .to_owned(),
        ),
        Theirs::One { .. } | Theirs::Rules { .. } => None,
    };
    // what is about somebody else is no answer to what was asked
    let own = (access.identity() == Identity::Own).then(|| OWN.to_owned());
    Ok(unread.into_iter().chain(own).collect())
}

/// Permissions that have a place in a cluster.
fn in_clusters() -> impl Iterator<Item = Permission> {
    let toolsets = ["kubernetes.", "kro.", "knative."];
    Permission::ALL
        .iter()
        .copied()
        .filter(move |one| toolsets.iter().any(|toolset| one.name().starts_with(toolset)))
}

/// The whole of a cluster.
fn whole(call: &Call) -> Result<Extent, Error> {
    Ok(Extent::Named(call.cluster()?.cluster().names()))
}
