//! What a second of one core is good for: requests that are answered with a word, and words of long answers.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::case::{Case, Field};
use crate::child::used;
use crate::client::{Heard, Line};
use crate::table::{median, mention, print};
use crate::{Failure, Options, Outcome};

/// Clients at once, each with a connection that it keeps.
const CLIENTS: usize = 16;

/// One way to put load on a server.
struct Load {
    title: &'static str,
    words: usize,
    pace: Duration,
}

const LOADS: [Load; 3] = [
    Load { title: "Requests that are answered with one word", words: 1, pace: Duration::ZERO },
    Load { title: "200 words, one each millisecond", words: 200, pace: Duration::from_millis(1) },
    Load { title: "200 words in one go", words: 200, pace: Duration::ZERO },
];

/// How long each way is asked: what has begun is heard to its end.
const TIME: Duration = Duration::from_secs(5);

/// What a run did.
struct Done {
    requests: f64,
    words: f64,
    wall: f64,
    cpu: f64,
}

pub(crate) async fn measure(options: &Options) -> Outcome<()> {
    for load in &LOADS {
        let field = Field::set_up(options, load.words, load.pace).await?;
        let cases: Vec<_> = field.cases.iter().filter(|case| case.pid.is_some()).collect();
        let mut done: Vec<Vec<Done>> = cases.iter().map(|_| Vec::new()).collect();
        for number in 0..=options.runs {
            mention(&format!("{}: run {number} of {}, 0 is to warm up", load.title, options.runs))?;
            for (case, done) in cases.iter().zip(&mut done) {
                let one = run(case).await?;
                if number > 0 {
                    done.push(one);
                }
            }
        }
        let rows = cases.iter().zip(&done).map(|(case, done)| {
            let middle = |field: fn(&Done) -> f64| median(&done.iter().map(field).collect::<Vec<_>>());
            let requests = format!("{:.0}", middle(|d| d.requests / d.wall));
            let a_core = [middle(|d| d.requests / d.cpu), middle(|d| d.words / d.cpu)].map(|rate| format!("{rate:.0}"));
            let each = format!("{:.1}", middle(|d| d.cpu / d.words * 1e6));
            [vec![case.name.clone()], a_core.into(), vec![each, requests]].concat()
        });
        let title = format!("{}; {CLIENTS} clients, medians of {} runs", load.title, options.runs);
        let head = ["way", "requests/s a core", "words/s a core", "CPU µs a word", "requests/s here"];
        print(&title, &head, &rows.collect::<Vec<_>>())?;
    }
    Ok(())
}

async fn run(case: &Case) -> Outcome<Done> {
    let pid = case.pid.ok_or("no process")?;
    let (before, begun) = (used(pid)?, Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let case = case.clone();
        tasks.spawn(async move {
            let (mut requests, mut words) = (0, 0);
            let mut line = Line::connect(&case).await?;
            while begun.elapsed() < TIME {
                let mut heard = Heard::default();
                line.ask(&case, case.request(), &mut heard).await?;
                requests += 1;
                words += heard.delays.len();
            }
            Ok::<(u32, usize), Failure>((requests, words))
        });
    }
    let (mut requests, mut words) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        let done = done??;
        requests += done.0;
        words += done.1;
    }
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), used(pid)?.seconds_since(before));
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    Ok(Done { requests: f64::from(requests), words: words as f64, wall, cpu })
}
