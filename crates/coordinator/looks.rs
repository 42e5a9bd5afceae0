//! The files that show what was measured: checked before any work, rewritten
//! after each run, each replaced in one step.

mod place;

use crate::args::{FileFlags, Shown};
use place::Place;
use procession_report::{StudyData, chart, page, write_timings, write_trace};
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A file that takes longer to write than this is not written after each of
/// many short runs.
const QUICK: Duration = Duration::from_millis(100);
/// How many times as long as its last writing a slow file is left alone: the
/// time for it grows with the runs, not with their square.
const PAUSE: u32 = 3;

/// Whether files are being made.
static BUSY: AtomicBool = AtomicBool::new(false);

/// Whether files are being made: a call that is to end has something to do.
pub(crate) fn are_being_made() -> bool {
    BUSY.load(Ordering::Relaxed)
}

/// Says so for as long as it lives.
pub(crate) struct Making(());

impl Making {
    pub(crate) fn begin() -> Self {
        BUSY.store(true, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        BUSY.store(false, Ordering::Relaxed);
    }
}

/// The files of a call.
pub(crate) struct Looks(Vec<Look>);

/// One of them.
struct Look {
    shown: Shown,
    place: Place,
    /// When it was written, and how long that took.
    written: Option<(Instant, Duration)>,
    /// Whether it has all that is known.
    is_current: bool,
    /// What people should know of it.
    note: Option<String>,
}

/// A file that could not be written.
#[derive(Debug)]
pub(crate) struct Unwritten {
    flag: &'static str,
    name: String,
    why: Box<dyn Error>,
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.flag, self.name, self.why)
    }
}

impl Looks {
    /// Makes sure that each of these files can be written. The `demo`'s page
    /// goes to the log's folder where it can't.
    ///
    /// # Errors
    /// One that can't be, and why.
    pub(crate) fn new(files: &FileFlags, fallback: Option<&Path>) -> Result<Self, Unwritten> {
        let look = |(shown, path): (Shown, &Path)| {
            let place = Place::check(path).or_else(|error| match fallback.zip(path.file_name()) {
                Some((folder, name)) => Place::check(&folder.join(name)),
                None => Err(error),
            });
            let place = place.map_err(|why| Unwritten::new(shown, path, why.into()))?;
            Ok(Look { shown, place, written: None, is_current: true, note: None })
        };
        files.all().into_iter().map(look).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is any.
    pub(crate) fn are_wanted(&self) -> bool {
        !self.0.is_empty()
    }

    /// Where the page is.
    pub(crate) fn page(&self) -> Option<PathBuf> {
        let page = self.0.iter().find(|look| look.shown == Shown::Report && look.written.is_some())?;
        std::path::absolute(page.place.path()).ok()
    }

    /// What people should know of them.
    pub(crate) fn notes(&self) -> Vec<&str> {
        self.0.iter().filter_map(|look| look.note.as_deref()).collect()
    }

    /// Writes them after a run, but those that would take too much of the time.
    pub(crate) fn rewrite(&mut self, data: &[StudyData]) -> Vec<Unwritten> {
        self.0.iter_mut().for_each(|look| look.is_current = false);
        self.0.iter_mut().filter(|look| look.is_due()).filter_map(|look| look.write(data).err()).collect()
    }

    /// Writes those that lack something, when nothing more comes.
    pub(crate) fn finish(&mut self, data: &[StudyData]) -> Vec<Unwritten> {
        self.0.iter_mut().filter(|look| !look.is_current).filter_map(|look| look.write(data).err()).collect()
    }

    /// Writes them all, once.
    pub(crate) fn write(&mut self, data: &[StudyData]) -> Vec<Unwritten> {
        self.0.iter_mut().filter_map(|look| look.write(data).err()).collect()
    }
}

impl Look {
    fn is_due(&self) -> bool {
        self.written.is_none_or(|(at, took)| took <= QUICK || at.elapsed() >= took * PAUSE)
    }

    fn write(&mut self, data: &[StudyData]) -> Result<(), Unwritten> {
        let begun = Instant::now();
        let (shown, note) = (self.shown, &mut self.note);
        let written = self.place.replace(|out| {
            *note = render(shown, data, out)?;
            Ok(())
        });
        self.written = Some((Instant::now(), begun.elapsed()));
        self.is_current = written.is_ok();
        written.map_err(|why| Unwritten::new(self.shown, self.place.path(), why))
    }
}

impl Unwritten {
    fn new(shown: Shown, path: &Path, why: Box<dyn Error>) -> Self {
        let name = procession_task::escape_terminal(path.as_os_str().as_encoded_bytes());
        Self { flag: shown.flag(), name, why }
    }
}

/// Writes one; answers with what people should know of it.
fn render(shown: Shown, data: &[StudyData], out: &mut dyn Write) -> Result<Option<String>, Box<dyn Error>> {
    match shown {
        Shown::Report => out.write_all(page(data)?.as_bytes())?,
        Shown::Svg => out.write_all(main_chart(data)?.standalone().as_bytes())?,
        #[cfg(feature = "png")]
        Shown::Png => out.write_all(&main_chart(data)?.to_png()?)?,
        #[cfg(not(feature = "png"))]
        Shown::Png => return Err(crate::args::NO_PNG.into()),
        Shown::Timings(format) => write_timings(data, format, out)?,
        Shown::Trace => {
            let left_out = write_trace(data, out)?.left_out;
            let note = || {
                format!(
                    "the trace is without {}, more than its viewers could hold; the chunks are there",
                    procession_task::counted(left_out, "item")
                )
            };
            return Ok((left_out > 0).then(note));
        }
    }
    Ok(None)
}

fn main_chart(data: &[StudyData]) -> Result<chart::Svg, Box<dyn Error>> {
    chart::by_count(data)?.ok_or_else(|| "there is no chart: no run has ended".into())
}
