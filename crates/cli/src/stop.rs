//! What signals mean: the first one stops the program in good order, a second one ends it at once.

use std::future::Future;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ends at Ctrl-C, and on Unix at SIGTERM. Signals count from this call on, not only from the first poll. After it has
/// ended, the next one ends the process with 128 and the signal's number, as shells count.
#[cfg(unix)]
pub(crate) fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        next(&mut interrupt, &mut terminate).await;
        tracing::info!("stopping; another signal ends it at once");
        tokio::spawn(async move {
            let number = next(&mut interrupt, &mut terminate).await;
            tracing::warn!("ended at once by a second signal");
            std::process::exit(128 + number);
        });
    })
}

#[cfg(unix)]
async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> i32 {
    tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
    }
}

/// Does this at every SIGHUP, which then does not end the process any more.
#[cfg(unix)]
pub(crate) fn at_hangup(mut act: impl FnMut() + Send + 'static) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            act();
        }
    });
    Ok(())
}

/// There is no such signal.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
pub(crate) fn at_hangup(_: impl FnMut() + Send + 'static) -> std::io::Result<()> {
    Ok(())
}

/// Ends at Ctrl-C; a second one ends the process.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
pub(crate) fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        tracing::info!("stopping; another Ctrl-C ends it at once");
        tokio::spawn(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
    })
}
