//! What a Python function was given and what it printed, for a line each at the end of
//! the call: items of different types may be a surprise, and nobody sees what is printed.

use procession::{Event, Observer, WorkerRef};
use procession_report::read::RunLog;
use procession_task::{counted, escape_terminal};
use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The first line of a traceback. The shim indents the lines behind it, except the
/// last.
const TRACEBACK: &[u8] = b"Traceback (most recent call last):";

/// What all runs of a call have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct PythonFunction(Arc<Mutex<Seen>>);

/// The observer of one run.
pub(super) struct PythonObserver {
    function: PythonFunction,
    lines: HashMap<WorkerRef, LineCounter>,
}

#[derive(Debug, Default)]
struct Seen {
    item_types: BTreeSet<String>,
    printed: u64,
    /// Those of the run in progress that have printed something.
    printing: BTreeSet<u32>,
    /// The logged standard error of those that have printed something.
    files: BTreeSet<PathBuf>,
}

impl PythonFunction {
    /// The observer of the next run.
    pub(super) fn observe(&self) -> PythonObserver {
        PythonObserver { function: self.clone(), lines: HashMap::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run whose log is in this folder has ended.
    pub(super) fn run_ended(&self, folder: Option<&Path>) {
        let mut seen = self.lock();
        let printing = std::mem::take(&mut seen.printing);
        seen.files.extend(printing.iter().filter_map(|&pid| RunLog::file_of(folder?, pid)));
    }

    /// The note about items that were numbers and others that were text.
    pub(super) fn note_types(&self) -> Option<String> {
        let seen = self.lock();
        let has = |name: &str| seen.item_types.contains(name);
        ((has("int") || has("float")) && has("str")).then(|| {
            "the function was given some items as numbers and others as text: --param type=str, or an annotation of its \
             parameter, gives it all of them as text"
                .to_owned()
        })
    }

    /// The note about the lines that were printed; `None` if there are none, or if they
    /// were shown and are nowhere else.
    pub(super) fn note_printed(&self, log: Option<&Path>, is_verbose: bool) -> Option<String> {
        let seen = self.lock();
        if seen.printed == 0 || is_verbose && log.is_none() {
            return None;
        }
        let shown = |path: &Path| escape_terminal(path.as_os_str().as_bytes());
        let place = match (log, seen.files.len()) {
            (None, _) => "--verbose shows them, and a log would hold them".to_owned(),
            (Some(_), 1) => format!("see {}", shown(seen.files.first()?)),
            (Some(log), _) => format!("see {}", shown(&log.join("run-*").join("worker-*.stderr"))),
        };
        let more = if log.is_some() && !is_verbose { ", or use --verbose" } else { "" };
        Some(format!("the function printed {}: {place}{more}", counted(seen.printed, "line")))
    }
}

impl Observer for PythonObserver {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::ItemType { name, .. } => {
                self.function.lock().item_types.insert(name.clone());
            }
            Event::Stderr { worker, bytes } => {
                let printed = self.lines.entry(*worker).or_default().add(bytes);
                self.count(*worker, printed);
            }
            Event::WorkerExited(exit) => {
                if let Some(mut lines) = self.lines.remove(&exit.worker) {
                    let printed = lines.end();
                    self.count(exit.worker, printed);
                }
            }
            _ => {}
        }
    }
}

impl PythonObserver {
    fn count(&self, worker: WorkerRef, printed: u64) {
        if printed > 0 {
            let mut seen = self.function.lock();
            seen.printed += printed;
            seen.printing.insert(worker.pid);
        }
    }
}

/// Counts the lines that are not of a traceback.
#[derive(Debug, Default)]
struct LineCounter {
    /// The beginning of the line that has not ended.
    line: Vec<u8>,
    in_traceback: bool,
}

impl LineCounter {
    /// The number of lines that end in these bytes.
    fn add(&mut self, bytes: &[u8]) -> u64 {
        let mut count = 0;
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = (TRACEBACK.len() + 1).saturating_sub(self.line.len());
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if text.len() < part.len() {
                count += u64::from(self.take_line());
            }
        }
        count
    }

    /// The end of the process ends its last line.
    fn end(&mut self) -> u64 {
        u64::from(!self.line.is_empty() && self.take_line())
    }

    /// Whether the line that has ended counts.
    fn take_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        if self.in_traceback {
            self.in_traceback = line.starts_with(b" ");
            return false;
        }
        self.in_traceback = line == TRACEBACK;
        !self.in_traceback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: WorkerRef = WorkerRef { slot: 0, nth: 0, pid: 7 };

    #[test]
    fn lines_are_counted_in_any_pieces_and_without_tracebacks() {
        let text = b"one\n\nTraceback (most recent call last):\n  File \"f.py\", line 1\n    x\nValueError: x\n two\n\
                     Traceback (most recent call last):\nValueError\nthree and no end";
        for piece in 1..text.len() {
            let mut lines = LineCounter::default();
            let ended: u64 = text.chunks(piece).map(|bytes| lines.add(bytes)).sum();
            assert_eq!((ended, lines.end()), (3, 1), "{piece}");
        }
    }

    #[test]
    fn what_was_printed_is_told_with_its_place() {
        let function = PythonFunction::default();
        assert_eq!(function.note_printed(None, false), None);
        let stderr = |bytes: &'static [u8]| Event::Stderr { worker: WORKER, bytes: bytes.into() };
        let mut observer = function.observe();
        observer.on_event(&stderr(b"a\nb"));
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run-1");
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("worker-0-0-7.stderr"), "").unwrap();
        function.run_ended(Some(&run));
        let note = |log: Option<&Path>, is_verbose| function.note_printed(log, is_verbose).unwrap_or_default();
        let path = run.join("worker-0-0-7.stderr");
        let see = format!("the function printed 1 line: see {}", path.display());
        assert_eq!(note(Some(folder.path()), true), see);
        assert_eq!(note(Some(folder.path()), false), see + ", or use --verbose");
        assert_eq!(note(None, false), "the function printed 1 line: --verbose shows them, and a log would hold them");
        assert_eq!(note(None, true), "");
        function.lock().files.insert(run.join("other"));
        assert!(note(Some(folder.path()), true).ends_with("/run-*/worker-*.stderr"));
    }

    #[test]
    fn numbers_and_texts_are_told_together_only() {
        let function = PythonFunction::default();
        let mut observer = function.observe();
        let mut tell = |name: &str| observer.on_event(&Event::ItemType { worker: WORKER, name: name.to_owned() });
        tell("str");
        tell("int (x: int)");
        assert_eq!(function.note_types(), None);
        tell("float");
        assert!(function.note_types().unwrap().contains("--param type=str"));
    }
}
