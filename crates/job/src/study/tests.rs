//! Whole studies over a pool without processes.

use super::fake::{Fake, FakeFault};
use super::hooks::{Hooks, RunSession};
use super::matrix::matrix;
use super::plan::{PrintedResults, Rounds, RunPhase, plan};
use super::run::{Ending, RunInfo, RunReport, StudyJob};
use super::runner::{StudyReport, StudyRunner};
use super::stopper::Stopper;
use super::workload::{SizedWork, Workload};
use crate::error::InputError;
use crate::failure_policy::FailurePolicy;
use crate::input::{Input, InputOptions, IntegerRange, ItemSource, Unit};
use crate::output::report::OutputEnd;
use crate::output::{OutputChoice, PictureFile};
use crate::resume::decision::ResumeOptions;
use procession::raw::Request;
use procession::{ChunkSize, PoolError};
use procession_task::{Executor, Format, Items, JobSpec};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

fn work(task: &str) -> StudyJob {
    StudyJob { spec: JobSpec { format: Format::Tsv, ..JobSpec::new(task) }, unit: Unit::Item }
}

/// Records its calls.
#[derive(Default)]
struct Recorder {
    started: Vec<(usize, RunPhase)>,
    ended: Vec<(usize, bool)>,
    stop_after: Option<(usize, Stopper)>,
    /// The reader of the output, until the first run begins.
    reader: Option<std::io::PipeReader>,
}

impl Hooks for Recorder {
    fn start(&mut self, run: &RunInfo) -> Box<dyn RunSession + '_> {
        self.reader = None;
        self.started.push((run.planned.number, run.planned.phase));
        Box::new(self)
    }
}

impl RunSession for &mut Recorder {
    fn finish(self: Box<Self>, run: &RunReport, ending: Option<&Ending>) {
        self.ended.push((run.planned.number, ending.is_none()));
        if let Some((number, stopper)) = &self.stop_after
            && *number == run.planned.number
        {
            stopper.ask(Request::Stop);
        }
    }
}

/// A study that uses the fake pool.
struct Bench {
    task: &'static str,
    input: Input,
    counts: Vec<u32>,
    sizes: Vec<u64>,
    rounds: Rounds,
    policy: FailurePolicy,
    output: PathBuf,
    resume: ResumeOptions,
    fault: FakeFault,
    hooks: Recorder,
    stopper: Stopper,
    _folder: tempfile::TempDir,
}

fn open(source: ItemSource, options: InputOptions) -> Input {
    Input::open(source, options, Box::new(|_| ())).unwrap()
}

fn bench(input: Input) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    Bench {
        task: "sqrt",
        input,
        counts: vec![1],
        sizes: Vec::new(),
        rounds: Rounds { repeat: 1, warmup: 0 },
        policy: FailurePolicy::default(),
        output: folder.path().join("out"),
        resume: ResumeOptions::default(),
        fault: FakeFault::None,
        hooks: Recorder::default(),
        stopper: Stopper::default(),
        _folder: folder,
    }
}

fn squares() -> Bench {
    bench(open(ItemSource::parse_list("1,4,9,16,25,36,49"), InputOptions::new(Items::Words)))
}

impl Bench {
    fn run(mut self) -> (StudyReport, Recorder, String) {
        let procs: Vec<_> = self.counts.iter().map(|&count| (Executor::Procs, count)).collect();
        let configurations = matrix(&procs, &self.sizes, &[ChunkSize::Auto]);
        let runs = plan(&configurations, self.rounds, PrintedResults::Largest);
        let runner = StudyRunner {
            work: work(self.task),
            resume: self.resume,
            policy: self.policy,
            launch: &Fake(self.fault),
            hooks: &mut self.hooks,
            stopper: &self.stopper,
            runs,
            done: Vec::new(),
        };
        let report = runner.run_all(Workload::Items(self.input), Some(OutputChoice::File(self.output.clone())));
        // Devices are not read: some have no end.
        let is_file = self.output.is_file();
        let text = if is_file { std::fs::read_to_string(&self.output).unwrap() } else { String::new() };
        (report, self.hooks, text)
    }
}

const ROOTS: &str = "1\t1.0\n4\t2.0\n9\t3.0\n16\t4.0\n25\t5.0\n36\t6.0\n49\t7.0\n";

#[test]
fn a_single_run_writes_its_results() {
    let (report, hooks, text) = squares().run();
    assert_eq!(text, ROOTS);
    assert!(report.ending.is_none(), "{:?}", report.ending);
    let run = &report.runs[0];
    assert!(run.complete && run.wall.is_some());
    assert_eq!((run.output.items, run.output.bytes), (7, ROOTS.len() as u64));
    assert_eq!((hooks.started.len(), &hooks.ended[..]), (1, &[(1, true)][..]));
}

#[test]
fn a_study_compares_all_outputs_and_writes_the_largest_once() {
    let bench =
        Bench { counts: vec![1, 2], sizes: vec![3, 7, 5], rounds: Rounds { repeat: 2, warmup: 0 }, ..squares() };
    let (report, hooks, text) = bench.run();
    assert_eq!(text, ROOTS);
    assert!(report.ending.is_none() && report.mismatches.is_empty());
    assert_eq!(report.runs.len(), 13);
    assert_eq!(hooks.started[12], (13, RunPhase::Printing));
    for run in &report.runs {
        assert!(run.complete);
        assert_eq!(Some(run.output.items), run.planned.configuration.size);
        assert!(run.output.digest.is_some());
    }
}

#[test]
fn an_output_that_differs_is_found() {
    let bench = Bench {
        counts: vec![1, 2, 3],
        rounds: Rounds { repeat: 2, warmup: 1 },
        fault: FakeFault::Differs(2),
        ..squares()
    };
    let (report, _, text) = bench.run();
    // The warm-up at the largest count wrote it.
    assert_eq!((text.as_str(), report.runs.len()), (ROOTS, 9));
    assert_eq!(report.mismatches.len(), 1);
    let runs: Vec<_> = report.mismatches[0].runs.iter().map(|(_, runs)| runs.clone()).collect();
    assert_eq!(runs, [vec![1, 3, 4, 6, 7, 9], vec![2, 5, 8]]);
}

/// An input from a pipe.
fn piped() -> (Input, std::io::PipeWriter, std::io::PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    let path = PathBuf::from(format!("/proc/self/fd/{}", reader.as_raw_fd()));
    (open(ItemSource::Files(vec![path]), InputOptions::new(Items::Words)), writer, reader)
}

#[test]
fn a_pipe_is_spooled_for_a_study() {
    let (input, mut writer, _reader) = piped();
    writer.write_all(b"1 4 9 16 25 36 49\n").unwrap();
    drop(writer);
    let (report, _, text) = Bench { counts: vec![1, 2, 3], ..bench(input) }.run();
    assert_eq!(text, ROOTS);
    assert!(report.ending.is_none() && report.mismatches.is_empty());
    assert_eq!(report.runs.len(), 4);
}

#[test]
fn a_stop_takes_effect_while_a_pipe_pauses() {
    let (input, writer, _reader) = piped();
    let bench = Bench { counts: vec![1, 2], ..bench(input) };
    let stopper = bench.stopper.clone();
    let study = std::thread::spawn(move || bench.run());
    stopper.ask(Request::Stop);
    let (report, hooks, _) = study.join().unwrap();
    assert!(matches!(report.ending, Some(Ending::Stopped)));
    assert!(hooks.started.is_empty());
    drop(writer);
}

#[test]
fn a_stop_prevents_later_runs() {
    let mut bench = Bench { counts: vec![1, 2, 3], ..squares() };
    bench.hooks.stop_after = Some((2, bench.stopper.clone()));
    let (report, hooks, _) = bench.run();
    assert!(matches!(report.ending, Some(Ending::Stopped)));
    assert_eq!((report.runs.len(), hooks.started.len()), (2, 2));
}

#[test]
fn the_first_failed_item_ends_the_run_after_the_items_before_it() {
    let list = ItemSource::parse_list("1,4,-9,16,-25,36,49");
    let make = || bench(open(list.clone(), InputOptions::new(Items::Words)));
    let (report, hooks, text) = make().run();
    assert!(matches!(report.ending, Some(Ending::Failures)));
    assert_eq!(text, "1\t1.0\n4\t2.0\n");
    assert_eq!((report.runs[0].output.failures.total, report.runs[0].complete), (1, false));
    assert_eq!(hooks.ended, [(1, false)]);
    let (report, ..) = Bench { counts: vec![1, 2], ..make() }.run();
    assert_eq!(report.runs.len(), 1);
    let keep = FailurePolicy { keep_going: true, max: None };
    let (report, _, text) = Bench { counts: vec![1, 2], policy: keep, ..make() }.run();
    assert_eq!((report.runs.len(), text.lines().count()), (3, 7));
    assert!(report.ending.is_none() && report.mismatches.is_empty());
    assert_eq!(report.runs[0].output.failures.total, 2);
}

#[test]
fn a_failed_item_of_a_shuffled_input_has_its_place() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"1 2\n3 x 4\n").unwrap();
    for shuffle in [None, Some(1), Some(2)] {
        let options = InputOptions { shuffle, ..InputOptions::new(Items::Words) };
        let input = open(ItemSource::Files(vec![file.path().to_owned()]), options);
        let (report, ..) = bench(input).run();
        let place = report.runs[0].output.failures.first[0].place.unwrap();
        assert_eq!((place.line, place.column), (2, 3));
    }
}

#[test]
fn a_reader_that_closes_the_output_ends_a_run_but_not_a_study() {
    let run = |counts: &[u32]| {
        let (reader, writer) = std::io::pipe().unwrap();
        let output = PathBuf::from(format!("/proc/self/fd/{}", writer.as_raw_fd()));
        let range = ItemSource::Range(IntegerRange::parse("0..20000").unwrap());
        let bench = bench(open(range, InputOptions::new(Items::Words)));
        let mut bench = Bench { counts: counts.to_vec(), output, ..bench };
        bench.hooks.reader = Some(reader);
        bench.run().0
    };
    let single = run(&[1]);
    assert!(matches!(single.ending, Some(Ending::Closed)));
    let study = run(&[1, 2]);
    assert!(study.ending.is_none() && study.mismatches.is_empty());
    assert!(matches!(study.runs[2].output.end, OutputEnd::Closed));
    assert_eq!(study.runs[2].output.items, 20_000);
}

#[test]
fn impossible_studies_are_refused_before_any_run() {
    let (report, hooks, _) = Bench { output: PathBuf::from("/nonexistent/out"), ..squares() }.run();
    assert!(matches!(report.ending, Some(Ending::Output(_))) && hooks.started.is_empty());
    let bench = Bench { sizes: vec![2, 8], ..squares() };
    std::fs::write(&bench.output, "of another day").unwrap();
    let (report, hooks, text) = bench.run();
    assert_eq!(text, "of another day");
    assert!(matches!(report.ending, Some(Ending::Input(InputError::TooFew { items: 7, size: 8, .. }))));
    assert!(hooks.started.is_empty());
}

#[test]
fn a_pool_that_fails_ends_the_study() {
    let (report, ..) = Bench { counts: vec![1, 2, 3], fault: FakeFault::CannotStart(2), ..squares() }.run();
    assert!(matches!(report.ending, Some(Ending::Pool(PoolError::CannotStart { .. }))));
    assert_eq!(report.runs.len(), 2);
    assert!(report.runs[1].wall.is_none() && !report.runs[1].complete);
    let bench = Bench { fault: FakeFault::CannotStart(1), ..squares() };
    std::fs::write(&bench.output, "of another day").unwrap();
    let (report, hooks, text) = bench.run();
    assert!(matches!(report.ending, Some(Ending::Pool(PoolError::CannotStart { .. }))));
    assert_eq!((text.as_str(), &hooks.ended[..]), ("of another day", &[(1, false)][..]));
}

#[test]
fn a_read_error_ends_the_study_after_the_items_before_it() {
    let (input, mut writer, _reader) = piped();
    writer.write_all(b"1 4 9").unwrap();
    drop(writer);
    let (report, _, text) = Bench { sizes: vec![5], ..bench(input) }.run();
    assert!(matches!(report.ending, Some(Ending::Input(InputError::TooFew { items: 3, size: 5, .. }))));
    assert_eq!(text, "1\t1.0\n4\t2.0\n9\t3.0\n");
    assert!(!report.runs[0].complete);
}

#[test]
fn a_full_disk_ends_the_study() {
    let range = ItemSource::Range(IntegerRange::parse("0..1000000000").unwrap());
    let bench = bench(open(range, InputOptions::new(Items::Words)));
    let (report, ..) = Bench { output: Path::new("/dev/full").to_owned(), ..bench }.run();
    assert!(matches!(report.ending, Some(Ending::Output(_))), "{:?}", report.ending);
}

#[test]
fn a_task_can_define_its_sizes() {
    let make = |size: Option<u64>| {
        let to = size.unwrap_or(1);
        let range = IntegerRange::new(0, i128::from(to * to), 1, false)?;
        let input = Input::open(ItemSource::Range(range), InputOptions::new(Items::Words), Box::new(|_| ()))?;
        Ok(SizedWork { input, params: vec![("method".to_owned(), "naive".to_owned())] })
    };
    let configurations = matrix(&[(Executor::Procs, 1), (Executor::Procs, 2)], &[2, 3], &[ChunkSize::Auto]);
    let runner = StudyRunner {
        work: work("prime"),
        resume: ResumeOptions::default(),
        policy: FailurePolicy::default(),
        launch: &Fake(FakeFault::None),
        hooks: &mut Recorder::default(),
        stopper: &Stopper::default(),
        runs: plan(&configurations, Rounds { repeat: 1, warmup: 0 }, PrintedResults::Nothing),
        done: Vec::new(),
    };
    let report = runner.run_all(Workload::Sized(Box::new(make)), None);
    let items: Vec<_> = report.runs.iter().map(|run| run.output.items).collect();
    assert_eq!(items, [4, 4, 9, 9]);
    assert!(report.mismatches.is_empty() && report.ending.is_none());
}

/// The opacity of each pixel of a picture.
fn opacities(path: &Path) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
    decoder.set_transformations(png::Transformations::ALPHA | png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels.chunks(4).map(|pixel| pixel[3]).collect()
}

/// The study of this workload at counts of 1 and 2, with a picture `m.png` in
/// the folder.
fn painted(task: &str, sizes: &[u64], workload: Workload, folder: &Path) -> StudyReport {
    let picture = PictureFile { path: folder.join("m.png"), most: 1000, named_by_size: sizes.len() > 1 };
    let output = Some(OutputChoice::Picture(picture));
    let configurations = matrix(&[(Executor::Procs, 1), (Executor::Procs, 2)], sizes, &[ChunkSize::Auto]);
    let runner = StudyRunner {
        work: StudyJob { spec: JobSpec::new(task), unit: Unit::Item },
        resume: ResumeOptions::default(),
        policy: FailurePolicy { keep_going: true, max: None },
        launch: &Fake(FakeFault::None),
        hooks: &mut Recorder::default(),
        stopper: &Stopper::default(),
        runs: plan(&configurations, Rounds { repeat: 1, warmup: 0 }, PrintedResults::by(output.as_ref())),
        done: Vec::new(),
    };
    runner.run_all(workload, output)
}

#[test]
fn each_size_of_a_picture_is_written_by_a_run_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let report = painted("mandelbrot", &[9, 5], Workload::rows("side"), folder.path());
    assert!(report.ending.is_none() && report.mismatches.is_empty(), "{:?}", report.ending);
    let shape = |run: &RunReport| (run.output.items, run.planned.phase == RunPhase::Printing);
    let expected = [(9, false), (9, false), (5, false), (5, false), (9, true), (5, true)];
    assert_eq!(report.runs.iter().map(shape).collect::<Vec<_>>(), expected);
    for side in [9, 5] {
        let opaque = vec![255; side * side];
        assert_eq!(opacities(&folder.path().join(format!("m-{side}.png"))), opaque);
    }
}

#[test]
fn a_failed_row_is_transparent_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let rows = ["1,2,3", "fail this one", "4,5,6"].map(str::to_owned).to_vec();
    let input = open(ItemSource::List(rows), InputOptions::new(Items::Lines));
    let report = painted("misbehave", &[3], Workload::Items(input), folder.path());
    assert!(report.ending.is_none(), "{:?}", report.ending);
    assert_eq!(report.runs[2].output.failures.total, 1);
    assert_eq!(opacities(&folder.path().join("m.png")), [255, 255, 255, 0, 0, 0, 255, 255, 255]);
}
