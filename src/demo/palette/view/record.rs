//! What is recorded about a cluster: events, notifications, repaves.

use serde_json::{Value, json};

use super::{Meta, View};
use crate::demo::palette::data::{Cluster, Event, Notification, RepaveReason, uid};

impl View<'_> {
    fn record_metadata(&self, name: &str, created: i64) -> Value {
        self.metadata(&Meta {
            uid: &uid(name),
            name,
            project: None,
            labels: None,
            annotations: None,
            created,
            modified: created,
        })
    }

    /// `Event`
    pub(in super::super) fn event(&self, cluster: &Cluster, event: &Event) -> Value {
        let name = format!("{}.{}.{}", cluster.name, event.reason, event.created);
        json!({
            "metadata": self.record_metadata(&name, event.created),
            "severity": event.severity,
            "reason": event.reason,
            "message": event.message,
            "involvedObject": {"kind": "SpectroCluster", "name": cluster.name, "uid": cluster.uid},
            "relatedObject": {"kind": "spectrocluster", "name": cluster.name, "uid": cluster.uid},
            "source": {"component": event.component, "host": ""},
        })
    }

    /// `Notification`
    pub(in super::super) fn notification(
        &self,
        of: (&str, &str, &str),
        notification: &Notification,
    ) -> Value {
        let (kind, name, related) = of;
        let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
        let title = Self::notification_title(name, notification);
        json!({
            "metadata": self.record_metadata(&title, notification.created),
            "type": or(&notification.kind, "NotificationPackUpdate"),
            "action": {
                "actionType": or(&notification.action, "NotifyActionClusterProfileUpdate"),
                "actionMessage": notification.message,
                "ack": notification.ack,
                "isDone": notification.done,
                "isInfo": false,
                "link": notification.link,
                "events": {},
            },
            "relatedObject": {"kind": kind, "name": name, "uid": related},
            "source": {"component": "hubble"},
        })
    }

    /// What the uid of a notification is made of.
    pub(in super::super) fn notification_title(cluster: &str, notification: &Notification) -> String {
        format!("{cluster}.{}.{}", notification.message, notification.created)
    }

    /// `SpectroClusterRepave`; without a state where nothing is to be replaced.
    pub(in super::super) fn repave(&self, cluster: &Cluster) -> Value {
        let repave = cluster.repave.as_ref();
        let reasons: Vec<Value> =
            repave.map(|repave| repave.reasons.iter().map(reason).collect()).unwrap_or_default();
        json!({
            "metadata": self.record_metadata(&format!("{}.repave", cluster.name), 1),
            "spec": {"source": "palette", "spectroClusterUid": cluster.uid, "reasons": reasons},
            "status": repave.map(|repave| json!({
                "state": repave.state,
                "message": repave.message,
                "repaveTransitionTime": self.time(repave.since),
            })),
        })
    }

    /// `SpectroClusterRepaveValidationResponse`: what going to those versions would do.
    pub(in super::super) fn repave_of(&self, cluster: &Cluster, targets: &[&str]) -> Value {
        let reasons = self.repave_reasons(cluster, targets);
        let required = cluster.update_repaves || !reasons.is_empty();
        json!({"isRepaveRequired": required, "reasons": reasons.iter().map(reason).collect::<Vec<_>>()})
    }

    /// Why going to those versions would replace machines.
    pub(in super::super) fn repave_reasons(&self, cluster: &Cluster, targets: &[&str]) -> Vec<RepaveReason> {
        let mut reasons = Vec::new();
        for (_, target) in targets.iter().filter_map(|uid| self.data.version(uid)) {
            let attached = cluster.profiles.iter().filter_map(|of| self.data.version(&of.version));
            let now = attached.flat_map(|(_, version)| &version.packs).collect::<Vec<_>>();
            for pack in target.packs.iter().filter(|pack| matches!(pack.layer.as_str(), "os" | "k8s")) {
                let changed = now.iter().find(|of| of.name == pack.name && of.tag != pack.tag);
                reasons.extend(changed.map(|of| RepaveReason {
                    code: "ClusterPackVersionChange".into(),
                    message: format!("{} changes from {} to {}", pack.name, of.tag, pack.tag),
                    pack: pack.name.clone(),
                    layer: pack.layer.clone(),
                    from: of.tag.clone(),
                    to: pack.tag.clone(),
                    keys: Vec::new(),
                }));
            }
        }
        reasons
    }
}

fn reason(reason: &RepaveReason) -> Value {
    let pack = |tag: &str| json!({"name": reason.pack, "layer": reason.layer, "tag": tag, "type": "spectro"});
    let changed = (!reason.pack.is_empty()).then(
        || json!({"current": pack(&reason.from), "target": pack(&reason.to), "diffConfigKeys": reason.keys}),
    );
    json!({"code": reason.code, "message": reason.message, "pack": changed})
}
