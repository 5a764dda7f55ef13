//! Labels in the sources of pictures: every name in them was written by somebody else.

use super::sanitise;

/// A label between quotes in a Mermaid flowchart.
pub fn mermaid(label: &str) -> String {
    sanitise::line(label).chars().map(entity).collect()
}

/// A label between quotes in a Graphviz graph.
pub fn dot(label: &str) -> String {
    sanitise::line(label).replace('\\', "\\\\").replace('"', "\\\"")
}

/// Mermaid's own entities; an HTML one would be taken for markup where labels are rendered as HTML.
fn entity(c: char) -> String {
    match c {
        '"' | '#' | '<' | '>' | '&' | '`' | ';' | '\\' => format!("#{};", u32::from(c)),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_stays_a_name_in_a_picture() {
        let name = "a\"]; click <b>`x`\\\n\u{202e}&";
        assert_eq!(super::mermaid(name), "a#34;]#59; click #60;b#62;#96;x#96;#92; #38;");
        assert_eq!(super::dot(name), "a\\\"]; click <b>`x`\\\\ &");
    }
}
