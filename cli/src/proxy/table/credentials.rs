//! [`Credentials`]: vendors by what is said of them, so that what is said twice has one token.

use std::{collections::HashMap, sync::Arc};

use tower_reauth::{RefreshPolicy, client::ClientBuilder};

use crate::{config::Whom, mistake::Mistake, vendor::Vendor};

/// A vendor, and what sends requests to it.
pub(crate) struct Known {
    pub(crate) vendor: Arc<Vendor>,
    pub(crate) client: ClientBuilder,
}

/// The vendors that there are.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    known: HashMap<[u8; 32], Arc<Known>>,
}

impl Credentials {
    /// The vendor that this comes to: the one that is known by the same already, here or in `before`, or a new one. Within a
    /// runtime, on which Redis is asked.
    pub(crate) fn vendor(&mut self, whom: &Whom, before: &Self) -> Result<Arc<Known>, Mistake> {
        let print = whom.print();
        let known = self.known.get(&print).or_else(|| before.known.get(&print)).map(Arc::clone);
        let known = match known {
            Some(known) => known,
            None => {
                let client = whom.client()?;
                let vendor = whom.vendor(client.clone().build()?, RefreshPolicy::default())?;
                Arc::new(Known { vendor: Arc::new(vendor), client })
            }
        };
        self.known.insert(print, Arc::clone(&known));
        Ok(known)
    }

    /// Those that `later` has no more.
    pub(crate) fn without(&self, later: &Self) -> impl Iterator<Item = &Known> {
        let gone = self.known.iter().filter(|(print, _)| !later.known.contains_key(*print));
        gone.map(|(_, known)| &**known)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Known> {
        self.known.values().map(|known| &**known)
    }
}
