//! Programs of the user's own beside what starts or feeds them elsewhere: a
//! shell's pipe, xargs, Python's pool.

use super::{ScenarioCatalog, installed, scenario};
use crate::bench::scenario::{Scenario, SpeedTarget};
use crate::bench::side::Side;

/// How many processes are started, one an item.
const COMMANDS: u32 = 2_000;
/// How many items a function in Python is called with, here and by the peer.
const CALLS: (u32, u32) = (1_000_000, 100_000);

impl ScenarioCatalog<'_> {
    /// The filter writes out each line as soon as it has it.
    fn filter_line(&self, procs: u32, out: &str) -> Side {
        let out = self.data.scratch(out);
        let line = format!("--task filter --format lines --procs {procs} --log off --input");
        let side = self.ours(&line).arg(&self.data.fewer_lines).arg("--output").arg(&out).clearing(&out);
        side.words("-- grep --line-buffered").arg("")
    }

    pub(super) fn filter_on_one(&self) -> Scenario {
        let out = self.data.scratch("filter-peer");
        let alone = installed("grep").map(|()| {
            let script = "grep --line-buffered '' < \"$0\" | cat > \"$1\"";
            Side::wall("the filter alone", "sh")
                .arg("-c")
                .arg(script)
                .arg(&self.data.fewer_lines)
                .arg(&out)
                .clearing(&out)
        });
        Scenario {
            name: "filter-1",
            what: "a million lines through a line filter (grep --line-buffered), kept by 1 worker",
            ours: self.filter_line(1, "filter-ours"),
            equal: Some((self.data.fewer_lines.clone(), self.data.scratch("filter-ours"))),
            ..scenario(alone, SpeedTarget::Ratio(3.0))
        }
    }

    pub(super) fn filter_on_two(&self) -> Scenario {
        Scenario {
            name: "filter-2",
            what: "the same, kept by 2 workers",
            ours: self.filter_line(2, "filter-two"),
            ..scenario(Ok(self.filter_line(1, "filter-one").called("1 worker")), SpeedTarget::Ratio(1.0))
        }
    }

    pub(super) fn command(&self) -> Scenario {
        let xargs = installed("xargs").map(|()| {
            let script = format!("seq 0 {} | xargs -P2 -n1 /bin/true", COMMANDS - 1);
            Side::wall("xargs -P2 -n1", "sh").arg("-c").arg(script)
        });
        Scenario {
            name: "command",
            what: "two thousand processes of /bin/true, one an item, 2 workers",
            ours: self
                .ours("--task command --format lines --procs 2 --log off --range")
                .arg(format!("0..{COMMANDS}"))
                .words("-- /bin/true")
                .arg("{}"),
            ..scenario(xargs, SpeedTarget::Ratio(1.0))
        }
    }

    pub(super) fn python_function(&self) -> Scenario {
        let (ours, peers) = CALLS;
        let place = self.programs.scripts.join("peer_chunk.py");
        let pool = self.python("Python Pool, chunksize=1", "peer_chunk.py").map(|side| side.arg(peers.to_string()));
        let out = self.data.scratch("python-ours");
        let mut function = place.into_os_string();
        function.push(":same");
        Scenario {
            name: "python",
            what: "a function in Python that gives back what it gets, 2 workers; the peer's items are fewer",
            ours: self
                .ours("--task python --format lines --procs 2 --log off --range")
                .arg(format!("0..{ours}"))
                .arg("--output")
                .arg(&out)
                .clearing(&out)
                .arg("--")
                .arg(function),
            items: Some((f64::from(ours), f64::from(peers))),
            ..scenario(pool, SpeedTarget::Ratio(1.0))
        }
    }
}
