//! Replaces `{size}` and `{procs}` in a program's arguments by the values of
//! the configuration, before the run. Placeholders of items (`{}` and others)
//! are replaced by the worker.

use procession_task::Configuration;

/// The size of the work.
const SIZE: &str = "{size}";
/// The number of processes or threads.
const PROCS: &str = "{procs}";

/// The arguments in a run of this configuration.
pub(crate) fn fill_placeholders(arguments: &[Vec<u8>], configuration: &Configuration) -> Vec<Vec<u8>> {
    let size = configuration.size.map(|size| size.to_string());
    let procs = configuration.count.to_string();
    let known = [(SIZE, size.as_deref()), (PROCS, Some(&procs[..]))];
    arguments.iter().map(|argument| fill(argument, &known)).collect()
}

/// Whether any argument contains `{size}`. The size must be known then.
#[must_use]
pub fn use_size(arguments: &[Vec<u8>]) -> bool {
    contain(SIZE, arguments)
}

/// Whether any argument contains `{procs}`. Then the work depends on the
/// configuration.
#[must_use]
pub fn use_procs(arguments: &[Vec<u8>]) -> bool {
    contain(PROCS, arguments)
}

fn contain(name: &str, arguments: &[Vec<u8>]) -> bool {
    // Values are not known yet; what is filled in does not matter.
    arguments.iter().any(|argument| fill(argument, &[(name, Some(""))]) != *argument)
}

/// Fills one argument. Values are not searched for placeholders. In doubled braces a
/// placeholder is left as it is.
fn fill(argument: &[u8], known: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(argument.len());
    let mut rest = argument;
    while let Some((&first, behind)) = rest.split_first() {
        let found = known.iter().find_map(|(name, value)| Some((rest.strip_prefix(name.as_bytes())?, (*value)?)));
        let doubled = known.iter().find_map(|(name, _)| doubled(rest, name));
        match (found, doubled) {
            (_, Some(length)) => {
                filled.extend_from_slice(&rest[..length]);
                rest = &rest[length..];
            }
            (Some((after, value)), None) => {
                filled.extend_from_slice(value.as_bytes());
                rest = after;
            }
            (None, None) => {
                filled.push(first);
                rest = behind;
            }
        }
    }
    filled
}

/// The length of this placeholder in doubled braces at the start of the text.
fn doubled(text: &[u8], name: &str) -> Option<usize> {
    let behind = text.strip_prefix(b"{")?.strip_prefix(name.as_bytes())?;
    behind.starts_with(b"}").then_some(name.len() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession::ChunkSize;
    use procession_task::Executor;

    fn of(argument: &str, size: Option<u64>) -> String {
        let configuration = Configuration { executor: Executor::Procs, count: 3, size, chunk: ChunkSize::Auto };
        String::from_utf8(fill_placeholders(&[argument.into()], &configuration).concat()).unwrap()
    }

    #[test]
    fn placeholders_are_replaced_by_the_configuration() {
        for (argument, expected) in [
            ("--n={size}of{procs}", "--n=40of3"),
            ("{size}{size}", "4040"),
            ("{}", "{}"),
            ("{{size}", "{40"),
            ("{{size}}{{procs}}{size}", "{{size}}{{procs}}40"),
            ("{Size} {procs", "{Size} {procs"),
            ("", ""),
        ] {
            assert_eq!(of(argument, Some(40)), expected);
        }
        assert_eq!(of("{size}", None), "{size}");
    }

    #[test]
    fn arguments_with_a_size_are_found() {
        assert!(use_size(&["a".into(), "x{size}".into()]));
        assert!(!use_size(&["{procs}".into(), "size".into(), "{{size}}".into()]));
    }
}
