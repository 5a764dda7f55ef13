//! Where events go from an anchor, and where those that come to it come from.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet},
};

use super::{
    Anchor, Direction, Hop, Mesh, NodeId, Relation, Role, Trace,
    events::{Event, agrees, sent, starts},
    walk::{State, Walk, Walked, Work},
};
use crate::knative::{
    filter::{Attributes, Filter, Verdict},
    resource::Resources,
};

pub(super) fn trace(mesh: &Mesh, resources: &Resources, anchor: &Anchor, direction: Direction) -> Trace {
    let mut found = Found::default();
    let mut work = Work::default();
    let starts = match anchor {
        Anchor::EventType { name, namespace } => {
            let events = named(mesh, resources, name, namespace.as_deref());
            let entries = starts(events.iter().flat_map(|event| event.starts.iter().copied()));
            if direction != Direction::Producers {
                for event in &events {
                    found.onward(&Walk::everywhere(mesh).from(&event.attributes, &event.starts, &mut work));
                }
            }
            if direction != Direction::Consumers {
                let cone = Cone::of(mesh, entries.iter().map(|(node, _)| *node));
                for event in &events {
                    producers_of(mesh, event, &cone, &mut found, &mut work);
                }
            }
            found.event_types.extend(events.iter().filter_map(|event| event.event_type));
            entries.into_iter().map(|(node, _)| node).collect()
        }
        Anchor::Node(node) if *node < mesh.nodes.len() => {
            if direction != Direction::Producers {
                from_node(mesh, resources, *node, &mut found, &mut work);
            }
            if direction != Direction::Consumers {
                to_node(mesh, resources, *node, &mut found, &mut work);
            }
            vec![*node]
        }
        Anchor::Node(_) => Vec::new(),
    };
    found.told(starts, !resources.unread.is_empty(), work.ran_out())
}

/// The events of a type: of each EventType of that name, and of the sources that send it.
fn named(mesh: &Mesh, resources: &Resources, name: &str, namespace: Option<&str>) -> Vec<Event> {
    let is_here = |there: &str| namespace.is_none_or(|namespace| namespace == there);
    let of_name = mesh.index.event_types.get(name).into_iter().flatten().copied();
    let here = of_name.filter(|at| {
        let event_type = resources.event_types.get(*at);
        event_type.is_some_and(|event_type| is_here(&event_type.resource.reference.namespace))
    });
    let mut events: Vec<Event> = here.filter_map(|at| mesh.event_of(resources, at)).collect();
    let senders = mesh.index.senders.get(name).into_iter().flatten();
    for sender in senders {
        let Some(source) = resources.sources.get(sender.source) else { continue };
        let declared = events.iter().filter(|event| event.event_type.is_some());
        let is_declared = |event: &Event| {
            let mut sinks = mesh.sinks(sender.source);
            agrees(sender, &event.attributes)
                && sinks.all(|sink| event.starts.iter().any(|(node, _)| *node == sink))
        };
        if !is_here(&source.resource.reference.namespace) || declared.take(LIKE).any(is_declared) {
            continue;
        }
        let named = [("type", Some(name.to_owned())), ("source", sender.origin.clone())];
        let attributes = named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let starts = starts(mesh.sinks(sender.source).map(|sink| (sink, sender.verdict)));
        events.push(Event { attributes, starts, event_type: None });
    }
    if events.is_empty() {
        events.extend(unannounced(mesh, name, namespace));
    }
    joined(events)
}

/// Events of a type that nothing declares or sends: they may be posted to any Broker of which a Trigger asks for them.
fn unannounced(mesh: &Mesh, name: &str, namespace: Option<&str>) -> Option<Event> {
    let attributes = Attributes::from([("type".to_owned(), Some(name.to_owned()))]);
    let asks = mesh.edges.iter().filter(|edge| {
        let broker = mesh.nodes.get(edge.from).map(|node| &node.id);
        let is_here = |home| matches!(broker, Some(NodeId::Object(broker)) if broker.namespace == home);
        edge.relation == Relation::Trigger
            && edge.filter != Filter::Everything
            && namespace.is_none_or(is_here)
            && edge.filter.verdict(&attributes) != Verdict::No
    });
    let starts = starts(asks.map(|edge| (edge.from, Verdict::Unknown)));
    (!starts.is_empty()).then_some(Event { attributes, starts, event_type: None })
}

/// EventTypes of one name that are compared with a source.
const LIKE: usize = 50;

/// Events that are alike once, with all their starts.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut alike: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in events {
        alike.entry((event.attributes, event.event_type)).or_default().extend(event.starts);
    }
    let each = alike.into_iter();
    each.map(|((attributes, event_type), all)| Event {
        attributes,
        starts: starts(all.into_iter()),
        event_type,
    })
    .collect()
}

/// From a node on: what is known to come by, what may besides, and what it answers.
fn from_node(mesh: &Mesh, resources: &Resources, node: usize, found: &mut Found, work: &mut Work) {
    let mut events: Vec<(Attributes, Verdict)> = Vec::new();
    if mesh.nodes.get(node).is_some_and(|node| node.role == Role::Source) {
        let sources = resources.sources.iter().zip(&mesh.index.sources).filter(|(_, at)| **at == node);
        events.extend(sources.flat_map(|(source, _)| sent(source)));
    } else {
        let entering = mesh.entering(resources, &mut Work::default());
        events.extend(entering.at(node).map(|(attributes, verdict)| (attributes.clone(), verdict)));
        events.push((Attributes::new(), Verdict::Yes));
    }
    for (attributes, verdict) in events {
        found.onward(&Walk::everywhere(mesh).from(&attributes, &[(node, verdict)], work));
    }
    for delivery in mesh.index.incoming.get(node).into_iter().flatten() {
        if mesh.index.answered.contains_key(delivery) {
            found.onward(&Walk::everywhere(mesh).answers_to(*delivery, node, work));
        }
    }
}

/// To a node: what each source and EventType before it sends, as far as it gets there, and whatever else may.
fn to_node(mesh: &Mesh, resources: &Resources, node: usize, found: &mut Found, work: &mut Work) {
    let cone = Cone::of(mesh, std::iter::once(node));
    let of_types = (0..resources.event_types.len()).filter_map(|at| mesh.event_of(resources, at));
    let is_before = |event: &Event| event.starts.iter().any(|(start, _)| cone.nodes.contains(start));
    for event in of_types.chain(mesh.events_of_sources(resources)).filter(is_before) {
        let walked = Walk::within(mesh, &cone.edges).from(&event.attributes, &event.starts, work);
        if found.backward(&walked, &cone) {
            found.event_types.extend(event.event_type);
        }
    }
    for before in cone.passing(mesh).filter(|before| *before != node) {
        let walked =
            Walk::within(mesh, &cone.edges).from(&Attributes::new(), &[(before, Verdict::Yes)], work);
        found.backward(&walked, &cone);
    }
}

/// To where events of a type enter: from the sources that send it, and from what may pass it on.
fn producers_of(mesh: &Mesh, event: &Event, cone: &Cone, found: &mut Found, work: &mut Work) {
    let name = event.attributes.get("type").and_then(Option::as_deref).unwrap_or_default();
    let node_of = |source: usize| mesh.index.sources.get(source).copied();
    let senders =
        mesh.index.senders.get(name).into_iter().flatten().filter(|sender| agrees(sender, &event.attributes));
    let sure = senders.filter_map(|sender| Some((node_of(sender.source)?, sender.verdict)));
    let silent = mesh.index.silent.iter().filter_map(|source| Some((node_of(*source)?, Verdict::Unknown)));
    let passing =
        cone.passing(mesh).filter(|node| !cone.targets.contains(node)).map(|node| (node, Verdict::Unknown));
    let from = starts(sure.chain(silent).chain(passing).filter(|(node, _)| cone.nodes.contains(node)));
    let walked = Walk::within(mesh, &cone.edges).from(&event.attributes, &from, work);
    found.backward(&walked, cone);
}

/// What lies before some nodes, whatever the filters say.
struct Cone {
    targets: HashSet<usize>,
    nodes: HashSet<usize>,
    edges: HashSet<usize>,
}

impl Cone {
    fn of(mesh: &Mesh, targets: impl Iterator<Item = usize>) -> Self {
        let targets: HashSet<usize> = targets.collect();
        let mut cone = Self { nodes: targets.clone(), targets, edges: HashSet::new() };
        let mut pending: Vec<usize> = cone.targets.iter().copied().collect();
        while let Some(node) = pending.pop() {
            for at in mesh.index.incoming.get(node).into_iter().flatten() {
                let mut next = Some(*at);
                // what is answered begins with what is answered to
                while let Some(at) = next.filter(|at| cone.edges.insert(*at)) {
                    let Some(edge) = mesh.edges.get(at) else { break };
                    next = edge.answers;
                    if next.is_none() && cone.nodes.insert(edge.from) {
                        pending.push(edge.from);
                    }
                }
            }
        }
        cone
    }

    fn passing<'a>(&'a self, mesh: &'a Mesh) -> impl Iterator<Item = usize> + 'a {
        let mut nodes: Vec<usize> = self.nodes.iter().copied().collect();
        nodes.sort_unstable();
        nodes.into_iter().filter(|node| mesh.index.passes.get(*node) == Some(&true))
    }
}

/// The hops that were found, each edge once.
#[derive(Default)]
struct Found {
    hops: BTreeMap<usize, (usize, Verdict)>,
    event_types: BTreeSet<usize>,
}

impl Found {
    fn hop(&mut self, edge: usize, distance: usize, verdict: Verdict) {
        let known = self.hops.entry(edge).or_insert((distance, verdict));
        *known = (known.0.min(distance), known.1.max(verdict));
    }

    fn onward(&mut self, walked: &Walked) {
        for step in &walked.steps {
            let distance = walked.states.get(step.from).map_or(0, |state| state.distance);
            self.hop(step.edge, distance + 1, step.verdict);
        }
    }

    /// The steps that lead to a target, counted from there; whether there is any way at all.
    fn backward(&mut self, walked: &Walked, cone: &Cone) -> bool {
        let mut before: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, step) in walked.steps.iter().enumerate() {
            before.entry(step.to).or_default().push(at);
        }
        let is_target = |state: &State| cone.targets.contains(&state.node);
        let there = walked.states.iter().enumerate().filter(|(_, state)| is_target(state));
        let mut queue: BinaryHeap<(Verdict, Reverse<usize>, Reverse<usize>)> =
            there.map(|(at, _)| (Verdict::Yes, Reverse(0), Reverse(at))).collect();
        let is_reached = !queue.is_empty();
        let mut done = HashSet::new();
        while let Some((verdict, Reverse(distance), Reverse(state))) = queue.pop() {
            if !done.insert(state) {
                continue;
            }
            for at in before.get(&state).into_iter().flatten() {
                let Some(step) = walked.steps.get(*at) else { continue };
                let verdict = verdict.min(step.verdict);
                self.hop(step.edge, distance + 1, verdict);
                queue.push((verdict, Reverse(distance + 1), Reverse(step.from)));
            }
        }
        is_reached
    }

    fn told(self, starts: Vec<usize>, is_partial: bool, cut: bool) -> Trace {
        let unsure = is_partial || cut || self.hops.values().any(|(_, verdict)| *verdict != Verdict::Yes);
        let each = self.hops.into_iter();
        let mut hops: Vec<Hop> =
            each.map(|(edge, (distance, verdict))| Hop { distance, edge, verdict }).collect();
        hops.sort_by_key(|hop| (hop.distance, hop.edge));
        Trace { hops, starts, event_types: self.event_types.into_iter().collect(), unsure, cut }
    }
}
