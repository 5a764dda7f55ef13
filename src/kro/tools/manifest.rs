//! `kro_yaml`: the manifest of an RGD, an instance, or something that belongs to one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{open, reach};
use crate::{
    Error,
    answer::{Answer, redact},
    kro::{
        applyset::GroupKind,
        fetch::{Reader, Wanted},
        labels,
    },
    kubernetes::{Kind, Object},
    permission::{Permission, Requirement},
    toolbox::{Call, Reach, Tool},
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

/// What an object is to kro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Class {
    /// A ResourceGraphDefinition.
    Rgd,
    /// A GraphRevision.
    Revision,
    /// An instance.
    Instance,
    /// Made by kro for an instance.
    Child,
    /// Read by kro for an instance.
    External,
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

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = open(&call).await?;
        let kind = reader.named_kind(&input.kind).await?;
        let by_kind = of_kind(&reader, &kind).await;
        let needs = by_kind.needs();
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
        let mut object = reader.object(&kind, wanted).await?;
        require(object.namespace())?;
        let class = match by_kind {
            ByKind::Is(class) => class,
            ByKind::Unclear if labels::is_instance(&object) => Class::Instance,
            ByKind::Belongs | ByKind::Unclear => belongs(&reader, &kind, &object).await?,
        };
        call.scrub(&mut object);
        Ok(answer(class, object))
    }
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

/// What objects of a kind are by their kind alone.
#[derive(Clone, Copy, Debug)]
enum ByKind {
    /// This.
    Is(Class),
    /// Children or external references, if anything of kro's.
    Belongs,
    /// It cannot be read whether an RGD generates the kind.
    Unclear,
}

impl ByKind {
    /// What is needed to see one; whatever it may be where that is not clear.
    fn needs(self) -> &'static [Permission] {
        match self {
            Self::Is(Class::Rgd | Class::Revision) => &[Permission::KroRgdsViewYaml],
            Self::Is(Class::Instance) => &[Permission::KroInstancesViewYaml],
            Self::Is(Class::Child | Class::External) | Self::Belongs => &[Permission::KroResourcesViewYaml],
            Self::Unclear => &[Permission::KroInstancesViewYaml, Permission::KroResourcesViewYaml],
        }
    }
}

async fn of_kind(reader: &Reader, kind: &Kind) -> ByKind {
    match (kind.group.as_str(), kind.kind.as_str()) {
        (labels::GROUP, "ResourceGraphDefinition") => return ByKind::Is(Class::Rgd),
        (labels::INTERNAL_GROUP, "GraphRevision") => return ByKind::Is(Class::Revision),
        _ => {}
    }
    match reader.is_generated(&GroupKind::new(&kind.group, &kind.kind)).await {
        Some(true) => ByKind::Is(Class::Instance),
        Some(false) => ByKind::Belongs,
        None => ByKind::Unclear,
    }
}

/// A child by its marks, an external reference by the instance that has it; nothing else is shown.
async fn belongs(reader: &Reader, kind: &Kind, object: &Object) -> Result<Class, Error> {
    let owned = object.label("kro.run/owned").or_else(|| object.label("internal.kro.run/owned"));
    let marked = object.label(labels::PART_OF).is_some() || object.label(labels::INSTANCE_ID).is_some();
    if owned == Some("true") && marked {
        return Ok(Class::Child);
    }
    if reader.is_referenced(object).await {
        return Ok(Class::External);
    }
    let message = format!(
        "{} {} belongs to no KRO instance; this tool shows RGDs, instances, their children and the objects they refer to",
        kind.kind,
        object.name()
    );
    Err(Error::invalid_input(message).next("kro_graph lists what belongs to an instance"))
}
