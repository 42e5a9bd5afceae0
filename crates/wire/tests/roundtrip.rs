//! Messages come back as they went, and hostile bytes are refused: never a
//! panic, never a large allocation.

use procession_task::{
    Failure, FailureAt, FailureKind, Format, Items, JobLimits, JobSpec, ParamInfo, RetryPolicy, SlowestItem, TaskInfo,
};
use procession_wire::frame::{Direction, PAYLOAD_LIMIT, Parsed, parse};
use procession_wire::{
    AnswerHead, ChunkHead, Farewell, FromWorker, Hello, JobMessage, PROTOCOL, ToWorker, WireError, check_job,
    decode_from_worker, decode_to_worker, encode_from_worker, encode_to_worker,
};
use proptest::prelude::*;
use std::time::Duration;

fn payload(frame: &[u8], direction: Direction) -> &[u8] {
    match parse(frame, direction, PAYLOAD_LIMIT).expect("a frame") {
        Parsed::Frame(range) => {
            assert_eq!(range.end, frame.len());
            &frame[range]
        }
        Parsed::Needs(n) => panic!("needs {n}"),
    }
}

fn failure_at() -> impl Strategy<Value = FailureAt> {
    (any::<u64>(), ".{0,40}", any::<(u32, u32)>(), any::<(u32, u32)>(), 0..FailureKind::ALL.len(), 1u32..).prop_map(
        |(item, message, input, record, kind, attempts)| FailureAt {
            item,
            failure: Failure::new(FailureKind::ALL[kind], message),
            input,
            record,
            attempts,
        },
    )
}

proptest! {
    #[test]
    fn chunks_come_back(ids in any::<(u64, u64, u64, u64)>(), n in any::<(u32, u32)>(), flags in any::<(bool, bool)>(),
                        block in proptest::collection::vec(any::<u8>(), 0..300)) {
        let head = ChunkHead { job: ids.0, chunk: ids.1, attempt: ids.2, first: ids.3, tries: n.0, items: n.1,
            each: flags.0, log: flags.1, block_len: block.len() as u32 };
        let mut frame = Vec::new();
        encode_to_worker(&mut frame, &ToWorker::Chunk(head), &block).unwrap();
        frame.extend_from_slice(&block);
        let payload = payload(&frame, Direction::ToWorker);
        let (message, tails) = decode_to_worker(payload).unwrap();
        prop_assert_eq!(message, ToWorker::Chunk(head));
        prop_assert_eq!(&payload[tails.main], &block[..]);
    }

    #[test]
    fn answers_come_back((attempt, first, index, ns) in any::<(u64, u64, u64, u64)>(), items in any::<u32>(), busy_ns in any::<u64>(),
                         failures in proptest::collection::vec(failure_at(), 0..5),
                         blocks in proptest::array::uniform3(proptest::collection::vec(any::<u8>(), 0..100))) {
        let [outputs, log, shown] = &blocks;
        let head = AnswerHead { attempt, first, items, busy_ns, slowest: SlowestItem { index, ns }, failures, outputs_len: outputs.len() as u32,
            log_len: log.len() as u32, shown_len: shown.len() as u32 };
        let mut frame = Vec::new();
        encode_from_worker(&mut frame, &FromWorker::Answer(head.clone()), &[outputs, log, shown]).unwrap();
        blocks.iter().for_each(|block| frame.extend_from_slice(block));
        let payload = payload(&frame, Direction::FromWorker);
        let (message, tails) = decode_from_worker(payload).unwrap();
        prop_assert_eq!(message, FromWorker::Answer(head));
        prop_assert_eq!(&payload[tails.main], &outputs[..]);
        prop_assert_eq!(&payload[tails.log], &log[..]);
        prop_assert_eq!(&payload[tails.shown], &shown[..]);
    }

    #[test]
    fn hostile_payloads_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_from_worker(&bytes);
        let _ = decode_to_worker(&bytes);
        let _ = parse(&bytes, Direction::FromWorker, PAYLOAD_LIMIT);
    }

    #[test]
    fn a_changed_message_is_no_panic(at in 0usize..200, to in any::<u8>()) {
        let mut frame = Vec::new();
        encode_from_worker(&mut frame, &FromWorker::Hello(hello()), &[]).unwrap();
        let mut payload = payload(&frame, Direction::FromWorker).to_vec();
        let at = at % payload.len();
        payload[at] = to;
        let _ = decode_from_worker(&payload);
    }
}

fn hello() -> Hello {
    Hello { protocol: PROTOCOL, version: "0.1.0".into(), pid: 4242, host: "h".into(), tasks: vec![sqrt()] }
}

#[test]
fn trailing_and_missing_bytes_are_refused() {
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::Farewell(Farewell::default()), &[]).unwrap();
    let payload = payload(&frame, Direction::FromWorker);
    let mut longer = payload.to_vec();
    longer.push(0);
    assert_eq!(decode_from_worker(&longer), Err(WireError::Tails { announced: 0, found: 1 }));
    for end in 0..payload.len() {
        assert!(decode_from_worker(&payload[..end]).is_err(), "{end}");
    }
}

#[test]
fn jobs_come_back_with_their_arguments() {
    for arguments in [vec![], vec![b"sed".to_vec()], vec![b"a".to_vec(), vec![], vec![0; 300]]] {
        let spec = JobSpec { arguments: arguments.clone(), ..JobSpec::new("command") };
        let (message, block) = JobMessage::new(1, 2, spec.clone());
        assert!(message.spec.arguments.is_empty());
        let mut frame = Vec::new();
        encode_to_worker(&mut frame, &ToWorker::Job(Box::new(message)), &block).unwrap();
        frame.extend_from_slice(&block);
        let (ToWorker::Job(job), tails) = decode_to_worker(payload(&frame, Direction::ToWorker)).unwrap() else {
            panic!("not a job");
        };
        assert_eq!((job.spec, tails.main.len()), (spec, block.len()));
    }
}

#[test]
fn what_is_too_large_is_known_before_it_is_sent() {
    let arguments = |mib: usize| vec![vec![0; 1 << 20]; mib];
    let spec = |arguments| JobSpec { arguments, ..JobSpec::new("x") };
    assert_eq!(check_job(&spec(arguments(255))), Ok(()));
    let refused = |spec| matches!(check_job(&spec), Err(WireError::TooMuch { .. }));
    assert!(refused(spec(arguments(256))));
    assert!(refused(JobSpec { params: vec![("k".into(), "v".repeat(64 << 20))], ..JobSpec::new("x") }));
}

#[test]
fn inner_lengths_are_limited() {
    // A hello whose version claims 2^60 bytes.
    let mut bytes = vec![0, 0, 0, 0, 1, 0, 0, 0];
    bytes.extend_from_slice(&(1u64 << 60).to_le_bytes());
    bytes.extend_from_slice(&[b'x'; 64]);
    assert!(decode_from_worker(&bytes).is_err());
}

fn sqrt() -> TaskInfo {
    let param = ParamInfo { name: "p".into(), default: "d".into(), values: vec!["v".into()], help: "h".into() };
    TaskInfo { name: "sqrt".into(), summary: "s".into(), items: Items::Words, numbers: true, params: vec![param] }
}

fn answer_head() -> AnswerHead {
    let (outputs_len, log_len, shown_len) = (0, 0, 0);
    let (slowest, failures) = (SlowestItem { index: 10, ns: 6 }, Vec::new());
    AnswerHead { attempt: 7, first: 9, items: 4, busy_ns: 5, slowest, failures, outputs_len, log_len, shown_len }
}

/// The bytes of this version. Whoever changes them changes [`PROTOCOL`].
#[test]
fn golden_bytes_from_a_worker() {
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::Hello(hello()), &[]).unwrap();
    assert_eq!(
        hex(&frame[12..]),
        concat!(
            "00000000",
            "0a000000",
            "0500000000000000",
            "302e312e30",
            "92100000",
            "0100000000000000",
            "68",
            "0100000000000000",
            "0400000000000000",
            "73717274",
            "0100000000000000",
            "73",
            "00000000",
            "01",
            "0100000000000000",
            "0100000000000000",
            "70",
            "0100000000000000",
            "64",
            "0100000000000000",
            "0100000000000000",
            "76",
            "0100000000000000",
            "68"
        )
    );
    let mut frame = Vec::new();
    let lengths = AnswerHead { outputs_len: 1, log_len: 2, shown_len: 3, ..answer_head() };
    encode_from_worker(&mut frame, &FromWorker::Answer(lengths), &[]).unwrap();
    assert_eq!(
        hex(&frame[12..]),
        "02000000070000000000000009000000000000000400000005000000000000000a0000000000000006000000\
         000000000000000000000000010000000200000003000000"
    );
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::Again { attempt: 7 }, &[]).unwrap();
    assert_eq!(hex(&frame[12..]), "060000000700000000000000");
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::OutputCut { attempt: 7, item: 9 }, &[]).unwrap();
    assert_eq!(hex(&frame[12..]), "0800000007000000000000000900000000000000");
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::Warning { text: "w".into() }, &[]).unwrap();
    assert_eq!(hex(&frame[12..]), "09000000010000000000000077");
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::LastLines { text: "l".into() }, &[]).unwrap();
    assert_eq!(hex(&frame[12..]), "0a00000001000000000000006c");
    let mut frame = Vec::new();
    encode_from_worker(&mut frame, &FromWorker::ItemType { name: "t".into() }, &[]).unwrap();
    assert_eq!(hex(&frame[12..]), "0b000000010000000000000074");
}

/// As above, in the other direction.
#[test]
fn golden_bytes_to_a_worker() {
    let spec = JobSpec {
        arguments: vec![b"sed".to_vec()],
        items: Items::Words,
        format: Format::Tsv,
        max_result: 16,
        retry: RetryPolicy { retries: Some(3), retry_on: vec![FailureKind::Failed] },
        limits: JobLimits { timeout: Some(Duration::from_nanos(9)), memory_limit: None },
        ..JobSpec::new("sqrt")
    };
    let (job, arguments) = JobMessage::new(1, 7, spec);
    let mut frame = Vec::new();
    encode_to_worker(&mut frame, &ToWorker::Job(Box::new(job)), &arguments).unwrap();
    frame.extend_from_slice(&arguments);
    assert_eq!(
        hex(&frame),
        concat!(
            "a970773e",
            "6d000000",
            "d91a6112",
            "00000000",
            "0100000000000000",
            "0700000000000000",
            "0400000000000000",
            "73717274",
            "0000000000000000",
            "00000000",
            "00",
            "00000000",
            "00",
            "00000000",
            "00",
            "1000000000000000",
            "0103000000",
            "0100000000000000",
            "01000000",
            "01000000000000000009000000",
            "00",
            "0100000000000000",
            "03000000",
            "736564"
        )
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
