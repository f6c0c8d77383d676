//! A server from its start to its end.

use std::time::Duration;

use tokio::{
    signal::unix::{SignalKind, signal},
    task, time,
};

use crate::{
    admin,
    files::Contents,
    listen::{self, Listener},
    operations,
    serve::Server,
};

/// The pause between two looks at all files.
const POLL: Duration = Duration::from_secs(1);

impl Server {
    /// Answers until `stop` is done, and then the questions that are under way, within
    /// [`Limits::drain`](crate::Limits::drain). Files that change are read again.
    ///
    /// # Errors
    /// None today: a connection that cannot be accepted is logged.
    pub async fn run(
        self,
        listener: Listener,
        stop: impl Future<Output = ()>,
    ) -> std::io::Result<()> {
        let Listener {
            ask,
            operations,
            admin,
        } = listener;
        let ending = async {
            stop.await;
            tracing::info!("the server ends");
            self.begin_end();
        };
        let operations = async {
            if let Some(socket) = operations {
                let server = self.clone();
                let answer =
                    move |request| std::future::ready(operations::answer(&server, &request));
                listen::run_local(socket, answer).await;
            }
        };
        let admin = async {
            if let Some(socket) = admin {
                let server = self.clone();
                let answer = move |request| {
                    let server = server.clone();
                    async move { admin::answer(&server, &request).await }
                };
                listen::run_local(socket, answer).await;
            }
        };
        let beside = async { tokio::join!(operations, admin, self.follow_files()) };
        tokio::select! {
            () = listen::run(ask, self.clone(), ending) => {}
            // These end only by being dropped.
            _ = async { beside.await; std::future::pending::<()>().await } => {}
        }
        let server = self.clone();
        // An error: the log's writer has panicked.
        let _ = task::spawn_blocking(move || server.flush_log()).await;
        Ok(())
    }

    /// [`Self::run`] until SIGTERM or SIGINT. SIGHUP reloads, and begins a new file of the
    /// decision log.
    ///
    /// # Errors
    /// The signals cannot be received.
    pub async fn run_until_signalled(self, listener: Listener) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let server = self.clone();
        let reloads = async move {
            while hangup.recv().await.is_some() {
                server.reopen_log();
                server.reload().await;
            }
            std::future::pending().await
        };
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        tokio::select! {
            ended = self.run(listener, stop) => ended,
            ended = reloads => ended,
        }
    }

    /// Reloads when a file has changed, and has not changed again until the next look: a
    /// half of a policy can be good, and is another policy.
    async fn follow_files(&self) {
        let files = self.config().watched();
        let look = || {
            let files = files.clone();
            async move {
                task::spawn_blocking(move || Contents::of(&files))
                    .await
                    .ok()
            }
        };
        let mut in_force = Some(self.contents());
        let mut last = in_force.clone();
        loop {
            time::sleep(POLL).await;
            let now = look().await;
            if now != in_force && now == last {
                self.reload().await;
                in_force = now.clone();
            }
            last = now;
        }
    }
}
