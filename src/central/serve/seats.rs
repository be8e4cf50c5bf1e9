//! How many may be served at once: a cap in total and one for each address.
//!
//! Invariants:
//! - there are never more seats than either cap;
//! - whoever is being answered keeps its seat. When a cap is reached, the oldest seat on which nobody asks anything is vacated for the
//!   newcomer: so thousands of silent connections lock nobody out, since a terminal asks within milliseconds of connecting.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use crate::central::peer::network_of;

/// The caps.
#[derive(Clone, Copy, Debug)]
pub(in crate::central) struct Caps {
    /// All together.
    pub(in crate::central) total: usize,
    /// From one address; an IPv6 network of 64 bits counts as one.
    pub(in crate::central) per_address: usize,
}

/// Whose seats count against the cap of their address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::central) enum Counted {
    /// Everybody's.
    ByAddress,
    /// A trusted proxy brings many people: only the total counts.
    InTotalOnly,
}

/// All seats.
pub(in crate::central) struct Seats {
    caps: Caps,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    /// Oldest first.
    seats: BTreeMap<u64, (IpAddr, Arc<State>)>,
    by_address: HashMap<IpAddr, usize>,
}

/// What happens on one seat.
#[derive(Default)]
pub(in crate::central) struct State {
    answering: AtomicUsize,
    has_asked: AtomicBool,
    vacate: Notify,
}

impl State {
    /// Whoever sits here asks something; until the guard is dropped the seat is not vacated.
    pub(in crate::central) fn answer(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Ordering::AcqRel);
        self.has_asked.store(true, Ordering::Release);
        Answering(Arc::clone(self))
    }

    pub(in crate::central) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Acquire)
    }

    pub(in crate::central) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Acquire) > 0
    }

    /// Waits until the seat is needed for somebody else.
    pub(in crate::central) async fn vacated(&self) {
        self.vacate.notified().await;
    }
}

/// An answer under way.
pub(in crate::central) struct Answering(Arc<State>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A seat; dropping it gives it back.
pub(in crate::central) struct Seat {
    id: u64,
    seats: Arc<Seats>,
    pub(in crate::central) state: Arc<State>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().remove(self.id);
    }
}

impl Seats {
    pub(in crate::central) fn new(caps: Caps) -> Arc<Self> {
        Arc::new(Self { caps, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seats that are taken.
    pub(in crate::central) fn count(&self) -> u64 {
        u64::try_from(self.taken().seats.len()).unwrap_or(u64::MAX)
    }

    /// A seat for somebody who has not asked anything yet; `None` if all others are being answered.
    pub(in crate::central) fn take(self: &Arc<Self>, address: IpAddr, counted: Counted) -> Option<Seat> {
        self.admit(address, counted, State::default())
    }

    /// A seat that is kept for as long as it is held.
    pub(in crate::central) fn take_for_long(
        self: &Arc<Self>,
        address: IpAddr,
        counted: Counted,
    ) -> Option<Seat> {
        let state = State { answering: AtomicUsize::new(1), ..State::default() };
        self.admit(address, counted, state)
    }

    fn admit(self: &Arc<Self>, address: IpAddr, counted: Counted, state: State) -> Option<Seat> {
        let address = network_of(address);
        let mut taken = self.taken();
        let here = taken.by_address.get(&address).copied().unwrap_or_default();
        if counted == Counted::ByAddress && here >= self.caps.per_address && !taken.vacate(Some(address)) {
            return None;
        }
        if taken.seats.len() >= self.caps.total && !taken.vacate(None) {
            return None;
        }
        let (id, state) = (taken.next, Arc::new(state));
        taken.next += 1;
        taken.seats.insert(id, (address, Arc::clone(&state)));
        *taken.by_address.entry(address).or_default() += 1;
        Some(Seat { id, seats: Arc::clone(self), state })
    }
}

impl Taken {
    /// Vacates the oldest seat where nobody is being answered, of one address or of all.
    fn vacate(&mut self, address: Option<IpAddr>) -> bool {
        let mut idle = self
            .seats
            .iter()
            .filter(|(_, (at, state))| address.is_none_or(|address| address == *at) && !state.is_answering());
        let Some((&id, (_, state))) = idle.next() else { return false };
        state.vacate.notify_one();
        self.remove(id);
        true
    }

    fn remove(&mut self, id: u64) {
        let Some((address, _)) = self.seats.remove(&id) else { return };
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(total: usize, per_address: usize) -> Arc<Seats> {
        Seats::new(Caps { total, per_address })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn silent_seats_are_vacated_for_newcomers_oldest_first() {
        let seats = seats(3, 10);
        let held: Vec<Seat> =
            (0..3).map(|_| seats.take(address("10.0.0.1"), Counted::ByAddress).unwrap()).collect();
        let asking = held[0].state.answer();
        let _new = seats.take(address("10.0.0.2"), Counted::ByAddress).unwrap();
        assert_eq!(seats.taken().seats.keys().copied().collect::<Vec<_>>(), [0, 2, 3]);
        drop(asking);
        let _newer = seats.take(address("10.0.0.3"), Counted::ByAddress).unwrap();
        assert_eq!(seats.taken().seats.keys().copied().collect::<Vec<_>>(), [2, 3, 4]);
        drop(held);
        assert_eq!(seats.taken().seats.len(), 2, "a seat that was vacated is not given back twice");
        assert_eq!(seats.taken().by_address.len(), 2);
    }

    #[test]
    fn an_address_has_its_own_cap_and_a_trusted_proxy_has_none() {
        let seats = seats(100, 2);
        let here = address("10.0.0.1");
        let busy: Vec<Seat> =
            (0..2).map(|_| seats.take_for_long(here, Counted::ByAddress).unwrap()).collect();
        assert!(seats.take(here, Counted::ByAddress).is_none());
        assert!(seats.take(address("10.0.0.2"), Counted::ByAddress).is_some());
        assert!(seats.take(here, Counted::InTotalOnly).is_some());
        drop(busy);
        assert!(seats.take(here, Counted::ByAddress).is_some());
    }

    #[test]
    fn the_total_holds_for_everybody() {
        let seats = seats(2, 2);
        let _busy: Vec<Seat> = ["10.0.0.1", "10.0.0.2"]
            .map(|from| seats.take_for_long(address(from), Counted::InTotalOnly).unwrap())
            .into();
        assert!(seats.take(address("10.0.0.3"), Counted::InTotalOnly).is_none());
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_address_is_the_one_it_maps() {
        assert_eq!(network_of(address("2001:db8::1")), network_of(address("2001:db8::ffff:1")));
        assert_ne!(network_of(address("2001:db8::1")), network_of(address("2001:db8:0:1::1")));
        assert_eq!(network_of(address("::ffff:10.0.0.1")), address("10.0.0.1"));
    }
}
