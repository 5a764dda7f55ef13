//! `demo`: a tour of the sample platform, then the server over it.

mod tour;

use std::net::SocketAddr;

use clap::Args;

use super::{Failure, Global, out, serve};
use crate::{
    demo::Sample,
    door::{Who, http::HttpDoor},
};

/// Show and serve an embedded sample platform; needs no cluster.
#[derive(Debug, Args)]
#[command(
    after_help = "The cluster is a recording of a real one, in which nothing can be changed. Palette is simulated: what is changed \
                  there is gone when the demo ends."
)]
pub(super) struct Demo {
    /// Serve stdio, for a host that starts the server; without the tour.
    #[arg(long, conflicts_with = "http")]
    stdio: bool,
    /// Address to serve streamable HTTP on; otherwise a free port on loopback.
    #[arg(long, value_name = "ADDR", value_parser = serve::address)]
    http: Option<SocketAddr>,
}

impl Demo {
    pub(super) async fn run(&self, global: &Global) -> Result<(), Failure> {
        let config = global.config()?.for_one_shot();
        global.before_sample(&config)?;
        let sample = Sample::start().await.map_err(|error| Failure::failed(error.to_string()))?;
        let config = config.over_sample(&sample);
        let built = config.build()?;
        let ending = serve::on_signal();
        if self.stdio {
            return serve::over_stdio(serve::serving(built, &ending), Who::Local, ending).await;
        }
        let address = self.http.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let door = HttpDoor::bind(address, config.http_options(), built.callers.need_token()).await?;
        tokio::select! {
            biased;
            () = ending.cancelled() => return Ok(()),
            shown = tour::show(&built) => shown?,
        }
        out::text(&connect(&door.url()))?;
        Ok(door.serve(serve::serving(built, &ending), ending).await?)
    }
}

fn connect(url: &str) -> String {
    let unwell = tour::UNWELL;
    format!(
        "\n── Now yours. Serving the sample platform on {url}; Ctrl-C ends it.\n\n\
         Connect Claude:\n\
         \x20 claude mcp add --transport http platform-demo {url}\n\n\
         Or ask from another shell:\n\
         \x20 platform-mcp call kro_graph --demo kind=Shop namespace=shop name=storefront format=mermaid\n\
         \x20 platform-mcp call palette_cluster_health --demo cluster={unwell}\n\
         \x20 curl -s {url} -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' \\\n\
         \x20   -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":\"whoami\",\"arguments\":{{}}}}}}'\n"
    )
}
