//! Kubeconfigs, made here field by field. Of what Palette sends, the address of the API server, its certificate
//! authorities and (where that is asked for) a credential are taken, each parsed and written anew; nothing that would
//! make `kubectl` start a program, read a file or go through a proxy is ever passed on.

mod login;
mod made;
mod pem;
mod private_file;
mod server;
mod upstream;
mod user;

pub use login::{Login, NoLogin};
pub use made::{Made, context_name};
pub use private_file::written;
pub use server::Server;
pub use upstream::{Unusable, Upstream};
pub use user::User;

/// Bytes of what Palette may send.
const LARGEST: usize = 384 << 10;
/// Bytes of what is made: the answer of a tool has to hold it.
const LARGEST_MADE: usize = 48 << 10;
