//! Ends a broker for a test: kills it at any moment, or asks it to stop.

use std::{path::Path, thread, time::Duration};

use crate::process::{BrokerProcess, spawn};

impl BrokerProcess {
    /// Ends the process immediately (SIGKILL) and waits for its end.
    pub fn kill(self) {
        drop(self);
    }

    /// Asks the process to stop and waits for its end.
    ///
    /// # Panics
    /// If it reports a failure.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the broker's stop failed: {status}");
    }

    /// Starts a broker and kills it after this time, ready or not.
    pub fn start_and_kill(directory: &Path, credentials: &Path, options: &[&str], after: Duration) {
        let mut child = spawn(directory, credentials, options, &[]).unwrap();
        // Any moment will do, so there is no event to wait for.
        thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
