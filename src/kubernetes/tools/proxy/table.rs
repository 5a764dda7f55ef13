//! A table: the API server's printer columns (apimachinery `metav1.Table`), as `kubectl get` shows them.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Output,
    asked::Asked,
    came::{Came, Column},
    listing::room,
    output,
    shown::{is_secret, take_secret},
};
use crate::{
    Error,
    answer::{Answer, Table, redact, sanitise},
    kubernetes::{
        Fault, Object,
        access::{Said, parse},
        raw,
    },
    toolbox::Call,
};

const NARROW: &str = "labelSelector or fieldSelector in query, or a namespace in the path, make it shorter";
/// Columns that are shown at most; API servers have some ten.
const MOST_COLUMNS: usize = 40;
/// What the columns of a Secret may be without telling what is in it.
const OF_SECRETS: [&str; 6] = ["name", "namespace", "type", "data", "age", "created at"];

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    cells: Vec<Value>,
    #[serde(default)]
    object: Value,
}

/// The rows.
pub(super) fn answer(
    call: &Call,
    asked: &Asked,
    said: &Said,
    mut came: Came<'_>,
) -> Result<Answer<Output>, Error> {
    let (rows, page) = came.page(asked);
    let columns = came.columns.unwrap_or_default();
    let mut made = Vec::new();
    for row in rows.raw.iter().skip(asked.place.offset).take(asked.most) {
        let json = row.get().as_bytes();
        let weight = raw::weight(json);
        if weight > raw::HEAVIEST {
            return Err(Fault::TooLarge(raw::HEAVIEST).into());
        }
        let row: Row = parse(json)?;
        made.push(cells(call, asked, &columns, row)?);
    }
    let places = asked.namespace().is_none() && made.iter().any(|row| row.namespace.is_some());
    let shown = || columns.iter().take(MOST_COLUMNS).filter(|column| column.priority == 0);
    let place = places.then(|| "Namespace".to_owned());
    let names: Vec<String> =
        place.into_iter().chain(shown().map(|column| sanitise::line(&column.name).into_owned())).collect();
    let mut table = Table::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut rows = Vec::new();
    let (mut bytes, mut json) = (0, 0);
    for row in made {
        let place = places.then(|| Value::from(row.namespace.unwrap_or_default()));
        let cells: Vec<Value> = place.into_iter().chain(row.cells).collect();
        let texts: Vec<String> = cells.iter().map(text).collect();
        bytes += texts.iter().map(|text| text.len() + 1).sum::<usize>();
        json += cells.iter().map(|cell| cell.to_string().len() + 1).sum::<usize>() + 2;
        if !rows.is_empty() && bytes.max(json) > room(call) {
            break;
        }
        table.row(texts);
        rows.push(cells);
    }
    let taken = rows.len();
    let output =
        Output { columns: Some(names), rows: Some(rows), remaining: page.remaining(taken), ..output(said) };
    let answer = Answer::new(page.summary(taken), table.into_text(), output);
    Ok(answer.gaps(page.gap()).cut(page.cut(call, taken, NARROW)))
}

struct Cells {
    namespace: Option<String>,
    cells: Vec<Value>,
}

/// The cells of the columns that are shown, without what may not be.
fn cells(call: &Call, asked: &Asked, columns: &[Column], row: Row) -> Result<Cells, Error> {
    let access = call.cluster()?;
    let mut object = Object::from_value(row.object).unwrap_or_default();
    let namespace = object.namespace().map(str::to_owned);
    let secret = is_secret(asked, "", &object);
    let hidden = secret && !access.reveals(asked.namespace().or(namespace.as_deref()));
    if secret {
        take_secret(access, asked, &mut object);
    }
    let shown = columns.iter().take(MOST_COLUMNS).zip(row.cells).filter(|(column, _)| column.priority == 0);
    let cells = shown.map(|(column, cell)| {
        let name = column.name.to_ascii_lowercase();
        let told = OF_SECRETS.contains(&name.as_str()) && (name != "data" || cell.is_number());
        if redact::is_secret_key(&column.name) || (hidden && !told) {
            return withheld(&cell);
        }
        match cell {
            Value::Array(_) | Value::Object(_) => redact::values(cell).to_string().into(),
            cell => redact::values(cell),
        }
    });
    Ok(Cells { namespace, cells: cells.collect() })
}

fn withheld(cell: &Value) -> Value {
    match text(cell) {
        text if text.is_empty() => Value::Null,
        text => redact::redacted(text.len()).into(),
    }
}

fn text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
