//! What may happen in a run of a fleet, so that it can be asserted that all of it does.

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Everything worth having happened in enough runs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Event {
            $($(#[$doc])* $name,)+
        }

        impl Event {
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

events! {
    // The fleet.
    Quiet,
    TwoConfigurations,
    TwoAccounts,
    TenOrMore,
    Sealed,
    CredentialKeeps,
    // Processes.
    KilledBeforeSending,
    KilledAfterSending,
    KilledAroundTheStore,
    KilledIdle,
    StoodStillBeforeSending,
    StoodStillAfterSending,
    StoodStillAroundTheStore,
    StartedAgain,
    StartedWithWhatIsStored,
    // The store.
    StoreFailed,
    StoreAnswerLost,
    StoreHung,
    StoreHungAfterwards,
    StoreDidItTwice,
    StoreDidItLate,
    StoreWasDown,
    Flushed,
    FailedOver,
    /// A record was another primary's.
    Doubted,
    ClockAhead,
    ClockBehind,
    // The token endpoint.
    LoggedIn,
    Refreshed,
    EndpointFailed,
    EndpointHung,
    EndpointAnswerLost,
    Throttled,
    SameTokenAgain,
    FamilyKilled,
    SomebodyLoggedInAgain,
    // The server.
    TokenRevoked,
    RejectedEverything,
    // The program.
    Invalidated,
    LoggedOut,
    // What came of it.
    Adopted,
    Held,
    ToldToWait,
    Overtaken,
    SavedByAnother,
    OtherGrantTaken,
    UsedWithoutTheStore,
    SentAgain,
    DeadForAll,
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
