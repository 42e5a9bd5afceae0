//! Which program to start as a coprocess, and its start.

use crate::environment::inherited;
use crate::template::TemplateError;
use procession_sys::{LaunchedProgram, Launcher, ProgramInput, SpawnError};
use procession_task::ParamError;
use std::ffi::CString;
use std::io;

/// The program of a coprocess.
#[derive(Clone, Debug)]
pub(crate) struct CoprocessCommand {
    /// The name used in messages.
    pub(crate) name: String,
    /// The program, a path or a name that is searched in PATH, and its arguments.
    pub(crate) words: Vec<CString>,
    /// Environment variables in addition to the inherited ones: name and value.
    pub(crate) env: Vec<(&'static str, String)>,
}

impl CoprocessCommand {
    /// Starts the program.
    ///
    /// # Errors
    /// The program could not be started. Nothing is left behind.
    pub(super) fn launch(&self) -> Result<LaunchedProgram, SpawnError> {
        let Self { words, env, .. } = self;
        let failed = |error: io::Error| SpawnError::new("cannot be started", error);
        let program = words.first().map_or(&b""[..], |program| program.to_bytes());
        let names: Vec<&str> = env.iter().map(|&(name, _)| name).collect();
        let variable = |(name, value): &(&str, String)| CString::new(format!("{name}={value}"));
        let variables: Vec<CString> =
            env.iter().map(variable).collect::<Result<_, _>>().map_err(|error| failed(error.into()))?;
        let mut launcher = Launcher::new(program, inherited(&names)).map_err(failed)?;
        launcher.start(words, &variables, ProgramInput::Piped)
    }

    /// The names of the task and of its program, for messages.
    pub(super) fn names(&self) -> String {
        let program = self.words.first().map(|program| program.to_string_lossy()).unwrap_or_default();
        format!("{}: '{program}'", self.name)
    }
}

/// The words of a command line in the system's form.
///
/// # Errors
/// A word holds a NUL byte.
pub(crate) fn c_strings<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Result<Vec<CString>, ParamError> {
    let strings: Result<_, _> = words.into_iter().map(|word| CString::new(word.as_ref())).collect();
    strings.map_err(|_| ParamError::plain(TemplateError::Nul))
}
