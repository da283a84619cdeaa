//! [`store_conformance`]: whether a store keeps the contract.

use std::fmt;

use super::{check::Check, checks};
use crate::store::Store;

/// Checks that a store keeps the contract of [`Store`]: each requirement by itself, in slots whose names begin with
/// `conformance`, and that nobody else uses. It takes about two seconds.
///
/// What it can't see is said in the contract alone: whether what was acknowledged survives a crash, and whether a record
/// that can't be read is left as it is.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tower_reauth::testing::{MemoryStore, store_conformance};
///
/// store_conformance(&MemoryStore::new()).await.assert();
/// # }
/// ```
pub async fn store_conformance<S: Store>(store: &S) -> Conformance {
    Conformance { results: checks::all(&Check::new(store)).await }
}

/// What [`store_conformance`] has found.
#[derive(Clone, Debug)]
#[must_use]
pub struct Conformance {
    results: Vec<(&'static str, Result<(), String>)>,
}

impl Conformance {
    /// The requirements, in the order in which they were checked.
    pub fn requirements(&self) -> impl Iterator<Item = &'static str> {
        self.results.iter().map(|(requirement, _)| *requirement)
    }

    /// The requirements that aren't kept, each with what is wrong.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.results
            .iter()
            .filter_map(|(requirement, result)| Some((*requirement, &**result.as_ref().err()?)))
    }

    /// Ends the test if a requirement isn't kept.
    ///
    /// # Panics
    ///
    /// If a requirement isn't kept. The message has all of these.
    pub fn assert(&self) {
        assert!(self.failures().next().is_none(), "the store doesn't keep its contract:\n{self}");
    }
}

/// A line for each requirement that isn't kept.
impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failures().try_for_each(|(requirement, wrong)| writeln!(f, "- {requirement}: {wrong}"))
    }
}
