//! The readers: a few threads, each with its own connection, so that reads never block the async threads.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{StoreError, checkpoint::Gate, schema};
use crate::lock;

/// The number of threads. More would only wait for the same disk.
const READERS: usize = 3;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Sends work to the readers. Dropping it ends their threads.
#[derive(Debug)]
pub(super) struct Readers {
    jobs: Sender<Job>,
}

impl Readers {
    /// Starts the threads.
    pub(super) fn start(file: &Path, gate: &Arc<Gate>) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..READERS {
            let connection = schema::open_reader(file)?;
            let (queue, gate) = (Arc::clone(&queue), Arc::clone(gate));
            thread::Builder::new()
                .name(format!("log-reader-{number}"))
                .spawn(move || serve(&connection, &queue, &gate))
                .map_err(StoreError::Thread)?;
        }
        Ok(Self { jobs })
    }

    /// Runs `work` on a reader's connection.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Skip the read if the caller no longer waits for it.
            if !reply.is_closed() {
                let _ = reply.send(work(connection));
            }
        });
        self.jobs.send(job).map_err(|_| StoreError::Stopped)?;
        result.await.map_err(|_| StoreError::Stopped)?
    }
}

fn serve(connection: &Connection, queue: &Mutex<Receiver<Job>>, gate: &Gate) {
    loop {
        // One thread holds the lock and waits for the next job; the others wait for the lock.
        let job = lock::lock(queue).recv();
        let Ok(job) = job else { return };
        let _open = lock::read(gate);
        job(connection);
    }
}
