//! How the tests end a broker: killed at any moment, or asked to stop.

use std::{path::Path, thread, time::Duration};

use crate::process::{BrokerProcess, spawn};

impl BrokerProcess {
    /// Ends the process at once (SIGKILL) and waits until it is gone.
    pub fn kill(self) {
        drop(self);
    }

    /// Asks the process to stop and waits until it has.
    ///
    /// # Panics
    /// When it reports a failure.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the broker's stop failed: {status}");
    }

    /// Starts a broker and kills it that much later, ready or not.
    pub fn start_and_kill(directory: &Path, credentials: &Path, options: &[&str], after: Duration) {
        let mut child = spawn(directory, credentials, options, &[]).unwrap();
        // The moment is meant to be any, so there is nothing to wait for.
        thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
