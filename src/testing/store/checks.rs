//! The requirements, one by one.

mod claims;
mod failures;
mod notes;
mod saves;
mod standing;

use super::check::{Check, Wrong};
use crate::store::Store;

/// Each requirement's name, and what is wrong with it.
pub(super) async fn all<S: Store>(check: &Check<'_, S>) -> Vec<(&'static str, Result<(), Wrong>)> {
    let mut results = Vec::new();
    macro_rules! all {
        ($($file:ident::{$($name:ident),+ $(,)?}),+ $(,)?) => {
            $($(results.push((stringify!($name), Box::pin($file::$name(check)).await));)+)+
        };
    }
    all![
        saves::{
            a_slot_without_a_record_has_the_default_one,
            slots_have_nothing_in_common,
            one_of_many_saves_is_done,
            any_bytes_can_be_saved,
            a_save_is_compared_with_what_the_saver_knew,
            a_repeated_save_is_done_and_changes_nothing,
            equal_revisions_of_two_flights_are_not_the_same,
            what_was_lost_can_be_saved_again,
            a_save_ends_its_own_claim_and_no_other,
            a_save_ends_notes_and_failures,
        },
        claims::{
            one_of_many_claims_is_granted,
            a_claim_is_renewed_by_its_own_flight,
            a_claim_ends_by_itself,
            the_next_revision_is_newer_than_all_that_is_known,
            what_is_newer_is_told_first,
            only_the_own_claim_is_released,
            the_budget_is_kept,
        },
        notes::{
            what_is_saved_in_doubt_has_a_note,
            the_note_outlives_the_claim,
            the_note_is_not_written_over,
            the_note_is_taken_back_by_its_own_flight_alone,
            a_refused_token_is_never_noted_again,
        },
        failures::{a_failure_keeps_others_waiting, another_secret_need_not_wait},
        standing::{
            a_rejection_counts_once,
            an_acceptance_ends_the_row,
            a_token_that_comes_again_is_no_progress,
            a_revoked_token_stays_revoked,
        },
    ];
    results
}
