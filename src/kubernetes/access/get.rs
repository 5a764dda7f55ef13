//! Reading one object.

use super::{
    super::{fault::Fault, kind::Kind, object::Object, raw},
    Access, parse,
};

/// One object without spec and status.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

impl Access {
    /// One object.
    ///
    /// # Errors
    /// [`Fault::NotFound`] and the other answers of the API server.
    pub async fn get(&self, kind: &Kind, namespace: Option<&str>, name: &str) -> Result<Object, Fault> {
        self.get_accepting(kind, namespace, name, "application/json").await
    }

    /// The `metadata` of one object, of which no more is sent (`PartialObjectMetadata`).
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_metadata(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Object, Fault> {
        let mut object = self.get_accepting(kind, namespace, name, METADATA).await?;
        let members = object.members_mut();
        // it says that it is a PartialObjectMetadata, and a server that knows of none sends everything
        members.retain(|name, _| name == "metadata");
        members.insert("apiVersion".to_owned(), kind.api_version().into());
        members.insert("kind".to_owned(), kind.kind.clone().into());
        Ok(object)
    }

    async fn get_accepting(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        accept: &'static str,
    ) -> Result<Object, Fault> {
        let path = kind.object_path(namespace, name)?;
        let namespace = namespace.filter(|_| kind.namespaced);
        if let Some(view) = self.view.as_ref().filter(|view| !view.sees(namespace)) {
            return Err(view.withheld(namespace));
        }
        let body = self.get_body(&path, &[], accept).await?;
        // an object that etcd could not hold is an attack on our memory
        let weight = raw::weight(&body);
        if body.len() > raw::LARGEST || weight > raw::HEAVIEST {
            return Err(Fault::TooLarge(raw::LARGEST));
        }
        self.spent.meter.keep(weight)?;
        let mut object =
            Object::from_value(parse(&body)?).ok_or_else(|| Fault::Malformed("not an object".to_owned()))?;
        self.take_secrets(&mut object);
        Ok(object)
    }
}
