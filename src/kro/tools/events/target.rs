//! The object whose events are asked for, and whether the caller may see them.

use super::Input;
use crate::{
    Error,
    kro::{
        class::{ByKind, Class, is_child},
        fetch::{Reader, Wanted},
        labels,
    },
    kubernetes::{Access, Kind, Object},
    permission::{Extent, Permission, Requirement},
    toolbox::Call,
};

/// The object, and what it is to kro.
pub(super) struct Target {
    pub(super) object: Object,
    pub(super) class: Class,
}

/// What the events of a class need. What a child owns is of its class.
pub(super) fn permission(class: Class) -> Permission {
    match class {
        Class::Rgd | Class::Revision => Permission::KroRgdsShowEvents,
        Class::Instance => Permission::KroInstancesShowEvents,
        Class::Child | Class::External => Permission::KroResourcesShowEvents,
    }
}

const BOTH: [Permission; 2] = [Permission::KroInstancesShowEvents, Permission::KroResourcesShowEvents];

impl Target {
    /// Finds it, and the reader that sees what the caller may see of it.
    pub(super) async fn find(
        call: &Call,
        reader: Reader,
        kind: &Kind,
        input: &Input,
        subtree: bool,
    ) -> Result<(Reader, Self), Error> {
        let named = input.namespace.as_deref().filter(|_| kind.namespaced);
        let place = (named.is_some() || !kind.namespaced).then_some(named);
        let of_kro = matches!(kind.group.as_str(), labels::GROUP | labels::INTERNAL_GROUP);
        // who may see either need not be told apart before it is read
        let by_kind = match !of_kro && sees(call, reader.access(), BOTH, place) {
            true => ByKind::Unclear,
            false => reader.class_of_kind(kind).await,
        };
        if let ByKind::Is(Class::Rgd | Class::Revision) = by_kind
            && subtree
        {
            return Err(Error::invalid_input(
                "the argument \"subtree\" is for instances and children: an RGD owns none of them",
            )
            .next("call again without subtree; kro_instances lists the instances of an RGD"));
        }
        let needs = needs(by_kind, subtree);
        // Before anything is read: the words of a denial do not tell whether it exists.
        if let Some(place) = place {
            require(call, &needs, reader.access(), place)?;
        }
        let narrowed = call.narrowed(reader.access(), needs.clone());
        let reader = reader.over(narrowed);
        let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
        let object = reader.object(kind, wanted).await.map_err(|mut error| {
            // instances nearby are none of those who may see events of children alone
            let nearby = sees(call, reader.access(), [permission(Class::Instance)], place);
            if matches!(needs, Requirement::Any(_)) && !nearby {
                error.candidates.clear();
            }
            error
        })?;
        require(call, &needs, reader.access(), object.namespace())?;
        let class = class(&reader, kind, by_kind, &object).await?;
        Ok((reader, Self { object, class }))
    }
}

async fn class(reader: &Reader, kind: &Kind, by_kind: ByKind, object: &Object) -> Result<Class, Error> {
    if by_kind == ByKind::Unclear && labels::is_instance(object) {
        return Ok(Class::Instance);
    }
    if is_child(object) && !matches!(by_kind, ByKind::Is(_)) {
        return Ok(Class::Child);
    }
    let above = match by_kind {
        ByKind::Is(_) => Ok(None),
        ByKind::Belongs | ByKind::Unclear => reader.child_above(object).await,
    };
    if let Ok(Some(_)) = above {
        return Ok(Class::Child);
    }
    let by_kind = match by_kind {
        ByKind::Unclear => reader.class_of_kind(kind).await,
        known => known,
    };
    match (reader.class_of(by_kind, object).await, above) {
        (Some(class), _) => Ok(class),
        (None, Err(fault)) => Err(Error::from(fault)),
        (None, Ok(_)) => {
            let message = format!(
                "{} {} belongs to no KRO instance; this tool knows RGDs, instances, their children and what these own",
                kind.kind,
                object.name()
            );
            Err(Error::invalid_input(message).next("kro_graph lists what belongs to an instance"))
        }
    }
}

fn needs(by_kind: ByKind, subtree: bool) -> Requirement {
    match by_kind {
        // each class is shown to who may see it
        ByKind::Is(Class::Instance) if subtree => Requirement::Any(BOTH.to_vec().into()),
        ByKind::Is(class) => Requirement::one(permission(class)),
        ByKind::Belongs => Requirement::one(permission(Class::Child)),
        ByKind::Unclear => Requirement::All(BOTH.to_vec().into()),
    }
}

fn require(call: &Call, needs: &Requirement, access: &Access, namespace: Option<&str>) -> Result<(), Error> {
    let has = |permission: &&Permission| call.allows(**permission, access, namespace);
    let lacking = match needs {
        Requirement::Nothing => None,
        Requirement::Any(any) if any.iter().any(|permission| has(&permission)) => None,
        Requirement::Any(permissions) | Requirement::All(permissions) => {
            permissions.iter().find(|one| !has(one))
        }
    };
    lacking.map_or(Ok(()), |permission| call.require(*permission, access, namespace))
}

/// Whether the caller has all of these in a place, or everywhere in the cluster where there is none.
fn sees<const N: usize>(
    call: &Call,
    access: &Access,
    permissions: [Permission; N],
    place: Option<Option<&str>>,
) -> bool {
    let cluster = Extent::Named(access.cluster().names());
    permissions.into_iter().all(|permission| match place {
        Some(namespace) => call.allows(permission, access, namespace),
        None => call.caller().permissions().covers_cluster(permission, &cluster),
    })
}
