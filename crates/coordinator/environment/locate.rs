//! Finds the worker program: at `--worker PATH`, else beside this program. PATH
//! and the current folder are not searched, so that the same call runs the
//! same program everywhere.

use procession_task::escape_terminal;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The worker's file name.
const NAME: &str = "worker";

/// Finds the worker: at `given`, else beside this program, whose path is `own`,
/// after links are resolved. The result is an absolute path.
///
/// # Errors
/// The paths that were tried, and what is wrong with each.
pub(crate) fn worker(given: Option<&Path>, own: io::Result<PathBuf>) -> Result<PathBuf, NoWorker> {
    if let Some(path) = given {
        return usable(path).map_err(|problem| NoWorker { looked: vec![(path.to_owned(), problem)], given: true });
    }
    let own = own.and_then(|path| path.canonicalize());
    let folder = match &own {
        Ok(path) => path.parent().unwrap_or(Path::new("/")),
        Err(error) => {
            let problem = format!("the path of this program is unknown: {error}");
            return Err(NoWorker { looked: vec![(PathBuf::from(NAME), problem)], given: false });
        }
    };
    let path = folder.join(NAME);
    usable(&path).map_err(|problem| NoWorker { looked: vec![(path, problem)], given: false })
}

/// The absolute path of an executable file. A link is not resolved: some
/// programs act on the name by which they are called.
fn usable(path: &Path) -> Result<PathBuf, String> {
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    })?;
    if about.is_dir() {
        return Err("is a directory, not a program".to_owned());
    }
    if !about.is_file() {
        return Err("is not a regular file".to_owned());
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err("is not executable".to_owned());
    }
    std::path::absolute(path).map_err(|error| error.to_string())
}

/// No worker program was found.
#[derive(Debug)]
pub(crate) struct NoWorker {
    looked: Vec<(PathBuf, String)>,
    given: bool,
}

impl fmt::Display for NoWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no worker program found; tried")?;
        for (path, problem) in &self.looked {
            write!(f, "\n  {}: {problem}", escape_terminal(path.as_os_str().as_encoded_bytes()))?;
        }
        f.write_str(if self.given {
            "\nset --worker to the path of a worker program"
        } else {
            "\nput the worker into the folder of this program (links resolved), or set --worker PATH"
        })
    }
}

impl std::error::Error for NoWorker {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    fn place(folder: &Path, name: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn refusal(given: Option<&Path>, own: &Path) -> String {
        worker(given, Ok(own.to_owned())).unwrap_err().to_string()
    }

    #[test]
    fn the_worker_is_beside_the_resolved_program() {
        let real = TempDir::new().unwrap();
        let elsewhere = TempDir::new().unwrap();
        let own = place(real.path(), "coordinator", 0o755);
        let expected = place(real.path(), NAME, 0o755).canonicalize().unwrap();
        let link = elsewhere.path().join("coordinator");
        symlink(&own, &link).unwrap();
        place(elsewhere.path(), NAME, 0o755);
        assert_eq!(worker(None, Ok(own)).unwrap(), expected);
        assert_eq!(worker(None, Ok(link)).unwrap(), expected, "links are resolved first");
    }

    #[test]
    fn the_error_lists_the_paths_that_were_tried() {
        let folder = TempDir::new().unwrap();
        let own = place(folder.path(), "coordinator", 0o755);
        let text = refusal(None, &own);
        let looked = own.canonicalize().unwrap().with_file_name(NAME);
        assert!(text.contains(&format!("{}: no such file", looked.display())), "{text}");
        assert!(text.contains("--worker PATH"), "{text}");
        assert!(worker(None, Err(io::Error::other("gone"))).unwrap_err().to_string().contains("gone"));
    }

    #[test]
    fn a_file_that_cannot_be_executed_is_refused() {
        let folder = TempDir::new().unwrap();
        let own = place(folder.path(), "coordinator", 0o755);
        let plain = place(folder.path(), "plain", 0o644);
        assert!(refusal(Some(&plain), &own).contains("not executable"));
        assert!(refusal(Some(folder.path()), &own).contains("is a directory"));
        assert!(refusal(Some(Path::new("/dev/null")), &own).contains("is not a regular file"));
        assert!(refusal(Some(Path::new("nowhere/worker")), &own).contains("no such file"));
    }

    #[test]
    fn a_relative_path_becomes_absolute() {
        // The tests run in the package's folder.
        let text = refusal(Some(Path::new("Cargo.toml")), Path::new("/"));
        assert!(text.contains("Cargo.toml: is not executable"), "{text}");
        let folder = TempDir::new_in(".").unwrap();
        let mine = place(folder.path(), "mine", 0o755);
        let relative = Path::new(folder.path().file_name().unwrap()).join("mine");
        let found = worker(Some(&relative), Err(io::Error::other("not asked"))).unwrap();
        assert!(found.is_absolute());
        assert_eq!(found.canonicalize().unwrap(), mine.canonicalize().unwrap());
    }
}
