//! What there is, what the cluster would be, and what Palette says of it: read anew for the plan and once more before
//! it is done.

use serde_json::{Value, json};

use super::Aim;
use crate::{
    Error, ErrorKind,
    answer::{redact, sanitise},
    kubernetes::observed::{Observed, Part},
    palette::{
        Fault,
        operate::{
            account::{self, Account},
            body::{self, Wanted},
            chosen::{self, Chosen},
            cloud::Cloud,
            estimate,
            group::{self, Size},
            hidden::Hidden,
            taken,
            variables::{self, Of, Set},
        },
        said::said,
    },
};

/// Fields of the specification that are told.
const MOST_FIELDS: usize = 60;

/// What was seen.
pub(super) struct Seen {
    /// What is sent.
    pub(super) body: Value,
    pub(super) hidden: Hidden,
    pub(super) observed: Observed,
    pub(super) sends: Vec<String>,
    pub(super) cost: Option<String>,
    pub(super) notes: Vec<String>,
    pub(super) gaps: Vec<String>,
    /// How the first line ends.
    pub(super) within: String,
}

/// What a cluster is made with, or in.
enum Ground {
    Account(Account),
    Group(Box<group::Found>, Size),
}

impl Aim<'_> {
    pub(super) async fn observe(&self) -> Result<Seen, Error> {
        let (input, cloud, at) = (self.input, self.input.cloud, (self.access, self.place));
        let spec = body::spec(cloud, input.spec.as_deref())?;
        let written = input.profiles.as_deref().unwrap_or_default();
        let (profiles, ground, ()) =
            tokio::try_join!(chosen::profiles(self.call, at, cloud, written), self.ground(), self.free(),)?;
        let sets = self.set(&profiles)?;
        let secrets = sets.iter().flat_map(Set::secrets).chain(body::secrets(&Value::Object(spec.clone())));
        let hidden = Hidden::new(self.call, secrets)?;
        let made = body::body(&Wanted {
            name: &input.name,
            cloud,
            description: input.description.as_deref(),
            tags: input.tags.as_deref().unwrap_or_default(),
            account: match &ground {
                Ground::Account(account) => Some(&account.uid),
                Ground::Group(..) => None,
            },
            group: match &ground {
                Ground::Account(_) => None,
                Ground::Group(found, size) => Some((
                    &found.summary.metadata.uid,
                    &found.whole.spec.clusters_config.endpoint_type,
                    *size,
                )),
            },
            profiles: profiles.iter().zip(&sets).map(|(of, set)| (of.uid.as_str(), set.sent())).collect(),
            spec,
        })?;
        let labels: Vec<(String, String)> =
            profiles.iter().map(|chosen| (chosen.uid.clone(), chosen.label())).collect();
        let unchecked = estimate::validate(at, cloud, &made, (&hidden, &labels)).await?;
        let (cost, unrated) = match estimate::cost(at, cloud, &made).await {
            Ok(cost) => (cost, None),
            // it is good to know, and no more
            Err(Fault::Spent(what)) => return Err(Fault::Spent(what).into()),
            Err(fault) => (None, Some(format!("cost: {fault}"))),
        };
        let mut sends = self.basics(&ground);
        sends.extend(told(&profiles, &sets));
        sends.extend(body::pools(&made).into_iter().map(|pool| format!("machine pool: {pool}")));
        sends.extend(fields(&made));
        let content: Vec<&Value> = profiles.iter().map(|chosen| &chosen.content).collect();
        let observed = Observed::default()
            .with(Part::Profiles, &json!(content))
            .with(Part::Ground, &ground.stable())
            .with(Part::Verdict, &json!([made, cost]));
        Ok(Seen {
            notes: self.notes(&ground, cost.is_some()),
            gaps: unchecked.into_iter().chain(unrated).map(|gap| hidden.said(&gap)).collect(),
            within: ground.within(),
            body: made,
            hidden,
            observed,
            sends,
            cost,
        })
    }

    async fn ground(&self) -> Result<Ground, Error> {
        let (access, place, input) = (self.access, self.place, self.input);
        if input.cloud != Cloud::Virtual {
            let written = input.account.as_deref().unwrap_or_default();
            let found = account::account(access, place, input.cloud, written).await?;
            return Ok(Ground::Account(found));
        }
        let found = group::group(access, place, input.group.as_deref().unwrap_or_default()).await?;
        let limits = &found.whole.spec.clusters_config.limit_config;
        let size = Size::of(input.cpu, input.memory_gib, input.storage_gib, limits);
        let over = size.over(limits);
        if !over.is_empty() {
            let name = &found.summary.metadata.name;
            let message = format!(
                "the cluster group {name} does not let one cluster have as much: {}",
                over.join(", ")
            );
            return Err(Error::invalid_input(message).next("ask for less, or name another group"));
        }
        Ok(Ground::Group(Box::new(found), size))
    }

    /// That nobody has the name there.
    async fn free(&self) -> Result<(), Error> {
        let Some(there) = taken::by(self.access, self.place, &self.input.name).await? else { return Ok(()) };
        let (what, uid, state) = (self.qualified(), &there.uid, said(&there.state, 40));
        let message = match self.input.plan {
            None => format!("there is a cluster {what} already ({uid}, {state})"),
            Some(_) => format!(
                "NOTHING WAS DONE: since that plan, somebody has made a cluster {what} ({uid}, {state})"
            ),
        };
        Err(Error::new(ErrorKind::Conflict, message)
            .next("plan again with another name, or use the one that is there"))
    }

    fn set<'p>(&self, profiles: &'p [Chosen]) -> Result<Vec<Set>, Error> {
        let of = |chosen: &'p Chosen| Of { profile: &chosen.name, variables: &chosen.variables, has: None };
        let all: Vec<Of<'_>> = profiles.iter().map(of).collect();
        let given = self.input.variables.clone().unwrap_or_default();
        variables::taken(self.call, &all, &given)
    }

    fn basics(&self, ground: &Ground) -> Vec<String> {
        let mut lines = vec![format!("name: {}", self.input.name), format!("where: {}", self.place)];
        lines.push(match ground {
            Ground::Account(account) => format!("cloud account: {}", said(&account.name, 80)),
            Ground::Group(found, _) => format!("cluster group: {}", said(&found.summary.metadata.name, 80)),
        });
        if let Ground::Group(_, size) = ground {
            lines.push(format!("size: {size}"));
        }
        let description = self.input.description.as_deref().filter(|text| !text.is_empty());
        lines.extend(description.map(|text| format!("description: {}", said(text, 200))));
        let tags = self.input.tags.as_deref().unwrap_or_default();
        lines.extend((!tags.is_empty()).then(|| format!("tags: {}", said(&tags.join(", "), 400))));
        lines
    }

    fn notes(&self, ground: &Ground, rated: bool) -> Vec<String> {
        match ground {
            Ground::Account(account) => {
                let well = account.state.is_empty() || account.state.eq_ignore_ascii_case("running");
                let state = (!well).then(|| {
                    format!("the cloud account is {}: its credentials may not work", said(&account.state, 40))
                });
                let cost = (!rated)
                    .then(|| "what it costs is not known; quotas of the cloud are not either".to_owned());
                let quota = rated.then(|| "quotas of the cloud are not known to Palette".to_owned());
                state.into_iter().chain(cost).chain(quota).collect()
            }
            Ground::Group(found, size) => {
                let limits = &found.whole.spec.clusters_config.limit_config;
                let limits = Size::of(Some(u32::MAX), Some(u32::MAX), Some(u32::MAX), limits).over(limits);
                let mut notes: Vec<String> =
                    group::room(&found.summary, *size).into_iter().map(|(line, _)| line).collect();
                notes.extend(
                    (!limits.is_empty())
                        .then(|| format!("limits of one virtual cluster: {}", limits.join(", "))),
                );
                notes
            }
        }
    }
}

impl Ground {
    fn within(&self) -> String {
        match self {
            Self::Account(account) => format!(" with the cloud account {}", said(&account.name, 80)),
            Self::Group(found, _) => {
                format!(" in the cluster group {}", said(&found.summary.metadata.name, 80))
            }
        }
    }

    /// What of it a plan relies on: not what others use of it, which changes all the time.
    fn stable(&self) -> Value {
        match self {
            Self::Account(account) => json!([account.uid, account.name]),
            Self::Group(found, size) => {
                let config = &found.whole.spec.clusters_config;
                let limits = format!("{:?} {}", config.limit_config, config.endpoint_type);
                json!([found.summary.metadata.uid, limits, config.values, format!("{size:?}")])
            }
        }
    }
}

fn told(profiles: &[Chosen], sets: &[Set]) -> Vec<String> {
    let mut lines = Vec::new();
    for (chosen, set) in profiles.iter().zip(sets) {
        lines.push(format!("profile: {} ({}: {})", chosen.label(), chosen.kind, said(&chosen.packs(), 400)));
        lines.extend(set.told().into_iter().map(|line| format!("variable of {}: {line}", chosen.name)));
        if !set.defaults.is_empty() {
            let names = sanitise::short(&set.defaults.join(", "), 400);
            lines.push(format!("variables of {} that keep their default: {names}", chosen.name));
        }
    }
    lines
}

/// The rest of what is sent, as `path = value`, without what is told otherwise and without secrets.
fn fields(made: &Value) -> Vec<String> {
    let mut spec = made.get("spec").cloned().unwrap_or_default();
    if let Value::Object(members) = &mut spec {
        members.retain(|name, _| {
            !matches!(name.as_str(), "profiles" | "machinepoolconfig" | "cloudAccountUid" | "cloudType")
        });
        if let Some(Value::Object(config)) =
            members.get_mut("clusterConfig").and_then(|of| of.get_mut("hostClusterConfig"))
        {
            config.remove("clusterGroup");
        }
    }
    let mut lines = Vec::new();
    flat("", &redact::values(spec), &mut lines);
    let more = lines.len().saturating_sub(MOST_FIELDS);
    lines.truncate(MOST_FIELDS);
    lines.extend((more > 0).then(|| format!("and {more} more fields of spec")));
    lines
}

fn flat(path: &str, value: &Value, lines: &mut Vec<String>) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| flat(&at(name), value, lines)),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().enumerate().for_each(|(index, item)| flat(&format!("{path}[{index}]"), item, lines));
        }
        Value::String(text) => lines.push(format!("{path} = {}", said(text, 120))),
        other => lines.push(format!("{path} = {}", said(&other.to_string(), 120))),
    }
}
