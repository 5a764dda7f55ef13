//! What is no JSON: logs and metrics, a page of lines; of anything else, what it is and how large.

use super::{Output, asked::Asked, listing::room, output, place::Place};
use crate::{
    Error,
    answer::{Answer, Cut, redact, sanitise},
    kubernetes::{access::Said, operation::count},
    toolbox::Call,
};

pub(super) fn answer(
    call: &Call,
    asked: &Asked,
    said: &Said,
    kind: Option<&str>,
) -> Result<Answer<Output>, Error> {
    let bytes = said.body.len();
    let output = Output { content_type: kind.map(str::to_owned), bytes: Some(bytes), ..output(said) };
    // an object in another form than JSON could hold what is redacted in that
    let textual = asked.logs() || kind.is_none_or(|kind| kind.starts_with("text/"));
    let body = std::str::from_utf8(&said.body).ok().filter(|text| !text.contains('\0'));
    let body = match body {
        Some(body) if textual && !asked.objects() => body,
        _ if bytes == 0 => "",
        _ => {
            let kind = kind.unwrap_or("of no type that it names");
            let summary =
                format!("{}: {bytes} bytes {kind}, which this tool does not show", asked.target.path());
            return Ok(Answer::new(summary, "", output));
        }
    };
    let body = redact::text(body);
    let body = sanitise::text(&body);
    let lines: Vec<&str> = body.lines().collect();
    let (first, last) = if asked.logs() { newest(call, &lines) } else { page(call, asked, &lines) };
    let text = lines.get(first..last).unwrap_or_default().join("\n");
    let rows = format!("lines {} to {last} of {}", first + 1, lines.len());
    let cut = if asked.logs() {
        (first > 0).then(|| Cut {
            what: rows.clone(),
            narrow: "the newest are shown; sinceSeconds or tailLines in query make it shorter, a larger limit shows more"
                .to_owned(),
            next_cursor: None,
        })
    } else {
        (last < lines.len()).then(|| Cut {
            what: rows.clone(),
            narrow: "pass next_cursor as cursor with the same arguments".to_owned(),
            next_cursor: Place { offset: last, ..Place::default() }.cursor(call),
        })
    };
    let summary = match (lines.len(), cut.is_some() || first > 0) {
        (0, _) => format!("{}: empty", asked.target.path()),
        (_, true) => format!("{}: {rows}", asked.target.path()),
        (all, false) => format!("{}: {}", asked.target.path(), count(all, "line")),
    };
    Ok(Answer::new(summary, text.clone(), Output { text: Some(text), ..output }).cut(cut))
}

/// A line as JSON, in which control characters and quotes take more.
fn size(line: &str) -> usize {
    serde_json::to_string(line).map_or(line.len(), |json| json.len())
}

/// How many of these lines fit; one at least.
fn fit<'l>(call: &Call, lines: impl Iterator<Item = &'l &'l str>) -> usize {
    let room = room(call);
    let mut bytes = 0;
    let fits = lines.take_while(|line| {
        bytes += size(line) + 1;
        bytes <= room
    });
    fits.count().max(1)
}

fn newest(call: &Call, lines: &[&str]) -> (usize, usize) {
    (lines.len().saturating_sub(fit(call, lines.iter().rev())), lines.len())
}

fn page(call: &Call, asked: &Asked, lines: &[&str]) -> (usize, usize) {
    let first = asked.place.offset.min(lines.len());
    let last = first + fit(call, lines.iter().skip(first));
    (first, last.min(lines.len()))
}
