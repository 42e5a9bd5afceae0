//! Which program to start as a coprocess, and its start.

use crate::environment::inherited;
use crate::template::TemplateError;
use procession_sys::{LaunchedProgram, Launcher, ProgramInput};
use procession_task::ParamError;
use std::ffi::CString;
use std::fmt::Display;

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
    /// Why it can't be started, in a sentence.
    pub(super) fn launch(&self) -> Result<LaunchedProgram, String> {
        let Self { name, words, env } = self;
        let program = words.first().ok_or_else(|| format!("{name}: no program is given"))?;
        let failed = |error: &dyn Display| format!("{name}: '{}' {error}", program.to_string_lossy());
        let names: Vec<&str> = env.iter().map(|&(name, _)| name).collect();
        let variable = |(name, value): &(&str, String)| CString::new(format!("{name}={value}"));
        let variables: Vec<CString> =
            env.iter().map(variable).collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        let mut launcher = Launcher::new(program.to_bytes(), inherited(&names)).map_err(|error| failed(&error))?;
        launcher.start(words, &variables, ProgramInput::Piped).map_err(|error| failed(&error))
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
