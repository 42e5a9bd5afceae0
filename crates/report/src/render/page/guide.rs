//! Explanations for readers who are new to these measurements.

/// Explains a chart in a sentence.
pub(crate) fn of_chart(name: &str) -> &'static str {
    match name {
        "times" => {
            "A bar is the median time of a configuration, its whisker the shortest and the longest run; lines are \
             speedups, on the axis on the right."
        }
        "sizes" => "The same times, with the sizes as groups.",
        "speedup" => {
            "How many times as fast. The dotted line is the ideal, as many times as there are workers; the dashed one \
             is the best that this work and these processors allow."
        }
        "efficiency" => "Speedup divided by workers: how much of each one was of use.",
        "phases" => "The time of a run, divided as its mean worker spent it.",
        "timeline" => {
            "A track for each process: dark while it runs items, light while it waits. Fainter colour means that items \
             too short to be drawn one by one left gaps. Point at a mark to see what it was. For each configuration \
             of the largest size, the run nearest to its median."
        }
        _ => "",
    }
}

/// Explains the terms of the page.
pub(crate) const GUIDE: &str = r#"<section>
<h2>How to read this</h2>
<dl>
<dt>Wall time</dt><dd>From the creation of the pool to the end of its last worker. With several runs it is their median; σ is the standard deviation.</dd>
<dt>Speedup</dt><dd>S = T(1) / T(p): the time of the serial loop, or of the smallest count if there is none, divided by the time with p workers. The table says which.</dd>
<dt>Efficiency</dt><dd>S / p: 100 % if each worker is as fast as one alone.</dd>
<dt>Karp–Flatt</dt><dd>e = (1/S − 1/p) / (1 − 1/p): the share of the work that, judging by the speedup, was not spread. If it grows with p, the loss is overhead of the pool; if it stays the same, part of the work is serial. Not shown for one worker, for more workers than CPUs, below the noise, and where it is no share.</dd>
<dt>Ceiling</dt><dd>The best speedup that the work allows: no more than workers; CPUs count for the share of the time in which items use them; n items on p workers take ⌈n/p⌉ rounds; and nothing ends before its longest item.</dd>
<dt>Amdahl’s law</dt><dd>S(p) = 1 / (f + (1 − f)/p) for a serial fraction f, fitted to all counts that had CPUs of their own, where there are at least three.</dd>
<dt>When a pool pays</dt><dd>A run on p workers takes F + (T + n·c)/p: T is the serial loop’s time for n items, F the pool’s cost to start and end, c its cost for an item. Both are measured, here and now: with several sizes by least squares, with one from what the workers said of their start and end and from what is left.</dd>
<dt>Phases</dt><dd>What workers did with their time: start-up until they were ready; waiting for a chunk; transport, reading and framing messages; decoding items from their text; running the task; encoding records and log lines; writing results; ending, from a worker’s last words until the run has ended; other, what processes that died could not tell.</dd>
</dl>
</section>
"#;
