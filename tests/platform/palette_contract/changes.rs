//! What makes and changes clusters in the simulator, by way of prism.

use platform_mcp::demo::palette::{Data, Limits, Notification, uid};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Caller, acme,
    operations::{Operation, Place, operations},
};
use crate::palette::Palette;

/// A cluster of a cloud that nothing is wrong with.
fn body(cloud: &str, data: &Data, name: &str) -> Value {
    let account = |kind: &str| uid(&format!("account/{kind}"));
    let pool = |cloud: Value| {
        json!([{"cloudConfig": cloud, "poolConfig": {
            "name": "control", "size": 1, "labels": ["control-plane"], "isControlPlane": true,
        }}])
    };
    let (kind, config, pools) = match cloud {
        "aws" | "eks" => {
            ("aws", json!({"region": "eu-central-1"}), pool(json!({"instanceType": "m5.large"})))
        }
        "azure" | "aks" => (
            "azure",
            json!({"location": "westeurope", "sshKey": "ssh-ed25519 AAAA", "subscriptionId": "s"}),
            pool(json!({"instanceType": "Standard_B2s"})),
        ),
        "gcp" | "gke" => {
            ("gcp", json!({"project": "p", "region": "r"}), pool(json!({"instanceType": "n1-standard-2"})))
        }
        "maas" => ("maas", json!({"domain": "d"}), pool(json!({"instanceType": {}, "resourcePool": "r"}))),
        "vsphere" => ("vsphere", json!({"placement": {"datacenter": "d"}}), pool(json!({}))),
        _ => ("", json!({}), json!([{"cloudConfig": {"instanceType": {"maxCPU": 1, "maxMemInMiB": 1024}}}])),
    };
    let mut spec = json!({"cloudType": cloud, "cloudConfig": config, "machinepoolconfig": pools});
    if kind.is_empty() {
        let group = json!({"uid": data.groups[0].uid});
        spec["clusterConfig"] = json!({"hostClusterConfig": {"clusterGroup": group}});
    } else {
        spec["cloudAccountUid"] = json!(account(kind));
    }
    if matches!(cloud, "eks" | "vsphere") {
        spec.as_object_mut().unwrap().remove("cloudType");
    }
    json!({"metadata": {"name": name}, "spec": spec})
}

fn made() -> Vec<Operation> {
    operations()
        .into_iter()
        .filter(|operation| !operation.is_read() && operation.method == Method::POST)
        .collect()
}

#[tokio::test]
async fn clusters_of_every_cloud_are_validated_rated_and_made_as_the_contract_has_it() {
    let tenant = Palette::shared().tenant(Data { limits: Limits::Off, ..acme::data() });
    let (caller, data) = (Caller::new(Palette::shared(), &tenant), tenant.data());
    let project = data.groups[0].project.clone().or(data.accounts[0].project.clone());
    let operations = made();
    assert_eq!(operations.len(), 9 * 3 - 1);
    for operation in operations {
        let mut parts = operation.template.split('/').skip(3);
        let (cloud, asked) = (parts.next().unwrap(), parts.next());
        let name = format!("new-{cloud}");
        let mut body = body(cloud, &data, &name);
        if asked == Some("rate") {
            body = json!({
                "cloudConfig": body["spec"]["cloudConfig"], "machinepoolconfig": body["spec"]["machinepoolconfig"],
            });
        }
        let place = Place { path: operation.template.clone(), project: project.clone() };
        let answer = caller.ask(&Method::POST, &place, Some(body.clone())).await;
        let (status, said) = (answer.status(), answer.text().await.unwrap());
        let expected = if asked.is_none() { StatusCode::CREATED } else { StatusCode::OK };
        assert_eq!(status, expected, "{}: {said}", operation.name());
        if asked.is_none() {
            assert!(tenant.data().clusters.iter().any(|cluster| cluster.name == name), "{name}");
            let again = caller.ask(&Method::POST, &place, Some(body)).await;
            assert_eq!(again.status(), StatusCode::CONFLICT, "{name}");
        }
    }
    assert_eq!(tenant.bad_answers(), [""; 0]);
}

#[tokio::test]
async fn what_the_contract_does_not_have_makes_no_cluster() {
    let tenant = Palette::shared().tenant(Data { limits: Limits::Off, ..acme::data() }).lenient();
    let (caller, data) = (Caller::new(Palette::shared(), &tenant), tenant.data());
    let project = data.accounts[0].project.clone();
    let place = Place { path: "/v1/spectroclusters/eks".to_owned(), project };
    let good = || body("eks", &data, "new");
    let mut unknown = good();
    unknown["spec"]["machinePoolConfig"] = json!([]);
    let mut missing = good();
    missing["spec"].as_object_mut().unwrap().remove("cloudAccountUid");
    for body in [unknown, missing, json!([])] {
        let answer = caller.ask(&Method::POST, &place, Some(body.clone())).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    assert!(tenant.data().clusters.iter().all(|cluster| cluster.name != "new"));
    assert!(tenant.violations().len() >= 3);
}

#[tokio::test]
async fn changes_of_a_cluster_are_made_as_the_contract_has_them() {
    let mut data = Data { limits: Limits::Off, ..acme::data() };
    let cluster = data.clusters.iter_mut().find(|of| of.repave.is_some() && !of.profiles.is_empty()).unwrap();
    cluster.notifications = vec![Notification { message: "news".into(), ..Notification::default() }];
    let (uid_of, name, project) = (cluster.uid.clone(), cluster.name.clone(), cluster.project.clone());
    let version = cluster.profiles[0].version.clone();
    cluster.repave.as_mut().unwrap().state = "Pending".into();
    let tenant = Palette::shared().tenant(data);
    let caller = Caller::new(Palette::shared(), &tenant);
    let patch = async |path: String, body: Option<Value>| {
        let answer = caller.ask(&Method::PATCH, &Place { path, project: project.clone() }, body).await;
        answer.status().as_u16()
    };
    let cluster = format!("/v1/spectroclusters/{uid_of}");
    let notification = format!("/v1/notifications/{}", uid(&format!("{name}.news.0")));
    assert_eq!(patch(format!("{cluster}/repave/approve"), None).await, 204);
    assert_eq!(patch(format!("{cluster}/repave/approve"), None).await, 404, "there is one no more");
    assert_eq!(patch(format!("{notification}/ack"), None).await, 204);
    assert_eq!(patch(format!("{notification}/done"), None).await, 204);
    let profiles = json!({"profiles": [{"uid": version, "replaceWithProfile": version}]});
    assert_eq!(patch(format!("{cluster}/profiles?resolveNotification=true"), Some(profiles)).await, 204);
    let changed = tenant.data().cluster(&uid_of).unwrap().clone();
    assert!(changed.notifications[0].ack && changed.notifications[0].done);
    assert_eq!(tenant.bad_answers(), [""; 0]);
}
