//! What results become.

use super::{ScriptFile, run};
use procession_task::{Format, Items};

#[test]
fn results_are_json_values() {
    let text = "import asyncio, collections, dataclasses, datetime, decimal, enum, pathlib, types\n\
                Pair = collections.namedtuple('Pair', 'a b')\n\
                Point = dataclasses.make_dataclass('Point', [('x', int), ('name', str)])\n\
                class Whole(enum.IntEnum):\n    ONE = 1\nclass Colour(enum.Enum):\n    RED = 1\n\
                class Array:\n    dtype = None\n    def __init__(self, *items): self.items = items\n    \
                def tolist(self): return list(self.items)\nclass Bare: pass\n\
                class Named:\n    def __str__(self): return 'named'\n\
                LOOP = asyncio.new_event_loop()\n\
                async def later(x):\n    await asyncio.sleep(0)\n    return x\n\
                async def several(n):\n    for i in range(n): yield i\n\
                def give(x): return eval(str(x))\n";
    let file = ScriptFile::new("give.py", text);
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
        ("None", "null"),
        ("'a\\\\tb'", "\"a\\\\tb\""),
        ("chr(10) + chr(92) + 'n'", "\"\\n\\\\n\""),
        ("[1, 'x']", "[1,\"x\"]"),
        ("b'raw'", "\"raw\""),
        ("type('I', (int,), {})(5)", "5"),
        ("{'n': 2, 'ok': True, 'none': None}", "{\"n\":2,\"ok\":true,\"none\":null}"),
        (
            "{1: 'a', None: 'b', True: 'c', (1, 2): 'd', 0.5: 'e'}",
            "{\"1\":\"c\",\"null\":\"b\",\"[1,2]\":\"d\",\"0.5\":\"e\"}",
        ),
        ("(1, [2.5, float('inf')], 'ä\\n')", "[1,[2.5,\"inf\"],\"ä\\n\"]"),
        ("[b'x\\xff', chr(0xd800)]", "[\"x\\\\xff\",\"\\ud800\"]"),
        ("Pair(1, Pair(2, 'x'))", "{\"a\":1,\"b\":{\"a\":2,\"b\":\"x\"}}"),
        ("[Point(7, 'p')]", "[{\"x\":7,\"name\":\"p\"}]"),
        ("{3, 1, 2}", "[1,2,3]"),
        ("frozenset(['b', 'a', 1])", "[\"a\",\"b\",1]"),
        ("range(3)", "[0,1,2]"),
        ("collections.deque([1])", "[1]"),
        ("{'b': 1, 'a': 2}.keys()", "[\"b\",\"a\"]"),
        ("collections.Counter('aab')", "{\"a\":2,\"b\":1}"),
        ("types.MappingProxyType({'a': 1})", "{\"a\":1}"),
        ("(i for i in range(3))", "[0,1,2]"),
        ("map(str, [1, 2])", "[\"1\",\"2\"]"),
        ("filter(None, [0, 1])", "[1]"),
        ("zip([1], ['a'])", "[[1,\"a\"]]"),
        ("Array(1, Array(2, 3))", "[1,[2,3]]"),
        ("Whole.ONE", "1"),
        ("Colour.RED", "\"Colour.RED\""),
        ("decimal.Decimal('0.10')", "\"0.10\""),
        ("[decimal.Decimal('0.10')]", "[\"0.10\"]"),
        ("datetime.date(2026, 1, 2)", "\"2026-01-02\""),
        ("pathlib.Path('a/b')", "\"a/b\""),
        ("Named()", "\"named\""),
        ("later(7)", "7"),
        ("later([1])", "[1]"),
        ("several(3)", "[0,1,2]"),
        ("LOOP.create_task(later(7))", "7"),
    ] {
        let said = String::from_utf8(run(&mut *task, 1, format!("{item}\n").as_bytes())).unwrap();
        assert!(said.contains(&format!("\"output\":{expected}}}")), "{item}: {said}");
    }
}

#[test]
fn a_result_without_a_text_is_a_failure() {
    let text = "class Bare: pass\nasync def later(x): raise ValueError(x)\n\
                def give(x): return eval(x)\n";
    let file = ScriptFile::new("bare.py", text);
    let mut task = file.task("give", Items::Lines, Format::Tsv);
    for (item, says) in [
        ("Bare()", "failed: the result is of type Bare, which has no text of its own: return a str, a number"),
        ("[1, Bare()]", "failed: the result is of type Bare"),
        ("give", "failed: the result is of type function"),
        ("len", "failed: the result is of type builtin_function_or_method"),
        ("Bare", "failed: the result is of type type"),
        ("__import__('re').match('a', 'a')", "failed: the result is of type Match"),
        ("__import__('re')", "failed: the result is of type module"),
        ("[later(1)]", "failed: the result is of type coroutine"),
        ("later(1)", "failed: ValueError: 1 (bare.py:2)"),
        ("(1 // 0 for _ in [1])", "failed: ZeroDivisionError: integer division or modulo by zero"),
    ] {
        let said = String::from_utf8(run(&mut *task, 1, format!("{item}\n").as_bytes())).unwrap();
        assert!(said.contains(&format!("\t\t{says}")), "{item}: {said}");
    }
}

/// A task may keep what belongs to the loop: connections, for example.
#[test]
fn coroutines_share_one_loop() {
    let text = "import asyncio\nseen = set()\nasync def f(x):\n    seen.add(id(asyncio.get_running_loop()))\n    \
                return len(seen)\n";
    let file = ScriptFile::new("loop.py", text);
    assert_eq!(run(&mut *file.task("f", Items::Lines, Format::Lines), 3, b"1\n2\n3\n"), b"1\n1\n1\n");
}

#[test]
fn json_is_escaped_in_tsv() {
    let file = ScriptFile::new("escaped.py", "def f(x): return {'a': 'b\\n\\t' + chr(92)}\n");
    let said = run(&mut *file.task("f", Items::Words, Format::Tsv), 1, b"1\n");
    assert_eq!(String::from_utf8(said).unwrap(), "1\t{\"a\":\"b\\\\n\\\\t\\\\\\\\\"}\n");
}
