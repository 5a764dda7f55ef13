//! `serve`, and `platform-mcp` alone.

use std::{net::SocketAddr, sync::Arc};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::{
    Failure, Global, out,
    reload::{Reload, Source},
    setup,
};
use crate::{
    config::Built,
    door::{
        Who,
        http::HttpDoor,
        serving::{Served, Serving},
        stdio,
    },
};

/// Serve MCP over stdio, or over streamable HTTP.
#[derive(Debug, Default, Args)]
pub(super) struct Serve {
    /// Serve streamable HTTP on this address, as 127.0.0.1:8080, localhost:8080 or 8080, instead of
    /// stdio. Beyond loopback addresses only with issuers, and with TLS or a trusted proxy in front.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    http: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(&self, global: &Global) -> Result<(), Failure> {
        let reload = Reload::begin(global);
        let source = Source::read(global, self.http.is_some())?;
        let built = source.config().build()?;
        setup::log(&built);
        let ending = on_signal();
        let Some(address) = self.http else {
            let who = setup::owner(global, &built.callers, &source.config().logins())?;
            if matches!(who, Who::Owner(_)) {
                built.callers.warm();
            }
            let serving = serving(built, &ending);
            follow(reload, source, &serving);
            return over_stdio(serving, who, ending).await;
        };
        let file = global.token_file.as_ref().map(|_| "--token-file");
        if let Some(given) = file.or(global.sign_in.as_ref().map(|_| "--sign-in")) {
            return Err(Failure::usage(format!(
                "{given} is for stdio: over HTTP each request brings its own token"
            )));
        }
        if let Some(exposed) = source.config().metrics.exposed() {
            tracing::warn!("{exposed}");
        }
        let need_token = built.callers.need_token();
        let door = HttpDoor::bind(address, source.config().http_options(), need_token).await?;
        out::error_line(&format!("serving MCP on {}", door.url()));
        if let Some(address) = door.metrics_address() {
            out::error_line(&format!("serving metrics on http://{address}/metrics"));
        }
        built.callers.warm();
        let serving = serving(built, &ending);
        follow(reload, source, &serving);
        Ok(door.serve(serving, ending).await?)
    }
}

/// Takes up changes of the configuration file for as long as the process lives.
fn follow(reload: Option<Reload>, source: Source, serving: &Arc<Serving>) {
    if let Some(reload) = reload {
        tokio::spawn(reload.follow(source, Arc::clone(serving)));
    }
}

/// Serves stdio until the client closes it.
pub(super) async fn over_stdio(
    serving: Arc<Serving>,
    who: Who,
    ending: CancellationToken,
) -> Result<(), Failure> {
    stdio::serve(serving, who, ending)
        .await
        .map_err(|problem| Failure::failed(format!("serving stdio: {problem}")))
}

/// What doors serve of a configuration.
pub(super) fn serving(built: Built, ending: &CancellationToken) -> Arc<Serving> {
    built.toolbox.registry().keep();
    Serving::new(Served::new(built.toolbox, built.callers, built.terms), ending)
}

/// Fires at SIGINT or SIGTERM. The signals are taken from here on, and not from when a task comes to it.
pub(super) fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let fire = token.clone();
    if let Ok(signalled) = signalled() {
        tokio::spawn(async move {
            signalled.await;
            fire.cancel();
        });
    }
    token
}

#[cfg(unix)]
fn signalled() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signalled() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// An address to listen on; a port alone is one on loopback.
pub(super) fn address(written: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = written.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let numeric = written
        .strip_prefix("localhost:")
        .map_or_else(|| written.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| "write an address and a port, as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_as_people_write_them() {
        for (written, meant) in [
            ("8080", "127.0.0.1:8080"),
            (":0", "127.0.0.1:0"),
            ("localhost:80", "127.0.0.1:80"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(super::address(written).expect(written).to_string(), meant);
        }
        for wrong in ["", "host", "127.0.0.1", "99999", "example.com:80"] {
            assert!(super::address(wrong).is_err(), "{wrong}");
        }
    }
}
