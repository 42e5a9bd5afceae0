//! What items become.

use super::{ScriptFile, options, run};
use procession_task::{Format, Items};

#[test]
fn plain_decimal_items_are_numbers() {
    let file = ScriptFile::new("kinds.py", "def kind(x): return '%s %r' % (type(x).__name__, x)\n");
    let mut task = file.task("kind", Items::Nul, Format::Lines);
    for (item, expected) in [
        ("7", "int 7"),
        ("7 ", "int 7"),
        ("\t-7\r", "int -7"),
        ("0", "int 0"),
        ("007", "str '007'"),
        ("-07", "str '-07'"),
        ("00.5", "str '00.5'"),
        ("+1", "str '+1'"),
        ("+7.5", "str '+7.5'"),
        ("123456789012345678901234567890", "int 123456789012345678901234567890"),
        ("2.50", "float 2.5"),
        (".5", "float 0.5"),
        ("-0.5", "float -0.5"),
        ("1e-05", "float 1e-05"),
        ("1E+16", "float 1e+16"),
        ("1.5e3", "float 1500.0"),
        ("12e3", "str '12e3'"),
        ("-1e3", "str '-1e3'"),
        ("1_000", "str '1_000'"),
        ("nan", "str 'nan'"),
        ("inf", "str 'inf'"),
        ("1e999", "str '1e999'"),
        ("0x10", "str '0x10'"),
        ("e", "str 'e'"),
        ("-", "str '-'"),
        ("7 8", "str '7 8'"),
        ("1-2", "str '1-2'"),
        ("٣", "str '٣'"),
        ("  ", "str '  '"),
        ("", "str ''"),
        ("ä\\n\n\\", "str 'ä\\\\\\\\n\\\\n\\\\\\\\'"),
    ] {
        let said = run(&mut *task, 1, &[item.as_bytes(), b"\0"].concat());
        let expected = expected.replace("\\\\", "\\");
        assert_eq!(String::from_utf8(said).unwrap(), format!("{expected}\n"), "{item:?}");
    }
    assert_eq!(run(&mut *task, 1, b"\xff\0"), b"str '\\udcff'\n");
}

/// The result of a function for one line.
fn one(file: &ScriptFile, function: &str, params: &[(&str, &str)], constants: &[&str], item: &str) -> String {
    let mut task = file.task_of(function, params, constants, options(Items::Lines, None, Format::Tsv)).unwrap();
    if let Err(why) = task.prepare(&mut |_| {}) {
        return why;
    }
    let said = String::from_utf8(run(&mut *task, 1, format!("{item}\n").as_bytes())).unwrap();
    said.split_once('\t').unwrap().1.trim().to_owned()
}

#[test]
fn annotations_are_obeyed() {
    let text = "from __future__ import annotations\nfrom decimal import Decimal\nfrom pathlib import Path\n\
                from typing import Optional, Union, TYPE_CHECKING\nimport functools\n\
                def told(x): return repr(x)\n\
                def s(x: str): return told(x)\ndef i(x: int): return told(x)\ndef f(x: float): return told(x)\n\
                def b(x: bool): return told(x)\ndef p(x: Path): return [type(x).__name__[:5], str(x)]\n\
                def d(x: Decimal): return told(x)\ndef y(x: bytes): return told(x)\n\
                def o(x: Optional[int]): return told(x)\ndef u(x: Union[str, int]): return told(x)\n\
                def unknown(x: Nowhere): return told(x)\ndef l(x: list): return told(x)\n\
                class C:\n    def m(self, x: str): return told(x)\nc = C()\n\
                part = functools.partial(lambda n, x: told(x), 3)\n\
                @functools.lru_cache\ndef cached(x: str): return told(x)\n";
    let file = ScriptFile::new("typed.py", text);
    for (function, item, result) in [
        ("s", "7 ", "'7 '"),
        ("i", " +007", "7"),
        ("i", "7.0", "7"),
        ("i", "7.5", "invalid: '7.5' is not of type int (x: int)"),
        ("i", "", "invalid: '' is not of type int (x: int)"),
        ("f", "12e3", "12000.0"),
        ("f", "7", "7.0"),
        ("f", "seven", "invalid: 'seven' is not of type float (x: float)"),
        ("b", "False", "False"),
        ("b", "1", "True"),
        ("b", "maybe", "invalid: 'maybe' is not of type bool (x: bool)"),
        ("p", "a/b", "[\"Posix\",\"a/b\"]"),
        ("d", "0.10", "Decimal('0.10')"),
        ("d", "x", "invalid: 'x' is not of type Decimal (x: Decimal)"),
        ("y", "007", "b'007'"),
        ("o", "007", "7"),
        ("o", " ", "None"),
        ("o", "x", "invalid: 'x' is not of type int (x: Optional[int])"),
        ("u", "7", "7"),
        ("u", "x", "'x'"),
        ("unknown", "7", "7"),
        ("l", "7", "7"),
        ("C.m", "7", "'7'"),
        ("c.m", "7", "'7'"),
        ("part", "7", "7"),
        ("cached", "7", "'7'"),
    ] {
        assert_eq!(one(&file, function, &[], &[], item), result, "{function}({item})");
    }
}

#[test]
fn a_type_is_chosen_for_parameters_without_an_annotation() {
    let file = ScriptFile::new("chosen.py", "def f(x): return repr(x)\ndef g(x: str): return repr(x)\n");
    for (function, kind, item, result) in [
        ("f", "str", "7", "'7'"),
        ("f", "int", "007", "7"),
        ("f", "int", "x", "invalid: 'x' is not of type int (--param type=int)"),
        ("f", "float", "nan", "nan"),
        ("f", "json", "[7, null]", "[7, None]"),
        ("f", "json", "\"7\"", "'7'"),
        ("f", "json", "[7", "invalid: '[7' is not of type json (--param type=json)"),
        ("g", "int", "7", "'7'"),
    ] {
        assert_eq!(one(&file, function, &[("type", kind)], &[], item), result, "{function}({item}) of {kind}");
    }
    let refused = file.task_of("f", &[("type", "date")], &[], options(Items::Lines, None, Format::Tsv));
    assert!(refused.map(|_| ()).unwrap_err().to_string().contains("type=auto|str|int|float|json (default auto)"));
}

#[test]
fn constants_are_json_or_text() {
    let text = "def f(x, n=1, *, k: str = ''): return [x, n, k]\ndef g(n, x): return [n, x]\n\
                def h(x, **more): return more\ndef p(n, /, x): return [n, x]\n";
    let file = ScriptFile::new("constants.py", text);
    for (function, constants, result) in [
        ("f", &["n=3", "k=007"][..], "[7,3,\"007\"]"),
        ("f", &["n={\"a\": [1, null]}"], "[7,{\"a\":[1,null]},\"\"]"),
        ("f", &["n=a b=c"], "[7,\"a b=c\",\"\"]"),
        ("f", &["n=007", "k=\"q\""], "[7,\"007\",\"q\"]"),
        ("f", &["n=NaN"], "[7,\"NaN\",\"\"]"),
        ("g", &["n=3"], "[3,7]"),
        ("g", &["x=3"], "[7,3]"),
        ("h", &["a=1", "b="], "{\"a\":1,\"b\":\"\"}"),
        ("f", &["q=3"], "--arg q=3: f takes x, n=1, k=''"),
        ("p", &["n=3"], "--arg n=3: p takes n, x only by position"),
    ] {
        assert_eq!(one(&file, function, &[], constants, "7"), result, "{function} with {constants:?}");
    }
    for (constants, says) in [(&["n=1", "n=2"][..], "'n' is given twice"), (&["n"], "no constant NAME=VALUE")] {
        let refused = file.task_of("f", &[], constants, options(Items::Lines, None, Format::Tsv));
        assert!(refused.map(|_| ()).unwrap_err().to_string().contains(says), "{constants:?}");
    }
}
