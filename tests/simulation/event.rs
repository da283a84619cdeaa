//! What may happen in a run, so that it can be asserted that all of it does.

/// Everything worth having happened in enough runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    // The token endpoint.
    LoggedIn,
    Refreshed,
    Rotated,
    FamilyKilled,
    GrantRefused,
    CredentialsRefused,
    EndpointFailed,
    Throttled,
    RetryAfter,
    EndpointHung,
    AnswerLost,
    Malformed,
    PanickedEarly,
    PanickedLate,
    SameTokenAgain,
    LifetimeTooLong,
    LifetimeTooShort,
    LifetimeAbsent,
    LifetimeZero,
    // The server.
    TokenExpired,
    TokenRevoked,
    RejectedEverything,
    PathAlwaysRejects,
    ServerFailed,
    ConnectionBroke,
    ServerHung,
    Overtaken,
    SlowBody,
    LongBody,
    BrokenBody,
    // The callers.
    Burst,
    Cancelled,
    CancelledWhileWaiting,
    CallerTimedOut,
    SentWithoutReplay,
    AskedForMinTtl,
    ReportedRejection,
    Invalidated,
    InvalidatedAtAnswer,
    LoggedOut,
    // What came of it.
    Replayed,
    LateRejectionCured,
    OriginalResponseKept,
    RenewedEarly,
    WaitedForRevokingRenewal,
    SharedFailure,
    NextAttempt,
    TriedAnotherGrant,
    AttemptTimedOut,
    FlightTimedOut,
    FlightSuperseded,
    LateGrantSaved,
    Paused,
    OutOfBudget,
    FailedFast,
    ServedExpired,
    StaticKeyRejected,
    EndedNaturally,
    DroppedInMidFlight,
}

impl Event {
    pub(crate) const ALL: [Self; 59] = [
        Self::LoggedIn,
        Self::Refreshed,
        Self::Rotated,
        Self::FamilyKilled,
        Self::GrantRefused,
        Self::CredentialsRefused,
        Self::EndpointFailed,
        Self::Throttled,
        Self::RetryAfter,
        Self::EndpointHung,
        Self::AnswerLost,
        Self::Malformed,
        Self::PanickedEarly,
        Self::PanickedLate,
        Self::SameTokenAgain,
        Self::LifetimeTooLong,
        Self::LifetimeTooShort,
        Self::LifetimeAbsent,
        Self::LifetimeZero,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::RejectedEverything,
        Self::PathAlwaysRejects,
        Self::ServerFailed,
        Self::ConnectionBroke,
        Self::ServerHung,
        Self::Overtaken,
        Self::SlowBody,
        Self::LongBody,
        Self::BrokenBody,
        Self::Burst,
        Self::Cancelled,
        Self::CancelledWhileWaiting,
        Self::CallerTimedOut,
        Self::SentWithoutReplay,
        Self::AskedForMinTtl,
        Self::ReportedRejection,
        Self::Invalidated,
        Self::InvalidatedAtAnswer,
        Self::LoggedOut,
        Self::Replayed,
        Self::LateRejectionCured,
        Self::OriginalResponseKept,
        Self::RenewedEarly,
        Self::WaitedForRevokingRenewal,
        Self::SharedFailure,
        Self::NextAttempt,
        Self::TriedAnotherGrant,
        Self::AttemptTimedOut,
        Self::FlightTimedOut,
        Self::FlightSuperseded,
        Self::LateGrantSaved,
        Self::Paused,
        Self::OutOfBudget,
        Self::FailedFast,
        Self::ServedExpired,
        Self::StaticKeyRejected,
        Self::EndedNaturally,
        Self::DroppedInMidFlight,
    ];
}

/// The kinds of events of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(u64);

impl Seen {
    pub(crate) fn add(&mut self, event: Event) {
        self.0 |= 1 << event as u32;
    }

    pub(crate) fn has(self, event: Event) -> bool {
        self.0 & (1 << event as u32) != 0
    }
}
