//! [`Manifest`]: rights as objects that `kubectl apply` takes, the same text for the same rights.

use std::fmt;

use super::{Rights, Rule, scalar};

/// A ServiceAccount that is to have the rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its namespace, which must be there.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Whether the account gets a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Its Pods have one, or somebody asks for one.
    None,
    /// A Secret that holds one for as long as it is there (`kubernetes.io/service-account-token`).
    Lasting,
}

/// Rights as objects.
#[derive(Clone, Debug)]
pub struct Manifest<'r> {
    /// What it is for, a paragraph each.
    pub about: Vec<String>,
    /// Who gets them.
    pub account: Account,
    /// The name of the role and of its binding.
    pub role: String,
    /// Whether the account gets a token.
    pub token: Token,
    /// What.
    pub rights: &'r Rights,
}

impl fmt::Display for Manifest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for paragraph in &self.about {
            f.write_str(&scalar::comment("", paragraph))?;
        }
        let Account { namespace, name } = &self.account;
        let (namespace, name) = (scalar::quoted(namespace), scalar::quoted(name));
        let role = scalar::quoted(&self.role);
        write!(
            f,
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        )?;
        if self.token == Token::Lasting {
            f.write_str("---\n")?;
            f.write_str(&scalar::comment(
                "",
                "Its token, for who cannot renew one: it lasts as long as this Secret. Where something else renews it, \
                 leave this out and use `kubectl create token`.",
            ))?;
            let secret = scalar::quoted(&format!("{}-token", self.account.name));
            write!(
                f,
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {secret}\n  namespace: {namespace}\n  \
                 annotations:\n    kubernetes.io/service-account.name: {name}\n\
                 type: kubernetes.io/service-account-token\n"
            )?;
        }
        write!(
            f,
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {role}\n"
        )?;
        match self.rights.rules().is_empty() {
            true => f.write_str("rules: []\n")?,
            false => f.write_str("rules:\n")?,
        }
        let mut said = "";
        for rule in self.rights.rules() {
            if rule.why != said {
                f.write_str(&scalar::comment("  ", &rule.why))?;
                said = &rule.why;
            }
            written(rule, f)?;
        }
        for what in self.rights.left_out() {
            f.write_str(&scalar::comment("  ", &format!("Left out: {what}.")))?;
        }
        write!(
            f,
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: {role}\n\
             roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: {role}\n\
             subjects:\n  - kind: ServiceAccount\n    name: {name}\n    namespace: {namespace}\n"
        )
    }
}

fn written(rule: &Rule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let resources = listed(rule.resources.iter().map(String::as_str));
    let verbs = listed(rule.verbs.iter().copied());
    writeln!(f, "  - apiGroups: [{}]", scalar::quoted(&rule.group))?;
    writeln!(f, "    resources: {resources}\n    verbs: {verbs}")?;
    if rule.names.is_empty() {
        return Ok(());
    }
    f.write_str("    resourceNames:\n")?;
    rule.names.iter().try_for_each(|name| writeln!(f, "      - {}", scalar::quoted(name)))
}

fn listed<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    format!("[{}]", texts.map(scalar::quoted).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn documents(manifest: &Manifest<'_>) -> Vec<Value> {
        serde_saphyr::from_multiple(&manifest.to_string()).expect("YAML")
    }

    fn account() -> Account {
        Account { namespace: "platform-mcp".to_owned(), name: "reader".to_owned() }
    }

    #[test]
    fn what_is_written_is_what_was_meant() {
        let mut rights = Rights::default();
        rights.allow("what is served", &["list"], "apiextensions.k8s.io", "customresourcedefinitions");
        let hostile = "x\"]\n  - apiGroups: [\"*\"]\n    resources: [\"*\"]\n    verbs: [\"*\"]";
        rights.allow_named(hostile, "impersonate", "", "users", vec![hostile.to_owned(), "no".to_owned()]);
        rights.leave_out(hostile.to_owned());
        let about = vec![hostile.to_owned()];
        let manifest = Manifest {
            about,
            account: account(),
            role: "r".to_owned(),
            token: Token::Lasting,
            rights: &rights,
        };
        let documents = documents(&manifest);
        let kinds: Vec<&Value> = documents.iter().map(|document| &document["kind"]).collect();
        assert_eq!(kinds, ["ServiceAccount", "Secret", "ClusterRole", "ClusterRoleBinding"]);
        assert_eq!(
            documents[2]["rules"],
            json!([
                {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["list"]},
                {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": [hostile, "no"]},
            ])
        );
        assert_eq!(
            documents[3]["subjects"],
            json!([{"kind": "ServiceAccount", "name": "reader", "namespace": "platform-mcp"}])
        );
        assert_eq!(documents[1]["metadata"]["annotations"]["kubernetes.io/service-account.name"], "reader");
    }

    #[test]
    fn no_right_is_a_role_without_rules() {
        let rights = Rights::default();
        let manifest = Manifest {
            about: vec![],
            account: account(),
            role: "r".to_owned(),
            token: Token::None,
            rights: &rights,
        };
        let documents = documents(&manifest);
        assert_eq!((documents.len(), &documents[1]["rules"]), (3, &json!([])));
    }
}
