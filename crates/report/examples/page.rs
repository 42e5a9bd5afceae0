//! Makes the page and the charts of logs: `page OUT LOG…`.

use procession_report::read::StudyLog;
use procession_report::{StudyData, chart, page};
use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (out, logs) = args.split_first().ok_or("page OUT LOG…")?;
    let logs = logs.iter().map(|log| StudyLog::open(Path::new(log))).collect::<Result<Vec<_>, _>>()?;
    let data = StudyData::from_logs(&logs)?;
    let out = Path::new(out);
    fs::create_dir_all(out)?;
    fs::write(out.join("page.html"), page(&data)?)?;
    if let Some(svg) = chart::by_count(&data)? {
        fs::write(out.join("chart.svg"), svg.standalone())?;
        fs::write(out.join("chart.png"), svg.to_png()?)?;
    }
    Ok(())
}
