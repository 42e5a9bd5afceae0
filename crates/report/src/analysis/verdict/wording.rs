//! Describes verdicts and reasons.

use super::reason::Reason;
use super::too_short::LongerWork;
use super::{Best, Finding, Useless, Verdict, verdicts};
use crate::analysis::measured::{Basis, Measured, measure};
use crate::model::run_summary::RunSummary;
use crate::model::study::{Executor, StudyRecord};
use crate::model::study_data::StudyData;
use crate::text::units;
use std::fmt;

/// The verdict in sentences, one for each executor and size. Unescaped and not broken
/// into lines; they hold no text from the user.
#[must_use]
pub(crate) fn lines(study: &StudyRecord, runs: &[RunSummary]) -> Vec<String> {
    let rows = measure(runs, study.machine.usable_cores.max(1));
    sentences(&verdicts(study, &rows))
}

/// A sentence for each verdict. Size and chunk are named if they differ.
fn sentences(verdicts: &[Verdict]) -> Vec<String> {
    let differs = |of: &dyn Fn(&Verdict) -> bool| verdicts.iter().any(of);
    let Some(first) = verdicts.first() else { return Vec::new() };
    let (sizes, chunks) = (differs(&|other| other.size != first.size), differs(&|other| other.chunk != first.chunk));
    let prefixed = |of: &Verdict| {
        let size = of.size.filter(|_| sizes).map(|size| format!("size {size}"));
        let chunk = of.chunk.fixed().filter(|_| chunks).map(|chunk| format!("chunk {chunk}"));
        let prefix: Vec<String> = size.into_iter().chain(chunk).collect();
        if prefix.is_empty() { of.to_string() } else { format!("{}: {of}", prefix.join(", ")) }
    };
    let mut sentences: Vec<String> = verdicts.iter().map(prefixed).collect();
    // The executors of a comparison may have the same work that is too short.
    sentences.dedup();
    sentences
}

impl StudyData {
    /// The verdict in sentences; see [`lines`].
    #[must_use]
    pub(crate) fn verdict(&self) -> Vec<String> {
        lines(&self.study, &self.runs)
    }

    /// A line for each of these rows of this study that has a reason.
    pub(crate) fn limits(&self, rows: &[Measured]) -> Vec<String> {
        let line = |(row, reason): (&Measured, Option<Reason>)| {
            let of = &row.configuration;
            let size = of.size.map_or_else(String::new, |size| format!(", size {size}"));
            let chunk = of.chunk.fixed().map_or_else(String::new, |chunk| format!(", chunk {chunk}"));
            let told = reason?.of(row.basis, of.executor).to_string();
            Some(format!("{}{size}{chunk}: {told}\n", of.executor.counted(of.count)))
        };
        rows.iter().zip(self.reasons(rows)).filter_map(line).collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = |count: u32| self.executor.counted(count);
        match &self.finding {
            Finding::TooShort { of, wall_s, longer } => {
                write!(f, "{} {} is too short to measure", units::seconds(*wall_s), there(*of))?;
                match longer {
                    Some(longer) => write!(f, "; {longer} gives about 1 s."),
                    None => f.write_str("."),
                }
            }
            Finding::Alone { count, reason } => write!(f, "{}: {}.", workers(*count), reason.of(None, self.executor)),
            Finding::Compared { basis, best, idle } => {
                match best {
                    Some(best) => self.best(f, *basis, best)?,
                    None => write!(f, "Nothing is faster than {}.", shown(*basis))?,
                }
                for (at, group) in idle.iter().enumerate() {
                    let noun = at == 0 && best.is_none();
                    self.useless(f, *basis, group, noun)?;
                }
                Ok(())
            }
        }
    }
}

impl Verdict {
    fn best(&self, f: &mut fmt::Formatter<'_>, basis: Basis, best: &Best) -> fmt::Result {
        let than = match basis {
            Basis::Workers(executor, count) if executor == self.executor => count.to_string(),
            basis => shown(basis),
        };
        write!(f, "{}: {:.2}× as fast as {than}", self.executor.counted(best.count), best.speedup)?;
        if let Some(reason) = &best.reason {
            write!(f, " ({})", reason.of(Some(basis), self.executor))?;
        }
        f.write_str(".")
    }

    fn useless(&self, f: &mut fmt::Formatter<'_>, basis: Basis, group: &Useless, noun: bool) -> fmt::Result {
        let &[first, ref rest @ ..] = group.counts.as_slice() else { return Ok(()) };
        let list = list(&group.counts);
        let counts = match rest.last() {
            None if noun => self.executor.counted(first),
            Some(last) if noun => self.executor.counted(*last).replacen(&last.to_string(), &list, 1),
            _ => list,
        };
        let adds = if rest.is_empty() && (!noun || first == 1) { "adds" } else { "add" };
        let reason = group.reason.as_ref().map(|reason| reason.of(Some(basis), self.executor).to_string());
        write!(f, " {counts} {adds} nothing: {}.", reason.as_deref().unwrap_or("the figures show no reason"))
    }
}

/// Ascending counts: `3–5`, or `4, 8 and 16` if some between them were not measured.
fn list(counts: &[u32]) -> String {
    let words: Vec<String> = counts.iter().map(u32::to_string).collect();
    match words.as_slice() {
        [first, .., last] if counts.windows(2).all(|pair| pair[1] == pair[0] + 1) => format!("{first}–{last}"),
        [firsts @ .., last] if !firsts.is_empty() => format!("{} and {last}", firsts.join(", ")),
        _ => words.concat(),
    }
}

/// What was compared with, as in `1 process` or `the loop`.
fn shown(basis: Basis) -> String {
    match basis {
        Basis::Serial => "the loop".to_owned(),
        Basis::Workers(executor, count) => executor.counted(count),
    }
}

/// Where a basis ran, as in `on 1 process` or `in the loop`.
fn there(basis: Basis) -> String {
    let preposition = if basis == Basis::Serial { "in" } else { "on" };
    format!("{preposition} {}", shown(basis))
}

impl fmt::Display for LongerWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Items(size) => write!(f, "--size {size} (with --cycle if the list is shorter)"),
            Self::Picture { side, max_iterations: None } => write!(f, "--size {side}"),
            Self::Picture { side, max_iterations: Some(most) } => {
                write!(f, "--size {side} or --param max-iterations={most}")
            }
        }
    }
}

impl Reason {
    /// The reason in words, of workers of this executor, compared with a basis.
    pub(crate) fn of(&self, basis: Option<Basis>, executor: Executor) -> ReasonWording<'_> {
        ReasonWording { reason: self, basis, executor }
    }
}

/// A reason and what it is about.
pub(crate) struct ReasonWording<'a> {
    reason: &'a Reason,
    basis: Option<Basis>,
    executor: Executor,
}

impl ReasonWording<'_> {
    /// A worker, as in `process`.
    fn worker(&self) -> &'static str {
        match self.executor {
            Executor::Serial => "loop",
            Executor::Threads => "thread",
            Executor::Procs => "process",
        }
    }

    /// Where the basis ran its items, as in `on 1` or `in the loop`.
    fn there(&self) -> String {
        match self.basis {
            Some(Basis::Serial) => "in the loop".to_owned(),
            Some(Basis::Workers(_, count)) => format!("on {count}"),
            None => "alone".to_owned(),
        }
    }
}

impl fmt::Display for ReasonWording<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let worker = self.worker();
        match self.reason {
            Reason::TooFewItems { items } => write!(f, "only {}", units::counted(*items, "item")),
            Reason::StartAndEnd { each_s, wall_s, .. } => {
                let (each, wall) = (units::seconds(*each_s), units::seconds(*wall_s));
                write!(f, "a {worker} takes {each} of {wall} to start and end")
            }
            Reason::LargeChunk { chunk, chunks } => {
                write!(f, "--chunk {chunk} makes only {}", units::counted(*chunks, "chunk"))
            }
            Reason::LongestItem { item_s, wall_s } => {
                write!(f, "one item takes {} of {}", units::seconds(*item_s), units::seconds(*wall_s))
            }
            Reason::Uneven { items, most } => {
                write!(f, "one {worker} has to run {most} of {}", units::counted(*items, "item"))
            }
            Reason::Input { share } => write!(f, "reading the input takes {} of the time", percent(*share)),
            Reason::Output { share } => write!(f, "writing the output takes {} of the time", percent(*share)),
            Reason::SmallItems { share, item_s } => {
                let item = units::seconds(*item_s);
                write!(f, "items of {item} are small, handing them over takes {} of the time", percent(*share))
            }
            Reason::Quota { cpus, share } => write!(f, "a quota of {cpus} CPUs, {} used", percent(*share)),
            Reason::OtherPrograms { other_s, wall_s } => {
                let (other, wall) = (units::seconds(*other_s), units::seconds(*wall_s));
                write!(f, "other programs used {other} of CPU time in {wall}")
            }
            Reason::SharedCores { cpus, cores, times } => {
                let cores = units::counted(u64::from(*cores), "core");
                write!(f, "{cpus} CPUs are {cores}: items take {times:.1}× the CPU time {}", self.there())
            }
            Reason::Slowed { times } => {
                write!(f, "items take {times:.1}× the CPU time {}: memory or caches are shared", self.there())
            }
            Reason::Cpus { cpus, cores, share } => {
                let cores =
                    cores.map_or_else(String::new, |cores| format!(" ({})", units::counted(u64::from(cores), "core")));
                let each = if *cpus == 1 { "" } else { "each " };
                write!(f, "{}{cores}, {each}{} busy", units::counted(u64::from(*cpus), "CPU"), percent(*share))
            }
            Reason::Contention { share, times } => write!(
                f,
                "items use a CPU {} of the time and take {times:.1}× as long as {}: they wait for a lock, a disk or a network",
                percent(*share),
                self.there()
            ),
            Reason::Phase { phase, share } => {
                let what = match *phase {
                    "start-up" => "starting",
                    "waiting" => "waiting for items",
                    "writing" => "writing results",
                    "other" => "lost with processes that died",
                    other => other,
                };
                write!(f, "{} of the time is {what}", percent(*share))
            }
            Reason::Noise { share } => {
                write!(f, "too noisy to say, differences below {} mean nothing", percent(*share))
            }
            Reason::FreeCpus { count, cpus } => write!(f, "{count} of {cpus} CPUs busy, more may help"),
            Reason::ItemsWait { share } => write!(f, "items use a CPU {} of the time, more may help", percent(*share)),
        }
    }
}
