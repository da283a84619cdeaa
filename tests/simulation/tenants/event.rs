//! What may happen to tenants, so that it can be asserted that all of it does.

macro_rules! events {
    ($($name:ident,)+) => {
        /// Everything worth having happened in enough runs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Event {
            $($name,)+
        }

        impl Event {
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

events! {
    Answered,
    Replayed,
    // The token endpoints.
    Hung,
    WasDown,
    ToldDead,
    WaitedForAPlace,
    // Building.
    BuildFailed,
    BuildHung,
    BuildPanicked,
    BuiltAgain,
    // Room.
    Full,
    // The program.
    Removed,
    RemovedWhileWaiting,
    RemovedWhileBuilding,
    HandedOver,
    // Requests.
    NoTenant,
    OtherHost,
}
