//! What each endpoint answers.

mod changes;
mod clusters;
mod creation;
mod profiles;
mod tenancy;

use super::{
    asked::{Asked, Reply},
    refusal::Refusal,
};

impl Asked<'_> {
    /// The answer, by the endpoint.
    pub(super) fn answer(&self) -> Result<Reply, Refusal> {
        let template = self.endpoint.template;
        if let Some(reply) = self.about_tenancy(template)? {
            return Ok(reply);
        }
        if let Some(reply) = self.about_creation(template)? {
            return Ok(reply);
        }
        if let Some(reply) = self.about_profiles(template)? {
            return Ok(reply);
        }
        self.about_clusters(template)
    }
}
