//! Command lines, and the plans or errors that they give.

use super::*;
use crate::args::{self, Invocation, Subcommand};
use clap::error::ErrorKind;
use procession::ChunkSize;
use procession_job::{Content, Executor, IntegerRange, Intent, ItemSource, MaxFailures};
use procession_program::ALL;
use procession_task::{FailureKind, Format, JobLimits, ResultOrder, TaskInfo};

const PIPED: Environment = Environment { stdin_is_terminal: false, cpus: 4 };
const AT_TERMINAL: Environment = Environment { stdin_is_terminal: true, ..PIPED };

/// The tasks of a worker: the built-in ones and one of its own.
fn catalog(flags: &RunFlags) -> TaskCatalog {
    if !TaskCatalog::needs_worker(flags) {
        return TaskCatalog::BuiltIn;
    }
    let own = TaskInfo { name: "reverse".to_owned(), numbers: false, ..procession_task::builtin::sqrt::ENTRY.info() };
    TaskCatalog::Worker(ALL.iter().map(|entry| entry.info()).chain([own]).collect())
}

fn parsed(line: &str) -> Result<Invocation, clap::Error> {
    args::parse(std::iter::once("coordinator").chain(line.split_whitespace()), PIPED.cpus)
}

fn planned(line: &str, environment: Environment) -> Result<RunPlan, clap::Error> {
    let Invocation::Run(flags) = parsed(line)? else { panic!("{line}: not a run") };
    let catalog = catalog(&flags);
    RunPlan::new(*flags, &catalog, environment).map_err(args::refuse)
}

fn plan(line: &str) -> RunPlan {
    planned(line, PIPED).unwrap_or_else(|error| panic!("{line}: {error:?}"))
}

fn given(plan: &RunPlan) -> &ItemSource {
    match &plan.source {
        WorkSource::Given(source) => source,
        WorkSource::Rows(_) => panic!("rows"),
    }
}

fn usage(line: &str, environment: Environment) -> clap::Error {
    planned(line, environment).map(|_| ()).unwrap_err()
}

fn refusal(line: &str) -> String {
    let error = usage(line, PIPED);
    assert_eq!(error.exit_code(), 2, "{line}");
    error.to_string()
}

#[test]
fn the_first_command_of_the_readme() {
    let plan = plan("--procs 4 --task prime --input data/primes-8-digit.txt");
    assert_eq!(plan.work.name(), "prime");
    assert_eq!(given(&plan), &ItemSource::Files(vec!["data/primes-8-digit.txt".into()]));
    assert_eq!(plan.executors.all, [(Executor::Procs, 4)]);
    assert_eq!(plan.executors.chunks, [ChunkSize::Auto]);
    assert_eq!((plan.executors.rounds, plan.executors.verify), (Rounds { repeat: 1, warmup: 0 }, true));
    assert_eq!((&plan.output.choice, plan.work.job.format), (&Some(OutputChoice::Stdout), Format::Tsv));
    assert_eq!(plan.configurations().len(), 1);
    assert_eq!((plan.work.job.retry.retries, plan.faults.start_timeout), (Some(2), Duration::from_secs(4)));
    assert_eq!(plan.work.job.retry.retry_on, procession::RETRY_ON);
    assert_eq!(plan.work.job.limits, JobLimits::default());
    assert_eq!(plan.faults.policy, FailurePolicy::default());
    let taken = plan.selection.of_size(None);
    assert_eq!((taken.max_item, taken.skip, taken.size, taken.content), (16 << 20, 0, None, Content::Numbers));
    assert_eq!((plan.look.log, plan.look.progress), (Some(LogLevel::Task), ProgressMode::Auto));
    assert_eq!(plan.worker, None);
}

#[test]
fn items_have_one_source() {
    for line in ["--range 1..5 --list 1,2", "--input a --range 1..5", "--list 1 -i a"] {
        assert!(refusal(&format!("-t sqrt {line}")).contains("cannot be used with"), "{line}");
    }
    assert_eq!(given(&plan("-t sqrt --range -5..=5:2")), &ItemSource::Range(IntegerRange::parse("-5..=5:2").unwrap()));
    assert_eq!(given(&plan("-t sqrt --list -1,4")), &ItemSource::List(vec!["-1".into(), "4".into()]));
    let files = ["a", "-", "b"].map(Into::into);
    assert_eq!(given(&plan("-t sqrt -i a - -i b")), &ItemSource::Files(files.to_vec()));
    assert!(refusal("-t sqrt --range 5").contains("--range"));
}

#[test]
fn standard_input_is_the_default_unless_it_is_a_terminal() {
    assert_eq!(given(&plan("-t sqrt")), &ItemSource::Files(vec!["-".into()]));
    let error = usage("-t sqrt", AT_TERMINAL);
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    for way in ["--input FILE", "--range A..B", "--list X,Y"] {
        assert!(text.contains(way), "{text}");
    }
    assert!(planned("-t sqrt -i -", AT_TERMINAL).is_ok(), "--input - reads it");
}

#[test]
fn several_values_are_several_configurations() {
    for (line, configurations) in
        [("-j auto", 1), ("-j 1..=auto", 4), ("--chunk 1,auto", 2), ("--size 10,20 -j 1,2", 4), ("--repeat 3", 1)]
    {
        assert_eq!(plan(&format!("-t sqrt {line}")).configurations().len(), configurations, "{line}");
    }
    assert_eq!(plan("-t sqrt --repeat 3 --warmup 1").executors.rounds, Rounds { repeat: 3, warmup: 1 });
    assert_eq!(plan("-t sqrt -j 1,2").output.choice, None);
    assert_eq!(plan("-t sqrt -j 1,2 -o -").output.choice, Some(OutputChoice::Stdout));
    assert_eq!(plan("-t sqrt -o ./-").output.choice, Some(OutputChoice::File("./-".into())));
}

#[test]
fn the_format_is_that_of_the_extension_by_default() {
    for (line, format) in [
        ("-o out.csv", Format::Csv),
        ("-o out.JSONL", Format::Jsonl),
        ("-o out.txt", Format::Tsv),
        ("-o csv", Format::Tsv),
        ("-o out.csv --format lines", Format::Lines),
        ("-o -", Format::Tsv),
    ] {
        assert_eq!(plan(&format!("-t sqrt {line}")).work.job.format, format, "{line}");
    }
}

#[test]
fn unordered_results_need_their_index() {
    assert_eq!(plan("-t sqrt --unordered -o out.csv").work.job.order, ResultOrder::Completion);
    assert_eq!(plan("-t sqrt --unordered --format jsonl").work.job.order, ResultOrder::Completion);
    for line in ["", "--format lines", "-o out.tsv"] {
        assert!(refusal(&format!("-t sqrt --unordered {line}")).contains("--format csv"), "{line}");
    }
}

#[test]
fn only_ordered_results_of_a_single_run_in_a_file_can_be_resumed() {
    let resume = plan("-t prime -o out --resume").resume(None);
    assert_eq!(resume.intent, Intent::Resume);
    assert!(resume.settings.contains(&("--param method".to_owned(), "trial".to_owned())), "{:?}", resume.settings);
    assert_eq!(plan("-t sqrt -o out --overwrite -j 1,2").output.intent, Intent::Overwrite);
    assert_eq!(plan("-t sqrt -o out").output.intent, Intent::Plain);
    for (line, says) in [
        ("--resume", "add --output FILE"),
        ("--resume -o -", "add --output FILE"),
        ("--overwrite", "add --output FILE"),
        ("--resume -o out.csv --unordered", "--unordered"),
        ("--resume -o out -j 1,2", "single run"),
        ("--resume -o out --size 1,2", "single run"),
        ("--resume -o out --repeat 2", "single run"),
        ("--resume -o out --warmup 1", "single run"),
        ("--resume -o out --overwrite", "cannot be used with"),
        ("--retry-failed", "--retry-failed needs an output file: add --output FILE"),
        ("--retry-failed -o out --resume", "cannot be used with"),
        ("--retry-failed -o out --overwrite", "cannot be used with"),
        ("--retry-failed -o out.lines", "tsv, csv or jsonl"),
        ("--retry-failed -o out -j 1,2", "single run"),
    ] {
        let text = refusal(&format!("-t sqrt {line}"));
        assert!(text.contains(says), "{line}: {text}");
    }
    for output in ["m.png", "m.csv"] {
        let text = refusal(&format!("-t mandelbrot --size 9 -o {output} --retry-failed"));
        assert!(text.contains("tsv, csv or jsonl"), "{text}");
    }
    let retried = plan("-t sqrt -o out.csv --unordered --retry-failed --max-failures 3");
    assert_eq!((retried.output.intent, retried.faults.policy.keep_going), (Intent::RetryFailed, true));
    assert!(refusal("-t mandelbrot --size 9 -o m.png --resume").contains("a picture can't be resumed"));
    assert_eq!(plan("-t mandelbrot --size 9 -o m.csv --resume").output.intent, Intent::Resume);
    assert_eq!(plan("-t mandelbrot --size 9 -o m.png --overwrite").output.intent, Intent::Overwrite);
}

#[test]
fn a_cycle_needs_a_size() {
    assert!(refusal("-t sqrt --cycle").contains("--size N"));
    assert_eq!(plan("-t sqrt --cycle --size 10..=30:10").selection.sizes, [10, 20, 30]);
    let taken = plan("-t sqrt --cycle --size 9 --skip 2 --shuffle 7 --items lines").selection.of_size(Some(9));
    assert_eq!((taken.cycle, taken.size, taken.skip, taken.shuffle), (true, Some(9), 2, Some(7)));
    assert_eq!(taken.items, procession_task::Items::Lines);
}

#[test]
fn the_items_of_a_picture_are_its_rows() {
    let plan = |line: &str| plan(&format!("-t mandelbrot {line}"));
    let made = plan("--size 40,50 -j 2 --param max-iterations=70 -o m.PNG");
    assert!(matches!(made.source, WorkSource::Rows(picture) if picture.side.name == "side"));
    let picture = PictureFile { path: "m.PNG".into(), most: 70, named_by_size: true };
    assert_eq!((made.selection.sizes.len(), made.output.choice), (2, Some(OutputChoice::Picture(picture))));
    let made = plan("-o m.png -j 1,2");
    assert_eq!(made.selection.sizes, [600], "there is a default size");
    let picture = PictureFile { path: "m.png".into(), most: 1000, named_by_size: false };
    assert_eq!(made.output.choice, Some(OutputChoice::Picture(picture)));
    assert!(planned("-t mandelbrot", AT_TERMINAL).is_ok(), "a picture needs no input");
}

#[test]
fn the_rows_of_a_picture_are_lines_by_default() {
    let format = |line: &str| plan(&format!("-t mandelbrot {line}")).work.job.format;
    for line in ["", "-o m.csv", "-o m.txt", "--format csv", "-o m.png"] {
        assert_eq!(format(line), Format::Lines, "{line}");
    }
    assert_eq!((format("-o m.jsonl"), format("--format tsv")), (Format::Jsonl, Format::Tsv));
    assert_eq!(plan("-t mandelbrot --unordered --format jsonl").work.job.order, ResultOrder::Completion);
}

#[test]
fn flags_that_make_no_picture_are_refused() {
    for (line, says) in [
        ("--input a", "--size"),
        ("--range 0..5", "--size"),
        ("--list 1", "--size"),
        ("--items words", "--size"),
        ("--skip 1", "--size"),
        ("--shuffle 1", "--size"),
        ("--cycle --size 5", "--cycle"),
        ("--size 1000001", "1000000 pixels"),
        ("--param side=5", "max-iterations=1000"),
        ("--param max-iterations=0", "1 to 4294967295"),
        ("--param region=0,0,0,1", "X0 < X1"),
        ("--unordered", "--format jsonl"),
        ("--unordered -o m.png", "--format jsonl"),
        ("--format csv -o m.png", ".png"),
    ] {
        let text = refusal(&format!("-t mandelbrot {line}"));
        assert!(text.contains(says), "{line}: {text}");
    }
}

#[test]
fn failure_policies() {
    let policy = |line: &str| plan(&format!("-t sqrt {line}")).faults.policy;
    assert_eq!(policy("-k"), FailurePolicy { keep_going: true, max: None });
    assert_eq!(policy("--max-failures 3").max, Some(MaxFailures::Count(3)));
    let both = FailurePolicy { keep_going: true, max: Some(MaxFailures::Percent(5.0)) };
    assert_eq!(policy("-k --max-failures 5%"), both);
}

#[test]
fn values_are_refused_with_the_name_of_their_flag() {
    for (line, flag) in [
        ("-j 0", "--procs"),
        ("-j 9..=auto", "--procs"),
        ("--start-timeout soon", "--start-timeout"),
        ("--start-timeout 0", "--start-timeout"),
        ("--timeout 0", "--timeout"),
        ("--timeout soon", "--timeout"),
        ("--memory-limit 0", "--memory-limit"),
        ("--memory-limit much", "--memory-limit"),
        ("--retries -1", "--retries"),
        ("--retry-on invalid", "--retry-on"),
        ("--retry-on crashes", "--retry-on"),
        ("--max-item 0", "--max-item"),
        ("--max-item 256M", "--max-item"),
        ("--repeat 0", "--repeat"),
        ("--chunk 0", "--chunk"),
        ("--size auto", "--size"),
        ("--param method", "--param"),
        ("--log all", "--log"),
        ("--items bytes", "--items"),
        ("--max-failures x", "--max-failures"),
    ] {
        let text = refusal(&format!("-t prime {line}"));
        assert!(text.contains(flag), "{line}: {text}");
    }
    assert!(refusal("-t sqrt -q -v").contains("cannot be used with"));
}

#[test]
fn limits_and_retries() {
    let job = plan("-t sqrt --timeout 1.5s --memory-limit 64M --retries unlimited --retry-on failed").work.job;
    assert_eq!(job.limits, JobLimits { timeout: Some(Duration::from_millis(1500)), memory_limit: Some(64 << 20) });
    assert_eq!((job.retry.retries, job.retry.retry_on), (None, vec![FailureKind::Failed]));
}

#[test]
fn tasks_and_parameters_are_checked() {
    assert!(refusal("").contains("--task NAME"));
    assert!(refusal("-t primes").contains("did you mean 'prime'"));
    assert!(refusal("-t prime --param method=fast").contains("trial|naive|miller-rabin"));
}

#[test]
fn quiet_hides_the_progress_bar() {
    assert_eq!(plan("-t sqrt -q --progress always").look.progress, ProgressMode::Never);
}

#[test]
fn subcommands_need_no_task() {
    let subcommand = |line: &str| match parsed(line).unwrap() {
        Invocation::Subcommand(subcommand) => subcommand,
        Invocation::Run(_) => panic!("{line}: a run"),
    };
    assert!(matches!(subcommand("cpus --json"), Subcommand::Cpus { json: true }));
    assert!(matches!(subcommand("tasks"), Subcommand::Tasks { worker: None, json: false }));
    assert!(matches!(subcommand("completions bash"), Subcommand::Completions { .. }));
    assert!(matches!(subcommand("inspect a b --slowest 3"), Subcommand::Inspect(_)));
    assert!(refusal("inspect --run 0").contains("--run"));
    assert!(refusal("inspect --json --inputs").contains("cannot be used with"));
}

#[test]
fn the_long_help_has_the_examples_first_then_the_groups() {
    let error = usage("--help", PIPED);
    assert_eq!((error.kind(), error.exit_code()), (ErrorKind::DisplayHelp, 0));
    let text = error.to_string();
    assert!(text.starts_with("Examples:"), "{text}");
    assert_eq!(text.lines().take_while(|line| !line.is_empty()).filter(|l| l.contains("coordinator")).count(), 5);
    let places: Vec<_> = ["Work:", "Executors:", "Faults:", "Output:", "Looking:"].map(|g| text.find(g)).into();
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
}

#[test]
fn executors_run_in_the_order_serial_threads_processes() {
    use Executor::{Procs, Serial, Threads};
    let all = |line: &str| plan(&format!("-t sqrt --list 1 {line}")).executors.all;
    assert_eq!(all(""), [(Procs, 4)]);
    assert_eq!(all("--serial"), [(Serial, 1)]);
    assert_eq!(all("--threads 1,2"), [(Threads, 1), (Threads, 2)]);
    assert_eq!(all("--procs 2 --serial --threads auto"), [(Serial, 1), (Threads, 4), (Procs, 2)]);
    assert_eq!(all("--compare"), [(Serial, 1), (Threads, 4), (Procs, 4)]);
    assert_eq!(all("--compare -j 1,3"), [(Serial, 1), (Threads, 1), (Threads, 3), (Procs, 1), (Procs, 3)]);
    assert_eq!(all("--compare --threads 2"), [(Serial, 1), (Threads, 2), (Procs, 2)]);
}

#[test]
fn limits_that_need_a_process_are_refused_elsewhere() {
    for line in ["--serial", "--threads 2", "--compare"] {
        for limit in ["--timeout", "--memory-limit", "--max-tasks-per-worker"] {
            let text = refusal(&format!("-t sqrt --list 1 {line} {limit} 5"));
            assert!(text.contains(&format!("{limit} can't be enforced")), "{text}");
        }
    }
}

#[test]
fn a_task_of_the_worker_runs_in_processes_only() {
    assert_eq!(plan("-t reverse --list a,b -j 3").work.name(), "reverse");
    for line in ["--serial", "--threads 2", "--compare"] {
        assert!(
            refusal(&format!("-t reverse --list a {line}")).contains("only the worker has task 'reverse'"),
            "{line}"
        );
    }
}

#[test]
fn the_window_has_a_minimum() {
    assert_eq!(plan("-t sqrt").window, 16 << 20);
    assert_eq!(plan("-t sqrt --window 64M").window, 64 << 20);
    assert!(refusal("-t sqrt --window 1000").contains("1M or more"));
}
