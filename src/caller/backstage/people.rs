//! [`People`]: what was learned of users, for as long as their tokens hold: who they are, and what they may do.
//!
//! A plugin sends a new token with each request, and the same token of the user inside; so what is known is known by
//! that one. Backstage is asked once for each, whoever and however many wait for it.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use quick_cache::{Weighter, sync::Cache};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::{Backstage, Decides, Named, asking::Asking};
use crate::{
    backstage::{EntityReference, permissions, plugin::OnBehalf, user_info},
    caller::{
        Caller, Shown, Token, callers,
        oidc::{self, Refusal, Standing},
    },
    permission::{Grant, PermissionSet, Permissions, Within},
    weighted::{self, Bounds},
};

/// What grants by Backstage's own policy are called.
pub const POLICY: &str = "Backstage permission policy";
/// Users that are known at a time.
const MOST: usize = 4_096;
/// What they may weigh together, in bytes.
const MOST_WEIGHT: u64 = 32 << 20;
/// So that there are never more than [`MOST`].
const LEAST_WEIGHT: u64 = MOST_WEIGHT / MOST as u64;
/// Parts of the cache: in each there is room for the heaviest user.
const PARTS: usize = 8;
/// After Backstage could not say it, it is not asked again for this long.
const REST: Duration = Duration::from_secs(2);
/// For all that is asked of one user. Less than Backstage's list of our tools waits, so that it is known to have failed.
const ASKING: Duration = Duration::from_millis(2_500);

/// A user, for as long as this stands.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) caller: Arc<Caller>,
    pub(super) standing: Standing,
    /// The same when a plugin asks, by the place of that plugin among those that are configured.
    through: Arc<[OnceLock<Arc<Caller>>]>,
}

#[derive(Clone, Debug)]
enum Learned {
    Person(Person),
    Nothing { why: Refusal, since: Instant },
}

/// By the hash of the limited token.
#[derive(Debug)]
pub(super) struct People {
    known: Cache<[u8; 32], Learned, Weigh>,
    asking: Asking,
}

#[derive(Clone, Debug)]
struct Weigh;

impl Weighter<[u8; 32], Learned> for Weigh {
    fn weight(&self, _: &[u8; 32], learned: &Learned) -> u64 {
        let weight = match learned {
            // once as it is, and once as one plugin or another asks
            Learned::Person(person) => 2 * callers::weight(&person.caller) as u64,
            Learned::Nothing { .. } => 0,
        };
        weight.max(LEAST_WEIGHT)
    }
}

impl Default for People {
    fn default() -> Self {
        let bounds = Bounds { entries: MOST, weight: MOST_WEIGHT, parts: PARTS };
        let known = weighted::cache(bounds, Weigh);
        Self { known, asking: Asking::default() }
    }
}

impl Person {
    /// The user as this plugin asks for them.
    pub(super) fn through(&self, place: usize, plugin: &str) -> Arc<Caller> {
        let acting = || {
            Arc::new(Caller { actor: Some(format!("plugin:{plugin}").into()), ..Caller::clone(&self.caller) })
        };
        self.through.get(place).map_or_else(acting, |through| Arc::clone(through.get_or_init(acting)))
    }
}

impl Learned {
    /// Whether it is still so, where the token holds.
    fn is_fresh(&self, now: Timestamp) -> bool {
        match self {
            Self::Person(person) => now < person.standing.until,
            Self::Nothing { since, .. } => since.elapsed() < REST,
        }
    }

    fn said(self) -> Result<Person, Refusal> {
        match self {
            Self::Person(person) => Ok(person),
            Self::Nothing { why, .. } => Err(why),
        }
    }
}

impl People {
    /// What is known of the user of a limited token that was verified before, and need not be again.
    pub(super) fn known(&self, limited: &str, now: Timestamp) -> Option<Result<Person, Refusal>> {
        let known = self.known.get(&oidc::hash(limited.as_bytes())).filter(|known| known.is_fresh(now))?;
        let holds = match &known {
            Learned::Person(person) => person.standing.holds(now),
            Learned::Nothing { .. } => true,
        };
        holds.then(|| known.said())
    }

    /// What is known of the user of a limited token that was verified now; asks Backstage for what is not.
    pub(super) async fn learn(
        &self,
        backstage: &Backstage,
        user: &EntityReference,
        on_behalf: &OnBehalf,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Person, Refusal> {
        let key = oidc::hash(on_behalf.token.expose_secret().as_bytes());
        self.known.remove_if(&key, |known| !known.is_fresh(now));
        let learned = self.known.get_or_insert_async(&key, async {
            let many =
                || Refusal::Undecided("it is asked about too many tokens of the user at once".to_owned());
            let _question = self.asking.about(&user.to_string()).ok_or_else(many)?;
            let asked = tokio::time::timeout(ASKING, ask(backstage, user, on_behalf, now)).await;
            let asked = asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
            Ok::<_, Refusal>(match asked {
                Ok(caller) => Learned::Person(Person {
                    caller: Arc::new(caller),
                    standing: standing.clone(),
                    through: backstage.settings.plugins.iter().map(|_| OnceLock::new()).collect(),
                }),
                // by our clock within the leeway, by Backstage's not any more
                Err(_) if on_behalf.expires <= now => {
                    Learned::Nothing { why: Refusal::Expired, since: Instant::now() }
                }
                Err(why) => {
                    tracing::warn!("Backstage cannot say what one of its users may do: {why}");
                    Learned::Nothing { why: Refusal::Undecided(why), since: Instant::now() }
                }
            })
        });
        let person = learned.await?.said()?;
        if person.standing.holds(now) {
            return Ok(person);
        }
        // Backstage has other keys by now, and one of them signed the token: what it said of the user stays
        let person = Person { standing: standing.clone(), ..person };
        self.known.insert(key, Learned::Person(person.clone()));
        Ok(person)
    }

    /// Forgets whoever's token has ended.
    pub(super) fn forget(&self, now: Timestamp) {
        self.known.retain(|_, known| known.is_fresh(now));
    }
}

async fn ask(
    backstage: &Backstage,
    user: &EntityReference,
    on_behalf: &OnBehalf,
    now: Timestamp,
) -> Result<Caller, String> {
    let settings = &backstage.settings;
    let ownership = user_info::ownership(&settings.backend, &on_behalf.token, user);
    let allowed = async {
        match settings.decides {
            Decides::Rules => Ok(None),
            Decides::Delegated | Decides::Both => {
                permissions::allowed(&settings.backend, &backstage.plugin, on_behalf, now).await.map(Some)
            }
        }
    };
    let (ownership, allowed) = futures::future::try_join(ownership, allowed).await?;
    let groups: Vec<&EntityReference> = groups(&ownership).collect();
    let claims = claims(user, &ownership);
    let permissions = match (settings.decides, allowed) {
        (Decides::Delegated, Some(allowed)) => PermissionSet::new(vec![by_policy(allowed, false)]),
        (Decides::Both, Some(allowed)) => {
            let mut grants = settings.rules.bind(&claims).grants().to_vec();
            grants.push(by_policy(Permissions::all().without(allowed), true));
            PermissionSet::new(grants)
        }
        (Decides::Rules, _) => settings.rules.bind(&claims),
        (_, None) => PermissionSet::default(),
    };
    let token = on_behalf.token.expose_secret();
    Ok(Caller {
        issuer: Some(Arc::clone(&backstage.issuer)),
        subject: user.to_string(),
        username: user.to_string(),
        groups: texts(groups.iter().copied()),
        permissions: Arc::new(permissions),
        token: Some(Token { hash: oidc::named(token.as_bytes()), id: None, expires: on_behalf.expires }),
        identity: backstage.identity,
        shown: Shown::Named(Arc::new(Named {
            user: user.clone(),
            groups: groups.into_iter().cloned().collect(),
            names: Arc::clone(&settings.names),
        })),
        scopes: Vec::new(),
        subject_token: None,
        actor: None,
        verified: true,
    })
}

/// What rules are held against.
pub(super) fn claims(user: &EntityReference, ownership: &[EntityReference]) -> Map<String, Value> {
    let claims = [
        ("sub", json!(user.to_string())),
        ("name", json!(user.name)),
        ("namespace", json!(user.namespace)),
        ("ent", json!(texts(ownership.iter()))),
        ("groups", json!(texts(groups(ownership)))),
    ];
    claims.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn groups(ownership: &[EntityReference]) -> impl Iterator<Item = &EntityReference> {
    ownership.iter().filter(|entity| entity.kind == "group")
}

fn texts<'e>(entities: impl Iterator<Item = &'e EntityReference>) -> Vec<String> {
    entities.map(EntityReference::to_string).collect()
}

/// What Backstage's policy gives, or takes.
fn by_policy(permissions: Permissions, deny: bool) -> Grant {
    Grant { deny, permissions, within: Arc::new(Within::default()), rule: POLICY.to_owned() }
}
