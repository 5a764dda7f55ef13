//! A list as JSON, item by item: no more of it is expanded than fits the answer.

use serde_json::{Map, Value, value::RawValue};

use super::{Form, Output, asked::Asked, came::Came, fields::Fields, output, shown::shown};
use crate::{
    Error,
    answer::Answer,
    kubernetes::{
        Access, Fault, Object,
        access::{Said, parse},
        raw,
    },
    toolbox::Call,
};

/// What a list may be narrowed with.
const NARROW: &str = "labelSelector or fieldSelector in query, fields, or as: table make it shorter";

/// The page of a list.
pub(super) fn answer(
    call: &Call,
    asked: &Asked,
    said: &Said,
    mut came: Came<'_>,
) -> Result<Answer<Output>, Error> {
    let kind = came.listed().unwrap_or_default().to_owned();
    let (items, page) = came.page(asked);
    let access = call.cluster()?;
    let room = room(call);
    let (mut shown, mut too_large) = (Vec::new(), Vec::new());
    let (mut taken, mut bytes) = (0, 0);
    for item in items.raw.iter().skip(asked.place.offset).take(asked.most) {
        match one(access, asked, &kind, item)? {
            Some(item) => {
                bytes += item.to_string().len() + 1;
                if bytes > room && !shown.is_empty() {
                    break;
                }
                shown.push((taken, item));
            }
            None => too_large.push(taken),
        }
        taken += 1;
    }
    let (mut text, mut fit) = (String::new(), 0);
    for (at, item) in &mut shown {
        // all Secrets of the page were seen by now
        scrub(call, item);
        let yaml = serde_saphyr::to_string(&[&*item]).unwrap_or_else(|_| item.to_string());
        if fit > 0 && text.len() + yaml.len() > room {
            taken = *at;
            break;
        }
        text.push_str(yaml.trim_end());
        text.push('\n');
        fit += 1;
    }
    let shown: Vec<Value> = shown.into_iter().take(fit).map(|(_, item)| item).collect();
    let mut summary = page.summary(taken);
    if asked.form == Form::Table {
        summary.push_str("; this API has no table form");
    }
    let missing = asked.fields.as_ref().map(|fields| fields.missing(&shown)).unwrap_or_default();
    if !missing.is_empty() && !shown.is_empty() {
        summary.push_str(&format!("; none of them has {}{}", missing.join(", "), Fields::hint(&missing)));
        if shown.iter().all(|item| item.as_object().is_some_and(Map::is_empty)) {
            text.clear();
        }
    }
    let too_large = too_large.into_iter().filter(|at| *at < taken).count();
    let gaps = [
        (too_large > 0).then(|| format!("{too_large} items are too large to be shown")),
        (text.len() > room || bytes > room && fit == 1)
            .then(|| "the item is larger than an answer may be, and shown in part: use fields".to_owned()),
        page.gap(),
    ];
    let output = Output {
        kind: Some(kind).filter(|kind| !kind.is_empty()),
        items: Some(shown),
        remaining: page.remaining(taken),
        ..output(said)
    };
    let answer = Answer::new(summary, text, output).gaps(gaps.into_iter().flatten());
    Ok(answer.cut(page.cut(call, taken, NARROW)))
}

/// Room for items, beside summary, gaps and cursor.
pub(super) fn room(call: &Call) -> usize {
    call.budget().bytes.saturating_sub(2_500).max(500)
}

/// Takes out what was learned of Secrets by now.
pub(super) fn scrub(call: &Call, value: &mut Value) {
    let mut object = Object::default();
    object.members_mut().insert("value".to_owned(), value.take());
    call.scrub(&mut object);
    *value = object.members_mut().remove("value").unwrap_or_default();
}

/// `None` where it is too large to be expanded.
fn one(access: &Access, asked: &Asked, kind: &str, item: &RawValue) -> Result<Option<Value>, Fault> {
    let json = item.get().as_bytes();
    let weight = raw::weight(json);
    if json.len() > raw::LARGEST || weight > raw::HEAVIEST {
        return Ok(None);
    }
    access.keep(weight)?;
    let item = shown(access, asked, kind, parse(json)?);
    Ok(Some(match &asked.fields {
        Some(fields) => fields.of(&item),
        None => item,
    }))
}
