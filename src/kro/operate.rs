//! Changing instances and RGDs: what a change would do, worked out before it is made.
//!
//! Pure, as all of the model: what the API server said of a dry run goes in, what a plan tells comes out.

pub mod carried;
pub mod governs;
pub mod observed;
pub mod refusal;
pub mod risk;
pub mod verdict;
pub mod version;
pub mod waves;

/// The server-side-apply field manager of what is changed through this server.
pub const MANAGER: &str = "platform-mcp";
