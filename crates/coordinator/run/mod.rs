//! Carries out a plan and chooses the exit status.

mod dry_run;
mod ending;
mod in_process;
mod reporter;
mod program_watch;
mod user_program;

use crate::environment::resource_limits::{self, ResourceLimits};
use crate::environment::{SignalListener, locate};
use crate::exit::{Refusal, Status};
use crate::plan::{RunPlan, WorkSource};
use procession::raw::ProcessPoolBuilder;
use procession_job::{Configuration, Executor, ExecutorSetup, Input, InputNames, Study, StudyJob, Workload};
use procession_report::Terminal;
use procession_task::library_threads;
use program_watch::ProgramWatch;
use reporter::{RunReporter, StudyHooks};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Carries out the plan, reports how it ended, and returns the status.
///
/// # Errors
/// Why there was no first run.
pub(crate) fn run(plan: &RunPlan, signals: &SignalListener) -> Result<Status, Refusal> {
    user_program::check(&plan.work).map_err(Refusal::usage)?;
    let worker = locate::worker(plan.worker.as_deref(), procession_sys::own_program()).map_err(Refusal::pool)?;
    let configurations = plan.configurations();
    let most = |executor| {
        let of_it = configurations.iter().filter(|configuration| configuration.executor == executor);
        of_it.map(|configuration| configuration.count).max()
    };
    if let Some(why) = most(Executor::Threads).and_then(resource_limits::too_many_threads) {
        return Err(Refusal::pool(why));
    }
    library_threads::set_for_programs(plan.library_threads);
    let watch = plan.work.is_users().then(ProgramWatch::start);
    let limits = ResourceLimits::look();
    let status = if plan.is_dry {
        let workload = workload(plan, &Terminal::stderr())?;
        let study = study(plan, None, configurations, workload, workers(plan, worker, &limits));
        dry_run::show(plan, study, signals.stopper())
    } else {
        let mut reporter = RunReporter::new(plan, &configurations)?;
        if let Some(complaint) = most(Executor::Procs).and_then(|most| limits.complaint(most)) {
            reporter.warn(&complaint);
        }
        note_library_threads(plan, &reporter);
        let workload = workload(plan, reporter.terminal())?;
        let input = match &workload {
            Workload::Items(input) => Some(input),
            Workload::Sized(_) => None,
        };
        reporter.check_joblog(plan, input).map_err(Refusal::usage)?;
        let names = input.map_or_else(InputNames::default, Input::names);
        let log = reporter.log_folder();
        let study = study(plan, log.as_deref(), configurations, workload, workers(plan, worker, &limits));
        let report = study.run(&mut StudyHooks { reporter: &mut reporter, names: &names }, signals.stopper());
        let status = reporter.conclude(plan, &report);
        if let Some(watch) = watch.filter(|_| report.is_regular()) {
            watch.end_regularly(&reporter);
        }
        status
    };
    Ok(signals.status().unwrap_or_default().max(status))
}

/// Says how many threads the libraries of the user's code have in a study: without
/// that, the figures could not be explained.
fn note_library_threads(plan: &RunPlan, reporter: &RunReporter) {
    let variables = library_threads::variables(plan.library_threads);
    if plan.is_measuring && plan.work.is_users() && !variables.is_empty() {
        let variables: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        reporter.note(&format!("in every configuration {} (set it to choose another)", variables.join(" ")));
    }
}

/// Opens the input. Headings that are skipped are noted on the terminal.
fn workload(plan: &RunPlan, terminal: &Terminal) -> Result<Workload, Refusal> {
    let (terminal, quiet) = (terminal.clone(), plan.look.quiet);
    let on_note = Box::new(move |note: &procession_job::InputNote| {
        if !quiet {
            terminal.println(&format!("note: {note}"));
        }
    });
    match &plan.source {
        WorkSource::Given(source) => {
            let options = plan.selection.of_size(plan.selection.sizes.first().copied());
            let input = Input::open(source.clone(), options, on_note);
            input.map(Workload::Items).map_err(Refusal::usage)
        }
        WorkSource::Rows(picture) => Ok(Workload::rows(picture.side.name)),
    }
}

fn workers(plan: &RunPlan, program: PathBuf, limits: &ResourceLimits) -> ExecutorSetup {
    let (start_timeout, max_tasks) = (plan.faults.start_timeout, plan.faults.max_tasks_per_worker);
    let threads = plan.library_threads;
    let settings = move |builder: ProcessPoolBuilder| {
        let builder = builder.start_timeout(start_timeout).max_tasks_per_worker(max_tasks).library_threads(threads);
        match procession_sys::mark_for_workers() {
            Some((name, value)) => builder.variable(name, value),
            None => builder,
        }
    };
    ExecutorSetup {
        most: limits.workers,
        window: plan.window,
        settings: Box::new(settings),
        ..ExecutorSetup::new(program, Arc::new(procession::worker::listed(procession_program::ALL)))
    }
}

fn study(
    plan: &RunPlan,
    log: Option<&Path>,
    configurations: Vec<Configuration>,
    workload: Workload,
    workers: ExecutorSetup,
) -> Study {
    Study {
        work: StudyJob { spec: plan.work.job.clone(), unit: plan.work.unit() },
        workload,
        configurations,
        rounds: plan.executors.rounds,
        output: plan.output.choice.clone(),
        resume: plan.resume(log),
        policy: plan.faults.policy,
        workers,
    }
}
