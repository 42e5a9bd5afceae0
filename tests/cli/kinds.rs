//! What a file is: compressed files are unpacked, what has no items is refused by
//! name, with what to do.

use crate::support::{Place, lines, roots};
use std::process::Command;

/// The bytes that a program writes when it packs these; nothing if there is no
/// such program.
fn packed(place: &Place, program: &str, bytes: &str) -> Option<Vec<u8>> {
    let plain = place.file("plain", bytes);
    let output = Command::new(program).arg("-c").arg(plain).output().ok()?;
    assert!(output.status.success(), "{program}");
    Some(output.stdout)
}

const PROGRAMS: [(&str, &str); 4] = [("zstd", "zstdcat"), ("xz", "xzcat"), ("bzip2", "bzcat"), ("lz4", "lz4 -dc")];

#[test]
fn outside_programs_unpack() {
    let place = Place::new();
    for (program, _) in PROGRAMS {
        let Some(bytes) = packed(&place, program, &lines(3000)) else { continue };
        place.file("packed", &bytes);
        let run = |args: &[&str]| place.run(&[&["-t", "sqrt", "-j2", "-i", "packed"], args].concat());
        assert_eq!(run(&[]).ok(), roots(3000), "{program}");
        assert_eq!(run(&["--size", "2"]).ok(), roots(2), "{program}");
        assert_eq!(place.run_on(&["-t", "sqrt", "-j2"], &bytes).ok(), roots(3000), "{program}");
        assert_eq!(
            place.run_on(&["-t", "sqrt", "-j2", "--skip", "1", "--size", "1"], &bytes).ok(),
            "2\t1.4142135623730951\n"
        );
        assert_eq!(
            place.run_on(&["-t", "sqrt", "--procs", "1,2", "-o", "-", "--log", "off"], &bytes).ok(),
            roots(3000)
        );
    }
}

#[test]
fn a_missing_program_is_answered_with_the_command() {
    let place = Place::new();
    for (program, cat) in PROGRAMS {
        let Some(bytes) = packed(&place, program, "2\n") else { continue };
        place.file("my list", bytes);
        let mut command = place.command(&["-t", "sqrt", "-i", "my list"]);
        let ended = crate::support::Ended::of(command.env("PATH", "/nowhere").spawn().expect("it starts"));
        ended.fails(2, &format!("there is no program '{program}' in PATH: {cat} 'my list' | …"));
    }
}

#[test]
fn a_cut_file_is_an_error_behind_its_items() {
    let place = Place::new();
    let Some(bytes) = packed(&place, "xz", &lines(100_000)) else { return };
    place.file("packed", &bytes[..bytes.len() - 20]);
    let ended = place.run(&["-t", "sqrt", "-j2", "-i", "packed"]).fails(2, "can't unpack packed: xz: ");
    assert!(ended.out.starts_with("1\t1.0\n2\t"), "{}", ended.out.len());
}

#[test]
fn text_of_windows_is_read() {
    let place = Place::new();
    let units: Vec<u8> = "\u{feff}2\r\n3\r\nGröße\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    place.file("list.txt", &units);
    let args = ["-t", "null", "-j2", "--format", "lines", "-i", "list.txt"];
    assert_eq!(place.run(&args).ok(), "2\n3\nGröße\n");
    place.file("list.txt", &units[2..]);
    place.run(&args).fails(2, "list.txt is UTF-16 text without a mark: iconv -f UTF-16LE -t UTF-8 list.txt | …");
    place.run_on(&["-t", "prime"], "2\n3\u{0}4\n").fails(1, "3\\u{0}4\": not a number: it holds a NUL byte");
}

#[test]
fn what_has_no_items_is_named() {
    let place = Place::new();
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    let notebook = "{\"cells\": [{\"cell_type\": \"code\", \"source\": []}], \"nbformat\": 4}\n";
    for (bytes, says) in [
        (&tar[..], "'a file' is a tar archive: tar -xOf"),
        (b"\x80\x04\x95\x05\x00", "is a Python pickle: write its items as text"),
        (b"\x7fELF\x02\x01\x01", "is a program (ELF)"),
        (notebook.as_bytes(), "is a Jupyter notebook: jupyter nbconvert"),
    ] {
        place.file("a file", bytes);
        for task in ["prime", "null"] {
            let ended = place.run(&["-t", task, "-i", "a file"]).fails(2, says.trim_start_matches("'a file' "));
            assert_eq!(ended.out, "");
        }
    }
}
