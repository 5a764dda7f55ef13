//! `knative_event_mesh`: who emits events, what they pass through, and who gets them.

mod anchor;
mod consumers;
mod followed;
mod input;
mod output;
mod part;
mod tables;
mod words;

use crate::{
    Error, ErrorKind,
    answer::{Answer, Cut, counted},
    knative::{
        fetch::{self, Asked},
        mesh::Mesh,
        picture::{self, Language},
        resource::Resources,
    },
    permission::{Extent, Permission},
    toolbox::{Call, Reach, Tool},
};

use followed::Followed;
use input::{Format, Input, Way};
use output::{Counts, Output, Wrong};
use part::Part;

const FILTERED: &str = "filtered to the namespaces that you may see";
const NARROW: &str = "narrow it with namespace, event_type, broker or consumer";
/// Kinds without which there is no Knative Eventing.
const KINDS: usize = 4;

/// The handler.
#[derive(Debug)]
pub struct ShowEventMesh;

impl Tool for ShowEventMesh {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        let namespace = input.namespace.as_ref().map_or(Extent::Anywhere, Extent::named);
        Reach::Cluster { cluster: input.cluster.clone(), namespace }
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        input.check()?;
        let access = call.cluster()?;
        let asked = Asked { namespace: input.namespace.as_deref(), ..Asked::default() };
        let resources = fetch::read(access, asked).await?;
        let cluster = call.toolbox().clusters().shown_name(access.cluster());
        let gaps = gaps(&call, &resources);
        // thousands of filters against hundreds of types are no work for a thread that serves others
        let answered = tokio::task::spawn_blocking(move || answer(&call, &input, &resources, cluster));
        let defect = |_| Error::new(ErrorKind::Internal, "the mesh could not be joined");
        answered.await.map_err(defect)?.map(|answer| answer.gaps(gaps))
    }
}

/// What could not be seen, whether or not there is something.
fn gaps(call: &Call, resources: &Resources) -> Vec<String> {
    let mut gaps = Vec::new();
    let Ok(access) = call.cluster() else { return gaps };
    let cluster = Extent::Named(access.cluster().names());
    if !call.caller().permissions().covers_cluster(Permission::KnativeEventMeshView, &cluster) {
        gaps.push(FILTERED.to_owned());
    }
    gaps.extend(resources.unread.iter().map(|unread| format!("{}: {}", unread.kind, unread.why)));
    // they name CRDs
    gaps.extend(resources.remarks.iter().filter(|_| access.sees(None)).cloned());
    if !is_absent(resources) {
        let none =
            resources.not_installed.iter().map(|kind| format!("{kind} is not installed in this cluster"));
        gaps.extend(none);
    }
    gaps
}

fn is_absent(resources: &Resources) -> bool {
    resources.not_installed.len() >= KINDS
        && resources.channels.is_empty()
        && resources.flows.is_empty()
        && resources.sources.is_empty()
}

fn answer(
    call: &Call,
    input: &Input,
    resources: &Resources,
    cluster: String,
) -> Result<Answer<Output>, Error> {
    if is_absent(resources) {
        let line = format!(
            "Knative Eventing is not installed in {cluster}: it serves no Broker, Trigger, EventType or Subscription"
        );
        return Ok(Answer::new(line, "", Output { cluster, ..Output::default() }));
    }
    let mesh = Mesh::build(resources);
    let anchors = anchor::anchors(&mesh, resources, input)?;
    let part = Part::of(&mesh, resources, input.namespace.as_deref(), &anchors);
    let followed = input.direction.map(|way| followed::follow(&part, &anchors, way));
    let base = Output { cluster, namespace: input.namespace.clone(), ..Output::default() };
    let language = match input.format.unwrap_or_default() {
        Format::Tables => None,
        Format::Mermaid => Some(Language::Mermaid),
        Format::Dot => Some(Language::Dot),
    };
    match (language, followed) {
        (Some(language), followed) => Ok(drawn(call, input, &part, base, followed, language)),
        (None, Some(followed)) => hops(call, input, &part, base, followed),
        (None, None) => overview(call, input, &part, base),
    }
}

/// What is asked about, in words.
fn about(input: &Input, cluster: &str) -> String {
    let mut words = format!("Event mesh of {cluster}");
    let asked = [
        ("namespace", &input.namespace),
        ("event type", &input.event_type),
        ("broker", &input.broker),
        ("consumer", &input.consumer),
    ];
    for (name, value) in asked {
        words.extend(value.iter().map(|value| format!(", {name} {}", words::short(value))));
    }
    words
}

fn overview(call: &Call, input: &Input, part: &Part<'_>, base: Output) -> Result<Answer<Output>, Error> {
    let rows = consumers::rows(part);
    let wrong = Wrong::of(part);
    let counts = Counts::of(part, rows.len());
    let line =
        format!("{}: {}; {}", about(input, &base.cluster), counts.words(), wrong.words(part.resources));
    let mut output = Output { counts: Some(counts), ..base };
    // the small tables are on the first page alone
    let mut body = match input.cursor {
        None => output.small_tables(part, &wrong, call.budget().bytes),
        Some(_) => String::new(),
    };
    let taken = body.len().max(output.size());
    let (page, cut) = call.page_beside(rows, input.cursor.as_deref(), NARROW, taken)?;
    body.push_str(&format!("\n{}", page.table));
    output.consumers = page.rows.rows;
    Ok(Answer::new(line, body.trim(), output).cut(cut.map(of_consumers)))
}

fn of_consumers(cut: Cut) -> Cut {
    Cut { what: format!("consumers: {}", cut.what), ..cut }
}

fn hops(
    call: &Call,
    input: &Input,
    part: &Part<'_>,
    base: Output,
    followed: Followed,
) -> Result<Answer<Output>, Error> {
    let line = line(input, &base, &followed);
    let wrong = Wrong::of(part);
    let mut output = Output { direction: input.direction, ..base };
    let mut body = String::new();
    if input.cursor.is_none() {
        output.followed = Some(followed.found);
        body = output.findings(&wrong, call.budget().bytes);
    }
    let taken = (body.len() + line.len()).max(output.size());
    let (page, cut) = call.page_beside(followed.rows, input.cursor.as_deref(), NARROW, taken)?;
    body.push_str(&format!("\n{}", page.table));
    output.hops = page.rows.rows;
    Ok(Answer::new(line, body.trim(), output)
        .cut(cut.map(|cut| Cut { what: format!("hops: {}", cut.what), ..cut })))
}

fn line(input: &Input, base: &Output, followed: &Followed) -> String {
    let hops = counted(followed.rows.len(), "hop");
    let unsure = if followed.unsure { "; what is marked maybe depends on what is not known" } else { "" };
    let way = match input.direction {
        Some(Way::Producers) => "where it comes from",
        Some(Way::Consumers) => "who gets it",
        _ => "its path",
    };
    format!("{}, {way}: {}; {hops}{unsure}", about(input, &base.cluster), followed.words)
}

fn drawn(
    call: &Call,
    input: &Input,
    part: &Part<'_>,
    base: Output,
    followed: Option<Followed>,
    language: Language,
) -> Answer<Output> {
    let wrong = Wrong::of(part);
    let rows = consumers::rows(part).len();
    let mut edges: Vec<usize> = part.edges.iter().copied().collect();
    let (line, found) = match followed {
        Some(followed) => {
            edges.clone_from(&followed.edges);
            edges.dedup();
            (line(input, &base, &followed), Some(followed.found))
        }
        None => {
            // so that what is cut for size is what nobody has to look at
            edges.sort_by_key(|index| {
                !part.mesh.edges.get(*index).is_some_and(|edge| consumers::is_abnormal(part, edge))
            });
            let counts = Counts::of(part, rows);
            (
                format!(
                    "{}: {}; {}",
                    about(input, &base.cluster),
                    counts.words(),
                    wrong.words(part.resources)
                ),
                None,
            )
        }
    };
    let is_followed = found.is_some();
    let mut output = Output { direction: input.direction, followed: found, ..base };
    let body = output.findings(&wrong, call.budget().bytes / 2);
    let room = call.budget().bytes.saturating_sub(1_000 + (body.len() + line.len()).max(output.size()));
    let alone: Vec<usize> = if is_followed { Vec::new() } else { part.nodes.iter().copied().collect() };
    let picture = picture::draw(part.mesh, edges.iter().copied(), alone.iter().copied(), language, room);
    let nodes = if is_followed { picture.nodes } else { alone.len() };
    let is_whole = picture.edges == edges.len() && picture.nodes >= nodes;
    let cut = (!is_whole).then(|| Cut {
        what: format!(
            "{} of {} edges are drawn, {} of {nodes} nodes",
            picture.edges,
            edges.len(),
            picture.nodes
        ),
        narrow: format!("{NARROW}, or ask for more with limit"),
        next_cursor: None,
    });
    let body = format!("{body}\n{}", picture.source);
    output.picture = Some(picture.source);
    Answer::new(line, body.trim(), output).cut(cut)
}

#[cfg(test)]
mod tests;
