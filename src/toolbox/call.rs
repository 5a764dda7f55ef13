//! [`Call`]: what a handler is given: the caller, the clusters that were decided for it, the budget.

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    Progress, Toolbox,
    contract::Sensitive,
    entry::Entry,
    reach::{
        CallerView, lacking,
        palette::{required, visible},
    },
};
use crate::{
    Error, ErrorKind, RefusedBy,
    answer::{Budget, Cut, Handing, Page, Row, budget::HARD_CAP, redact::Learned, sanitise, seal::Unsealed},
    caller::Caller,
    kubernetes::{Access, Budgeted, Object},
    palette::{self, Place},
    permission::{Extent, Permission, Requirement, Scope, decide},
    presented::Presented,
};

/// How long a cursor is good for.
const CURSOR_LIFE: SignedDuration = SignedDuration::from_mins(30);

/// Characters of a line that says how far a call is.
const LONGEST_LINE: usize = 300;

/// One call of one tool by one caller, after the gate.
#[derive(Clone, Debug)]
pub struct Call(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) toolbox: Arc<Toolbox>,
    pub(super) caller: Arc<Caller>,
    pub(super) presented: Arc<Presented>,
    pub(super) entry: Arc<Entry>,
    pub(super) clusters: Vec<Access>,
    pub(super) environments: Vec<palette::Access>,
    /// What is not known of the clusters there are, a line each.
    pub(super) unknown: Vec<String>,
    pub(super) spent: Budgeted,
    pub(super) progress: Progress,
    /// What was asked, without paging and plan: cursors and plans are bound to it.
    pub(super) question: String,
    pub(super) handing: Handing,
    /// Rows the caller asked for.
    pub(super) limit: Option<u32>,
}

impl Call {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// How credentials may be handed out to who calls.
    pub fn handing(&self) -> Handing {
        self.0.handing
    }

    /// The tools there are, to speak about them.
    pub fn toolbox(&self) -> &Arc<Toolbox> {
        &self.0.toolbox
    }

    /// The cluster that the arguments named, as the caller.
    ///
    /// # Errors
    /// A defect: the tool's reach names no cluster.
    pub fn cluster(&self) -> Result<&Access, Error> {
        let missing = || Error::new(ErrorKind::Internal, "this tool reaches no cluster");
        self.0.clusters.first().ok_or_else(missing)
    }

    /// All clusters that the arguments named and the caller may see.
    pub fn clusters(&self) -> &[Access] {
        &self.0.clusters
    }

    /// The Palette environments that the arguments named and the caller may see something of.
    pub fn environments(&self) -> &[palette::Access] {
        &self.0.environments
    }

    /// The Palette environments of which the caller may see something with this requirement, whatever the tool
    /// reaches itself.
    pub fn environments_for(&self, requirement: &Requirement) -> Vec<palette::Access> {
        let who = (&self.0.caller, &*self.0.presented);
        visible(self.0.toolbox.environments(), who, requirement, &self.0.spent)
    }

    /// That the caller has this permission in one place of an environment.
    ///
    /// # Errors
    /// [`ErrorKind::NotAllowed`], with the permission and the place, whether or not the target exists.
    pub fn require_place(
        &self,
        permission: Permission,
        access: &palette::Access,
        place: &Place,
    ) -> Result<(), Error> {
        let requirement = Requirement::one(permission);
        required(&self.0.caller, &requirement, access.environment().name(), place)
    }

    /// As [`Self::require_place`], as a question.
    pub fn allows_place(&self, permission: Permission, access: &palette::Access, place: &Place) -> bool {
        self.require_place(permission, access, place).is_ok()
    }

    /// The budget of rows and bytes, with what the caller asked for.
    pub fn budget(&self) -> Budget {
        self.0.entry.contract.front.budget.asked(self.0.limit)
    }

    /// Whether the caller has `permission` for a namespace (`None`: what is cluster-scoped) of a cluster.
    pub fn allows(&self, permission: Permission, access: &Access, namespace: Option<&str>) -> bool {
        self.caller().permissions().allows(permission, &scope_in(access, namespace))
    }

    /// The same cluster, of which only what meets this is seen: for a tool that shows several classes of
    /// objects, each with a permission of its own.
    #[must_use]
    pub fn narrowed(&self, access: &Access, requirement: Requirement) -> Access {
        let view = CallerView::new(&self.0.caller, requirement, access.cluster());
        access.through(Arc::new(view))
    }

    /// As [`Self::allows`], as the error that the caller gets and the audit line records.
    ///
    /// # Errors
    /// [`ErrorKind::NotAllowed`], with the permission and the scope, whether or not the target exists.
    pub fn require(
        &self,
        permission: Permission,
        access: &Access,
        namespace: Option<&str>,
    ) -> Result<(), Error> {
        self.require_in(permission, access, Extent::of(namespace))
    }

    /// As [`Self::require`], for more than one namespace.
    ///
    /// # Errors
    /// The same.
    pub fn require_in(
        &self,
        permission: Permission,
        access: &Access,
        namespace: Extent,
    ) -> Result<(), Error> {
        let scope = Scope::cluster(Extent::Named(access.cluster().names()), namespace);
        let decision = decide(self.caller().permissions(), &Requirement::one(permission), &scope);
        if decision.is_allowed() {
            return Ok(());
        }
        let lacking = lacking(&decision, &Requirement::one(permission));
        let error = Error::denied(permission.name(), &scope.to_string()).lacking(lacking);
        Err(error.refused_by(RefusedBy::Gate(decision)))
    }

    /// Says how far the call is, to whoever listens.
    pub fn tell(&self, line: &str) {
        let line = sanitise::line(line);
        self.0.progress.tell(sanitise::cut(&self.0.spent.learned.scrub(&line), LONGEST_LINE));
    }

    /// Remembers a value that is secret, as an argument may be: it is taken out of whatever the call tells.
    pub fn hold(&self, secret: &str) {
        self.0.spent.learned.hold(secret);
    }

    /// The part of what it may take of the clusters that is left: from 1 down to 0.
    pub fn left(&self) -> f64 {
        self.0.spent.meter.left()
    }

    /// When the call has to have done its work.
    pub fn deadline(&self) -> Instant {
        self.0.spent.deadline
    }

    /// Takes what this call learned of Secrets out of an object. For objects that were read before the
    /// Secret was, and before their texts are cut, joined or rendered.
    pub fn scrub(&self, object: &mut Object) {
        self.0.spent.learned.scrub_object(object);
    }

    /// The page of `rows` that `cursor` asks for, and what to say of the rest. `narrow` tells which
    /// arguments would make the list shorter.
    ///
    /// # Errors
    /// A cursor that is not of this question, or too old.
    pub fn page<R: Row>(
        &self,
        rows: Vec<R>,
        cursor: Option<&str>,
        narrow: &str,
    ) -> Result<(Page<R>, Option<Cut>), Error> {
        self.page_beside(rows, cursor, narrow, 0)
    }

    /// As [`Self::page`], of an answer that holds `taken` bytes besides the rows.
    ///
    /// # Errors
    /// The same.
    pub fn page_beside<R: Row>(
        &self,
        rows: Vec<R>,
        cursor: Option<&str>,
        narrow: &str,
        taken: usize,
    ) -> Result<(Page<R>, Option<Cut>), Error> {
        let now = Timestamp::now();
        let after = cursor.map(|cursor| self.open(cursor, now)).transpose()?;
        let budget = self.budget();
        let room = Budget { bytes: budget.bytes.saturating_sub(taken), ..budget };
        let page = Page::cut(rows, after.as_deref(), room);
        let Some(last) = &page.last else { return Ok((page, None)) };
        let next_cursor = self.go_on(last);
        let (first, end) = (page.before + 1, page.before + page.rows.rows.len());
        let cut = Cut {
            what: format!("rows {first} to {end} of {}", page.rows.total),
            narrow: format!("{narrow}, or pass next_cursor as cursor with the same arguments"),
            next_cursor,
        };
        Ok((page, Some(cut)))
    }

    /// A cursor that holds `place`, for this caller and these arguments alone.
    pub fn go_on(&self, place: &str) -> Option<String> {
        self.0.toolbox.seal().seal(&self.binding(), Timestamp::now() + CURSOR_LIFE, place).ok()
    }

    /// What [`Self::go_on`] put into a cursor.
    ///
    /// # Errors
    /// A cursor that is not of this question, or too old.
    pub fn gone_on(&self, cursor: &str) -> Result<String, Error> {
        self.open(cursor, Timestamp::now())
    }

    fn open(&self, cursor: &str, now: Timestamp) -> Result<String, Error> {
        self.0.toolbox.seal().open(&self.binding(), now, cursor).map_err(|unsealed| {
            let why = match unsealed {
                Unsealed::Expired => "is too old",
                Unsealed::Foreign => {
                    "is not one that you got for these arguments, or the server that gave it has ended (one call \
                     from the shell is such a server)"
                }
            };
            Error::invalid_input(format!("the argument \"cursor\" {why}"))
                .next("call again without cursor, with the same arguments, or set sealKey")
        })
    }

    /// What the tool takes.
    pub fn requirement(&self) -> &Requirement {
        &self.0.entry.contract.front.permission
    }

    fn binding(&self) -> [&str; 4] {
        let [issuer, subject] = self.caller().binding();
        [issuer, subject, &self.0.entry.contract.name, &self.0.question]
    }

    pub(super) fn unknown(&self) -> Vec<String> {
        self.0.unknown.clone()
    }

    /// Whether handing out credentials is the tool's purpose.
    pub(super) fn hands_out(&self) -> bool {
        self.0.entry.contract.front.sensitive == Sensitive::Credentials
    }

    pub(super) fn learned(&self) -> &Arc<Learned> {
        &self.0.spent.learned
    }

    /// What the way out enforces: the budget asked for, never over the hard cap.
    pub(super) fn largest_answer(&self) -> Budget {
        let budget = self.budget();
        Budget { rows: budget.rows, bytes: budget.bytes.min(HARD_CAP.bytes) }
    }
}

fn scope_in(access: &Access, namespace: Option<&str>) -> Scope {
    Scope::cluster(Extent::Named(access.cluster().names()), Extent::of(namespace))
}

/// A digest of the arguments without those of paging, without the plan, and without how long its change is followed.
pub(super) fn question(arguments: &Map<String, Value>) -> String {
    let mut asked: Vec<(&String, &Value)> = arguments
        .iter()
        .filter(|(name, value)| {
            !matches!(name.as_str(), "cursor" | "limit" | "plan" | "seconds") && !value.is_null()
        })
        .collect();
    asked.sort_by_key(|(name, _)| *name);
    let text = serde_json::to_string(&asked).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}
