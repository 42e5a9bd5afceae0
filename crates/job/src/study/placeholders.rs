//! What a program's arguments may say of the run: `{size}` and `{procs}` stand
//! for its configuration's, and are replaced before the run. What stands for
//! an item (`{}` and the like) is the worker's affair.

use procession_task::Configuration;

/// Stands for the size of the work.
const SIZE: &str = "{size}";
/// Stands for how many processes, or threads, there are.
const PROCS: &str = "{procs}";

/// The arguments as they are in a run of this configuration.
pub(crate) fn fill_placeholders(arguments: &[Vec<u8>], configuration: &Configuration) -> Vec<Vec<u8>> {
    let size = configuration.size.map(|size| size.to_string());
    let procs = configuration.count.to_string();
    let known = [(SIZE, size.as_deref()), (PROCS, Some(&procs[..]))];
    arguments.iter().map(|argument| fill(argument, &known)).collect()
}

/// Whether any argument asks for the size, which must be known then.
#[must_use]
pub fn use_size(arguments: &[Vec<u8>]) -> bool {
    contain(SIZE, arguments)
}

/// Whether any argument asks how many processes there are, so that what is done
/// depends on it.
#[must_use]
pub fn use_procs(arguments: &[Vec<u8>]) -> bool {
    contain(PROCS, arguments)
}

fn contain(name: &str, arguments: &[Vec<u8>]) -> bool {
    arguments.iter().any(|argument| memchr::memmem::find(argument, name.as_bytes()).is_some())
}

/// One argument, read once: what is put in is not looked at again.
fn fill(argument: &[u8], known: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(argument.len());
    let mut rest = argument;
    while let Some((&first, behind)) = rest.split_first() {
        let found = known.iter().find_map(|(name, value)| Some((rest.strip_prefix(name.as_bytes())?, (*value)?)));
        match found {
            Some((after, value)) => {
                filled.extend_from_slice(value.as_bytes());
                rest = after;
            }
            None => {
                filled.push(first);
                rest = behind;
            }
        }
    }
    filled
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
    fn a_configurations_numbers_take_their_places() {
        for (argument, expected) in [
            ("--n={size}of{procs}", "--n=40of3"),
            ("{size}{size}", "4040"),
            ("{}", "{}"),
            ("{{size}", "{40"),
            ("{Size} {procs", "{Size} {procs"),
            ("", ""),
        ] {
            assert_eq!(of(argument, Some(40)), expected);
        }
        assert_eq!(of("{size}", None), "{size}");
    }

    #[test]
    fn a_size_is_asked_for_by_name() {
        assert!(use_size(&["a".into(), "x{size}".into()]));
        assert!(!use_size(&["{procs}".into(), "size".into()]));
    }
}
