//! Results come in input order, whatever the items cost and however many
//! workers there are.

use crate::support::{Place, lines, roots};

#[test]
fn any_number_of_workers_gives_the_same_bytes() {
    let place = Place::new();
    place.file("in", lines(3000));
    for procs in ["1", "2", "7", "64"] {
        assert_eq!(place.run(&["-t", "sqrt", "-i", "in", "--procs", procs]).ok(), roots(3000), "{procs}");
    }
}

#[test]
fn uneven_items_stay_in_order() {
    let place = Place::new();
    let input: String = (0..60).map(|i| if i % 7 == 0 { format!("sleep {i}\n") } else { format!("{i}\n") }).collect();
    for chunk in ["auto", "1", "4"] {
        let args = ["-t", "misbehave", "-j", "3", "--chunk", chunk, "--format", "lines"];
        assert_eq!(place.run_on(&args, &input).ok(), input, "{chunk}");
    }
}

#[test]
fn every_chunk_size_gives_the_same_bytes() {
    let place = Place::new();
    place.file("in", lines(2000));
    for chunk in ["1", "7", "1999", "5000"] {
        let args = ["-t", "sqrt", "-i", "in", "-j", "2", "--chunk", chunk];
        assert_eq!(place.run(&args).ok(), roots(2000), "{chunk}");
    }
}

#[test]
fn more_workers_than_items_one_item_and_none() {
    let place = Place::new();
    assert_eq!(place.run(&["-t", "sqrt", "--list", "2", "-j", "5"]).ok(), "2\t1.4142135623730951\n");
    assert_eq!(place.run(&["-t", "sqrt", "--list", "4,9", "-j", "5"]).ok(), "4\t2.0\n9\t3.0\n");
    assert_eq!(place.run_on(&["-t", "sqrt", "-j", "3"], "").ok(), "");
}

#[test]
fn unordered_results_are_all_there() {
    let place = Place::new();
    let out = place.run_on(&["-t", "sqrt", "-j", "3", "--unordered", "--format", "csv"], lines(500)).ok();
    let mut rows: Vec<&str> = out.lines().collect();
    assert_eq!(rows.remove(0), "index,input,output,error");
    rows.sort_by_key(|row| row.split(',').next().and_then(|index| index.parse::<u64>().ok()));
    let expected: Vec<String> = (1..=500u64).map(|i| format!("{},{i},{:?},", i - 1, (i as f64).sqrt())).collect();
    assert_eq!(rows, expected);
}

#[test]
fn a_slow_first_item_holds_back_what_is_behind_it_but_loses_nothing() {
    let place = Place::new();
    let input = format!("sleep 300\n{}", lines(100_000));
    let args = ["-t", "misbehave", "-j", "2", "--format", "lines", "--log", "off"];
    assert_eq!(place.run_on(&args, &input).ok(), input);
}
