//! Tests with a real interpreter.

mod items;
mod records;
mod results;

use super::*;
use procession_task::{Answer, Block, Format, Host, Identity, Reply, TableFormat, TableSpec};

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
        self.task_of(function, &[], &[], options(items, None, format)).unwrap()
    }

    fn task_of(
        &self,
        function: &str,
        params: &[(&str, &str)],
        constants: &[&str],
        options: TextOptions,
    ) -> Result<Box<dyn BlockTask>, ParamError> {
        let words: Vec<Vec<u8>> = std::iter::once(format!("{}:{function}", self.0.display()))
            .chain(constants.iter().map(|&constant| constant.to_owned()))
            .map(String::into_bytes)
            .collect();
        let params: Vec<_> = params.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        ENTRY.task(&params, &words, options)
    }

    /// The results of a function over the records of a table, a line each.
    fn records(&self, function: &str, constants: &[&str], table: &TableSpec, records: &str) -> Result<String, String> {
        let items = match table.format {
            TableFormat::Csv(delimiter) => Items::Csv(Some(delimiter)),
            TableFormat::Jsonl => Items::Jsonl,
        };
        let options = options(items, Some(table.clone()), Format::Tsv);
        let mut task = self.task_of(function, &[], constants, options).map_err(|error| error.to_string())?;
        task.prepare(&mut |_| {}).map_err(|why| why.rsplit('/').next().unwrap().to_owned())?;
        let count = u32::try_from(items.count(records.as_bytes())).unwrap();
        let said = String::from_utf8(run(&mut *task, count, records.as_bytes())).unwrap();
        // The record stands before the result, and a tab before a failure.
        let result = |line: &str| line.split_once('\t').map_or(line, |(_, result)| result.trim()).to_owned();
        Ok(said.lines().map(result).collect::<Vec<_>>().join("; "))
    }
}

fn options(items: Items, table: Option<TableSpec>, format: Format) -> TextOptions {
    TextOptions { items, table, format, show: false, identity: Identity::new(9, "h", 0) }
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
    for words in [&[][..], &[b"f.py".to_vec()], &[b"f.py:f".to_vec(), b"more".to_vec()]] {
        let refused =
            ENTRY.task(&[], words, options(Items::Lines, None, Format::Tsv)).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("FILE.py:FUNCTION"), "{refused}");
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
        (
            "import nowhere_to_be_found\n",
            "f",
            "bad.py:f: ModuleNotFoundError: No module named 'nowhere_to_be_found' (bad.py:1)",
        ),
        ("def g(x): pass\nx = 3\n", "f", "bad.py has no function 'f'; it has: g"),
        ("from math import sqrt\n", "f", "bad.py has no function 'f'; it has: no function"),
        ("class C:\n    def g(self, x): pass\n", "C.f", "C in"),
        ("class C:\n    def g(self, x): pass\n", "C.f", "bad.py has no function 'f'; it has: g"),
        (
            "class C:\n    def __init__(self, n): pass\n    def f(self, x): pass\n",
            "C.f",
            "can't be made without arguments",
        ),
        ("f = 3\n", "f", "bad.py:f is no function, it is int"),
        ("print('the reason')\nraise SystemExit(2)\n", "f", "SystemExit: 2 (bad.py:2); it wrote: the reason"),
        ("import sys\nn = int(sys.argv[1])\n", "f", "the file parses its arguments when it is imported"),
        ("n = [][1]\n", "f", "IndexError: list index out of range (bad.py:1)"),
        ("n = FACTOR\nif __name__ == '__main__': FACTOR = 3\n", "f", "it is set under `if __name__ == \"__main__\":`"),
        ("def f(): pass\n", "f", "f takes no arguments, and an item is one argument"),
        (
            "def f(a, b, *, c, d=1): pass\n",
            "f",
            "f takes a, b, c, d=1, and an item is one argument: give constants by --arg b=VALUE --arg c=VALUE",
        ),
        ("import sys\nsys.exit('enough')\n", "f", "SystemExit: enough (bad.py:2)"),
        ("import os\nos._exit(5)\n", "f", "ended with status 5 before its first request"),
    ] {
        let file = ScriptFile::new("bad.py", text);
        let said = file.task(function, Items::Lines, Format::Tsv).prepare(&mut |_| {}).unwrap_err();
        assert!(said.contains(says), "{said}");
    }
    let options = options(Items::Lines, None, Format::Tsv);
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
    let line = "[\"\",true,true,true,[\"__annotations__\",\"__builtins__\",\"__doc__\",\"__loader__\",\"__name__\",\
                \"__package__\",\"__spec__\"],0]\n";
    assert_eq!(said, line.repeat(2), "and a child that comes back from the function answers nothing");
}

#[test]
fn functions_of_modules_classes_and_objects_are_found() {
    let text = "class C:\n    made = 0\n    def __init__(self): C.made += 1\n    \
                def g(self, x): return [C.made, x]\n    @staticmethod\n    def s(x): return x\n    \
                @classmethod\n    def c(cls, x): return cls.__name__\n    def plain(x): return x\n\
                class D:\n    def __init__(self, n): self.n = n\n    def g(self, x): return self.n * x\n    \
                    def __call__(self, x): return -x\nd = D(3)\n";
    let file = ScriptFile::new("kinds.py", text);
    let of = |function: &str| {
        let said = run(&mut *file.task(function, Items::Lines, Format::Lines), 2, b"5\n6\n");
        String::from_utf8(said).unwrap().replace('\n', " ")
    };
    for (function, results) in [
        ("C.g", "[1,5] [1,6] "),
        ("C.s", "5 6 "),
        ("C.c", "C C "),
        ("C.plain", "5 6 "),
        ("d.g", "15 18 "),
        ("d", "-5 -6 "),
    ] {
        assert_eq!(of(function), results, "{function}");
    }
    let of_word = |word: &str| {
        let options = options(Items::Lines, None, Format::Lines);
        let mut task = ENTRY.task(&[], &[word.as_bytes().to_vec()], options).unwrap();
        task.prepare(&mut |_| {}).map(|()| String::from_utf8(run(&mut *task, 1, b"16\n")).unwrap())
    };
    let without_extension = format!("{}:d.g", file.0.with_extension("").display());
    assert_eq!(of_word(&without_extension).unwrap(), "48\n");
    assert_eq!(of_word("math:sqrt").unwrap(), "4.0\n");
    assert_eq!(of_word("builtins:str").unwrap(), "16\n");
    assert_eq!(
        of_word("math:sqrtt").unwrap_err().split(", ").next(),
        Some("math has no function 'sqrtt'; it has: sqrt")
    );
    assert_eq!(of_word("nowhere:f").unwrap_err(), "there is no file nowhere.py, and no module 'nowhere'");
    assert_eq!(of_word("os.nowhere:f").unwrap_err(), "there is no file os.nowhere.py, and no module 'os.nowhere'");
}
