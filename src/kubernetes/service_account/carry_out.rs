//! Doing what a plan says, step by step. Each step can be done again: where one fails, another run goes on from there.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    super::{
        access::{Access, Basis, DryRun},
        fault::Fault,
        object::Object,
    },
    Change, MANAGER, Plan, Step,
};

/// Tries of a step that another replica does at the same moment, and what is waited between them.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// Where it stopped.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{object}: {fault}{}", after(.done))]
pub struct Stopped {
    /// At which object.
    pub object: String,
    /// Why.
    pub fault: Fault,
    /// What was done before, a line each.
    pub done: Vec<String>,
}

fn after(done: &[String]) -> String {
    match done {
        [] => "; nothing was changed".to_owned(),
        done => format!("; done before: {}; another run goes on from there", done.join(", ")),
    }
}

impl Plan {
    /// Does it.
    ///
    /// # Errors
    /// Where it stopped.
    pub async fn carry_out(&self, admin: &Access) -> Result<(), Stopped> {
        let mut done = Vec::new();
        for step in &self.steps {
            match step.carry_out(admin).await {
                Ok(true) => done.push(step.object()),
                Ok(false) => {}
                Err(fault) => return Err(Stopped { object: step.object(), fault, done }),
            }
        }
        Ok(())
    }
}

impl Step {
    /// Whether anything was changed.
    async fn carry_out(&self, admin: &Access) -> Result<bool, Fault> {
        match &self.change {
            Change::Keep | Change::Leave(_) => Ok(false),
            Change::Create | Change::Update(_) => self.applied(admin).await.map(|()| true),
            Change::Replace { uid, resource_version, .. } => {
                self.deleted(admin, Basis { uid, resource_version }).await?;
                self.applied(admin).await.map(|()| true)
            }
            Change::Delete { uid, resource_version } => {
                self.deleted(admin, Basis { uid, resource_version }).await
            }
        }
    }

    /// Replicas that do the same at the same moment get in each other's way, and not further.
    async fn applied(&self, admin: &Access) -> Result<(), Fault> {
        let (kind, namespace, name) = (&self.piece.kind, self.piece.namespace.as_deref(), &self.piece.name);
        let manifest = Object::from_value(self.piece.manifest());
        let manifest = manifest.ok_or_else(|| Fault::Malformed("not an object".to_owned()))?;
        let mut tries = 0;
        loop {
            let applied = match self.change {
                Change::Update(_) => admin.reclaim(kind, namespace, name, &manifest, MANAGER).await,
                _ => admin.apply(kind, namespace, name, &manifest, MANAGER, DryRun::No).await,
            };
            match applied {
                Ok(_) => return Ok(()),
                Err(fault) if tries < TRIES && is_race(&fault) => tries += 1,
                Err(fault) => return Err(fault),
            }
            sleep(PAUSE * tries).await;
        }
    }

    async fn deleted(&self, admin: &Access, basis: Basis<'_>) -> Result<bool, Fault> {
        let (kind, namespace) = (&self.piece.kind, self.piece.namespace.as_deref());
        match admin.delete(kind, namespace, &self.piece.name, basis, DryRun::No).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.is_not_found() => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

/// Whether another one made or changed the object at the same moment, which is no conflict about what it says.
fn is_race(fault: &Fault) -> bool {
    match fault {
        Fault::Refused(refused) => {
            let about_fields = refused.causes.iter().any(|cause| cause.reason == "FieldManagerConflict");
            refused.status == 409 && !about_fields
        }
        _ => false,
    }
}
