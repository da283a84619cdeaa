//! Who reads standard input, which can be read only once.

use crate::mistake::Mistake;

/// An error if more than one option wants standard input.
pub(crate) fn one_reader(options: &[&str]) -> Result<(), Mistake> {
    match options {
        [_, _, ..] => {
            let list = options.join(" and ");
            Err(Mistake::new(format!(
                "{list} can't both read standard input; use env: or file: for a secret"
            )))
        }
        _ => Ok(()),
    }
}
