//! Writes the files that show what was measured (`--report`, `--chart`,
//! `--timings`, `--trace`). Their paths are checked before any work. They are
//! rewritten after each run, each in one step.

mod target;

use crate::args::{FileFlags, FileKind};
use procession_report::{StudyData, chart, page, write_timings, write_trace};
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use target::FileTarget;

/// A file that takes longer to write than this is not rewritten after each of
/// many short runs.
const FAST: Duration = Duration::from_millis(100);
/// A slow file is rewritten only after this many times the duration of its last
/// writing: the total time grows with the number of runs, not its square.
const PAUSE_FACTOR: u32 = 3;

/// The files of a call.
pub(crate) struct ReportFiles(Vec<ReportFile>);

/// A file that shows what was measured.
struct ReportFile {
    kind: FileKind,
    target: FileTarget,
    /// When it was written, and how long that took.
    written: Option<(Instant, Duration)>,
    /// Whether it shows every run.
    is_current: bool,
    /// A note for the user.
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

impl ReportFiles {
    /// Checks that each of these files can be written. One that can't be is put
    /// into the folder `fallback`, if there is one.
    ///
    /// # Errors
    /// The file that can't be written, and why.
    pub(crate) fn new(files: &FileFlags, fallback: Option<&Path>) -> Result<Self, Unwritten> {
        let file = |(kind, path): (FileKind, &Path)| {
            let target = FileTarget::check(path).or_else(|error| match fallback.zip(path.file_name()) {
                Some((folder, name)) => FileTarget::check(&folder.join(name)),
                None => Err(error),
            });
            let target = target.map_err(|why| Unwritten::new(kind, path, why.into()))?;
            Ok(ReportFile { kind, target, written: None, is_current: true, note: None })
        };
        files.all().into_iter().map(file).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are any.
    pub(crate) fn are_wanted(&self) -> bool {
        !self.0.is_empty()
    }

    /// The path of the HTML page, if it was written.
    pub(crate) fn page(&self) -> Option<PathBuf> {
        let page = self.0.iter().find(|file| file.kind == FileKind::Report && file.written.is_some())?;
        std::path::absolute(page.target.path()).ok()
    }

    /// Notes for the user.
    pub(crate) fn notes(&self) -> Vec<&str> {
        self.0.iter().filter_map(|file| file.note.as_deref()).collect()
    }

    /// Rewrites them after a run, except slow ones that are not due yet.
    pub(crate) fn rewrite(&mut self, data: &[StudyData]) -> Vec<Unwritten> {
        self.0.iter_mut().for_each(|file| file.is_current = false);
        self.0.iter_mut().filter(|file| file.is_due()).filter_map(|file| file.write(data).err()).collect()
    }

    /// Rewrites those that do not show every run, after the last run.
    pub(crate) fn finish(&mut self, data: &[StudyData]) -> Vec<Unwritten> {
        self.0.iter_mut().filter(|file| !file.is_current).filter_map(|file| file.write(data).err()).collect()
    }

    /// Writes all of them.
    pub(crate) fn write(&mut self, data: &[StudyData]) -> Vec<Unwritten> {
        self.0.iter_mut().filter_map(|file| file.write(data).err()).collect()
    }
}

impl ReportFile {
    fn is_due(&self) -> bool {
        self.written.is_none_or(|(at, took)| took <= FAST || at.elapsed() >= took * PAUSE_FACTOR)
    }

    fn write(&mut self, data: &[StudyData]) -> Result<(), Unwritten> {
        let begun = Instant::now();
        let (kind, note) = (self.kind, &mut self.note);
        let written = self.target.replace(|out| {
            *note = render(kind, data, out)?;
            Ok(())
        });
        self.written = Some((Instant::now(), begun.elapsed()));
        self.is_current = written.is_ok();
        written.map_err(|why| Unwritten::new(self.kind, self.target.path(), why))
    }
}

impl Unwritten {
    fn new(kind: FileKind, path: &Path, why: Box<dyn Error>) -> Self {
        let name = procession_task::escape_terminal(path.as_os_str().as_encoded_bytes());
        Self { flag: kind.flag(), name, why }
    }
}

/// Writes a file; returns a note for the user.
fn render(kind: FileKind, data: &[StudyData], out: &mut dyn Write) -> Result<Option<String>, Box<dyn Error>> {
    match kind {
        FileKind::Report => out.write_all(page(data)?.as_bytes())?,
        FileKind::Svg => out.write_all(main_chart(data)?.standalone().as_bytes())?,
        #[cfg(feature = "png")]
        FileKind::Png => out.write_all(&main_chart(data)?.to_png()?)?,
        #[cfg(not(feature = "png"))]
        FileKind::Png => return Err(crate::args::NO_PNG.into()),
        FileKind::Timings(format) => write_timings(data, format, out)?,
        FileKind::Trace => {
            let left_out = write_trace(data, out)?.left_out;
            let note = || {
                format!(
                    "the trace omits {}: trace viewers can't hold as many; it has all chunks",
                    procession_task::counted(left_out, "item")
                )
            };
            return Ok((left_out > 0).then(note));
        }
    }
    Ok(None)
}

fn main_chart(data: &[StudyData]) -> Result<chart::Svg, Box<dyn Error>> {
    chart::by_count(data)?.ok_or_else(|| "no chart: no run has ended".into())
}
