//! [`Entry`]: one file of the catalogue.

use toml::{Table, Value};

/// An entry that has been checked.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its file's name, by which programs ask for it.
    pub name: String,
    /// What is compiled in.
    pub declared: Table,
    pub about: About,
    /// What its recording says of a token's life: seconds, and how an answer says it.
    pub lifetime: (Option<u64>, String),
    /// Whether its recording's refresh token is good once.
    pub is_single_use: bool,
}

/// What an entry says of itself.
#[derive(Clone, Debug)]
pub struct About {
    pub grant: String,
    /// URLs, and the days on which they were written, or read where they don't say.
    pub pages: Vec<(String, String)>,
    /// Where each case is known from, in the order of [`CASES`].
    pub cases: Vec<Provenance>,
}

/// Where something is known from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    Documented,
    Seen(String),
    Absent,
    None,
}

pub const CASES: [&str; 5] = ["success", "refresh", "expiry", "refusal", "throttling"];

impl About {
    /// Reads the table `about`. An error has the key before it.
    pub fn read(value: Value) -> Result<Self, String> {
        let Value::Table(mut table) = value else { return Err("about: expected a table".into()) };
        let text = |table: &mut Table, key: &str| match table.remove(key) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(format!("about.{key}: expected text")),
            None => Err(format!("about.{key}: it is missing")),
        };
        let grant = text(&mut table, "grant")?;
        let Some(Value::Array(listed)) = table.remove("pages") else {
            return Err("about.pages: expected a list of urls, each with a day".into());
        };
        let mut pages = Vec::new();
        for (index, page) in listed.iter().enumerate() {
            let page = page.as_str().and_then(|page| page.split_once(' '));
            let Some((url, day)) = page.filter(|(url, day)| url.starts_with("https://") && is_day(day))
            else {
                return Err(format!("about.pages[{index}]: write https://… and a day, as in 2026-11-29"));
            };
            pages.push((url.to_owned(), day.to_owned()));
        }
        if pages.is_empty() {
            return Err("about.pages: an entry has to be documented somewhere".into());
        }
        let mut cases = Vec::new();
        for case in CASES {
            let known = text(&mut table, case)?;
            cases.push(match (&*known, known.split_once(' ')) {
                ("documented", _) => Provenance::Documented,
                ("absent", _) => Provenance::Absent,
                ("none", _) if case == "refresh" => Provenance::None,
                (_, Some(("seen", place))) if place.starts_with("https://") => {
                    Provenance::Seen(place.to_owned())
                }
                _ => {
                    let words = "write documented, absent, or seen and the https://… where it was seen";
                    return Err(format!("about.{case}: {words}"));
                }
            });
        }
        match table.keys().next() {
            Some(key) => Err(format!("about.{key}: there is no such key here")),
            None => Ok(Self { grant, pages, cases }),
        }
    }
}

fn is_day(text: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    matches!(text.split('-').collect::<Vec<_>>().as_slice(), [y, m, d] if digits(y, 4) && digits(m, 2) && digits(d, 2))
}
