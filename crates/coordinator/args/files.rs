//! The flags for files that show what was measured. The extension of a file
//! says what is written.

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use procession_report::TimingsFormat;
use std::path::{Path, PathBuf};

/// Why a chart can't be a PNG picture, in a program that was built without the
/// feature `png`.
pub(crate) const NO_PNG: &str = "this program was built without PNG charts: give a name that ends in .svg, or use the \
                                 coordinator that `cargo install` builds";

/// The files that show what was measured.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FileFlags {
    /// Write an HTML page with tables and charts
    ///
    /// The page is one file without references to others. This file and those of --chart, --timings and --trace are
    /// replaced after each run, each in one step, so that an interrupted study leaves what it measured.
    /// [default: none]
    #[arg(long, value_name = "FILE.html", value_parser = page())]
    pub(crate) report: Option<PathBuf>,

    /// Write a chart of time and speedup
    ///
    /// It shows them by the count of workers, for a paper or slides. [default: none]
    #[arg(long, value_name = "FILE.svg|.png", value_parser = chart(cfg!(feature = "png")), hide_short_help = true)]
    pub(crate) chart: Option<PathBuf>,

    /// Write every measurement (.json, .csv), or the table as Markdown (.md)
    ///
    /// [default: none]
    #[arg(long, hide_short_help = true, value_name = "FILE.json|.csv|.md", value_parser = named(&["json", "csv", "md"]))]
    pub(crate) timings: Option<PathBuf>,

    /// Write a trace for Perfetto or Chrome, with a track for each process
    ///
    /// [default: none]
    #[arg(long, hide_short_help = true, value_name = "FILE.json", value_parser = named(&["json"]))]
    pub(crate) trace: Option<PathBuf>,
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// The page.
    Report,
    /// The chart, as SVG.
    Svg,
    /// The chart, as PNG.
    Png,
    /// The figures.
    Timings(TimingsFormat),
    /// The trace.
    Trace,
}

impl FileKind {
    /// The flag that asks for it.
    pub(crate) const fn flag(self) -> &'static str {
        match self {
            Self::Report => "--report",
            Self::Svg | Self::Png => "--chart",
            Self::Timings(_) => "--timings",
            Self::Trace => "--trace",
        }
    }
}

impl FileFlags {
    /// The files, in the order in which they are written: the fastest first, so
    /// that a call that is killed meanwhile has written as many as possible.
    pub(crate) fn all(&self) -> Vec<(FileKind, &Path)> {
        let chart = |path: &Path| if extension(path) == "png" { FileKind::Png } else { FileKind::Svg };
        let timings = |path: &Path| FileKind::Timings(TimingsFormat::of_path(path).unwrap_or(TimingsFormat::Json));
        let all = [
            self.timings.as_deref().map(|path| (timings(path), path)),
            self.report.as_deref().map(|path| (FileKind::Report, path)),
            self.chart.as_deref().map(|path| (chart(path), path)),
            self.trace.as_deref().map(|path| (FileKind::Trace, path)),
        ];
        all.into_iter().flatten().collect()
    }

    /// Refuses a file that another flag names too.
    ///
    /// # Errors
    /// The two flags that name it.
    pub(crate) fn check_distinct(&self, others: &[(&'static str, &Path)]) -> Result<(), String> {
        let mut seen = others.to_vec();
        for (kind, path) in self.all() {
            if let Some((flag, _)) = seen.iter().find(|(_, other)| is_same(other, path)) {
                let own = kind.flag();
                return Err(format!("{flag} and {own} name the same file: give them different files"));
            }
            seen.push((kind.flag(), path));
        }
        Ok(())
    }
}

/// Whether two paths are of one file, as far as the paths tell.
fn is_same(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
    a == b || place(a).is_some_and(|a| Some(a) == place(b))
}

/// Parses the path of an HTML page.
pub(super) fn page() -> impl TypedValueParser<Value = PathBuf> {
    named(&["html", "htm"])
}

/// Parses the path of a chart; a PNG picture only if this program can make one.
fn chart(has_png: bool) -> impl TypedValueParser<Value = PathBuf> {
    let is_made = move |path: PathBuf| if has_png || extension(&path) != "png" { Ok(path) } else { Err(NO_PNG) };
    named(&["svg", "png"]).try_map(is_made)
}

/// Parses a path with one of these extensions.
fn named(extensions: &'static [&'static str]) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(move |path: PathBuf| {
        if extensions.contains(&extension(&path).as_str()) {
            return Ok(path);
        }
        let dotted: Vec<String> = extensions.iter().map(|extension| format!(".{extension}")).collect();
        Err(format!("the file name must end in {}, which selects what is written", dotted.join(" or ")))
    })
}

fn extension(path: &Path) -> String {
    path.extension().map_or_else(String::new, |extension| extension.to_string_lossy().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_chart_is_refused_in_a_program_without_png() {
        let parse = |has_png, name: &str| {
            let chart = clap::Arg::new("chart").value_parser(chart(has_png));
            let command = clap::Command::new("c").no_binary_name(true).arg(chart);
            command.try_get_matches_from([name]).map_err(|error| error.to_string())
        };
        assert!(parse(true, "a.png").is_ok() && parse(false, "a.svg").is_ok());
        assert!(parse(false, "a.PNG").unwrap_err().contains("without PNG charts"));
        assert!(parse(false, "a.pdf").unwrap_err().contains("must end in .svg or .png"));
    }

    #[test]
    fn two_flags_may_not_name_one_file() {
        let flags = FileFlags {
            timings: Some("a.json".into()),
            trace: Some("./a.json".into()),
            chart: Some("c.PNG".into()),
            ..FileFlags::default()
        };
        let kind: Vec<FileKind> = flags.all().into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kind, [FileKind::Timings(TimingsFormat::Json), FileKind::Png, FileKind::Trace]);
        assert!(flags.check_distinct(&[]).unwrap_err().contains("--timings and --trace name the same file"));
        let flags = FileFlags { trace: None, ..flags };
        assert!(flags.check_distinct(&[("--output", Path::new("b.json"))]).is_ok());
        let error = flags.check_distinct(&[("--output", Path::new("c.PNG"))]).unwrap_err();
        assert!(error.contains("--output and --chart"), "{error}");
    }
}
