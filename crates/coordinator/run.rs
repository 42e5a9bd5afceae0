//! Carrying out a plan: from flags that make sense to an exit status.

use crate::args::{Plan, Source};
use crate::dry_run;
use crate::exit::{self, Status};
use crate::locate;
use crate::program;
use crate::room::{self, Room};
use crate::signals::Ears;
use crate::watch::{Watch, Watching, describe};
use procession::raw::Builder;
use procession_job::{
    Configuration, Ending, Executor, ExecutorSetup, Input, InputNames, Study, StudyJob, StudyReport, Workload,
};
use procession_report::Terminal;
use procession_task::{JobSpec, ResultOrder, escape_terminal};
use std::path::PathBuf;
use std::sync::Arc;

/// A call that ends before its first run: why, and with which status.
struct Refusal(Status, String);

/// Runs what was planned and says how it ended.
pub(crate) fn run(plan: &Plan, ears: &Ears) -> Status {
    match try_run(plan, ears) {
        Ok(status) => status,
        Err(Refusal(status, why)) => {
            exit::say(format_args!("error: {why}"));
            status
        }
    }
}

fn try_run(plan: &Plan, ears: &Ears) -> Result<Status, Refusal> {
    let usage = |why: String| Refusal(exit::USAGE, why);
    program::check(&plan.work).map_err(usage)?;
    let worker = locate::worker(plan.worker.as_deref(), std::env::current_exe())
        .map_err(|error| Refusal(exit::POOL_FAILED, error.to_string()))?;
    let (stopper, heard) = ears.open().map_err(|error| Refusal(exit::POOL_FAILED, error))?;
    let configurations = plan.configurations();
    let of_threads = configurations.iter().filter(|configuration| configuration.executor == Executor::Threads);
    if let Some(why) = of_threads.map(|of| of.count).max().and_then(room::too_many_threads) {
        return Err(Refusal(exit::POOL_FAILED, why));
    }
    let room = Room::look();
    if plan.is_dry {
        let study = study(plan, configurations, workload(plan, &Terminal::stderr())?, workers(plan, worker, &room));
        let status = dry_run::show(plan, study, &stopper);
        return Ok(heard.status().unwrap_or_default().max(status));
    }
    let mut watch = Watch::new(plan, &configurations).map_err(usage)?;
    let of_processes = configurations.iter().filter(|configuration| configuration.executor == Executor::Procs);
    let most = of_processes.map(|configuration| configuration.count).max();
    if let Some(complaint) = most.and_then(|most| room.complaint(most)) {
        watch.warn(&complaint);
    }
    let workload = workload(plan, &watch.terminal)?;
    let names = match &workload {
        Workload::Items(input) => {
            watch.check_joblog(plan, Some(input)).map_err(usage)?;
            input.names()
        }
        Workload::Sized(_) => {
            watch.check_joblog(plan, None).map_err(usage)?;
            InputNames::default()
        }
    };
    let study = study(plan, configurations, workload, workers(plan, worker, &room));
    let report = study.run(&mut Watching { watch: &mut watch, names: &names }, &stopper);
    Ok(heard.status().unwrap_or_default().max(conclude(plan, &mut watch, &report)))
}

/// Looks at the input; headings that are passed over are told on the terminal.
fn workload(plan: &Plan, terminal: &Terminal) -> Result<Workload, Refusal> {
    let (terminal, quiet) = (terminal.clone(), plan.look.quiet);
    let on_note = Box::new(move |note: &procession_job::HeadingNote| {
        if !quiet {
            terminal.println(&format!("note: {note}"));
        }
    });
    match &plan.source {
        Source::Given(source) => {
            let options = plan.selection.of_size(plan.selection.sizes.first().copied());
            let input = Input::open(source.clone(), options, on_note);
            input.map(Workload::Items).map_err(|error| Refusal(exit::USAGE, error.to_string()))
        }
        Source::Rows(picture) => Ok(Workload::rows(picture.side.name)),
    }
}

fn workers(plan: &Plan, program: PathBuf, room: &Room) -> ExecutorSetup {
    let (start_timeout, max_tasks) = (plan.faults.start_timeout, plan.faults.max_tasks_per_worker);
    let settings = move |builder: Builder| builder.start_timeout(start_timeout).max_tasks_per_worker(max_tasks);
    ExecutorSetup {
        most: room.workers,
        window: plan.window,
        settings: Box::new(settings),
        ..ExecutorSetup::new(program, Arc::new(procession::worker::listed(procession_program::ALL)))
    }
}

fn study(plan: &Plan, configurations: Vec<Configuration>, workload: Workload, workers: ExecutorSetup) -> Study {
    let spec = JobSpec {
        params: plan.work.given.clone(),
        arguments: plan.work.arguments.clone(),
        items: plan.work.items,
        format: plan.output.format,
        order: if plan.output.unordered { ResultOrder::Completion } else { ResultOrder::Input },
        show: plan.look.verbose,
        retry: plan.faults.retry.clone(),
        limits: plan.faults.limits,
        ..JobSpec::new(plan.work.name())
    };
    Study {
        work: StudyJob { spec, unit: plan.work.unit() },
        workload,
        configurations,
        rounds: plan.executors.rounds,
        output: plan.output.choice.clone(),
        resume: plan.resume(),
        policy: plan.faults.policy,
        workers,
    }
}

/// The status of a call that ended like this, as far as that decides it.
pub(crate) fn status_of(ending: &Ending) -> Status {
    match ending {
        // The signal that stopped it has a status of its own.
        Ending::Closed | Ending::Stopped | Ending::AlreadyComplete(_) => exit::SUCCESS,
        Ending::Output(_) => exit::OUTPUT_FAILED,
        Ending::Pool(_) => exit::POOL_FAILED,
        Ending::Input(_) | Ending::Refused(_) => exit::USAGE,
        Ending::Failures => exit::ITEM_FAILED,
    }
}

/// Tells people what came of it and chooses the status.
fn conclude(plan: &Plan, watch: &mut Watch, report: &StudyReport) -> Status {
    let unwritten = watch.finish_files();
    watch.show_summary();
    watch.tell_of_output(plan, report);
    if report.ending.is_none() && report.runs.iter().all(|run| run.output.items == 0) {
        watch.warn("the input has no items");
    }
    if let Some(Ending::AlreadyComplete(of)) = &report.ending {
        return watch.already_complete(of);
    }
    let mut status = report.ending.as_ref().map_or(exit::SUCCESS, status_of);
    for problem in unwritten {
        exit::say(format_args!("error: {problem}"));
        status = status.max(exit::OUTPUT_FAILED);
    }
    if let Some(text) = report.ending.as_ref().and_then(describe) {
        exit::say(format_args!("error: {}", escape_terminal(text.as_bytes())));
    }
    if report.runs.iter().any(|run| run.output.failures.total > 0) {
        status = status.max(exit::ITEM_FAILED);
    }
    if plan.executors.verify {
        status = status.max(compare(plan, watch, report));
    }
    status
}

/// Tells of outputs that should be the same and are not. With code of the
/// user's own that need be no fault: it may tell the time, or throw dice.
fn compare(plan: &Plan, watch: &Watch, report: &StudyReport) -> Status {
    for mismatch in &report.mismatches {
        let size = mismatch.size.map_or(String::new(), |size| format!(" of size {size}"));
        let groups: Vec<String> = mismatch.runs.iter().map(|(_, runs)| format!("{runs:?}")).collect();
        let text = format!("the outputs{size} differ between runs {}", groups.join(" and "));
        if plan.work.is_users() {
            watch.warn(&format!("{text}; if they may, --no-verify says no more of it"));
        } else {
            exit::say(format_args!("error: {text}"));
        }
    }
    let is_fault = !report.mismatches.is_empty() && !plan.work.is_users();
    if is_fault { exit::ITEM_FAILED } else { exit::SUCCESS }
}
