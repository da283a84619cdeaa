//! [`Kind`] and [`VendorName`]: whom `--vendor` names, one of the program's own or an entry of the catalogue.

use std::ffi::OsStr;

use clap::{
    Arg, Command, ValueEnum,
    builder::{PossibleValue, TypedValueParser},
    error::ErrorKind,
};
use tower_reauth::{Declaration, catalogue};

/// The vendors that the library knows, those that its catalogue declares, and OAuth 2.0 for many others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// api.video: --key, and --sandbox for a key of the sandbox
    ApiVideo,
    /// Videsk: --key, and --exports for its export endpoints
    Videsk,
    /// VIDIZMO: --domain, --email, and --password or --client-secret
    Vidizmo,
    /// Vervoe: --key and --secret
    Vervoe,
    /// Any API with OAuth 2.0 client credentials: --base-url, --token-url, --client-id, and --client-secret, or
    /// what --client-auth wants instead
    Oauth2,
    /// An entry of the catalogue.
    #[value(skip)]
    Catalogue(&'static str),
}

/// Reads the name.
#[derive(Clone)]
pub(crate) struct VendorName;

impl VendorName {
    pub(crate) fn parser() -> impl TypedValueParser<Value = Kind> {
        Self
    }

    pub(crate) fn help() -> String {
        let own = own_names();
        let others = catalogue::names().filter(|name| !own.iter().any(|own| own == name));
        let others = others.collect::<Vec<_>>().join(", ");
        format!(
            "Whose API is called: one of these, or an entry of the catalogue with --set for each of its inputs, of {others}"
        )
    }
}

impl Kind {
    /// The one of this name, or what is to be said of it where there is none.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        if let Ok(kind) = Self::from_str(name, false) {
            return Ok(kind);
        }
        catalogue::names().find(|known| *known == name).map(Self::Catalogue).ok_or_else(|| {
            let hint = Declaration::named(name).err().map(|error| error.to_string()).unwrap_or_default();
            let own = own_names().join(", ");
            format!("{hint}\n  [possible values: {own}, and those of the catalogue, which --help lists]")
        })
    }

    /// What one of the program's own needs on the command line, if the catalogue has it too.
    pub(crate) fn usual_options(self) -> Option<&'static str> {
        match self {
            Self::ApiVideo => Some("--sandbox --key env:API_KEY"),
            Self::Videsk => Some("--key env:API_KEY"),
            Self::Vidizmo => Some("--domain YOUR.HOST --email YOUR@EMAIL --password env:PASSWORD"),
            Self::Vervoe => Some("--key env:API_KEY --secret env:SECRET_KEY"),
            Self::Oauth2 | Self::Catalogue(_) => None,
        }
    }
}

impl TypedValueParser for VendorName {
    type Value = Kind;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<Kind, clap::Error> {
        let name = value.to_str().unwrap_or_default();
        Kind::named(name).map_err(|why| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("--vendor: {why}\n")).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Kind::value_variants().iter().filter_map(Kind::to_possible_value)))
    }
}

fn own_names() -> Vec<String> {
    let values = Kind::value_variants().iter().filter_map(Kind::to_possible_value);
    values.map(|value| value.get_name().to_owned()).collect()
}
