//! What the check has to say, and where.

use std::fmt;

/// What breaks a rule.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What breaks it.
    pub what: String,
    /// Where: a circle is in several places, and all else in one.
    pub places: Vec<Place>,
}

/// What must hold. The crate's documentation has them in full.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// All of the code was read and understood.
    Understood,
    /// No circles among files.
    NoCircles,
    /// Rooms import downwards.
    Downwards,
    /// Nothing is imported through the crate's root.
    NotThroughTheRoot,
    /// `mod.rs` and `lib.rs` declare and re-export only.
    DeclaresOnly,
    /// `src/` holds `lib.rs` and folders only.
    FoldersOnly,
}

/// A line of a file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The file, from the crate's root.
    pub file: String,
    /// The line, counted from 1, unless it's about the whole file.
    pub line: Option<usize>,
    /// What the line says.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)?;
        for Place { file, line, text } in &self.places {
            match line {
                Some(line) => write!(f, "\n  {file}:{line}: {text}")?,
                None => write!(f, "\n  {file}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Understood => "not understood",
            Self::NoCircles => "circle",
            Self::Downwards => "upwards",
            Self::NotThroughTheRoot => "through the root",
            Self::DeclaresOnly => "more than declared",
            Self::FoldersOnly => "beside lib.rs",
        })
    }
}
