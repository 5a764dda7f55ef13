//! The README's tables.

use std::sync::Arc;

use crate::{
    permission::{Permission, RoleProblem, Roles, Within},
    toolbox::Entry,
};

/// Roles that are built in, in the order of what they may.
const BUILT_IN: [&str; 3] = ["viewer", "operator", "admin"];

/// The tables of tools and of permissions.
pub(super) fn tables(entries: &[Arc<Entry>]) -> Result<String, RoleProblem> {
    let mut text = String::from("| Tool | What it answers | Needs | Effect |\n|---|---|---|---|\n");
    for entry in entries {
        let contract = &entry.contract;
        let front = &contract.front;
        let needs = front.permission.to_string().replace(" or ", "` or `").replace(" and ", "` and `");
        let needs = if needs == "none" { needs } else { format!("`{needs}`") };
        text.push_str(&format!(
            "| `{}` | {} | {needs} | {} |\n",
            contract.name,
            front.title,
            front.effect.name()
        ));
    }
    text.push_str("\n| Permission | Action | Opens | In roles | Tools |\n|---|---|---|---|---|\n");
    let roles = roles()?;
    for permission in Permission::ALL {
        let tools: Vec<String> = entries
            .iter()
            .filter(|entry| entry.contract.front.permission.permissions().contains(permission))
            .map(|entry| format!("`{}`", entry.contract.name))
            .collect();
        let held: Vec<&str> =
            roles.iter().filter(|(_, has)| has.contains(permission)).map(|(name, _)| *name).collect();
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            permission.name(),
            permission.action().name(),
            permission.opens(),
            held.join(", "),
            tools.join(" ")
        ));
    }
    Ok(text)
}

fn roles() -> Result<Vec<(&'static str, Vec<Permission>)>, RoleProblem> {
    let roles = Roles::default();
    BUILT_IN
        .into_iter()
        .map(|name| {
            let set = roles.bind(&[name.to_owned()], &Within::default(), "")?;
            Ok((name, set.somewhere().iter().collect()))
        })
        .collect()
}
