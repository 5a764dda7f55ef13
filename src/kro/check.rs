//! What kro checks of an RGD and the API server does not, found before anything is sent.
//!
//! [`check`] is pure; what it must know of the cluster is a [`World`]. It speaks only where it is
//! sure: where a schema could not be had, or a type is not known, it is silent. The rules are those
//! of kro v0.9.4 (`pkg/graph/{builder,validation}.go`, `pkg/graph/parser`), and kro stops at the
//! first that is broken; here all are told.

mod problem;
mod world;

pub use problem::{Problem, Rule};
pub use world::World;

use crate::kro::expression::Work;
use crate::kubernetes::Object;

/// What is wrong with an RGD. Expressions draw on `work`.
pub fn check(_rgd: &Object, _world: &World, _work: &Work) -> Vec<Problem> {
    Vec::new()
}
