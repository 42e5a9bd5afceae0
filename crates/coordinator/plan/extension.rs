//! The extension of an output's name says what is in the file. A name that promises
//! what can't be written is refused.

use procession_task::{Format, escape_terminal};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Compressed files, each with the program that makes them.
const COMPRESSED: [(&str, &str); 10] = [
    ("gz", "gzip"),
    ("bgz", "bgzip"),
    ("tgz", "gzip"),
    ("zst", "zstd"),
    ("xz", "xz"),
    ("bz2", "bzip2"),
    ("lz4", "lz4"),
    ("br", "brotli"),
    ("zip", "zip -"),
    ("7z", "7z a -si"),
];

/// Files that are no text.
const BINARY: [&str; 46] = [
    "jpg", "jpeg", "png", "gif", "bmp", "webp", "avif", "tif", "tiff", "ppm", "pgm", "pnm", "svg", "pdf", "eps", "ps",
    "mp4", "parquet", "feather", "arrow", "orc", "avro", "xlsx", "xls", "ods", "docx", "odt", "pptx", "sqlite",
    "sqlite3", "db", "npy", "npz", "pkl", "pickle", "h5", "hdf5", "nc", "mat", "rds", "rdata", "dta", "sav", "tar",
    "msgpack", "cbor",
];

/// Texts in a form of their own. The results can be written to them if their format
/// is chosen.
const TEXT: [&str; 12] =
    ["json", "ndjson", "geojson", "html", "htm", "xml", "yaml", "yml", "toml", "md", "tex", "ipynb"];

/// Refuses a name that says something else than what is written: results in a
/// format, which is chosen or follows from the name. `is_picture`: a name that ends
/// in .png would be a picture.
///
/// # Errors
/// Which names are possible.
pub(super) fn check(path: &Path, chosen: Option<Format>, is_picture: bool) -> Result<(), String> {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { return Ok(()) };
    let extension = extension.to_ascii_lowercase();
    let name = escape_terminal(path.as_os_str().as_bytes());
    if let Some((_, program)) = COMPRESSED.iter().find(|(known, _)| *known == extension) {
        let inner = path.file_stem().and_then(|stem| Path::new(stem).extension()?.to_str());
        let format = chosen.or_else(|| inner.and_then(Format::from_name)).unwrap_or(Format::Tsv);
        return Err(format!(
            "--output {name}: results are not compressed: write --output - --format {} and | {program} > {name} behind \
             the command, or give a name that ends in {}",
            format.name(),
            writable(is_picture)
        ));
    }
    if BINARY.contains(&&extension[..]) {
        let what = if extension == "png" { "the results of this task are no picture" } else { "results are text" };
        return Err(format!("--output {name}: {what}: give a name that ends in {}", writable(is_picture)));
    }
    if TEXT.contains(&&extension[..]) && chosen.is_none() {
        let format = if extension.contains("json") { "jsonl" } else { "tsv" };
        return Err(format!(
            "--output {name}: .{extension} can't be written: give a name that ends in {}, or choose what is in the file, \
             as with --format {format}",
            writable(is_picture)
        ));
    }
    Ok(())
}

/// The extensions that say what is written.
fn writable(is_picture: bool) -> String {
    let mut names: Vec<String> = Format::ALL.iter().map(|(name, _)| format!(".{name}")).collect();
    names.extend(is_picture.then(|| ".png".to_owned()));
    let last = names.pop().unwrap_or_default();
    format!("{} or {last}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, chosen: Option<Format>) -> String {
        check(Path::new(name), chosen, false).expect_err(name)
    }

    #[test]
    fn a_name_that_promises_something_else_is_refused_with_those_that_are_possible() {
        let possible = "give a name that ends in .tsv, .csv, .jsonl or .lines";
        for name in ["o.json", "o.gz", "a/o.csv.zst", "o.JPG", "o.parquet", "o.xlsx", "o.png", "o.html"] {
            assert!(refused(name, None).contains(possible), "{}", refused(name, None));
        }
        let packed = refused("o.csv.gz", None);
        assert!(packed.contains("--output - --format csv and | gzip > o.csv.gz behind"), "{packed}");
        assert!(refused("o.json", None).contains("--format jsonl"));
        let rows = check(Path::new("m.ppm"), None, true).unwrap_err();
        assert!(rows.contains(".lines or .png"), "{rows}");
    }

    #[test]
    fn a_chosen_format_may_be_written_to_other_texts() {
        for name in ["o.json", "o.ndjson", "o.html", "o.md"] {
            assert_eq!(check(Path::new(name), Some(Format::Jsonl), false), Ok(()), "{name}");
        }
        assert!(refused("o.csv.gz", Some(Format::Jsonl)).contains("--format jsonl and | gzip"));
        assert!(refused("o.jpg", Some(Format::Csv)).contains("results are text"));
    }

    #[test]
    fn other_names_say_nothing() {
        for name in
            ["o.tsv", "o.CSV", "o.jsonl", "o.lines", "o.txt", "o.out", "o.log", "o.dat", "o", ".gz", "o.1", "o.v2.7"]
        {
            assert_eq!(check(Path::new(name), None, false), Ok(()), "{name}");
        }
    }
}
