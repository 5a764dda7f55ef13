//! Backstage, as this server sees it: a backend that it is a plugin of. What is asked there, and the tokens that it
//! is asked with. Who calls from there is for [`crate::caller`], and what is served to it for the doors.
//!
//! Facts are from `@backstage/backend-defaults` (auth, discovery), `@backstage/plugin-auth-backend` and
//! `@backstage/plugin-permission-backend`.

pub mod backend;
pub mod client;
pub mod entity;
pub mod metadata;
pub mod permissions;
pub mod plugin;
pub mod plugin_keys;
pub mod template;
pub mod user_info;

pub use backend::Backend;
pub use entity::EntityReference;
pub use plugin::Plugin;
pub use template::{Names, Template};
