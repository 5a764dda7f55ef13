//! Changes of a caller's own wording: what a request would do, worked out from what the API server says of a
//! dry run, and the request that does it to that state and no other.
//!
//! Pure but for [`dry_run`], which asks whether there is one.

pub mod content;
pub mod dry_run;
pub mod effect;
pub mod managers;
pub mod options;
pub mod pinned;
pub mod risk;
pub mod said;

/// The field manager of what is changed through this server, where the caller names no other.
pub const MANAGER: &str = "platform-mcp";
