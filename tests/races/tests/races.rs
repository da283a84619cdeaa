//! The races of the token cache, and of the tenants. Each test is a scenario, run in many orders.

use races::{explore, scenarios, tenants};

macro_rules! races {
    ($of:ident: $($name:ident: $orders:literal,)+) => {$(
        #[test]
        fn $name() {
            explore(stringify!($name), $orders, $of::$name);
        }
    )+};
}

races! {
    scenarios:
    cold_start: 1000,
    refusal: 1000,
    changed_secret: 1000,
    failure: 1000,
    rotation_alone: 1000,
    rejections_of_one_token: 1000,
    acceptance_before_rejection: 1000,
    renewal_in_the_background: 1000,
    renewal_that_kills: 1000,
    renewal_that_hangs: 1000,
    forgetting: 3000,
    everything: 3000,
    runtime_gone: 1000,
    runtime_gone_with_a_caller: 1000,
    runtime_idle: 1000,
    runtime_back: 1000,
    no_answer: 1000,
    everything_dropped: 1000,
    shared_cold_start: 1000,
    adoption: 1000,
    superseded_after_sending: 1000,
}

races! {
    tenants:
    built_once: 1000,
    removed_while_built: 1000,
    builder_gone: 1000,
    gate: 1000,
    at_hand_and_evicted: 3000,
    at_hand_and_removed: 3000,
    at_hand_and_anything: 3000,
}
