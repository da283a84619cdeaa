//! A set of status codes: one bit for each code that can be written.

use http::StatusCode;

const FIRST: u16 = 100;
const WORDS: usize = 900_usize.div_ceil(64);

/// Status codes, in 120 bytes whatever their number, so that asking costs the same for one and for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statuses([u64; WORDS]);

impl Statuses {
    pub(super) const NONE: Self = Self([0; WORDS]);
    pub(super) const ALL: Self = Self([u64::MAX; WORDS]);

    #[inline]
    pub(super) fn contains(&self, status: StatusCode) -> bool {
        let (word, bit) = place(status);
        self.0[word] & bit != 0
    }

    pub(super) fn insert(&mut self, status: StatusCode) {
        let (word, bit) = place(status);
        self.0[word] |= bit;
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        self
    }
}

#[inline]
fn place(status: StatusCode) -> (usize, u64) {
    // http makes no code below 100 or above 999.
    let index = usize::from(status.as_u16() - FIRST);
    (index / 64, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_bit_of_its_own() {
        for code in 100..1000 {
            let mut set = Statuses::NONE;
            set.insert(StatusCode::from_u16(code).expect("valid"));
            let members =
                (100..1000).filter(|&other| set.contains(StatusCode::from_u16(other).expect("valid")));
            assert_eq!(members.collect::<Vec<_>>(), [code]);
            assert!(Statuses::ALL.contains(StatusCode::from_u16(code).expect("valid")));
        }
    }
}
