//! Asks a DNS server for the TXT records of a name, which prove who owns a host.
//!
//! One question over UDP, without a resolver crate: the server that the machine uses anyway follows
//! aliases and caches. The one rule: nothing of an answer is trusted before it matches the question.

mod message;

use message::{Fault, Question};
use runtime::{IdSource, Settings, settings::Setting};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::UdpSocket, time::timeout};

/// The server to ask.
pub(crate) const SERVER: Setting = Setting::new(
    "DNS_SERVER",
    "the first of /etc/resolv.conf",
    "address of the DNS server that is asked for the proofs of domains, with or without a port",
);

const PORT: u16 = 53;
/// How often a question is sent: a datagram may be lost.
const ATTEMPTS: u32 = 2;
/// How long an answer may take.
const WAIT: Duration = Duration::from_secs(2);
/// Largest answer; servers send no more over UDP than the question allows.
const MAX_BYTES: usize = 4096;

/// Asks one DNS server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver {
    server: SocketAddr,
}

impl Resolver {
    /// Reads `DNS_SERVER`.
    pub(crate) fn read(settings: &mut Settings) -> Self {
        let given = settings.parse_with(SERVER, |text| {
            let wrong = || format!("is {text:?}; give an address such as 192.0.2.53 or [::1]:5353");
            address(text).ok_or_else(wrong)
        });
        let system = || {
            let file = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            of_resolv_conf(&file).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
        };
        Self {
            server: given.unwrap_or_else(|| SocketAddr::new(system(), PORT)),
        }
    }

    /// The TXT records of a name; none when the name does not exist.
    pub(crate) async fn find_txt(
        &self,
        name: &str,
        ids: &dyn IdSource,
    ) -> Result<Vec<String>, String> {
        let mut failure = String::new();
        for _ in 0..ATTEMPTS {
            let [first, second, ..] = ids.random_16();
            let question = Question::txt(name, u16::from_be_bytes([first, second]))
                .ok_or("the name is too long for DNS")?;
            match timeout(WAIT, self.ask(&question)).await {
                Ok(Ok(answer)) => return answer.map_err(|fault| fault.to_string()),
                Ok(Err(error)) => failure = error.to_string(),
                Err(_) => "the DNS server does not answer".clone_into(&mut failure),
            }
        }
        Err(failure)
    }

    /// Sends a question and waits for its answer. Other datagrams are ignored.
    async fn ask(&self, question: &Question) -> std::io::Result<Result<Vec<String>, Fault>> {
        let any: IpAddr = if self.server.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        // A socket for each question: its random port makes a forged answer harder.
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(self.server).await?;
        socket.send(question.bytes()).await?;
        let mut bytes = vec![0; MAX_BYTES];
        loop {
            let length = socket.recv(&mut bytes).await?;
            let answer = bytes.get(..length).unwrap_or_default();
            if let Some(read) = question.read(answer) {
                return Ok(read);
            }
        }
    }
}

fn address(text: &str) -> Option<SocketAddr> {
    let with_port = text.parse().ok();
    with_port.or_else(|| Some(SocketAddr::new(text.parse().ok()?, PORT)))
}

fn of_resolv_conf(file: &str) -> Option<IpAddr> {
    let mut servers = file.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next())?
    });
    servers.find_map(|server| server.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::SeededIds;

    #[test]
    fn the_server_is_the_first_that_has_an_address() {
        let file = "# nameserver 192.0.2.1\nsearch example\nnameserver fe80::1%eth0\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        assert_eq!(of_resolv_conf(file), "192.0.2.2".parse().ok());
        assert_eq!(of_resolv_conf(""), None);
        assert_eq!(address("192.0.2.1"), "192.0.2.1:53".parse().ok());
        assert_eq!(address("[::1]:5353"), "[::1]:5353".parse().ok());
        assert_eq!(address("dns.example"), None);
    }

    #[tokio::test]
    async fn a_forged_answer_is_ignored_and_a_true_one_is_read() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let resolver = Resolver {
            server: server.local_addr().unwrap(),
        };
        let answering = async {
            let mut bytes = [0; 512];
            let (length, from) = server.recv_from(&mut bytes).await.unwrap();
            let question = &bytes[..length];
            let mut forged = message::tests::answer(question, &["forged"]);
            forged[0] ^= 1;
            server.send_to(&forged, from).await.unwrap();
            let answer = message::tests::answer(question, &["true"]);
            server.send_to(&answer, from).await.unwrap();
        };
        let ids = SeededIds::new(1);
        let (found, ()) = tokio::join!(resolver.find_txt("go.example", &ids), answering);
        assert_eq!(found.unwrap(), ["true"]);
    }
}
