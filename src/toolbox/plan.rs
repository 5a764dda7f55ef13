//! Plans: a change is two calls that cannot drift apart (design section 7).
//!
//! The first answers with what would be done and a sealed handle on exactly that: who asked, which tool,
//! which arguments, and what was observed. The second brings the handle, observes again, and does it only
//! where all of it is the same. Nothing is kept in memory, so any replica with the key can be asked.

use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use crate::{
    Error, ErrorKind,
    answer::seal::{Seal, Unsealed},
};

/// How long a plan is good for.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// What a call that would change something has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Answer with the plan and this handle.
    Offer(String),
    /// Do it: what is observed now is what the caller agreed to.
    Do,
    /// Do nothing, say that something has changed since, and answer with the plan as it is now.
    Changed {
        /// The handle on the plan as it is now.
        plan: String,
        /// What had been observed when the caller got the other plan.
        agreed: String,
    },
}

impl Call {
    /// What to do, from the handle that the caller brought and from `observed`: a digest of everything
    /// that the plan depends on, which is the same as long as doing it means the same.
    ///
    /// # Errors
    /// A handle that is not of this caller, this tool and these arguments, too old, or used already.
    pub fn step(&self, plan: Option<&str>, observed: &str) -> Result<Step, Error> {
        let now = Timestamp::now();
        let step = step(self.0.toolbox.seal(), &self.plan_binding(), plan, observed, now)?;
        let process = self.0.toolbox.process();
        match (&step, plan) {
            (Step::Do, Some(plan)) if !process.spent().take(plan, &self.0.spent.call_id, now, LIFE) => {
                Err(Error::invalid_input("the argument \"plan\" was used already; nothing was changed")
                    .next("call again without plan, with the same arguments, to get a fresh one"))
            }
            _ => Ok(step),
        }
    }

    /// What had been observed when the caller got this plan, for whoever has to observe again in the same way.
    ///
    /// # Errors
    /// A handle that is not of this caller, this tool and these arguments, or too old.
    pub fn agreed(&self, plan: &str) -> Result<String, Error> {
        self.0.toolbox.seal().open(&self.plan_binding(), Timestamp::now(), plan).map_err(refused)
    }

    /// A cursor can never be a plan.
    fn plan_binding(&self) -> [&str; 5] {
        let [issuer, subject] = self.caller().binding();
        [issuer, subject, &self.0.entry.contract.name, &self.0.question, "plan"]
    }
}

fn step(
    seal: &Seal,
    binding: &[&str],
    plan: Option<&str>,
    observed: &str,
    now: Timestamp,
) -> Result<Step, Error> {
    let offer = || {
        seal.seal(binding, now + LIFE, observed)
            .map_err(|_| Error::new(ErrorKind::Internal, "the plan could not be sealed"))
    };
    let Some(plan) = plan else { return Ok(Step::Offer(offer()?)) };
    match seal.open(binding, now, plan) {
        Ok(agreed) if agreed == observed => Ok(Step::Do),
        Ok(agreed) => Ok(Step::Changed { plan: offer()?, agreed }),
        Err(unsealed) => Err(refused(unsealed)),
    }
}

fn refused(unsealed: Unsealed) -> Error {
    let why = match unsealed {
        Unsealed::Expired => "is too old",
        Unsealed::Foreign => {
            "is not one that you got for these arguments, or the server that gave it has ended (from the shell each call is \
             a server of its own: `sealKey` in the configuration keeps plans good)"
        }
    };
    Error::invalid_input(format!("the argument \"plan\" {why}; nothing was changed"))
        .next("call again without plan, with the same arguments, to get a fresh one")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: [&str; 3] = ["alice", "kro_apply_instance", "these arguments"];

    #[test]
    fn how_long_a_change_is_followed_is_no_part_of_its_plan() {
        let asked = |more: serde_json::Value| {
            let mut all = serde_json::json!({"name": "a"});
            all.as_object_mut().expect("one").extend(more.as_object().expect("one").clone());
            super::super::call::question(all.as_object().expect("one"))
        };
        let plain = asked(serde_json::json!({}));
        assert_eq!(asked(serde_json::json!({"seconds": 10, "plan": "x", "cursor": "y", "limit": 1})), plain);
        assert_ne!(asked(serde_json::json!({"cluster": "b"})), plain);
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_plan_is_of_one_caller_for_one_question_and_ten_minutes() {
        let key = || Seal::from_secret(b"shared").expect("a key");
        let (seal, replica) = (key(), key());
        let ask = |seal: &Seal, binding: &[&str], plan: Option<&str>, observed: &str, second: i64| {
            step(seal, binding, plan, observed, at(second))
        };
        let Ok(Step::Offer(plan)) = ask(&seal, &ALICE, None, "seen", 0) else { panic!("an offer") };
        assert_eq!(ask(&replica, &ALICE, Some(&plan), "seen", 600).ok(), Some(Step::Do), "on any replica");
        let Ok(Step::Changed { plan: fresh, agreed }) = ask(&seal, &ALICE, Some(&plan), "other", 1) else {
            panic!("it changed")
        };
        assert_eq!(agreed, "seen");
        assert_eq!(ask(&seal, &ALICE, Some(&fresh), "other", 2).ok(), Some(Step::Do));

        let refused = |binding: &[&str], plan: &str, second| {
            ask(&seal, binding, Some(plan), "seen", second).expect_err("refused").text()
        };
        assert!(refused(&ALICE, &plan, 601).contains("is too old; nothing was changed"));
        let foreign = |text: String| assert!(text.contains("is not one that you got"), "{text}");
        foreign(refused(&["bob", ALICE[1], ALICE[2]], &plan, 1));
        foreign(refused(&[ALICE[0], "kro_delete_instance", ALICE[2]], &plan, 1));
        foreign(refused(&[ALICE[0], ALICE[1], "others"], &plan, 1));
        let altered: String = plan.chars().rev().collect();
        foreign(refused(&ALICE, &altered, 1));
        foreign(refused(&ALICE, "", 1));
        let stranger = Seal::from_secret(b"another key").expect("a key");
        assert!(ask(&stranger, &ALICE, Some(&plan), "seen", 1).is_err());
    }
}
