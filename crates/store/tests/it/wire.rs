//! A wire to a server that a test can cut. What it carries is the real thing.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// Connections are cut, and new ones end at once.
    Cut,
    /// What is asked arrives; instead of the answer to what holds this text the connection ends. After that the wire is
    /// open.
    LosesTheAnswerTo(&'static str),
    /// What is asked arrives, and no answer comes until the wire is open again.
    Silent,
}

pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
}

impl Wire {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, _) = watch::channel(State::Open);
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *shared.borrow() != State::Cut
                    && let Ok(server) = TcpStream::connect(&server).await
                {
                    tokio::spawn(carry(client, server, shared.clone()));
                }
            }
        });
        Self { address, state }
    }

    pub(crate) fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, state: watch::Sender<State>) -> Option<()> {
    let mut changes = state.subscribe();
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    let mut lost = false;
    loop {
        let now = *changes.borrow_and_update();
        if now == State::Cut {
            return None;
        }
        tokio::select! {
            length = client.read(&mut asked) => match length.ok()? {
                0 => return None,
                _ if *state.borrow() == State::Cut => return None,
                length => {
                    let text = String::from_utf8_lossy(&asked[..length]);
                    lost |= matches!(*state.borrow(), State::LosesTheAnswerTo(held) if text.contains(held));
                    server.write_all(&asked[..length]).await.ok()?;
                }
            },
            length = server.read(&mut answered), if now != State::Silent => {
                let length = length.ok().filter(|length| *length > 0)?;
                if lost {
                    state.send_replace(State::Open);
                }
                if lost || *state.borrow() == State::Cut {
                    return None;
                }
                client.write_all(&answered[..length]).await.ok()?;
            }
            change = changes.changed() => change.ok()?,
        }
    }
}
