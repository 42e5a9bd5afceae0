//! What is computed in a round, and what must come of it: plain code of our
//! own, one item after the other, that shares nothing with the product.

use crate::random::Random;

/// The most items of a round.
const MOST_ITEMS: u64 = 200_000;
/// The most of those that take their time.
const MOST_NAPS: u64 = 3000;
/// Each program has, while it runs, a process in a session of its own: nobody but its
/// worker or coordinator ends that if the program is killed.
const COMMAND: &str = "setsid sleep 1000 >/dev/null 2>&1 & printf '%s\\n' \"$1\"; kill $!";
const FILTER: &str =
    "setsid sleep 1000 >/dev/null 2>&1 & while IFS= read -r line; do printf '%s\\n' \"$line\"; done; kill $!";
const PIPE: &str = "setsid sleep 1000 >/dev/null 2>&1 & cat; kill $!";
/// The file of the function, in the round's folder.
pub(crate) const FUNCTION_FILE: &str = "f.py";
pub(crate) const FUNCTION: &str = "def f(item):\n    return item\n";

/// A task and its items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundWork {
    pub(crate) task: TaskKind,
    pub(crate) items: u64,
    kind: ItemKind,
}

/// What is done with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskKind {
    Sqrt,
    Prime,
    Null,
    /// `misbehave`, which gives back what is no order to it.
    Echo,
    /// Programs of the user's, which give back what they are given.
    Command,
    Filter,
    Pipe,
    Python,
}

/// What the items look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ItemKind {
    /// A range from here on, in these steps.
    Range { from: u64, step: u64 },
    /// Whole numbers below a million.
    Numbers { salt: u64 },
    /// Words, of very different lengths.
    Texts { salt: u64 },
    /// Orders to sleep for a millisecond or two.
    Naps { salt: u64 },
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultFormat {
    Tsv,
    Csv,
    Jsonl,
    Lines,
}

impl RoundWork {
    /// Work drawn at random; of a range if asked.
    pub(crate) fn of(random: &mut Random, is_range: bool) -> Self {
        let task = if is_range || random.percent(60) {
            random.pick([TaskKind::Sqrt, TaskKind::Prime, TaskKind::Null, TaskKind::Echo])
        } else {
            random.pick([TaskKind::Command, TaskKind::Filter, TaskKind::Pipe, TaskKind::Python])
        };
        let salt = random.number();
        let kind = match task {
            _ if is_range => ItemKind::Range { from: random.below(1000), step: random.between(1, 5) },
            TaskKind::Sqrt | TaskKind::Prime => ItemKind::Numbers { salt },
            TaskKind::Null | TaskKind::Command | TaskKind::Filter | TaskKind::Pipe | TaskKind::Python => {
                ItemKind::Texts { salt }
            }
            TaskKind::Echo => random.pick([ItemKind::Texts { salt }, ItemKind::Naps { salt }, ItemKind::Naps { salt }]),
        };
        let is_slow = matches!(kind, ItemKind::Naps { .. }) || task == TaskKind::Command;
        let most = match task {
            _ if is_slow => MOST_NAPS,
            TaskKind::Filter | TaskKind::Pipe | TaskKind::Python => MOST_ITEMS / 10,
            _ => MOST_ITEMS,
        };
        // Mostly many, so that there is time for kills; sometimes a few.
        let items = if random.percent(15) { random.between(1, 50) } else { random.between(most / 20, most) };
        Self { task, items, kind }
    }

    /// The item at an index.
    fn item(&self, index: u64) -> String {
        let mixed = |salt: u64| Random::new(salt ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        match self.kind {
            ItemKind::Range { from, step } => (from + index * step).to_string(),
            ItemKind::Numbers { salt } => mixed(salt).below(1_000_000).to_string(),
            ItemKind::Texts { salt } => {
                let mut random = mixed(salt);
                let length = if random.percent(1) { 3000 } else { random.below(40) };
                format!("text {index} {}", "x".repeat(usize::try_from(length).unwrap_or(0)))
            }
            ItemKind::Naps { salt } => format!("sleep {}", mixed(salt).below(3)),
        }
    }

    /// The value of `--range`, for a range.
    pub(crate) fn range(&self) -> Option<String> {
        match self.kind {
            ItemKind::Range { from, step } => Some(format!("{from}..{}:{step}", from + self.items * step)),
            _ => None,
        }
    }

    /// The items, a line each.
    pub(crate) fn input(&self) -> Vec<u8> {
        (0..self.items).flat_map(|index| (self.item(index) + "\n").into_bytes()).collect()
    }

    /// What the output must be, to the byte.
    pub(crate) fn expected(&self, format: ResultFormat) -> Vec<u8> {
        if self.task == TaskKind::Pipe {
            return self.input();
        }
        let head = if format == ResultFormat::Csv { "index,input,output,error\n" } else { "" };
        let mut expected = head.as_bytes().to_vec();
        for index in 0..self.items {
            let item = self.item(index);
            let result = self.task.result(&item);
            let line = match format {
                ResultFormat::Tsv => format!("{item}\t{result}\n"),
                ResultFormat::Csv => format!("{index},{item},{result},\n"),
                ResultFormat::Jsonl if self.task.gives_values() => {
                    format!("{{\"index\":{index},\"input\":\"{item}\",\"output\":{result}}}\n")
                }
                ResultFormat::Jsonl => format!("{{\"index\":{index},\"input\":\"{item}\",\"output\":\"{result}\"}}\n"),
                ResultFormat::Lines => result + "\n",
            };
            expected.extend_from_slice(line.as_bytes());
        }
        expected
    }
}

impl TaskKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqrt => "sqrt",
            Self::Prime => "prime",
            Self::Null => "null",
            Self::Echo => "misbehave",
            Self::Command => "command",
            Self::Filter => "filter",
            Self::Pipe => "pipe",
            Self::Python => "python",
        }
    }

    /// The words after `--`.
    pub(crate) fn words(self) -> Vec<&'static str> {
        match self {
            Self::Sqrt | Self::Prime | Self::Null | Self::Echo => Vec::new(),
            Self::Command => vec!["sh", "-c", COMMAND, "_", "{}"],
            Self::Filter => vec!["sh", "-c", FILTER],
            Self::Pipe => vec!["sh", "-c", PIPE],
            Self::Python => vec!["f.py:f"],
        }
    }

    /// Whether its results are numbers or truths, and not texts.
    fn gives_values(self) -> bool {
        matches!(self, Self::Sqrt | Self::Prime)
    }

    fn result(self, item: &str) -> String {
        match self {
            Self::Sqrt => format!("{:?}", item.parse::<f64>().map_or(f64::NAN, f64::sqrt)),
            Self::Prime => item.parse().is_ok_and(is_prime).to_string(),
            _ => item.to_owned(),
        }
    }
}

impl ResultFormat {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tsv => "tsv",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Lines => "lines",
        }
    }
}

fn is_prime(n: u64) -> bool {
    n == 2 || (n > 2 && n % 2 == 1 && (3..=n.isqrt()).step_by(2).all(|divisor| !n.is_multiple_of(divisor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_right() {
        let primes: Vec<u64> = (0..30).filter(|&n| is_prime(n)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert_eq!(["2", "4", "0"].map(|item| TaskKind::Sqrt.result(item)), ["1.4142135623730951", "2.0", "0.0"]);
    }

    #[test]
    fn items_and_records_are_as_the_product_has_them() {
        let work = RoundWork { task: TaskKind::Prime, items: 3, kind: ItemKind::Range { from: 1, step: 2 } };
        assert_eq!(work.range().unwrap(), "1..7:2");
        assert_eq!(work.input(), b"1\n3\n5\n");
        let expected = |format| String::from_utf8(work.expected(format)).unwrap();
        assert_eq!(expected(ResultFormat::Tsv), "1\tfalse\n3\ttrue\n5\ttrue\n");
        assert!(expected(ResultFormat::Csv).ends_with("error\n0,1,false,\n1,3,true,\n2,5,true,\n"));
        assert!(expected(ResultFormat::Jsonl).starts_with("{\"index\":0,\"input\":\"1\",\"output\":false}\n"));
        assert_eq!(expected(ResultFormat::Lines), "false\ntrue\ntrue\n");
    }
}
