//! Our permissions as Backstage knows permissions: what is sent to be decided on and what is published are the same
//! to the letter, since policies match on name and action (`@backstage-community/plugin-rbac-backend`).

use serde_json::{Value, json};

use crate::permission::{Action, Permission};

/// A basic permission (`@backstage/plugin-permission-common`, `BasicPermission`).
pub fn permission(permission: Permission) -> Value {
    let attributes = match permission.action() {
        Action::Unspecified => json!({}),
        action => json!({"action": action.name()}),
    };
    json!({"type": "basic", "name": permission.name(), "attributes": attributes})
}

/// What `/.well-known/backstage/permissions/metadata` says (`createPermissionIntegrationRouter`).
pub fn document() -> Value {
    let permissions: Vec<Value> = Permission::ALL.iter().map(|one| permission(*one)).collect();
    json!({"permissions": permissions, "rules": []})
}
