//! What Backstage answers, asked once, and what it has to be told.

use super::{super::Failure, Report};
use crate::{
    backstage::permissions::{TRUSTED_WHERE, Taken},
    caller::backstage::{Backstage, Decides, Published},
    config::{Built, Config},
};

/// The plugin that lists and calls tools.
const BRIDGE: &str = "mcp-actions";

/// A line for the keys of its users, and one for those of each plugin.
pub(super) async fn tell(config: &Config, built: &Built, report: &mut Report) -> Result<(), Failure> {
    let Some(backstage) = built.callers.backstage() else { return Ok(()) };
    let settings = backstage.settings();
    let name = format!("Backstage {}", settings.backend.url.as_str().trim_end_matches('/'));
    for (plugin, reached) in backstage.reach().await {
        let name =
            plugin.map_or_else(|| format!("{name}: users"), |plugin| format!("{name}: plugin {plugin}"));
        match reached {
            Ok(Some(published)) => keys(&name, plugin.is_some(), &published, report)?,
            Ok(None) if plugin == Some(BRIDGE) => report.warn(
                &format!("{name}: it is not installed, so Backstage's MCP server has none of our tools"),
                "install @backstage/plugin-mcp-actions-backend",
            )?,
            Ok(None) => report.ok(&format!("{name}: it is not installed, so nobody has a token of it"))?,
            Err(why) => report.fail(
                &format!("{name}: {why}"),
                "its tokens are refused until then; check backstage.url and caFile, and that this machine reaches it",
            )?,
        }
    }
    let plugin = backstage.plugin().id();
    let decides = match settings.decides {
        Decides::Delegated => "its permission policy decides what its users may do",
        Decides::Rules => "our rules decide what its users may do",
        Decides::Both => "its permission policy and our rules must both allow what its users do",
    };
    report.ok(&format!("{name}: {decides}; iss of their tokens: {}", settings.backend.issuer))?;
    report.ok(&format!(
        "{name}: it must be told of us in its configuration (examples/backstage/app-config.yaml): \
         backend.actions.pluginSources with {plugin:?}, and discovery.endpoints with plugins [{plugin:?}] and as target \
         this server, as it reaches it, with /api/{{{{pluginId}}}}"
    ))?;
    if settings.decides != Decides::Rules {
        ours(&name, backstage, report).await?;
    }
    if config.seal_key.is_none() && settings.decides != Decides::Rules {
        report.warn(
            &format!("{name}: sealKey is not set, so each replica and each start signs what it asks with keys of its own"),
            "set sealKey, to the same text for every replica",
        )?;
    }
    Ok(())
}

/// Whether Backstage would decide for us at all.
async fn ours(name: &str, backstage: &Backstage, report: &mut Report) -> Result<(), Failure> {
    match backstage.takes_ours().await {
        Ok(Taken::Yes) => report.ok(&format!("{name}: Backstage takes the tokens of our plugin")),
        // before the server runs for the first time it cannot be otherwise
        Ok(Taken::No) => report.warn(
            &format!(
                "{name}: Backstage does not take the token of our plugin (401), so its users may do nothing"
            ),
            &format!("{TRUSTED_WHERE}; before the server's first start this cannot succeed, so check again then"),
        ),
        Ok(Taken::Nowhere) => report.fail(
            &format!("{name}: its permission plugin is not installed, so nobody says what its users may do"),
            "install @backstage/plugin-permission-backend, or set backstage.permissions: rules",
        ),
        Err(why) => report.fail(
            &format!("{name}: its permission plugin: {why}"),
            "its users may do nothing until then; check backstage.url and caFile, and what stands before Backstage",
        ),
    }
}

fn keys(name: &str, is_plugin: bool, published: &Published, report: &mut Report) -> Result<(), Failure> {
    let left_out = match published.skipped.as_slice() {
        [] => String::new(),
        lines => format!("; left out: {}", lines.join("; ")),
    };
    match (published.usable, published.has_any) {
        (0, false) if is_plugin => report.ok(&format!("{name}: no key yet: it has signed nothing")),
        (0, false) => report.ok(&format!("{name}: no key yet: nobody has signed in")),
        (0, true) => report.fail(
            &format!("{name}: none of its keys is usable{left_out}"),
            "check backstage.algorithms against auth.identityTokenAlgorithm and the key stores of Backstage",
        ),
        (usable, _) => report.ok(&format!("{name}: {usable} usable keys{left_out}")),
    }
}
