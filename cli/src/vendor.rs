//! [`Vendor`]: what the options come to. One origin, and the layer that authenticates calls to it.

use std::path::Path;

use http::{HeaderName, Uri, uri};
use tower_reauth::{
    ApiVideo, AuthLayer, Client, Credential, Declaration, Origin, Parts, SecretSource, Transport, Vervoe,
    Videsk, Vidizmo,
    oauth2::{Client as OAuth2Client, ClientCredentials},
};

use crate::{
    mistake::Mistake,
    options::{Kind, Secret, VendorOptions},
};

/// A vendor that can be called.
pub(crate) struct Vendor {
    /// Puts the token on requests to the origin.
    pub(crate) layer: AuthLayer,
    /// The header in which the token goes.
    pub(crate) header: HeaderName,
    origin: Origin,
    /// Scheme and authority of the origin, as URLs have them.
    base: (uri::Scheme, uri::Authority),
}

impl Vendor {
    /// Reads the secrets, and checks everything that can be checked without asking the vendor.
    pub(crate) fn new(mut options: VendorOptions, client: Client) -> Result<Self, Mistake> {
        let (vendor, name) = match (options.vendor.take(), options.config.take()) {
            (Some(kind), None) => (kind.vendor(&mut options, client.into())?, kind.name().to_owned()),
            (None, Some(path)) => {
                let declaration = at(declaration(&path)?, options.base_url.take(), Declaration::base_url);
                let name = declaration.name().to_owned();
                (Self::of(declaration.parts(client)?)?, name)
            }
            _ => return Err(Mistake::new("give either --vendor or --config")),
        };
        options.refuse_rest(&name)?;
        Ok(vendor)
    }

    fn of<C: Credential>(parts: Parts<C>) -> Result<Self, Mistake> {
        let (origin, header) = (parts.origin.clone(), parts.placement.header().clone());
        let base = base(&origin)?;
        Ok(Self { layer: parts.into_layer(), header, origin, base })
    }

    /// The URL of a path at this vendor, whose bytes are kept as they are. Nothing in it can lead elsewhere.
    pub(crate) fn url(&self, path: uri::PathAndQuery) -> Result<Uri, http::Error> {
        let (scheme, authority) = self.base.clone();
        Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build()
    }

    /// Path and query of a URL, and its fragment if there is one, if it is at this vendor.
    pub(crate) fn path_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let parsed: Uri = url.parse().ok()?;
        if !self.origin.covers(&parsed) {
            return None;
        }
        let (_, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        match path {
            _ if authority.contains('@') => None,
            "" => Some("/"),
            path => path.starts_with('/').then_some(path),
        }
    }

    /// `https://host`, with a port if it is not the usual one.
    pub(crate) fn base_url(&self) -> String {
        format!("{}://{}", self.base.0, self.base.1)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::ApiVideo => "api.video",
            Self::Videsk => "Videsk",
            Self::Vidizmo => "VIDIZMO",
            Self::Vervoe => "Vervoe",
            Self::Oauth2 => "OAuth 2.0 client credentials",
        }
    }

    /// Takes what this vendor needs out of the options.
    fn vendor(self, options: &mut VendorOptions, transport: Transport) -> Result<Vendor, Mistake> {
        match self {
            Self::ApiVideo => {
                let key = self.secret("--key", &mut options.key)?;
                let api_video = match std::mem::take(&mut options.sandbox) {
                    true => ApiVideo::sandbox(key),
                    false => ApiVideo::production(key),
                };
                let api_video = at(api_video, options.base_url.take(), ApiVideo::base_url);
                Vendor::of(api_video.declaration().parts(transport)?)
            }
            Self::Videsk => {
                let videsk = Videsk::new(self.secret("--key", &mut options.key)?);
                let videsk = if std::mem::take(&mut options.exports) { videsk.exports() } else { videsk };
                Vendor::of(at(videsk, options.base_url.take(), Videsk::base_url).parts()?)
            }
            Self::Vidizmo => {
                let domain = self.need("--domain", options.domain.take())?;
                let email = self.need("--email", options.email.take())?;
                let vidizmo = match (options.password.take(), options.client_secret.take()) {
                    (Some(password), None) => {
                        Vidizmo::password(&domain, email, password.source("--password")?)
                    }
                    (None, Some(secret)) => {
                        Vidizmo::client_secret(&domain, email, secret.source("--client-secret")?)
                    }
                    _ => return Err(Mistake::new("VIDIZMO needs either --password or --client-secret")),
                };
                let vidizmo = at(vidizmo, options.base_url.take(), Vidizmo::base_url);
                Vendor::of(vidizmo.declaration().parts(transport)?)
            }
            Self::Vervoe => {
                let key = self.secret("--key", &mut options.key)?;
                let vervoe = Vervoe::new(key, self.secret("--secret", &mut options.secret)?);
                let vervoe = at(vervoe, options.base_url.take(), Vervoe::base_url);
                Vendor::of(vervoe.declaration().parts(transport)?)
            }
            Self::Oauth2 => {
                let base_url = self.need("--base-url", options.base_url.take())?;
                let token_url = self.need("--token-url", options.token_url.take())?;
                let id = self.need("--client-id", options.client_id.take())?;
                let secret = self.need("--client-secret", options.client_secret.take())?;
                let client = OAuth2Client::secret_basic(id, secret.source("--client-secret")?);
                let credentials = ClientCredentials::new(token_url, client);
                let credentials = at(credentials, options.scope.take(), ClientCredentials::scope);
                Vendor::of(credentials.parts(&base_url, transport)?)
            }
        }
    }

    fn need<T>(self, option: &str, value: Option<T>) -> Result<T, Mistake> {
        value.ok_or_else(|| Mistake::new(format!("{} needs {option}", self.name())))
    }

    fn secret(self, option: &str, secret: &mut Option<Secret>) -> Result<SecretSource, Mistake> {
        self.need(option, secret.take())?.source(option)
    }
}

/// Sets what was given.
fn at<T>(builder: T, given: Option<String>, set: impl FnOnce(T, String) -> T) -> T {
    match given {
        Some(given) => set(builder, given),
        None => builder,
    }
}

fn declaration(path: &Path) -> Result<Declaration, Mistake> {
    let wrong = |why: String| Mistake::new(format!("--config: {}{why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(format!(" can't be read: {error}")))?;
    toml::from_str(&text).map_err(|error| {
        // Without the line itself, in which somebody may have put a secret.
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        wrong(format!("{line}: {}", error.message()))
    })
}

fn base(origin: &Origin) -> Result<(uri::Scheme, uri::Authority), Mistake> {
    let text = origin.to_string();
    let usual = match text.split_once("://") {
        Some(("https", _)) => ":443",
        _ => ":80",
    };
    let url = text.strip_suffix(usual).unwrap_or(&text);
    let parts = url.parse::<Uri>().map(Uri::into_parts);
    match parts.map(|parts| (parts.scheme, parts.authority)) {
        Ok((Some(scheme), Some(authority))) => Ok((scheme, authority)),
        _ => Err(Mistake::new(format!("{text} is no origin"))),
    }
}
