//! How much of a pattern begins at each place of a text, in time that grows with their lengths and not with what they
//! hold (the Z algorithm).

/// Bytes by their place, so that they can be read backwards, or as others.
pub(super) struct Bytes<F> {
    pub(super) len: usize,
    pub(super) at: F,
}

/// Calls `found` with each place of `text` in turn, and how many bytes from there on are the pattern's first ones.
pub(super) fn overlaps(
    pattern: Bytes<impl Fn(usize) -> u8>,
    text: Bytes<impl Fn(usize) -> u8>,
    mut found: impl FnMut(usize, usize),
) {
    let mut own = vec![0; pattern.len];
    let mut known = Known::default();
    for place in 1..pattern.len {
        own[place] = known.overlap(&own, &pattern, &pattern, place);
    }
    known = Known::default();
    for place in 0..text.len {
        found(place, known.overlap(&own, &pattern, &text, place));
    }
}

/// The stretch of the text that reaches furthest of those that are a beginning of the pattern. What is inside it needs
/// no second look: each byte of the text is compared with success once.
#[derive(Default)]
struct Known {
    start: usize,
    end: usize,
}

impl Known {
    /// How much of the pattern begins at `place`. The places before it have been asked for, and `own` has the overlaps
    /// of the pattern with itself.
    fn overlap(
        &mut self,
        own: &[usize],
        pattern: &Bytes<impl Fn(usize) -> u8>,
        text: &Bytes<impl Fn(usize) -> u8>,
        place: usize,
    ) -> usize {
        let mut length = 0;
        if place < self.end {
            length = own[place - self.start].min(self.end - place);
            if place + length < self.end {
                return length;
            }
        }
        while length < pattern.len
            && place + length < text.len
            && (pattern.at)(length) == (text.at)(place + length)
        {
            length += 1;
        }
        if length > 0 {
            *self = Self { start: place, end: place + length };
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(bytes: &[u8]) -> Bytes<impl Fn(usize) -> u8> {
        Bytes { len: bytes.len(), at: |place| bytes[place] }
    }

    fn all(pattern: &[u8], text: &[u8]) -> Vec<usize> {
        let mut all = Vec::new();
        overlaps(bytes(pattern), bytes(text), |place, length| {
            assert_eq!(place, all.len(), "in order");
            all.push(length);
        });
        all
    }

    #[test]
    fn an_overlap_is_as_long_as_it_can_be() {
        assert_eq!(all(b"aab", b"aaab"), [2, 3, 1, 0]);
        assert_eq!(all(b"abab", b"ababab"), [4, 0, 4, 0, 2, 0]);
        assert_eq!(all(b"", b"ab"), [0, 0]);
        assert_eq!(all(b"ab", b""), [0_usize; 0]);
    }

    proptest! {
        #[test]
        fn overlaps_are_those_that_a_look_at_each_place_finds(pattern in "[ab]{0,9}", text in "[ab]{0,40}") {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            let same = |rest: &[u8]| rest.iter().zip(pattern).take_while(|(one, other)| one == other).count();
            let looked: Vec<usize> = (0..text.len()).map(|place| same(&text[place..])).collect();
            prop_assert_eq!(all(pattern, text), looked);
        }
    }

    #[test]
    fn a_long_run_of_one_letter_costs_no_more_than_its_length() {
        let compared = std::cell::Cell::new(0_usize);
        let pattern = Bytes { len: 1000, at: |_| b'a' };
        let text = Bytes {
            len: 10_000,
            at: |_| {
                compared.set(compared.get() + 1);
                b'a'
            },
        };
        overlaps(pattern, text, |_, _| ());
        assert!(compared.get() <= 20_000, "{}", compared.get());
    }
}
