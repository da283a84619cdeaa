//! [`Edges`]: where in a stream of WebSocket's a frame ends, so that a close frame can be put there.

/// "Going away", by a server, which masks nothing (RFC 6455 §5.5.1, §7.4.1).
pub(super) const GOING_AWAY: [u8; 4] = [0x88, 0x02, 0x03, 0xe9];

/// The longest beginning of a frame (RFC 6455 §5.2).
const LONGEST: usize = 14;

/// Follows frames through the pieces in which they come, without looking into them.
#[derive(Default)]
pub(super) struct Edges {
    head: [u8; LONGEST],
    known: usize,
    /// So much of the payload has still to come.
    payload: u64,
}

impl Edges {
    /// Whether a frame could begin now.
    pub(super) fn at_edge(&self) -> bool {
        self.known == 0 && self.payload == 0
    }

    /// Goes on to the end of the frame, and says how many of these bytes belong to it: all, if it doesn't end among them.
    pub(super) fn next(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while self.payload == 0 && used < bytes.len() {
            self.head[self.known] = bytes[used];
            (self.known, used) = (self.known + 1, used + 1);
            if let Some(length) = self.length() {
                (self.known, self.payload) = (0, length);
                if length == 0 {
                    return used;
                }
            }
        }
        let rest = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len() - used);
        self.payload -= rest as u64;
        used + rest
    }

    /// How long the payload is, if all is known that comes before it.
    fn length(&self) -> Option<u64> {
        let second = *self.head[..self.known].get(1)?;
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let (bytes, short) = match second & 0x7f {
            126 => (2, 0),
            127 => (8, 0),
            short => (0, u64::from(short)),
        };
        let number = self.head[..self.known].get(2..2 + bytes + mask)?;
        Some(number[..bytes].iter().fold(short, |length, byte| length << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where frames end in `stream`, fed in pieces of this size.
    fn edges(stream: &[u8], piece: usize) -> Vec<usize> {
        let (mut edges, mut at, mut found) = (Edges::default(), 0, Vec::new());
        for mut bytes in stream.chunks(piece) {
            while !bytes.is_empty() {
                let used = edges.next(bytes);
                assert!(used > 0);
                (at, bytes) = (at + used, &bytes[used..]);
                if edges.at_edge() {
                    found.push(at);
                }
            }
        }
        found
    }

    #[test]
    fn frames_end_where_they_end_however_they_come() {
        let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        let longer = [&[0x02, 127, 0, 0, 0, 0, 0, 1, 0, 1][..], &[0x88; 65537]].concat();
        let masked = [&[0x81, 0x83, 1, 2, 3, 4][..], b"abc"].concat();
        let frames = [
            &[0x81, 0x00][..],
            b"\x81\x02hi",
            &long,
            &masked,
            &[0x89, 0x80, 1, 2, 3, 4],
            &longer,
            b"\x8a\x00",
        ];
        let mut at = 0;
        let expected: Vec<_> = frames
            .iter()
            .map(|frame| {
                at += frame.len();
                at
            })
            .collect();
        for piece in [1, 2, 3, 7, 1000, 1 << 20] {
            assert_eq!(edges(&frames.concat(), piece), expected, "{piece}");
        }
    }
}
