//! An address that Backstage is told before there is a server behind it. It hands bytes on as they are.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::runtime;

/// Listens until it is dropped. At first nothing is behind it.
pub(crate) struct Front {
    address: SocketAddr,
    behind: watch::Sender<Behind>,
}

#[derive(Clone, Copy, Debug)]
enum Behind {
    Nothing,
    Silence,
    Server(SocketAddr),
}

impl Front {
    /// A new one on a port of its own.
    pub(crate) fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a socket");
        let behind = watch::Sender::new(Behind::Nothing);
        let mut watched = behind.subscribe();
        runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted,
                    ended = watched.wait_for(|_| false) => { let _ = ended; return }
                };
                if let Ok((stream, _)) = stream {
                    tokio::spawn(serve(stream, watched.clone()));
                }
            }
        });
        Self { address, behind }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this server is behind it. What was open breaks off.
    pub(crate) fn to(&self, server: SocketAddr) {
        self.behind.send_replace(Behind::Server(server));
    }

    /// From now on nothing is: connections break off at once.
    pub(crate) fn to_nothing(&self) {
        self.behind.send_replace(Behind::Nothing);
    }

    /// From now on what comes is read, and never answered.
    pub(crate) fn to_silence(&self) {
        self.behind.send_replace(Behind::Silence);
    }
}

async fn serve(mut stream: TcpStream, mut watched: watch::Receiver<Behind>) {
    let behind = *watched.borrow_and_update();
    let serve = async {
        match behind {
            Behind::Nothing => {}
            Behind::Silence => {
                let mut piece = [0; 1_024];
                while let Ok(1..) = stream.read(&mut piece).await {}
            }
            Behind::Server(server) => {
                if let Ok(mut upstream) = TcpStream::connect(server).await {
                    let _ = stream.set_nodelay(true);
                    let _ = upstream.set_nodelay(true);
                    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
                }
            }
        }
    };
    tokio::select! {
        () = serve => {}
        // another server, or the end of the front
        _ = watched.changed() => {}
    }
}
