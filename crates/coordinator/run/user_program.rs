//! Checks the program of the user's own before anything starts: that it exists
//! and can be executed. A worker would report it too, but only after its start.

use crate::args::is_identifier;
use crate::plan::{KnownTask, PlannedTask, of_shell_line};
use procession_task::builtin::ItemRunner;
use procession_task::escape_terminal;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The search path if `PATH` is not set, as the system has it.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// The default Python interpreter.
const PYTHON: &str = "python3";

/// Checks the program of a task that runs one.
///
/// # Errors
/// What is wrong with it, and what to do.
pub(super) fn check(work: &PlannedTask) -> Result<(), String> {
    let KnownTask::BuiltIn(entry, params) = &work.task else { return Ok(()) };
    let Some(first) = work.job.arguments.first() else { return Ok(()) };
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    if entry.runner != ItemRunner::Python {
        return find(OsStr::from_bytes(first), &path).map_err(|why| match of_shell_line(&work.job.arguments, None) {
            Some(answer) => format!("'{}' is no program: {answer}", escape_terminal(first)),
            None => format!("{why}; the word after -- is the program's name or path"),
        });
    }
    check_function(first)?;
    let python = Some(params.get("python")).filter(|python| !python.is_empty()).unwrap_or(PYTHON);
    find(OsStr::new(python), &path).map_err(|why| format!("{why}; set the Python interpreter with --param python=PATH"))
}

/// Whether a program can be executed. As the system does, it searches `path`
/// unless the name contains a slash.
fn find(name: &OsStr, path: &OsStr) -> Result<(), String> {
    let shown = escape_terminal(name.as_bytes());
    if name.is_empty() {
        return Err("the program's name is empty".to_owned());
    }
    if name.as_bytes().contains(&b'/') {
        return usable(Path::new(name)).map_err(|problem| format!("can't run {shown}: {problem}"));
    }
    let mut why = None;
    for folder in std::env::split_paths(path) {
        // An empty entry means the current folder.
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
    let here = Path::new(name).is_file().then(|| format!(" (there is one in the current folder: ./{shown})"));
    Err(why.unwrap_or_else(|| format!("'{shown}' is not in PATH{}", here.unwrap_or_default())))
}

/// Whether this is an executable file.
fn usable(path: &Path) -> Result<(), String> {
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    })?;
    if about.is_dir() {
        return Err("it is a directory".to_owned());
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err(format!("it is not executable (try: chmod +x {})", escape_terminal(path.as_os_str().as_bytes())));
    }
    Ok(())
}

/// Checks the form of `FILE.py:FUNCTION`, and that the file exists unless it may be
/// a module, which only Python can find.
fn check_function(text: &[u8]) -> Result<(), String> {
    let shown = escape_terminal(text);
    let Some(colon) = text.iter().rposition(|&byte| byte == b':') else {
        return Err(format!("'{shown}' has no function name: write FILE.py:FUNCTION after --"));
    };
    let (file, function) = (&text[..colon], &text[colon + 1..]);
    if !is_dotted_name(function) {
        return Err(format!(
            "'{}' in '{shown}' is not the name of a Python function: write FILE.py:FUNCTION after --",
            escape_terminal(function)
        ));
    }
    let path = |file: &[u8]| PathBuf::from(OsString::from(OsStr::from_bytes(file)));
    if path(file).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ipynb")) {
        return Err(format!(
            "{} is a notebook, not a Python file: write %%writefile f.py as the first line of the function's cell, run \
             the cell, and use f.py:{}",
            escape_terminal(file),
            escape_terminal(function)
        ));
    }
    let is_module = is_dotted_name(file) && !file.ends_with(b".py");
    match fs::metadata(path(file)) {
        Ok(about) if about.is_file() => Ok(()),
        _ if is_module || path(&[file, b".py"].concat()).is_file() => Ok(()),
        Ok(_) => Err(format!("{} is not a file: write FILE.py:FUNCTION after --", escape_terminal(file))),
        Err(error) => Err(format!("can't read {}: {error}", escape_terminal(file))),
    }
}

/// Whether this is a Python name, or several with points between them.
fn is_dotted_name(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| name.split('.').all(is_identifier))
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
    fn a_program_is_searched_in_path_unless_its_name_has_a_slash() {
        let folder = folder();
        let path = OsString::from(format!("/nowhere:{}", folder.path().display()));
        let find = |name: &str| find(OsStr::new(name), &path);
        assert_eq!(find("can"), Ok(()));
        assert_eq!(find(folder.path().join("can").to_str().unwrap()), Ok(()));
        for (name, says) in [
            ("cannot", "not executable (try: chmod +x"),
            ("inner", "it is a directory"),
            ("neither", "'neither' is not in PATH"),
            ("./can", "can't run ./can: no such file"),
            ("", "name is empty"),
            ("Cargo.toml", "./Cargo.toml"),
        ] {
            let why = find(name).unwrap_err();
            assert!(why.contains(says), "{name}: {why}");
        }
    }

    #[test]
    fn a_python_function_is_named_with_its_file() {
        let folder = folder();
        let file = folder.path().join("can");
        let check = |text: String| check_function(text.as_bytes());
        assert_eq!(check(format!("{}:f_1", file.display())), Ok(()));
        assert_eq!(check(format!("{}:größe", file.display())), Ok(()));
        fs::write(folder.path().join("own.py"), "").unwrap();
        for text in [format!("{}:f", folder.path().join("own").display()), "math:sqrt".into(), "os.path:join".into()] {
            assert_eq!(check(text), Ok(()));
        }
        for (text, says) in [
            (file.display().to_string(), "has no function name"),
            (format!("{}:", file.display()), "is not the name of a Python function"),
            (format!("{}:1f", file.display()), "'1f' in"),
            (format!("{}:f()", file.display()), "is not the name"),
            (format!("{}:f", folder.path().display()), "is not a file"),
            ("nowhere.py:f".to_owned(), "can't read nowhere.py"),
            ("no where:f".to_owned(), "can't read no where"),
            (
                "nb.ipynb:f".to_owned(),
                "%%writefile f.py as the first line of the function's cell, run the cell, and use f.py:f",
            ),
        ] {
            let why = check(text.clone()).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
