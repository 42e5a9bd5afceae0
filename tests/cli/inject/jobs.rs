//! The small jobs whose system calls fail.

use crate::support::Place;

/// A job, and what it has to give.
pub(super) struct TracedJob {
    pub(super) name: &'static str,
    pub(super) args: &'static [&'static str],
    items: u32,
    /// What becomes of an item.
    output: fn(u32) -> String,
}

/// All jobs. The first two are the bounded share.
pub(super) const JOBS: [TracedJob; 8] = [
    TracedJob {
        name: "processes",
        args: &["-t", "null", "-i", "in", "-j2", "--chunk", "5", "-o", "out.tsv", "--log-dir", "log", "-q"],
        items: 40,
        output: same,
    },
    TracedJob {
        name: "command",
        args: &["-t", "command", "-i", "in", "-j2", "-o", "out.tsv", "--log-dir", "log", "-q", "--", "echo", "{}"],
        items: 6,
        output: same,
    },
    TracedJob {
        name: "threads",
        args: &["-t", "null", "-i", "in", "--threads", "2", "--chunk", "5", "-o", "out.tsv", "--log-dir", "log", "-q"],
        items: 40,
        output: same,
    },
    TracedJob {
        name: "serial",
        args: &["-t", "null", "-i", "in", "--serial", "-o", "out.tsv", "--log-dir", "log"],
        items: 40,
        output: same,
    },
    TracedJob {
        name: "filter",
        args: &["-t", "filter", "-i", "in", "-j2", "-o", "out.tsv", "--log-dir", "log", "-q", "--", "cat"],
        items: 20,
        output: same,
    },
    TracedJob {
        name: "pipe",
        args: &[
            "-t",
            "pipe",
            "-i",
            "in",
            "-j2",
            "--chunk",
            "10",
            "--format",
            "lines",
            "-o",
            "out.tsv",
            "--log-dir",
            "log",
            "-q",
            "--",
            "cat",
        ],
        items: 20,
        output: line,
    },
    TracedJob {
        name: "study",
        args: &[
            "-t",
            "null",
            "-i",
            "in",
            "--compare",
            "-j",
            "1,2",
            "-o",
            "out.tsv",
            "--log-dir",
            "log",
            "--timings",
            "t.json",
            "--report",
            "p.html",
        ],
        items: 40,
        output: same,
    },
    TracedJob {
        name: "python",
        args: &["-t", "python", "-i", "in", "-j1", "-o", "out.tsv", "--log-dir", "log", "-q", "--", "f.py:same"],
        items: 4,
        output: same,
    },
];

fn same(item: u32) -> String {
    format!("{item}\t{item}\n")
}

fn line(item: u32) -> String {
    format!("{item}\n")
}

impl TracedJob {
    /// A folder with the job's input.
    pub(super) fn place(&self) -> Place {
        let place = Place::new();
        place.file("in", (1..=self.items).map(line).collect::<String>());
        place.file("f.py", "def same(x):\n    return x\n");
        place
    }

    /// Whether the output is what it should be.
    pub(super) fn is_complete(&self, place: &Place) -> bool {
        let expected: String = (1..=self.items).map(self.output).collect();
        std::fs::read_to_string(place.path("out.tsv")).is_ok_and(|written| written == expected)
    }

    /// The arguments that complete the output after a failure; `None` for a study,
    /// which can't be resumed.
    pub(super) fn resume(&self) -> Option<Vec<&'static str>> {
        let study = self.args.contains(&"--compare");
        let (before, program) =
            self.args.split_at(self.args.iter().position(|&arg| arg == "--").unwrap_or(self.args.len()));
        let before = before.iter().map(|&arg| if arg == "log" { "log-2" } else { arg });
        (!study).then(|| before.chain(["--resume"]).chain(program.iter().copied()).collect())
    }
}
