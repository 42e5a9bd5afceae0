//! Carrying out a plan: from flags that make sense to an exit status.

use crate::args::{OnFailure, Plan, Target};
use crate::exit::{self, Status};
use crate::locate;
use crate::signals;
use crate::watch::{Watch, Watching, describe};
use procession_job::{
    Configuration, Ending, Executor, FailurePolicy, Input, OutputChoice, Rounds, Stopper, Study, StudyReport, Work,
    Workers, Workload, matrix,
};
use procession_task::escape_terminal;

/// A call that ends before its first run: why, and with which status.
struct Refusal(Status, String);

/// Runs what was planned and says how it ended.
pub(crate) fn run(plan: &Plan) -> Status {
    match try_run(plan) {
        Ok(status) => status,
        Err(Refusal(status, why)) => {
            eprintln!("error: {why}");
            status
        }
    }
}

fn try_run(plan: &Plan) -> Result<Status, Refusal> {
    let usage = |why: String| Refusal(exit::USAGE, why);
    let program = locate::worker(plan.worker.as_deref(), std::env::current_exe())
        .map_err(|error| Refusal(exit::POOL_FAILED, error.to_string()))?;
    let stopper = Stopper::default();
    let heard = signals::listen(&stopper)
        .map_err(|error| Refusal(exit::POOL_FAILED, format!("signals can't be handled: {error}")))?;
    let configurations = configurations(plan);
    let mut watch = Watch::new(plan, &configurations).map_err(usage)?;
    let (terminal, quiet) = (watch.terminal.clone(), plan.look.quiet);
    let on_note = Box::new(move |note: &procession_job::HeadingNote| {
        if !quiet {
            terminal.println(&format!("note: {note}"));
        }
    });
    let input = Input::open(plan.source.clone(), plan.selection.of_size(None), on_note)
        .map_err(|error| usage(error.to_string()))?;
    let names = input.names();
    let study = study(plan, configurations, input, Workers::new(program), plan.faults.start_timeout);
    let report = study.run(&mut Watching { watch: &mut watch, names: &names }, &stopper);
    Ok(heard.status().unwrap_or_default().max(conclude(plan, &watch, &report)))
}

fn study(
    plan: &Plan,
    configurations: Vec<Configuration>,
    input: Input,
    workers: Workers,
    start_timeout: std::time::Duration,
) -> Study {
    let work = Work {
        task: plan.work.entry.name.to_owned(),
        params: plan.work.given.clone(),
        format: plan.output.format,
        show: plan.look.verbose,
        ordered: !plan.output.unordered,
        retries: Some(plan.faults.retries),
        max_result: procession_job::MAX_ITEM,
    };
    let policy = match plan.faults.on_failure {
        OnFailure::Stop => FailurePolicy::default(),
        OnFailure::Go => FailurePolicy { keep_going: true, max: None },
        OnFailure::GoUntil(limit) => FailurePolicy { keep_going: true, max: Some(limit) },
    };
    let output = match &plan.output.target {
        Target::Nowhere => None,
        Target::Stdout => Some(OutputChoice::Stdout),
        Target::File(path) => Some(OutputChoice::File(path.clone())),
    };
    Study {
        work,
        workload: Workload::Items(input),
        configurations,
        rounds: Rounds { repeat: plan.executors.repeat, warmup: plan.executors.warmup },
        output,
        policy,
        workers: Workers { settings: Box::new(move |builder| builder.start_timeout(start_timeout)), ..workers },
    }
}

fn configurations(plan: &Plan) -> Vec<Configuration> {
    matrix(Executor::Procs, &plan.executors.procs, &plan.selection.sizes, &plan.executors.chunks)
}

/// Tells people what came of it and chooses the status.
fn conclude(plan: &Plan, watch: &Watch, report: &StudyReport) -> Status {
    watch.show_summary();
    let mut status = match &report.ending {
        None | Some(Ending::Closed) => exit::SUCCESS,
        Some(Ending::Stopped) => exit::INTERRUPTED,
        Some(Ending::Output(_)) => exit::OUTPUT_FAILED,
        Some(Ending::Pool(_)) => exit::POOL_FAILED,
        Some(Ending::Input(_)) => exit::USAGE,
        Some(Ending::Failures) => exit::ITEM_FAILED,
    };
    if let Some(text) = report.ending.as_ref().and_then(describe) {
        eprintln!("error: {}", escape_terminal(text.as_bytes()));
    }
    if report.runs.iter().any(|run| run.output.failures.total > 0) {
        status = status.max(exit::ITEM_FAILED);
    }
    if plan.executors.verify && !report.mismatches.is_empty() {
        for mismatch in &report.mismatches {
            let size = mismatch.size.map_or(String::new(), |size| format!(" of size {size}"));
            let groups: Vec<String> = mismatch.runs.iter().map(|(_, runs)| format!("{runs:?}")).collect();
            eprintln!("error: the outputs{size} differ between runs {}", groups.join(" and "));
        }
        status = status.max(exit::ITEM_FAILED);
    }
    status
}
