//! Many terminals: enrolled, each with a place of its own.

use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use super::{server::Server, terminal::Terminal, visits::Place};
use crate::{
    central::{
        self,
        store::{Enrolled, NewCode, NewTerminal},
    },
    chain,
    clock::{Clock, SystemClock},
    example::visits::Dice,
    model::StoreId,
    sign::KeyPair,
    sync::{
        Identity,
        enrol::{EnrolError, enrol_through},
        outcome::Trouble,
        transport::{Deadlines, HttpTransport},
    },
    wire::EnrolmentReply,
};

/// Terminals that trade a code for a name over the network; central takes in sixty a minute, so a larger crowd is written into its store
/// before it starts.
pub(super) const BY_PROTOCOL_MAX: usize = 48;

/// Tries of an enrolment while central takes no more, and the time between two.
const TRIES: u32 = 90;
const TRY_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// What a crowd is like.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) seed: u64,
    pub(super) terminals: usize,
    /// How long ago they were switched on, and how far visitors are apart.
    pub(super) since: TimeDelta,
    pub(super) apart_s: u64,
}

/// The part of the crowd that is larger than central takes in within a minute, written into the store of a central that does not run.
pub(super) fn into_store(
    server: &Server,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Terminal>> {
    let places = places(server)?;
    let numbers = BY_PROTOCOL_MAX.min(wanted.terminals)..wanted.terminals;
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let (store, key) = central::open_store_and_key(&server.data)?;
    let site = server.hospital.sites.first().context("a hospital has a site")?.id.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut crowd = Vec::new();
        for n in numbers {
            let place = &places[n % places.len()];
            let (key_pair, code) = (key_of(wanted.seed, n), chain::sha256(format!("load {n}").as_bytes()));
            let made = NewCode {
                code_hash: code,
                touchpoint: place.touchpoint.clone(),
                made_at: now,
                expires_at: now + TimeDelta::hours(1),
            };
            store.add_code(&site, made).await?;
            let asked = NewTerminal {
                code_hash: code,
                terminal: format!("t-load-{n}").parse()?,
                public_key: key_pair.public().to_string(),
                hardware_id: format!("load-{n}"),
                software: env!("CARGO_PKG_VERSION").to_owned(),
                at: now,
            };
            let Enrolled::Welcome { terminal, touchpoint } = store.enrol(&site, asked).await? else {
                anyhow::bail!("the store takes no terminal in");
            };
            let reply = EnrolmentReply {
                terminal,
                site: site.clone(),
                touchpoint,
                store: store.id(),
                central_key: key.to_string(),
                time: now,
            };
            let identity = Identity::new(key_pair, format!("load-{n}"), reply)?;
            crowd.push(terminal_of(identity, place, wanted, n, now));
        }
        Ok(crowd)
    })
}

/// The first of the crowd, each by a code and the real request.
pub(super) fn by_protocol(
    server: &Server,
    home: &Path,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Terminal>> {
    let places = places(server)?;
    let count = wanted.terminals.min(BY_PROTOCOL_MAX);
    let codes = server.codes((0..count).map(|n| &places[n % places.len()].touchpoint))?;
    let mut transport =
        HttpTransport::new(&format!("http://{}", server.address), None, Deadlines::default())?;
    let clock = SystemClock::new();
    let mut crowd = Vec::new();
    for (n, code) in codes.iter().enumerate() {
        let file = home.join(format!("terminal-{n}.json"));
        let mut tries = 0;
        let identity = loop {
            match enrol_through(&mut transport, code, &file, &format!("load-{n}"), &clock.now()) {
                Err(EnrolError::Unreached(Trouble::Status(429))) if tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(TRY_EVERY);
                }
                done => break done?,
            }
        };
        crowd.push(terminal_of(identity, &places[n % places.len()], wanted, n, now));
    }
    Ok(crowd)
}

/// Terminals that central does not know: their lines go to a floor.
pub(super) fn for_floor(
    server: &Server,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Terminal>> {
    let places = places(server)?;
    let site = server.hospital.sites.first().context("a hospital has a site")?.id.clone();
    (0..wanted.terminals)
        .map(|n| {
            let (place, key) = (&places[n % places.len()], key_of(wanted.seed, n));
            let reply = EnrolmentReply {
                terminal: format!("t-floor-{n}").parse()?,
                site: site.clone(),
                touchpoint: place.touchpoint.clone(),
                store: StoreId::from_parts(0, [0; 10]),
                central_key: key.public().to_string(),
                time: now,
            };
            let identity = Identity::new(key, format!("floor-{n}"), reply)?;
            Ok(terminal_of(identity, place, wanted, n, now))
        })
        .collect()
}

fn places(server: &Server) -> anyhow::Result<Vec<Place>> {
    let places = Place::all(&server.hospital);
    anyhow::ensure!(!places.is_empty(), "no touchpoint asks for reasons after its first question");
    Ok(places)
}

fn terminal_of(identity: Identity, place: &Place, wanted: &Wanted, n: usize, now: DateTime<Utc>) -> Terminal {
    let mut dice = Dice::new(wanted.seed ^ (n as u64) << 20);
    // Not all in the same second.
    let began = now - wanted.since + TimeDelta::milliseconds(i64::try_from(dice.below(60_000)).unwrap_or(0));
    Terminal::new(identity, place.clone(), dice.next(), began, wanted.apart_s)
}

fn key_of(seed: u64, n: usize) -> KeyPair {
    let mut dice = Dice::new(!seed ^ (n as u64) << 20);
    KeyPair::from_seed(&std::array::from_fn(|_| dice.next().to_le_bytes()[0]))
}
