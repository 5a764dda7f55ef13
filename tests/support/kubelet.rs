//! A kubelet, as far as the logs of a container go: what the API server asks when somebody follows them.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::{authority::Authority, control_plane::ControlPlane};

/// A node of the control plane, whose kubelet this is. It goes when it is dropped.
pub(crate) struct Kubelet {
    /// Its node.
    pub(crate) node: String,
    plane: &'static ControlPlane,
    lines: watch::Sender<usize>,
    asked: Arc<Mutex<Vec<String>>>,
    left: watch::Receiver<usize>,
}

impl Kubelet {
    /// One whose containers have said a line each.
    pub(crate) async fn start(plane: &'static ControlPlane, node: &str) -> Self {
        let identity = Authority::new().loopback();
        let key = PrivateKeyDer::try_from(identity.key_der).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate_der.into()], key)
            .expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let (lines, said) = watch::channel(1);
        let (leave, left) = watch::channel(0);
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heads = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, said, leave, heads) =
                    (acceptor.clone(), said.clone(), leave.clone(), Arc::clone(&heads));
                tokio::spawn(async move {
                    if serve(acceptor, stream, said, &heads).await.is_some() {
                        leave.send_modify(|left| *left += 1);
                    }
                });
            }
        });
        plane.apply(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}).to_string());
        let status = json!({
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        });
        plane.patch_status("default", &format!("node/{node}"), &status);
        Self { node: node.to_owned(), plane, lines, asked, left }
    }

    /// Its containers say another line.
    pub(crate) fn say(&self) {
        self.lines.send_modify(|lines| *lines += 1);
    }

    /// What it was asked: method and path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no holder panics").clone()
    }

    /// Waits until somebody who followed a log has left.
    pub(crate) async fn left(&self) {
        let mut left = self.left.clone();
        let gone = left.wait_for(|left| *left > 0);
        tokio::time::timeout(Duration::from_secs(20), gone).await.expect("they leave").expect("it serves");
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        let _ = self.plane.try_kubectl(&["delete", "node", &self.node, "--wait=false"]);
    }
}

/// Something, once whoever asked has left.
async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    mut said: watch::Receiver<usize>,
    heads: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default();
    heads.lock().expect("no holder panics").push(line.to_owned());
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .ok()?;
    let mut told = 0;
    let mut rest = [0; 1_024];
    loop {
        let lines = *said.borrow_and_update();
        while told < lines {
            told += 1;
            let line = format!("line {told}\n");
            stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).await.ok()?;
        }
        stream.flush().await.ok()?;
        tokio::select! {
            changed = said.changed() => changed.ok()?,
            read = stream.read(&mut rest) => if read.is_err() || read.is_ok_and(|bytes| bytes == 0) { return Some(()) },
        }
    }
}
