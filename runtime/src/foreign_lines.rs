//! Forwards log lines of libraries that use the `log` crate, such as librdkafka.
//!
//! Drops each line's place in the source. It is a path of the machine that built the library, and
//! means nothing to operators.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing_log::{AsLog, LogTracer};

/// The target of librdkafka's lines.
const KAFKA_CLIENT: &str = "librdkafka";

/// The end of a librdkafka line about a request, such as a login, that its own closing of the
/// connection ended. When a broker closes the connection, the line ends with another state.
const OWN_CLOSING: &str = "in state DOWN)";

/// Whether this program is stopping its own brokers.
static BROKERS_STOP: AtomicBool = AtomicBool::new(false);

/// From now on, lost connections to brokers count as debug lines: this program is about to stop its
/// own broker.
pub fn expect_lost_brokers() {
    BROKERS_STOP.store(true, Ordering::Relaxed);
}

/// Receives the lines of all libraries from now on, unless another logger does.
pub(crate) fn take() {
    if log::set_boxed_logger(Box::new(ForeignLines(LogTracer::new()))).is_ok() {
        let level: LevelFilter = tracing::level_filters::LevelFilter::current().as_log();
        log::set_max_level(level);
    }
}

struct ForeignLines(LogTracer);

impl Log for ForeignLines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(&adjusted(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        let mut metadata = adjusted(record.metadata());
        if metadata.target() == KAFKA_CLIENT && is_own_closing(*record.args()) {
            // `max`, because a higher level is quieter: the line must not become louder.
            let quiet = metadata.level().max(Level::Debug);
            metadata = at_level(&metadata, quiet);
            if !self.0.enabled(&metadata) {
                return;
            }
        }
        let line = Record::builder()
            .metadata(metadata)
            .args(*record.args())
            .build();
        self.0.log(&line);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn adjusted<'a>(metadata: &Metadata<'a>) -> Metadata<'a> {
    let stop = BROKERS_STOP.load(Ordering::Relaxed);
    let level = level_of(metadata.target(), metadata.level(), stop);
    at_level(metadata, level)
}

fn at_level<'a>(metadata: &Metadata<'a>, level: Level) -> Metadata<'a> {
    Metadata::builder()
        .target(metadata.target())
        .level(level)
        .build()
}

fn is_own_closing(line: fmt::Arguments<'_>) -> bool {
    line.to_string().ends_with(OWN_CLOSING)
}

fn level_of(target: &str, level: Level, brokers_stop: bool) -> Level {
    if brokers_stop && target == KAFKA_CLIENT {
        level.max(Level::Debug)
    } else {
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::fmt::MakeWriter;

    #[test]
    fn the_kafka_client_is_quiet_only_while_its_brokers_are_stopped() {
        for (target, level, stop, expected) in [
            (KAFKA_CLIENT, Level::Error, false, Level::Error),
            (KAFKA_CLIENT, Level::Error, true, Level::Debug),
            (KAFKA_CLIENT, Level::Trace, true, Level::Trace),
            ("other", Level::Error, true, Level::Error),
        ] {
            assert_eq!(level_of(target, level, stop), expected, "{target} {level}");
        }
    }

    #[test]
    fn a_request_that_the_client_itself_ended_is_not_logged_as_a_failure() {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            for state in ["DOWN", "AUTH_REQ"] {
                let mut record = Record::builder();
                record.level(Level::Error).target(KAFKA_CLIENT);
                // One statement, because the arguments live no longer.
                ForeignLines(LogTracer::new()).log(
                    &record
                        .args(format_args!("a login failed (after 0ms in state {state})"))
                        .build(),
                );
            }
        });
        let shown = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(!shown.contains("DOWN"), "{shown}");
        assert!(shown.contains("AUTH_REQ"), "{shown}");
    }

    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_line_has_no_place_in_the_source() {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_writer(lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let record = Record::builder()
                .level(Level::Warn)
                .target(KAFKA_CLIENT)
                .args(format_args!("a broker is down"))
                .module_path(Some("rdkafka::client"))
                .file(Some("/build/machine/rdkafka/src/client.rs"))
                .line(Some(77))
                .build();
            ForeignLines(LogTracer::new()).log(&record);
        });
        let line = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(line.contains("a broker is down"), "{line}");
        assert!(line.contains("\"target\":\"librdkafka\""), "{line}");
        for place in ["/build", "log.file", "log.line", "log.module_path", ":77"] {
            assert!(!line.contains(place), "{place} in {line}");
        }
    }
}
