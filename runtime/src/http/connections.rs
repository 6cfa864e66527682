//! The open connections of a listener: how many there may be, and which one makes room.
//!
//! The one rule: a connection that waits for its client never keeps another client out. Whether all
//! places are taken or those of one address, the connection that has waited longest for its client goes.

use super::progress::Progress;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// A connection that has waited for its client for less may not be made to go: it may just be reading.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// When all places are taken, one in this many connections goes, so that searching them stays cheap.
const PORTION: usize = 64;

/// What a connection is ordered to do. Later orders are stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Serve requests.
    Serve,
    /// Answer the request in flight, then close.
    Stop,
    /// Close now.
    Leave,
}

/// One connection as its listener knows it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) progress: Arc<Progress>,
    order: watch::Sender<Order>,
}

impl Client {
    /// Completes with an order that is stricter than `order`.
    pub(super) async fn ordered_beyond(&self, order: Order) -> Order {
        let mut orders = self.order.subscribe();
        let stricter = orders.wait_for(|given| *given > order).await;
        // The sender lives as long as `self`.
        stricter.map_or(Order::Leave, |given| *given)
    }

    fn tell(&self, order: Order) {
        self.order.send_replace(order);
    }

    /// Since when it has waited for its client, if that is long enough for it to go.
    fn movable_since(&self, now: Instant) -> Option<Instant> {
        let (_, since) = self.progress.waiting()?;
        let waits = now.duration_since(since) >= SHORTEST_WAIT;
        (waits && *self.order.borrow() < Order::Leave).then_some(since)
    }
}

/// All connections of a listener.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    most_of_address: usize,
    open: Mutex<Open>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Open {
    number: u64,
    count: usize,
    /// By address; `None` for addresses whose connections are not counted.
    of: HashMap<Option<IpAddr>, HashMap<u64, Arc<Client>>>,
}

/// Why a connection has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Its address has as many as it may, all of them at work.
    Address,
    /// All places are taken; some may be free soon.
    All,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) client: Arc<Client>,
    connections: Arc<Connections>,
    address: Option<IpAddr>,
    number: u64,
}

impl Connections {
    pub(super) fn new(most: usize, most_of_address: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_of_address,
            open: Mutex::default(),
            left: Notify::new(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection of that address; `None` for an address that is not counted.
    pub(super) fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, Full> {
        let mut open = self.open();
        let of_address = open.of.get(&address).map_or(0, HashMap::len);
        if address.is_some() && of_address >= self.most_of_address {
            let others = open.of.get(&address).into_iter();
            if dismiss(others.flat_map(HashMap::values), 1) == 0 {
                return Err(Full::Address);
            }
        }
        if open.count >= self.most {
            let all = open.of.values().flat_map(HashMap::values);
            dismiss(all, self.most / PORTION + 1);
            return Err(Full::All);
        }
        let client = Arc::new(Client {
            progress: Arc::new(Progress::new()),
            order: watch::Sender::new(Order::Serve),
        });
        let number = open.number;
        open.number += 1;
        open.count += 1;
        let of_address = open.of.entry(address).or_default();
        of_address.insert(number, Arc::clone(&client));
        Ok(Place {
            client,
            connections: Arc::clone(self),
            address,
            number,
        })
    }

    /// Makes room where none is known to be missing, as when files run out.
    pub(super) fn make_room(&self) {
        let open = self.open();
        let all = open.of.values().flat_map(HashMap::values);
        dismiss(all, self.most / PORTION + 1);
    }

    /// Completes when a connection has left since the last call.
    pub(super) async fn left(&self) {
        self.left.notified().await;
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.open().count
    }

    /// Gives every connection that order and waits until none is left.
    pub(super) async fn end(&self, order: Order) {
        for client in self.open().of.values().flat_map(HashMap::values) {
            client.tell(order);
        }
        while self.count() > 0 {
            self.left().await;
        }
    }
}

/// Makes up to `most` of these go, those first that have waited longest; says how many.
fn dismiss<'a>(clients: impl Iterator<Item = &'a Arc<Client>>, most: usize) -> usize {
    let now = Instant::now();
    let movable = |client: &'a Arc<Client>| Some((client.movable_since(now)?, client));
    let mut waiting: Vec<_> = clients.filter_map(movable).collect();
    waiting.sort_unstable_by_key(|(since, _)| *since);
    waiting.truncate(most);
    for (_, client) in &waiting {
        client.tell(Order::Leave);
    }
    waiting.len()
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.count -= 1;
        if let Some(of_address) = open.of.get_mut(&self.address) {
            of_address.remove(&self.number);
            if of_address.is_empty() {
                open.of.remove(&self.address);
            }
        }
        drop(open);
        self.connections.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const OTHER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));

    fn order(place: &Place) -> Order {
        *place.client.order.borrow()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_waiting_connection_of_an_address_makes_room_for_the_next() {
        let connections = Connections::new(100, 2);
        let first = connections.enter(ADDRESS).unwrap();
        tokio::time::advance(Duration::from_millis(500)).await;
        let second = connections.enter(ADDRESS).unwrap();
        // Both may just be sending their heads.
        assert_eq!(connections.enter(ADDRESS).unwrap_err(), Full::Address);
        assert!(connections.enter(OTHER).is_ok(), "another has its own");
        assert!(connections.enter(None).is_ok(), "some are not counted");

        tokio::time::advance(SHORTEST_WAIT).await;
        let third = connections.enter(ADDRESS).unwrap();
        assert_eq!(order(&first), Order::Leave);
        assert_eq!(
            (order(&second), order(&third)),
            (Order::Serve, Order::Serve)
        );

        let _at_work = second.client.progress.begin();
        let _also = third.client.progress.begin();
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(connections.enter(ADDRESS).unwrap_err(), Full::Address);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_listener_has_room_again_as_soon_as_one_that_waited_has_left() {
        let connections = Connections::new(2, 100);
        let first = connections.enter(ADDRESS).unwrap();
        let busy = connections.enter(None).unwrap();
        let _at_work = busy.client.progress.begin();
        tokio::time::advance(SHORTEST_WAIT).await;
        assert_eq!(connections.enter(OTHER).unwrap_err(), Full::All);
        assert_eq!((order(&first), order(&busy)), (Order::Leave, Order::Serve));
        assert_eq!(connections.enter(OTHER).unwrap_err(), Full::All);
        drop(first);
        connections.left().await;
        assert!(connections.enter(OTHER).is_ok());
        assert_eq!(connections.count(), 1, "a place ends with its connection");
    }
}
