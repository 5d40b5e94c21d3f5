//! How long a word takes: from the moment it is said to the moment it is read.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::case::{Case, Field};
use crate::client::{Heard, Line};
use crate::table::{median, mention, print, share};
use crate::{Failure, Options, Outcome};

/// An answer: so many words, one after each pause.
const WORDS: usize = 200;
const PACE: Duration = Duration::from_millis(5);

/// Answers at once.
const STREAMS: usize = 4;

/// What one case took in one run, in microseconds.
struct Taken {
    first: f64,
    half: f64,
    most: f64,
}

pub(crate) async fn measure(options: &Options) -> Outcome<()> {
    let field = Field::set_up(options, WORDS, PACE).await?;
    let mut taken: Vec<Vec<Taken>> = field.cases.iter().map(|_| Vec::new()).collect();
    for case in &field.cases {
        mention(&format!("warming up: {}", case.name))?;
        run(case).await?;
    }
    for number in 0..options.runs {
        mention(&format!("run {} of {}", number + 1, options.runs))?;
        for (case, taken) in field.cases.iter().zip(&mut taken) {
            taken.push(run(case).await?);
        }
    }
    let middle = |of: &[Taken], field: fn(&Taken) -> f64| median(&of.iter().map(field).collect::<Vec<_>>());
    let direct = taken.first().map(|direct| (middle(direct, |t| t.half), middle(direct, |t| t.most)));
    let (least, most) = direct.ok_or("nothing was measured")?;
    let rows = field.cases.iter().zip(&taken).map(|(case, taken)| {
        let (half, late) = (middle(taken, |t| t.half), middle(taken, |t| t.most));
        let added = [half - least, late - most].map(|added| format!("{added:.0}"));
        let [half, late] = [half, late].map(|time| format!("{time:.0}"));
        let first = format!("{:.1}", middle(taken, |t| t.first) / 1000.0);
        [vec![case.name.clone(), half, late], added.into(), vec![first]].concat()
    });
    let title = format!("{STREAMS} streams of {WORDS} words, one each {PACE:?}; medians of {} runs", options.runs);
    let head = ["way", "p50, µs", "p99, µs", "added p50", "added p99", "first event, ms"];
    print(&title, &head, &rows.collect::<Vec<_>>())
}

async fn run(case: &Case) -> Outcome<Taken> {
    let mut tasks = JoinSet::new();
    for _ in 0..STREAMS {
        let case = case.clone();
        tasks.spawn(async move {
            let mut heard = Heard::default();
            let mut line = Line::connect(&case).await?;
            line.ask(&case, case.request(), &mut heard).await?;
            Ok::<_, Failure>(heard)
        });
    }
    let (mut delays, mut firsts) = (Vec::new(), Vec::new());
    while let Some(heard) = tasks.join_next().await {
        let heard = heard??;
        if heard.delays.len() != WORDS {
            return Err(format!("{}: {} words in place of {WORDS}", case.name, heard.delays.len()).into());
        }
        firsts.push(heard.first.as_secs_f64() * 1e6);
        delays.extend(heard.delays);
    }
    Ok(Taken { first: median(&firsts), half: share(&delays, 0.5), most: share(&delays, 0.99) })
}
