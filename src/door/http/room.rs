//! [`Room`]: the places for connections, how many of them one address may take, and who gives way.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

use super::connection::Pulse;

/// The part of all connections that one address may hold.
const SHARE: usize = 8;
/// An address may hold so many, however few there are.
const LEAST: usize = 16;

/// The places that there are.
#[derive(Debug)]
pub(super) struct Room {
    places: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    /// In the order of their arrival.
    guests: BTreeMap<u64, Guest>,
    /// Those who were told to go, and have not gone yet.
    leaving: usize,
    addresses: HashMap<IpAddr, Held>,
    full: bool,
}

#[derive(Debug)]
struct Guest {
    from: IpAddr,
    pulse: Arc<Pulse>,
    leaving: bool,
}

#[derive(Debug, Default)]
struct Held {
    connections: usize,
    told: bool,
}

/// A place in the room, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken.lock();
        if let Some(guest) = taken.guests.remove(&self.number) {
            if guest.leaving {
                taken.leaving -= 1;
            } else {
                taken.leave(guest.from);
            }
        }
    }
}

impl Room {
    pub(super) fn new(places: usize) -> Self {
        Self { places, taken: Mutex::default() }
    }

    /// A place for a connection from `peer`, where there is one or another's can be taken. With
    /// `shared`, many callers come from that address, and it has no share of its own.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr, shared: bool, pulse: &Arc<Pulse>) -> Option<Place> {
        let from = origin(peer);
        let share = (self.places / SHARE).max(LEAST);
        let mut taken = self.taken.lock();
        let over = !shared && taken.addresses.get(&from).is_some_and(|held| held.connections >= share);
        // a backend that calls for its users has them all at one address
        if over && !taken.guests.values().any(|guest| guest.from == from && guest.pulse.brings_many()) {
            taken.say_share(from);
            if !taken.make_way(share, Some(from)) {
                return None;
            }
        }
        if taken.guests.len() < self.places / 2 {
            taken.full = false;
        }
        if taken.guests.len() - taken.leaving >= self.places {
            // once for each time that it fills up from the half
            if !std::mem::replace(&mut taken.full, true) {
                tracing::warn!(
                    "limits.connections is reached: connections without an authenticated request are \
                     closed for new ones, and where there is none, those of callers for whom nothing \
                     runs; where there is none either, new ones are closed at once"
                );
            }
            if !taken.make_way(share, None) {
                return None;
            }
        }
        taken.addresses.entry(from).or_default().connections += 1;
        let number = taken.next;
        taken.next += 1;
        taken.guests.insert(number, Guest { from, pulse: Arc::clone(pulse), leaving: false });
        Some(Place { room: Arc::clone(self), number })
    }
}

impl Taken {
    /// Ends the oldest stranger's connection, rather one on which nothing runs; with `of`, one from there. In a full
    /// room without strangers it is the caller's on which nothing has run for longest, which may be closed at any
    /// time (RFC 9112 section 9.5); what runs for a caller never gives way.
    /// At most `most` are on their way out at a time: a place is given away before it is empty.
    fn make_way(&mut self, most: usize, of: Option<IpAddr>) -> bool {
        if self.leaving >= most {
            return false;
        }
        let may = |guest: &Guest| match guest.pulse.is_known() {
            false => of.is_none_or(|of| of == guest.from),
            true => of.is_none() && !guest.pulse.runs(),
        };
        // the first of those that are equal, which is the oldest
        let first =
            self.guests.values_mut().filter(|guest| !guest.leaving && may(guest)).min_by_key(|guest| {
                let known = guest.pulse.is_known();
                (known, guest.pulse.runs(), known.then(|| guest.pulse.due()))
            });
        let Some(guest) = first else { return false };
        guest.leaving = true;
        guest.pulse.end();
        let from = guest.from;
        self.leaving += 1;
        self.leave(from);
        true
    }

    fn leave(&mut self, from: IpAddr) {
        if let Some(held) = self.addresses.get_mut(&from) {
            held.connections -= 1;
            if held.connections == 0 {
                self.addresses.remove(&from);
            }
        }
    }

    fn say_share(&mut self, from: IpAddr) {
        if let Some(held) = self.addresses.get_mut(&from)
            && !std::mem::replace(&mut held.told, true)
        {
            tracing::warn!("{from} holds as many connections as one address may (see limits.connections)");
        }
    }
}

/// What one party has of addresses: of IPv6, a network of 64 bits.
fn origin(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Guests(Arc<Room>);

    impl Guests {
        fn enter(&self, peer: &str, shared: bool) -> Option<(Place, Arc<Pulse>)> {
            let pulse = Arc::new(Pulse::new(Duration::from_secs(75)));
            let place = self.0.enter(peer.parse().expect("an address"), shared, &pulse)?;
            Some((place, pulse))
        }

        fn known(&self, peer: &str) -> Option<(Place, Arc<Pulse>)> {
            self.enter(peer, false).inspect(|(_, pulse)| pulse.let_in())
        }
    }

    fn room(places: usize) -> Guests {
        Guests(Arc::new(Room::new(places)))
    }

    #[test]
    fn an_address_has_its_share_and_no_more() {
        for (one, same, other) in [
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1"),
        ] {
            let room = room(1_024);
            let held: Vec<_> = (0..128).map(|_| room.known(one).expect("within the share")).collect();
            assert!(room.known(same).is_none(), "{one} has its share");
            assert!(room.enter(same, true).is_some(), "a proxy brings many callers");
            assert!(room.known(other).is_some(), "{other} has its own");
            drop(held);
            assert!(room.known(same).is_some());
        }
        let small = room(32);
        let held: Vec<_> = (0..20).filter_map(|_| small.known("192.0.2.1")).collect();
        assert_eq!(held.len(), LEAST);
    }

    #[test]
    fn an_address_that_brings_many_callers_has_no_share() {
        let room = room(1_024);
        let held: Vec<_> = (0..128).map(|_| room.known("192.0.2.1").expect("within the share")).collect();
        assert!(room.known("192.0.2.1").is_none());
        held.last().expect("one").1.bring_many();
        let more: Vec<_> = (0..500).map(|_| room.known("192.0.2.1").expect("room")).collect();
        let neighbours: Vec<_> = (0..129).filter_map(|_| room.known("192.0.2.2")).collect();
        assert_eq!(neighbours.len(), 128, "that one is a single caller's still");
        drop((held, more));
    }

    #[test]
    fn over_its_share_an_address_ends_its_own_strangers_alone() {
        let room = room(64);
        let (_other, other) = room.enter("192.0.2.2", false).expect("room");
        let held: Vec<_> = (0..40).map(|_| room.enter("192.0.2.1", false)).collect();
        assert_eq!(held.iter().flatten().count(), 32, "sixteen stay, and sixteen are on their way out");
        let ended = held.iter().flatten().filter(|(_, pulse)| pulse.has_ended()).count();
        assert_eq!((ended, other.has_ended()), (16, false));
    }

    #[test]
    fn in_a_full_room_the_oldest_idle_stranger_gives_way() {
        let room = room(4);
        let mut held: Vec<_> = (0..4).map(|_| room.enter("127.0.0.1", true).expect("room")).collect();
        held[0].1.let_in();
        let _runs = held[1].1.beat();
        held.push(room.enter("127.0.0.1", true).expect("a place"));
        let ended = || held.iter().map(|(_, pulse)| pulse.has_ended()).collect::<Vec<_>>();
        assert_eq!(ended(), [false, false, true, false, false]);
        // where no idle one is left, one on which something runs
        for at in [3, 4] {
            held[at].1.let_in();
        }
        let last = room.known("192.0.2.7");
        assert!(last.is_some() && held[1].1.has_ended());
    }

    #[test]
    fn in_a_room_full_of_callers_the_one_who_was_idle_for_longest_gives_way_and_none_for_whom_something_runs()
    {
        let room = room(20);
        let held: Vec<_> = (0..20).map(|_| room.enter("127.0.0.1", true).expect("room")).collect();
        held.iter().for_each(|(_, pulse)| pulse.let_in());
        let ended = || (0..20).filter(|at| held[*at].1.has_ended()).collect::<Vec<_>>();
        let _runs: Vec<_> = (2..20).map(|at| held[at].1.beat()).collect();
        drop(held[0].1.beat());
        let (_first, first) = room.known("192.0.2.1").expect("a place");
        let _runs_too = first.beat();
        assert_eq!(ended(), [1], "the first has asked something meanwhile");
        let (_second, second) = room.known("192.0.2.2").expect("a place");
        let _runs_as_well = second.beat();
        assert_eq!(ended(), [0, 1]);
        assert!(room.known("192.0.2.3").is_none(), "no running caller gives way");
        assert_eq!(ended(), [0, 1]);
        drop(held);
        assert!(room.known("192.0.2.3").is_some(), "some have gone");
    }
}
