//! [`Vendor`]: what the options come to. One origin, and the layer that authenticates calls to it.

use std::{fmt, path::Path};

use http::{HeaderName, Uri, header::COOKIE, uri};
use tower_reauth::{
    ApiVideo, AuthLayer, Client, ConfigErrorKind, Credential, Declaration, Origin, Parts, Placement,
    SecretSource, Signatures, Transport, Vervoe, Videsk, Vidizmo,
    oauth2::{AuthorizationServer, ClientCredentials, RefreshToken},
};

use crate::{
    client,
    logged_in::LoggedIn,
    mistake::Mistake,
    options::{HOW, Kind, Secret, VendorOptions},
    registration::Registration,
};

/// A vendor that can be called.
pub(crate) struct Vendor {
    /// Puts the token on requests to the origin.
    pub(crate) layer: AuthLayer,
    /// The header in which the token goes, if it has one for itself.
    pub(crate) header: Option<HeaderName>,
    /// The scheme before it there.
    pub(crate) scheme: Option<String>,
    /// The command that has somebody log in, if that is needed.
    pub(crate) login: Option<String>,
    /// All that gets the token.
    origin: Origin,
    /// The first of it, which paths are at.
    own: Origin,
    base: Base,
}

impl Vendor {
    /// Reads the secrets, and checks everything that can be checked without asking the vendor.
    pub(crate) fn new(mut options: VendorOptions, client: Client) -> Result<Self, Mistake> {
        let (vendor, name) = match (options.vendor.take(), options.config.take()) {
            (Some(kind), None) => (kind.vendor(&mut options, client.into())?, kind.name().to_owned()),
            (None, Some(path)) => {
                let declaration = declaration(&path)?;
                let name = declaration.name().to_owned();
                (declared(declaration, &mut options, client.into())?, name)
            }
            _ => return Err(Mistake::new("give either --vendor or --config")),
        };
        options.refuse_rest(&name)?;
        Ok(vendor)
    }

    fn of<C: Credential>(parts: Parts<C>) -> Result<Self, Mistake> {
        let (origin, placement) = (parts.origin.clone(), parts.placement.clone());
        Self::with(parts.into_layer(), &placement, origin)
    }

    fn with(layer: AuthLayer, placement: &Placement, origin: Origin) -> Result<Self, Mistake> {
        let base = Base::new(&origin)?;
        let header = placement.header().filter(|header| **header != COOKIE).cloned();
        let scheme = placement.scheme().map(str::to_owned);
        // The others aren't shown.
        let own = Origin::parse_allowing_plaintext_tokens(&origin.to_string())?;
        Ok(Self { layer, header, scheme, login: None, origin, own, base })
    }

    /// The URL of a path at this vendor, whose bytes are kept as they are, and come after the origin's own path. Nothing
    /// in it can lead elsewhere.
    pub(crate) fn url(&self, path: uri::PathAndQuery) -> Result<Uri, Astray> {
        match &*self.base.path {
            "" => self.base.url(path),
            own => {
                let url = self.base.url(format!("{own}{path}"))?;
                if path.as_str().starts_with('/') && self.own.covers(&url) {
                    Ok(url)
                } else {
                    Err(Astray::Out(own.to_owned()))
                }
            }
        }
    }

    /// A whole URL, if it is at this vendor.
    pub(crate) fn own_url(&self, url: &str) -> Option<Result<Uri, Astray>> {
        match self.whole_path_of(url) {
            Some(path) => Some(self.base.url(path)),
            None => self.other_url(url).map(Ok),
        }
    }

    /// A whole URL at another host that gets the token, such as one for uploads.
    fn other_url(&self, url: &str) -> Option<Uri> {
        let parsed: Uri = url.parse().ok()?;
        let has_user = parsed.authority().is_some_and(|authority| authority.as_str().contains('@'));
        (!has_user && self.origin.covers(&parsed)).then_some(parsed)
    }

    /// Path and query of a URL at this vendor, and its fragment if there is one: what [`url`](Self::url) makes a URL of.
    /// A URL may be without scheme and host, if it has a path.
    pub(crate) fn path_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let is_path = url.starts_with('/') && !url[1..].starts_with(['/', '\\']);
        let path = match is_path {
            true => self.own.covers(&self.base.url(url).ok()?).then_some(url),
            false => self.whole_path_of(url),
        };
        match path?.strip_prefix(&*self.base.path)? {
            "" => Some("/"),
            path => path.starts_with('/').then_some(path),
        }
    }

    /// The same with the origin's own path.
    fn whole_path_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let parsed: Uri = url.parse().ok()?;
        if !self.own.covers(&parsed) {
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

    /// The URL of a path that a redirect leads to, if the vendor has a path of its own: to a client, which knows nothing of
    /// that, it would lead elsewhere.
    pub(crate) fn whole_url(&self, path: &str) -> Option<String> {
        let is_path = path.starts_with('/') && !path[1..].starts_with(['/', '\\']);
        (is_path && !self.base.path.is_empty()).then(|| format!("{}{path}", self.base.server()))
    }

    /// `https://host`, with a port if it is not the usual one, and the origin's own path.
    pub(crate) fn base_url(&self) -> String {
        format!("{}{}", self.base.server(), self.base.path)
    }
}

/// Why there is no URL for a path.
#[derive(Debug)]
pub(crate) enum Astray {
    /// None can have it.
    Malformed(http::Error),
    /// To some server it would lead out of the vendor's own path.
    Out(String),
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Out(own) => write!(
                f,
                "it may lead out of {own}, and the token is for nothing else; leave out . and .. between slashes, in \
                 whatever encoding"
            ),
        }
    }
}

impl std::error::Error for Astray {}

/// What all URLs at a vendor begin with.
struct Base {
    scheme: uri::Scheme,
    authority: uri::Authority,
    /// Without a slash at its end, and usually empty.
    path: Box<str>,
}

impl Base {
    fn new(origin: &Origin) -> Result<Self, Mistake> {
        let text = origin.to_string();
        let wrong = || Mistake::new(format!("{text} is no origin"));
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let path = uri.path().trim_end_matches('/').into();
        let uri::Parts { scheme: Some(scheme), authority: Some(authority), .. } = uri.into_parts() else {
            return Err(wrong());
        };
        let usual = if scheme == uri::Scheme::HTTPS { 443 } else { 80 };
        let authority = match authority.port_u16() {
            Some(port) if port == usual => authority.host().parse().map_err(|_| wrong())?,
            _ => authority,
        };
        Ok(Self { scheme, authority, path })
    }

    fn server(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    fn url<P>(&self, path: P) -> Result<Uri, Astray>
    where
        P: TryInto<uri::PathAndQuery, Error: Into<http::Error>>,
    {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path.try_into().map_err(|error| Astray::Malformed(error.into()))?);
        Uri::from_parts(parts).map_err(|error| Astray::Malformed(error.into()))
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
            Self::Catalogue(name) => name,
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
                let api_video = plain(api_video, options, ApiVideo::allow_plaintext_secrets);
                Vendor::of(api_video.declaration().parts(transport)?)
            }
            Self::Videsk => {
                let videsk = Videsk::new(self.secret("--key", &mut options.key)?);
                let videsk = if std::mem::take(&mut options.exports) { videsk.exports() } else { videsk };
                let videsk = at(videsk, options.base_url.take(), Videsk::base_url);
                Vendor::of(plain(videsk, options, Videsk::allow_plaintext_secrets).parts()?)
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
                let vidizmo = plain(vidizmo, options, Vidizmo::allow_plaintext_secrets);
                Vendor::of(vidizmo.declaration().parts(transport)?)
            }
            Self::Vervoe => {
                let key = self.secret("--key", &mut options.key)?;
                let vervoe = Vervoe::new(key, self.secret("--secret", &mut options.secret)?);
                let vervoe = at(vervoe, options.base_url.take(), Vervoe::base_url);
                let vervoe = plain(vervoe, options, Vervoe::allow_plaintext_secrets);
                Vendor::of(vervoe.declaration().parts(transport)?)
            }
            Self::Oauth2 if options.login.is_some() => logged_in(self, options, transport),
            Self::Oauth2 => {
                let base_url = self.need("--base-url", options.base_url.take())?;
                let token_url = self.need("--token-url", options.token_url.take())?;
                let id = self.need("--client-id", options.client_id.take())?;
                let client::Client { authentication, secret } = client::Client::new(id, options)?;
                let allowed = options.allow_plaintext_secrets;
                let server = AuthorizationServer::new(token_url);
                let server = plain(server, options, AuthorizationServer::allow_plaintext_secrets);
                let credentials = ClientCredentials::new(server, authentication);
                let credentials = at(credentials, options.scope.take(), ClientCredentials::scope);
                let origin = origin(&base_url, allowed)?;
                let credential = credentials.build(transport);
                let credential =
                    credential.map_err(|error| client::Client::mistake(secret, "--token-url", error))?;
                let layer = AuthLayer::new(origin.clone(), credential);
                Vendor::with(layer.signatures(Signatures::oauth2()), &Placement::default(), origin)
            }
            Self::Catalogue(name) => declared(Declaration::named(name)?, options, transport),
        }
    }

    fn need<T>(self, option: &str, value: Option<T>) -> Result<T, Mistake> {
        value.ok_or_else(|| Mistake::new(format!("{} needs {option}", self.name())))
    }

    fn secret(self, option: &str, secret: &mut Option<Secret>) -> Result<SecretSource, Mistake> {
        self.need(option, secret.take())?.source(option)
    }
}

/// Whose the token is, in plain text too if that is allowed.
fn origin(base_url: &str, in_plain_text: bool) -> Result<Origin, Mistake> {
    let origin = match in_plain_text {
        true => Origin::parse_allowing_plaintext_tokens(base_url),
        false => Origin::parse(base_url),
    };
    origin.map_err(|error| Mistake::of_url("--base-url", error))
}

/// An API for which somebody logs in.
fn logged_in(kind: Kind, options: &mut VendorOptions, transport: Transport) -> Result<Vendor, Mistake> {
    let Some(login) = options.login.take() else { return Err(Mistake::new("there is no login")) };
    let base_url = kind.need("--base-url", options.base_url.take())?;
    let registration = Registration::new(login, options)?;
    let allowed = std::mem::take(&mut options.allow_plaintext_secrets);
    let origin = origin(&base_url, allowed)?;
    let nobody = SecretSource::from_fn(|| async { Err("nobody is logged in".into()) });
    let (server, client) = (registration.server.clone(), registration.authentication.clone());
    let credential = RefreshToken::new(server, client, nobody).build(transport);
    let credential = credential.map_err(|error| registration.mistake(error))?;
    let command = registration.login.command;
    let layer = AuthLayer::new(origin.clone(), LoggedIn::new(credential, command.clone()));
    let vendor = Vendor::with(layer.signatures(Signatures::oauth2()), &Placement::default(), origin)?;
    Ok(Vendor { login: Some(command), ..vendor })
}

/// A vendor as a declaration has it, with its inputs filled.
fn declared(
    mut declaration: Declaration,
    options: &mut VendorOptions,
    transport: Transport,
) -> Result<Vendor, Mistake> {
    let inputs = std::mem::take(&mut options.set);
    for (index, input) in inputs.iter().enumerate() {
        if inputs[..index].iter().any(|other| other.name == input.name) {
            return Err(Mistake::new(format!("--set {} is given twice", input.name)));
        }
        declaration = declaration.input(&*input.name, input.source()?);
    }
    let declaration = at(declaration, options.base_url.take(), Declaration::base_url);
    let declaration = plain(declaration, options, Declaration::allow_plaintext_secrets);
    Vendor::of(declaration.parts(transport).map_err(|error| match error.kind() {
        ConfigErrorKind::Input => {
            Mistake::new(error.to_string().replace("Declaration::input", &format!("--set {HOW}")))
        }
        _ => error.into(),
    })?)
}

/// Lets secrets travel in plain text, if that was asked for.
fn plain<T>(builder: T, options: &mut VendorOptions, allow: impl FnOnce(T) -> T) -> T {
    match std::mem::take(&mut options.allow_plaintext_secrets) {
        true => allow(builder),
        false => builder,
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
