//! Plans: a change is two calls that cannot drift apart (design section 7).
//!
//! The first answers with what would be done and a sealed handle on exactly that: who asked, which tool,
//! which arguments, and what was observed. The second brings the handle, observes again, and does it only
//! where all of it is the same. Nothing is kept in memory, so any replica with the key can be asked.

use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use crate::{Error, ErrorKind, answer::seal::Unsealed};

/// How long a plan is good for.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// What a call that would change something has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Answer with the plan and this handle.
    Offer(String),
    /// Do it: what is observed now is what the caller agreed to.
    Do,
    /// Do nothing, say that something has changed since, and answer with the plan as it is now and this
    /// handle.
    Changed(String),
}

impl Call {
    /// What to do, from the handle that the caller brought and from `observed`: a digest of everything
    /// that the plan depends on, which is the same as long as doing it means the same.
    ///
    /// # Errors
    /// A handle that is not of this caller, this tool and these arguments, or too old.
    pub fn step(&self, plan: Option<&str>, observed: &str) -> Result<Step, Error> {
        let now = Timestamp::now();
        let seal = self.0.toolbox.seal();
        let offer = || {
            seal.seal(&self.plan_binding(), now + LIFE, observed)
                .map_err(|_| Error::new(ErrorKind::Internal, "the plan could not be sealed"))
        };
        let Some(plan) = plan else { return Ok(Step::Offer(offer()?)) };
        match seal.open(&self.plan_binding(), now, plan) {
            Ok(agreed) if agreed == observed => Ok(Step::Do),
            Ok(_) => Ok(Step::Changed(offer()?)),
            Err(unsealed) => Err(refused(unsealed)),
        }
    }

    /// A cursor can never be a plan.
    fn plan_binding(&self) -> [&str; 5] {
        let [issuer, subject] = self.caller().binding();
        [issuer, subject, &self.0.entry.contract.name, &self.0.question, "plan"]
    }
}

fn refused(unsealed: Unsealed) -> Error {
    let why = match unsealed {
        Unsealed::Expired => "is too old",
        Unsealed::Foreign => {
            "is not one that you got for these arguments, or the server that gave it has ended"
        }
    };
    Error::invalid_input(format!("the argument \"plan\" {why}; nothing was changed"))
        .next("call again without plan, with the same arguments, to get a fresh one")
}
