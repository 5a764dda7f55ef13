//! Changing Palette: what a change would do, worked out and checked before it is sent.

pub mod account;
pub mod body;
pub mod chosen;
pub mod cloud;
pub mod estimate;
pub mod follow;
pub mod group;
pub mod hidden;
pub mod place;
pub mod standing;
pub mod taken;
pub mod update;
pub mod variables;
