//! The log lines of items: which process ran an item, when, and with what outcome.
//!
//! A worker formats its own lines. They travel with the results, and only the lines
//! of accepted results are written. For an item whose process died the coordinator
//! writes the line, with the process id of that process.

use crate::record::{ResultText, escape_terminal, push_json_bytes, push_json_error, push_json_string, push_number};
use crate::{Cause, Failure};

/// Inputs and outputs longer than this are cut in the log. The field `input_bytes`
/// or `output_bytes` then holds the true length.
pub const LOGGED_BYTES: usize = 256;
/// The same for inputs of failed items, from which they can be run again: with the
/// default limit of an item's size they are whole.
pub const LOGGED_FAILED_BYTES: usize = 16 << 20;

/// The beginning of a line about an attempt without an outcome. No line about an item
/// begins so.
pub const ATTEMPT_LINE: &[u8] = b"{\"items\":";

/// A process of the user's program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Child {
    /// The process id; `None` if there was no process.
    pub pid: Option<u32>,
    /// Whether the output may be incomplete: a process that it left behind was still
    /// writing when its pipes were closed.
    pub is_output_cut: bool,
}

/// The process and slot in a worker's lines; formatted once because they are the
/// same in all of them.
#[derive(Clone, Debug)]
pub struct Identity {
    slot: u32,
    /// `,"pid":…,"host":"…","worker":…`
    fields: Vec<u8>,
    /// `Task <pid 4242, worker 1> `
    shown: Vec<u8>,
}

/// `,"pid":…` to `,"start_us":`, the same for all lines of a block.
#[derive(Clone, Debug)]
pub(crate) struct Common(Vec<u8>);

/// The time in which an item ran, in nanoseconds since the run's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeSpan {
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
}

/// The log line of an item whose process died, as the coordinator writes it.
#[derive(Clone, Copy, Debug)]
pub struct CoordinatorLine<'a> {
    /// The index of the item in the input.
    pub item: u64,
    /// The item.
    pub input: &'a [u8],
    /// The item's chunk.
    pub chunk: u64,
    /// How many times the item was sent.
    pub attempt: u32,
    /// When the item was last sent and when its process was found dead, in nanoseconds
    /// since the run's start.
    pub span_ns: (u64, u64),
    /// The failure that the item is charged with.
    pub failure: &'a Failure,
}

impl Identity {
    /// The process `pid` on `host`, in this slot.
    #[must_use]
    pub fn new(pid: u32, host: &str, slot: u32) -> Self {
        let mut fields = Vec::new();
        fields.extend_from_slice(format!(",\"pid\":{pid},\"host\":").as_bytes());
        push_json_string(&mut fields, host);
        fields.extend_from_slice(format!(",\"worker\":{slot}").as_bytes());
        Self { slot, fields, shown: format!("Task <pid {pid}, worker {slot}> ").into_bytes() }
    }

    /// The slot in the pool, from 0.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// The common part of a block's lines, formatted once.
    pub(crate) fn of_block(&self, chunk: u64, attempt: u32) -> Common {
        let mut fields = self.fields.clone();
        fields.extend_from_slice(b",\"chunk\":");
        push_number(&mut fields, chunk);
        fields.extend_from_slice(b",\"attempt\":");
        push_number(&mut fields, u64::from(attempt));
        fields.extend_from_slice(b",\"start_us\":");
        Common(fields)
    }

    /// Appends the line that `--verbose` shows, safe for a terminal.
    pub(crate) fn show(&self, out: &mut Vec<u8>, item: &LoggedItem<'_>) {
        out.extend_from_slice(&self.shown);
        out.extend_from_slice(escape_terminal(cut(item.input, LOGGED_BYTES)).as_bytes());
        out.push(b' ');
        match item.outcome {
            Ok(output) => out.extend_from_slice(escape_terminal(cut(output.text, LOGGED_BYTES)).as_bytes()),
            Err(failure) => out.extend_from_slice(escape_terminal(failure.to_string().as_bytes()).as_bytes()),
        }
        out.push(b'\n');
    }

    /// Appends the line of an item whose process died. `self` is that process.
    pub fn write_for_dead(&self, out: &mut Vec<u8>, line: &CoordinatorLine<'_>) {
        let item =
            LoggedItem { index: line.item, input: line.input, outcome: Err(line.failure), child: Child::default() };
        let span = TimeSpan { start_ns: line.span_ns.0, end_ns: line.span_ns.1 };
        self.of_block(line.chunk, line.attempt).write(out, &item, span);
    }
}

impl Common {
    /// Appends the line of an attempt without an outcome. Its first field tells it from
    /// the lines of items.
    pub(crate) fn write_attempt(&self, out: &mut Vec<u8>, run: &LostRun<'_>) {
        out.extend_from_slice(ATTEMPT_LINE);
        out.extend_from_slice(b"1,\"item\":");
        push_number(out, run.index);
        out.extend_from_slice(&self.0);
        push_microseconds(out, run.span.start_ns);
        out.extend_from_slice(b",\"duration_us\":");
        push_microseconds(out, run.span.end_ns.saturating_sub(run.span.start_ns));
        if let Some(pid) = run.child.pid {
            out.extend_from_slice(b",\"child_pid\":");
            push_number(out, u64::from(pid));
        }
        push_json_error(out, run.failure);
        push_end(out, run.failure);
        out.extend_from_slice(b"}\n");
    }

    /// Appends an item's line.
    pub(crate) fn write(&self, out: &mut Vec<u8>, item: &LoggedItem<'_>, span: TimeSpan) {
        out.extend_from_slice(b"{\"item\":");
        push_number(out, item.index);
        push_cut(out, "input", item.input, if item.outcome.is_ok() { LOGGED_BYTES } else { LOGGED_FAILED_BYTES });
        out.extend_from_slice(&self.0);
        push_microseconds(out, span.start_ns);
        out.extend_from_slice(b",\"duration_us\":");
        push_microseconds(out, span.end_ns.saturating_sub(span.start_ns));
        if let Some(pid) = item.child.pid {
            out.extend_from_slice(b",\"child_pid\":");
            push_number(out, u64::from(pid));
        }
        if item.child.is_output_cut {
            out.extend_from_slice(b",\"output_cut\":true");
        }
        match item.outcome {
            Ok(output) if output.is_json && output.text.len() <= LOGGED_BYTES => {
                out.extend_from_slice(b",\"output\":");
                out.extend_from_slice(output.text);
            }
            Ok(output) => push_cut(out, "output", output.text, LOGGED_BYTES),
            Err(failure) => {
                push_json_error(out, failure);
                push_end(out, failure);
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

/// A run of an item that failed and is followed by another one in the same worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LostRun<'a> {
    pub(crate) index: u64,
    pub(crate) failure: &'a Failure,
    pub(crate) child: Child,
    pub(crate) span: TimeSpan,
}

/// The content of an item's line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoggedItem<'a> {
    pub(crate) index: u64,
    pub(crate) input: &'a [u8],
    pub(crate) outcome: Result<ResultText<'a>, &'a Failure>,
    /// The process that ran the item, if it is not the worker's.
    pub(crate) child: Child,
}

fn cut(bytes: &[u8], most: usize) -> &[u8] {
    if bytes.len() <= most {
        return bytes;
    }
    // Do not cut inside a UTF-8 character.
    let mut end = most;
    while end > most - 4 && (bytes[end] & 0xc0) == 0x80 {
        end -= 1;
    }
    &bytes[..end]
}

fn push_cut(out: &mut Vec<u8>, name: &str, bytes: &[u8], most: usize) {
    push_json_bytes(out, name, cut(bytes, most));
    if bytes.len() > most {
        out.extend_from_slice(format!(",\"{name}_bytes\":{}", bytes.len()).as_bytes());
    }
}

/// Appends how the process that ran a failed item ended, if it did.
fn push_end(out: &mut Vec<u8>, failure: &Failure) {
    match failure.cause {
        Some(Cause::Status(status)) => out.extend_from_slice(format!(",\"exit_status\":{status}").as_bytes()),
        Some(Cause::Signal(signal)) => out.extend_from_slice(format!(",\"signal\":{signal}").as_bytes()),
        Some(Cause::Panic { .. } | Cause::Codec) | None => {}
    }
}

/// Appends nanoseconds as microseconds with three decimals.
fn push_microseconds(out: &mut Vec<u8>, ns: u64) {
    if ns < 1000 {
        out.extend_from_slice(format!("0.{ns:03}").as_bytes());
        return;
    }
    let mut digits = itoa::Buffer::new();
    let (whole, decimals) = digits.format(ns).as_bytes().split_at(digits_before(ns));
    out.extend_from_slice(whole);
    out.push(b'.');
    out.extend_from_slice(decimals);
}

/// The number of digits before the last three.
fn digits_before(ns: u64) -> usize {
    ns.ilog10() as usize - 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    fn line(input: &[u8], outcome: Result<ResultText<'_>, &Failure>) -> serde_json::Value {
        let mut out = Vec::new();
        let item = LoggedItem { index: 7, input, outcome, child: Child::default() };
        Identity::new(4242, "ho\"st", 1).of_block(2, 1).write(
            &mut out,
            &item,
            TimeSpan { start_ns: 1_234_567, end_ns: 1_236_001 },
        );
        assert_eq!(out.pop(), Some(b'\n'));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_line_has_every_field() {
        let value = line(b"2", Ok(ResultText { text: b"1.5", is_json: true }));
        let expected = serde_json::json!({
            "item": 7, "input": "2", "pid": 4242, "host": "ho\"st", "worker": 1, "chunk": 2, "attempt": 1,
            "start_us": 1234.567, "duration_us": 1.434, "output": 1.5
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_line_names_the_child_and_marks_cut_output() {
        let mut out = Vec::new();
        let (outcome, span) = (Ok(ResultText { text: b"x", is_json: false }), TimeSpan { start_ns: 0, end_ns: 0 });
        let child = Child { pid: Some(7), is_output_cut: true };
        let item = LoggedItem { index: 7, input: b"2", outcome, child };
        Identity::new(4242, "h", 1).of_block(2, 1).write(&mut out, &item, span);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&value["child_pid"], &value["output_cut"]), (&7.into(), &true.into()));
        assert!(line(b"2", outcome)["output_cut"].is_null());
    }

    #[test]
    fn microseconds_keep_their_nanoseconds() {
        for (ns, text) in [(0, "0.000"), (7, "0.007"), (999, "0.999"), (1000, "1.000"), (1_234_567, "1234.567")] {
            let mut out = Vec::new();
            push_microseconds(&mut out, ns);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn failures_and_long_fields() {
        let failure = Failure::new(FailureKind::Failed, "no");
        for (cause, field) in [(Cause::Status(3), "exit_status"), (Cause::Signal(9), "signal")] {
            let value = line(b"x", Err(&failure.clone().because(Some(cause))));
            assert!(value[field].as_i64().is_some_and(|end| end == if field == "signal" { 9 } else { 3 }), "{value}");
        }
        let long = "ä".repeat(200);
        let value = line(long.as_bytes(), Err(&failure));
        assert_eq!(value["error"], serde_json::json!({"kind": "failed", "message": "no"}));
        assert_eq!((&value["input"], &value["input_bytes"]), (&long.as_str().into(), &serde_json::Value::Null));
        let value = line(&vec![b'x'; LOGGED_FAILED_BYTES + 1], Err(&failure));
        assert_eq!(value["input_bytes"], LOGGED_FAILED_BYTES + 1);
        let value = line(long.as_bytes(), Ok(ResultText { text: b"x", is_json: false }));
        assert_eq!(value["input"], "ä".repeat(128));
        assert_eq!(value["input_bytes"], 400);
        let value = line(b"x", Ok(ResultText { text: &[b'y'; 300], is_json: false }));
        assert_eq!(value["output"].as_str().unwrap().len(), LOGGED_BYTES);
        assert_eq!(value["output_bytes"], 300);
    }

    #[test]
    fn shown_lines_name_the_process_the_item_and_the_result() {
        let mut out = Vec::new();
        let outcome = Ok(ResultText { text: b"1.4142135623730951", is_json: true });
        let item = LoggedItem { index: 0, input: b"2", outcome, child: Child::default() };
        Identity::new(4242, "h", 1).show(&mut out, &item);
        assert_eq!(out, b"Task <pid 4242, worker 1> 2 1.4142135623730951\n");
    }
}
