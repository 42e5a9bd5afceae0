//! How the files of a crate may import from each other. A room is a folder of the
//! first level, or a file there. Rooms import in one direction, and the crate's
//! root lists them bottom-up. Files import in circles in few places.

use super::modules::{Import, Modules};
use std::collections::{BTreeMap, BTreeSet};

/// Circles of files in the whole workspace.
const MOST_CIRCLES: usize = 2;
/// Imports that are shown of a circle.
const SHOWN: usize = 12;

/// What is wrong with the imports of these crates.
pub(super) fn check(roots: &[&str], sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut circles = Vec::new();
    for root in roots {
        let modules = Modules::of(root, sources);
        let imports = modules.imports();
        problems.extend(order(&modules, &imports));
        circles.extend(circles_of_files(&modules, &imports));
    }
    if circles.len() > MOST_CIRCLES {
        problems.push(format!("{} circles of files are more than {MOST_CIRCLES}", circles.len()));
        problems.extend(circles);
    }
    problems
}

/// Each import of a room from itself upwards, and each circle of rooms.
fn order(modules: &Modules, imports: &[Import]) -> Vec<String> {
    let all = modules.all();
    let room = |at: usize| all[at].path.first().map(String::as_str);
    let rank: BTreeMap<&str, usize> =
        all[0].children.iter().zip(0..).map(|((name, _), at)| (name.as_str(), at)).collect();
    let between = |import: &&Import| room(import.from) != room(import.to);
    let up = imports.iter().filter(between).filter_map(|import| {
        let place = format!("{}:{}", all[import.from].file, import.line);
        match (room(import.from)?, room(import.to)) {
            (from, Some(to)) if rank[to] > rank[from] => {
                Some(format!("{place}: `{from}` imports from `{to}`, which {} lists below it", all[0].file))
            }
            (from, None) => Some(format!("{place}: `{from}` imports from the crate's root, {}", all[0].file)),
            _ => None,
        }
    });
    let mut problems: Vec<String> = up.collect();
    let names: Vec<&str> = rank.keys().copied().collect();
    let index = |room: &str| names.binary_search(&room).ok();
    let edges: Vec<(usize, usize)> = imports
        .iter()
        .filter(between)
        .filter_map(|import| index(room(import.from)?).zip(index(room(import.to)?)))
        .collect();
    for circle in circles(names.len(), &edges) {
        let rooms: Vec<&str> = circle.iter().map(|&at| names[at]).collect();
        problems.push(format!("{}: a circle of rooms: {}", all[0].file, rooms.join(", ")));
    }
    problems
}

/// The circles of files, with the imports that make them.
fn circles_of_files(modules: &Modules, imports: &[Import]) -> Vec<String> {
    let all = modules.all();
    let edges: Vec<(usize, usize)> = imports.iter().map(|import| (import.from, import.to)).collect();
    let shown = |circle: BTreeSet<usize>| {
        let inside = imports.iter().filter(|import| circle.contains(&import.from) && circle.contains(&import.to));
        let lines = inside.take(SHOWN).map(|import| {
            format!("\n  {}:{} imports from {}", all[import.from].file, import.line, all[import.to].file)
        });
        format!("a circle of {} files:{}", circle.len(), lines.collect::<String>())
    };
    circles(all.len(), &edges).into_iter().map(shown).collect()
}

/// The groups of two or more places that lead to each other.
fn circles(count: usize, edges: &[(usize, usize)]) -> Vec<BTreeSet<usize>> {
    let reached: Vec<BTreeSet<usize>> = (0..count).map(|from| reached_from(from, edges)).collect();
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    for at in 0..count {
        let group: BTreeSet<usize> = reached[at].iter().copied().filter(|&to| reached[to].contains(&at)).collect();
        if group.len() > 1 && !found.contains(&group) {
            found.push(group);
        }
    }
    found
}

/// Wherever a place's edges lead, over others too.
fn reached_from(from: usize, edges: &[(usize, usize)]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        let next = edges.iter().filter(|(from, _)| *from == at).map(|(_, to)| *to);
        open.extend(next.filter(|&to| reached.insert(to)));
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(name, text)| (format!("src/{name}"), (*text).to_owned())).collect();
        check(&["src/lib.rs"], &sources)
    }

    #[test]
    fn rooms_are_listed_bottom_up() {
        let low = ("low.rs", "pub struct X;");
        let high = ("high/mod.rs", "use crate::low::X;");
        assert!(problems(&[("lib.rs", "mod low;\nmod high;"), low, high]).is_empty());
        let wrong = problems(&[("lib.rs", "mod high;\nmod low;"), low, high]);
        assert_eq!(wrong, ["src/high/mod.rs:1: `high` imports from `low`, which src/lib.rs lists below it"]);
    }

    #[test]
    fn rooms_import_in_one_direction() {
        let files = [("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::X;"), ("b.rs", "use crate::a::Y;")];
        let wrong = problems(&files);
        assert!(wrong.contains(&"src/lib.rs: a circle of rooms: a, b".to_owned()), "{wrong:?}");
        let files = [("lib.rs", "mod a;\nstruct Z;"), ("a.rs", "use crate::Z;")];
        assert_eq!(problems(&files), ["src/a.rs:1: `a` imports from the crate's root, src/lib.rs"]);
    }

    #[test]
    fn circles_of_files_are_counted() {
        let circle = [("mod.rs", "mod c; mod d; pub struct X;"), ("c.rs", "use super::d;"), ("d.rs", "use super::c;")];
        let rooms = |count: usize| {
            let names: Vec<String> = (0..count).map(|n| format!("r{n}")).collect();
            let root = names.iter().map(|name| format!("mod {name};")).collect::<String>();
            let mut sources = BTreeMap::from([("src/lib.rs".to_owned(), root)]);
            for name in &names {
                sources.extend(circle.iter().map(|(file, text)| (format!("src/{name}/{file}"), (*text).to_owned())));
            }
            check(&["src/lib.rs"], &sources)
        };
        assert!(rooms(MOST_CIRCLES).is_empty());
        let wrong = rooms(MOST_CIRCLES + 1);
        assert_eq!(wrong[0], "3 circles of files are more than 2");
        assert!(wrong[1].contains("a circle of 2 files:\n  src/r0/c.rs:1 imports from src/r0/d.rs"), "{wrong:?}");
    }
}
