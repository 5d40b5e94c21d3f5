//! A conversation of tool rounds: over a socket, over HTTP with all of it sent again, over HTTP with what went before
//! named. The backend is `scripted`, so that only the gateway is measured.

use std::time::{Duration, Instant};

use responses::json::{Json, Object};

use crate::case::{Case, Wire, start_capstan};
use crate::child::used;
use crate::client::{Heard, Line};
use crate::table::{median, mention, print};
use crate::{Options, Outcome};

/// How many rounds a conversation has, and how many conversations are measured together: processor time is coarse.
const LENGTHS: [(usize, usize); 2] = [(20, 20), (200, 2)];

/// Instructions and tools, sent with every request.
const TOOLS: usize = 24;

/// What is said before the rounds begin.
const CONTEXT_BYTES: usize = 100_000;

/// What a tool answers.
const OUTPUT_BYTES: usize = 2000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Socket,
    Resend,
    Previous,
}

impl Way {
    const ALL: [Self; 3] = [Self::Socket, Self::Resend, Self::Previous];

    fn name(self) -> &'static str {
        match self {
            Self::Socket => "WebSocket",
            Self::Resend => "HTTP, all sent again",
            Self::Previous => "HTTP, previous_response_id",
        }
    }
}

/// What conversations took, each.
struct Taken {
    megabytes: f64,
    cpu: f64,
    first: f64,
    last: f64,
    wall: f64,
}

pub(crate) async fn measure(options: &Options) -> Outcome<()> {
    let program = options.capstan.as_ref().ok_or("set --capstan: this part measures nothing else")?;
    let (capstan, _folder) = start_capstan(program).await?;
    let mut rows = Vec::new();
    for (rounds, conversations) in LENGTHS {
        let mut taken: [Vec<Taken>; 3] = Default::default();
        for run in 0..=options.runs {
            mention(&format!("{rounds} rounds: run {run} of {}, 0 is to warm up", options.runs))?;
            for (way, taken) in Way::ALL.into_iter().zip(&mut taken) {
                let wire = if way == Way::Socket { Wire::Socket } else { Wire::Responses };
                let case = Case::new("capstan", capstan.address, wire, "scripted", Some(capstan.pid));
                let one = converse(&case, way, rounds, conversations).await?;
                if run > 0 {
                    taken.push(one);
                }
            }
        }
        for (way, taken) in Way::ALL.into_iter().zip(&taken) {
            let middle = |field: fn(&Taken) -> f64| median(&taken.iter().map(field).collect::<Vec<_>>());
            rows.push(vec![
                rounds.to_string(),
                way.name().to_owned(),
                format!("{:.2}", middle(|t| t.megabytes)),
                format!("{:.0}", middle(|t| t.cpu * 1e3)),
                format!("{:.2}", middle(|t| t.first)),
                format!("{:.2}", middle(|t| t.last)),
                format!("{:.2}", middle(|t| t.wall)),
            ]);
        }
    }
    let head = ["rounds", "way", "MB in", "CPU, ms", "first event, ms", "in the last tenth", "whole, s"];
    let title = format!("One conversation with the scripted backend; medians of {} runs", options.runs);
    print(&title, &head, &rows)
}

async fn converse(case: &Case, way: Way, rounds: usize, conversations: usize) -> Outcome<Taken> {
    let pid = case.pid.ok_or("no process")?;
    let (before, begun) = (used(pid)?, Instant::now());
    let (mut bytes, mut firsts, mut lasts) = (0, Vec::new(), Vec::new());
    for _ in 0..conversations {
        let mut talk = Talk::begin(case, way, rounds).await?;
        for round in 0..=rounds {
            let first = talk.turn(case, round < rounds).await?.as_secs_f64() * 1e3;
            firsts.push(first);
            if round * 10 >= rounds * 9 {
                lasts.push(first);
            }
        }
        bytes += talk.bytes;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts and bytes of a measurement")]
    let (each, bytes) = (conversations as f64, bytes as f64);
    Ok(Taken {
        megabytes: bytes / each / 1e6,
        cpu: used(pid)?.seconds_since(before) / each,
        first: median(&firsts),
        last: median(&lasts),
        wall: begun.elapsed().as_secs_f64() / each,
    })
}

struct Talk {
    line: Line,
    way: Way,
    settings: String,
    previous: Option<String>,
    /// What is to be sent next: all of it, or what is new.
    input: Vec<String>,
    bytes: usize,
}

impl Talk {
    async fn begin(case: &Case, way: Way, rounds: usize) -> Outcome<Self> {
        let said = |text: &str| format!(r#"{{"type":"message","role":"user","content":{}}}"#, Json::of(&text).text());
        let input = vec![said(&prose(CONTEXT_BYTES)), said(&format!("rounds {rounds} tool"))];
        Ok(Self { line: Line::connect(case).await?, way, settings: settings(way), previous: None, input, bytes: 0 })
    }

    /// One request and its answer; gives how long the first event took.
    async fn turn(&mut self, case: &Case, expects_call: bool) -> Outcome<Duration> {
        let previous = self.previous.as_ref().map(|id| format!(r#","previous_response_id":"{id}""#));
        let input = self.input.join(",");
        let request = format!("{{{}{},\"input\":[{input}]}}", self.settings, previous.unwrap_or_default());
        self.bytes += request.len();
        let mut heard = Heard { kept: Some(Vec::new()), ..Heard::default() };
        self.line.ask(case, request, &mut heard).await?;
        if self.way != Way::Resend {
            self.input.clear();
        }
        let mut has_called = false;
        for event in heard.kept.iter().flatten() {
            if event.contains("\"response.created\"") {
                let response = field(event, "response")?;
                self.previous = (self.way != Way::Resend).then_some(string(&response, "id")?);
            } else if event.contains("\"response.output_item.done\"") {
                let item = field(event, "item")?;
                if self.way == Way::Resend {
                    self.input.push(item.clone());
                }
                if item.contains("\"function_call\"") {
                    has_called = true;
                    let (call, output) = (string(&item, "call_id")?, prose(OUTPUT_BYTES));
                    let output = format!(r#"{{"type":"function_call_output","call_id":"{call}","output":"{output}"}}"#);
                    self.input.push(output);
                }
            }
        }
        if has_called == expects_call { Ok(heard.first) } else { Err("the script went another way".into()) }
    }
}

fn field(object: &str, key: &str) -> Outcome<String> {
    Ok(Object::parse(object)?.get(key).ok_or("a field is missing")?.to_owned())
}

fn string(object: &str, key: &str) -> Outcome<String> {
    Ok(field(object, key)?.trim_matches('"').to_owned())
}

fn prose(bytes: usize) -> String {
    "the file says what follows from it and what does not ".chars().cycle().take(bytes).collect()
}

/// Everything but the input and what it goes on from.
fn settings(way: Way) -> String {
    let tools = (0..TOOLS).map(|at| {
        let description = prose(500);
        let schema = r#"{"type":"object","properties":{"round":{"type":"integer","description":"which"}}}"#;
        format!(r#"{{"type":"function","name":"tool{at}","description":"{description}","parameters":{schema}}}"#)
    });
    let tools = tools.collect::<Vec<_>>().join(",");
    let (head, store) = match way {
        Way::Socket => (r#""type":"response.create","#, false),
        Way::Resend => (r#""stream":true,"#, false),
        Way::Previous => (r#""stream":true,"#, true),
    };
    let instructions = prose(TOOLS * 300);
    format!(r#"{head}"model":"scripted","store":{store},"instructions":"{instructions}","tools":[{tools}]"#)
}
