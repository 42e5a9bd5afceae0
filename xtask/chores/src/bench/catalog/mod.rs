//! The comparisons, each with the target that it is held to.

mod programs;

use super::data::Data;
use super::scenario::{Scenario, SpeedTarget};
use super::side::Side;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The most that a measurement may take of the time of an older version.
const BASELINE_RATIO: f64 = 1.01;

/// The programs that take part.
#[derive(Clone)]
pub(crate) struct Programs {
    pub(crate) coordinator: PathBuf,
    /// Calls the library.
    pub(crate) library: PathBuf,
    pub(crate) peer: PathBuf,
    pub(crate) empty: PathBuf,
    pub(crate) scripts: PathBuf,
}

/// All comparisons, in the order in which they are measured.
pub(crate) fn scenarios(programs: &Programs, data: &Data) -> Vec<Scenario> {
    let catalog = ScenarioCatalog { programs, data };
    vec![
        catalog.compute_on_two(),
        catalog.compute_on_one(),
        catalog.compute_with_log(),
        catalog.threads(),
        catalog.log_cost("log-10us", "200,000 primes of some 10 µs each, with the default log", &data.dearer, 1.05),
        catalog.log_cost("log-1ms", "2,000 primes of some 1 ms each, with the default log", &data.dearest, 1.01),
        catalog.uneven(),
        catalog.transport(),
        catalog.records(
            "csv",
            "2 million records of 50 bytes, the second field: 100 MB/s",
            "csv --no-heading --column 2",
            &data.csv,
            100,
        ),
        catalog.records(
            "jsonl",
            "2 million JSON objects of 50 bytes, a key: 50 MB/s",
            "jsonl --column text",
            &data.jsonl,
            50,
        ),
        catalog.one_item_a_message(),
        catalog.square_roots(),
        catalog.library_roots(),
        catalog.library_primes(),
        catalog.library_submit(),
        catalog.start("start-2", 2, 2.0),
        catalog.start("start-64", 64, 1.0),
        catalog.filter_on_one(),
        catalog.filter_on_two(),
        catalog.command(),
        catalog.python_function(),
    ]
}

/// The same comparisons with an older version of ours in the place of each peer.
pub(crate) fn against_baseline(programs: &Programs, coordinator: &Path, data: &Data) -> Vec<Scenario> {
    let library = coordinator.with_file_name("library");
    let older = Programs { coordinator: coordinator.to_owned(), library: library.clone(), ..programs.clone() };
    let pairs = scenarios(programs, data).into_iter().zip(scenarios(&older, data));
    let compared = pairs.map(|(scenario, older)| Scenario {
        peer: Ok(older.ours.called("the baseline")),
        target: SpeedTarget::Ratio(BASELINE_RATIO),
        items: scenario.items.map(|(ours, _)| (ours, ours)),
        equal: None,
        ..scenario
    });
    compared.filter(|scenario| library.exists() || !scenario.name.starts_with("library-")).collect()
}

struct ScenarioCatalog<'a> {
    programs: &'a Programs,
    data: &'a Data,
}

impl ScenarioCatalog<'_> {
    fn ours(&self, line: &str) -> Side {
        Side::wall("procession", &self.programs.coordinator).words("--quiet --progress never").words(line)
    }

    fn rayon(&self) -> Side {
        Side::reported("Rayon, 2 threads", &self.programs.peer).arg("rayon").arg(&self.data.primes).arg("2")
    }

    fn compute_on_two(&self) -> Scenario {
        Scenario {
            name: "compute-2",
            what: "a million 8-digit primes by trial division, 2 workers; the peer has them in memory and times its loop",
            ours: self.ours("--task prime --procs 2 --log off --input").arg(&self.data.primes),
            ..scenario(Ok(self.rayon()), SpeedTarget::Ratio(1.03))
        }
    }

    fn compute_on_one(&self) -> Scenario {
        let peer = Side::reported("plain loop", &self.programs.peer).arg("loop").arg(&self.data.primes);
        Scenario {
            name: "compute-1",
            what: "the same, 1 worker; the peer is a plain loop",
            ours: self.ours("--task prime --procs 1 --log off --input").arg(&self.data.primes),
            ..scenario(Ok(peer), SpeedTarget::Ratio(1.03))
        }
    }

    fn compute_with_log(&self) -> Scenario {
        let log = self.data.scratch("log");
        let ours = self.ours("--task prime --procs 2 --input").arg(&self.data.primes).arg("--log-dir").arg(&log);
        Scenario {
            name: "compute-2-log",
            what: "as compute-2, with a log line for every item",
            ours: ours.clearing(&log),
            ..scenario(Ok(self.rayon()), SpeedTarget::Ratio(1.12))
        }
    }

    fn threads(&self) -> Scenario {
        Scenario {
            name: "threads-2",
            what: "as compute-2, on 2 threads of ours",
            ours: self.ours("--task prime --threads 2 --log off --input").arg(&self.data.primes),
            ..scenario(Ok(self.rayon()), SpeedTarget::Ratio(1.02))
        }
    }

    /// What the default log and its figures cost.
    fn log_cost(&self, name: &'static str, what: &'static str, items: &Path, most: f64) -> Scenario {
        let log = self.data.scratch("cost-log");
        let ours = self.ours("--task prime --procs 2 --input").arg(items).arg("--log-dir").arg(&log);
        let without = Side::wall("the same with --log off", &self.programs.coordinator)
            .words("--quiet --progress never --task prime --procs 2 --log off --input");
        Scenario { name, what, ours: ours.clearing(&log), ..scenario(Ok(without.arg(items)), SpeedTarget::Ratio(most)) }
    }

    /// The best that can be done with items in this order by one who does not
    /// know what they take: each to the worker that is free first.
    fn uneven(&self) -> Scenario {
        let peer = Side::reported("2 threads that take item after item", &self.programs.peer);
        Scenario {
            name: "uneven",
            what: "15 primes by the naive method, some of which take five times as long, 2 workers",
            ours: self.ours("--task prime --param method=naive --procs 2 --log off --input").arg(&self.data.uneven),
            ..scenario(Ok(peer.arg("list").arg(&self.data.uneven).arg("2")), SpeedTarget::Ratio(1.05))
        }
    }

    fn transport(&self) -> Scenario {
        let (ours, peers) = (self.data.scratch("lines-ours"), self.data.scratch("lines-peer"));
        let line = "--task null --format lines --procs 2 --log off --input";
        let cat = installed("cat").map(|()| {
            let script = "exec cat < \"$0\" | cat > \"$1\"";
            Side::wall("cat | cat", "sh").arg("-c").arg(script).arg(&self.data.lines).arg(&peers).clearing(&peers)
        });
        Scenario {
            name: "transport",
            what: "10 million short lines (79 MB) from file to file, through 2 workers and back in order",
            ours: self.ours(line).arg(&self.data.lines).arg("--output").arg(&ours).clearing(&ours),
            equal: Some((self.data.lines.clone(), ours)),
            ..scenario(cat, SpeedTarget::Ratio(3.0))
        }
    }

    /// The speed at which tables are read, in megabytes a second at least.
    fn records(&self, name: &'static str, what: &'static str, rule: &str, table: &Path, speed: u32) -> Scenario {
        let out = self.data.scratch(name);
        let line = format!("--task null --format lines --procs 2 --log off --items {rule} --input");
        let records = f64::from(Data::RECORDS);
        let micros = f64::from(u32::try_from(Data::RECORD_BYTES).unwrap_or(u32::MAX)) / f64::from(speed);
        Scenario {
            name,
            what,
            ours: self.ours(&line).arg(table).arg("--output").arg(&out).clearing(&out),
            items: Some((records, records)),
            ..scenario(Err("a speed of its own is to be reached".to_owned()), SpeedTarget::MicrosPerItem(micros))
        }
    }

    fn one_item_a_message(&self) -> Scenario {
        const PEER_ITEMS: u32 = 100_000;
        let out = self.data.scratch("each-ours");
        let line = "--task null --format lines --chunk 1 --procs 2 --log off --input";
        let pool =
            self.python("Python Pool, chunksize=1", "peer_chunk.py").map(|side| side.arg(PEER_ITEMS.to_string()));
        Scenario {
            name: "chunk-1",
            what: "a million items, one a message; the peer's are fewer",
            ours: self.ours(line).arg(&self.data.fewer_lines).arg("--output").arg(&out).clearing(&out),
            items: Some((f64::from(Data::FEWER_LINES), f64::from(PEER_ITEMS))),
            ..scenario(pool, SpeedTarget::MicrosPerItem(3.0))
        }
    }

    fn square_roots(&self) -> Scenario {
        let (ours, peers) = (self.data.scratch("roots-ours"), self.data.scratch("roots-peer"));
        let line = "--task sqrt --format lines --procs 2 --log off --input";
        let pool = self.python("Python Pool(2).map", "peer_sqrt.py");
        let pool = pool.map(|side| side.arg(&self.data.lines).arg(&peers).clearing(&peers));
        Scenario {
            name: "sqrt",
            what: "10 million square roots from file to file",
            ours: self.ours(line).arg(&self.data.lines).arg("--output").arg(&ours).clearing(&ours),
            equal: Some((ours, peers)),
            is_slow: true,
            ..scenario(pool, SpeedTarget::TimesFaster(8.0))
        }
    }

    fn library(&self, line: &str) -> Side {
        Side::reported("procession, the library", &self.programs.library).words(line)
    }

    fn library_roots(&self) -> Scenario {
        const ITEMS: u32 = 10_000_000;
        let pool = self.python("Python Pool(2).map", "peer_map.py");
        Scenario {
            name: "library-sqrt",
            what: "the library's map of 10 million square roots, 2 workers, in memory",
            ours: self.library("roots").arg(ITEMS.to_string()).arg("2"),
            is_slow: true,
            ..scenario(pool.map(|side| side.arg(ITEMS.to_string())), SpeedTarget::TimesFaster(8.0))
        }
    }

    fn library_primes(&self) -> Scenario {
        Scenario {
            name: "library-primes",
            what: "the library's map of a million 8-digit primes by trial division, 2 workers",
            ours: self.library("primes").arg(&self.data.primes).arg("2"),
            ..scenario(Ok(self.rayon()), SpeedTarget::Ratio(1.03))
        }
    }

    fn library_submit(&self) -> Scenario {
        const CALLS: u32 = 20_000;
        let peer = Side::reported("8 bytes there and back over pipes", &self.programs.peer).arg("roundtrip");
        Scenario {
            name: "library-submit",
            what: "an item submitted to an idle pool, until its result is there",
            ours: self.library("roundtrip").arg(CALLS.to_string()),
            ..scenario(Ok(peer.arg(CALLS.to_string())), SpeedTarget::Ratio(2.0))
        }
    }

    /// From the pool's creation until every worker has said hello, by the
    /// call's own log. There are as many items as workers, and each item takes so long
    /// that the pool stays open until every worker has one.
    fn start(&self, name: &'static str, workers: u32, most: f64) -> Scenario {
        let line = format!("--task misbehave --format lines --chunk 1 --procs {workers} --cycle --size {workers}");
        let peer = Side::reported("spawn and reap empty processes", &self.programs.peer);
        let peer = peer.arg("spawn").arg(workers.to_string()).arg(&self.programs.empty);
        let log = self.data.scratch("start-log");
        Scenario {
            name,
            what: "workers started and ready for work",
            ours: Side::ready("procession", &self.programs.coordinator, &log, workers)
                .words(&line)
                .arg("--list")
                .arg("sleep 1000"),
            ..scenario(Ok(peer), SpeedTarget::Ratio(most))
        }
    }

    fn python(&self, name: &str, script: &str) -> Result<Side, String> {
        installed("python3")?;
        let script = self.programs.scripts.join(script);
        // The scripts print their own seconds where no file is read and written.
        let side = if script.ends_with("peer_sqrt.py") { Side::wall } else { Side::reported };
        Ok(side(name, "python3").arg(script))
    }
}

/// What most comparisons have in common; the rest is filled in around it.
fn scenario(peer: Result<Side, String>, target: SpeedTarget) -> Scenario {
    let ours = Side::wall("procession", "");
    Scenario { name: "", what: "", ours, peer, target, items: None, equal: None, is_slow: false }
}

/// Whether a program can be started at all.
fn installed(program: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("{program} is not installed")),
    }
}

/// Names of all comparisons, for `--only`.
pub(crate) fn names() -> Vec<&'static str> {
    let nowhere = Path::new("").to_owned();
    let programs = Programs {
        coordinator: nowhere.clone(),
        library: nowhere.clone(),
        peer: nowhere.clone(),
        empty: nowhere.clone(),
        scripts: nowhere.clone(),
    };
    scenarios(&programs, &Data::at(&nowhere)).iter().map(|scenario| scenario.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut all = names();
        assert!(all.contains(&"transport"));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), names().len());
    }

    #[test]
    fn missing_programs_are_named() {
        assert_eq!(installed("no-such-program"), Err("no-such-program is not installed".to_owned()));
        assert_eq!(installed("cat"), Ok(()));
    }
}
