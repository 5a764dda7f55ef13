//! [`Template`]: resources. Reading one is a call of a tool, so what it shows, and to whom, is the tool's.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::{Error, answer::sanitise, permission::Permission};

/// YAML as RFC 9512 registers it. A tool's first line is a comment in it.
pub const YAML: &str = "application/yaml";
/// In place of a namespace: none.
pub const NO_NAMESPACE: &str = "-";

/// Bytes of a URI; names of clusters may be long, and every byte of them may be encoded.
const LONGEST_URI: usize = 2_000;
/// What simple expansion (RFC 6570) writes as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The resources of one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name, for programs.
    pub name: &'static str,
    /// Its name, for people.
    pub title: &'static str,
    /// What it shows.
    pub description: &'static str,
    /// The form of its URIs: RFC 6570, whole segments only.
    pub uri: &'static str,
    /// The tool that shows it.
    pub tool: &'static str,
    /// Without any of which the tool shows nothing of this form.
    pub needs: &'static [Permission],
    /// Of the tool's text.
    pub mime: &'static str,
    /// The tool's arguments: a variable of the URI in braces, or a text.
    arguments: &'static [(&'static str, &'static str)],
}

/// An object: in a namespace, or in none.
const OBJECT: &[(&str, &str)] =
    &[("cluster", "{cluster}"), ("namespace", "{namespace}"), ("kind", "{kind}"), ("name", "{name}")];

/// All of them.
pub const TEMPLATES: &[Template] = &[
    Template {
        name: "kro-rgd",
        title: "ResourceGraphDefinition",
        description: "The manifest of a ResourceGraphDefinition",
        uri: "kro://{cluster}/rgds/{name}",
        tool: "kro_yaml",
        needs: &[Permission::KroRgdsViewYaml],
        mime: YAML,
        arguments: &[("cluster", "{cluster}"), ("kind", "ResourceGraphDefinition"), ("name", "{name}")],
    },
    Template {
        name: "kro-object",
        title: "KRO instance or child",
        description: "The manifest of an instance or of one of its children; secret values are redacted. The \
                      namespace - is for what is in none.",
        uri: "kro://{cluster}/{namespace}/{kind}/{name}",
        tool: "kro_yaml",
        needs: &[Permission::KroInstancesViewYaml, Permission::KroResourcesViewYaml],
        mime: YAML,
        arguments: OBJECT,
    },
    Template {
        name: "kro-graph",
        title: "Resource graph of a KRO instance",
        description: "Every object of an instance with its real state, and what waits for what",
        uri: "kro://{cluster}/{namespace}/{kind}/{name}/graph",
        tool: "kro_graph",
        needs: &[Permission::KroResourceGraphShow],
        mime: "text/plain",
        arguments: OBJECT,
    },
    Template {
        name: "kro-events",
        title: "Events of a KRO instance or child",
        description: "What the cluster recorded about it, warnings first",
        uri: "kro://{cluster}/{namespace}/{kind}/{name}/events",
        tool: "kro_events",
        needs: &[Permission::KroInstancesShowEvents, Permission::KroResourcesShowEvents],
        mime: "text/plain",
        arguments: OBJECT,
    },
    Template {
        name: "palette-cluster",
        title: "Palette cluster",
        description: "What Palette knows of a cluster or virtual cluster",
        uri: "palette://{environment}/clusters/{uid}",
        tool: "palette_cluster",
        needs: &[Permission::SpectrocloudClusterViewInfo],
        mime: "text/plain",
        arguments: &[("environment", "{environment}"), ("cluster", "{uid}")],
    },
];

/// What a URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Of which form it is.
    pub template: &'static Template,
    values: Vec<(&'static str, String)>,
}

/// Why a text is no URI of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUri {
    /// It is of no form.
    #[error("it has none of the forms")]
    Form,
    /// A `%` that begins no byte, bytes that are no UTF-8, or a character that cannot be read.
    #[error("a segment is not percent-encoded as RFC 3986 says, or holds what cannot be read")]
    Encoding,
    /// It is longer than any.
    #[error("it is longer than {LONGEST_URI} bytes")]
    TooLong,
}

impl Template {
    /// The segments of its form.
    fn segments(&self) -> (&'static str, impl Iterator<Item = &'static str> + Clone) {
        let (scheme, rest) = self.uri.split_once("://").unwrap_or_default();
        (scheme, rest.split('/'))
    }

    /// The names of its variables, in the order of the URI.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.segments().1.filter_map(variable)
    }

    /// The URI with these values; a namespace that is not given is none.
    pub fn expand(&self, values: &[(&str, &str)]) -> String {
        let (scheme, segments) = self.segments();
        let written = segments.map(|segment| {
            let Some(name) = variable(segment) else { return Cow::Borrowed(segment) };
            let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            Cow::from(utf8_percent_encode(value.unwrap_or(NO_NAMESPACE), RESERVED))
        });
        format!("{scheme}://{}", written.collect::<Vec<_>>().join("/"))
    }

    fn matching(&'static self, uri: &str) -> Option<Result<Target, BadUri>> {
        let (scheme, segments) = self.segments();
        let written = uri.strip_prefix(scheme)?.strip_prefix("://")?.split('/');
        if written.clone().count() != segments.clone().count() {
            return None;
        }
        let mut values = Vec::new();
        for (segment, written) in segments.zip(written) {
            match variable(segment) {
                Some(name) => match decoded(written) {
                    Ok(value) => values.push((name, value)),
                    Err(bad) => return Some(Err(bad)),
                },
                None if segment == written => {}
                None => return None,
            }
        }
        Some(Ok(Target { template: self, values }))
    }
}

impl Target {
    /// What a URI names.
    ///
    /// # Errors
    /// [`BadUri`].
    pub fn parse(uri: &str) -> Result<Self, BadUri> {
        if uri.len() > LONGEST_URI {
            return Err(BadUri::TooLong);
        }
        TEMPLATES.iter().find_map(|template| template.matching(uri)).unwrap_or(Err(BadUri::Form))
    }

    /// The value of a variable; of a namespace that is none, none.
    pub fn value(&self, variable: &str) -> Option<&str> {
        let value = self.values.iter().find(|(name, _)| *name == variable).map(|(_, value)| value.as_str());
        value.filter(|value| variable != "namespace" || *value != NO_NAMESPACE)
    }

    /// The same thing as it is written once and for all.
    pub fn uri(&self) -> String {
        let values: Vec<(&str, &str)> = self.values.iter().map(|(name, value)| (*name, &**value)).collect();
        self.template.expand(&values)
    }

    /// The arguments of the call that shows it.
    pub fn arguments(&self) -> Map<String, Value> {
        let of = |source: &'static str| match variable(source) {
            Some(name) => self.value(name).map(str::to_owned),
            None => Some(source.to_owned()),
        };
        let given = self.template.arguments.iter().filter_map(|(name, source)| Some((*name, of(source)?)));
        given.map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    /// The text of a tool as the content of the resource.
    pub fn content(&self, text: String) -> String {
        if self.template.mime == YAML { format!("# {text}") } else { text }
    }
}

/// There is no such resource, or the caller may not see it: the words are the same.
pub fn not_found(uri: &str) -> Error {
    let uri = sanitise::short(uri, 200);
    Error::not_found(format!("there is no resource {uri:?} that you may read"))
}

fn variable(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A segment, decoded: nothing is guessed, and nothing normalised.
fn decoded(segment: &str) -> Result<String, BadUri> {
    let literal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    let mut escapes = segment.split('%').skip(1);
    let escaped = |rest: &str| {
        rest.as_bytes().first_chunk::<2>().is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    };
    // clients and proxies on the way resolve dots
    let odd = segment.is_empty() || matches!(segment, "." | "..");
    if odd || !segment.bytes().all(literal) || !escapes.all(escaped) {
        return Err(BadUri::Encoding);
    }
    let text = percent_decode_str(segment).decode_utf8().map_err(|_| BadUri::Encoding)?;
    let readable = sanitise::is_readable(&text) && !text.trim().is_empty();
    if readable { Ok(text.into_owned()) } else { Err(BadUri::Encoding) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::toolbox::list;
    use serde_json::json;

    #[test]
    fn a_uri_is_a_call() {
        for (uri, tool, arguments) in [
            (
                "kro://lab/rgds/webservice",
                "kro_yaml",
                json!({"cluster": "lab", "kind": "ResourceGraphDefinition", "name": "webservice"}),
            ),
            (
                "kro://lab/shop/Shop.acme.example/outlet",
                "kro_yaml",
                json!({"cluster": "lab", "namespace": "shop", "kind": "Shop.acme.example", "name": "outlet"}),
            ),
            (
                "kro://lab/-/Team/shop/graph",
                "kro_graph",
                json!({"cluster": "lab", "kind": "Team", "name": "shop"}),
            ),
            (
                "kro://arn%3Aaws%3Aeks%2Fx/shop/Shop/outlet/events",
                "kro_events",
                json!({"cluster": "arn:aws:eks/x", "namespace": "shop", "kind": "Shop", "name": "outlet"}),
            ),
            (
                "palette://acme/clusters/65f010000000000000000004",
                "palette_cluster",
                json!({"environment": "acme", "cluster": "65f010000000000000000004"}),
            ),
            // three segments are an object, whatever its namespace is called
            (
                "kro://lab/rgds/Shop/outlet",
                "kro_yaml",
                json!({"cluster": "lab", "namespace": "rgds", "kind": "Shop", "name": "outlet"}),
            ),
        ] {
            let target = Target::parse(uri).expect(uri);
            assert_eq!((target.template.tool, json!(target.arguments())), (tool, arguments), "{uri}");
            assert_eq!(target.uri(), uri);
        }
        let spelt = Target::parse("kro://l%61b/rgds/a:b").expect("a URI");
        assert_eq!(spelt.uri(), "kro://lab/rgds/a%3Ab");
    }

    #[test]
    fn nothing_else_is_a_uri() {
        for uri in [
            "",
            "kro://",
            "kro:/lab/rgds/a",
            "KRO://lab/rgds/a",
            "file:///etc/passwd",
            "kro://lab/rgds",
            "kro://lab/a/b/c/d",
            "palette://acme/projects/a",
            "kro://acme/clusters/a/b/c/d",
            "kro://lab/a/b/c/graph/",
            "kro://lab/a/b/c/GRAPH",
        ] {
            assert_eq!(Target::parse(uri), Err(BadUri::Form), "{uri}");
        }
        for uri in [
            "kro://lab/rgds/",
            "kro:///rgds/a",
            "kro://lab/rgds/..",
            "kro://lab/./Shop/a",
            "kro://lab/rgds/a%",
            "kro://lab/rgds/a%2",
            "kro://lab/rgds/a%zz",
            "kro://lab/rgds/a%ff",
            "kro://lab/rgds/a%00",
            "kro://lab/rgds/a%0Ab",
            "kro://lab/rgds/%E2%80%AEa",
            "kro://lab/rgds/%20",
            "kro://lab/rgds/a b",
            "kro://lab/rgds/a?b=c",
            "kro://lab/rgds/a#b",
            "kro://lab/rgds/ä",
        ] {
            assert_eq!(Target::parse(uri), Err(BadUri::Encoding), "{uri}");
        }
        assert_eq!(Target::parse(&format!("kro://lab/rgds/{}", "a".repeat(2_000))), Err(BadUri::TooLong));
    }

    #[test]
    fn every_template_calls_a_tool_with_arguments_that_it_takes() {
        let tools = list::all().expect("valid");
        for template in TEMPLATES {
            let tool = tools.iter().find(|tool| tool.contract.name == template.tool).expect(template.tool);
            let known = tool.input_schema["properties"].as_object().expect("properties");
            let variables: BTreeSet<&str> = template.variables().collect();
            let used: BTreeSet<&str> =
                template.arguments.iter().filter_map(|(_, source)| variable(source)).collect();
            assert_eq!(variables, used, "{}", template.uri);
            for (argument, _) in template.arguments {
                assert!(known.contains_key(*argument), "{} has no {argument}", template.tool);
            }
        }
    }
}
