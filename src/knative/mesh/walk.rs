//! Follows events over the edges that let them pass: the surest way to each node first, and of ways as sure the shortest.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
};

use super::{Mesh, Relation};
use crate::knative::filter::{Attributes, Filter, Verdict};

/// How many edges may be looked at: what a mesh of thousands of triggers needs many times over, and what one made to be
/// slow does not get.
#[derive(Debug)]
pub(super) struct Work(usize);

/// What it costs to learn of an event's attributes from a filter, in edges, besides one for each that is known.
const LEARNING: usize = 10;

/// What is done for one question, and at least and at most for one of many that are asked at once.
const MOST: usize = 2_000_000;
const FAIR: std::ops::RangeInclusive<usize> = 4_000..=200_000;

/// Sets of attributes that one walk tells apart: filters that each ask for another attribute would otherwise make twice as
/// many with each.
const MOST_LEARNED: usize = 16;

impl Default for Work {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Work {
    /// Whether there was too much to do: what was found is then not all.
    pub(super) fn ran_out(&self) -> bool {
        self.0 == 0
    }

    /// The part of one of `many` questions that are asked at once: who makes theirs slow takes nothing from the others.
    pub(super) fn share(many: usize) -> Self {
        Self((2 * MOST / many.max(1)).clamp(*FAIR.start(), *FAIR.end()))
    }

    /// Whether one more may be looked at.
    pub(super) fn take(&mut self) -> bool {
        self.spend(1);
        self.0 > 0
    }

    fn spend(&mut self, edges: usize) {
        self.0 = self.0.saturating_sub(edges);
    }
}

/// How to walk.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    mesh: &'a Mesh,
    /// These edges alone.
    within: Option<&'a HashSet<usize>>,
    /// Over what receivers answer too.
    answers: bool,
    /// Over edges alone that lead on.
    onward: bool,
    /// Not over dead letters.
    delivered: bool,
}

/// Where events got.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) states: Vec<State>,
    pub(super) steps: Vec<Step>,
    /// What is known of the events of a state, by [`State::attributes`].
    pub(super) attributes: Vec<Attributes>,
}

/// Events of one kind at a node.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) node: usize,
    pub(super) attributes: usize,
    pub(super) verdict: Verdict,
    /// Edges from the start.
    pub(super) distance: usize,
    /// Whether they could not be delivered somewhere before.
    pub(super) undelivered: bool,
    /// The step that led here first.
    pub(super) parent: Option<usize>,
    /// The edge that led here, where somebody answers to what comes over it.
    delivery: Option<usize>,
}

/// An edge that events took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// An index into [`Walked::states`].
    pub(super) from: usize,
    pub(super) edge: usize,
    /// An index into [`Walked::states`].
    pub(super) to: usize,
    /// The least sure on the surest way up to here.
    pub(super) verdict: Verdict,
}

type Key = (usize, Option<usize>, usize, bool);
type Next = (Verdict, Reverse<usize>, Reverse<usize>);

impl<'a> Walk<'a> {
    /// Everywhere, over answers too.
    pub(super) fn everywhere(mesh: &'a Mesh) -> Self {
        Self { mesh, within: None, answers: true, onward: false, delivered: false }
    }

    /// As far as the events go themselves.
    pub(super) fn without_answers(mesh: &'a Mesh) -> Self {
        Self { answers: false, ..Self::everywhere(mesh) }
    }

    /// To what passes events on alone.
    pub(super) fn onward(mesh: &'a Mesh) -> Self {
        Self { onward: true, ..Self::everywhere(mesh) }
    }

    /// To what passes them on, as they are and where they were meant to go.
    pub(super) fn delivered(mesh: &'a Mesh) -> Self {
        Self { answers: false, delivered: true, ..Self::onward(mesh) }
    }

    /// Over these edges alone.
    pub(super) fn within(mesh: &'a Mesh, edges: &'a HashSet<usize>) -> Self {
        Self { within: Some(edges), ..Self::everywhere(mesh) }
    }

    /// Follows events with these attributes from where they begin.
    pub(super) fn from(
        self,
        attributes: &Attributes,
        starts: &[(usize, Verdict)],
        work: &mut Work,
    ) -> Walked {
        let mut run =
            Run { walk: self, walked: Walked::default(), known: HashMap::new(), seen: HashMap::new() };
        let told = run.intern(attributes.iter().filter(|(_, value)| value.is_some()));
        let mut queue = BinaryHeap::new();
        for (node, verdict) in starts {
            run.arrive((*node, None, told, false), *verdict, 0, None, &mut queue);
        }
        run.follow(queue, work);
        run.walked
    }

    /// Follows what is answered to what came over `delivery`.
    pub(super) fn answers_to(self, delivery: usize, node: usize, work: &mut Work) -> Walked {
        let mut run =
            Run { walk: self, walked: Walked::default(), known: HashMap::new(), seen: HashMap::new() };
        let nothing = run.intern(std::iter::empty());
        let mut queue = BinaryHeap::new();
        run.arrive((node, Some(delivery), nothing, false), Verdict::Unknown, 0, None, &mut queue);
        run.follow(queue, work);
        run.walked
    }
}

struct Run<'a> {
    walk: Walk<'a>,
    walked: Walked,
    known: HashMap<Attributes, usize>,
    seen: HashMap<Key, usize>,
}

impl Run<'_> {
    fn follow(&mut self, mut queue: BinaryHeap<Next>, work: &mut Work) {
        let mut done = HashSet::new();
        while let Some((_, _, Reverse(at))) = queue.pop() {
            let Some(state) = self.walked.states.get(at).cloned() else { continue };
            if !done.insert(at) {
                continue;
            }
            for edge in self.edges(&state) {
                if !work.take() {
                    return;
                }
                work.spend(self.step(at, &state, edge, false, &mut queue));
            }
            let answers = state.delivery.and_then(|delivery| self.walk.mesh.index.answered.get(&delivery));
            for edge in answers.into_iter().flatten() {
                if !work.take() {
                    return;
                }
                work.spend(self.step(at, &state, *edge, true, &mut queue));
            }
        }
    }

    /// What events leave a node by: none, where there is no such node.
    fn edges(&self, state: &State) -> Vec<usize> {
        if self.walk.mesh.nodes.get(state.node).is_none_or(|node| node.presence.is_absent()) {
            return Vec::new();
        }
        let index = &self.walk.mesh.index;
        let outgoing = if self.walk.onward { &index.onward } else { &index.outgoing };
        let attributes = self.walked.attributes.get(state.attributes);
        outgoing.get(state.node).zip(attributes).map(|(edges, of)| edges.edges(of)).unwrap_or_default()
    }

    /// Takes an edge where its filter lets the events pass; says what that cost besides.
    fn step(
        &mut self,
        at: usize,
        state: &State,
        edge_at: usize,
        is_answer: bool,
        queue: &mut BinaryHeap<Next>,
    ) -> usize {
        let mesh = self.walk.mesh;
        let Some(edge) = mesh.edges.get(edge_at) else { return 0 };
        let is_left_out = self.walk.within.is_some_and(|edges| !edges.contains(&edge_at));
        if is_left_out || (self.walk.delivered && !edge.delivers()) {
            return 0;
        }
        let nothing = Attributes::new();
        let attributes = match self.walked.attributes.get(state.attributes) {
            Some(attributes) if !is_answer => attributes,
            _ => &nothing,
        };
        let passes = edge.filter.verdict(attributes);
        if passes == Verdict::No {
            return 0;
        }
        let verdict = passes.min(state.verdict).min(if is_answer { Verdict::Unknown } else { Verdict::Yes });
        let learns = passes == Verdict::Unknown && self.walked.attributes.len() < MOST_LEARNED;
        let (after, cost) = if is_answer || learns {
            let after = after(attributes.clone(), &edge.filter);
            (self.intern(after.iter()), LEARNING + after.len())
        } else {
            (state.attributes, 0)
        };
        let delivery = Some(edge_at).filter(|at| self.walk.answers && mesh.index.answered.contains_key(at));
        let undelivered = state.undelivered || edge.relation == Relation::DeadLetter;
        let step = self.walked.steps.len();
        let key = (edge.to, delivery, after, undelivered);
        let to = self.arrive(key, verdict, state.distance + 1, Some(step), queue);
        self.walked.steps.push(Step { from: at, edge: edge_at, to, verdict });
        cost
    }

    fn arrive(
        &mut self,
        key: Key,
        verdict: Verdict,
        distance: usize,
        parent: Option<usize>,
        queue: &mut BinaryHeap<Next>,
    ) -> usize {
        let at = *self.seen.entry(key).or_insert(self.walked.states.len());
        let (node, delivery, attributes, undelivered) = key;
        let state = State { node, attributes, verdict, distance, undelivered, parent, delivery };
        match self.walked.states.get_mut(at) {
            None => self.walked.states.push(state),
            Some(known) if (known.verdict, Reverse(known.distance)) < (verdict, Reverse(distance)) => {
                *known = state;
            }
            Some(_) => return at,
        }
        queue.push((verdict, Reverse(distance), Reverse(at)));
        at
    }

    fn intern<'v>(&mut self, attributes: impl Iterator<Item = (&'v String, &'v Option<String>)>) -> usize {
        let attributes: Attributes = attributes.map(|(name, value)| (name.clone(), value.clone())).collect();
        if let Some(at) = self.known.get(&attributes) {
            return *at;
        }
        let at = self.walked.attributes.len();
        self.walked.attributes.push(attributes.clone());
        self.known.insert(attributes, at);
        at
    }
}

/// What is known of events that passed a filter: where one value alone passes, they have it.
fn after(mut attributes: Attributes, filter: &Filter) -> Attributes {
    for (name, value) in filter.pins() {
        let known = attributes.entry(name).or_default();
        if known.is_none() {
            *known = value;
        }
    }
    attributes
}
