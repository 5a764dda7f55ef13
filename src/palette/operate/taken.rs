//! Whether a name is taken: of clusters of one place, whichever tool or person made them.

use std::sync::Arc;

use crate::{
    Error, ErrorKind,
    answer::sanitise,
    palette::{
        Access, Place,
        fleet::{self, ClusterRow},
    },
};

/// Characters of a name: it becomes a part of names of machines and hosts.
const LONGEST: usize = 63;

/// That a cluster may be called so: as a label of DNS.
///
/// # Errors
/// What is wrong with it.
pub fn fits(name: &str) -> Result<(), Error> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.ends_with('-');
    if ends && name.len() <= LONGEST && name.bytes().all(good) {
        return Ok(());
    }
    let shown = sanitise::short(name, 80);
    Err(Error::invalid_input(format!(
        "the argument \"name\" {shown:?} cannot be a cluster's: small letters, digits and -, a letter first, at most \
         {LONGEST} characters"
    )))
}

/// The cluster in that place that has the name, as Palette knows it now.
///
/// # Errors
/// Palette could not be asked, or does not tell everything.
pub async fn by(access: &Access, place: &Place, name: &str) -> Result<Option<Arc<ClusterRow>>, Error> {
    let sweep = fleet::named(&access.anew(), name, place.project_uid()).await?;
    let here = |row: &&Arc<ClusterRow>| row.place.project_uid() == place.project_uid() && row.name == name;
    let found = sweep.rows.iter().filter(here).find(|row| row.state != "Deleted").cloned();
    match (found, sweep.told(access).first()) {
        (Some(found), _) => Ok(Some(found)),
        (None, None) => Ok(None),
        (None, Some(gap)) => Err(Error::new(
            ErrorKind::Upstream { status: None, retryable: true },
            format!("whether the name is taken is not known: {gap}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_label() {
        for good in ["a", "web-1", &"a".repeat(63)] {
            assert!(fits(good).is_ok(), "{good}");
        }
        for bad in ["", "Web", "1web", "web-", "we_b", "we b", "wéb", "a/b", &"a".repeat(64)] {
            assert!(fits(bad).expect_err(bad).message.contains("\"name\""), "{bad}");
        }
    }
}
