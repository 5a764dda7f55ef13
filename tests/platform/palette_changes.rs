//! What changes Palette, over the simulator with the vendor's contract before it: planned, confirmed, made once, and
//! followed.

mod creation;
mod updates;

use std::time::Duration;

use platform_mcp::demo::palette::{
    Attached, CloudAccount, Cluster, ClusterGroup, Data, Pack, Profile, Project, Variable, uid,
};
use serde_json::{Value, json};

use crate::{
    listen::Listen,
    mcp::{Mcp, ToolAnswer, stateless},
    palette::{Palette, Tenant},
    server::{Product, Server},
};

/// The values of sensitive variables: in no answer, log, audit line or plan.
const SECRET: &str = "qzsecretpin-4711";
const SHORT_SECRET: &str = "z9";

struct Rig {
    tenant: Tenant,
    server: Server,
    mcp: Mcp,
}

/// A server over a tenant for somebody who may do this.
fn serve(data: Data, roles: &str) -> Rig {
    let tenant = Palette::shared().tenant(data);
    let config = format!(
        "{}local: {{role: mine}}\nroles:\n  mine: {{include: [viewer], allow: [{roles}]}}\naudit: {{to: audit.log}}\n\
         limits: {{requestsPerSecond: 100000, burst: 100000}}\n",
        Palette::shared().config(&tenant)
    );
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]).env("RUST_LOG", "debug");
    let server = product.config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    Rig { tenant, server, mcp }
}

fn able(data: Data) -> Rig {
    serve(data, "spectrocloud.cluster.create, spectrocloud.cluster.update")
}

impl Rig {
    /// The plan.
    async fn plan(&self, tool: &str, arguments: &Value) -> ToolAnswer {
        let answer = self.mcp.call(tool, arguments.clone()).await;
        assert_eq!(answer.structure["change"], "planned", "{}", answer.text);
        answer
    }

    /// What follows the plan.
    async fn confirm(&self, tool: &str, arguments: &Value, plan: &ToolAnswer) -> ToolAnswer {
        let mut arguments = arguments.clone();
        arguments["plan"] = plan.structure["plan"].clone();
        self.mcp.call(tool, arguments).await
    }

    /// Planned and done.
    async fn done(&self, tool: &str, arguments: &Value) -> ToolAnswer {
        let plan = self.plan(tool, arguments).await;
        let answer = self.confirm(tool, arguments, &plan).await;
        assert_eq!(answer.structure["change"], "made", "{}", answer.text);
        answer
    }

    /// The bodies of requests that change something.
    fn changes(&self) -> Vec<(String, Value)> {
        let sent = self.tenant.sent().into_iter();
        let asked = |path: &str| path.ends_with("/validate") || path.ends_with("/rate");
        let changes = sent.filter(|sent| match sent.method.as_str() {
            "PATCH" => true,
            "POST" => {
                sent.path.starts_with("/v1/spectroclusters/")
                    && !asked(&sent.path)
                    && !sent.path.contains("/validate/")
            }
            _ => false,
        });
        changes
            .map(|sent| {
                let body = serde_json::from_str(&sent.body).unwrap_or_default();
                (format!("{} {}", sent.method, sent.path), body)
            })
            .collect()
    }

    fn cluster(&self, name: &str) -> Option<Cluster> {
        self.tenant.data().clusters.iter().find(|cluster| cluster.name == name).cloned()
    }

    /// The lines of the audit log, once there are so many.
    fn audit(&self, lines: usize) -> Vec<Value> {
        let read = || self.server.read("audit.log");
        let began = std::time::Instant::now();
        while read().lines().count() < lines {
            assert!(began.elapsed() < Duration::from_secs(20), "{}", read());
            std::thread::sleep(Duration::from_millis(20));
        }
        read().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// A call whose progress is heard.
    async fn heard(&self, tool: &str, arguments: &Value) -> (Vec<String>, Value) {
        let mut params = json!({"name": tool, "arguments": arguments});
        let meta = stateless(&json!(1), "tools/call", &params)["params"]["_meta"].clone();
        params["_meta"] = meta;
        params["_meta"]["progressToken"] = json!("p");
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let mut stream = Listen::of(&self.mcp, &body).await;
        let mut heard = Vec::new();
        loop {
            let message =
                stream.next(Duration::from_secs(60)).await.expect("the stream ends with the answer");
            if message["id"] == 1 {
                return (heard, message["result"].clone());
            }
            heard.push(message["params"]["message"].as_str().unwrap_or_default().to_owned());
        }
    }
}

/// Projects shop and other; profiles of clouds and add-ons, an account of AWS, a group, and a cluster of each kind.
fn data() -> Data {
    let (shop, other) = (Project::new("shop"), Project::new("other"));
    let infra = |name: &str, cloud: &str| Profile {
        kind: "infra".into(),
        cloud_type: cloud.into(),
        ..Profile::new(name, None)
    };
    let packs = |kubernetes: &str| {
        vec![Pack::new("os", "ubuntu", "22.04", ""), Pack::new("k8s", "kubernetes", kubernetes, "a: 1\n")]
    };
    let base = infra("base", "eks").with("1.0.0", packs("1.30.6")).with("1.1.0", packs("1.31.4"));
    let vsphere = infra("vsphere-base", "vsphere").with("1.0.0", packs("1.30.6"));
    let variable = |name: &str| Variable { name: name.into(), ..Variable::default() };
    let mut app = Profile::new("app", None)
        .with("1.0.0", vec![Pack::new("addon", "nginx", "1.11.1", "replicas: 1\n")])
        .with("1.1.0", vec![Pack::new("addon", "nginx", "1.11.3", "replicas: 2\n")])
        .with("2.0.0", vec![Pack::new("addon", "nginx", "1.12.0", "replicas: 2\n")]);
    for version in &mut app.versions {
        version.variables = vec![
            Variable { required: true, sensitive: true, regex: "^[a-z0-9-]+$".into(), ..variable("pin") },
            Variable { sensitive: true, ..variable("salt") },
            Variable { format: "number".into(), default_value: "2".into(), ..variable("replicas") },
            Variable {
                options: vec!["small".into(), "large".into()],
                default_value: "small".into(),
                ..variable("tier")
            },
            Variable { immutable: true, ..variable("zone") },
        ];
    }
    app.versions[2].draft = true;
    let plain = Profile::new("plain", None)
        .with("1.0.0", vec![Pack::new("addon", "fluent", "2.0.0", "")])
        .with("1.1.0", vec![Pack::new("addon", "fluent", "2.1.0", "")]);
    let host = Cluster::new("host", None);
    let group = ClusterGroup {
        uid: uid("group/sandboxes"),
        name: "sandboxes".into(),
        hosts: vec![host.uid.clone()],
        ..ClusterGroup::default()
    };
    let full = ClusterGroup { uid: uid("group/full"), name: "full".into(), cpu: (4.0, 3.0), ..group.clone() };
    let asleep =
        ClusterGroup { uid: uid("group/asleep"), name: "asleep".into(), active: false, ..group.clone() };
    let running = Cluster {
        profiles: vec![
            Attached::new(&base.versions[0].uid),
            Attached {
                variables: [("pin".to_owned(), "kept-pin".to_owned()), ("zone".to_owned(), "a".to_owned())]
                    .into(),
                ..Attached::new(&app.versions[0].uid)
            },
            Attached::new(&plain.versions[0].uid),
        ],
        ..Cluster::new("running", Some(&shop.uid))
    };
    let account = |name: &str, kind: &str, project: Option<&str>| CloudAccount {
        uid: uid(&format!("account/{name}")),
        name: name.into(),
        kind: kind.into(),
        project: project.map(str::to_owned),
        state: "Running".into(),
        ..CloudAccount::default()
    };
    Data {
        accounts: vec![
            account("aws-one", "aws", None),
            account("twin", "aws", None),
            CloudAccount { uid: uid("account/twin-2"), ..account("twin", "aws", None) },
            account("vcenter", "vsphere", None),
            account("of-other", "aws", Some(&other.uid)),
        ],
        projects: vec![shop, other],
        profiles: vec![base, vsphere, app, plain],
        clusters: vec![host, running],
        groups: vec![group, full, asleep],
        ..Data::default()
    }
}
