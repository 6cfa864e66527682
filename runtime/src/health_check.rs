//! `--health-check`: asks the local service whether it is ready.
//!
//! For containers, whose images have no HTTP client.

use crate::{
    Settings,
    http::listen,
    program::Failure,
    settings::{Declared, Setting},
};
use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    process::ExitCode,
    time::Duration,
};

/// Timeout of the connection, and of each read and write.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Upper bound on the bytes read of an answer; `/ready` is far shorter.
const MAX_ANSWER_BYTES: u64 = 16 * 1024;

/// Requests `/ready` from the service with these settings, which listens on `address`. Exits with 0
/// when it is ready. Otherwise prints the answer on standard error and exits with 1.
#[must_use]
pub fn run(declared: Declared, flags: &[(&str, Option<String>)], address: &Setting) -> ExitCode {
    let mut settings = Settings::load(declared, flags);
    let address = listen::read(&mut settings, address);
    if let Err(problems) = settings.finish() {
        return Failure::from(problems).report();
    }
    match ask(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => Failure::Other(why).report(),
    }
}

fn ask(address: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{address} does not answer: {error}");
    let mut stream = connect(address).map_err(failed)?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let asked = stream
        .set_read_timeout(Some(TIMEOUT))
        .and_then(|()| stream.set_write_timeout(Some(TIMEOUT)))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .and_then(|()| stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer));
    asked.map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer);
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Err(format!("not ready: {body}"))
}

/// Connects to the first address of a name that answers. `localhost` may mean `::1` first, while the
/// service listens on `127.0.0.1`.
fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for target in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&reachable(target), TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The address at which this machine reaches a listener on every interface.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Context, Readiness,
        http::{Dialect, Options, Surfaces, serve},
        metrics,
        plain_dialect::Plain,
        service::health,
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn a_service_is_healthy_when_it_is_ready() {
        let context = Context {
            readiness: Readiness::default(),
            ..Context::system()
        };
        context.readiness.missing("log", "no broker");
        let listener = serve::bind("0.0.0.0:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = health::router(context.readiness.clone(), metrics::install());
        let surfaces = Surfaces::<dyn Dialect>::new(&Plain);
        serve::spawn(listener, router, surfaces, Options::default(), &context);
        let ask = async || {
            let address = address.clone();
            tokio::task::spawn_blocking(move || ask(&address))
                .await
                .unwrap()
        };
        let said = ask().await.unwrap_err();
        assert!(said.contains("no broker"), "{said}");
        context.readiness.ready("log");
        assert_eq!(ask().await, Ok(()));
        context.lifecycle.finish().await.unwrap();
        let said = ask().await.unwrap_err();
        assert!(said.contains("does not answer"), "{said}");
    }
}
