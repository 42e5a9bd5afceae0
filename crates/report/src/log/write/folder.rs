//! The log folder of a call: created, locked, found again.

use super::logger::{self, LogOptions, RunLogger, RunLogging, write_record};
use super::retention::{self, LOCK};
use crate::log::error::{LogError, Warn};
use crate::log::private_file::{create_file, create_folder, create_folders, replace_file};
use crate::model::study::{LogLevel, RunRecord, RunStart, StudyRecord};
use crate::text::utc;
use procession_sys::refuse_foreign_links;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// A call's log folder. It counts as in use until this value is dropped. If no run has
/// begun by then, it is removed: a call that was refused leaves no log.
#[derive(Debug)]
pub struct LogFolder {
    path: PathBuf,
    /// The parent folder, if this is a default folder.
    root: Option<PathBuf>,
    /// Holds the lock.
    _lock: File,
    host: String,
    runs: u32,
    /// The folders that this call has created, the innermost first: removed again if no
    /// run begins.
    made: Vec<PathBuf>,
}

impl LogFolder {
    /// Creates the folder `dir` with its parents, or without `dir` a new folder in the
    /// user's state folder. Other files in a given folder are kept; a folder that
    /// already contains a log is refused, and so is a path through a symbolic link of
    /// another user.
    ///
    /// # Errors
    /// The folder can't be created or written. If no `dir` was given, callers should
    /// warn and continue without a log.
    pub fn create(dir: Option<PathBuf>) -> Result<Self, LogError> {
        match dir {
            Some(path) => Self::create_given(path),
            None => Self::create_in(&default_root()?),
        }
    }

    fn create_given(path: PathBuf) -> Result<Self, LogError> {
        let made: Vec<PathBuf> = path.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
        refuse_foreign_links(&path).and_then(|()| create_folders(&path)).map_err(LogError::io("creating", &path))?;
        for taken in [LOCK, "study.json", "run-1"] {
            if fs::symlink_metadata(path.join(taken)).is_ok() {
                return Err(LogError::Occupied(path));
            }
        }
        Self::lock(path, None, made)
    }

    /// Creates a folder for this call in `root`.
    pub(crate) fn create_in(root: &Path) -> Result<Self, LogError> {
        create_folders(root).map_err(LogError::io("creating", root))?;
        let name = format!("{}-{}", utc::folder_stamp(SystemTime::now()), std::process::id());
        let path = root.join(name);
        create_folder(&path).map_err(LogError::io("creating", &path))?;
        let made = vec![path.clone()];
        Self::lock(path, Some(root.to_owned()), made)
    }

    fn lock(path: PathBuf, root: Option<PathBuf>, made: Vec<PathBuf>) -> Result<Self, LogError> {
        let lock_path = path.join(LOCK);
        let lock = create_file(&lock_path).map_err(LogError::io("creating", &lock_path))?;
        // Some file systems have no locks. There the pruning may remove a log in use.
        let _ = lock.try_lock();
        Ok(Self { path, root, _lock: lock, host: String::new(), runs: 0, made })
    }

    /// Records a given folder in the user's state folder, so that [`latest_log`]
    /// finds it. Default folders need no record.
    ///
    /// # Errors
    /// There is no state folder, or it can't be written. The only consequence is that
    /// `inspect` must be given the folder.
    pub fn remember(&self) -> Result<(), LogError> {
        if self.root.is_some() {
            return Ok(());
        }
        let root = default_root()?;
        retention::remember(&root, &self.path).map_err(LogError::io("writing in", &root))
    }

    /// Removes what was created for a log without runs. Files of others are kept.
    fn remove_unused(&self) {
        for name in ["study.json", LOCK] {
            let _ = fs::remove_file(self.path.join(name));
        }
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
    }

    /// Whether a run has begun.
    #[must_use]
    pub fn has_runs(&self) -> bool {
        self.runs > 0
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `study.json`, or replaces it when more is known.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write_study(&mut self, study: &StudyRecord) -> Result<(), LogError> {
        self.host.clone_from(&study.machine.host);
        let path = self.path.join("study.json");
        let mut json = serde_json::to_vec_pretty(study).unwrap_or_default();
        json.push(b'\n');
        replace_file(&path, &json).map_err(LogError::io("writing", &path))
    }

    /// Starts the log of the next run: returns the observer for the pool, and the
    /// handle that finishes the log when the run has ended.
    ///
    /// `item_log` tells workers to format lines about items. It is set here according
    /// to the level, and cleared when no more lines are needed.
    ///
    /// # Errors
    /// The run's folder or its first files can't be written; callers should warn and
    /// continue without a log.
    pub fn start_run(
        &mut self,
        start: RunStart,
        options: &LogOptions,
        item_log: Arc<AtomicBool>,
        warn: Warn,
    ) -> Result<(RunLogger, RunLogging), LogError> {
        item_log.store(false, Ordering::Relaxed);
        // A failed start counts as well, so that folders have the numbers of their runs.
        self.runs += 1;
        let run = self.runs;
        let path = self.path.join(format!("run-{run}"));
        create_folder(&path).map_err(LogError::io("creating", &path))?;
        let started_at = utc::rfc3339(SystemTime::now());
        let record = RunRecord { run, start, log: options.level, started_at, result: None };
        write_record(&path, &record)?;
        let started =
            logger::start(Box::new(path.clone()), &path, record, options, &self.host, Arc::clone(&item_log), warn)?;
        item_log.store(options.level == LogLevel::Task, Ordering::Relaxed);
        Ok(started)
    }
}

impl Drop for LogFolder {
    /// Removes a log without runs, and old default folders. This happens at the end of a call, because at its
    /// start the user waits for results.
    fn drop(&mut self) {
        if !self.has_runs() {
            self.remove_unused();
        }
        if let Some(root) = &self.root {
            retention::prune(root, retention::KEEP_FOLDERS, retention::KEEP_BYTES);
        }
    }
}

/// The parent of the default log folders: `procession` in the user's state folder,
/// `XDG_STATE_HOME` or `~/.local/state`.
///
/// # Errors
/// Neither `XDG_STATE_HOME` nor `HOME` is an absolute path.
pub(crate) fn default_root() -> Result<PathBuf, LogError> {
    root_from(env::var_os("XDG_STATE_HOME"), env::var_os("HOME")).ok_or(LogError::NoStateFolder)
}

fn root_from(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |value: Option<OsString>| value.map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute(state).or_else(|| Some(absolute(home)?.join(".local/state")))?;
    Some(state.join("procession"))
}

/// The newest log: the newest default folder, or the last given folder if that is
/// newer and still exists.
///
/// # Errors
/// There is none.
pub fn latest_log() -> Result<PathBuf, LogError> {
    latest_in(&default_root()?)
}

pub(crate) fn latest_in(root: &Path) -> Result<PathBuf, LogError> {
    let folders = match retention::folders(root) {
        Ok(folders) => folders,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(LogError::io("reading", root)(error)),
    };
    let is_log = |folder: &PathBuf| folder.join("study.json").is_file();
    let newest = folders.into_iter().find(is_log);
    let given = retention::remembered(root).filter(|(_, folder)| is_log(folder));
    let is_newer = |stamp: &str| newest.as_ref().and_then(|newest| newest.file_name()).is_none_or(|name| name < stamp);
    let given = given.filter(|(stamp, _)| is_newer(stamp)).map(|(_, folder)| folder);
    given.or(newest).ok_or_else(|| LogError::NoLog(root.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_private() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("a/b");
        let mut folder = LogFolder::create(Some(dir.clone())).unwrap();
        folder.write_study(&StudyRecord::default()).unwrap();
        assert_eq!([mode(&outer.path().join("a")), mode(&dir)], [0o700, 0o700]);
        assert_eq!([mode(&dir.join("study.json")), mode(&dir.join(LOCK))], [0o600, 0o600]);
    }

    #[test]
    fn a_given_folder_keeps_what_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        drop(LogFolder::create(Some(dir.path().to_owned())).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a log without runs is removed");
        let mut folder = LogFolder::create(Some(dir.path().to_owned())).unwrap();
        assert_eq!(fs::read(dir.path().join("notes.txt")).unwrap(), b"mine");
        folder.runs = 1;
        drop(folder);
        let again = LogFolder::create(Some(dir.path().to_owned())).unwrap_err();
        assert!(again.to_string().contains("already holds the log of another call"), "{again}");
    }

    #[test]
    fn a_log_without_runs_is_removed_with_the_folders_that_it_needed() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("a/b");
        let mut folder = LogFolder::create(Some(dir.clone())).unwrap();
        folder.write_study(&StudyRecord::default()).unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 0);
        let folder = LogFolder::create(Some(dir.clone())).unwrap();
        fs::write(dir.join("other"), "").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "what others put there is kept");
    }

    #[test]
    fn old_default_folders_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("state/procession");
        for at in 0..20 {
            create_folders(&state.join(format!("20200101T0000{at:02}.000Z-1"))).unwrap();
        }
        let mut folder = LogFolder::create_in(&state).unwrap();
        folder.runs = 1;
        assert_eq!([mode(&state), mode(folder.path())], [0o700, 0o700]);
        let path = folder.path().to_owned();
        assert!(path.join(LOCK).is_file() && retention::is_in_use(&path));
        drop(folder);
        let left = retention::folders(&state).unwrap();
        assert_eq!((left.len(), &left[0]), (20, &path));
        assert!(!retention::is_in_use(&path));
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_an_error() {
        let error = LogFolder::create(Some("/proc/none/log".into())).unwrap_err();
        assert!(error.to_string().starts_with("creating /proc/none/log: "), "{error}");
    }

    #[test]
    fn the_state_folder() {
        let root = |state: &str, home: &str| root_from(Some(state.into()), Some(home.into()));
        assert_eq!(root("/s", "/h"), Some("/s/procession".into()));
        assert_eq!(root("", "/h"), Some("/h/.local/state/procession".into()));
        assert_eq!(root("relative", "/h"), Some("/h/.local/state/procession".into()));
        assert_eq!(root("", "relative"), None);
    }

    #[test]
    fn the_latest_log_is_the_newest_with_a_study() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(latest_in(root.path()), Err(LogError::NoLog(_))));
        for (name, study) in
            [("20260101T000000.000Z-9", true), ("20260101T000000.001Z-1", true), ("20260102T000000.000Z-1", false)]
        {
            fs::create_dir(root.path().join(name)).unwrap();
            if study {
                fs::write(root.path().join(name).join("study.json"), "{}").unwrap();
            }
        }
        assert_eq!(latest_in(root.path()).unwrap(), root.path().join("20260101T000000.001Z-1"));
        // A given folder counts as long as it exists and no other is newer.
        let given = tempfile::tempdir().unwrap();
        retention::remember(root.path(), given.path()).unwrap();
        assert_eq!(latest_in(root.path()).unwrap(), root.path().join("20260101T000000.001Z-1"), "it has no log");
        fs::write(given.path().join("study.json"), "{}").unwrap();
        assert_eq!(latest_in(root.path()).unwrap(), given.path().canonicalize().unwrap());
        fs::create_dir(root.path().join("99990101T000000.000Z-1")).unwrap();
        fs::write(root.path().join("99990101T000000.000Z-1/study.json"), "{}").unwrap();
        assert_eq!(latest_in(root.path()).unwrap(), root.path().join("99990101T000000.000Z-1"));
    }
}
