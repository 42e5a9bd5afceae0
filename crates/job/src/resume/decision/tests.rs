//! What happens to an existing output, for every kind of record.

use super::*;
use crate::failure_policy::MaxFailures;
use procession_task::{FailureKind, Format};

fn job() -> ResumeJob {
    let settings = [("--task", "prime"), ("--format", "tsv")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let layout = RowLayout { format: Format::Tsv, first: 0, is_ordered: true };
    ResumeJob { settings: settings.into(), rule: Items::Words, policy: FailurePolicy::default(), layout, log: None }
}

fn keeping(max: Option<MaxFailures>) -> ResumeJob {
    ResumeJob { policy: FailurePolicy { keep_going: true, max }, ..job() }
}

fn found(state: RecordState, failed: u64) -> FoundRecord {
    let progress = OutputProgress {
        items: 5,
        bytes: 50,
        failed: [(FailureKind::Invalid, failed)].into(),
        ..OutputProgress::default()
    };
    FoundRecord::Record(Box::new(ResumeRecord::new(state, job().settings, progress)))
}

fn bytes(decision: Result<Decision, ResumeReason>) -> Option<u64> {
    match decision {
        Ok(Decision::GoOn(progress)) => Some(progress.bytes),
        _ => None,
    }
}

#[test]
fn by_default_an_interrupted_output_is_refused_and_others_are_overwritten() {
    let decide = |found, length| decide(found, Intent::Plain, length, &job());
    assert_eq!(decide(FoundRecord::Nothing, None), Ok(Decision::Begin));
    assert_eq!(decide(FoundRecord::Nothing, Some(9)), Ok(Decision::Begin));
    assert_eq!(decide(found(RecordState::Complete, 0), Some(50)), Ok(Decision::Begin));
    assert_eq!(decide(found(RecordState::Interrupted, 0), Some(50)), Err(ResumeReason::Interrupted(5)));
    for nothing in [None, Some(0)] {
        assert_eq!(
            decide(found(RecordState::Interrupted, 0), nothing),
            Ok(Decision::Begin),
            "there is nothing to lose"
        );
    }
    assert!(matches!(decide(FoundRecord::Bad("odd".to_owned()), Some(1)), Err(ResumeReason::BadRecord { .. })));
}

#[test]
fn overwriting_needs_no_valid_job() {
    for found in [FoundRecord::Nothing, found(RecordState::Interrupted, 0)] {
        assert_eq!(decide(found, Intent::Overwrite, Some(50), &job()), Ok(Decision::Begin));
    }
    for (intent, length) in [(Intent::Overwrite, Some(50)), (Intent::Overwrite, None), (Intent::Plain, None)] {
        let decided = decide(FoundRecord::Bad(String::new()), intent, length, &job());
        assert!(matches!(decided, Err(ResumeReason::BadRecord { .. })), "it may be anybody's");
    }
}

#[test]
fn resuming_needs_a_record_of_the_same_job_and_enough_bytes() {
    let resume = |found, length| decide(found, Intent::Resume, length, &job());
    for nothing in [None, Some(0)] {
        assert_eq!(resume(FoundRecord::Nothing, nothing), Ok(Decision::Begin));
    }
    assert!(matches!(resume(FoundRecord::Nothing, Some(1)), Err(ResumeReason::NoRecord(_))));
    assert!(matches!(resume(FoundRecord::Bad(String::new()), Some(50)), Err(ResumeReason::BadRecord { .. })));
    assert_eq!(bytes(resume(found(RecordState::Interrupted, 0), Some(50))), Some(50));
    assert_eq!(bytes(resume(found(RecordState::Interrupted, 0), Some(99))), Some(50), "the rest is cut off");
    for short in [None, Some(49)] {
        let reason = resume(found(RecordState::Interrupted, 0), short).unwrap_err();
        assert_eq!(reason, ResumeReason::TooShort { bytes: 50, has: short.unwrap_or(0) });
    }
    assert!(matches!(resume(found(RecordState::Complete, 0), Some(50)), Ok(Decision::Complete(_))));
    assert_eq!(resume(found(RecordState::Complete, 0), Some(51)), Err(ResumeReason::Edited));
}

#[test]
fn an_output_with_too_many_failed_items_is_refused() {
    let check = |job: ResumeJob, state, failed| {
        let FoundRecord::Record(record) = found(state, failed) else { panic!() };
        job.check(&record, Intent::Resume).is_ok()
    };
    assert!(check(job(), RecordState::Interrupted, 0) && !check(job(), RecordState::Interrupted, 1));
    assert!(check(keeping(None), RecordState::Interrupted, 3));
    let three = || keeping(Some(MaxFailures::Count(3)));
    assert!(check(three(), RecordState::Interrupted, 2) && !check(three(), RecordState::Interrupted, 3));
    let share = |share, items, failed| {
        let job = keeping(Some(MaxFailures::Percent(share)));
        let progress =
            OutputProgress { items, failed: [(FailureKind::Invalid, failed)].into(), ..OutputProgress::default() };
        job.check(&ResumeRecord::new(RecordState::Interrupted, job.settings.clone(), progress), Intent::Resume).is_ok()
    };
    assert!(share(1.0, 99, 3) && !share(1.0, 100, 3) && share(3.0, 100, 3), "judged from a hundred items on");
    assert!(share(0.0, 7, 0) && !share(0.0, 7, 1));
}

#[test]
fn failed_items_are_run_again_only_in_an_output_with_a_record() {
    let decide = |found, length| decide(found, Intent::RetryFailed, length, &job());
    assert_eq!(decide(FoundRecord::Nothing, None), Err(ResumeReason::Missing));
    assert_eq!(decide(FoundRecord::Nothing, Some(9)), Err(ResumeReason::NoRecord(String::new())));
    assert!(matches!(decide(found(RecordState::Complete, 2), Some(50)), Ok(Decision::Complete(_))));
    assert_eq!(bytes(decide(found(RecordState::Interrupted, 2), Some(60))), Some(50));
    assert_eq!(decide(found(RecordState::Complete, 2), Some(60)), Err(ResumeReason::Edited));
}

#[test]
fn a_refusal_says_what_was_asked_for() {
    let text = |intent, reason| ResumeError { name: "out".to_owned(), intent, reason }.to_string();
    let edited = "it was changed since it was written; --overwrite starts again";
    assert_eq!(text(Intent::Resume, ResumeReason::Edited), format!("out can't be resumed: {edited}"));
    assert_eq!(text(Intent::RetryFailed, ResumeReason::Edited), format!("out can't be retried: {edited}"));
    assert_eq!(text(Intent::RetryFailed, ResumeReason::InUse), "out is in use: another run is writing it");
}
