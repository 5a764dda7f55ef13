//! `kro_yaml`: the manifest of an RGD, an instance, or something that belongs to one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{open, reach};
use crate::{
    Error,
    answer::{Answer, redact},
    kro::{
        class::{ByKind, Class},
        fetch::{Reader, Wanted},
        labels,
    },
    kubernetes::{Kind, Object, Selection},
    permission::{Permission, Requirement},
    toolbox::{Call, Reach, Subject, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ShowManifest;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Kind, or Kind.group: ResourceGraphDefinition, GraphRevision, an instance's or a child's.
    kind: String,
    /// Searched for where absent.
    namespace: Option<String>,
    name: String,
}

/// A manifest.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    class: Class,
    /// The object without managedFields and last-applied-configuration; secret values redacted.
    manifest: Value,
}

impl Tool for ShowManifest {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn subject(call: Call, input: Input) -> Result<Subject, Error> {
        let Found { reader, kind, object, .. } = find(&call, &input).await?;
        let selections = vec![Selection::one(&kind, object.namespace(), object.name())];
        Ok(Subject { access: reader.access().clone(), selections })
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let Found { class, mut object, .. } = find(&call, &input).await?;
        call.scrub(&mut object);
        Ok(answer(class, object))
    }
}

/// What the caller may see of what they asked for.
struct Found {
    reader: Reader,
    kind: Kind,
    class: Class,
    object: Object,
}

async fn find(call: &Call, input: &Input) -> Result<Found, Error> {
    let reader = open(call).await?;
    let kind = reader.named_kind(&input.kind).await?;
    let by_kind = reader.class_of_kind(&kind).await;
    let needs = needs(by_kind);
    // Where the caller may see another class only, nothing of this one is found or a candidate.
    let narrowed = call.narrowed(reader.access(), Requirement::All(needs.into()));
    let reader = reader.over(narrowed);
    let require = |namespace: Option<&str>| {
        needs.iter().try_for_each(|permission| call.require(*permission, reader.access(), namespace))
    };
    let named = input.namespace.as_deref().filter(|_| kind.namespaced);
    // Before anything is read: the words of a denial do not tell whether it exists.
    if named.is_some() || !kind.namespaced {
        require(named)?;
    }
    let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
    let object = reader.object(&kind, wanted).await?;
    require(object.namespace())?;
    let class = reader.class_of(by_kind, &object).await;
    let class = class.ok_or_else(|| belongs_to_none(&kind, &object))?;
    Ok(Found { reader, kind, class, object })
}

fn answer(class: Class, object: Object) -> Answer<Output> {
    let place = object.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let what = match class {
        Class::Rgd => "ResourceGraphDefinition".to_owned(),
        Class::Revision => "GraphRevision".to_owned(),
        Class::Instance => {
            format!("{}, an instance of RGD {}", object.kind(), labels::rgd_name(&object).unwrap_or("?"))
        }
        Class::Child => format!("{}, {}", object.kind(), owner(&object)),
        Class::External => format!("{}, an external reference", object.kind()),
    };
    let summary = format!("{}{place}: {what}", object.name());
    let manifest = in_order(redact::manifest(object));
    let yaml = serde_saphyr::to_string(&manifest).unwrap_or_else(|_| manifest.to_string());
    Answer::new(summary, yaml, Output { class, manifest })
}

/// `apiVersion`, `kind`, `metadata`, then the rest as it came: list items come without the first two.
fn in_order(manifest: Value) -> Value {
    let Value::Object(mut members) = manifest else { return manifest };
    let mut ordered = Map::new();
    for name in ["apiVersion", "kind", "metadata"] {
        ordered.extend(members.remove(name).map(|value| (name.to_owned(), value)));
    }
    ordered.extend(members);
    Value::Object(ordered)
}

fn owner(child: &Object) -> String {
    let label = |name: &str| child.label(&format!("kro.run/{name}")).unwrap_or_default();
    let node = labels::node_id(child).map_or_else(|| "a child".to_owned(), |id| format!("node {id}"));
    format!("{node} of {} {}", label("instance-kind"), label("instance-name")).trim_end().to_owned()
}

/// What is needed to see one of a kind; whatever it may be where that is not clear.
fn needs(by_kind: ByKind) -> &'static [Permission] {
    match by_kind {
        ByKind::Is(Class::Rgd | Class::Revision) => &[Permission::KroRgdsViewYaml],
        ByKind::Is(Class::Instance) => &[Permission::KroInstancesViewYaml],
        ByKind::Is(Class::Child | Class::External) | ByKind::Belongs => &[Permission::KroResourcesViewYaml],
        ByKind::Unclear => &[Permission::KroInstancesViewYaml, Permission::KroResourcesViewYaml],
    }
}

/// Nothing that belongs to no instance is shown.
fn belongs_to_none(kind: &Kind, object: &Object) -> Error {
    let message = format!(
        "{} {} belongs to no KRO instance; this tool shows RGDs, instances, their children and the objects they refer to",
        kind.kind,
        object.name()
    );
    Error::invalid_input(message).next("kro_graph lists what belongs to an instance")
}
