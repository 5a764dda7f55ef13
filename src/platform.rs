//! The platform toolset: tools about this server and the caller.

pub mod whoami;
