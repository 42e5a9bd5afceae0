//! `python`: a function of the user's own, as it is.

use crate::support::{Ended, Place, item_lines, lines, nothing_is_left, runs};
use std::collections::BTreeSet;

/// Runs a function `f` of this text.
fn python(place: &Place, flags: &[&str], text: &str, input: impl AsRef<[u8]>) -> Ended {
    place.file("own.py", text);
    place.run_on(&[&["-t", "python"], flags, &["--", "own.py:f"]].concat(), input)
}

#[test]
fn many_items_come_back_in_order_from_many_workers() {
    let place = Place::new();
    let text = "def f(x): return x * x\n";
    let squares = |n: u64| (1..=n).map(|i| format!("{i}\t{}\n", i * i)).collect::<String>();
    for executor in [&["-j1"][..], &["-j4"], &["--threads", "2"], &["--serial"], &["-j2", "--timeout", "1m"]] {
        let n = if executor.len() == 1 { 100_000 } else { 10_000 };
        let flags = [&["-q", "--log", "off"], executor].concat();
        assert!(python(&place, &flags, text, lines(n)).ok() == squares(n), "{executor:?}");
    }
    nothing_is_left(&place);
}

#[test]
fn printed_text_is_in_the_log_only() {
    let place = Place::new();
    let text = "import os, subprocess, sys\nprint('imported')\ndef f(x):\n    print('printed', x)\n    \
                os.system('echo shell')\n    os.write(1, b'written\\n')\n    subprocess.run(['echo', 'child'])\n    \
                return sys.stdin.read()\nif __name__ == '__main__':\n    print('never')\n";
    let ended = python(&place, &["-j1", "--log-dir", "log"], text, "5\n");
    assert_eq!(ended.ok(), "5\t\n");
    let folder = std::fs::read_dir(&runs(&place.path("log"))[0]).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let said = paths.filter(|path| path.extension().is_some_and(|extension| extension == "stderr"));
    let said: Vec<_> = said.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    // On a busy machine an import may take so long that this is told, too.
    let told = "note: own.py:f is still being imported\n";
    let said: Vec<_> = said.iter().map(|said| said.replace(told, "")).collect();
    assert_eq!(said, ["imported\nprinted 5\nshell\nwritten\nchild\n"]);
}

#[test]
fn exceptions_are_their_items_failures_and_the_process_lives_on() {
    let place = Place::new();
    let text = "import sys\ndef f(x):\n    if x == 3:\n        raise ValueError('three\\tis no good')\n    \
                if x == 4: sys.exit(1)\n    if x == 5: raise MemoryError\n    return x\n";
    let ended =
        python(&place, &["-j1", "-k", "--retries", "0", "--log-dir", "log"], text, lines(6)).fails(1, "-:3:1: ");
    let expected = "1\t1\n2\t2\n3\t\tfailed: ValueError: three\\tis no good (own.py:4)\n\
                    4\t\tfailed: SystemExit: 1 (own.py:5)\n5\t\tout-of-memory: MemoryError (own.py:6)\n6\t6\n";
    assert_eq!(ended.out, expected);
    let logged = item_lines(&runs(&place.path("log"))[0]);
    let programs: BTreeSet<_> = logged.iter().map(|line| line["child_pid"].as_u64()).collect();
    assert_eq!((logged.len(), programs.len()), (6, 1));
}

#[test]
fn results_have_their_types_and_text_its_bytes() {
    let place = Place::new();
    let text = "def f(x):\n    return {'int': 3, 'big': 10**25, 'float': 0.1, 'nan': float('nan'), 'bool': True,\n        \
                'none': None, 'list': [1], 'text': 'ä\\n'}.get(x, x)\n";
    let input = "int\nbig\nfloat\nnan\nbool\nnone\nlist\ntext\nöl\n";
    let ended = python(&place, &["-j1", "--format", "jsonl"], text, input);
    let out = ended.ok();
    let outputs: Vec<&str> =
        out.lines().map(|line| line.split_once("\"output\":").unwrap().1.strip_suffix('}').unwrap()).collect();
    let expected = ["3", "10000000000000000000000000", "0.1", "\"nan\"", "true", "null", "[1]", "\"ä\\n\"", "\"öl\""];
    assert_eq!(outputs, expected);
}

#[test]
fn bytes_of_every_kind_come_back_as_they_went() {
    let place = Place::new();
    place.file("own.py", "def f(x): return x\n");
    let bytes: Vec<u8> = (1..=255).chain(b"\\n\\\\s\n".iter().copied()).collect();
    place.file("in", [&bytes[..], b"\0second\0"].concat());
    let args = ["-t", "python", "-j1", "--items", "nul", "--format", "csv", "-o", "out", "-i", "in", "--", "own.py:f"];
    place.run(&args).ok();
    let out = std::fs::read(place.path("out")).unwrap();
    // Quoted, with its quotes doubled.
    let quoted = bytes.iter().flat_map(|&b| if b == b'"' { vec![b'"', b'"'] } else { vec![b] }).collect::<Vec<u8>>();
    let found = out.windows(quoted.len()).filter(|window| *window == quoted).count();
    assert_eq!(found, 2, "as item and as result");
}

#[test]
fn an_item_that_kills_the_interpreter_fails_alone() {
    for (death, says) in [
        ("os._exit(3)", "crashed: its process exited with status 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed: its process was killed by SIGSEGV"),
    ] {
        let place = Place::new();
        let text = format!("import os, signal\ndef f(x):\n    if x == 33: {death}\n    return x\n");
        let ended = python(&place, &["-j2", "-k", "--chunk", "25"], &text, lines(60)).fails(1, "-:33:1: ");
        let line = |i| if i == 33 { format!("33\t\t{says}\n") } else { format!("{i}\t{i}\n") };
        assert_eq!(ended.out, (1..=60).map(line).collect::<String>());
        nothing_is_left(&place);
    }
}

#[test]
fn an_import_error_is_reported_once_and_clearly() {
    let place = Place::new();
    for (text, says) in [
        ("def f(x:\n", "own.py:f: SyntaxError: "),
        ("def f(x):\nreturn x\n", "own.py:f: IndentationError: "),
        ("import no_such_module\n", "own.py:f: ModuleNotFoundError: No module named 'no_such_module' (own.py:1)"),
        ("def g(x): return x\n", "error: own.py has no function 'f'; it has: g"),
        ("f = 3\n", "own.py:f is no function, it is int"),
        ("raise RuntimeError('no')\n", "own.py:f: RuntimeError: no (own.py:1)"),
        ("import os\nos._exit(4)\n", "own.py:f ended with status 4 before its first request"),
    ] {
        for executor in [&["-j2"][..], &["--serial"]] {
            let ended = python(&place, &[executor, &["--log", "off"]].concat(), text, lines(10)).fails(3, says);
            assert_eq!((ended.out.as_str(), ended.err.matches("error: ").count()), ("", 1), "{}", ended.err);
        }
    }
    for word in ["own.py", ":f", "own.py:"] {
        place.run(&["-t", "python", "--list", "1", "--", word]).fails(2, "FILE.py:FUNCTION");
    }
    nothing_is_left(&place);
}

#[test]
fn files_with_any_name_are_found_with_their_neighbours() {
    let place = Place::new();
    for name in ["json", "inspect", "traceback"] {
        place.file(&format!("{name}.py"), "def f(x):\n    if x == 2: raise ValueError\n    return [x]\n");
        let function = format!("{name}.py:f");
        let ended = place.run(&["-t", "python", "--list", "1,2", "-k", "-j1", "--", &function]);
        assert_eq!(ended.fails(1, "ValueError").out, format!("1\t[1]\n2\t\tfailed: ValueError ({name}.py:2)\n"));
    }
    place.file("token.py", "def twice(x): return {2 * x}\n");
    let text = "import functools\n@functools.lru_cache\ndef f(x):\n    import token\n    return token.twice(x)\n";
    assert_eq!(python(&place, &["-j1"], text, "3\n").ok(), "3\t[6]\n", "a neighbour with a name of the library");
    std::fs::create_dir(place.path("odd:dir name")).unwrap();
    place.file("odd:dir name/helper.py", "def twice(x): return 2 * x\n");
    let text = "import helper\nclass Does:\n    @staticmethod\n    def it(x): return helper.twice(x)\n";
    place.file("odd:dir name/my-file.py", text);
    let ended = place.run(&["-t", "python", "--list", "2,x", "-j1", "--", "odd:dir name/my-file.py:Does.it"]);
    assert_eq!(ended.ok(), "2\t4\nx\txx\n");
}

#[test]
fn failed_items_are_retried_if_asked_for() {
    let text = "seen = {}\ndef f(x):\n    seen[x] = seen.get(x, 0) + 1\n    \
                if x == 2 and seen[x] < 3: raise OSError('not yet')\n    return seen[x]\n";
    let place = Place::new();
    let flags = ["-j1", "-k", "--retries", "2", "--retry-on", "failed", "--log-dir", "log"];
    assert_eq!(python(&place, &flags, text, lines(4)).ok(), "1\t1\n2\t3\n3\t1\n4\t1\n");
    let logged = item_lines(&runs(&place.path("log"))[0]);
    let attempts: Vec<_> = logged.iter().map(|line| line["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 3, 1, 1]);
    let place = Place::new();
    let ended = python(&place, &["-j1", "-k", "--retries", "1", "--retry-on", "failed"], text, lines(3));
    assert_eq!(ended.fails(1, "-:2:1: ").out, "1\t1\n2\t\tfailed: OSError: not yet (own.py:4)\n3\t1\n");
}

#[test]
fn each_item_has_its_own_time() {
    let place = Place::new();
    let text = "import time\ndef f(x):\n    if x == 12: time.sleep(1000)\n    return x\n";
    let ended = python(&place, &["-j2", "-k", "--timeout", "1s"], text, lines(20)).fails(1, "-:12:1: ");
    let line = |i| if i == 12 { "12\t\ttimed-out: ran longer than 1s\n".into() } else { format!("{i}\t{i}\n") };
    assert_eq!(ended.out, (1..=20).map(line).collect::<String>());
    nothing_is_left(&place);
}

#[test]
fn an_import_may_take_longer_than_an_item() {
    let place = Place::new();
    let text = "import time\ntime.sleep(2.5)\ndef f(x): return x\n";
    let ended = python(&place, &["-j2", "--timeout", "300ms"], text, lines(3));
    let said = ended.err.matches("note: own.py:f is still being imported").count();
    assert_eq!((ended.ok().as_str(), said), ("1\t1\n2\t2\n3\t3\n", 1));
}

#[test]
fn an_output_is_gone_on_with_and_workers_are_replaced() {
    let place = Place::new();
    let input = place.file("in", lines(50));
    place.file(
        "own.py",
        "import os\ndef f(x):\n    if x == 30 and not os.path.exists('well'): os._exit(9)\n    return x\n",
    );
    let flags = ["-t", "python", "-i", input.to_str().unwrap(), "-o", "out.tsv", "-j2", "--max-tasks-per-worker", "10"];
    place.run(&[&flags[..], &["--", "own.py:f"]].concat()).fails(1, "in:30:1: ");
    place.file("well", "");
    place.run(&[&flags[..], &["--resume", "--", "own.py:f"]].concat()).ok();
    assert_eq!(place.read("out.tsv"), (1..=50).map(|i| format!("{i}\t{i}\n")).collect::<String>());
}

#[test]
fn the_interpreter_can_be_chosen() {
    let place = Place::new();
    place.file("own.py", "import os\ndef f(x): return os.environ['CHOSEN']\n");
    let script = place.script("my python", "#!/bin/sh\nCHOSEN=mine exec python3 \"$@\"\n");
    let param = format!("python={}", script.display());
    let args = ["-t", "python", "--list", "1", "-j1", "--param", &param, "--", "own.py:f"];
    assert_eq!(place.run(&args).ok(), "1\tmine\n");
}

#[test]
fn constants_and_types_are_given_by_flags() {
    let place = Place::new();
    let text = "def f(x, n=1, k=''): return f'{x!r} {n!r} {k!r}'\n";
    for executor in ["-j2", "--serial"] {
        let flags = ["-q", executor, "--param", "type=str", "--arg", "n={procs}", "--arg", "k=a b", "--size", "2"];
        assert_eq!(python(&place, &flags, text, "7\n8\n9\n").ok(), {
            let procs = if executor == "-j2" { 2 } else { 1 };
            format!("7\t'7' {procs} 'a b'\n8\t'8' {procs} 'a b'\n")
        });
    }
    python(&place, &["--arg", "q=1"], text, "7\n").fails(3, "error: --arg q=1: f takes x, n=1, k=''");
    python(&place, &["--arg", "n=1", "--arg", "n=2"], text, "7\n").fails(2, "the constant 'n' is given twice");
    python(&place, &["--arg", "n"], text, "7\n").fails(2, "write NAME=VALUE");
    python(&place, &["--param", "type=date"], text, "7\n").fails(2, "type=auto|str|int|float|json");
    place.run(&["-t", "sqrt", "--list", "1", "--arg", "n=1"]).fails(2, "--arg is for the functions of --task python");
    let words = ["-t", "python", "--list", "1", "--", "own.py:f", "--n", "3"];
    place.run(&words).fails(2, "constants for the function stand before that, as --arg NAME=VALUE");
    let dry = ["-t", "python", "--list", "1", "--arg", "k=a b", "--dry-run", "--", "own.py:f"];
    assert_eq!(place.run(&dry).ok(), "own.py:f --arg 'k=a b' <<< 1\n");
}

#[test]
fn an_output_with_other_constants_is_not_resumed() {
    let place = Place::new();
    place.file("own.py", "def f(x, n):\n    if x == 3 and n == 1: raise ValueError\n    return x * n\n");
    let run = |flags: &[&str]| {
        let base = ["-t", "python", "--list", "1,2,3", "-o", "out", "-j1"];
        place.run(&[&base[..], flags, &["--", "own.py:f"]].concat())
    };
    run(&["--arg", "n=1"]).fails(1, "ValueError");
    run(&["--arg", "n=2", "--resume"]).fails(2, "n=1");
}

#[test]
fn records_are_the_arguments_of_a_function() {
    let place = Place::new();
    place.file("own.py", "def f(low, high): return low + high\ndef g(row): return row\n");
    place.file("in", "low,high\n1,2\n3,x\n");
    let run = |flags: &[&str], function: &str| {
        place.run(&[&["-t", "python", "-i", "in", "-q", "-k"], flags, &["--", function]].concat())
    };
    for executor in ["-j2", "--serial"] {
        let ended = run(&["--items", "csv", executor], "own.py:f").fails(1, "in:3:1: \"3,x\": failed: TypeError");
        assert_eq!(ended.out.lines().next(), Some("1,2\t3"));
        assert_eq!(run(&["--items", "csv", executor], "own.py:g").ok(), "1,2\t[1,2]\n3,x\t[3,\"x\"]\n");
        assert_eq!(run(&["--items", "csv", "--column", "low", executor], "own.py:g").ok(), "1\t1\n3\t3\n");
        run(&["--items", "csv", "--delimiter", ";", executor], "own.py:f")
            .fails(3, "error: the columns are low,high, and f takes low, high");
        run(&[executor], "own.py:f").fails(3, "f takes low, high, and an item is one argument");
    }
    place.file("in", "{\"high\": 2, \"low\": \"1\"}\n[\"b\", \"a\"]\n");
    let ended = run(&["--items", "jsonl", "--format", "jsonl", "-j1"], "own.py:f").fails(1, "TypeError");
    assert!(ended.out.ends_with("\"output\":\"ba\"}\n"), "{}", ended.out);
    assert_eq!(run(&["--items", "jsonl", "--column", "high", "--size", "1"], "own.py:g").ok(), "2\t2\n");
}

#[test]
fn a_function_is_found_in_modules_and_objects() {
    let place = Place::new();
    place.file("own.py", "class C:\n    def m(self, x): return -x\nc = C()\ndef square(x): return x * x\n");
    for (function, result) in
        [("own:square", "16"), ("own:c.m", "-4"), ("own.py:C.m", "-4"), ("math:sqrt", "2.0"), ("./own:square", "16")]
    {
        let ended = place.run(&["-t", "python", "--list", "4", "-j1", "-q", "--", function]);
        assert_eq!(ended.ok(), format!("4\t{result}\n"), "{function}");
    }
    for (function, status, says) in [
        ("own.py:sqare", 3, "error: own.py has no function 'sqare'; it has: C, square"),
        ("mahts:sqrt", 3, "error: there is no file mahts.py, and no module 'mahts'"),
        ("nb.ipynb:f", 2, "%%writefile f.py"),
        ("no/where:f", 2, "can't read no/where"),
    ] {
        place.run(&["-t", "python", "--list", "4", "-j1", "--", function]).fails(status, says);
    }
}

#[test]
fn a_file_that_parses_its_arguments_is_named_for_it() {
    let place = Place::new();
    let text = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--n', required=True)\n\
                args = parser.parse_args()\ndef f(x): return x\n";
    let ended = python(&place, &["-j1"], text, "1\n").fails(3, "own.py:f: SystemExit: 2 (own.py:4); it wrote: usage: ");
    for says in
        ["the following arguments are required: --n", "the file parses its arguments when it is imported", "--arg"]
    {
        assert!(ended.err.contains(says), "{}", ended.err);
    }
    let text = "def f(x): return x * FACTOR\nif __name__ == '__main__':\n    FACTOR = 3\n";
    python(&place, &["-j1"], text, "1\n").fails(1, "'FACTOR' is not defined (own.py:1); it is set under `if __name__");
}

#[test]
fn printed_lines_are_counted_and_shown_if_asked_for() {
    let place = Place::new();
    let text = "import os, sys\ndef f(x):\n    print('printed', x)\n    os.system('echo shell >&2')\n    \
                if x == 2: raise ValueError('two\\n lines\\nthree')\n    return x\n";
    let run = |flags: &[&str]| python(&place, &[&["-k", "--retries", "0"], flags].concat(), text, lines(3));
    let ended = run(&["-j1", "--log-dir", "log"]).fails(1, "-:2:1: ");
    let mut files = std::fs::read_dir(&runs(&place.path("log"))[0]).unwrap().map(|entry| entry.unwrap().file_name());
    let file = files.find(|name| name.to_string_lossy().ends_with(".stderr")).unwrap();
    let place_of_lines = format!("log/run-1/{}", file.display());
    let said = format!("note: the function printed 6 lines: see {place_of_lines}, or use --verbose\n");
    assert!(ended.err.ends_with(&said), "{}", ended.err);
    let ended = run(&["-j1", "--log", "off"]).fails(1, "note: the function printed 6 lines: --verbose shows them");
    assert!(!ended.err.contains("printed 2"), "{}", ended.err);
    let ended = run(&["-j1", "--log", "off", "--verbose"]).fails(1, ", worker 0> printed 2\n");
    let shown: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("Printed <pid ")).collect();
    assert!(shown[1].ends_with(", worker 0> shell") && !ended.err.contains("6 lines"), "{}", ended.err);
    let ended = run(&["--serial"]).fails(1, "printed 2\n");
    assert!(!ended.err.contains("the function printed"), "shown at once: {}", ended.err);
    let silent = python(&place, &["-j1"], "def f(x): raise ValueError\n", "1\n").fails(1, "ValueError");
    assert!(!silent.err.contains("the function printed"), "a traceback is not printed by it: {}", silent.err);
}

#[test]
fn numbers_beside_text_are_told_once_at_the_end() {
    let place = Place::new();
    let (text, typed) = ("def f(x): return x\n", "def f(x: str): return x\n");
    let note = "note: the function was given some items as numbers and others as text: --param type=str";
    for (executor, input) in [
        (&["-j1"][..], "7\nx\n8\ny\n"),
        (&["-j1"], "007\n8\n"),
        (&["-j2", "--chunk", "1"], "7\n007\n"),
        (&["--serial"], "7\n\n"),
    ] {
        let ended = python(&place, executor, text, input);
        assert_eq!((ended.status, ended.err.matches(note).count()), (0, 1), "{executor:?}: {}", ended.err);
    }
    for (flags, text, input) in [
        (&["-j1"][..], text, "7\n7.5 \n1e-05\n"),
        (&["-j1"], text, "a\n007\n"),
        (&["-j1"], typed, "7\nx\n"),
        (&["-j1", "--param", "type=str"], text, "7\nx\n"),
        (&["-j1", "--items", "jsonl"], text, "7\n\"x\"\n"),
        (&["-j1", "-q"], text, "7\nx\n"),
    ] {
        let ended = python(&place, flags, text, input);
        assert!(ended.status == 0 && !ended.err.contains("as numbers"), "{flags:?}: {}", ended.err);
    }
}
