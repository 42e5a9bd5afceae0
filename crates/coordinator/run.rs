//! Carrying out a plan: from flags that make sense to an exit status.

use crate::args::{Plan, Source};
use crate::exit::{self, Status};
use crate::locate;
use crate::room::{self, Room};
use crate::signals;
use crate::watch::{Watch, Watching, describe};
use procession::raw::Builder;
use procession_job::{
    Configuration, Ending, Executor, Input, InputNames, Stopper, Study, StudyReport, Work, Workers, Workload,
};
use procession_task::escape_terminal;
use std::path::PathBuf;
use std::sync::Arc;

/// A call that ends before its first run: why, and with which status.
struct Refusal(Status, String);

/// Runs what was planned and says how it ended.
pub(crate) fn run(plan: &Plan) -> Status {
    match try_run(plan) {
        Ok(status) => status,
        Err(Refusal(status, why)) => {
            exit::say(format_args!("error: {why}"));
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
    let configurations = plan.configurations();
    let of_threads = configurations.iter().filter(|configuration| configuration.executor == Executor::Threads);
    if let Some(why) = of_threads.map(|of| of.count).max().and_then(room::too_many_threads) {
        return Err(Refusal(exit::POOL_FAILED, why));
    }
    let mut watch = Watch::new(plan, &configurations).map_err(usage)?;
    let room = Room::look();
    let of_processes = configurations.iter().filter(|configuration| configuration.executor == Executor::Procs);
    let most = of_processes.map(|configuration| configuration.count).max();
    if let Some(complaint) = most.and_then(|most| room.complaint(most)) {
        watch.warn(&complaint);
    }
    let (terminal, quiet) = (watch.terminal.clone(), plan.look.quiet);
    let on_note = Box::new(move |note: &procession_job::HeadingNote| {
        if !quiet {
            terminal.println(&format!("note: {note}"));
        }
    });
    let (workload, names) = match &plan.source {
        Source::Given(source) => {
            let options = plan.selection.of_size(plan.selection.sizes.first().copied());
            let input = Input::open(source.clone(), options, on_note).map_err(|error| usage(error.to_string()))?;
            watch.check_joblog(plan, Some(&input)).map_err(usage)?;
            let names = input.names();
            (Workload::Items(input), names)
        }
        Source::Rows(picture) => {
            watch.check_joblog(plan, None).map_err(usage)?;
            (Workload::rows(picture.side.name), InputNames::default())
        }
    };
    let study = study(plan, configurations, workload, workers(plan, program, &room));
    let report = study.run(&mut Watching { watch: &mut watch, names: &names }, &stopper);
    Ok(heard.status().unwrap_or_default().max(conclude(plan, &mut watch, &report)))
}

fn workers(plan: &Plan, program: PathBuf, room: &Room) -> Workers {
    let (start_timeout, max_tasks) = (plan.faults.start_timeout, plan.faults.max_tasks_per_worker);
    let settings = move |builder: Builder| builder.start_timeout(start_timeout).max_tasks_per_worker(max_tasks);
    Workers {
        most: room.workers,
        settings: Box::new(settings),
        ..Workers::new(program, Arc::new(procession::worker::listed(procession_program::ALL)))
    }
}

fn study(plan: &Plan, configurations: Vec<Configuration>, workload: Workload, workers: Workers) -> Study {
    let work = Work {
        arguments: plan.work.arguments.clone(),
        task: plan.work.entry.name.to_owned(),
        params: plan.work.given.clone(),
        format: plan.output.format,
        show: plan.look.verbose,
        ordered: !plan.output.unordered,
        retries: plan.faults.retries,
        retry_on: plan.faults.retry_on.clone(),
        timeout: plan.faults.timeout,
        memory_limit: plan.faults.memory_limit,
        max_result: procession_job::MAX_ITEM,
    };
    Study {
        work,
        workload,
        configurations,
        rounds: plan.executors.rounds,
        output: plan.output.choice.clone(),
        resume: plan.resume(),
        policy: plan.faults.policy,
        workers,
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
    let mut status = match &report.ending {
        // The signal that stopped it has a status of its own.
        None | Some(Ending::Closed | Ending::Stopped) => exit::SUCCESS,
        Some(Ending::Output(_)) => exit::OUTPUT_FAILED,
        Some(Ending::Pool(_)) => exit::POOL_FAILED,
        Some(Ending::Input(_) | Ending::Refused(_)) => exit::USAGE,
        Some(Ending::AlreadyComplete(of)) => return watch.already_complete(of),
        Some(Ending::Failures) => exit::ITEM_FAILED,
    };
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
    if plan.executors.verify && !report.mismatches.is_empty() {
        for mismatch in &report.mismatches {
            let size = mismatch.size.map_or(String::new(), |size| format!(" of size {size}"));
            let groups: Vec<String> = mismatch.runs.iter().map(|(_, runs)| format!("{runs:?}")).collect();
            exit::say(format_args!("error: the outputs{size} differ between runs {}", groups.join(" and ")));
        }
        status = status.max(exit::ITEM_FAILED);
    }
    status
}
