//! [`Places`]: how many of something there may be at a time, of everybody together and of each caller.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::Caller;

/// How many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// Of everybody together.
    pub all: u32,
    /// Of one caller.
    pub each: u32,
}

/// The places that are taken.
#[derive(Debug, Default)]
pub struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    each: HashMap<[String; 2], u32>,
}

/// A bound that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The caller has so many.
    Yours(u32),
    /// Everybody together has as many as there may be.
    All,
}

impl Places {
    /// A place for another one, until it is dropped.
    ///
    /// # Errors
    /// [`Full`].
    pub fn place(self: &Arc<Self>, caller: &Caller, most: Most) -> Result<Place, Full> {
        let owner = caller.binding().map(str::to_owned);
        let mut taken = self.0.lock();
        let theirs = taken.each.get(&owner).copied().unwrap_or_default();
        if theirs >= most.each {
            return Err(Full::Yours(theirs));
        }
        if taken.all >= most.all {
            return Err(Full::All);
        }
        taken.all += 1;
        taken.each.insert(owner.clone(), theirs + 1);
        Ok(Place { of: Arc::clone(self), owner })
    }
}

/// One place.
#[derive(Debug)]
pub struct Place {
    of: Arc<Places>,
    owner: [String; 2],
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.0.lock();
        taken.all = taken.all.saturating_sub(1);
        match taken.each.get_mut(&self.owner) {
            Some(theirs) if *theirs > 1 => *theirs -= 1,
            _ => {
                taken.each.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caller::local, permission::PermissionSet};

    #[test]
    fn places_are_bounded_and_given_back() {
        let caller = local::with_permissions(PermissionSet::default());
        let places = Arc::new(Places::default());
        let place = |all: u32, each: u32| places.place(&caller, Most { all, each });
        let first = place(2, 2).expect("a place");
        assert_eq!(place(2, 1).map(|_| ()), Err(Full::Yours(1)));
        let second = place(2, 2).expect("a place");
        assert_eq!(place(2, 3).map(|_| ()), Err(Full::All));
        drop(first);
        let third = place(2, 2).expect("the place that was given back");
        drop((second, third));
        assert!(places.0.lock().each.is_empty(), "nothing is kept of who had one");
    }
}
