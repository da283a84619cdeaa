//! [`Veil`]: which bytes of a text are hidden.

use std::ops::Range;

/// What a secret is replaced with.
pub(super) const MARK: &str = "[redacted]";

/// Hides stretches of a text, however many there are and however they overlap, in time that grows with their number
/// alone.
pub(super) struct Veil {
    begins: Vec<bool>,
    /// How many more stretches go over from the byte before to this one than over the border before that.
    goes_on: Vec<i64>,
}

impl Veil {
    /// Over a text of `len` bytes, of which none is hidden.
    pub(super) fn over(len: usize) -> Self {
        Self { begins: vec![false; len], goes_on: vec![0; len + 1] }
    }

    /// `stretch` is not empty.
    pub(super) fn hide(&mut self, stretch: Range<usize>) {
        self.begins[stretch.start] = true;
        self.goes_on[stretch.start + 1] += 1;
        self.goes_on[stretch.end] -= 1;
    }

    /// What is hidden, in order. Stretches that overlap are one, and those that only touch are not.
    pub(super) fn stretches(&self) -> impl Iterator<Item = Range<usize>> {
        let (mut at, mut open) = (0, 0);
        std::iter::from_fn(move || {
            let start = at + self.begins[at..].iter().position(|&begins| begins)?;
            at = start + 1;
            // Nothing goes over the borders that were passed.
            open += self.goes_on[at];
            while open > 0 {
                at += 1;
                open += self.goes_on[at];
            }
            Some(start..at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_overlap_are_one_and_those_that_touch_are_not() {
        let mut veil = Veil::over(20);
        for stretch in [5..7, 1..3, 2..4, 4..5, 1..3, 10..15, 11..12, 14..16, 19..20] {
            veil.hide(stretch);
        }
        let stretches: Vec<_> = veil.stretches().collect();
        assert_eq!(stretches, [1..4, 4..5, 5..7, 10..16, 19..20]);
        assert_eq!(Veil::over(0).stretches().count(), 0);
    }
}
