//! [`Plan`]: what has to be done in a cluster for the account to be as it is wanted.

use futures::future::try_join_all;
use serde_json::Value;

use super::{
    super::{access::Access, fault::Fault, object::Object},
    OURS, Rights, Token,
    granted::granted,
    objects::{self, Piece},
    rules,
};

/// What is to be done, in this order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Each object.
    pub steps: Vec<Step>,
}

/// What becomes of one object.
#[derive(Clone, Debug)]
pub struct Step {
    pub(super) piece: Piece,
    /// What becomes of it.
    pub change: Change,
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there, as it is wanted.
    Keep,
    /// It is not there.
    Create,
    /// It is there, and what is said of it is not as it is wanted.
    Update(&'static str),
    /// The same of what cannot be changed: it is taken away and made again.
    Replace {
        /// What is not as it is wanted.
        what: &'static str,
        /// The very object.
        uid: String,
        /// As it was looked at.
        resource_version: String,
    },
    /// It is this server's, and is not wanted.
    Delete {
        /// The very object.
        uid: String,
        /// As it was looked at.
        resource_version: String,
    },
    /// It is left alone, and why.
    Leave(String),
}

impl Step {
    /// `ClusterRole backstage-read-only`
    pub fn object(&self) -> String {
        self.piece.called()
    }

    /// What a role lets its account do.
    fn grants(&self) -> String {
        let rules = self.piece.members.get("rules");
        rules.map_or(String::new(), |rules| format!(" ({})", granted(rules)))
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.change {
            Change::Keep => write!(f, "keep    {}", self.object()),
            Change::Create => write!(f, "create  {}{}", self.object(), self.grants()),
            Change::Update(what) => write!(f, "change  {}: {what}{}", self.object(), self.grants()),
            Change::Replace { what, .. } => write!(f, "replace {}: {what}", self.object()),
            Change::Delete { .. } => write!(f, "delete  {}", self.object()),
            Change::Leave(why) => write!(f, "leave   {}: {why}", self.object()),
        }
    }
}

impl Plan {
    /// To have the account. Nothing is changed by it.
    ///
    /// # Errors
    /// The cluster does not say what there is, or something of that name is another's.
    pub async fn to_have(admin: &Access, rights: &Rights, token: Token) -> Result<Self, Fault> {
        let granted = match &rights.rules {
            Some(rules) => rules.clone(),
            None => rules::reading(&*admin.kinds().await?),
        };
        let secret = objects::secret(rights);
        let wanted = [
            objects::namespace(rights),
            objects::account(rights),
            objects::role(rights, &granted),
            objects::binding(rights),
        ];
        let wanted = wanted.into_iter().chain((token == Token::Lasting).then(|| secret.clone()));
        let looking = wanted.map(|piece| async move {
            let there = there(admin, &piece).await?;
            let change = change(&piece, there.as_ref())?;
            Ok::<_, Fault>(Step { piece, change })
        });
        let mut steps = try_join_all(looking).await?;
        if token != Token::Lasting
            && let Some(there) = there(admin, &secret).await?.filter(is_ours)
        {
            // a token that does not end is not left lying about
            steps.push(Step { change: deletion(&there), piece: secret });
        }
        Ok(Self { steps })
    }

    /// Whether anything is to be done.
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.change, Change::Keep | Change::Leave(_)))
    }
}

/// The object, where it is there.
pub(super) async fn there(admin: &Access, piece: &Piece) -> Result<Option<Object>, Fault> {
    match admin.get(&piece.kind, piece.namespace.as_deref(), &piece.name).await {
        Ok(object) => Ok(Some(object)),
        Err(fault) if fault.is_not_found() => Ok(None),
        Err(fault) => Err(fault),
    }
}

pub(super) fn is_ours(object: &Object) -> bool {
    let metadata = object.member("metadata");
    let label = metadata.and_then(|metadata| metadata.get("labels")?.get(OURS.0)?.as_str());
    label == Some(OURS.1)
}

pub(super) fn deletion(object: &Object) -> Change {
    Change::Delete { uid: text(object, "uid"), resource_version: text(object, "resourceVersion") }
}

fn text(object: &Object, name: &str) -> String {
    let metadata = object.member("metadata");
    metadata.and_then(|metadata| metadata.get(name)?.as_str()).unwrap_or_default().to_owned()
}

/// What becomes of an object that is wanted so.
fn change(piece: &Piece, there: Option<&Object>) -> Result<Change, Fault> {
    let Some(there) = there else { return Ok(Change::Create) };
    let metadata = there.member("metadata");
    if metadata.is_some_and(|metadata| metadata.get("deletionTimestamp").is_some_and(Value::is_string)) {
        let message = format!("{} is being deleted; try again when it is gone", piece.called());
        return Err(Fault::NoWay { message, retryable: true });
    }
    let differs = piece
        .members
        .as_object()
        .is_some_and(|members| members.iter().any(|(name, wanted)| there.member(name) != Some(wanted)));
    let annotated = |(name, wanted): (&String, &Value)| {
        metadata.and_then(|metadata| metadata.get("annotations")?.get(name)) == Some(wanted)
    };
    let differs = differs || !piece.annotations.as_object().is_none_or(|all| all.iter().all(annotated));
    match (differs, is_ours(there)) {
        (false, true) => Ok(Change::Keep),
        (false, false) => Ok(Change::Leave("it was there before, as it is wanted".to_owned())),
        (true, true) => Ok(differently(piece, there)),
        (true, false) => Err(Fault::NoWay {
            message: format!(
                "{} is there, is not of this server, and says something else: give it another name in \
                 clusterProvider.rbac, or take it away",
                piece.called()
            ),
            retryable: false,
        }),
    }
}

/// How one of this server's own becomes what is wanted. Which role a binding binds, and whose token a secret holds, is
/// said once and for all.
fn differently(piece: &Piece, there: &Object) -> Change {
    let replace = |what| Change::Replace {
        what,
        uid: text(there, "uid"),
        resource_version: text(there, "resourceVersion"),
    };
    match piece.kind.kind.as_str() {
        "ClusterRole" => Change::Update("its rules"),
        "ClusterRoleBinding" if there.member("roleRef") != piece.members.get("roleRef") => {
            replace("the role that it binds")
        }
        "ClusterRoleBinding" => Change::Update("whom it binds"),
        "Secret" => replace("the account that it is of"),
        _ => Change::Update("what it says"),
    }
}
