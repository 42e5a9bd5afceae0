//! The program of the user's own, looked at before anything starts: that it is
//! there, and can be run. A worker would say so too, but only after a start.

use crate::plan::{KnownTask, PlannedTask};
use procession_task::builtin::ItemRunner;
use procession_task::escape_terminal;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where programs are looked for if nothing is said, as by the system.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// Python's program if nothing is said.
const PYTHON: &str = "python3";

/// Checks what a task runs, if it runs a program.
///
/// # Errors
/// What is missing, and what to do.
pub(super) fn check(work: &PlannedTask) -> Result<(), String> {
    let KnownTask::BuiltIn(entry, params) = &work.task else { return Ok(()) };
    let Some(first) = work.arguments.first() else { return Ok(()) };
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    if entry.runner != ItemRunner::Python {
        return find(OsStr::from_bytes(first), &path)
            .map_err(|why| format!("{why}: write the program's name or path right after --"));
    }
    check_function(first)?;
    let python = Some(params.get("python")).filter(|python| !python.is_empty()).unwrap_or(PYTHON);
    find(OsStr::new(python), &path).map_err(|why| format!("{why}: say where Python is with --param python=PATH"))
}

/// Whether a program can be run, found as the system finds it: through `path`
/// unless there is a slash in its name.
fn find(name: &OsStr, path: &OsStr) -> Result<(), String> {
    let shown = escape_terminal(name.as_bytes());
    if name.is_empty() {
        return Err("there is no program without a name".to_owned());
    }
    if name.as_bytes().contains(&b'/') {
        return usable(Path::new(name)).map_err(|problem| format!("can't run {shown}: {problem}"));
    }
    let mut why = None;
    for folder in std::env::split_paths(path) {
        // An empty entry is the current folder.
        let place = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }.join(name);
        match usable(&place) {
            Ok(()) => return Ok(()),
            Err(problem) if place.exists() => {
                let place = escape_terminal(place.as_os_str().as_bytes());
                why.get_or_insert(format!("can't run {place}: {problem}"));
            }
            Err(_) => {}
        }
    }
    let here = Path::new(name).is_file().then(|| format!(" (there is one in this folder: ./{shown})"));
    Err(why.unwrap_or_else(|| format!("there is no program '{shown}' in PATH{}", here.unwrap_or_default())))
}

/// Whether this is a file that can be executed.
fn usable(path: &Path) -> Result<(), String> {
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    if about.is_dir() {
        return Err("it is a folder".to_owned());
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err(format!(
            "it is not executable (chmod +x {} makes it so)",
            escape_terminal(path.as_os_str().as_bytes())
        ));
    }
    Ok(())
}

/// Checks `FILE.py:FUNCTION`.
fn check_function(text: &[u8]) -> Result<(), String> {
    let shown = escape_terminal(text);
    let Some(colon) = text.iter().rposition(|&byte| byte == b':') else {
        return Err(format!("'{shown}' names no function: write FILE.py:FUNCTION after --"));
    };
    let (file, function) = (&text[..colon], &text[colon + 1..]);
    if !function.split(|&byte| byte == b'.').all(is_identifier) {
        return Err(format!(
            "'{}' in '{shown}' is no name of a Python function: write FILE.py:FUNCTION after --",
            escape_terminal(function)
        ));
    }
    let path = PathBuf::from(OsString::from(OsStr::from_bytes(file)));
    match fs::metadata(&path) {
        Ok(about) if about.is_file() => Ok(()),
        Ok(_) => Err(format!("{} is no file: write FILE.py:FUNCTION after --", escape_terminal(file))),
        Err(error) => Err(format!("can't read {}: {error}", escape_terminal(file))),
    }
}

fn is_identifier(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || char == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("can", 0o755), ("cannot", 0o644)] {
            fs::write(folder.path().join(name), "").unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(folder.path().join("inner")).unwrap();
        folder
    }

    #[test]
    fn programs_are_found_through_path_unless_there_is_a_slash() {
        let folder = folder();
        let path = OsString::from(format!("/nowhere:{}", folder.path().display()));
        let find = |name: &str| find(OsStr::new(name), &path);
        assert_eq!(find("can"), Ok(()));
        assert_eq!(find(folder.path().join("can").to_str().unwrap()), Ok(()));
        for (name, says) in [
            ("cannot", "not executable (chmod +x"),
            ("inner", "it is a folder"),
            ("neither", "no program 'neither' in PATH"),
            ("./can", "can't run ./can: there is no such file"),
            ("", "without a name"),
            ("Cargo.toml", "./Cargo.toml"),
        ] {
            let why = find(name).unwrap_err();
            assert!(why.contains(says), "{name}: {why}");
        }
    }

    #[test]
    fn a_function_stands_in_a_file() {
        let folder = folder();
        let file = folder.path().join("can");
        let check = |text: String| check_function(text.as_bytes());
        assert_eq!(check(format!("{}:f_1", file.display())), Ok(()));
        assert_eq!(check(format!("{}:größe", file.display())), Ok(()));
        for (text, says) in [
            (file.display().to_string(), "names no function"),
            (format!("{}:", file.display()), "is no name of a Python function"),
            (format!("{}:1f", file.display()), "'1f' in"),
            (format!("{}:f()", file.display()), "is no name"),
            (format!("{}:f", folder.path().display()), "is no file"),
            ("nowhere.py:f".to_owned(), "can't read nowhere.py"),
        ] {
            let why = check(text.clone()).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
