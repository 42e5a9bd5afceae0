//! `python`: a function in a Python file, called by an interpreter that serves the
//! worker for its whole life. `shim.py` runs in the interpreter and calls the
//! function.
//!
//! An item becomes an `int` or a `float` if it is a plain decimal number (`7`,
//! `-2.5`, `1e3`; not `1_000`, `nan` or ` 7`), otherwise a `str`. Bytes that are
//! not UTF-8 become surrogates, as in file names. A result that is a number or a
//! boolean is one in JSON, too. Bytes and text are taken unchanged, any other
//! result as the text of `str`. An exception is the item's failure.

use crate::coprocess::{Codec, CoprocessCommand, CoprocessTask, Said, c_strings};
use procession_task::builtin::{ItemRunner, TaskEntry, TaskShape};
use procession_task::{BlockTask, Failure, FailureKind, Items, ParamError, ParamSpec, Params, TextOptions};

const SHIM: &str = include_str!("shim.py");

/// The task's parameters.
pub const PARAMS: &[ParamSpec] = &[ParamSpec {
    name: "python",
    default: "python3",
    values: &[],
    help: "the interpreter, 3.8 or later: a path, or a name that is looked up",
}];

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "python",
    summary: "a function of your own in Python, called with each item",
    params: PARAMS,
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: TaskShape::List,
    runner: ItemRunner::Python,
    make,
};

fn make(params: &Params, words: &[Vec<u8>], options: TextOptions) -> Result<Box<dyn BlockTask>, ParamError> {
    let refused = |what: &str| ParamError::plain(what);
    let [word] = words else {
        return Err(refused("write one FILE.py:FUNCTION after --"));
    };
    let Some((file, function)) = split(word) else {
        let word = String::from_utf8_lossy(word);
        return Err(refused(&format!("'{word}' has no function name: write FILE.py:FUNCTION after --")));
    };
    let name = String::from_utf8_lossy(word).into_owned();
    let python = params.get("python").as_bytes();
    let words = c_strings([python, b"-u", b"-c", SHIM.as_bytes(), file, function])?;
    let command = CoprocessCommand { name: name.clone(), words, env: Vec::new() };
    Ok(Box::new(CoprocessTask::new(ShimCodec { name }, command, options)))
}

/// The file, whose name may contain colons, and the function.
fn split(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memrchr(b':', word)?;
    let (file, function) = (&word[..colon], &word[colon + 1..]);
    (!file.is_empty() && !function.is_empty()).then_some((file, function))
}

/// Lines in the format of `shim.py`.
struct ShimCodec {
    /// The file and the function.
    name: String,
}

impl Codec for ShimCodec {
    const HAS_GREETING: bool = true;

    fn ask(&self, item: &[u8], at_once: bool, line: &mut Vec<u8>) -> Result<(), Failure> {
        line.push(if at_once { b'!' } else { b' ' });
        push_escaped(line, item);
        line.push(b'\n');
        Ok(())
    }

    fn longest_answer(&self, max_result: usize) -> usize {
        // In the worst case each byte is escaped as two.
        max_result.saturating_mul(2).saturating_add(1)
    }

    fn read(&self, line: &[u8], text: &mut Vec<u8>) -> Result<Said, Failure> {
        let (kind, said) = line.split_first().unwrap_or((&0, b""));
        let from = text.len();
        push_plain(text, said);
        let kind = match kind {
            b'v' => return Ok(Said { is_json: true }),
            b's' => return Ok(Said { is_json: false }),
            b'f' => FailureKind::Failed,
            b'm' => FailureKind::OutOfMemory,
            _ => return Err(Failure::new(FailureKind::Failed, "its answer can't be understood")),
        };
        Err(Failure::new(kind, String::from_utf8_lossy(&text.split_off(from))))
    }

    fn greeting(&self, line: &[u8]) -> Result<(), String> {
        match line.split_first() {
            Some((b'r', b"")) => Ok(()),
            Some((b'e', said)) => {
                let mut text = Vec::new();
                push_plain(&mut text, said);
                Err(format!("{}: {}", self.name, String::from_utf8_lossy(&text)))
            }
            _ => Err(format!("{}: the first line of shim.py can't be understood", self.name)),
        }
    }
}

/// Appends bytes in escaped form, without line feeds.
fn push_escaped(line: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'\\', b'\n', rest) {
        line.extend_from_slice(&rest[..at]);
        line.extend_from_slice(if rest[at] == b'\n' { b"\\n" } else { b"\\s" });
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
}

/// Appends the bytes that [`push_escaped`] has escaped.
fn push_plain(text: &mut Vec<u8>, line: &[u8]) {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        text.push(if rest.get(at + 1) == Some(&b'n') { b'\n' } else { b'\\' });
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::{Answer, Block, Format, Host, Identity, Reply};

    struct Quiet;

    impl Host for Quiet {
        fn now_ns(&mut self) -> u64 {
            0
        }
        fn is_due(&mut self, _: Option<u64>) -> bool {
            false
        }
        fn item_starts(&mut self, _: u64) {}
        fn send(&mut self, _: &Answer) {}
    }

    /// A file that is removed on drop.
    struct ScriptFile(std::path::PathBuf);

    impl ScriptFile {
        fn new(name: &str, text: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("procession-python-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(name), text).unwrap();
            Self(folder.join(name))
        }

        fn task(&self, function: &str, items: Items, format: Format) -> Box<dyn BlockTask> {
            let word = format!("{}:{function}", self.0.display()).into_bytes();
            let options = TextOptions { items, table: None, format, show: false, identity: Identity::new(9, "h", 0) };
            ENTRY.task(&[], &[word], options).unwrap()
        }
    }

    impl Drop for ScriptFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    fn run(task: &mut dyn BlockTask, items: u32, bytes: &[u8]) -> Vec<u8> {
        let mut answer = Answer::default();
        let block = Block { first: 0, items, chunk: 0, attempt: 1, log: false, bytes };
        let mut host = Quiet;
        let mut reply = Reply::new(&mut host, &mut answer, false, 1 << 20);
        task.run(&block, &mut reply).unwrap();
        reply.finish();
        answer.outputs
    }

    #[test]
    fn files_may_have_colons_in_their_names() {
        assert_eq!(split(b"a:b.py:f"), Some((&b"a:b.py"[..], &b"f"[..])));
        for bad in [&b"f.py"[..], b":f", b"f.py:", b""] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
        let options = || TextOptions {
            items: Items::Lines,
            table: None,
            format: Format::Tsv,
            show: false,
            identity: Identity::new(9, "h", 0),
        };
        for words in [&[][..], &[b"f.py".to_vec()], &[b"f.py:f".to_vec(), b"more".to_vec()]] {
            let refused = ENTRY.task(&[], words, options()).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains("FILE.py:FUNCTION"), "{refused}");
        }
    }

    #[test]
    fn escaping_is_reversible_and_leaves_no_line_feed() {
        for text in [&b""[..], b"\\", b"\n", b"\\n", b"a\\\\nb\n\\s", b"plain"] {
            let (mut line, mut back) = (Vec::new(), Vec::new());
            push_escaped(&mut line, text);
            push_plain(&mut back, &line);
            assert!(!line.contains(&b'\n') && back == text, "{text:?}");
        }
    }

    #[test]
    fn plain_decimal_items_are_numbers() {
        let file = ScriptFile::new("kinds.py", "def kind(x): return '%s %r' % (type(x).__name__, x)\n");
        let mut task = file.task("kind", Items::Nul, Format::Lines);
        for (item, expected) in [
            ("7", "int 7"),
            ("-07", "int -7"),
            ("+1", "int 1"),
            ("123456789012345678901234567890", "int 123456789012345678901234567890"),
            ("2.50", "float 2.5"),
            (".5", "float 0.5"),
            ("-1e3", "float -1000.0"),
            ("1_000", "str '1_000'"),
            ("nan", "str 'nan'"),
            ("inf", "str 'inf'"),
            ("1e999", "str '1e999'"),
            ("0x10", "str '0x10'"),
            ("e", "str 'e'"),
            ("-", "str '-'"),
            (" 7", "str ' 7'"),
            ("", "str ''"),
            ("ä\\n\n\\", "str 'ä\\\\\\\\n\\\\n\\\\\\\\'"),
        ] {
            let said = run(&mut *task, 1, &[item.as_bytes(), b"\0"].concat());
            let expected = expected.replace("\\\\", "\\");
            assert_eq!(String::from_utf8(said).unwrap(), format!("{expected}\n"), "{item:?}");
        }
        assert_eq!(run(&mut *task, 1, b"\xff\0"), b"str '\\udcff'\n");
    }

    #[test]
    fn results_are_json_values_if_possible() {
        let file = ScriptFile::new("give.py", "def give(x): return eval(str(x))\n");
        let mut task = file.task("give", Items::Lines, Format::Jsonl);
        for (item, expected) in [
            ("3", "3"),
            ("10**30", "1000000000000000000000000000000"),
            ("1e16", "1e+16"),
            ("1/4", "0.25"),
            ("float('nan')", "\"nan\""),
            ("-float('inf')", "\"-inf\""),
            ("1 == 1", "true"),
            ("1 == 2", "false"),
            ("None", "\"None\""),
            ("'a\\\\tb'", "\"a\\\\tb\""),
            ("chr(10) + chr(92) + 'n'", "\"\\n\\\\n\""),
            ("[1, 'x']", "\"[1, 'x']\""),
            ("b'raw'", "\"raw\""),
            ("type('I', (int,), {})(5)", "5"),
        ] {
            let said = String::from_utf8(run(&mut *task, 1, format!("{item}\n").as_bytes())).unwrap();
            assert!(said.contains(&format!("\"output\":{expected}}}")), "{item}: {said}");
        }
    }

    #[test]
    fn an_exception_is_its_items_failure_with_its_location() {
        let text = "import json\nclass Odd(Exception): pass\ndef f(x):\n    if x == 1: raise Odd()\n    \
                    if x == 2: json.loads('{')\n    if x == 3: raise SystemExit(4)\n    \
                    if x == 4: raise MemoryError\n    if x == 5: raise KeyboardInterrupt('a\\nb')\n    \
                    if x == 6: return '\\ud800'\n    return x\n";
        let file = ScriptFile::new("fail.py", text);
        let mut task = file.task("f", Items::Lines, Format::Tsv);
        let said = String::from_utf8(run(&mut *task, 7, b"0\n1\n2\n3\n4\n5\n6\n")).unwrap();
        let expected = [
            "0\t0",
            "1\t\tfailed: Odd (fail.py:4)",
            "2\t\tfailed: json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 \
             column 2 (char 1) (fail.py:5)",
            "3\t\tfailed: SystemExit: 4 (fail.py:6)",
            "4\t\tout-of-memory: MemoryError (fail.py:7)",
            "5\t\tfailed: KeyboardInterrupt: a\\nb (fail.py:8)",
        ];
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..6], expected);
        assert!(lines[6].starts_with("6\t\tfailed: UnicodeEncodeError: "), "{}", lines[6]);
    }

    #[test]
    fn a_failed_import_is_reported_with_pythons_message() {
        for (text, function, says) in [
            ("def f(x:\n", "f", "SyntaxError: "),
            ("import nowhere_to_be_found\n", "f", "No module named 'nowhere_to_be_found' (bad.py:1)"),
            ("def g(x): pass\nx = 3\n", "f", "it has no 'f'; it has: g"),
            ("f = 3\n", "f", "'f' is no function, it is int"),
            ("import sys\nsys.exit('enough')\n", "f", "SystemExit: enough (bad.py:2)"),
            ("import os\nos._exit(5)\n", "f", "ended with status 5 before its first request"),
        ] {
            let file = ScriptFile::new("bad.py", text);
            let said = file.task(function, Items::Lines, Format::Tsv).prepare(&mut |_| {}).unwrap_err();
            assert!(said.contains(says), "{said}");
        }
        let options = TextOptions {
            items: Items::Lines,
            table: None,
            format: Format::Tsv,
            show: false,
            identity: Identity::new(9, "h", 0),
        };
        let given = [("python".to_owned(), "/no/such/python".to_owned())];
        let said = ENTRY.task(&given, &[b"f.py:f".to_vec()], options).unwrap().prepare(&mut |_| {}).unwrap_err();
        assert!(said.contains("'/no/such/python' cannot be found"), "{said}");
    }

    #[test]
    fn a_function_runs_as_in_an_imported_module() {
        let text = "import sys, os\nassert __name__ == 'here', __name__\ndef f(x):\n    \
                    return [sys.stdin.read(), sys.argv == [__file__], sys.modules['here'].f is f,\n            \
                    sys.path[0] == os.path.dirname(__file__), sorted(vars(sys.modules['__main__'])),\n            \
                    os.fork() and os.wait()[1]]\n";
        let file = ScriptFile::new("here.py", text);
        let said = String::from_utf8(run(&mut *file.task("f", Items::Lines, Format::Lines), 2, b"1\n2\n")).unwrap();
        let line = "['', True, True, True, ['__annotations__', '__builtins__', '__doc__', '__loader__', '__name__', \
                    '__package__', '__spec__'], 0]\n";
        assert_eq!(said, line.repeat(2), "and a child that comes back from the function answers nothing");
    }
}
