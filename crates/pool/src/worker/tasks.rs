//! A worker of one's own for the command line: a list of tasks over text, and the
//! function that serves them.

use super::process_role::become_worker;
use super::role::Role;
use super::serving::serve_role;
use procession_task::builtin::TaskEntry;
use procession_task::{
    Block, BlockTask, Failure, FailureKind, Identity, ItemAttempt, Items, JobSpec, ParamError, ParamSpec, Params,
    Reply, RunBuffers, RunItem, Task, TaskInfo, TextOptions, ToText, catch_panic, run_items,
};
use std::any::{Any, TypeId};
use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

/// The tasks of a worker's program, over text: their inputs are read from it
/// (`FromStr`), their outputs written as it (`Display`).
///
/// An item is a line by default. In JSON numbers and booleans are written as they
/// are, everything else as a string.
#[derive(Default)]
pub struct Tasks {
    infos: Vec<TaskInfo>,
    makers: Vec<Maker>,
    /// The built-in tasks of the command line.
    listed: Option<&'static [&'static TaskEntry]>,
}

/// Makes a task from its settings.
type Maker = Box<dyn Fn(&JobSpec, TextOptions) -> Result<Box<dyn BlockTask>, String>>;

impl Tasks {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tasks that the command line's own worker has.
    #[must_use]
    pub fn listed(list: &'static [&'static TaskEntry]) -> Self {
        let infos = list.iter().map(|entry| entry.info()).collect();
        Self { infos, makers: Vec::new(), listed: Some(list) }
    }

    /// Adds a task without settings; `summary` is one line of help: what an item is
    /// and what its result is.
    #[must_use]
    pub fn task<T: Task>(self, summary: &str, task: T) -> Self
    where
        T::Input: FromStr<Err: Display>,
        T::Output: Display + 'static,
    {
        let task = Arc::new(task);
        let name = task.name().to_owned();
        self.add(&name, summary, &[], move |_| Ok(Arc::clone(&task)))
    }

    /// Adds a task with settings, which `make` makes of them once for each job.
    /// Settings that are not declared, or have a value that is not listed, are
    /// refused before. An error of `make` is shown together with the settings that
    /// there are.
    #[must_use]
    pub fn task_with<T: Task>(
        self,
        name: &str,
        summary: &str,
        params: &'static [ParamSpec],
        make: impl Fn(&Params) -> Result<T, String> + 'static,
    ) -> Self
    where
        T::Input: FromStr<Err: Display>,
        T::Output: Display + 'static,
    {
        self.add(name, summary, params, move |params| make(params).map(Arc::new))
    }

    fn add<T: Task>(
        mut self,
        name: &str,
        summary: &str,
        params: &'static [ParamSpec],
        make: impl Fn(&Params) -> Result<Arc<T>, String> + 'static,
    ) -> Self
    where
        T::Input: FromStr<Err: Display>,
        T::Output: Display + 'static,
    {
        self.infos.push(TaskInfo {
            name: name.to_owned(),
            summary: summary.to_owned(),
            items: Items::Lines,
            numbers: false,
            params: params.iter().map(Into::into).collect(),
        });
        let name = name.to_owned();
        self.makers.push(Box::new(move |job, options| {
            let checked = Params::check(&name, params, &job.params).map_err(|e| e.to_string())?;
            let task = make(&checked).map_err(|what| ParamError::new(&name, what, params).to_string())?;
            Ok(Box::new(TextBlocks { task: OverText(task), options, buffers: RunBuffers::default() }))
        }));
        self
    }

    /// How the input of the task that was added last is cut into items.
    #[must_use]
    pub fn items(mut self, items: Items) -> Self {
        if let Some(last) = self.infos.last_mut() {
            last.items = items;
        }
        self
    }

    /// The items of the task that was added last are numbers: leading lines with
    /// words in them are a heading, and left out.
    #[must_use]
    pub fn numbers(mut self) -> Self {
        if let Some(last) = self.infos.last_mut() {
            last.numbers = true;
        }
        self
    }

    fn make(&self, job: &JobSpec, identity: Identity) -> Result<Box<dyn BlockTask>, String> {
        if let Some(list) = self.listed {
            return listed(list)(job, identity);
        }
        let at = self.infos.iter().position(|info| info.name == job.task);
        let maker = at.and_then(|at| self.makers.get(at)).ok_or_else(|| format!("unknown task '{}'", job.task))?;
        maker(
            job,
            TextOptions { items: job.items, table: job.table.clone(), format: job.format, show: job.show, identity },
        )
    }
}

/// Makes tasks of this list. The error is that the list has no such task, or that
/// the task does not take these settings.
pub fn listed(
    list: &'static [&'static TaskEntry],
) -> impl Fn(&JobSpec, Identity) -> Result<Box<dyn BlockTask>, String> + Copy + Send + Sync {
    move |job, identity| {
        let entry = list.iter().find(|entry| entry.name == job.task);
        let entry = entry.ok_or_else(|| format!("unknown task '{}'", job.task))?;
        let options =
            TextOptions { items: job.items, table: job.table.clone(), format: job.format, show: job.show, identity };
        entry.task(&job.params, &job.arguments, options).map_err(|e| e.to_string())
    }
}

/// Serves the coordinator that has started this program. A program that was started
/// by hand prints what it is instead. It is the only call in `main`:
///
/// ```no_run
/// use procession::worker::{Tasks, serve};
/// use procession::{Task, TaskError};
///
/// struct Shout;
///
/// impl Task for Shout {
///     type Input = String;
///     type Output = String;
///
///     fn name(&self) -> &str {
///         "shout"
///     }
///
///     fn run(&self, line: String) -> Result<String, TaskError> {
///         Ok(line.to_uppercase())
///     }
/// }
///
/// fn main() -> std::process::ExitCode {
///     serve(Tasks::new().task("a line, in capitals", Shout))
/// }
/// ```
///
/// Then `coordinator --worker PATH --task shout --input FILE` runs it.
#[must_use = "it is what main returns"]
pub fn serve(tasks: Tasks) -> ExitCode {
    let Some(role) = Role::from_args(std::env::args_os().skip(1)) else {
        return by_hand(&tasks);
    };
    become_worker();
    let make = |job: &JobSpec, identity: Identity| tasks.make(job, identity);
    match serve_role(role, tasks.infos.clone(), &make, || Ok(())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A full disk under standard error is no reason to panic.
            let _ = writeln!(std::io::stderr(), "worker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The program was started by hand: prints what it is.
fn by_hand(tasks: &Tasks) -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    let program = std::env::args().next().unwrap_or_default();
    let name = Path::new(&program).file_name().map_or_else(|| "worker".into(), |name| name.to_string_lossy());
    if matches!(std::env::args().nth(1).as_deref(), Some("--version" | "-V")) {
        // Here standard output does not carry the protocol. A closed standard
        // output is ignored.
        let _ = writeln!(std::io::stdout(), "{name} {version}");
        return ExitCode::SUCCESS;
    }
    let hint = if tasks.listed.is_some() { "--help".to_owned() } else { format!("tasks --worker {program}") };
    let _ = writeln!(
        std::io::stderr(),
        "{name} {version}: the process that 'coordinator' starts, N times, and talks to over pipes.\n\
         It does nothing by itself. Try: coordinator {hint}"
    );
    ExitCode::from(2)
}

/// A task over blocks of text.
struct TextBlocks<T> {
    task: OverText<T>,
    options: TextOptions,
    buffers: RunBuffers,
}

struct OverText<T>(Arc<T>);

impl<T: Task> BlockTask for TextBlocks<T>
where
    T::Input: FromStr<Err: Display>,
    T::Output: Display + 'static,
{
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        run_items(&self.task, &self.options, &mut self.buffers, block, reply)
    }
}

impl<'a, T: Task> RunItem<'a> for OverText<T>
where
    T::Input: FromStr<Err: Display>,
    T::Output: Display + 'static,
{
    type Input = T::Input;
    type Output = DisplayText<T::Output>;

    fn read(&self, item: &'a [u8]) -> Result<T::Input, Failure> {
        let invalid = |what: String| Failure::new(FailureKind::Invalid, what);
        let text = std::str::from_utf8(item).map_err(|_| invalid("not UTF-8".to_owned()))?;
        // Parsing runs the task's own code, too.
        catch_panic(|| text.parse::<T::Input>().map_err(|e| invalid(e.to_string()))).flatten()
    }

    fn run_item(
        &self,
        input: T::Input,
        _: ItemAttempt,
        _: &mut dyn FnMut(&str),
    ) -> Result<DisplayText<T::Output>, Failure> {
        catch_panic(|| self.0.run(input))?.map(DisplayText).map_err(Failure::from)
    }
}

/// An output as its `Display` shows it.
struct DisplayText<T>(T);

impl<T: Display + 'static> ToText for DisplayText<T> {
    fn is_json(&self) -> bool {
        let value: &dyn Any = &self.0;
        let is_finite = |value: f64| value.is_finite();
        match (value.downcast_ref::<f64>(), value.downcast_ref::<f32>()) {
            (Some(&double), _) => is_finite(double),
            (_, Some(&single)) => is_finite(single.into()),
            _ => is_whole_or_bool(TypeId::of::<T>()),
        }
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        // Writing to memory fails only if the value's own `Display` fails, and then
        // there is nothing better to write.
        let _ = write!(out, "{}", self.0);
    }
}

fn is_whole_or_bool(id: TypeId) -> bool {
    let small =
        [TypeId::of::<bool>(), TypeId::of::<u8>(), TypeId::of::<i8>(), TypeId::of::<u16>(), TypeId::of::<i16>()];
    let large = [TypeId::of::<u32>(), TypeId::of::<i32>(), TypeId::of::<u64>(), TypeId::of::<i64>()];
    let huge = [TypeId::of::<u128>(), TypeId::of::<i128>(), TypeId::of::<usize>(), TypeId::of::<isize>()];
    small.contains(&id) || large.contains(&id) || huge.contains(&id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::TaskError;

    struct Power(u32);

    impl Task for Power {
        type Input = i64;
        type Output = i64;
        fn name(&self) -> &str {
            "power"
        }
        fn run(&self, input: i64) -> Result<i64, TaskError> {
            input.checked_pow(self.0).ok_or_else(|| TaskError::new("too large"))
        }
    }

    const EXPONENT: &[ParamSpec] = &[ParamSpec { name: "exponent", default: "2", values: &[], help: "the exponent" }];

    fn tasks() -> Tasks {
        let power = |params: &Params| params.get("exponent").parse().map(Power).map_err(|_| "no exponent".to_owned());
        Tasks::new().task("its square", Power(2)).task_with("any", "its power", EXPONENT, power).items(Items::Words)
    }

    fn job(task: &str, params: &[(&str, &str)]) -> JobSpec {
        JobSpec {
            params: params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            items: Items::Words,
            format: procession_task::Format::Jsonl,
            max_result: 100,
            ..JobSpec::new(task)
        }
    }

    struct Still;

    impl procession_task::Host for Still {
        fn now_ns(&mut self) -> u64 {
            0
        }
        fn is_due(&mut self, _: Option<u64>) -> bool {
            false
        }
        fn item_starts(&mut self, _: u64) {}
        fn send(&mut self, _: &procession_task::Answer) {}
    }

    fn run(job: &JobSpec, bytes: &[u8], items: u32) -> String {
        let mut task = tasks().make(job, Identity::new(1, "h", 0)).unwrap();
        let mut answer = procession_task::Answer::default();
        let (mut host, block) = (Still, Block { first: 0, items, chunk: 0, attempt: 1, log: false, bytes });
        let mut reply = Reply::new(&mut host, &mut answer, false, 100);
        task.run(&block, &mut reply).unwrap();
        reply.finish();
        String::from_utf8(answer.outputs).unwrap()
    }

    #[test]
    fn tasks_read_and_write_text() {
        let lines = run(&job("any", &[("exponent", "3")]), b"-2 x \xff 99999999", 4);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[0], r#"{"index":0,"input":"-2","output":-8}"#);
        assert!(lines[1].contains(r#""kind":"invalid","message":"invalid digit"#), "{}", lines[1]);
        assert!(lines[2].contains("not UTF-8"), "{}", lines[2]);
        assert!(lines[3].contains(r#""kind":"failed","message":"too large""#), "{}", lines[3]);
        assert_eq!(run(&job("power", &[]), b"7", 1), "{\"index\":0,\"input\":\"7\",\"output\":49}\n");
    }

    #[test]
    fn what_is_wrong_with_a_job_is_said() {
        for (job, words) in [
            (job("cube", &[]), "unknown task 'cube'"),
            (job("power", &[("exponent", "2")]), "takes no parameters"),
            (job("any", &[("exponent", "x")]), "no exponent: task 'any' takes exponent=2 (default 2)"),
        ] {
            let error = tasks().make(&job, Identity::new(1, "h", 0)).err().unwrap();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn tasks_are_told_of_as_they_were_added() {
        let infos = tasks().numbers().infos;
        let told: Vec<_> = infos.iter().map(|info| (info.name.as_str(), info.items, info.numbers)).collect();
        assert_eq!(told, [("power", Items::Lines, false), ("any", Items::Words, true)]);
        assert_eq!(infos[1].params[0].name, "exponent");
    }

    #[test]
    fn numbers_stand_bare_in_json_and_words_do_not() {
        assert!(
            DisplayText(1u8).is_json()
                && DisplayText(-1i128).is_json()
                && DisplayText(true).is_json()
                && DisplayText(0.5f32).is_json()
        );
        assert!(!DisplayText(f64::NAN).is_json() && !DisplayText("1").is_json() && !DisplayText('1').is_json());
    }
}
