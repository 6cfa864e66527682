//! Starts and stops a program: runs its tasks, signals the stop, and waits for them to finish.
//!
//! Stopping has two steps. First the servers stop accepting and answer the requests in flight. Only
//! then do the workers behind them finish their work. A task that ends in an error, or panics,
//! stops the program: a service without one of its parts is worse than none.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use thiserror::Error;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info};

/// How long each of the two steps may take before the remaining tasks are given up.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(20);

/// Shared handle on the program's start and stop. Clones share its state.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    servers_stop: CancellationToken,
    workers_stop: CancellationToken,
    servers: TaskTracker,
    workers: TaskTracker,
    failure: Arc<Mutex<Option<String>>>,
}

/// A part of the program failed, with its error as the text.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct TaskFailed(String);

impl Lifecycle {
    /// Completes when servers must stop accepting.
    pub async fn servers_stopping(&self) {
        self.servers_stop.cancelled().await;
    }

    /// Completes when workers must finish their work.
    pub async fn workers_stopping(&self) {
        self.workers_stop.cancelled().await;
    }

    /// True once workers must finish their work; for threads that poll.
    #[must_use]
    pub fn are_workers_stopping(&self) -> bool {
        self.workers_stop.is_cancelled()
    }

    /// Begins the stop. Returns at once.
    pub fn stop(&self) {
        self.servers_stop.cancel();
    }

    /// Signals servers and workers at once and does not wait. For owners that are dropped without a
    /// stop.
    pub fn abandon(&self) {
        self.servers_stop.cancel();
        self.workers_stop.cancel();
    }

    /// Runs a server: it gets the signal first, and must have answered before workers get it.
    pub fn spawn_server<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send,
    {
        self.spawn(&self.servers, name, task);
    }

    /// Runs a worker: it gets the signal once no request is in flight.
    pub fn spawn_worker<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send,
    {
        self.spawn(&self.workers, name, task);
    }

    /// Runs a worker that has nothing to finish: it is dropped once no request is in flight.
    pub fn spawn_until_stop(
        &self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let stopping = self.clone();
        self.spawn_worker(name, async move {
            tokio::select! {
                () = work => {}
                () = stopping.workers_stopping() => {}
            }
            Ok::<(), Infallible>(())
        });
    }

    fn spawn<F, E>(&self, tracker: &TaskTracker, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send,
    {
        let life = self.clone();
        tracker.spawn(async move {
            // A separate task, so that a panic is seen here instead of lost in the tracker.
            let ended =
                tokio::spawn(async move { task.await.map_err(|error| error.to_string()) }).await;
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => life.fail(format!("{name}: {reason}")),
                Err(join) => life.fail(format!("{name} crashed: {join}")),
            }
        });
    }

    fn fail(&self, reason: String) {
        error!("stopping because {reason}");
        // The first failure is kept, because later ones usually follow from it.
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason);
        self.stop();
    }

    /// Waits for a signal (SIGINT, SIGTERM), a call of [`Self::stop`] or a failed part, then stops
    /// in two steps. A second signal gives up waiting.
    ///
    /// # Errors
    /// [`TaskFailed`] when a part failed or did not finish in time.
    pub async fn run_to_end(&self) -> Result<(), TaskFailed> {
        tokio::select! {
            () = self.servers_stop.cancelled() => {}
            () = signalled() => info!("stopping: answering requests in flight, then finishing background work"),
        }
        tokio::select! {
            ended = self.finish() => ended,
            () = signalled() => Err(TaskFailed("a second signal arrived; stopped without waiting".to_owned())),
        }
    }

    /// Stops in two steps and waits, each step at most [`STEP_TIMEOUT`].
    ///
    /// # Errors
    /// [`TaskFailed`] when a part failed or did not finish in time.
    pub async fn finish(&self) -> Result<(), TaskFailed> {
        self.stop();
        let servers = end_of(&self.servers).await;
        // Only now, because the requests in flight needed the workers.
        self.workers_stop.cancel();
        let workers = end_of(&self.workers).await;
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match failure {
            Some(reason) => Err(TaskFailed(reason)),
            None if servers && workers => Ok(()),
            None => Err(TaskFailed(format!(
                "not everything finished within {} s",
                STEP_TIMEOUT.as_secs()
            ))),
        }
    }
}

async fn end_of(tracker: &TaskTracker) -> bool {
    // `wait` completes only on a closed tracker.
    tracker.close();
    tokio::time::timeout(STEP_TIMEOUT, tracker.wait())
        .await
        .is_ok()
}

/// Completes at the next SIGINT or SIGTERM.
pub async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            error!("cannot listen for signals: {error}");
            // Without signals, only a call of `stop` ends the program.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn workers_stop_only_after_servers_have_finished() {
        let life = Lifecycle::default();
        let (answer, answered) = oneshot::channel::<()>();
        let server = life.clone();
        life.spawn_server("server", async move {
            server.servers_stopping().await;
            assert!(!server.are_workers_stopping());
            let _ = answer.send(());
            Ok::<(), Infallible>(())
        });
        let worker = life.clone();
        life.spawn_worker("worker", async move {
            worker.workers_stopping().await;
            answered.await.map_err(|_| "the server had not finished")
        });
        life.stop();
        life.run_to_end().await.unwrap();
    }

    #[tokio::test]
    async fn a_failed_or_crashed_task_stops_the_program_and_is_named() {
        let life = Lifecycle::default();
        life.spawn_worker("directory", async { Err("the broker said no") });
        assert_eq!(
            life.run_to_end().await.unwrap_err().to_string(),
            "directory: the broker said no"
        );

        let life = Lifecycle::default();
        life.spawn_server("http", async {
            panic::resume_unwind(Box::new("boom")) as Result<(), Infallible>
        });
        assert!(
            life.run_to_end()
                .await
                .unwrap_err()
                .to_string()
                .starts_with("http crashed")
        );
    }
}
