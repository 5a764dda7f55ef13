//! One cluster as the server itself, for commands that answer to whoever runs it.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    answer::redact::Learned,
    kubernetes::{Access, As, Budgeted, Cluster, Fault, Meter, View},
    permission::Decision,
    telemetry::CallSpan,
};

/// The cluster with the server's own credential, for so long. It shows no objects; what is to be known of them is
/// read [unfiltered](Access::unfiltered), and never the value of a Secret.
pub(super) fn as_server(cluster: &Arc<Cluster>, command: &str, patience: Duration) -> Access {
    let spent = Budgeted {
        meter: Arc::new(Meter::default()),
        learned: Arc::new(Learned::default()),
        deadline: Instant::now() + patience,
        call_id: command.into(),
        span: CallSpan::default(),
    };
    Access::new(Arc::clone(cluster), Arc::new(NoObjects), As::Server, spent)
}

/// A command shows no objects.
struct NoObjects;

impl View for NoObjects {
    fn sees(&self, _namespace: Option<&str>) -> bool {
        false
    }

    fn reveals(&self, _namespace: Option<&str>) -> bool {
        false
    }

    fn withheld(&self, _namespace: Option<&str>) -> Fault {
        let decision = Box::new(Decision::Deny { missing: Vec::new(), hidden: false, rule: None });
        Fault::Withheld { needs: "nothing".to_owned(), place: "a check".to_owned(), decision }
    }
}
