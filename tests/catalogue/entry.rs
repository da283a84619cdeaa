//! [`About`]: what an entry says of itself.

use std::{fs, path::Path};

use serde::Deserialize;

/// Where what is known comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Provenance {
    Documented,
    /// In a client's source or issue, which is named.
    Seen(String),
    Absent,
    /// There is no such thing.
    None,
}

impl Provenance {
    pub(crate) fn is_known(&self) -> bool {
        matches!(self, Self::Documented | Self::Seen(_))
    }
}

impl<'de> Deserialize<'de> for Provenance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.split_once(' ') {
            Some(("seen", place)) if place.starts_with("https://") => Self::Seen(place.to_owned()),
            None if text == "documented" => Self::Documented,
            None if text == "absent" => Self::Absent,
            None if text == "none" => Self::None,
            _ => return Err(serde::de::Error::custom(format!("{text:?} is no provenance"))),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    #[serde(rename = "grant")]
    pub(crate) _grant: String,
    pub(crate) pages: Vec<String>,
    pub(crate) success: Provenance,
    pub(crate) refresh: Provenance,
    pub(crate) expiry: Provenance,
    pub(crate) refusal: Provenance,
    pub(crate) throttling: Provenance,
    /// Whether the entry says that a renewal kills the token before it.
    #[serde(skip)]
    pub(crate) revokes: bool,
}

impl About {
    pub(crate) fn read(name: &str) -> Self {
        #[derive(Deserialize)]
        struct Entry {
            about: About,
            #[serde(default)]
            renewal: String,
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("catalogue/{name}.toml"));
        let text = fs::read_to_string(path).unwrap();
        let entry = toml::from_str::<Entry>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { revokes: entry.renewal == "revokes-previous", ..entry.about }
    }
}
