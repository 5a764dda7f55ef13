//! Whether one of the keys that are kept made a signature; where none did, whether a newer one did.

use std::sync::Arc;

use super::{
    compact::Compact,
    header::Header,
    key_set::{Fit, KeySet},
    keys::Keys,
    refusal::Refusal,
    search::Cause,
};

/// Checks the signature; answers the generation of the keys that it was checked with.
pub(in crate::caller) async fn signed(
    keys: &Arc<Keys>,
    issuer: &str,
    token: &Compact<'_>,
    header: &Header<'_>,
) -> Result<u64, Refusal> {
    let unavailable = |why| Refusal::Unavailable { issuer: issuer.to_owned(), why };
    let (current, waited) = keys.current().await.map_err(unavailable)?;
    let refusal = match judged(&current.keys, token, header) {
        Ok(()) => return Ok(current.generation),
        Err(refusal) => refusal,
    };
    let cause = match (&refusal, header.key) {
        // keys that were fetched while this token waited are new enough
        _ if waited => return Err(refusal.into()),
        (Unfit::Wrong, _) => return Err(refusal.into()),
        (Unfit::Unknown, Some(key)) => Cause::Unknown(key),
        _ => Cause::Unsigned,
    };
    let newer = match (keys.newer(cause).await, &refusal) {
        (Ok(newer), _) => newer,
        (Err(why), Unfit::Unknown) => return Err(unavailable(why)),
        (Err(_), _) => None,
    };
    let Some((newer, since)) = newer else { return Err(refusal.into()) };
    let judged = judged(&newer.keys, token, header);
    if since || judged.is_ok() {
        keys.searched(cause, judged.is_ok());
    }
    judged?;
    Ok(newer.generation)
}

/// Why no key of a set signed a token.
#[derive(Debug)]
enum Unfit {
    /// None has its name.
    Unknown,
    /// Those that have it are for other algorithms, or the token names none of several.
    Wrong,
    /// They did not sign it. Perhaps the issuer has another key of that name now.
    Unsigned,
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Unknown | Unfit::Wrong => Self::Key,
            Unfit::Unsigned => Self::Signature,
        }
    }
}

fn judged(keys: &KeySet, token: &Compact<'_>, header: &Header<'_>) -> Result<(), Unfit> {
    match keys.fit(header.key, header.algorithm) {
        Fit::Keys(keys) => {
            let signed = keys.iter().any(|key| key.signed(token.signed, token.signature, header.algorithm));
            if signed { Ok(()) } else { Err(Unfit::Unsigned) }
        }
        Fit::Unknown => Err(Unfit::Unknown),
        Fit::None => Err(Unfit::Wrong),
    }
}
