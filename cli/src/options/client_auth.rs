//! [`ClientAuthOptions`]: how a client of OAuth 2.0 authenticates. What comes of them is for `crate::client` to say.

use std::fmt;

use clap::{Args, ValueEnum};
use tower_reauth::oauth2::JwtAlgorithm;

use super::{quiet::Quiet, secret::Secret};

/// How a client authenticates at its token endpoint. Each goes by its name in RFC 7591 and RFC 8705 as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientAuth {
    /// By HTTP Basic with --client-secret (client_secret_basic)
    #[default]
    #[value(alias = "client_secret_basic")]
    Basic,
    /// By --client-secret in the request's body (client_secret_post)
    #[value(alias = "client_secret_post")]
    Body,
    /// Not at all: a public client, which only says its id (none)
    None,
    /// By a JWT that is signed with --jwt-key, by --jwt-algorithm (private_key_jwt)
    #[value(alias = "private_key_jwt")]
    PrivateKeyJwt,
    /// By a JWT that is signed with --client-secret, which isn't sent itself (client_secret_jwt)
    #[value(alias = "client_secret_jwt")]
    ClientSecretJwt,
    /// By the certificate of --client-cert (tls_client_auth, self_signed_tls_client_auth)
    #[value(aliases = ["tls_client_auth", "self_signed_tls_client_auth"])]
    Tls,
}

impl fmt::Display for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic => "basic",
            Self::Body => "body",
            Self::None => "none",
            Self::PrivateKeyJwt => "private-key-jwt",
            Self::ClientSecretJwt => "client-secret-jwt",
            Self::Tls => "tls",
        })
    }
}

/// How a client of OAuth 2.0 authenticates.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "OAuth 2.0 clients")]
pub(crate) struct ClientAuthOptions {
    /// How the client authenticates at the token endpoint. By default basic
    #[arg(long, value_enum, value_name = "METHOD")]
    pub(crate) client_auth: Option<ClientAuth>,

    /// The private key that signs the JWTs of private-key-jwt, as PEM. A file is read again for each of them
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(crate) jwt_key: Option<Secret>,

    /// What signs them: RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA; for client-secret-jwt HS256, which is the
    /// default, HS384 or HS512
    #[arg(long, value_name = "NAME", value_parser = Quiet(algorithm))]
    pub(crate) jwt_algorithm: Option<JwtAlgorithm>,

    /// The id by which the server knows the key of a JWT: kid in its header. By default there is none
    #[arg(long, value_name = "ID")]
    pub(crate) jwt_key_id: Option<String>,

    /// For whom a JWT is: its aud, often the server's issuer. By default the token endpoint
    #[arg(long, value_name = "URL")]
    pub(crate) jwt_audience: Option<String>,
}

fn algorithm(name: &str) -> Result<JwtAlgorithm, String> {
    name.parse().map_err(|error: tower_reauth::ConfigError| error.to_string())
}
