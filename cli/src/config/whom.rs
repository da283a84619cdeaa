//! [`Whom`]: whom to call, and as whom, by the command line alone or by a credential of the file.

use std::path::Path;

use ring::digest::{Context, SHA256};
use tower_reauth::{Client, RefreshPolicy, client::ClientBuilder};

use super::{
    credential::{Configured, word},
    file::File,
    words::of_keys,
};
use crate::{
    command::SecretCommand,
    mistake::Mistake,
    options::{ATTEMPT, StoreOptions, TrustOptions, VendorOptions, WhomOptions},
    registration::Registration,
    vendor::Vendor,
};

/// Whom to call, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Whom {
    pub(crate) store: StoreOptions,
    vendor: VendorOptions,
    trust: TrustOptions,
    /// Where the file has it, if it does.
    place: Option<String>,
}

impl Whom {
    /// What the options say. With `--as` they have nothing to say of the vendor; a store of theirs is taken instead of the
    /// file's, and so is each option about connections.
    pub(crate) fn new(options: &WhomOptions) -> Result<Self, Mistake> {
        let WhomOptions { mut vendor, store, trust } = options.clone();
        let (name, file) = (vendor.name.take(), vendor.file.take());
        let Some(name) = name else {
            if file.is_some() {
                return Err(Mistake::new("--file has credentials; say by --as which one"));
            }
            if vendor.vendor.is_none() && vendor.config.is_none() {
                return Err(Mistake::new(
                    "say whose token it is: by --as and the name of a credential of the configuration file, by --vendor, or \
                     by --config",
                ));
            }
            return Ok(Self { vendor, store, trust, place: None });
        };
        vendor.refuse_rest(&format!("--as {name}, which has all of it in the file"))?;
        Self::named(&name, file.as_deref(), &store, &trust)
    }

    /// A credential of the file.
    pub(crate) fn named(
        name: &str,
        file: Option<&Path>,
        store: &StoreOptions,
        trust: &TrustOptions,
    ) -> Result<Self, Mistake> {
        let mut found = File::open(file)?.credential(name)?;
        if let (Some(login), Some(file)) = (&mut found.vendor.login, file) {
            login.command += &format!(" --file {}", word(&file.to_string_lossy()));
        }
        Self::of(found, store, trust)
    }

    /// All credentials of the file with their names, in the order of the alphabet.
    pub(crate) fn all(file: Option<&Path>) -> Result<Vec<(String, Self)>, Mistake> {
        let of =
            |(name, found)| Ok((name, Self::of(found, &StoreOptions::none(), &TrustOptions::default())?));
        File::open(file)?.credentials()?.into_iter().map(of).collect()
    }

    fn of(found: Configured, store: &StoreOptions, trust: &TrustOptions) -> Result<Self, Mistake> {
        let Configured { vendor, store: own, trust: rest, homeless, place } = found;
        let store = match (store.is_given(), homeless) {
            (true, _) => store.clone(),
            (false, Some(mistake)) => return Err(mistake),
            (false, None) => own,
        };
        Ok(Self { vendor, store, trust: trust.clone().or(rest), place: Some(place) })
    }

    /// What stands for all that is said of them, and for the files that are read once: whoever says the same has the same.
    /// Secrets are read by reference, each time that a token is asked for, so it doesn't change with them.
    pub(crate) fn print(&self) -> [u8; 32] {
        let Self { store, vendor, trust, place: _ } = self;
        let mut said = Context::new(&SHA256);
        said.update(format!("{store:?}\n{vendor:?}\n{trust:?}\n").as_bytes());
        for word in vendor.commands().flat_map(SecretCommand::words) {
            // Each as long as it is, so that no two lists are alike.
            said.update(format!("{}\n{word}", word.len()).as_bytes());
        }
        for path in
            [&vendor.config, &trust.root_cert, &trust.client_cert, &trust.client_key].into_iter().flatten()
        {
            said.update(&std::fs::read(path).unwrap_or_default());
        }
        let mut print = [0; 32];
        print.copy_from_slice(said.finish().as_ref());
        print
    }

    /// The options that read standard input.
    pub(crate) fn that_read_stdin(&self) -> Vec<&'static str> {
        let mut readers = self.vendor.that_read_stdin();
        readers.extend(self.store.that_read_stdin());
        readers
    }

    /// The client at its server, if somebody logs in for it.
    pub(crate) fn registration(&self) -> Result<Option<Registration>, Mistake> {
        let mut options = self.vendor.clone();
        let Some(login) = options.login.take() else { return Ok(None) };
        self.placed(Registration::new(login, &mut options)).map(Some)
    }

    /// What sends requests.
    pub(crate) fn client(&self) -> Result<ClientBuilder, Mistake> {
        self.placed(self.vendor.check(&self.trust).and_then(|()| self.trust.client()))
    }

    /// The vendor, which remembers its token if that was asked for. Within a runtime, on which Redis is asked.
    pub(crate) fn vendor(&self, client: Client, policy: RefreshPolicy) -> Result<Vendor, Mistake> {
        let options = self.vendor.clone();
        let patience = options.longest_command();
        let policy = match patience.is_zero() {
            true => policy,
            // A command is waited for within an attempt.
            false => policy.attempt_timeout(ATTEMPT + patience).flight_deadline((ATTEMPT + patience) * 3),
        };
        let build = || {
            let mut vendor = Vendor::new(options, client)?;
            vendor.layer = self.store.remember(vendor.layer)?.policy(policy);
            Ok(vendor)
        };
        self.placed(build())
    }

    /// With the place in the file, if it is from there.
    fn placed<T>(&self, result: Result<T, Mistake>) -> Result<T, Mistake> {
        match &self.place {
            Some(place) => {
                result.map_err(|mistake| Mistake::new(format!("{place}{}", of_keys(&mistake.to_string()))))
            }
            None => result,
        }
    }
}
