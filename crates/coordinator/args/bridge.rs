//! The flags of other tools (GNU parallel, xargs, MPI, hyperfine, Python's pools),
//! each with what does it here. Read only when a flag is unknown.

/// Flags, separated by spaces, and what does it here.
type Entry = (&'static str, &'static str);

const FLAGS: &[Entry] = &[
    (
        "--jobs --max-procs --max-jobs --workers --max-workers --num-workers --processes --nprocs --n-jobs --ntasks \
         --nproc --cores --cpus -P -np -w",
        "the number of processes is --procs N (-j N)",
    ),
    (
        "-n",
        "the number of processes is --procs N (-j N); items for each program: --task pipe --chunk N has it read N lines",
    ),
    (
        "-N -X -m -L -l -s --max-args --max-replace-args --max-lines --max-chars --xargs --exec-batch",
        "there is none, command runs a program for each item; --task pipe --chunk N has a program read N lines",
    ),
    ("-0 --null --print0", "items that end in NUL bytes: --items nul"),
    (
        "-d",
        "items are lines with --items lines, words with --items words; fields of records: --items csv --delimiter CHAR",
    ),
    ("-a --arg-file --argfile", "a file of items: --input FILE"),
    ("--arg-sep --arg-file-sep --link --xapply", "there is none; items are given with --input FILE or --list X,Y"),
    ("-I -U -J --replace", "there is none: the placeholder of the item is always {}"),
    ("--bar --eta", "a bar with rate and remaining time: --progress always"),
    ("--tag", "leave it out: results stand behind their input by default (--format tsv)"),
    ("--tagstring", "there is none: results stand behind their input by default (--format tsv)"),
    (
        "--halt --halt-on-error --fail-fast --stop-on-error --exitfirst",
        "by default a run stops at its first failed item; --keep-going continues, --max-failures N stops later",
    ),
    (
        "--results --files --outputasfiles",
        "results go into one file with --output FILE, standard error into --log-dir DIR",
    ),
    ("--colsep -C --csv", "fields of records: --items csv, with --delimiter CHAR for another separator"),
    ("--header", "--items csv takes the first record as heading, unless --no-heading is given"),
    ("--load", "there is none: no run waits for the load of the machine"),
    ("--memfree --noswap --memsuspend", "there is none; --memory-limit SIZE bounds the memory of each worker"),
    ("--delay", "there is none: programs start without a pause"),
    ("--dryrun", "write --dry-run"),
    ("--keep-order", "leave it out: results are always in the order of the input (-k is --keep-going here)"),
    (
        "-u --ungroup --group --line-buffer --linebuffer --lb",
        "there is none: results are written whole and in order; --unordered writes them as they come",
    ),
    ("-r --no-run-if-empty", "leave it out: without items nothing runs"),
    ("-p --interactive --open-tty", "there is none: programs have no terminal"),
    ("--pipe --pipepart --spreadstdin", "programs that read blocks of lines: --task pipe"),
    ("--block --block-size", "the number of lines that a program of pipe reads: --chunk N"),
    ("--chunksize --chunk-size --batch-size", "the number of items in a message: --chunk N"),
    ("--shuf --seed", "write --shuffle SEED"),
    ("--max-retries", "write --retries N"),
    ("--nice", "there is none: write nice -n 10 coordinator …"),
    ("--tmpdir --tempdir", "there is none: set the variable TMPDIR"),
    ("--wd --workdir --chdir", "there is none: programs run in the current folder"),
    ("--env", "leave it out: programs inherit the environment"),
    ("--shell", "no shell runs between the coordinator and a program: write -- sh -c 'wc \"$1\"' _ {}"),
    ("--exec -x --command", "the program stands at the end, behind --: -- PROGRAM ARGS…"),
    ("--silent --will-cite --no-notice --citation", "leave it out; --quiet prints errors only"),
    ("--fg --bg --semaphore --sem --semaphorename", "there is none"),
    ("--bind-to --map-by --cpu-set --cpu-list", "there is none: write taskset -c 0-3 coordinator …"),
    ("--oversubscribe", "leave it out: --procs may be more than the CPUs"),
    ("--runs --min-runs --max-runs -M", "write --repeat N"),
    ("--export-json --export-csv --export-markdown", "measurements: --timings FILE.json, FILE.csv or FILE.md"),
    ("--parameter-list --parameter-scan", "several counts or sizes are several runs: --procs 1,2,4 or --size 10,20"),
    ("--prepare --setup --cleanup --conclude", "there is none"),
];

/// Other words for subcommands and flags that people try as the first word.
const WORDS: &[Entry] = &[
    ("help", "write coordinator --help"),
    ("version", "write coordinator --version"),
    ("run start exec", "leave it out: --task NAME runs a task"),
    ("list ls", "coordinator tasks lists the tasks; items are given with --list X,Y"),
    ("log logs show status", "coordinator inspect shows the log of a call"),
    ("bench benchmark measure compare", "--compare measures a task, and --repeat N repeats it"),
];

/// What does here what this flag does elsewhere.
pub(super) fn of_flag(flag: &str) -> Option<&'static str> {
    answer(FLAGS, flag)
}

/// What to write instead of this word.
pub(super) fn of_word(word: &str) -> Option<&'static str> {
    answer(WORDS, word)
}

fn answer(table: &'static [Entry], asked: &str) -> Option<&'static str> {
    table.iter().find(|(names, _)| names.split_whitespace().any(|name| name == asked)).map(|(_, answer)| *answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_flag_is_answered_once_and_is_none_of_ours() {
        let command = super::super::command();
        let ours: Vec<String> = command
            .get_arguments()
            .flat_map(|arg| {
                let short = arg.get_short().map(|short| format!("-{short}"));
                short.into_iter().chain(arg.get_long().map(|long| format!("--{long}")))
            })
            .collect();
        let mut seen = BTreeSet::new();
        for name in FLAGS.iter().flat_map(|(names, _)| names.split_whitespace()) {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(!ours.contains(&name.to_owned()), "{name} is a flag of ours");
        }
        for (_, answer) in FLAGS.iter().chain(WORDS) {
            for flag in answer.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| word.starts_with("--")) {
                let is_ours = ours.iter().any(|own| own == flag) || matches!(flag, "--" | "--help" | "--version");
                assert!(is_ours, "{flag} in '{answer}' does not exist");
            }
        }
    }
}
