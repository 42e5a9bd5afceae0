//! Makes the page, the chart, timings and the trace of logs: `page OUT LOG…`.

use procession_report::read::StudyLog;
use procession_report::{StudyData, TimingsFormat, chart, page, write_timings, write_trace};
use std::error::Error;
use std::fs;
use std::io::BufWriter;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (out, logs) = args.split_first().ok_or("page OUT LOG…")?;
    let logs = logs.iter().map(|log| StudyLog::open(Path::new(log))).collect::<Result<Vec<_>, _>>()?;
    let data = StudyData::from_logs(&logs)?;
    let out = Path::new(out);
    fs::create_dir_all(out)?;
    fs::write(out.join("page.html"), page(&data)?)?;
    for name in ["timings.json", "timings.csv", "timings.md"] {
        let path = out.join(name);
        let format = TimingsFormat::of_path(&path).ok_or("no such format")?;
        write_timings(&data, format, &mut fs::File::create(path)?)?;
    }
    write_trace(&data, &mut BufWriter::new(fs::File::create(out.join("trace.json"))?))?;
    if let Some(svg) = chart::by_count(&data)? {
        fs::write(out.join("chart.svg"), svg.standalone())?;
        fs::write(out.join("chart.png"), svg.to_png()?)?;
    }
    Ok(())
}
