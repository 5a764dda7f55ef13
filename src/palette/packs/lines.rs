//! Values that are no YAML (macros without quotes, templates, plain text), judged line by line.

use crate::answer::redact::{self, is_secret_key, redacted};

/// No line that people write is longer; what is in one cannot be judged by it.
const LONGEST: usize = 4_000;

/// The text without comments and without what stands under secret-looking names; nothing where lines do not tell
/// which is which.
pub(super) fn judged(text: &str) -> Option<String> {
    if text.contains('\0') || text.lines().any(|line| line.len() > LONGEST) || holds_secret(text) {
        return None;
    }
    let mut kept = Vec::new();
    let mut below: Option<usize> = None;
    let mut quote: Option<char> = None;
    for line in text.lines() {
        let content = line.trim();
        if let Some(mark) = quote {
            quote = Some(mark).filter(|mark| !content.contains(*mark));
            continue;
        }
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if below.is_some_and(|key| indent > key || (indent == key && content.starts_with("- "))) {
            continue;
        }
        below = None;
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        let Some(end) = secret_from(line) else {
            kept.push(line.to_owned());
            continue;
        };
        let (key, value) = line.split_at(end);
        let value = value.trim();
        kept.push(format!("{key} {}", redacted(value.len())));
        let mark = value.chars().next().filter(|mark| matches!(mark, '"' | '\''));
        quote = mark.filter(|mark| value.len() == 1 || !value.ends_with(*mark));
        // whatever follows deeper belongs to it, be it a block, a list or a value that goes on
        below = Some(indent);
    }
    neighbours(&mut kept);
    Some(redact::text(&kept.join("\n")).into_owned())
}

/// Whether an object of the kind Secret may be in it: its values stand under any name.
fn holds_secret(text: &str) -> bool {
    let words = |line: &str| line.contains("kind") && line.contains("Secret");
    text.lines().any(words)
}

/// Where the value of the first secret-looking name of a line begins: after `password:`, `"token" =`, `--secret `.
fn secret_from(line: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut at = 0;
    while let Some(rest) = line.get(at..) {
        let start = at + rest.find(is_word)?;
        let word_end = line.get(start..)?.find(|c| !is_word(c)).map_or(line.len(), |end| start + end);
        let word = line.get(start..word_end)?;
        let after = line.get(word_end..)?;
        let bare = after.trim_start_matches(['"', '\'']).trim_start();
        let assigned = bare.starts_with([':', '=']);
        let flag = word.starts_with("--") && after.starts_with(' ');
        if is_secret_key(word) && (assigned || flag) {
            let skipped = if assigned { after.len() - bare.len() + 1 } else { 0 };
            return Some(word_end + skipped);
        }
        at = word_end;
    }
    None
}

/// `name: DB_PASSWORD` beside `value: …`, in either order.
fn neighbours(lines: &mut [String]) {
    let member = |line: &str| {
        let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
        Some((key.trim_matches('"').to_owned(), value.trim().trim_matches(['"', '\'']).to_owned()))
    };
    let named = |line: &str| {
        member(line).is_some_and(|(key, value)| matches!(&*key, "name" | "key") && is_secret_key(&value))
    };
    let secret: Vec<bool> = lines.iter().map(|line| named(line)).collect();
    for at in 0..lines.len() {
        let beside = [at.checked_sub(1), Some(at + 1)];
        let beside = beside.into_iter().flatten().any(|at| secret.get(at).copied().unwrap_or_default());
        let Some(line) = lines.get_mut(at).filter(|_| beside) else { continue };
        if let Some((key, value)) = member(line).filter(|(key, _)| key == "value") {
            let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '-')).collect();
            *line = format!("{indent}{key}: {}", redacted(value.len()));
        }
    }
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
        for text in ["kind: Secret\ndata: {{ x }}\n  a: b", "a\0b", long.as_str()] {
            assert!(judged(text).is_none(), "{text}");
        }
    }
}
