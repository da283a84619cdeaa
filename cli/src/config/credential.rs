//! [`Configured`]: a credential as the file has it. Its keys are called as the options are.

use clap::ValueEnum;

use super::{
    item::{Item, Section},
    path, secret,
};
use crate::{
    mistake::Mistake,
    options::{
        ClientAuth, ClientAuthOptions, Kind, LoginOptions, Secret, StoreOptions, TrustOptions, TrustedRoots,
        VendorOptions, Way,
    },
};

/// The key for what `--config` is on the command line.
pub(super) const DECLARATION: &str = "declaration";

/// A credential of the file.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub(crate) vendor: VendorOptions,
    pub(crate) store: StoreOptions,
    pub(crate) trust: TrustOptions,
    /// Why there is no place for its tokens, if somebody logs in for it and nothing says where they are to be.
    pub(super) homeless: Option<Mistake>,
    /// Where it is, for what turns out to be wrong with the whole.
    pub(super) place: String,
}

impl Configured {
    /// Reads what is in `item`. Where it says nothing of a store, the file's own is taken.
    pub(super) fn read(
        name: &str,
        item: &Item<'_>,
        default_store: Option<&Item<'_>>,
    ) -> Result<Self, Mistake> {
        let mut section = item.section()?;
        let (kind, declaration) = (section.take("vendor"), section.take(DECLARATION));
        let (vendor, config) = match (&kind, &declaration) {
            (Some(kind), None) => (Some(vendor(kind)?), None),
            (None, Some(path)) => (None, Some(path.path()?)),
            _ => {
                return Err(section
                    .wrong(&format!("it needs either vendor or {DECLARATION}, and has not one of them")));
            }
        };
        let set = section.take("set").map(|item| item.section()).transpose()?;
        let set = set.map(|set| set.entries()).unwrap_or_default();
        let set: Result<Vec<_>, _> = set.iter().map(|(name, item)| secret::input(name, item)).collect();
        let vendor = VendorOptions {
            name: None,
            file: None,
            vendor,
            config,
            set: set?,
            base_url: section.text("base-url")?,
            allow_plaintext_secrets: section.flag("allow-plaintext-secrets")?,
            sandbox: section.flag("sandbox")?,
            exports: section.flag("exports")?,
            domain: section.text("domain")?,
            email: section.text("email")?,
            key: secret(&mut section, "key")?,
            secret: secret(&mut section, "secret")?,
            password: secret(&mut section, "password")?,
            client_secret: secret(&mut section, "client-secret")?,
            token_url: section.text("token-url")?,
            client_id: section.text("client-id")?,
            scope: section.text("scope")?,
            client: client(&mut section)?,
            login: section.take("login").map(|item| login(name, &item)).transpose()?,
        };
        if let Some(login) = &vendor.login
            && vendor.vendor != Some(Kind::Oauth2)
        {
            let name = &login.name;
            return Err(
                section.wrong(&format!("only vendor = \"oauth2\" has a login; leave {name}.login out"))
            );
        }
        let own_store = section.take("store");
        let mut homeless = None;
        let store = match (store(own_store.as_ref(), default_store)?, &vendor.login) {
            (Some(store), None) => store,
            (Some(store), Some(login)) => store.of(&login.name),
            (None, None) => StoreOptions::none(),
            (None, Some(login)) => match path::usual_tokens() {
                Some(path) => {
                    let place = format!("file:{}", path.display());
                    let store = StoreOptions::at(&place, None, None, None, Vec::new());
                    store.map_err(|why| section.wrong(&why))?.of(&login.name)
                }
                // The others can do without.
                None => {
                    homeless = Some(section.wrong("HOME isn't set; say by store where tokens are to be"));
                    StoreOptions::none()
                }
            },
        };
        let trust = match section.take("connections") {
            Some(item) => trust(&item)?,
            None => TrustOptions::default(),
        };
        section.finish()?;
        let place = item.wrong("").to_string();
        debug_assert!(place.contains(name), "a place names its credential");
        Ok(Self { vendor, store, trust, homeless, place })
    }
}

fn secret(section: &mut Section<'_>, name: &'static str) -> Result<Option<Secret>, Mistake> {
    section.take(name).map(|item| secret::secret(&item)).transpose()
}

fn vendor(item: &Item<'_>) -> Result<Kind, Mistake> {
    Kind::named(item.text()?).map_err(|why| item.wrong(&why))
}

fn client(section: &mut Section<'_>) -> Result<ClientAuthOptions, Mistake> {
    let way = section.take("client-auth").map(|item| choice::<ClientAuth>(&item)).transpose()?;
    let jwt_key = secret(section, "jwt-key")?;
    let algorithm = section.take("jwt-algorithm");
    let algorithm = algorithm.map(|item| {
        let parsed = item.text()?.parse();
        parsed.map_err(|error: tower_reauth::ConfigError| item.wrong(&error.to_string()))
    });
    Ok(ClientAuthOptions {
        client_auth: way,
        jwt_key,
        jwt_algorithm: algorithm.transpose()?,
        jwt_key_id: section.text("jwt-key-id")?,
        jwt_audience: section.text("jwt-audience")?,
    })
}

fn login(name: &str, item: &Item<'_>) -> Result<LoginOptions, Mistake> {
    let mut section = item.section()?;
    let by = section.take("by").map(|item| choice::<Way>(&item)).transpose()?.unwrap_or_default();
    let port = section.take("port").map(|item| item.port()).transpose()?.unwrap_or_default();
    let params = section.take("params").map(|item| item.section()).transpose()?;
    let params = params.map(|section| section.entries()).unwrap_or_default();
    let params: Result<Vec<_>, Mistake> = params.iter().map(|(name, item)| param(name, item)).collect();
    let login = LoginOptions {
        name: name.to_owned(),
        command: format!("reauth login {}", word(name)),
        by,
        issuer: section.text("issuer")?,
        authorization_url: section.text("authorization-url")?,
        device_url: section.text("device-url")?,
        revocation_url: section.text("revocation-url")?,
        port,
        params: params?,
    };
    section.finish()?;
    Ok(login)
}

/// What the request that begins a login has by itself, and none may have twice (RFC 6749 §3.1).
const OWN_PARAMS: [&str; 7] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
];

fn param(name: &str, item: &Item<'_>) -> Result<(String, String), Mistake> {
    if OWN_PARAMS.contains(&name) {
        return Err(item.wrong("the program says it by itself; leave it out, and write a scope beside login"));
    }
    Ok((name.to_owned(), item.text()?.to_owned()))
}

/// As a shell takes it for one word.
pub(super) fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+@%:,".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// A credential's own store; or the file's, in which it may have a slot and a subject of its own.
fn store(own: Option<&Item<'_>>, files: Option<&Item<'_>>) -> Result<Option<StoreOptions>, Mistake> {
    let (own, files) = match (own, files) {
        (Some(own), Some(files)) => (own, files),
        (Some(own), None) => return whole_store(own).map(Some),
        (None, Some(files)) => return whole_store(files).map(|store| Some(store.for_all())),
        (None, None) => return Ok(None),
    };
    let mut section = own.section()?;
    if section.take("place").is_some() {
        return whole_store(own).map(Some);
    }
    let (slot, subject) = (section.text("slot")?, section.text("subject")?);
    if let Some(key) = section.take("key").or_else(|| section.take("old-keys")) {
        return Err(key.wrong("it goes with place; leave both out, as [store] has them, or write both"));
    }
    section.finish()?;
    whole_store(files).map(|store| Some(store.with(slot, subject)))
}

fn whole_store(item: &Item<'_>) -> Result<StoreOptions, Mistake> {
    let mut section = item.section()?;
    let Some(place) = section.take("place") else {
        return Err(section.wrong("it needs place, such as \"file:DIR\" or \"rediss://HOST\""));
    };
    let text = match place.text()?.split_once(':') {
        Some(("file", path)) if !path.is_empty() => format!("file:{}", place.resolve(path)?.display()),
        _ => place.text()?.to_owned(),
    };
    let slot = section.text("slot")?;
    let subject = section.text("subject")?;
    let key = section.take("key").map(|item| secret::sealing_key(&item)).transpose()?;
    let old_keys = match section.take("old-keys") {
        Some(item) => item.list()?.iter().map(secret::sealing_key).collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    if key.is_none() && !old_keys.is_empty() {
        return Err(section.wrong("old-keys are for what is sealed anew with key, which isn't there"));
    }
    section.finish()?;
    StoreOptions::at(&text, slot, subject, key, old_keys).map_err(|why| place.wrong(&why))
}

fn trust(item: &Item<'_>) -> Result<TrustOptions, Mistake> {
    let mut section = item.section()?;
    let roots = section.take("roots").map(|item| choice::<TrustedRoots>(&item)).transpose()?;
    let root_cert = section.take("root-cert").map(|item| item.path()).transpose()?;
    let client_cert = section.take("client-cert").map(|item| item.path()).transpose()?;
    let client_key = section.take("client-key").map(|item| item.path()).transpose()?;
    if client_cert.is_some() != client_key.is_some() {
        return Err(section.wrong("client-cert and client-key need each other"));
    }
    let (proxy, no_proxy) = (section.text("proxy")?, section.flag("no-proxy")?);
    if proxy.is_some() && no_proxy {
        return Err(section.wrong("leave out either proxy or no-proxy"));
    }
    let http2_prior_knowledge = section.flag("http2-prior-knowledge")?;
    section.finish()?;
    Ok(TrustOptions { roots, root_cert, client_cert, client_key, proxy, no_proxy, http2_prior_knowledge })
}

/// One of the values that the option has.
fn choice<T: ValueEnum>(item: &Item<'_>) -> Result<T, Mistake> {
    let values: Vec<_> = T::value_variants().iter().filter_map(T::to_possible_value).collect();
    let names: Vec<_> = values.iter().map(|value| value.get_name()).collect();
    item.choice(&names, |text| T::from_str(text, false).ok())
}
