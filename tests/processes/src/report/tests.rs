//! What is excused, and what isn't, and what several reports are together.

use super::*;
use crate::ledger::Call;

/// A login that was lost since one of its refresh tokens came twice, so long after the first time; in between something was done
/// to the store.
fn judged(grant: Grant, loses: Option<Loses>, later: Duration, kill: Option<Kill>) -> Vec<String> {
    judged_for(false, grant, loses, later, kill)
}

/// The same for the refresh token that the login has begun with, or another one.
fn judged_for(
    is_initial: bool,
    grant: Grant,
    loses: Option<Loses>,
    later: Duration,
    kill: Option<Kill>,
) -> Vec<String> {
    let at = Instant::now();
    let mut books = Books::default();
    let end = at + later;
    books.calls.push(Call { by: 2, at: end, end: Some(end), refused: true });
    books.losses.push(Loss { at: end, first: (1, at), second: 2, is_initial });
    books.blows.extend(loses.map(|loses| Blow { at: at + later / 2, until: at + later / 2, loses }));
    books.kills.extend(kill);
    books.hits.push((3, at));
    let mut report = Report::default();
    report.storm(&Run { name: "it", grant, took: TTL }, &books);
    report.finish()
}

fn killed(in_doubt: bool) -> Option<Kill> {
    Some(Kill { of: 1, at: Instant::now() + Duration::from_millis(10), holder: true, in_doubt })
}

const SOON: Duration = Duration::from_secs(2);
const LATER: Duration = Duration::from_secs(16);

#[test]
fn where_there_is_another_grant_nothing_excuses_a_loss() {
    for loses in [None, Some(Loses::Nothing), Some(Loses::Newest), Some(Loses::Everything)] {
        for later in [SOON, LATER] {
            for kill in [|| None, || killed(true)] {
                for is_initial in [false, true] {
                    let wrong = judged_for(is_initial, Grant::Both, loses, later, kill());
                    assert!(wrong.contains(&"it: 1 grants were refused".to_owned()), "{loses:?}: {wrong:?}");
                    assert!(wrong.contains(&"it: 1 logins were lost".to_owned()), "{loses:?}: {wrong:?}");
                }
            }
        }
    }
}

#[test]
fn the_only_grant_is_sent_again_soon_only_if_the_store_was_emptied() {
    for (loses, kill) in [(Some(Loses::Nothing), None), (Some(Loses::Newest), None), (None, killed(true))] {
        let wrong = judged(Grant::Only, loses, SOON, kill);
        assert_eq!(wrong, ["it: 1 grants in doubt were sent again within 15 s"], "{loses:?}");
    }
    assert_eq!(judged(Grant::Only, Some(Loses::Everything), SOON, None), Vec::<String>::new());
}

#[test]
fn the_first_of_a_login_is_sent_again_soon_only_if_a_replica_may_lack_its_record() {
    let judged = |loses| judged_for(true, Grant::Only, loses, SOON, killed(true));
    for loses in [None, Some(Loses::Nothing)] {
        assert_eq!(judged(loses), ["it: 1 grants in doubt were sent again within 15 s"], "{loses:?}");
    }
    assert_eq!(judged(Some(Loses::Newest)), Vec::<String>::new());
}

#[test]
fn the_only_grant_is_lost_by_a_kill_that_left_a_note_or_by_what_was_done_to_the_store() {
    assert_eq!(judged(Grant::Only, None, LATER, None), ["it: 1 logins were lost without a cause"]);
    assert_eq!(judged(Grant::Only, None, LATER, killed(false)), ["it: 1 logins were lost without a cause"]);
    for (loses, kill) in [(None, killed(true)), (Some(Loses::Newest), None), (Some(Loses::Everything), None)]
    {
        assert_eq!(judged(Grant::Only, loses, LATER, kill), Vec::<String>::new(), "{loses:?}");
    }
}

#[test]
fn reports_stand_one_behind_the_other_and_what_is_wrong_in_one_is_wrong_in_all() {
    let report = |name| {
        let mut report = Report::default();
        report.quiet(&Run { name, grant: Grant::Both, took: TTL }, &Books::default());
        report
    };
    let all: Report = ["one", "other"].map(report).into_iter().collect();
    let rows: Vec<_> = all.rows.iter().map(|row| &row[0]).collect();
    assert_eq!(rows, ["one", "other"]);
    let wrong = all.finish();
    assert!(
        wrong.len() == 2 && wrong[0].starts_with("one: ") && wrong[1].starts_with("other: "),
        "{wrong:?}"
    );
}
