//! [`Options`]: the query of a change: what the caller may say in it, and what is added.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::{MANAGER, content::Content};
use crate::{
    Error,
    answer::sanitise,
    kubernetes::proxy::{BadPath, Query},
};

/// What is not the caller's to say, and why.
const OURS: [(&str, &str); 9] = [
    ("dryRun", "the call without plan is the dry run"),
    ("watch", "it is for reads"),
    ("follow", "it is for reads"),
    ("allowWatchBookmarks", "it is for reads"),
    ("sendInitialEvents", "it is for reads"),
    ("limit", "what is deleted is what the plan lists; narrow it with labelSelector or fieldSelector"),
    ("continue", "what is deleted is what the plan lists"),
    ("resourceVersion", "what is deleted is what the plan lists; of an object, it belongs into the body"),
    ("resourceVersionMatch", "what is deleted is what the plan lists"),
];
/// Of a deletion: an API server that gets a body reads these from there alone (apiserver
/// `handlers/delete.go`).
const OF_DELETION: [&str; 3] = ["gracePeriodSeconds", "orphanDependents", "propagationPolicy"];

/// The query of a change.
#[derive(Clone, Debug, Default)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// From the argument `query`.
    ///
    /// # Errors
    /// A key that is not the caller's to say, or a value that it does not take.
    pub fn of(
        method: &Method,
        content: Content,
        written: Option<BTreeMap<String, String>>,
    ) -> Result<Self, Error> {
        let mut options = written.unwrap_or_default();
        let wrong =
            |key: &str, why: &str| Error::invalid_input(format!("the argument \"query\": {key} {why}"));
        for (key, why) in OURS {
            if options.contains_key(key) {
                return Err(wrong(key, &format!("is not taken: {why}")).next("leave it out"));
            }
        }
        if let Some(force) = options.get("force") {
            if content != Content::Apply {
                return Err(wrong("force", "is for application/apply-patch+yaml alone"));
            }
            if !matches!(force.as_str(), "true" | "false") {
                return Err(wrong("force", "must be true or false").candidates(["true", "false"]));
            }
        }
        if *method != Method::DELETE {
            options.entry("fieldManager".to_owned()).or_insert_with(|| MANAGER.to_owned());
            // what is misspelled is an error and not left out
            options.entry("fieldValidation".to_owned()).or_insert_with(|| "Strict".to_owned());
        }
        let options = Self(options);
        options.query(true, None).map_err(|why| wrong("it", &format!("cannot be sent: {why}")))?;
        Ok(options)
    }

    /// As whom the caller writes fields.
    pub fn manager(&self) -> &str {
        self.0.get("fieldManager").map_or(MANAGER, String::as_str)
    }

    /// Whether it takes fields from other managers.
    pub fn forces(&self) -> bool {
        self.0.get("force").is_some_and(|force| force == "true")
    }

    /// Whether it narrows a collection.
    pub fn selects(&self) -> bool {
        ["labelSelector", "fieldSelector"]
            .iter()
            .any(|key| self.0.get(*key).is_some_and(|selector| !selector.is_empty()))
    }

    /// The query of the change, or of its dry run; of a collection, of what it held in that version alone.
    ///
    /// # Errors
    /// It is too long.
    pub fn query(&self, dry: bool, version: Option<&str>) -> Result<Query, BadPath> {
        let said = self.0.iter().filter(|(key, _)| !OF_DELETION.contains(&key.as_str()));
        let mut query = Query::of(said.map(|(key, value)| (key.as_str(), value.as_str())));
        if dry {
            query.add("dryRun", "All");
        }
        if let Some(version) = version {
            query.add("resourceVersion", version);
            query.add("resourceVersionMatch", "Exact");
        }
        Query::parse(query.as_str())
    }

    /// The query of the list of what a collection's deletion would delete.
    pub fn listing(&self, most: usize) -> Query {
        let selectors = self.0.iter().filter(|(key, _)| key.ends_with("Selector"));
        let mut query = Query::of(selectors.map(|(key, value)| (key.as_str(), value.as_str())));
        query.add("limit", &most.to_string());
        query
    }

    /// The options of a deletion: the caller's body, what the query says of it, and which object is meant.
    ///
    /// # Errors
    /// They contradict each other, or are none.
    pub fn deletion(&self, body: Option<&Value>) -> Result<Value, Error> {
        let wrong = |what: String| Error::invalid_input(format!("the argument {what}"));
        let mut options = match body {
            None => Map::new(),
            Some(Value::Object(body)) => body.clone(),
            Some(_) => return Err(wrong("\"body\" must be DeleteOptions".to_owned())),
        };
        if options.get("kind").is_some_and(|kind| kind != "DeleteOptions") {
            let kind = sanitise::short(&options.get("kind").map(Value::to_string).unwrap_or_default(), 60);
            return Err(wrong(format!("\"body\" is {kind}; DELETE takes DeleteOptions, or none")));
        }
        if options.contains_key("dryRun") {
            return Err(wrong("\"body\" has dryRun: the call without plan is the dry run".to_owned())
                .next("leave it out"));
        }
        for (key, value) in self.0.iter().filter(|(key, _)| OF_DELETION.contains(&key.as_str())) {
            let value = match key.as_str() {
                "propagationPolicy" => Some(json!(value)),
                "orphanDependents" => value.parse::<bool>().ok().map(Value::from),
                _ => value.parse::<i64>().ok().map(Value::from),
            };
            let value =
                value.ok_or_else(|| wrong(format!("\"query\": {key} has a value that it cannot have")))?;
            if options.get(key).is_some_and(|said| *said != value) {
                return Err(wrong(format!("\"query\" says another {key} than the body")));
            }
            options.insert(key.clone(), value);
        }
        options.entry("apiVersion").or_insert_with(|| "v1".into());
        options.entry("kind").or_insert_with(|| "DeleteOptions".into());
        Ok(Value::Object(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(method: &Method, content: Content, pairs: &[(&str, &str)]) -> Result<Options, Error> {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Options::of(method, content, Some(pairs))
    }

    #[test]
    fn what_the_tool_does_itself_is_refused_by_name() {
        for (key, _) in OURS {
            let error = options(&Method::DELETE, Content::Json, &[(key, "1")]).expect_err(key).text();
            assert!(error.contains(key) && error.contains("\"query\""), "{error}");
        }
        assert!(options(&Method::PATCH, Content::Merge, &[("force", "true")]).is_err());
        assert!(options(&Method::PATCH, Content::Apply, &[("force", "yes")]).is_err());
        assert!(options(&Method::PATCH, Content::Apply, &[("force", "true")]).is_ok_and(|it| it.forces()));
        let long = "x".repeat(20_000);
        assert!(options(&Method::DELETE, Content::Json, &[("labelSelector", &long)]).is_err());
    }

    #[test]
    fn the_manager_is_ours_unless_the_caller_names_one() {
        let query = |pairs: &[(&str, &str)], dry| {
            let options = options(&Method::PATCH, Content::Apply, pairs).expect("options");
            options.query(dry, None).expect("a query").as_str().to_owned()
        };
        assert_eq!(query(&[], true), "fieldManager=platform%2Dmcp&fieldValidation=Strict&dryRun=All");
        assert_eq!(query(&[("fieldManager", "me")], false), "fieldManager=me&fieldValidation=Strict");
    }

    #[test]
    fn options_of_a_deletion_go_into_its_body() {
        let of = |pairs: &[(&str, &str)], body: &Value| {
            let options = options(&Method::DELETE, Content::Json, pairs).expect("options");
            assert!(!options.query(false, None).expect("a query").as_str().contains("Policy"));
            options.deletion(Some(body))
        };
        let both =
            of(&[("propagationPolicy", "Orphan"), ("gracePeriodSeconds", "0")], &json!({})).expect("options");
        assert_eq!(
            both,
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan", "gracePeriodSeconds": 0})
        );
        for (pairs, body) in [
            (&[("propagationPolicy", "Orphan")][..], json!({"propagationPolicy": "Foreground"})),
            (&[("gracePeriodSeconds", "soon")], json!({})),
            (&[], json!({"kind": "Pod"})),
            (&[], json!({"dryRun": ["All"]})),
        ] {
            assert!(of(pairs, &body).is_err(), "{body}");
        }
    }
}
