//! [`Streams`]: the watches of one call, of the instance and of the kinds of what belongs to it.

use std::collections::{BTreeSet, HashSet};

use futures::{
    StreamExt as _,
    stream::{BoxStream, SelectAll},
};

use crate::kro::{
    applyset::{self, GroupKind},
    labels,
};
use crate::kubernetes::{
    Access, Fault, Kind, Kinds, Object, Selection, Selector,
    watch::{Detail, News, Watch},
};

/// Watches of one call: each is a connection.
const MOST: usize = 24;

/// What a watch is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// The instance.
    Instance,
    /// The children of one kind, of it or of an instance nested in it.
    Children(Children),
}

/// The children of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Children {
    kind: GroupKind,
    apply_set: String,
    /// Where all namespaces at once may not be watched: this one.
    namespace: Option<String>,
}

/// The watches of one call.
pub(super) struct Streams {
    access: Access,
    open: SelectAll<BoxStream<'static, (Of, Result<News, Fault>)>>,
    begun: HashSet<Of>,
    /// What is not watched, a line each.
    pub(super) gaps: BTreeSet<String>,
}

impl Streams {
    /// Watches the instance.
    pub(super) fn of(access: &Access, kind: &Kind, instance: &Object) -> Self {
        let mut streams = Self {
            access: access.clone(),
            open: SelectAll::new(),
            begun: HashSet::new(),
            gaps: BTreeSet::new(),
        };
        let one = Selection::one(kind, instance.namespace(), instance.name());
        streams.begin(Of::Instance, one, Detail::Whole);
        streams
    }

    /// The next news; waits for ever where nothing is watched.
    pub(super) async fn next(&mut self) -> (Of, Result<News, Fault>) {
        match self.open.next().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// Watches the kinds that children of `instance` have now, where they are not watched yet.
    pub(super) fn children(&mut self, instance: &Object, kinds: &Kinds) {
        let Some(named) = applyset::group_kinds(instance) else {
            self.gaps.insert(format!(
                "{}/{} has no ApplySet: what belongs to it is looked at from time to time",
                instance.kind(),
                instance.name()
            ));
            return;
        };
        let apply_set = applyset::id(instance);
        for kind in named.entries {
            self.kind(Children { kind, apply_set: apply_set.clone(), namespace: None }, kinds);
        }
    }

    /// Watches in the namespaces of the ApplySet, one by one, what may not be watched in all at once; says
    /// so where there are none.
    pub(super) fn refused(&mut self, of: &Children, fault: &Fault, instance: &Object, kinds: &Kinds) {
        let own = applyset::id(instance) == of.apply_set;
        if fault.is_forbidden() && own && of.namespace.is_none() {
            for namespace in applyset::namespaces(instance).entries {
                let namespace = Some(namespace.to_owned());
                self.kind(Children { namespace, ..of.clone() }, kinds);
            }
            return;
        }
        let place = of.namespace.as_deref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        self.gaps.insert(format!("{}{place} is not watched, only looked at: {fault}", of.kind));
    }

    fn kind(&mut self, of: Children, kinds: &Kinds) {
        let Some(kind) = kinds.find(&of.kind.group, &of.kind.kind) else { return };
        let namespaced = kind.namespaced || of.namespace.is_none();
        if !namespaced || self.begun.contains(&Of::Children(of.clone())) {
            return;
        }
        if self.begun.len() >= MOST {
            self.gaps.insert(format!("more than {MOST} watches: the rest is looked at from time to time"));
            return;
        }
        let selection = Selection {
            kind: kind.clone(),
            namespace: of.namespace.clone(),
            selector: Selector::all().label(labels::PART_OF, &of.apply_set),
        };
        self.begin(Of::Children(of), selection, Detail::Metadata);
    }

    fn begin(&mut self, of: Of, selection: Selection, detail: Detail) {
        let news = Watch::new(self.access.clone(), selection, detail).news();
        self.begun.insert(of.clone());
        self.open.push(news.map(move |news| (of.clone(), news)).boxed());
    }
}
