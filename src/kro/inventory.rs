//! What lists keep of RGDs and instances: a line's worth of each, whatever they hold, so that memory stays
//! flat as the lists grow. Health is judged through the nesting, as far as instances can tell of it.

pub mod age;
mod coverage;
mod instance;
mod nesting;
mod read;
mod rgd;
mod trouble;

pub use coverage::{Coverage, Seen};
pub use instance::Instance;
pub use read::{Generated, Inventory, Read, instances_of, inventory};
pub use rgd::Rgd;
pub use trouble::{RgdTrouble, Troubles};
