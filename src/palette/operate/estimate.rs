//! What Palette itself says of a cluster before it is made: what is wrong with it, and what it would cost. Both change
//! nothing.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{body, cloud::Cloud, hidden::Hidden};
use crate::{
    Error,
    palette::{
        Access, Ask, Fault, Place,
        api::{lenient, lenient_list},
        said::said,
    },
};

/// Faults that are told.
const MOST: usize = 10;
/// Characters of one.
const LONGEST: usize = 200;
/// Hours of a month, as clouds count them.
const MONTH: f64 = 730.0;

/// `v1SpectroClusterValidatorResponse`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Validated {
    #[serde(deserialize_with = "lenient")]
    machine_pools: Results,
    #[serde(deserialize_with = "lenient_list")]
    profiles: Vec<ProfileResults>,
}

/// `v1SpectroClusterProfileValidatorResponse`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProfileResults {
    #[serde(deserialize_with = "lenient")]
    packs: Results,
    #[serde(deserialize_with = "lenient")]
    uid: String,
}

/// `v1ConstraintValidatorResponse`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Results {
    #[serde(deserialize_with = "lenient_list")]
    results: Vec<Constraint>,
}

/// `v1ConstraintValidatorResult`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Constraint {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient_list")]
    errors: Vec<ConstraintError>,
}

/// `v1ConstraintError`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConstraintError {
    #[serde(deserialize_with = "lenient")]
    code: String,
    #[serde(deserialize_with = "lenient")]
    message: String,
}

impl Results {
    fn lines(&self, of: &str, hidden: &Hidden) -> impl Iterator<Item = String> {
        self.results.iter().flat_map(move |result| {
            result.errors.iter().map(move |error| {
                let text = if error.message.is_empty() { &error.code } else { &error.message };
                let text = said(&hidden.said(text), LONGEST);
                format!("{of}{}: {text}", said(&result.name, 80))
            })
        })
    }
}

/// That Palette finds nothing wrong with the body; what of it could not be asked.
///
/// # Errors
/// What it finds wrong; or it could not be asked.
pub async fn validate(
    (access, place): (&Access, &Place),
    cloud: Cloud,
    made: &Value,
    (hidden, labels): (&Hidden, &[(String, String)]),
) -> Result<Option<String>, Error> {
    let ask = Ask::search(&["spectroclusters", cloud.name(), "validate"], made.clone()).kept(Duration::ZERO);
    let validated: Validated = match access.ask(place, ask).await {
        Ok(validated) => validated,
        Err(fault @ Fault::Unserved { .. }) => return Ok(Some(format!("Palette's own validation: {fault}"))),
        Err(fault) => return Err(hidden.error(refused(fault))),
    };
    let mut wrong: Vec<String> = validated.machine_pools.lines("machines, ", hidden).collect();
    for profile in &validated.profiles {
        let label =
            labels.iter().find(|(uid, _)| *uid == profile.uid).map_or("a profile", |(_, label)| label);
        wrong.extend(profile.packs.lines(&format!("{label}, "), hidden));
    }
    if wrong.is_empty() {
        return Ok(None);
    }
    let more = wrong.len().saturating_sub(MOST);
    wrong.truncate(MOST);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let message = format!("Palette would not make this cluster: {}{more}", wrong.join("; "));
    Err(Error::invalid_input(message).next("change the arguments that are named; nothing was made"))
}

/// What is wrong with what was asked is the caller's to mend.
fn refused(fault: Fault) -> Error {
    match fault {
        Fault::Status { status: status @ (400 | 422), .. } => {
            let message = format!("Palette would not make this cluster: {fault}");
            Error::invalid_input(message)
                .next(format!("status {status} of its own validation; nothing was made"))
        }
        fault => fault.into(),
    }
}

/// `v1SpectroClusterRate`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rated {
    #[serde(deserialize_with = "lenient")]
    rate: Total,
}

/// `v1TotalClusterRate`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Total {
    #[serde(deserialize_with = "lenient")]
    total: Option<f64>,
}

/// What its machines would cost, in words; the contract tells no currency.
///
/// # Errors
/// [`Fault`]
pub async fn cost(
    (access, place): (&Access, &Place),
    cloud: Cloud,
    made: &Value,
) -> Result<Option<String>, Fault> {
    if cloud == Cloud::Virtual {
        return Ok(None);
    }
    let ask = Ask::search(&["spectroclusters", cloud.name(), "rate"], body::rate(made))
        .with("periodType", "hourly")
        .kept(Duration::ZERO);
    let rated: Rated = access.ask(place, ask).await?;
    let hourly = rated.rate.total.filter(|total| total.is_finite() && *total > 0.0);
    Ok(hourly.map(|hourly| {
        let month = hourly * MONTH;
        format!("{hourly:.2} an hour, about {month:.0} a month, as Palette estimates (it names no currency)")
    }))
}
