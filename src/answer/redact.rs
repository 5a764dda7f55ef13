//! What never leaves: values of Secrets, credentials by key, credentials by shape.
//!
//! Three nets, each enough for most of what the others catch: Secret objects lose their values where
//! they enter ([`Learned::from_object`]); every text of every object, answer, error and audit line is
//! searched for those values and for things shaped like credentials ([`Learned::scrub`]); and
//! manifests lose what stands under secret-looking keys ([`manifest`]).
//!
//! What no net can know: a value in free text that has no shape and came by as no Secret of the same
//! call, one shorter than six bytes, and a plain word.

mod key;
mod learned;
mod manifest;
mod reference;
mod shape;
mod structure;
mod userinfo;

pub use key::{is_secret_key, is_secret_text};
pub use learned::Learned;
pub use manifest::{manifest, text, values};

/// Written by `kubectl apply`: the whole object once more, Secrets in clear.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What stands where a value of so many bytes was.
pub fn redacted(bytes: usize) -> String {
    format!("<redacted:{bytes} bytes>")
}
