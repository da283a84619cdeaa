//! [`Plan`]: what the configuration file says of the proxy, in `[proxy]`.

use std::{path::Path, time::Duration};

use http::uri::Authority;

use super::route::Route;
use crate::{
    config::{File, Item, Section, secret_of},
    mistake::Mistake,
    options::Secret,
};

/// Who may call, beside what the options say, and whom.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) hosts: Vec<Authority>,
    pub(crate) origins: Vec<String>,
    pub(crate) cross_site: bool,
    pub(crate) keys: Vec<Secret>,
    pub(crate) upstreams: Vec<Planned>,
}

/// An upstream.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) name: String,
    /// The credential's.
    pub(crate) credential: String,
    pub(crate) route: Route,
    pub(crate) keys: Option<Vec<Secret>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) replay_limit: Option<usize>,
    pub(crate) forward_credentials: bool,
    pub(crate) forward_cookies: bool,
}

impl Plan {
    /// Reads `[proxy]` of the file. Which credentials there are is for others to say.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Mistake> {
        File::open(path)?.read(|mut root| {
            for other in ["credentials", "store"] {
                root.take(other);
            }
            let proxy = root.take("proxy");
            let lacks =
                root.wrong("there is no [proxy]; write [[proxy.upstreams]] for each vendor that it calls");
            root.finish()?;
            Self::of(proxy.ok_or(lacks)?.section()?)
        })
    }

    fn of(mut section: Section<'_>) -> Result<Self, Mistake> {
        let hosts = texts(section.take("allow-hosts"), |item, text| match text.parse::<Authority>() {
            Ok(host) if !host.as_str().contains('@') => Ok(host),
            _ => Err(item.wrong("write a host, or host:port")),
        })?;
        let origins = texts(section.take("allow-origins"), |_, text| Ok(text.to_owned()))?;
        let cross_site = section.flag("allow-cross-site")?;
        let keys = section.take("keys").map(|keys| secrets(&keys)).transpose()?.unwrap_or_default();
        let list = section.take("upstreams").map(|item| item.list()).transpose()?.unwrap_or_default();
        if list.is_empty() {
            return Err(
                section.wrong("it has no upstream; write [[proxy.upstreams]] for each vendor that it calls")
            );
        }
        section.finish()?;
        let mut upstreams: Vec<Planned> = Vec::new();
        for item in &list {
            let planned = Planned::of(item.section()?)?;
            for other in &upstreams {
                if other.name == planned.name {
                    let why = format!(
                        "another upstream is called {:?}, too; give one of them another name",
                        other.name
                    );
                    return Err(item.wrong(&why));
                }
                if other.route == planned.route {
                    let why = format!(
                        "{:?} has the same requests, {}; give one a path or a host",
                        other.name, other.route
                    );
                    return Err(item.wrong(&why));
                }
            }
            upstreams.push(planned);
        }
        Ok(Self { hosts, origins, cross_site, keys, upstreams })
    }
}

impl Planned {
    fn of(mut section: Section<'_>) -> Result<Self, Mistake> {
        let Some(credential) = section.text("as")? else {
            return Err(section.wrong("it needs as = \"NAME\", the name of a credential"));
        };
        let name = match section.take("name") {
            Some(item) => named(&item, item.text()?)?,
            None => named(&section.take("as").expect("it was there"), &credential)?,
        };
        let mut route = Route::default();
        if let Some(host) = section.take("host") {
            route = route.at_host(host.text()?).map_err(|why| host.wrong(why))?;
        }
        if let Some(path) = section.take("path") {
            route = route.beneath(path.text()?).map_err(|why| path.wrong(why))?;
        }
        let planned = Self {
            name,
            credential,
            route,
            keys: section.take("keys").map(|keys| secrets(&keys)).transpose()?,
            timeout: section.take("timeout").map(|item| item.seconds()).transpose()?,
            replay_limit: section.take("replay-limit").map(|item| item.bytes()).transpose()?,
            forward_credentials: section.flag("forward-credentials")?,
            forward_cookies: section.flag("forward-cookies")?,
        };
        section.finish()?;
        Ok(planned)
    }
}

/// It is in the path of its health, and in metrics.
fn named(item: &Item<'_>, name: &str) -> Result<String, Mistake> {
    match name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        true => Ok(name.to_owned()),
        false => {
            Err(item
                .wrong("an upstream is called by letters of ASCII, digits, -, _ and .; write name = \"…\""))
        }
    }
}

fn secrets(item: &Item<'_>) -> Result<Vec<Secret>, Mistake> {
    let list = item.list()?;
    match list.is_empty() {
        true => Err(item.wrong("it is empty; write keys, or leave it out")),
        false => list.iter().map(secret_of).collect(),
    }
}

fn texts<T>(
    item: Option<Item<'_>>,
    read: impl Fn(&Item<'_>, &str) -> Result<T, Mistake>,
) -> Result<Vec<T>, Mistake> {
    let list = item.map(|item| item.list()).transpose()?.unwrap_or_default();
    list.iter().map(|item| read(item, item.text()?)).collect()
}
