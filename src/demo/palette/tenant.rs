//! [`Tenant`]: what it holds, who it knows, what it was asked, and what it is to do wrong.

use std::{collections::BTreeMap, io, sync::Arc, time::Instant};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{
    data::Data,
    fault::{Failure, Fault},
    limits::Buckets,
};

/// How many requests are remembered one by one.
const REMEMBERED: usize = 20_000;

/// A tenant of the simulator; clones are the same one.
#[derive(Clone, Debug)]
pub struct Tenant(Arc<State>);

#[derive(Debug)]
struct State {
    /// What ages are counted from.
    made: Timestamp,
    data: Mutex<Arc<Data>>,
    buckets: Mutex<Buckets>,
    faults: Mutex<Vec<Fault>>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    requests: BTreeMap<String, u64>,
    answered: BTreeMap<u16, u64>,
    sent: Vec<Sent>,
    refused: Vec<String>,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// In capitals.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The `ProjectUid` header.
    pub project: Option<String>,
    /// As it stood in the path.
    pub query: String,
    /// As it came.
    pub body: String,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Sees the tenant scope and every project.
    Tenant,
    /// Sees these projects; whether the list of projects can be asked for without one.
    Projects(Vec<String>, bool),
}

impl Tenant {
    /// A tenant of that data.
    pub fn new(data: Data) -> Self {
        Self(Arc::new(State {
            made: Timestamp::now(),
            data: Mutex::new(Arc::new(data)),
            buckets: Mutex::default(),
            faults: Mutex::default(),
            book: Mutex::default(),
        }))
    }

    /// The sample platform, to whoever holds that key; one of its clusters is that whose Kubernetes API is at
    /// `kubernetes`, a host and a port.
    ///
    /// # Errors
    /// The sample, which is part of the binary, cannot be read.
    pub fn sample(key: &str, kubernetes: Option<(&str, u16)>) -> io::Result<Self> {
        Ok(Self::new(Data { key: key.to_owned(), ..Data::sample(kubernetes)? }))
    }

    /// The API key of the whole tenant.
    pub fn key(&self) -> String {
        self.data().key.clone()
    }

    /// What it holds now.
    pub fn data(&self) -> Arc<Data> {
        Arc::clone(&self.0.data.lock())
    }

    /// Changes what it holds.
    pub fn change(&self, change: impl FnOnce(&mut Data)) {
        change(Arc::make_mut(&mut self.0.data.lock()));
    }

    /// As [`Self::change`], where `change` finds nothing wrong: it is alone while it looks.
    pub(super) fn try_change<T, E>(&self, change: impl FnOnce(&mut Data) -> Result<T, E>) -> Result<T, E> {
        change(Arc::make_mut(&mut self.0.data.lock()))
    }

    /// Adds a fault; the first that strikes a request is the one that happens.
    pub fn fail(&self, fault: Fault) {
        self.0.faults.lock().push(fault);
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.0.faults.lock().clear();
    }

    /// How often each endpoint was asked: `GET /v1/dashboard/spectroclusters/{uid}`.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.0.book.lock().requests.clone()
    }

    /// How many requests came.
    pub fn count(&self) -> u64 {
        self.0.book.lock().requests.values().sum()
    }

    /// The requests in the order they came.
    pub fn sent(&self) -> Vec<Sent> {
        self.0.book.lock().sent.clone()
    }

    /// How many answers had that status.
    pub fn answered(&self, status: u16) -> u64 {
        self.0.book.lock().answered.get(&status).copied().unwrap_or_default()
    }

    /// What was asked that the contract does not have, each with the request.
    pub fn refused(&self) -> Vec<String> {
        self.0.book.lock().refused.clone()
    }

    /// Forgets the requests that came.
    pub fn forget(&self) {
        *self.0.book.lock() = Book::default();
    }

    pub(super) fn made(&self) -> Timestamp {
        self.0.made
    }

    /// Who holds that key, or that token.
    pub(super) fn identify(&self, key: Option<&str>, token: Option<&str>) -> Option<Identity> {
        let data = self.data();
        if let Some(key) = key {
            if key == data.key {
                return Some(Identity::Tenant);
            }
            return data
                .project_keys
                .get(key)
                .map(|project| Identity::Projects(vec![project.clone()], false));
        }
        let user = data.users.iter().find(|user| Some(user.token.as_str()) == token)?;
        Some(if user.tenant { Identity::Tenant } else { Identity::Projects(user.projects.clone(), true) })
    }

    /// Whether the limits leave room for a request to that path.
    pub(super) fn has_room(&self, path: &str) -> bool {
        let limits = self.data().limits;
        self.0.buckets.lock().take(path, limits, Instant::now())
    }

    /// What is to go wrong with this request.
    pub(super) fn failure(&self, endpoint: &str, project: Option<&str>) -> Option<Failure> {
        let mut faults = self.0.faults.lock();
        let fault = faults.iter_mut().find_map(|fault| {
            let strikes = fault.strikes(endpoint, project);
            strikes.then(|| fault.failure.clone())
        });
        faults.retain(|fault| fault.times != Some(0));
        fault
    }

    pub(super) fn came(&self, endpoint: String, sent: Sent) {
        let mut book = self.0.book.lock();
        *book.requests.entry(endpoint).or_default() += 1;
        if book.sent.len() < REMEMBERED {
            book.sent.push(sent);
        }
    }

    pub(super) fn went(&self, status: u16) {
        *self.0.book.lock().answered.entry(status).or_default() += 1;
    }

    pub(super) fn refuse(&self, what: String) {
        self.0.book.lock().refused.push(what);
    }
}
