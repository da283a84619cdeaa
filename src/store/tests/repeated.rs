//! Any steps, in any order, each of them repeated.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Claim(Claim),
    Save(Save),
    Release(Release),
}

fn step() -> impl Strategy<Value = Step> {
    let digest = |number: u8| Digest::new([number; 32]);
    let claim = (
        1..4_u8,
        0..6_u64,
        0..7_000_u64,
        0..3_u8,
        0..3_u8,
        proptest::option::of((0..6_u64, 0..4_u8)),
        0..4_u8,
    )
        .prop_map(move |(flight, than, lasting, whom, rejected, sending, other)| {
            let mut claim = Claim::new(nonce(flight), revision(than)).lasting(Duration::from_millis(lasting));
            claim = if whom > 0 { claim.with_secret(digest(whom)) } else { claim };
            claim = match rejected {
                1 => claim.rejected(Rejection::Early),
                2 => claim.rejected(Rejection::Natural),
                _ => claim,
            };
            claim = if other == 1 { claim.without_waiting() } else { claim };
            claim = if other == 2 { claim.full_at(at(than)) } else { claim };
            match sending {
                Some((number, over)) => {
                    claim.sending(revision(number), Some(over).filter(|&over| over > 0).map(nonce))
                }
                None => claim,
            }
        });
    let save = (1..4_u8, 0..6_u64, 0..7_u64, 0..5_u8).prop_map(|(flight, than, number, what)| {
        let draft = Draft::new(nonce(flight), revision(than), revision(number), vec![flight, number as u8]);
        match what {
            0 => Save::Accepted(revision(number)),
            1 => Save::Draft(draft.standing(Standing::Rejected)),
            3 => Save::Draft(draft.in_doubt()),
            2 => Save::Draft(draft.standing(Standing::Revoked).keep(Duration::from_secs(3600 + number))),
            _ => Save::Draft(draft),
        }
    });
    let release = (1..4_u8, 0..3_u8, 0..3_u8, 0..9_000_u64).prop_map(move |(flight, fate, whom, wait)| {
        let fate = [Fate::Unspent, Fate::Unknown, Fate::Refused][usize::from(fate)];
        let release = Release::new(nonce(flight), fate).wait(Duration::from_millis(wait));
        match whom {
            0 => release,
            1 => release.failed("failed", 2),
            _ => release.failed("refused", 1).refused_secret(digest(1)),
        }
    });
    prop_oneof![claim.prop_map(Step::Claim), save.prop_map(Step::Save), release.prop_map(Step::Release)]
}

fn take(record: &mut Record, now: Moment, step: &Step) -> String {
    match step {
        Step::Claim(claim) => format!("{:?}", record.claim(now, claim)),
        Step::Save(save) => format!("{:?}", record.save(now, save)),
        Step::Release(release) => {
            record.release(now, release);
            String::new()
        }
    }
}

proptest! {
    #[test]
    fn a_step_that_is_repeated_changes_nothing_and_has_the_same_answer(
        steps in proptest::collection::vec((step(), 0..4_000_u64), 1..30),
    ) {
        let mut record = Record::default();
        // The clock goes, and is set back now and then.
        let mut now = 1_000_000_u64;
        for (step, time) in steps {
            now = if time < 3_500 { now + time } else { now - 20_000 };
            let answer = take(&mut record, at(now), &step);
            let mut again = record.clone();
            prop_assert_eq!(take(&mut again, at(now), &step), answer, "{:?}", step);
            prop_assert_eq!(&again, &record, "{:?}", step);
        }
    }

    #[test]
    fn nothing_is_lost_by_steps_but_by_newer_ones(
        steps in proptest::collection::vec((step(), 0..4_000_u64), 1..30),
    ) {
        let mut record = Record::default();
        let mut now = 1_000_000_u64;
        for (step, time) in steps {
            now += time;
            let before = record.clone();
            take(&mut record, at(now), &step);
                prop_assert!(record.revision >= before.revision);
            if record.revision == before.revision {
                prop_assert_eq!(&record.body, &before.body);
                if let (Some(note), Step::Claim(_)) = (&before.note, &step) {
                    let now = record.note.as_ref().expect("no claim ends a note");
                    prop_assert!(now.revision >= note.revision && now.flights >= note.flights.min(1));
                }
            }
        }
    }
}
