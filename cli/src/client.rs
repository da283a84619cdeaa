//! [`Client`]: who the program is to a token endpoint of OAuth 2.0, and how it proves that.

use tower_reauth::{
    ConfigError, ConfigErrorKind,
    oauth2::{ClientAuthentication, JwtAlgorithm, JwtAssertion},
};

use crate::{
    mistake::Mistake,
    options::{ClientAuth, Secret, VendorOptions},
};

const SECRET: &str = "--client-secret";
const KEY: &str = "--jwt-key";

/// A client, and the option that its secret is from.
pub(crate) struct Client {
    pub(crate) authentication: ClientAuthentication,
    pub(crate) secret: Option<&'static str>,
}

impl Client {
    /// Takes what the way to authenticate needs out of the options, and refuses what belongs to another one.
    pub(crate) fn new(id: String, options: &mut VendorOptions) -> Result<Self, Mistake> {
        let way = options.client.client_auth.take();
        let (authentication, secret) = match way.unwrap_or_default() {
            ClientAuth::Basic => {
                let secret = secret(way, options)?.source(SECRET)?;
                (ClientAuthentication::secret_basic(id, secret), Some(SECRET))
            }
            ClientAuth::Body => {
                let secret = secret(way, options)?.source(SECRET)?;
                (ClientAuthentication::secret_post(id, secret), Some(SECRET))
            }
            ClientAuth::None => (ClientAuthentication::public(id), None),
            ClientAuth::PrivateKeyJwt => {
                let needs = |option| Mistake::new(format!("--client-auth private-key-jwt needs {option}"));
                let key = options.client.jwt_key.take().ok_or_else(|| needs(KEY))?;
                let algorithm = options.client.jwt_algorithm.take();
                let algorithm = algorithm.ok_or_else(|| needs("--jwt-algorithm, such as RS256 or ES256"))?;
                if is_shared(algorithm) {
                    return Err(Mistake::new(format!(
                        "--jwt-algorithm: {algorithm} signs with a secret that the server has too, and is for \
                         --client-auth client-secret-jwt; a private key signs by one such as RS256 or ES256"
                    )));
                }
                (signing(id, algorithm, &key, KEY, options)?, Some(KEY))
            }
            ClientAuth::ClientSecretJwt => {
                let secret = secret(way, options)?;
                let algorithm = options.client.jwt_algorithm.take().unwrap_or(JwtAlgorithm::Hs256);
                if !is_shared(algorithm) {
                    return Err(Mistake::new(format!(
                        "--jwt-algorithm: {algorithm} signs with a private key, and is for --client-auth \
                         private-key-jwt; --client-secret signs by HS256, HS384 or HS512"
                    )));
                }
                (signing(id, algorithm, &secret, SECRET, options)?, Some(SECRET))
            }
            ClientAuth::Tls => (ClientAuthentication::tls(id), None),
        };
        refuse_rest(way.unwrap_or_default(), options)?;
        Ok(Self { authentication, secret })
    }

    /// What is wrong with the configuration, with the option that the client's secret is from, or that has the server's URL, if
    /// it is about that.
    pub(crate) fn mistake(secret: Option<&str>, url: &str, error: ConfigError) -> Mistake {
        match secret.filter(|_| error.kind() == ConfigErrorKind::Secret) {
            Some(option) => Mistake::new(format!("{option}: {}", Mistake::from(error))),
            None => Mistake::of_url(url, error),
        }
    }
}

fn secret(way: Option<ClientAuth>, options: &mut VendorOptions) -> Result<Secret, Mistake> {
    options.client_secret.take().ok_or_else(|| match way {
        Some(way) => Mistake::new(format!("--client-auth {way} needs {SECRET}")),
        None => Mistake::new(format!(
            "OAuth 2.0 client credentials needs {SECRET}, or another --client-auth than basic"
        )),
    })
}

/// A client that signs JWTs.
fn signing(
    id: String,
    algorithm: JwtAlgorithm,
    key: &Secret,
    option: &str,
    options: &mut VendorOptions,
) -> Result<ClientAuthentication, Mistake> {
    let mut jwt = JwtAssertion::reading(algorithm, key.source(option)?, id.clone());
    if let Some(key_id) = options.client.jwt_key_id.take() {
        jwt = jwt.header("kid", key_id);
    }
    if let Some(audience) = options.client.jwt_audience.take() {
        jwt = jwt.audience(audience);
    }
    Ok(ClientAuthentication::assertion(id, jwt))
}

fn is_shared(algorithm: JwtAlgorithm) -> bool {
    matches!(algorithm, JwtAlgorithm::Hs256 | JwtAlgorithm::Hs384 | JwtAlgorithm::Hs512)
}

/// An error if there is an option that another way to authenticate has.
fn refuse_rest(way: ClientAuth, options: &VendorOptions) -> Result<(), Mistake> {
    let by_jwt = "private-key-jwt or client-secret-jwt";
    let client = &options.client;
    let rest = [
        (SECRET, options.client_secret.is_some(), "basic, body or client-secret-jwt"),
        (KEY, client.jwt_key.is_some(), "private-key-jwt"),
        ("--jwt-algorithm", client.jwt_algorithm.is_some(), by_jwt),
        ("--jwt-key-id", client.jwt_key_id.is_some(), by_jwt),
        ("--jwt-audience", client.jwt_audience.is_some(), by_jwt),
    ];
    match rest.into_iter().find(|(_, given, _)| *given) {
        Some((option, _, ways)) => Err(Mistake::new(format!(
            "{option} means nothing to --client-auth {way}; leave it out, or say --client-auth {ways}"
        ))),
        None => Ok(()),
    }
}
