//! The races of the token cache. Each test is a scenario, run in many orders.

use races::{explore, scenarios};

macro_rules! races {
    ($($name:ident: $orders:literal,)+) => {$(
        #[test]
        fn $name() {
            explore(stringify!($name), $orders, scenarios::$name);
        }
    )+};
}

races! {
    cold_start: 500,
    shared_refusal: 500,
    rejections_of_one_token: 500,
    acceptance_before_rejection: 500,
    renewal_in_the_background: 500,
    renewal_that_kills: 500,
    forgetting: 500,
    everything: 500,
    runtime_gone: 500,
    runtime_idle: 500,
    runtime_back: 500,
    no_answer: 500,
    panic_of_the_credential: 500,
    everything_dropped: 500,
}
