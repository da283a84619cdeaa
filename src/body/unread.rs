//! [`Unread`]: why a body was not looked at.

/// Why a body that a rule wanted to see was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unread {
    /// It has a content coding. Put decompression beneath this layer.
    Encoded,
    /// It is longer than the byte cap, or comes in more than 1024 frames.
    TooLong,
    /// It took longer than the time cap.
    TooSlow,
    /// It broke off.
    BrokenOff,
}
