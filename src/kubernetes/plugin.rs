//! [`Plugin`]: the program that the server's own kubeconfig names for its credential (`exec` of a user;
//! client-go credential plugins, `ExecCredential` of `client.authentication.k8s.io`).
//!
//! It is run here and not by kube, which runs it on the threads that serve everybody, for as long as it takes,
//! lets it read our standard input, and quotes what it said in errors.

use std::{
    io::Read,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::{fault::Fault, sources::usable_token};
use crate::{answer::sanitise, caller::TOKEN_VARIABLE};

/// How long it may take.
const TIME: Duration = Duration::from_secs(10);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// What it may say, in bytes.
const LONGEST: u64 = 256 << 10;

/// A credential plugin.
pub(super) struct Plugin(ExecConfig);

/// The credential that it gave.
pub(super) struct Provided {
    pub(super) auth_info: AuthInfo,
    pub(super) until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<Timestamp>,
    token: Option<SecretString>,
    client_certificate_data: Option<String>,
    client_key_data: Option<SecretString>,
}

impl Plugin {
    /// Takes it out of a user of a kubeconfig, where it is what the user has: a token comes before it.
    pub(super) fn take(user: &mut AuthInfo) -> Option<Self> {
        let exec = user.exec.take()?;
        let other = user.token.is_some() || user.token_file.is_some() || user.username.is_some();
        (!other).then_some(Self(exec))
    }

    /// Runs it. It ends when nobody waits for it any more.
    pub(super) async fn run(self) -> Result<Provided, Fault> {
        let wanted = Arc::new(AtomicBool::new(true));
        let _guard = Unwanted(Arc::clone(&wanted));
        let name = self.name();
        let told = move |why: String| Fault::Configuration(format!("the credential plugin {name:?} {why}"));
        let run = tokio::task::spawn_blocking(move || self.provide(&wanted)).await;
        run.unwrap_or_else(|_| Err("could not be run".to_owned())).map_err(told)
    }

    /// Without its folder, which is nothing to callers.
    fn name(&self) -> String {
        let command = self.0.command.as_deref().unwrap_or_default();
        sanitise::short(command.rsplit(['/', '\\']).next().unwrap_or_default(), 60)
    }

    fn provide(&self, wanted: &AtomicBool) -> Result<Provided, String> {
        if self.0.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err("wants a terminal (interactiveMode: Always), and a server has none".to_owned());
        }
        let mut child = self.command()?.spawn().map_err(|error| format!("cannot be started: {error}"))?;
        let (said, complained) = (heard(child.stdout.take()), heard(child.stderr.take()));
        let status = ended(&mut child, wanted)?;
        // what it started may hold its output open
        let hear = |heard: &Receiver<Vec<u8>>| heard.recv_timeout(TIME / 10).unwrap_or_default();
        if !status.success() {
            let complaint = hear(&complained);
            let complaint = sanitise::short(&String::from_utf8_lossy(&complaint), 300);
            tracing::warn!(plugin = self.name(), "the credential plugin failed: {complaint}");
            return Err(format!("failed ({status}); what it said is in this server's log"));
        }
        let said: ExecCredential = serde_saphyr::from_slice(&hear(&said))
            // which would quote it
            .map_err(|_| "printed no ExecCredential".to_owned())?;
        provided(said.status.ok_or("printed an ExecCredential without a status")?)
    }

    fn command(&self) -> Result<Command, String> {
        let exec = &self.0;
        let mut command = Command::new(exec.command.as_ref().ok_or("has no command")?);
        command.args(exec.args.iter().flatten());
        let pair = |env: &std::collections::HashMap<String, String>| {
            Some((env.get("name")?.clone(), env.get("value")?.clone()))
        };
        command.envs(exec.env.iter().flatten().filter_map(pair));
        let cluster = if exec.provide_cluster_info { exec.cluster.as_ref() } else { None };
        let mut spec = json!({ "interactive": false });
        if let (Some(cluster), Some(spec)) = (cluster, spec.as_object_mut()) {
            let cluster = serde_json::to_value(cluster).map_err(|error| error.to_string())?;
            spec.insert("cluster".to_owned(), cluster);
        }
        let info = json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec });
        command.env("KUBERNETES_EXEC_INFO", info.to_string());
        for name in exec.drop_env.iter().flatten() {
            command.env_remove(name);
        }
        // whose token that is has nothing to do with what the server is to a cluster
        command.env_remove(TOKEN_VARIABLE);
        // our own standard input may be a client's
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }
}

/// Says at its end that nobody waits.
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// What a program says, once it has said all.
fn heard(output: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, heard) = channel();
    if let Some(output) = output {
        spawn(move || {
            let mut said = Vec::new();
            let _ = output.take(LONGEST).read_to_end(&mut said);
            let _ = send.send(said);
        });
    }
    heard
}

/// Waits for its end, and brings it about where it takes too long.
fn ended(child: &mut Child, wanted: &AtomicBool) -> Result<ExitStatus, String> {
    let began = Instant::now();
    let why = loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Err(error) => break error.to_string(),
            Ok(None) if !wanted.load(Ordering::Relaxed) => break "is not waited for any more".to_owned(),
            Ok(None) if began.elapsed() > TIME => {
                break format!("did not end within {} s", TIME.as_secs());
            }
            Ok(None) => sleep(LOOK),
        }
    };
    let _ = child.kill();
    let _ = child.wait();
    Err(why)
}

fn provided(status: Status) -> Result<Provided, String> {
    let mut auth_info = AuthInfo::default();
    if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
        use secrecy::ExposeSecret as _;
        auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
        auth_info.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
    }
    auth_info.token = status.token.as_ref().map(usable_token).transpose()?;
    if auth_info.token.is_none() && auth_info.client_certificate_data.is_none() {
        return Err("gave neither a token nor a certificate with its key".to_owned());
    }
    Ok(Provided { auth_info, until: status.expiration_timestamp })
}

#[cfg(test)]
mod tests;
