//! The catalog: what exists on the platform, as entities that Backstage reads, by the names, annotations, tags and
//! relations that the plugins' own ingestors give them, so that the plugins' pages go on.
//!
//! *Fetch* reads as the caller and whole, or fails: a catalog takes out what is not in an export. *Model* makes
//! [`Draft`]s of it without any I/O, and [`entity::named`] makes entities of those: each name once, and no relation to
//! what is not there.

pub mod entity;
pub mod export;
mod name;
pub mod palette;
pub mod settings;
pub mod written;

pub use entity::{Class, Draft, Entity};
pub use settings::Settings;
pub use written::{Document, Format};
