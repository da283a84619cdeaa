//! [`Setup`]: makes a site of the options and of the configuration file. Everything that can be known to be wrong is an error
//! here, before a request comes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::uri::Authority;

use super::{
    args::Args,
    forward::{Settings, Upstream},
    front::Places,
    guard::Guard,
    health::{Health, Tokens},
    keys::Keys,
    metrics::{Counts, Metrics},
    site::Site,
    table::{Credentials, Entry, Plan, Planned, Route, Table},
    upgrade::Upgrades,
};
use crate::{
    config::Whom,
    mistake::Mistake,
    options::{Secret, one_reader},
};

const KEY: &str = "--allow-key";

/// What a site is made of that stays when another one takes its place.
pub(crate) struct Setup {
    pub(crate) args: Args,
    /// What the options said of keys when it began.
    keys: Keys,
    upgrades: Arc<Upgrades>,
    pub(crate) metrics: Arc<Metrics>,
    /// What has been counted of each upstream, by its name.
    counts: Mutex<HashMap<String, Arc<Counts>>>,
}

impl Setup {
    pub(crate) fn new(args: Args, places: Places, upgrades: Arc<Upgrades>) -> Result<Self, Mistake> {
        args.check()?;
        // Those of the file can't read it.
        let mut readers = args.whom.vendor.that_read_stdin();
        readers.extend(args.whom.store.that_read_stdin());
        readers.extend(args.allow_key.iter().filter(|key| **key == Secret::Stdin).map(|_| KEY));
        one_reader(&readers)?;
        let keys = Keys::read(&args.allow_key, KEY)?;
        let metrics = Arc::new(Metrics::new(places, Arc::clone(&upgrades)));
        Ok(Self { args, keys, upgrades, metrics, counts: Mutex::default() })
    }

    /// A site, and the credentials that it uses: those of `before` that are still the same. Within a runtime.
    pub(crate) fn site(&self, before: &Credentials) -> Result<(Site, Credentials), Mistake> {
        if self.args.upstreams { self.several(before) } else { self.one(before) }
    }

    fn one(&self, before: &Credentials) -> Result<(Site, Credentials), Mistake> {
        let args = &self.args;
        let whom = Whom::new(&args.whom)?;
        let mut credentials = Credentials::default();
        let known = credentials.vendor(&whom, before)?;
        let upstream = Upstream::new(self.settings(), Arc::clone(&known.vendor), &known.client)?;
        let health = self.health(Tokens::Of(upstream.tokens()));
        let counts = self.counts("vendor");
        let entry =
            Entry { name: "vendor".to_owned(), route: Route::default(), keys: None, upstream, counts };
        let table = Table::new(vec![entry]);
        Ok((self.site_of(Guard::new(args), self.keys()?, health, table), credentials))
    }

    fn several(&self, before: &Credentials) -> Result<(Site, Credentials), Mistake> {
        let args = &self.args;
        args.whom.vendor.refuse_rest("--upstreams, whose credentials are in the file")?;
        let plan = Plan::read(args.whom.vendor.file.as_deref())?;
        let (mut credentials, mut entries) = (Credentials::default(), Vec::new());
        for planned in &plan.upstreams {
            entries.push(self.entry(planned, &mut credentials, before)?);
        }
        let tokens = entries.iter().map(|entry| (entry.name.clone(), entry.upstream.tokens())).collect();
        let health = self.health(Tokens::Each(tokens));
        let own = plan.upstreams.iter().filter_map(|planned| planned.route.host()?.parse::<Authority>().ok());
        let guard = Guard::new(args).and(plan.hosts.into_iter().chain(own), plan.origins, plan.cross_site);
        let keys = self.keys()?.and(Keys::read(&plan.keys, "proxy.keys")?);
        Ok((self.site_of(guard, keys, health, Table::new(entries)), credentials))
    }

    fn site_of(&self, guard: Guard, keys: Keys, health: Health, table: Table) -> Site {
        let (metrics_path, metrics) = (self.args.metrics_path.clone(), Arc::clone(&self.metrics));
        Site { guard, keys, health, metrics_path, metrics, upgrades: Arc::clone(&self.upgrades), table }
    }

    /// As they are now, but for standard input, which is read once.
    fn keys(&self) -> Result<Keys, Mistake> {
        match self.args.allow_key.contains(&Secret::Stdin) {
            true => Ok(self.keys.clone()),
            false => Keys::read(&self.args.allow_key, KEY),
        }
    }

    fn counts(&self, name: &str) -> Arc<Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counts.entry(name.to_owned()).or_default())
    }

    fn entry(
        &self,
        planned: &Planned,
        credentials: &mut Credentials,
        before: &Credentials,
    ) -> Result<Entry, Mistake> {
        let args = &self.args;
        let whom = Whom::named(
            &planned.credential,
            args.whom.vendor.file.as_deref(),
            &args.whom.store,
            &args.whom.trust,
        )?;
        let known = credentials.vendor(&whom, before)?;
        let mut settings = self.settings();
        planned.route.path().clone_into(&mut settings.prefix);
        settings.timeout = planned.timeout.unwrap_or(settings.timeout);
        settings.replay_limit = planned.replay_limit.unwrap_or(settings.replay_limit);
        settings.forward_credentials |= planned.forward_credentials;
        settings.forward_cookies |= planned.forward_cookies;
        let upstream = Upstream::new(settings, Arc::clone(&known.vendor), &known.client)?;
        let keys =
            planned.keys.as_deref().map(|keys| Keys::read(keys, "proxy.upstreams.keys")).transpose()?;
        let counts = self.counts(&planned.name);
        Ok(Entry { name: planned.name.clone(), route: planned.route.clone(), keys, upstream, counts })
    }

    fn settings(&self) -> Settings {
        let args = &self.args;
        Settings {
            prefix: String::new(),
            replay_limit: args.replay_limit,
            timeout: args.timeout,
            stall_timeout: args.limits.stall_timeout,
            kept: args.limits.max_connections as usize,
            forward_credentials: args.forward_credentials,
            forward_cookies: args.forward_cookies,
            verbose: args.verbose,
        }
    }

    fn health(&self, tokens: Tokens) -> Health {
        Health::new(self.args.health_path.clone(), self.args.live_path.clone(), tokens)
    }
}
