//! A DNS server on loopback that knows the TXT records that a test gives it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::{net::UdpSocket, task::JoinHandle};

/// The server; it ends with the test.
pub struct Dns {
    pub address: String,
    records: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    task: JoinHandle<()>,
}

impl Dns {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let records = Arc::<Mutex<BTreeMap<String, Vec<String>>>>::default();
        let known = Arc::clone(&records);
        let task = tokio::spawn(async move {
            let mut bytes = [0; 512];
            loop {
                let (length, from) = socket.recv_from(&mut bytes).await.unwrap();
                let question = &bytes[..length];
                let (name, end) = name_of(question);
                let texts = known.lock().unwrap().get(&name).cloned();
                let answer = answer(&question[..end], &texts.unwrap_or_default());
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self {
            address,
            records,
            task,
        }
    }

    /// Sets the TXT records of a name.
    pub fn set(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.records.lock().unwrap().insert(name.to_owned(), texts);
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The name of a question, and where the question ends.
fn name_of(question: &[u8]) -> (String, usize) {
    let mut labels = Vec::new();
    let mut at = 12;
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8(question[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    (labels.join("."), at + 5)
}

fn answer(question: &[u8], texts: &[String]) -> Vec<u8> {
    let mut bytes = question.to_vec();
    bytes[2..4].copy_from_slice(&[0x81, 0x80]);
    bytes[7] = u8::try_from(texts.len()).unwrap();
    bytes[11] = 0;
    for text in texts {
        let length = u8::try_from(text.len()).unwrap();
        bytes.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
        bytes.extend(text.as_bytes());
    }
    bytes
}
