//! The open connections of a listener: how many it allows, and which one makes room.
//!
//! The one rule: a connection that waits for its client never keeps another client out. When all
//! places are taken, or all those of one address, the connection that has waited longest for its
//! client leaves.

use super::progress::Progress;
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// Shortest wait after which a connection may have to make room; before, its client may just be
/// reading.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// How many of the longest waiting connections one search remembers. A search looks at all
/// connections.
const FOUND_AT_ONCE: usize = 64;

/// What a connection must do. Later orders are stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Serve requests.
    Serve,
    /// Answer the request in flight, then close.
    Stop,
    /// Close now.
    Leave,
}

/// A connection as its listener knows it.
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

    /// Gives it an order, unless it already has that one or a stricter one.
    fn tell(&self, order: Order) {
        self.order.send_if_modified(|given| {
            let stricter = order > *given;
            *given = order.max(*given);
            stricter
        });
    }

    fn is_leaving(&self) -> bool {
        *self.order.borrow() == Order::Leave
    }

    /// Since when it has waited for its client; `None` if not long enough, or if it is leaving
    /// already.
    fn movable_since(&self, now: Instant) -> Option<Instant> {
        let (_, since) = self.progress.waiting()?;
        let waits = now.duration_since(since) >= SHORTEST_WAIT;
        (waits && !self.is_leaving()).then_some(since)
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
    /// How many of them have the order to leave.
    leaving: usize,
    /// By address; `None` has the connections that are not counted.
    of: HashMap<Option<IpAddr>, HashMap<u64, Arc<Client>>>,
    /// The longest waiting connections of the last search, longest first: since when, and which.
    longest: VecDeque<(Instant, Option<IpAddr>, u64)>,
}

impl Open {
    /// True when an address has at least `most` connections that stay.
    fn has_of(&self, address: Option<IpAddr>, most: usize) -> bool {
        let of_address = self.of.get(&address);
        of_address.is_some_and(|clients| {
            let staying = clients.values().filter(|client| !client.is_leaving());
            // The number of all rules out most addresses without a look at their connections.
            clients.len() >= most && staying.count() >= most
        })
    }

    /// Orders the longest waiting connection of an address to leave; `false` when none has waited
    /// enough.
    fn dismiss_of(&mut self, address: Option<IpAddr>) -> bool {
        let now = Instant::now();
        let of_address = self.of.get(&address).into_iter();
        let waiting = of_address.flat_map(HashMap::values);
        let waiting = waiting.filter_map(|client| Some((client.movable_since(now)?, client)));
        let longest = waiting.min_by_key(|(since, _)| *since);
        let Some((_, client)) = longest else {
            return false;
        };
        client.tell(Order::Leave);
        self.leaving += 1;
        true
    }

    /// Orders the longest waiting connection of all to leave; `false` when none has waited long
    /// enough.
    fn dismiss(&mut self) -> bool {
        let now = Instant::now();
        if self.dismiss_found(now) {
            return true;
        }
        self.search(now);
        self.dismiss_found(now)
    }

    /// Takes the next one of the last search. Connections that it did not find began to wait later.
    fn dismiss_found(&mut self, now: Instant) -> bool {
        while let Some((since, address, number)) = self.longest.pop_front() {
            let of_address = self.of.get(&address);
            let client = of_address.and_then(|clients| clients.get(&number));
            // A connection that was served since the search waits since later, if at all.
            if let Some(client) = client.filter(|client| client.movable_since(now) == Some(since)) {
                client.tell(Order::Leave);
                self.leaving += 1;
                return true;
            }
        }
        false
    }

    fn search(&mut self, now: Instant) {
        let mut waiting = Vec::new();
        for (address, clients) in &self.of {
            let movable = clients.iter().filter_map(|(number, client)| {
                Some((client.movable_since(now)?, *address, *number))
            });
            waiting.extend(movable);
        }
        waiting.sort_unstable();
        waiting.truncate(FOUND_AT_ONCE);
        self.longest = waiting.into();
    }
}

/// Why a connection gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Its address has the maximum, and none of its connections may be closed.
    Address,
    /// All places are taken; some may be free soon.
    All,
}

/// The place of a connection. Dropping it frees the place.
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

    /// A place for a connection; `address` is `None` when its connections are not counted.
    pub(super) fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, Full> {
        let mut open = self.open();
        // An uncounted address has no limit of its own.
        if address.is_some()
            && open.has_of(address, self.most_of_address)
            && !open.dismiss_of(address)
        {
            return Err(Full::Address);
        }
        if open.count >= self.most {
            // Connections that are leaving already make room too.
            let wanted = open.count + 1 - self.most;
            while open.leaving < wanted && open.dismiss() {}
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

    /// Makes room for one connection although places are free, as when files run out.
    pub(super) fn make_room(&self) {
        let mut open = self.open();
        if open.leaving == 0 {
            open.dismiss();
        }
    }

    /// Completes when a connection has left since the last call.
    pub(super) async fn left(&self) {
        self.left.notified().await;
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.open().count
    }

    /// Gives every connection that order and waits until all have left.
    pub(super) async fn end(&self, order: Order) {
        {
            let mut open = self.open();
            for client in open.of.values().flat_map(HashMap::values) {
                client.tell(order);
            }
            if order == Order::Leave {
                // Each place subtracts itself when it is dropped.
                open.leaving = open.count;
            }
        }
        while self.count() > 0 {
            self.left().await;
        }
    }
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
        if self.client.is_leaving() {
            open.leaving -= 1;
        }
        // Unlocked first, so that the woken task does not wait for the lock.
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
        assert!(
            connections.enter(OTHER).is_ok(),
            "another address has its own limit"
        );
        assert!(
            connections.enter(None).is_ok(),
            "uncounted addresses have no limit"
        );

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
    async fn a_full_listener_has_room_again_once_a_waiting_connection_has_left() {
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
    #[tokio::test(start_paused = true)]
    async fn no_more_connections_leave_than_places_are_needed() {
        const MOST: usize = 200;
        let connections = Connections::new(MOST, MOST);
        let mut places = Vec::new();
        for _ in 0..MOST {
            places.push(connections.enter(ADDRESS).unwrap());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        tokio::time::advance(SHORTEST_WAIT).await;
        let leaving = |places: &[Place]| -> Vec<u64> {
            let leaving = places.iter().filter(|place| order(place) == Order::Leave);
            leaving.map(|place| place.number).collect()
        };
        for _ in 0..3 {
            assert_eq!(connections.enter(OTHER).unwrap_err(), Full::All);
            connections.make_room();
            assert_eq!(
                leaving(&places),
                [0],
                "one client waits, one connection leaves"
            );
        }
        drop(places.remove(0));
        let _other = connections.enter(OTHER).unwrap();

        // The next but one is served meanwhile, so it no longer waits as long as the others.
        drop(places[1].client.progress.begin());
        for expected in [vec![1], vec![3], vec![4]] {
            assert_eq!(connections.enter(OTHER).unwrap_err(), Full::All);
            assert_eq!(leaving(&places), expected);
            places.retain(|place| order(place) == Order::Serve);
            places.push(connections.enter(OTHER).unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_never_taken_back() {
        let connections = Connections::new(2, 2);
        let place = connections.enter(ADDRESS).unwrap();
        tokio::time::advance(SHORTEST_WAIT).await;
        connections.make_room();
        place.client.tell(Order::Stop);
        assert_eq!(order(&place), Order::Leave);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_of_an_address_that_leaves_makes_room_for_the_next() {
        let connections = Connections::new(100, 2);
        let first = connections.enter(ADDRESS).unwrap();
        let second = connections.enter(ADDRESS).unwrap();
        tokio::time::advance(SHORTEST_WAIT).await;
        let third = connections.enter(ADDRESS).unwrap();
        let (left, stayed) = match (order(&first), order(&second)) {
            (Order::Leave, Order::Serve) => (first, second),
            (Order::Serve, Order::Leave) => (second, first),
            both => panic!("{both:?}"),
        };
        drop(third);
        let _fourth = connections.enter(ADDRESS).unwrap();
        assert_eq!(order(&stayed), Order::Serve);
        drop(left);
        assert_eq!(connections.count(), 2);
    }
}
