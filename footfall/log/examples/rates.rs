//! Measures a broker with one client: the rates of produce and fetch, and the time until a record is acknowledged.
//!
//! To compare this crate's broker with Apache Kafka on one machine:
//! ```text
//! footfall-log ./rates --credentials kafka.properties     # prints its address
//! cargo run --release -p footfall-log --example rates -- 127.0.0.1:41234 kafka.properties
//! scripts/apache-kafka run -- sh -c 'target/release/examples/rates $KAFKA_BROKERS'
//! ```
//! The last table shows the disk alone: a write of a record's size and fdatasync, in the folder of `TMPDIR`.

#![expect(
    clippy::indexing_slicing,
    reason = "a measurement reads its own numbers"
)]

use std::{
    error::Error,
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    process::ExitCode,
    sync::mpsc,
    time::{Duration, Instant},
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
};

const USAGE: &str = "usage: rates BOOTSTRAP [PROPERTIES]\n\
    BOOTSTRAP   host:port of the broker\n\
    PROPERTIES  a file of client properties with the login, if the broker asks for one\n\
    RECORDS (200000), SINGLES (1000) and LINGER_MS (5) in the environment change the load\n";
const CODECS: [&str; 3] = ["none", "lz4", "zstd"];
const TIMEOUT: Duration = Duration::from_mins(1);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (bootstrap, properties) = match arguments.as_slice() {
        [bootstrap] => (bootstrap, None),
        [bootstrap, properties] => (bootstrap, Some(properties)),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match measure(bootstrap, properties.map(String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rates: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(bootstrap: &str, properties: Option<&str>) -> Result<()> {
    let records = number("RECORDS", 200_000)?;
    let singles = number("SINGLES", 1_000)?;
    let mut config = ClientConfig::new();
    if let Some(file) = properties {
        let text = fs::read_to_string(file)?;
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            config.set(name.trim(), value.trim());
        }
    }
    config.set("bootstrap.servers", bootstrap);

    let values = values(10_000);
    let bytes: usize = values.iter().map(String::len).sum();
    println!(
        "{records} records of {} bytes on average, one partition, acks=all, idempotent",
        bytes / values.len()
    );
    println!(
        "{:<8}{:>16}{:>12}{:>16}{:>12}",
        "codec", "produced/s", "MB/s", "fetched/s", "MB/s"
    );
    for codec in CODECS {
        let topic = Topic::create(&config, codec)?;
        let produced = produce(&config, &topic.name, codec, &values, records)?;
        let (fetched, volume) = fetch(&config, &topic.name, records)?;
        println!(
            "{codec:<8}{:>16.0}{:>12.1}{:>16.0}{:>12.1}",
            rate(records, produced),
            rate(volume, produced) / 1e6,
            rate(records, fetched),
            rate(volume, fetched) / 1e6,
        );
        topic.delete()?;
    }

    println!("{singles} single records, each sent after the acknowledgement of the previous one");
    println!("{:<24}{:>10}{:>10}{:>10}", "", "p50 ms", "p99 ms", "max ms");
    let topic = Topic::create(&config, "single")?;
    let acknowledged = acknowledge(&config, &topic.name, &values, singles)?;
    topic.delete()?;
    print_times("acknowledged", acknowledged);
    print_times("write and fdatasync", write_and_sync(&values, singles)?);
    Ok(())
}

fn number(variable: &str, default: usize) -> Result<usize> {
    match std::env::var(variable) {
        Ok(text) => Ok(text.parse()?),
        Err(_) => Ok(default),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate to print")]
fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Realistic events of a bio page, of about 650 bytes, with the same repetitions as real ones.
fn values(count: usize) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(1);
    let agents = ["Mobile Safari", "Chrome", "Firefox", "Instagram"];
    let places = ["DE", "TR", "US", "BR", "IN", "JP"];
    let mut made = Vec::with_capacity(count);
    for number in 0..count {
        let ids: [u128; 4] = random.random();
        let [event, session, page, visitor] = ids.map(|id| format!("{id:032x}"));
        let agent = agents[random.random_range(0..agents.len())];
        let place = places[random.random_range(0..places.len())];
        let workspace = random.random_range(1..50);
        made.push(format!(
            r#"{{"event_id":"{event}","type":"page.viewed","version":1,"occurred_at":"2026-02-20T10:30:{:02}.{:03}Z","received_at":"2026-02-20T10:30:{:02}.{:03}Z","workspace_id":"00000000-0000-7000-8000-{workspace:012}","workspace_no":{workspace},"producer":"ingest","enrichment":{{"geo":"2026-02","agent":"2026-01","bots":"2026-01"}},"body":{{"session_id":"{session}","page_view_id":"{page}","path":"/","link_id":null,"referrer":"https://www.instagram.com/","visitor":{{"hash":"{visitor}","country":"{place}","region":null,"city":null,"device":"mobile","browser":"{agent}","os":"iOS","language":"en-US","timezone":"Europe/Berlin"}}}}}}"#,
            number % 60,
            number % 1000,
            (number + 1) % 60,
            number % 997,
        ));
    }
    made
}

/// A topic for one measurement.
struct Topic {
    admin: AdminClient<DefaultClientContext>,
    name: String,
}

impl Topic {
    fn create(config: &ClientConfig, suffix: &str) -> Result<Self> {
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        let name = format!("rates-{}-{suffix}", std::process::id());
        let topic = NewTopic::new(&name, 1, TopicReplication::Fixed(1));
        for result in block_on(admin.create_topics([&topic], &options()))?? {
            result.map_err(|(name, code)| format!("{name}: {code}"))?;
        }
        Ok(Self { admin, name })
    }

    fn delete(self) -> Result<()> {
        for result in block_on(self.admin.delete_topics(&[&self.name], &options()))?? {
            result.map_err(|(name, code)| format!("{name}: {code}"))?;
        }
        Ok(())
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(TIMEOUT))
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(future))
}

/// Ends the program if a record is refused, because a rate with failures would be useless.
struct Strict;

impl ClientContext for Strict {}

impl ProducerContext for Strict {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            eprintln!("rates: a record was refused: {error}");
            std::process::exit(1);
        }
    }
}

fn producer(config: &ClientConfig, codec: &str) -> Result<BaseProducer<Strict>> {
    let linger_ms = number("LINGER_MS", 5)?;
    let mut config = config.clone();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.codec", codec)
        .set("linger.ms", linger_ms.to_string());
    Ok(config.create_with_context(Strict)?)
}

fn produce(
    config: &ClientConfig,
    topic: &str,
    codec: &str,
    values: &[String],
    records: usize,
) -> Result<Duration> {
    let producer = producer(config, codec)?;
    // Connect, and fetch metadata and a producer id, before the measurement.
    producer.client().fetch_metadata(Some(topic), TIMEOUT)?;
    let started = Instant::now();
    for value in values.iter().cycle().take(records) {
        let mut record = BaseRecord::<(), str>::to(topic).partition(0).payload(value);
        while let Err((error, refused)) = producer.send(record) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            record = refused;
            // The poll waits for its whole timeout, so keep it short.
            producer.poll(Duration::from_micros(100));
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(TIMEOUT)?;
    Ok(started.elapsed())
}

/// Fetches all records. Returns the time, and the bytes of their values.
fn fetch(config: &ClientConfig, topic: &str, records: usize) -> Result<(Duration, usize)> {
    let mut config = config.clone();
    let consumer: BaseConsumer = config.set("group.id", "rates").create()?;
    consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, 0, Offset::Beginning)?;
    let started = Instant::now();
    consumer.assign(&from)?;
    let mut volume = 0;
    for _ in 0..records {
        let message = consumer
            .poll(TIMEOUT)
            .ok_or("the broker does not answer")??;
        volume += message.payload_len();
    }
    Ok((started.elapsed(), volume))
}

/// Signals the acknowledgement of a record immediately, from the client's own thread.
struct Signal(mpsc::Sender<bool>);

impl ClientContext for Signal {}

impl ProducerContext for Signal {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        // The measurement is over if the receiver is gone.
        let _sent = self.0.send(result.is_ok());
    }
}

fn acknowledge(
    config: &ClientConfig,
    topic: &str,
    values: &[String],
    count: usize,
) -> Result<Vec<Duration>> {
    let (signal, acknowledged) = mpsc::channel();
    let mut config = config.clone();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "0");
    let producer: ThreadedProducer<Signal> = config.create_with_context(Signal(signal))?;
    let mut times = Vec::with_capacity(count);
    for (number, value) in values.iter().cycle().take(count + 10).enumerate() {
        let record = BaseRecord::<(), str>::to(topic).partition(0).payload(value);
        let started = Instant::now();
        producer.send(record).map_err(|(error, _)| error)?;
        if !acknowledged.recv_timeout(TIMEOUT)? {
            return Err("a record was refused".into());
        }
        // The first records set up the connection.
        if number >= 10 {
            times.push(started.elapsed());
        }
    }
    Ok(times)
}

/// Measures the disk alone with the same bytes, in a file of full length like the log's.
fn write_and_sync(values: &[String], count: usize) -> Result<Vec<Duration>> {
    let mut file = tempfile::tempfile()?;
    file.write_all(&vec![0; values.iter().map(String::len).sum()])?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let mut times = Vec::with_capacity(count);
    for value in values.iter().cycle().take(count) {
        let started = Instant::now();
        file.write_all(value.as_bytes())?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    Ok(times)
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |hundredth: usize| {
        let index = (times.len() * hundredth / 100).min(times.len().saturating_sub(1));
        times
            .get(index)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!(
        "{what:<24}{:>10.3}{:>10.3}{:>10.3}",
        at(50),
        at(99),
        at(100)
    );
}
