//! [`Tunnel`]: a channel to a program in a cluster (exec, attach, port-forward), byte for byte in both ways.

use std::{io, time::Duration};

use http::{Response, request::Parts};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    time::timeout,
};

use super::lease::Over;
use crate::toolbox::Passing;

/// Bytes that are on their way at once, each way.
const PIECE: usize = 16 << 10;
/// How long the last bytes of one way may take once the other has ended.
const LAST: Duration = Duration::from_secs(5);
/// How long the two connections may take to become channels.
const BEGIN: Duration = Duration::from_secs(10);

type End = TokioIo<Upgraded>;

/// The two connections that become one.
pub(super) struct Tunnel {
    client: OnUpgrade,
    cluster: OnUpgrade,
}

impl Tunnel {
    /// Of the connection of a request and that of its answer, where both can become a channel.
    pub(super) fn between<B>(parts: &mut Parts, response: &mut Response<B>) -> Option<Self> {
        let cluster = response.extensions_mut().remove()?;
        Some(Self { client: parts.extensions.remove()?, cluster })
    }

    /// Carries bytes until one of the ends is closed, or it is over.
    pub(super) async fn carry(self, passing: Passing, over: Over) {
        let carried = async {
            let (client, cluster) = timeout(BEGIN, async { tokio::try_join!(self.client, self.cluster) })
                .await
                .map_err(io::Error::other)?
                .map_err(io::Error::other)?;
            let (from_client, to_client) = split(TokioIo::new(client));
            let (from_cluster, to_cluster) = split(TokioIo::new(cluster));
            let up = one_way(from_client, to_cluster, |_| ());
            let down = one_way(from_cluster, to_client, |bytes| passing.brought(bytes));
            tokio::pin!(up, down);
            // neither of the two protocols goes on with one way closed
            tokio::select! {
                ended = &mut up => ended.map(|()| timeout(LAST, down)),
                ended = &mut down => return ended,
            }?
            .await?
        };
        tokio::select! {
            ended = carried => if let Err(error) = ended {
                tracing::debug!("a channel broke off: {error}");
            },
            () = over => {}
        }
    }
}

async fn one_way(mut from: ReadHalf<End>, mut to: WriteHalf<End>, count: impl Fn(usize)) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let bytes = from.read(&mut piece).await?;
        let Some(piece) = piece.get(..bytes).filter(|piece| !piece.is_empty()) else { break };
        count(bytes);
        to.write_all(piece).await?;
        to.flush().await?;
    }
    to.shutdown().await
}
