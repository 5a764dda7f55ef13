//! [`Asking`]: how many tokens of one user Backstage is asked about at a time. Each sign-in gives another token, and
//! whoever signs in again and again must not take the time of everybody else.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

/// Of one user; tokens of several browsers and agents that come at once after a restart.
const EACH: u32 = 8;

/// What is asked now, by user.
#[derive(Clone, Debug, Default)]
pub(super) struct Asking(Arc<Mutex<HashMap<String, u32>>>);

/// One question, until it is dropped.
#[derive(Debug)]
pub(super) struct Question {
    asking: Asking,
    user: String,
}

impl Asking {
    /// Another question about this user, unless there are so many.
    pub(super) fn about(&self, user: &str) -> Option<Question> {
        let mut asking = self.0.lock();
        let of_user = asking.entry(user.to_owned()).or_default();
        if *of_user >= EACH {
            return None;
        }
        *of_user += 1;
        drop(asking);
        Some(Question { asking: self.clone(), user: user.to_owned() })
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let mut asking = self.asking.0.lock();
        match asking.get_mut(&self.user) {
            Some(of_user) if *of_user > 1 => *of_user -= 1,
            _ => drop(asking.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_is_asked_about_a_few_times_at_once_and_others_are_not_kept_waiting() {
        let asking = Asking::default();
        let mut open: Vec<_> =
            (0..EACH).map(|_| asking.about("user:default/bob").expect("a question")).collect();
        assert!(asking.about("user:default/bob").is_none());
        assert!(asking.about("user:default/alice").is_some());
        open.pop();
        assert!(asking.about("user:default/bob").is_some());
        open.clear();
        assert!(asking.0.lock().is_empty(), "nothing is kept of who was asked about");
    }
}
