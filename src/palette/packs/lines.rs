//! Values that are no YAML (macros without quotes, templates, plain text), judged line by line.

use crate::answer::redact::{self, is_secret_key, is_secret_text, redacted};

/// No line that people write is longer; what is in one cannot be judged by it.
const LONGEST: usize = 4_000;
/// Members that name what is beside them.
const NAMES: [&str; 3] = ["name", "key", "id"];
/// Members whose values are those of the name beside them.
const VALUES: [&str; 3] = ["value", "values", "default"];

/// The text without comments and without what stands under secret-looking names; nothing where lines do not tell
/// which is which. Where it is in doubt what belongs to a name, it is taken out too.
pub(super) fn judged(text: &str) -> Option<String> {
    if text.contains('\0') || text.lines().any(|line| line.len() > LONGEST) || holds_secret(text) {
        return None;
    }
    let mut kept = Vec::new();
    let mut after = After::Nothing;
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || (content.starts_with('#') && !matches!(after, After::Quote(_))) {
            continue;
        }
        let indent = indent(line);
        let (dropped, next) = after.over(content, indent);
        after = next;
        if dropped {
            continue;
        }
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        if is_named_beside(line) {
            kept.push(format!("{}{}", line.get(..indent).unwrap_or_default(), redacted(content.len())));
            after = After::Deeper(indent);
            continue;
        }
        let Some(end) = secret_from(line) else {
            kept.push(line.to_owned());
            continue;
        };
        let (key, value) = line.split_at(end);
        kept.push(format!("{key} {}", redacted(value.trim().len())));
        let element = line.contains('<') && key.ends_with('>') && !value.contains("</");
        after = if element { After::Element } else { After::value(value.trim(), indent) };
    }
    neighbours(&mut kept);
    Some(redact::text(&kept.join("\n")).into_owned())
}

/// What of the next lines belongs to a secret-looking name.
#[derive(Clone, Copy)]
enum After {
    Nothing,
    /// What is deeper than the name, and a list below it.
    Deeper(usize),
    /// The same, and the next line wherever it stands, unless that is a member by itself.
    Next(usize),
    /// All up to the next member that is no deeper: a block scalar, be it indented or not.
    Block(usize),
    /// All up to this mark.
    Quote(char),
    /// All up to the end of an element.
    Element,
}

impl After {
    fn value(value: &str, indent: usize) -> Self {
        let mark = value.chars().next().filter(|mark| matches!(mark, '"' | '\''));
        let bare = value.trim_matches(|c: char| {
            matches!(c, '"' | '\'' | ',' | '[' | ']' | '{' | '}' | '\\') || c.is_whitespace()
        });
        match mark {
            _ if value.starts_with(['|', '>']) && value.len() <= 4 => Self::Block(indent),
            Some(mark) if value.trim_matches(mark).len() > 1 || value.len() == 1 => {
                let open = value.matches(mark).count() % 2 == 1;
                if open { Self::Quote(mark) } else { Self::Deeper(indent) }
            }
            _ if bare.is_empty() => Self::Next(indent),
            _ => Self::Deeper(indent),
        }
    }

    /// Whether a line belongs to the name, and what of those after it does.
    fn over(self, content: &str, indent: usize) -> (bool, Self) {
        let below = |key: usize| indent > key || (indent == key && content.starts_with("- "));
        match self {
            Self::Deeper(key) | Self::Next(key) | Self::Block(key) if below(key) => (true, self.once(key)),
            Self::Next(key) if !is_member(content) => (true, Self::Deeper(key)),
            Self::Block(_) if !is_member(content) => (true, self),
            Self::Quote(mark) if content.contains(mark) => (true, Self::Nothing),
            Self::Element if content.contains("</") => (true, Self::Nothing),
            Self::Quote(_) | Self::Element => (true, self),
            _ => (false, Self::Nothing),
        }
    }

    /// After a line that was deeper.
    fn once(self, key: usize) -> Self {
        match self {
            Self::Next(_) => Self::Deeper(key),
            other => other,
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// `name: …`, `"name":`, `- name: …`, and what closes an object.
fn is_member(content: &str) -> bool {
    let content = content.trim_start_matches("- ");
    let key = |(key, value): (&str, &str)| {
        let key = key.trim_matches(['"', '\'']);
        let plain =
            !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
        plain && (value.is_empty() || value.starts_with([' ', '\t']))
    };
    content.split_once(':').is_some_and(key) || content.starts_with(['}', ']'])
}

/// Whether an object of the kind Secret may be in it: its values stand under any name.
fn holds_secret(text: &str) -> bool {
    let mut kind = false;
    text.lines().map(|line| line.trim().to_lowercase()).filter(|line| !line.is_empty()).any(|line| {
        // the value of a `kind:` may stand on the line after it
        let found = line.contains("secret") && (kind || line.contains("kind"));
        kind = line.trim_end_matches(['"', '\'', ':', ' ', '>', '|', '-']).ends_with("kind");
        found
    })
}

/// The words of a line, with what is before and after each.
fn words(line: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + line.get(at..)?.find(is_word)?;
        let end = line.get(start..)?.find(|c| !is_word(c)).map_or(line.len(), |end| start + end);
        at = end;
        Some((start, line.get(start..end)?, line.get(end..)?))
    })
}

/// Whether a line both names a secret and has a `value`: `{name: DB_PASSWORD, value: …}`, `<x name="token" value="…"/>`.
fn is_named_beside(line: &str) -> bool {
    let value = |word: &str| VALUES.iter().any(|value| word.eq_ignore_ascii_case(value));
    words(line).any(|(_, word, _)| value(word))
        && words(line).any(|(_, word, _)| is_secret_text(word) && !value(word))
}

/// Where the value of the first secret-looking name of a line begins: after `password:`, `"token" =`, `--secret `,
/// `<password>`, `password `.
fn secret_from(line: &str) -> Option<usize> {
    words(line).find_map(|(start, word, after)| {
        let end = start + word.len();
        let bare = after.trim_start_matches(['"', '\'', '\\']).trim_start();
        let assigned = bare.starts_with([':', '=', '>']);
        let value = bare.get(1..).unwrap_or_default().trim_start();
        let opens = value.is_empty() || value.starts_with(['{', '[', '&']);
        if assigned && (is_secret_key(word) || (is_secret_text(word) && !opens)) {
            return Some(end + after.len() - bare.len() + 1);
        }
        let flag = word.starts_with('-') && word.len() > 1;
        let spaced = after.starts_with([' ', '\t'])
            && !bare.is_empty()
            && !bare.starts_with(['|', '}', ')', '!', '&', ']']);
        (is_secret_key(word) && (flag || spaced)).then_some(end)
    })
}

/// `name: DB_PASSWORD` and `value: …` in one object, in either order, with other members between them.
fn neighbours(lines: &mut Vec<String>) {
    let named: Vec<Option<bool>> = lines.iter().map(|line| names_secret(line)).collect();
    let mut taken = vec![false; lines.len()];
    for at in (0..lines.len()).filter(|at| named.get(*at) == Some(&Some(true))) {
        let Some(named_at) = lines.get(at).map(|line| column(line)) else { continue };
        let begins = |at: usize| lines.get(at).is_some_and(|line| line.trim_start().starts_with("- "));
        let within = |at: &usize| lines.get(*at).is_some_and(|line| column(line) >= named_at);
        let other = |at: &usize| named.get(*at).copied().flatten().is_some();
        let after = (at + 1..lines.len()).take_while(|at| within(at) && !other(at));
        let mut ended = begins(at);
        let before = (0..at).rev().take_while(|at| {
            let more = !ended && within(at) && !other(at);
            ended |= begins(*at);
            more
        });
        for near in after.chain(before).collect::<Vec<_>>() {
            if let Some(taken) = taken.get_mut(near) {
                *taken = true;
            }
        }
    }
    let mut below: Option<usize> = None;
    let mut kept = Vec::with_capacity(lines.len());
    for (line, near) in lines.drain(..).zip(taken) {
        let value =
            member(&line).filter(|(key, _)| VALUES.iter().any(|value| key.eq_ignore_ascii_case(value)));
        if near
            && below.is_some_and(|key| column(&line) > key || (value.is_none() && !is_member(line.trim())))
        {
            continue;
        }
        below = None;
        match value.filter(|_| near) {
            Some((key, value)) => {
                below = Some(column(&line));
                let lead: String = line.chars().take_while(|c| matches!(c, ' ' | '\t' | '-')).collect();
                kept.push(format!("{lead}{key}: {}", redacted(value.len())));
            }
            None => kept.push(line),
        }
    }
    *lines = kept;
}

/// Whether a line is the name of something, and that of a secret.
fn names_secret(line: &str) -> Option<bool> {
    let (key, value) = member(line)?;
    NAMES
        .iter()
        .any(|name| key.eq_ignore_ascii_case(name))
        .then(|| !value.starts_with('{') && is_secret_text(&value))
}

fn member(line: &str) -> Option<(String, String)> {
    let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
    let marks = |c: char| matches!(c, '"' | '\'' | ',') || c.is_whitespace();
    Some((key.trim_matches(marks).to_owned(), value.trim_matches(marks).to_owned()))
}

/// Where the key of a member begins, behind the dash of a list.
fn column(line: &str) -> usize {
    let content = line.trim_start();
    indent(line) + content.len() - content.trim_start_matches(['-', ' ']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_comments_and_what_is_secret_by_name() {
        let text = "# admin: planted-1\nport: {{ .spectro.var.port }}\nadminPassword: planted-2 # planted-3\n\
                    token: |\n  planted-4\n  planted-5\nnext: 1\nsecretKey:\n- planted-6\n- planted-7\n\
                    flow: {a: 1, \"apiKey\": planted-8}\nargs: --password planted-9\nenv:\n- name: DB_PASSWORD\n  \
                    value: planted-10\n- value: planted-11\n  name: API_TOKEN\nquoted: 1\npwd: \"planted-12\nplanted-13\n\
                    planted-14\"\nlast: 2";
        let shown = judged(text).expect("judged");
        assert!(!shown.contains("planted"), "{shown}");
        for kept in [
            "port: {{ .spectro.var.port }}",
            "adminPassword: <redacted:9 bytes>",
            "next: 1",
            "a: 1",
            "last: 2",
        ] {
            assert!(shown.contains(kept), "{kept} in {shown}");
        }
    }

    #[test]
    fn what_lines_cannot_tell_is_not_shown() {
        let long = "x".repeat(5_000);
        for text in [
            "kind: Secret\ndata: {{ x }}\n  a: b",
            "a\0b",
            "KIND: secret\n\tx",
            "\"kind\":\n\"Secret\"",
            long.as_str(),
        ] {
            assert!(judged(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_belongs_to_a_name_in_another_form_goes_too() {
        for text in [
            "args:\n- --password\n- planted",
            "[\n\"--api-key\",\n\"planted\"\n]",
            "env: [{name: DB_PASSWORD, value: planted}]",
            "env: [{value: planted, name: DB_PASSWORD}]",
            "- name: DB_PASSWORD\n  optional: true\n  value: planted",
            "- name: DB_PASSWORD\n  value: |\n    planted\n    planted",
            "- value: planted\n  optional: true\n  name: DB_PASSWORD",
            "{\n  \"name\": \"X_TOKEN\",\n  \"kind\": \"x\",\n  \"value\": \"planted\"\n}",
            "\"password\":\n\"planted\",\nx: 1",
            "password: |\nplanted\nplanted again\nx: 1",
            "<password>planted</password>",
            "<password>\n  planted\n  planted\n</password>",
            "<property name=\"password\" value=\"planted\"/>",
            "x {\"auths\":{\"r\":{\"auth\":\"planted\"}}}",
            "requirepass planted",
            "tls.key: planted",
            "run --client-secret=planted",
            "cookie: planted",
        ] {
            let text = format!("first: {{{{ .x }}}}\n{text}\nlast: 2");
            let shown = judged(&text).expect("judged");
            assert!(!shown.contains("planted"), "{text}\n---\n{shown}");
            assert!(shown.contains("first: {{ .x }}"), "{shown}");
        }
    }

    #[test]
    fn ordinary_lines_stay() {
        let text = "auth:\n  enabled: {{ .x }}\n  existingSecret: kept\nports:\n- name: web\n  value: 80\nkey: {{ .token }}\nempty:\n\
                    password:\nnext: 1";
        let shown = judged(text).expect("judged");
        for kept in ["enabled: {{ .x }}", "existingSecret: kept", "value: 80", "key: {{ .token }}", "next: 1"]
        {
            assert!(shown.contains(kept), "{kept} in {shown}");
        }
    }
}
