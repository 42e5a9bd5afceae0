//! Tests of coprocesses with small shell programs.

use procession_task::builtin::TaskEntry;
use procession_task::{
    Again, Answer, Block, BlockTask, Draft, Format, Host, Identity, Items, ProcessEnd, Reply, TextOptions,
};
use std::sync::{Arc, Mutex};

/// Records the calls of a host.
#[derive(Default)]
struct RecordingHost {
    sent: Vec<(u32, String)>,
    failed: usize,
    /// The failures that were sent, with their indices.
    failures: Vec<(u64, String)>,
    started: Vec<u64>,
    notes: Vec<String>,
    died: Option<ProcessEnd>,
    clock: u64,
    is_due: bool,
}

impl Host for RecordingHost {
    fn now_ns(&mut self) -> u64 {
        self.clock += 1_000_000;
        self.clock
    }
    fn is_due(&mut self, _: Option<u64>) -> bool {
        self.is_due
    }
    fn item_starts(&mut self, index: u64) {
        self.started.push(index);
    }
    fn send(&mut self, answer: &Answer) {
        self.sent.push((answer.items, text(&answer.outputs)));
        self.failed += answer.failures.len();
        self.failures.extend(failures(answer));
    }
    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
    fn die(&mut self, answer: &Answer, end: ProcessEnd) {
        self.send(answer);
        self.died = Some(end);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn options(items: Items, format: Format) -> TextOptions {
    TextOptions { items, table: None, format, show: false, identity: Identity::new(9, "h", 3) }
}

fn task_of(entry: &TaskEntry, words: &[&str], options: TextOptions) -> Box<dyn BlockTask> {
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    entry.task(&[], &words, options).unwrap()
}

/// A filter as a shell script.
fn shell(script: &str) -> Box<dyn BlockTask> {
    task_of(&crate::filter::ENTRY, &["sh", "-c", script], options(Items::Lines, Format::Lines))
}

/// A folder that is removed on drop.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("procession-kept-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How a block is run.
#[derive(Clone, Copy)]
struct How {
    each: bool,
    again: Again,
    max_result: usize,
}

const PLAIN: How = How { each: false, again: Again::NEVER, max_result: 1 << 20 };

/// Runs a block; returns the result, the last answer, and the host's record.
fn run_as(task: &mut dyn BlockTask, lines: &str, how: How) -> (Result<(), String>, Answer, RecordingHost) {
    let (mut host, mut answer) = (RecordingHost::default(), Answer::default());
    let items = u32::try_from(lines.lines().count()).unwrap();
    let block = Block { first: 10, items, chunk: 0, attempt: 1, log: true, bytes: lines.as_bytes() };
    let mut reply = Reply::new(&mut host, &mut answer, how.each, how.max_result).trying(how.again);
    let ended = task.run(&block, &mut reply);
    reply.finish();
    (ended, answer, host)
}

/// The results of a block that ends without error.
fn run(task: &mut dyn BlockTask, lines: &str) -> String {
    let (ended, answer, host) = run_as(task, lines, PLAIN);
    assert_eq!((ended, host.died), (Ok(()), None));
    let sent: String = host.sent.into_iter().map(|(_, outputs)| outputs).collect();
    sent + &text(&answer.outputs)
}

/// The messages of failed items, with their indices.
fn failures(answer: &Answer) -> Vec<(u64, String)> {
    answer.failures.iter().map(|at| (at.item, at.failure.to_string())).collect()
}

const SURPLUS: &str =
    "failed: the program wrote more lines than it was given, so its lines cannot be assigned to items";

#[test]
fn the_same_process_answers_block_after_block() {
    let mut task = shell("while read -r x; do echo \"$x $$ $PROCESSION_WORKER $PYTHONUNBUFFERED\"; done");
    task.prepare(&mut |_| {}).unwrap();
    let first = run(&mut *task, "a\nb\n");
    let pid = first.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(first, format!("a {pid} 3 1\nb {pid} 3 1\n"));
    assert_eq!(run(&mut *task, "c\n"), format!("c {pid} 3 1\n"));
    let (_, answer, _) = run_as(&mut *task, "d\ne\n", PLAIN);
    let log = text(&answer.log);
    assert!(log.lines().all(|line| line.contains(&format!("\"child_pid\":{pid}"))), "{log}");
    drop(task);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it was ended and reaped");
}

#[test]
fn pipes_that_are_full_both_ways_cause_no_deadlock() {
    let long = "x".repeat(1 << 20);
    let lines: String = (0..8).map(|n| format!("{n}{long}\n")).collect();
    let mut task = shell("exec cat");
    let how = How { max_result: 2 << 20, ..PLAIN };
    let (ended, answer, host) = run_as(&mut *task, &lines, how);
    let sent: String = host.sent.into_iter().map(|(_, outputs)| outputs).collect();
    assert_eq!((ended, sent + &text(&answer.outputs) == lines), (Ok(()), true));
    let many: String = (0..100_000).map(|n| format!("{n}\n")).collect();
    assert!(run(&mut *task, &many) == many);
}

#[test]
fn a_surplus_line_fails_what_was_not_sent_and_the_program_is_restarted() {
    let mut task = shell("while read -r x; do echo $$; [ $x != 2 ] || echo more; done");
    let first = run(&mut *task, "1\n");
    let (ended, answer, _) = run_as(&mut *task, "1\n2\n3\n", PLAIN);
    assert_eq!(ended, Ok(()));
    assert_eq!(failures(&answer), [10, 11, 12].map(|item| (item, SURPLUS.to_owned())));
    assert_ne!(run(&mut *task, "1\n"), first, "another process");
}

#[test]
fn a_line_before_the_first_request_is_an_error() {
    for script in ["echo welcome; exec cat", "sleep 0.3; echo welcome; exec cat", "exec yes"] {
        let (ended, answer, host) = run_as(&mut *shell(script), "1\n", PLAIN);
        assert!(ended.unwrap_err().contains("before its first request"), "{script}");
        assert!(answer.outputs.is_empty() && host.sent.is_empty(), "{script}");
    }
}

#[test]
fn a_surplus_line_is_waited_for_while_the_program_sleeps_or_works() {
    // The right answer comes late, after a line that is no answer.
    let script = "while read -r x; do [ $x != 2 ] || { echo warning; sleep 0.4; }; echo $x; done";
    let mut task = shell(script);
    assert_eq!(run(&mut *task, "1\n"), "1\n");
    let (ended, answer, _) = run_as(&mut *task, "2\n", PLAIN);
    assert_eq!((ended, failures(&answer)), (Ok(()), vec![(10, SURPLUS.to_owned())]));
    assert_eq!(run(&mut *task, "3\n"), "3\n");
}

#[test]
fn a_death_with_items_left_ends_the_worker_in_the_same_way() {
    let death = "while read -r x; do [ $x != 3 ] || DIE; echo $x; done";
    for (how, end) in [
        ("exit 7", ProcessEnd::Status(7)),
        ("exit 0", ProcessEnd::Status(0)),
        ("kill -SEGV $$", ProcessEnd::Signal(11)),
        // It closes its output and keeps running.
        ("exec sleep 1000 >&-", ProcessEnd::Signal(9)),
        // It closes its input and keeps running.
        ("exec sleep 1000 <&-", ProcessEnd::Signal(9)),
    ] {
        let mut task = shell(&death.replace("DIE", how));
        let many = format!("1\n2\n3\n{}", "4\n".repeat(100_000));
        let (ended, _, host) = run_as(&mut *task, &many, PLAIN);
        assert_eq!(host.died, Some(end), "{how}");
        let sent: u32 = host.sent.iter().map(|(items, _)| items).sum();
        assert_eq!(sent, 0, "nobody knows what its answers were worth: {how}");
        let said = ended.unwrap_err();
        assert!(said.starts_with("sh ") && said.contains(" at item 12: ") && said.contains("use --procs"), "{said}");
    }
}

#[test]
fn a_program_that_ends_between_blocks_is_started_again() {
    let mut task = shell("read -r x; echo $x $$");
    let said: Vec<String> = (0..3)
        .map(|n| {
            let said = run(&mut *task, &format!("{n}\n"));
            // Its end may become visible later: wait for it before the next block.
            while std::path::Path::new(&format!("/proc/{}/fd/1", said.trim().split(' ').nth(1).unwrap())).exists() {
                std::thread::yield_now();
            }
            said
        })
        .collect();
    assert!(said[0].starts_with("0 ") && said[2].starts_with("2 "), "{said:?}");
}

#[test]
fn an_incomplete_answer_is_its_items_failure() {
    let mut task = shell("read -r x; echo $x; read -r y; printf part");
    let alone = How { each: true, ..PLAIN };
    let (ended, _, host) = run_as(&mut *task, "1\n2\n", alone);
    assert_eq!((ended, host.died), (Ok(()), None), "nothing is left that it owes");
    assert_eq!(host.sent, [(1, "1\n".to_owned()), (1, "\n".to_owned())]);
    let (_, _, host) = run_as(&mut *task, "1\n2\n3\n", alone);
    let sent: u32 = host.sent.iter().map(|(items, _)| items).sum();
    assert_eq!((host.died, sent), (Some(ProcessEnd::Status(0)), 2));
}

#[test]
fn a_batch_with_a_missing_answer_is_not_accepted() {
    let mut task = shell("while read -r x; do [ $x = 2 ] || echo $x; [ $x != 3 ] || exit 0; done");
    let (_, _, host) = run_as(&mut *task, "1\n2\n3\n", PLAIN);
    let sent: u32 = host.sent.iter().map(|(items, _)| items).sum();
    assert_eq!((host.died, sent), (Some(ProcessEnd::Status(0)), 0));
}

#[test]
fn an_answer_that_is_too_long_is_its_items_failure() {
    let mut task = shell("exec cat");
    let lines = format!("1\n{}\n3\r\n", "x".repeat(1_000_000));
    let how = How { max_result: 999_999, ..PLAIN };
    // The log has the failed item whole, so the answer is sent in two parts.
    let (ended, answer, host) = run_as(&mut *task, &lines, how);
    assert_eq!(ended, Ok(()));
    let all = [host.failures, failures(&answer)].concat();
    assert_eq!(all.len(), 1);
    assert!(all[0].1.contains("the result of 1000000 bytes"), "{all:?}");
    let sent: String = host.sent.into_iter().map(|(_, outputs)| outputs).collect();
    let all = sent + &text(&answer.outputs);
    assert_eq!(all, "1\n\n3\n", "the item's carriage return belongs to its end of line");
}

#[test]
fn nothing_but_the_line_feed_is_taken_from_an_answer() {
    let mut task = shell("while read -r x; do printf '%s \\r\\n' $x; done");
    assert_eq!(run(&mut *task, "1\n"), "1 \\r\n");
}

#[test]
fn an_item_of_two_lines_is_invalid_at_any_position() {
    let mut task = task_of(&crate::filter::ENTRY, &["cat"], options(Items::Nul, Format::Lines));
    let bytes = b"a\nb\0c\0d\n\0e\0f\ng\0";
    for each in [false, true] {
        let (mut host, mut answer) = (RecordingHost::default(), Answer::default());
        let block = Block { first: 0, items: 5, chunk: 0, attempt: 1, log: false, bytes };
        let mut reply = Reply::new(&mut host, &mut answer, each, 100);
        task.run(&block, &mut reply).unwrap();
        reply.finish();
        let sent: String = host.sent.into_iter().map(|(_, outputs)| outputs).collect();
        assert_eq!(sent + &text(&answer.outputs), "\nc\n\ne\n\n");
    }
}

#[test]
fn items_are_sent_one_at_a_time_if_each_is_answered_by_itself() {
    let mut task = shell("while read -r x; do echo $x; done");
    let (ended, _, host) = run_as(&mut *task, "1\n2\n3\n", How { each: true, ..PLAIN });
    assert_eq!(ended, Ok(()));
    assert_eq!(host.sent, [1, 2, 3].map(|n| (1, format!("{n}\n"))));
}

#[test]
fn due_answers_are_sent_in_parts_in_order() {
    let mut task = shell("exec cat");
    let lines: String = (0..50_000).map(|n| format!("{n}\n")).collect();
    let (mut host, mut answer) = (RecordingHost { is_due: true, ..RecordingHost::default() }, Answer::default());
    let block = Block { first: 0, items: 50_000, chunk: 0, attempt: 1, log: true, bytes: lines.as_bytes() };
    let mut reply = Reply::new(&mut host, &mut answer, false, 100);
    task.run(&block, &mut reply).unwrap();
    reply.finish();
    let sent: String = host.sent.iter().map(|(_, outputs)| outputs.as_str()).collect();
    assert!(host.sent.len() > 1 && sent + &text(&answer.outputs) == lines);
}

#[test]
fn watched_items_start_in_turn_and_earlier_outcomes_are_recorded() {
    let folder = Folder::new("watched");
    let draft = Arc::new(Mutex::<Draft>::default());
    let mut task = shell(&format!(
        "while read -r x; do [ $x != 3 ] || until [ -e {} ]; do :; done; echo $x; done",
        folder.0.join("go").display()
    ));
    let shared = Arc::clone(&draft);
    let running = std::thread::spawn(move || {
        let mut host = RecordingHost::default();
        let block = Block { first: 5, items: 4, chunk: 0, attempt: 1, log: false, bytes: b"1\n2\n3\n4\n" };
        let mut reply = Reply::shared(&mut host, &shared, false, 100);
        task.run(&block, &mut reply).unwrap();
        reply.finish();
        host.started
    });
    // What the watchdog would find while the third item runs.
    loop {
        let draft = Draft::lock(&draft);
        if draft.running.is_some_and(|running| running.index == 7) {
            assert_eq!((draft.answer.items, text(&draft.answer.outputs)), (2, "1\n2\n".to_owned()));
            break;
        }
        drop(draft);
        std::thread::yield_now();
    }
    std::fs::write(folder.0.join("go"), "").unwrap();
    let started = running.join().unwrap();
    assert!(started.first() == Some(&5) && started.contains(&7) && started.is_sorted(), "{started:?}");
    let draft = Draft::lock(&draft);
    assert_eq!((draft.running, text(&draft.answer.outputs)), (None, "1\n2\n3\n4\n".to_owned()));
}

#[test]
fn a_block_with_a_wrong_number_of_items_is_an_error() {
    let (mut host, mut answer) = (RecordingHost::default(), Answer::default());
    let block = Block { first: 0, items: 5, chunk: 0, attempt: 1, log: false, bytes: b"1\n" };
    let mut reply = Reply::new(&mut host, &mut answer, false, 100);
    assert!(shell("exec cat").run(&block, &mut reply).is_err());
}

#[test]
fn a_program_that_buffers_its_answers_is_reported_once() {
    let mut task = shell("read -r a; read -r b; read -r c; echo $a; echo $b; echo $c; exec cat");
    // The program waits for a third line until its input ends. The thread that asks is
    // released once the message has arrived.
    let (told, hears) = std::sync::mpsc::channel();
    struct Telling(std::sync::mpsc::Sender<String>, RecordingHost);
    impl Host for Telling {
        fn now_ns(&mut self) -> u64 {
            self.1.now_ns()
        }
        fn is_due(&mut self, _: Option<u64>) -> bool {
            false
        }
        fn item_starts(&mut self, _: u64) {}
        fn send(&mut self, _: &Answer) {}
        fn warn(&mut self, text: &str) {
            self.0.send(text.to_owned()).unwrap();
        }
    }
    let pid = Arc::new(Mutex::new(None));
    let known = Arc::clone(&pid);
    let asking = std::thread::spawn(move || {
        let (mut host, mut answer) = (Telling(told, RecordingHost::default()), Answer::default());
        let block = Block { first: 0, items: 2, chunk: 0, attempt: 1, log: false, bytes: b"1\n2\n" };
        let mut reply = Reply::new(&mut host, &mut answer, false, 100);
        *known.lock().unwrap() = Some(thread_id());
        task.run(&block, &mut reply)
    });
    let note = hears.recv().unwrap();
    assert!(note.starts_with("sh has read 2 lines, sleeps and answers nothing: "), "{note}");
    let tid = pid.lock().unwrap().unwrap();
    let children = std::fs::read_to_string(format!("/proc/self/task/{tid}/children")).unwrap();
    for child in children.split_whitespace() {
        assert!(std::process::Command::new("kill").arg(child).status().unwrap().success());
    }
    assert!(asking.join().unwrap().unwrap_err().contains("killed by SIGTERM"));
    assert!(hears.recv().is_err(), "once");
}

/// The calling thread's id.
fn thread_id() -> u32 {
    let link = std::fs::read_link("/proc/thread-self").unwrap();
    link.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

#[test]
fn a_program_that_cannot_be_started_is_reported_before_any_block() {
    let mut task = task_of(&crate::filter::ENTRY, &["/no/such/program"], options(Items::Lines, Format::Lines));
    let said = task.prepare(&mut |_| {}).unwrap_err();
    assert!(said.contains("'/no/such/program' cannot be found"), "{said}");
}
