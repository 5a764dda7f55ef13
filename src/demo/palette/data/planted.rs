//! A secret in every field that can carry one.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    Attached, CloudAccount, Cluster, ClusterGroup, Condition, Data, Event, Health, HealthCondition,
    Kubeconfigs, Manifest, Notification, Oidc, Pack, Profile, Project, Repave, RepaveReason, Upgrade, User,
    Variable, Virtual, uid,
};

/// Makes secrets, and remembers them.
struct Planter<'a> {
    marker: &'a str,
    secrets: Vec<String>,
}

impl Planter<'_> {
    /// One without a shape of its own: only the field tells that it is one.
    fn plain(&mut self, place: &str) -> String {
        self.keep(format!("{}-{:03}-{place}", self.marker, self.secrets.len()))
    }

    /// A bearer token.
    fn jwt(&mut self) -> String {
        let number = self.secrets.len();
        self.keep(format!("eyJhbGciOiJSUzI1NiJ9.eyJzdWIi{}{number:03}.c2lnbmF0dXJl{number:03}", self.marker))
    }

    /// The id of an access key.
    fn access_key(&mut self) -> String {
        let text = format!("{:03}{}", self.secrets.len(), self.marker.to_uppercase());
        let letters: String =
            text.chars().filter(char::is_ascii_alphanumeric).chain("X".repeat(16).chars()).take(16).collect();
        self.keep(format!("AKIA{letters}"))
    }

    /// A private key in PEM.
    fn private_key(&mut self) -> String {
        let secret = self.plain("private-key");
        format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n")
    }

    /// A private key in PEM, once more in base64.
    fn encoded_key(&mut self) -> String {
        let encoded = STANDARD.encode(self.private_key());
        self.keep(encoded)
    }

    /// A URL with a password.
    fn url(&mut self, place: &str) -> String {
        format!("https://user:{}@example.com/{place}", self.plain(place))
    }

    /// Words with a token, a key and a private key among them.
    fn words(&mut self, about: &str) -> String {
        format!(
            "{about}: Authorization: Bearer {} was refused, {} too; {}",
            self.jwt(),
            self.access_key(),
            self.private_key()
        )
    }

    /// Helm values.
    fn values(&mut self, place: &str) -> String {
        format!(
            "image:\n  tag: 1.0.0\nauth:\n  password: {}\n  apiKey: {}\n  existing: {}\nenv:\n- name: DB_PASSWORD\n  \
             value: {}\nurl: {}\n",
            self.plain(place),
            self.plain(place),
            self.jwt(),
            self.plain(place),
            self.url(place)
        )
    }

    /// A Secret.
    fn manifest(&mut self, name: &str) -> String {
        let data = self.plain(name);
        let data = self.keep(STANDARD.encode(data));
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  hosts: {}\ndata:\n  other: {data}\n",
            self.plain(name)
        )
    }

    fn kubeconfig(&mut self, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: planted\n  cluster:\n    server: https://planted.example.com:6443\n    \
             proxy-url: {}\ncontexts:\n- name: planted\n  context: {{cluster: planted, user: planted}}\n\
             current-context: planted\nusers:\n- name: planted\n  user:\n{user}",
            self.url("proxy")
        )
    }

    fn condition(&mut self, kind: &str) -> Condition {
        Condition::failed(kind, "Refused", &self.words(kind))
    }

    fn annotations(&mut self) -> BTreeMap<String, String> {
        BTreeMap::from([("note".into(), self.jwt()), ("apiKey".into(), self.plain("annotation"))])
    }

    fn keep(&mut self, secret: String) -> String {
        self.secrets.push(secret.clone());
        secret
    }
}

impl Data {
    /// Holds a secret in every field that is served and can carry one, each of them another, and the list of
    /// them as they stand there. Those with a shape have the shape; every one holds `marker`, which is to be
    /// short and of letters (in the key ids it is in capitals, in base64 it is not seen).
    pub fn planted(marker: &str) -> (Self, Vec<String>) {
        let mut plant = Planter { marker, secrets: Vec::new() };
        let project = Project {
            description: plant.words("project"),
            labels: BTreeMap::from([("token".into(), plant.jwt())]),
            ..Project::new("planted")
        };
        let mut data = Self { key: plant.plain("api-key"), ..Self::default() };
        data.echo = format!("(you sent ApiKey: {})", data.key);
        let token = plant.jwt();
        data.users.push(User { token, tenant: true, ..User::default() });
        data.profiles = vec![profile(&mut plant, &project.uid)];
        data.accounts = accounts(&mut plant, &project.uid);
        let host = host(&mut plant, &data, &project.uid);
        let group = ClusterGroup {
            uid: uid("group/planted"),
            name: "planted".into(),
            hosts: vec![host.uid.clone()],
            profiles: host.profiles.iter().map(|of| of.version.clone()).collect(),
            project: Some(project.uid.clone()),
            values: plant.values("group-values"),
            ..ClusterGroup::default()
        };
        let guest = Cluster {
            environment: "nested".into(),
            virtual_cluster: Some(Virtual {
                host: host.uid.clone(),
                group: Some(group.uid.clone()),
                lifecycle: "Error".into(),
                message: plant.words("lifecycle"),
                values: plant.values("helm-release"),
                size: (4, 8192, 20),
            }),
            base64: true,
            kubeconfigs: host.kubeconfigs.clone(),
            profiles: host.profiles.clone(),
            ..Cluster::new("planted-virtual", Some(&project.uid))
        };
        data.projects = vec![project];
        data.groups = vec![group];
        data.clusters = vec![host, guest];
        (data, plant.secrets)
    }
}

fn profile(plant: &mut Planter<'_>, project: &str) -> Profile {
    let packs = |plant: &mut Planter<'_>, tag: &str| {
        vec![
            Pack {
                annotations: plant.annotations(),
                ..Pack::new("k8s", "kubernetes", tag, &plant.values("pack"))
            },
            Pack {
                kind: "manifest".into(),
                manifests: vec![Manifest::new("database", &plant.manifest("database"))],
                ..Pack::new("addon", "settings", tag, "")
            },
        ]
    };
    let (older, newer) = (packs(plant, "1.30.6"), packs(plant, "1.31.4"));
    let profile = Profile::new("planted", Some(project)).with("1.0.0", older).with("1.1.0", newer);
    let mut profile = Profile {
        kind: "infra".into(),
        cloud_type: "vsphere".into(),
        annotations: plant.annotations(),
        pack_server_secret: plant.plain("pack-server"),
        ..profile
    };
    for version in &mut profile.versions {
        let (sensitive, shaped) = (plant.plain("variable"), plant.jwt());
        version.variables = vec![
            Variable { name: "pin".into(), default_value: sensitive, sensitive: true, ..Variable::default() },
            Variable {
                name: "greeting".into(),
                default_value: shaped.clone(),
                description: plant.words("variable"),
                options: vec![shaped],
                ..Variable::default()
            },
        ];
    }
    profile
}

fn accounts(plant: &mut Planter<'_>, project: &str) -> Vec<CloudAccount> {
    let specs = [
        (
            "aws",
            json!({
                "accessKey": plant.access_key(), "secretKey": plant.plain("aws"), "secretToken": plant.plain("aws"),
                "credentialType": "secret",
                "sts": {"arn": "arn:aws:iam::123456789012:role/x", "externalId": plant.plain("external-id")},
                "secretSpec": {"tls": {"key": plant.private_key(), "cert": "", "ca": ""}},
            }),
        ),
        ("azure", json!({"clientId": "app", "tenantId": "tenant", "clientSecret": plant.plain("azure")})),
        (
            "gcp",
            json!({"jsonCredentials": json!({
                "type": "service_account", "private_key": plant.private_key(),
            }).to_string()}),
        ),
        (
            "vsphere",
            json!({"vcenterServer": "vc.example.com", "username": "u", "password": plant.plain("vsphere")}),
        ),
        ("maas", json!({"apiEndpoint": "https://maas.example.com", "apiKey": plant.plain("maas")})),
        (
            "apache-cloudstack",
            json!({
                "apiUrl": "https://cs.example.com", "apiKey": plant.plain("cloudstack"),
                "secretKey": plant.plain("cloudstack"),
            }),
        ),
    ];
    let specs = specs.into_iter();
    specs
        .map(|(kind, spec)| CloudAccount {
            uid: uid(&format!("account/planted/{kind}")),
            name: format!("planted-{kind}"),
            project: Some(project.to_owned()),
            kind: kind.into(),
            spec,
            annotations: plant.annotations(),
            ..CloudAccount::default()
        })
        .collect()
}

fn host(plant: &mut Planter<'_>, data: &Data, project: &str) -> Cluster {
    let versions = data.profiles.iter().flat_map(|profile| &profile.versions).collect::<Vec<_>>();
    let [older, newer] =
        [versions.first(), versions.last()].map(|of| of.map(|of| of.uid.clone()).unwrap_or_default());
    let attached = Attached {
        version: older,
        values: BTreeMap::from([("kubernetes".into(), plant.values("override"))]),
        manifests: BTreeMap::from([("database".into(), plant.manifest("override"))]),
        variables: BTreeMap::from([("pin".into(), plant.plain("value")), ("greeting".into(), plant.jwt())]),
    };
    let kubeconfigs = kubeconfigs(plant);
    Cluster {
        labels: BTreeMap::from([("token".into(), plant.jwt())]),
        annotations: plant.annotations(),
        account: data.accounts.last().map(|account| account.uid.clone()),
        health: Health {
            state: "UnHealthy".into(),
            conditions: vec![HealthCondition {
                kind: "PackHealth".into(),
                message: plant.words("health"),
                about: Some(("pack".into(), "kubernetes".into())),
            }],
            ..Health::default()
        },
        conditions: vec![plant.condition("CloudInfrastructureReady")],
        pack_conditions: BTreeMap::from([("kubernetes".into(), plant.condition("Ready"))]),
        profiles: vec![attached],
        updates: vec![newer],
        repave: Some(Repave {
            state: "Pending".into(),
            message: plant.words("repave"),
            reasons: vec![RepaveReason {
                code: "ClusterPackValuesChange".into(),
                message: plant.words("reason"),
                pack: "kubernetes".into(),
                layer: "k8s".into(),
                from: "1.30.6".into(),
                to: "1.31.4".into(),
                keys: vec!["auth.password".into()],
            }],
            ..Repave::default()
        }),
        notifications: vec![Notification {
            message: plant.words("notification"),
            link: plant.url("notification"),
            ..Notification::default()
        }],
        events: vec![Event {
            severity: "Error".into(),
            reason: "Refused".into(),
            message: plant.words("event"),
            component: "palette".into(),
            created: 5,
        }],
        upgrades: vec![Upgrade { reasons: vec![plant.words("upgrade")], at: 60 }],
        services: vec![("grafana".into(), plant.url("service"))],
        import_link: format!("kubectl apply -f {}", plant.url("import")),
        oidc: Some(Oidc {
            client_id: "planted".into(),
            client_secret: plant.plain("oidc"),
            issuer_url: "https://login.example.com".into(),
            scopes: vec!["openid".into()],
        }),
        kubeconfigs: Some(kubeconfigs),
        ..Cluster::new("planted", Some(project))
    }
}

fn kubeconfigs(plant: &mut Planter<'_>) -> Kubeconfigs {
    let user = format!("    token: {}\n    password: {}\n", plant.jwt(), plant.plain("password"));
    let client = format!(
        "    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      command: /bin/sh\n      args: [-c, {}]\n      \
         env:\n      - {{name: CLIENT_SECRET, value: {}}}\n",
        plant.plain("argument"),
        plant.plain("environment")
    );
    let frp = format!(
        "    auth-provider:\n      name: oidc\n      config: {{refresh-token: {}}}\n",
        plant.plain("refresh")
    );
    let admin = format!(
        "    client-certificate-data: {}\n    client-key-data: {}\n    tokenFile: /etc/{}\n",
        plant.encoded_key(),
        plant.encoded_key(),
        plant.plain("file")
    );
    let [user, client, frp, admin] = [user, client, frp, admin].map(|user| Some(plant.kubeconfig(&user)));
    Kubeconfigs { user, client, frp, admin }
}
