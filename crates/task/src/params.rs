//! A task's parameters, `--param KEY=VALUE`. The task declares them, so that an
//! unknown key or a bad value is refused with a list of what the task takes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One parameter of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamSpec {
    /// The key.
    pub name: &'static str,
    /// The default value.
    pub default: &'static str,
    /// The possible values; empty if the task itself checks the value.
    pub values: &'static [&'static str],
    /// One line for `coordinator tasks`.
    pub help: &'static str,
}

/// The description of a parameter; see [`ParamSpec`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamInfo {
    /// The key.
    pub name: String,
    /// The default value.
    pub default: String,
    /// The possible values; empty if the task itself checks the value.
    pub values: Vec<String>,
    /// One line for the user.
    pub help: String,
}

impl From<&ParamSpec> for ParamInfo {
    fn from(spec: &ParamSpec) -> Self {
        let values = spec.values.iter().map(|&value| value.to_owned()).collect();
        Self { name: spec.name.to_owned(), default: spec.default.to_owned(), values, help: spec.help.to_owned() }
    }
}

/// Checks settings against a task's parameters.
pub(crate) fn check(task: &str, specs: &[ParamInfo], given: &[(String, String)]) -> Result<(), ParamError> {
    let error = |what: String| Err(ParamError::of(task, what, specs));
    for (at, (key, value)) in given.iter().enumerate() {
        let Some(spec) = specs.iter().find(|spec| spec.name == *key) else {
            return error(format!("unknown parameter '{key}'"));
        };
        if given[..at].iter().any(|(before, _)| before == key) {
            return error(format!("parameter '{key}' is given twice"));
        }
        if !spec.values.is_empty() && !spec.values.contains(value) {
            return error(format!("'{value}' is not a value of '{key}'"));
        }
    }
    Ok(())
}

/// The values of all parameters of a task, with defaults filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    values: Vec<(&'static str, String)>,
}

impl Params {
    /// Checks the given pairs against `specs`.
    ///
    /// # Errors
    /// An unknown or repeated key, or a value outside the listed ones. The message
    /// lists what the task takes.
    pub fn check(task: &str, specs: &[ParamSpec], given: &[(String, String)]) -> Result<Self, ParamError> {
        let infos: Vec<ParamInfo> = specs.iter().map(ParamInfo::from).collect();
        check(task, &infos, given)?;
        let known = |key: &str| specs.iter().find(|spec| spec.name == key);
        let mut values: Vec<(&'static str, String)> =
            given.iter().filter_map(|(key, value)| Some((known(key)?.name, value.clone()))).collect();
        for spec in specs {
            if !values.iter().any(|(name, _)| *name == spec.name) {
                values.push((spec.name, spec.default.to_owned()));
            }
        }
        Ok(Self { values })
    }

    /// Every parameter with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// The value of a declared parameter; empty for an undeclared one.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

/// Why the settings were refused; lists what the task takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamError(String);

impl ParamError {
    /// An error that says what is wrong and lists the task's parameters.
    #[must_use]
    pub fn new(task: &str, what: impl fmt::Display, specs: &[ParamSpec]) -> Self {
        let infos: Vec<ParamInfo> = specs.iter().map(ParamInfo::from).collect();
        Self::of(task, what, &infos)
    }

    /// An error that does not concern the task's parameters.
    #[must_use]
    pub fn plain(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }

    fn of(task: &str, what: impl fmt::Display, specs: &[ParamInfo]) -> Self {
        let mut text = format!("{what}: task '{task}' takes ");
        if specs.is_empty() {
            text.push_str("no parameters");
        }
        for (i, spec) in specs.iter().enumerate() {
            let values = if spec.values.is_empty() { spec.default.clone() } else { spec.values.join("|") };
            let comma = if i == 0 { "" } else { ", " };
            text.push_str(&format!("{comma}{}={values} (default {})", spec.name, spec.default));
        }
        Self(text)
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParamError {}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: ParamSpec =
        ParamSpec { name: "method", default: "trial", values: &["trial", "naive"], help: "how to decide" };

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn defaults_apply_unless_a_value_is_given() {
        assert_eq!(Params::check("prime", &[METHOD], &[]).unwrap().get("method"), "trial");
        let params = Params::check("prime", &[METHOD], &given(&[("method", "naive")])).unwrap();
        assert_eq!(params.get("method"), "naive");
    }

    #[test]
    fn refusals_list_the_valid_parameters() {
        for bad in [&[("methode", "naive")][..], &[("method", "x")], &[("method", "naive"), ("method", "trial")]] {
            let text = Params::check("prime", &[METHOD], &given(bad)).unwrap_err().to_string();
            assert!(text.contains("method=trial|naive (default trial)"), "{text}");
        }
        let text = Params::check("sqrt", &[], &given(&[("a", "b")])).unwrap_err().to_string();
        assert!(text.contains("takes no parameters"), "{text}");
    }
}
