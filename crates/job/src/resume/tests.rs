//! What becomes of an output that is there already, whatever lies beside it.

use super::record::Digest;
use super::*;
use crate::MaxFailures;
use crate::Unit;
use procession_task::{FailureKind, Format, JobSpec};

fn work() -> StudyJob {
    let params = vec![("method".to_owned(), "trial".to_owned())];
    StudyJob { spec: JobSpec { params, format: Format::Tsv, ..JobSpec::new("prime") }, unit: Unit::Item }
}

fn with(spec: JobSpec) -> StudyJob {
    StudyJob { spec, ..work() }
}

fn job() -> Job {
    let options = InputOptions::new(Items::Words);
    Job::new(&work(), &options, &Portion::default(), FailurePolicy::default(), &[])
}

fn keeping(max: Option<MaxFailures>) -> Job {
    Job { policy: FailurePolicy { keep_going: true, max }, ..job() }
}

fn found(state: State, failed: u64) -> Found {
    let mark = Mark { items: 5, bytes: 50, failed: [(FailureKind::Invalid, failed)].into(), ..Mark::default() };
    Found::Record(Box::new(ResumeRecord::new(state, job().identity, mark)))
}

fn bytes(decision: Result<Decision, ResumeReason>) -> Option<u64> {
    match decision {
        Ok(Decision::GoOn(mark)) => Some(mark.bytes),
        _ => None,
    }
}

#[test]
fn without_a_word_an_interrupted_output_is_left_alone_and_others_are_not() {
    let decide = |found, length| decide(found, Intent::Plain, length, &job());
    assert_eq!(decide(Found::Nothing, None), Ok(Decision::Begin));
    assert_eq!(decide(Found::Nothing, Some(9)), Ok(Decision::Begin));
    assert_eq!(decide(found(State::Complete, 0), Some(50)), Ok(Decision::Begin));
    assert_eq!(decide(found(State::Interrupted, 0), Some(50)), Err(ResumeReason::Interrupted(5)));
    for nothing in [None, Some(0)] {
        assert_eq!(decide(found(State::Interrupted, 0), nothing), Ok(Decision::Begin), "there is nothing to lose");
    }
    assert!(matches!(decide(Found::Bad("odd".to_owned()), Some(1)), Err(ResumeReason::BadRecord { .. })));
}

#[test]
fn overwriting_asks_for_nothing() {
    for found in [Found::Nothing, found(State::Interrupted, 0)] {
        assert_eq!(decide(found, Intent::Overwrite, Some(50), &job()), Ok(Decision::Begin));
    }
    for (intent, length) in [(Intent::Overwrite, Some(50)), (Intent::Overwrite, None), (Intent::Plain, None)] {
        let decided = decide(Found::Bad(String::new()), intent, length, &job());
        assert!(matches!(decided, Err(ResumeReason::BadRecord { .. })), "it may be anybody's");
    }
}

#[test]
fn resuming_needs_a_record_of_the_same_job_and_enough_bytes() {
    let resume = |found, length| decide(found, Intent::Resume, length, &job());
    for nothing in [None, Some(0)] {
        assert_eq!(resume(Found::Nothing, nothing), Ok(Decision::Begin));
    }
    assert!(matches!(resume(Found::Nothing, Some(1)), Err(ResumeReason::NoRecord(_))));
    assert!(matches!(resume(Found::Bad(String::new()), Some(50)), Err(ResumeReason::BadRecord { .. })));
    assert_eq!(bytes(resume(found(State::Interrupted, 0), Some(50))), Some(50));
    assert_eq!(bytes(resume(found(State::Interrupted, 0), Some(99))), Some(50), "the rest is cut off");
    for short in [None, Some(49)] {
        let reason = resume(found(State::Interrupted, 0), short).unwrap_err();
        assert_eq!(reason, ResumeReason::TooShort { bytes: 50, has: short.unwrap_or(0) });
    }
    assert!(matches!(resume(found(State::Complete, 0), Some(50)), Ok(Decision::Complete(_))));
    assert_eq!(resume(found(State::Complete, 0), Some(51)), Err(ResumeReason::Edited));
    let refused = open_anew(Path::new("out"), Intent::Resume, &mut |_| ());
    assert!(matches!(refused, Err(OpenError::Refused(ResumeError { reason: ResumeReason::NotOrdered, .. }))));
}

#[test]
fn every_setting_that_makes_bytes_is_compared_and_named() {
    let record = ResumeRecord::new(State::Interrupted, job().identity, Mark::default());
    let options = InputOptions::new(Items::Words);
    let jobs = |work: StudyJob, options: InputOptions, size, settings: &[(String, String)]| {
        let portion = Portion { size, block: work.unit.block(ChunkSize::Auto) };
        let refused = Job::new(&work, &options, &portion, FailurePolicy::default(), settings).check(&record);
        refused.map_err(|reason| reason.to_string())
    };
    assert_eq!(jobs(work(), options.clone(), None, &[]), Ok(()));
    let program = [("-- program".to_owned(), "bc".to_owned())];
    let naive = vec![("method".to_owned(), "naive".to_owned())];
    for (refused, says) in [
        (
            jobs(with(JobSpec { task: "sqrt".to_owned(), ..work().spec }), options.clone(), None, &[]),
            "--task prime, not with --task sqrt",
        ),
        (
            jobs(with(JobSpec { format: Format::Csv, ..work().spec }), options.clone(), None, &[]),
            "--format tsv, not with --format csv",
        ),
        (
            jobs(with(JobSpec { params: naive, ..work().spec }), options.clone(), None, &[]),
            "method=trial, not with --param method=naive",
        ),
        (jobs(work(), InputOptions::new(Items::Lines), None, &[]), "--items words, not with --items lines"),
        (jobs(work(), InputOptions { skip: 1, ..options.clone() }, None, &[]), "--skip 0, not with --skip 1"),
        (
            jobs(work(), InputOptions { shuffle: Some(1), ..options.clone() }, None, &[]),
            "no --shuffle, not with --shuffle 1",
        ),
        (jobs(work(), InputOptions { cycle: true, ..options.clone() }, None, &[]), "no --cycle, not with --cycle"),
        (
            jobs(StudyJob { unit: Unit::Block, ..work() }, options.clone(), None, &[]),
            "no --chunk, not with --chunk auto",
        ),
        (jobs(work(), options.clone(), Some(9), &[]), "no --size, not with --size 9"),
        (jobs(work(), options, None, &program), "no -- program, not with -- program bc"),
    ] {
        let text = refused.unwrap_err();
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn failed_items_stand_in_the_output_only_if_the_call_would_have_gone_on() {
    let check = |job: Job, state, failed| {
        let Found::Record(record) = found(state, failed) else { panic!() };
        job.check(&record).is_ok()
    };
    assert!(check(job(), State::Interrupted, 0) && !check(job(), State::Interrupted, 1));
    assert!(check(keeping(None), State::Interrupted, 3));
    let three = || keeping(Some(MaxFailures::Count(3)));
    assert!(check(three(), State::Interrupted, 2) && !check(three(), State::Interrupted, 3));
    let share = |share, items, failed| {
        let job = keeping(Some(MaxFailures::Percent(share)));
        let mark = Mark { items, failed: [(FailureKind::Invalid, failed)].into(), ..Mark::default() };
        job.check(&ResumeRecord::new(State::Interrupted, job.identity.clone(), mark)).is_ok()
    };
    assert!(share(1.0, 99, 3) && !share(1.0, 100, 3) && share(3.0, 100, 3), "judged from a hundred items on");
    assert!(share(0.0, 7, 0) && !share(0.0, 7, 1));
}

#[test]
fn an_output_is_known_by_its_bytes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "1\t1.0\n4\t").unwrap();
    let digest = Digest(xxhash_rust::xxh3::xxh3_128(b"1\t1.0\n"));
    let mark = Mark { items: 1, bytes: 6, output: digest, ..Mark::default() };
    assert!(digest_of(file.as_file(), &mark).unwrap().is_some());
    assert!(digest_of(file.as_file(), &Mark { bytes: 5, ..mark.clone() }).unwrap().is_none());
    assert!(digest_of(file.as_file(), &Mark { bytes: 99, ..mark }).unwrap().is_none());
    assert!(digest_of(file.as_file(), &Mark::default()).unwrap().is_some());
}

#[test]
fn what_is_no_record_is_not_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.resume");
    assert!(matches!(find(&path), Found::Nothing));
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert!(matches!(find(&path), Found::Bad(_)));
    std::fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(find(&path), Found::Bad(_)));
}
