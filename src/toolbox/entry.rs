//! [`Entry`]: a contract file joined to its handler.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    call::Call,
    contract::{Contract, ContractProblem, Effect},
    input,
    schema::{self, Schema},
    subject::Subject,
    tool::{Reach, Tool},
};
use crate::{
    Error, ErrorKind,
    answer::{self, Finished},
};

/// A tool that can be listed, checked and called.
pub struct Entry {
    /// What its file declares.
    pub contract: Contract,
    /// Of its arguments.
    pub input_schema: Schema,
    /// Of its structure.
    pub output_schema: Schema,
    handler: Box<dyn Handler>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.contract.name).finish()
    }
}

impl Entry {
    /// Joins `tools/<path>.md` to its handler.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn new<T: Tool>(path: &str, file: &str) -> Result<Self, ContractProblem> {
        let contract = Contract::parse(path, file)?;
        Ok(Self {
            input_schema: schema::input::<T::Input>(),
            output_schema: schema::output::<T::Output>(contract.front.effect != Effect::Read),
            contract,
            handler: Box::new(Typed::<T>(PhantomData)),
        })
    }

    /// Checks the arguments.
    pub(super) fn parse(&self, arguments: Map<String, Value>) -> Result<Box<dyn Parsed>, Error> {
        self.handler.parse(&self.input_schema, arguments)
    }
}

trait Handler: Send + Sync {
    fn parse(&self, schema: &Schema, arguments: Map<String, Value>) -> Result<Box<dyn Parsed>, Error>;
}

/// Arguments that were checked, with the handler that takes them.
pub(super) trait Parsed: Send {
    fn reach(&self) -> Reach;
    fn follows(&self) -> Option<Duration>;
    fn run(self: Box<Self>, call: Call) -> BoxFuture<'static, Result<Finished, Error>>;
    fn subject(self: Box<Self>, call: Call) -> BoxFuture<'static, Result<Subject, Error>>;
}

struct Typed<T>(PhantomData<fn() -> T>);
struct TypedInput<T: Tool>(T::Input);

impl<T: Tool> Handler for Typed<T> {
    fn parse(&self, schema: &Schema, arguments: Map<String, Value>) -> Result<Box<dyn Parsed>, Error> {
        Ok(Box::new(TypedInput::<T>(input::parse(schema, arguments)?)))
    }
}

impl<T: Tool> Parsed for TypedInput<T> {
    fn reach(&self) -> Reach {
        T::reach(&self.0)
    }

    fn follows(&self) -> Option<Duration> {
        T::follows(&self.0)
    }

    fn run(self: Box<Self>, call: Call) -> BoxFuture<'static, Result<Finished, Error>> {
        let learned = Arc::clone(call.learned());
        let budget = call.largest_answer();
        let unknown = call.unknown();
        let hands_out = call.hands_out();
        async move {
            let answer = T::run(call, self.0).await?.gaps(unknown);
            let finished = answer::finish(&answer, &learned, budget).map_err(|error| {
                Error::new(ErrorKind::Internal, format!("the answer is not JSON: {error}"))
            })?;
            finished.with_handed(answer.handed, hands_out)
        }
        .boxed()
    }

    fn subject(self: Box<Self>, call: Call) -> BoxFuture<'static, Result<Subject, Error>> {
        T::subject(call, self.0).boxed()
    }
}
