//! [`Tape`]: a piece of a body in memory, frame by frame. It knows nothing of who records it, or plays it.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

/// The most frames that are recorded: empty ones count no bytes, but take room.
const MAX_FRAMES: usize = 1024;

/// The frames of a body that was recorded, to be played once.
#[derive(Default)]
pub(super) struct Tape {
    pieces: VecDeque<Piece>,
    /// Bytes recorded so far, those of trailers included.
    len: usize,
    /// The size that the body gave as its own, less what was played: a replay must be framed as the original was.
    hint: SizeHint,
}

/// A frame that can be sent more than once.
pub(super) enum Piece {
    Data(Bytes),
    Trailers(Box<HeaderMap>),
}

impl Tape {
    pub(super) fn new(hint: SizeHint) -> Self {
        Self { hint, ..Self::default() }
    }

    /// Records a frame, if it fits.
    pub(super) fn push(&mut self, piece: Piece, limit: usize) -> bool {
        let fits = self.has_room_for(piece.len() as u64, limit) && self.pieces.len() < MAX_FRAMES;
        if fits {
            self.len += piece.len();
            self.pieces.push_back(piece);
        }
        fits
    }

    /// Whether that many bytes would still fit.
    pub(super) fn has_room_for(&self, bytes: u64, limit: usize) -> bool {
        bytes <= (limit as u64).saturating_sub(self.len as u64)
    }

    /// Plays the next frame.
    pub(super) fn play(&mut self) -> Option<Frame<Bytes>> {
        match self.pieces.pop_front()? {
            Piece::Data(data) => {
                self.hint = less(self.hint, data.len() as u64);
                Some(Frame::data(data))
            }
            Piece::Trailers(trailers) => Some(Frame::trailers(*trailers)),
        }
    }

    pub(super) fn is_played(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn hint(&self) -> SizeHint {
        self.hint
    }
}

impl Piece {
    /// Shares the frame's data; copies its trailers.
    pub(super) fn of(frame: &Frame<Bytes>) -> Self {
        match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Self::Data(data.clone()),
            (None, trailers) => Self::Trailers(Box::new(trailers.cloned().unwrap_or_default())),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            Self::Trailers(trailers) => {
                trailers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
            }
        }
    }
}

/// The size of what is left when `played` bytes are gone.
fn less(hint: SizeHint, played: u64) -> SizeHint {
    let mut rest = SizeHint::new();
    rest.set_lower(hint.lower().saturating_sub(played));
    if let Some(upper) = hint.upper() {
        rest.set_upper(upper.saturating_sub(played));
    }
    rest
}
