//! [`Collected`]: everything that was read of one instance.

use crate::kro::applyset::GroupKind;
use crate::kro::definition::Definition;
use crate::kubernetes::Object;
use std::collections::{BTreeMap, BTreeSet};

/// What was read of one instance, and what could not be.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The instance.
    pub instance: Object,
    /// Its RGD.
    pub rgd: Rgd,
    /// Objects that carry its mark.
    pub children: Vec<Object>,
    /// Children in scopes that the caller may not see, reduced to kind and labels.
    pub withheld: Vec<Object>,
    /// Kinds whose objects could not be read, or not all.
    pub unread: BTreeMap<GroupKind, Unread>,
    /// External references that were looked for, by node id.
    pub externals: BTreeMap<String, Observed>,
    /// Children that are instances themselves, by uid.
    pub nested: BTreeMap<String, Collected>,
    /// Names of nested instances below the depth asked for.
    pub unexpanded: Vec<String>,
    /// The plurals of the kinds involved, as the cluster's discovery gives them.
    pub plurals: BTreeMap<GroupKind, String>,
    /// Those of the kinds involved that are known to be namespaced.
    pub namespaced: BTreeSet<GroupKind>,
    /// Anything else that could not be seen.
    pub gaps: Vec<String>,
}

/// What is known of an instance's RGD.
#[derive(Clone, Debug)]
pub enum Rgd {
    /// It was read.
    Read(Box<Definition>),
    /// There is none of that name: nothing reconciles the instance.
    Gone(String),
    /// It could not be read: its name and why.
    Unread(String, String),
    /// The instance does not say, and none generates its kind.
    Unknown,
}

impl Rgd {
    /// Its name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Read(definition) => Some(&definition.rgd),
            Self::Gone(name) | Self::Unread(name, _) => Some(name),
            Self::Unknown => None,
        }
    }

    /// What it says, where it could be read.
    pub fn definition(&self) -> Option<&Definition> {
        match self {
            Self::Read(definition) => Some(definition),
            _ => None,
        }
    }
}

/// Why objects of a kind are not all there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The cluster serves no such kind.
    NotServed,
    /// Reading failed: the fault in a line.
    Failed(String),
    /// There are more than were read.
    Cut(String),
    /// Some are to be in a scope that the caller may not see.
    Withheld,
}

impl std::fmt::Display for Unread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotServed => out.write_str("the cluster does not serve this kind"),
            Self::Failed(why) | Self::Cut(why) => out.write_str(why),
            Self::Withheld => out.write_str("some are in a scope that you may not see"),
        }
    }
}

/// What became of looking for an external reference.
#[derive(Clone, Debug)]
pub enum Observed {
    /// The object by that name.
    One(Object),
    /// The objects that match.
    Many(Vec<Object>),
    /// There is none: the namespace and name that were looked for.
    Absent(Option<String>, String),
    /// It could not be read.
    Unread(Unread),
    /// The caller may not see that scope.
    Withheld,
}

impl Collected {
    /// An instance of which nothing else was read yet.
    pub fn new(instance: Object, rgd: Rgd) -> Self {
        Self {
            instance,
            rgd,
            children: Vec::new(),
            withheld: Vec::new(),
            unread: BTreeMap::new(),
            externals: BTreeMap::new(),
            nested: BTreeMap::new(),
            unexpanded: Vec::new(),
            plurals: BTreeMap::new(),
            namespaced: BTreeSet::new(),
            gaps: Vec::new(),
        }
    }

    /// Visits every object that was read, nested ones included.
    pub fn each_object_mut(&mut self, visit: &mut dyn FnMut(&mut Object)) {
        visit(&mut self.instance);
        if let Rgd::Read(definition) = &mut self.rgd {
            visit(&mut definition.head);
        }
        self.children.iter_mut().for_each(&mut *visit);
        for observed in self.externals.values_mut() {
            match observed {
                Observed::One(object) => visit(object),
                Observed::Many(objects) => objects.iter_mut().for_each(&mut *visit),
                Observed::Absent(..) | Observed::Unread(_) | Observed::Withheld => {}
            }
        }
        self.nested.values_mut().for_each(|nested| nested.each_object_mut(visit));
    }

    /// Visits what was read of the instance and of each nested one.
    pub fn each_level(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        visit(self);
        self.nested.values_mut().for_each(|nested| nested.each_level(visit));
    }
}
