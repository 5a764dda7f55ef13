use http::Method;

use super::*;

fn target(path: &str) -> Target {
    Target::parse(path).unwrap_or_else(|wrong| panic!("{path}: {wrong}"))
}

#[test]
fn paths_are_taken_apart_as_the_api_server_does() {
    let resource = |path: &str| target(path).resource().cloned().expect("a resource");
    let some = |text: &str| Some(text.to_owned());
    let pod = Resource {
        version: "v1".to_owned(),
        namespace: some("a"),
        plural: "pods".to_owned(),
        name: some("p"),
        ..Resource::default()
    };
    assert_eq!(resource("/api/v1/namespaces/a/pods/p"), pod);
    let log = Resource { subresource: some("log"), ..pod.clone() };
    assert_eq!(resource("/api/v1/namespaces/a/pods/p/log"), log);
    let watched = Resource { name: None, watch: true, ..pod.clone() };
    assert_eq!(resource("/api/v1/watch/namespaces/a/pods"), watched);
    let roles = resource("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode");
    assert_eq!(
        (roles.group.as_str(), roles.name.as_deref()),
        ("rbac.authorization.k8s.io", Some("system:node"))
    );
    assert_eq!(resource("/api/v1/namespaces/a").name, some("a"));
    assert_eq!(resource("/api/v1/namespaces/a").namespace, None, "a Namespace is in none");
    assert_eq!(resource("/api/v1/namespaces/a/finalize").subresource, some("finalize"));
    for path in
        ["/", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", "/openapi/v3/api/v1"]
    {
        assert_eq!(target(path).what(), &What::Discovery, "{path}");
    }
    for path in ["/metrics", "/logs/a", "/apia/v1/pods"] {
        assert_eq!(target(path).what(), &What::Other, "{path}");
    }
}

#[test]
fn what_a_request_touches_and_whether_it_changes_something() {
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, touched, changes) in [
        (&get, "/api", Touched::Discovery, false),
        (&post, "/api/v1", Touched::Everything, true),
        (&get, "/api/v1/namespaces/a/pods", Touched::Namespace("a"), false),
        (&post, "/api/v1/namespaces/a/pods", Touched::Namespace("a"), true),
        (&get, "/api/v1/pods", Touched::Everything, false),
        (&get, "/api/v1/watch/pods", Touched::Everything, false),
        (&get, "/api/v1/nodes/n", Touched::ClusterScoped, false),
        (&get, "/api/v1/namespaces/a", Touched::ClusterScoped, false),
        (&get, "/api/v1/namespaces", Touched::Everything, false),
        (&post, "/api/v1/namespaces", Touched::ClusterScoped, true),
        (&get, "/metrics", Touched::Everything, false),
        (&get, "/api/v1/namespaces/a/pods/p/exec", Touched::Namespace("a"), true),
        (&get, "/api/v1/namespaces/a/services/s/proxy/x", Touched::Namespace("a"), true),
        (&get, "/api/v1/nodes/n/proxy/run", Touched::Everything, true),
        (&get, "/api/v1/watch/nodes/n", Touched::Everything, false),
        (&get, "/api/v1/watch/namespaces/a/pods/p", Touched::Namespace("a"), false),
        (&post, "/api/v1/namespaces/a/pods/p/eviction", Touched::Namespace("a"), true),
        (&post, "/api/v1/namespaces/a/finalize", Touched::ClusterScoped, true),
        (&post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Touched::ClusterScoped, true),
        (&Method::DELETE, "/api/v1/nodes", Touched::Everything, true),
        (&Method::DELETE, "/api/v1/pods", Touched::Everything, true),
        (&Method::DELETE, "/api/v1/namespaces/a/pods", Touched::Namespace("a"), true),
        (&Method::PUT, "/api/v1/nodes/n", Touched::ClusterScoped, true),
        (&Method::OPTIONS, "/api/v1/namespaces/a/pods", Touched::Namespace("a"), true),
        (&get, "/API/v1/namespaces/a/pods", Touched::Everything, false),
        (&get, "/api/v1/namespaces/a/pods/p/log", Touched::Namespace("a"), false),
    ] {
        let target = target(path);
        assert_eq!((target.touches(method), target.changes(method)), (touched, changes), "{method} {path}");
    }
    assert!(target("/api/v1/secrets").is_secret());
    assert!(target("/api/v1/watch/namespaces/a/secrets/b").is_secret());
    assert!(!target("/api/v1/namespaces/secrets/pods").is_secret());
    assert!(target("/api/v1/namespaces/a/serviceaccounts/b/token").is_credential());
}

#[test]
fn what_could_be_taken_for_another_path_is_none() {
    for path in [
        "",
        "api/v1",
        "//host/api",
        "/api//v1",
        "/api/v1/",
        "http://host/api",
        "/api/../x",
        "/api/./x",
        "/api/%2e%2e/x",
        "/api/%2E./x",
        "/api/.%2e/x",
        "/api/%252e%252e/x",
        "/api/a%2fb",
        "/api/a%2Fb",
        "/api/a%5cb",
        "/api/a\\b",
        "/api/a;b",
        "/api/a%3bb",
        "/api/a?b",
        "/api/a%3fb",
        "/api/a#b",
        "/api/a%23b",
        "/api/a%00",
        "/api/a%0d%0ab",
        "/api/a\r\nb",
        "/api/a b",
        "/api/a%",
        "/api/a%2",
        "/api/a%zz",
        "/api/%ff",
        "/api/%c0%ae%c0%ae",
        "/api/\u{e4}",
        "/api/a%7f",
        "/api/v1/proxy/nodes/n",
    ] {
        assert!(Target::parse(path).is_err(), "{path:?}");
    }
    assert!(Target::parse(&format!("/api/{}", "x".repeat(LONGEST))).is_err());
    for path in
        ["/api/v1/namespaces/a/pods/a.b-c_d~e", "/apis/a/v1/b/x%20y", "/apis/a/v1/b/...", "/api/v1/x/y@z:1"]
    {
        assert_eq!(target(path).path(), path);
    }
}

/// What the API server's own tests say (apiserver `request/requestinfo_test.go`): group, namespace, resource,
/// subresource, name.
#[test]
fn the_cases_of_the_api_server_come_out_as_there() {
    for (path, group, namespace, plural, subresource, name) in [
        ("/api/v1/namespaces/other/pods", "", "other", "pods", "", ""),
        ("/api/v1/namespaces/other/pods/foo", "", "other", "pods", "", "foo"),
        ("/api/v1/pods", "", "", "pods", "", ""),
        ("/api/v1/watch/pods", "", "", "pods", "", ""),
        ("/api/v1/watch/namespaces/other/pods", "", "other", "pods", "", ""),
        ("/api/v1/namespaces/other/pods/foo/status", "", "other", "pods", "status", "foo"),
        ("/api/v1/namespaces/other/pods/foo/proxy/a/b", "", "other", "pods", "proxy", "foo"),
        ("/apis/batch/v1/namespaces/other/jobs/foo", "batch", "other", "jobs", "", "foo"),
        ("/apis/foo/v1/clusters/foo/status", "foo", "", "clusters", "status", "foo"),
        // resources and objects that are named like a part of a path
        ("/api/v1/namespaces/status/secrets", "", "status", "secrets", "", ""),
        ("/api/v1/namespaces/namespaces/pods", "", "namespaces", "pods", "", ""),
        ("/api/v1/namespaces/watch/secrets/pods", "", "watch", "secrets", "", "pods"),
        ("/api/v1/watch/watch", "", "", "watch", "", ""),
        ("/api/v1/namespaces/a/pods/secrets/b", "", "a", "pods", "b", "secrets"),
        ("/api/v1/namespaces/a/%73ecrets/b", "", "a", "secrets", "", "b"),
        ("/%61pi/v1/n%61mespaces/%61/secrets", "", "a", "secrets", "", ""),
        ("/api/v1/w%61tch/namespaces/a/secrets", "", "a", "secrets", "", ""),
    ] {
        let target = target(path);
        let resource = target.resource().expect(path);
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let parts = (text(&resource.namespace), text(&resource.subresource), text(&resource.name));
        assert_eq!((resource.group.as_str(), resource.plural.as_str()), (group, plural), "{path}");
        assert_eq!(parts, (namespace.to_owned(), subresource.to_owned(), name.to_owned()), "{path}");
        assert_eq!(target.is_secret(), plural == "secrets", "{path}");
    }
    // with the namespace's own subresources it is about the Namespace
    for path in ["/api/v1/namespaces/a/status", "/api/v1/namespaces/a/finalize/secrets"] {
        let target = target(path);
        let resource = target.resource().expect(path);
        assert_eq!((resource.plural.as_str(), resource.name.as_deref()), ("namespaces", Some("a")), "{path}");
        assert!(!target.is_secret(), "{path}");
    }
}
