//! A task's own settings, `--param KEY=VALUE`: declared by the task, so that an
//! unknown key or a bad value is refused with the list of what the task takes.

use crate::ParamInfo;
use std::fmt;

/// One setting that a task takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamSpec {
    /// Its key.
    pub name: &'static str,
    /// The value that holds when none is given.
    pub default: &'static str,
    /// The values it may have; empty when the task itself decides.
    pub values: &'static [&'static str],
    /// One line for `coordinator tasks`.
    pub help: &'static str,
}

/// Checks settings against what a task takes.
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
            return error(format!("'{value}' is no value of '{key}'"));
        }
    }
    Ok(())
}

/// Settings checked against what the task takes, defaults filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    values: Vec<(&'static str, String)>,
}

impl Params {
    /// Checks the given pairs against `specs`.
    ///
    /// # Errors
    /// An unknown or repeated key, or a value outside the listed ones, with
    /// what the task takes instead.
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

    /// Every setting with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// The value of a declared setting; empty for one that was never declared.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

/// Why the settings were refused; says what the task takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamError(String);

impl ParamError {
    /// `what` is wrong, said together with what the task does take.
    #[must_use]
    pub fn new(task: &str, what: impl fmt::Display, specs: &[ParamSpec]) -> Self {
        let infos: Vec<ParamInfo> = specs.iter().map(ParamInfo::from).collect();
        Self::of(task, what, &infos)
    }

    /// `what` is wrong, and no setting of the task's has to do with it.
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
    fn defaults_fill_in_and_values_override() {
        assert_eq!(Params::check("prime", &[METHOD], &[]).unwrap().get("method"), "trial");
        let params = Params::check("prime", &[METHOD], &given(&[("method", "naive")])).unwrap();
        assert_eq!(params.get("method"), "naive");
    }

    #[test]
    fn refusals_list_what_is_taken() {
        for bad in [&[("methode", "naive")][..], &[("method", "x")], &[("method", "naive"), ("method", "trial")]] {
            let text = Params::check("prime", &[METHOD], &given(bad)).unwrap_err().to_string();
            assert!(text.contains("method=trial|naive (default trial)"), "{text}");
        }
        let text = Params::check("sqrt", &[], &given(&[("a", "b")])).unwrap_err().to_string();
        assert!(text.contains("takes no parameters"), "{text}");
    }
}
