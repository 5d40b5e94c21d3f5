//! The log as a table, one act a row.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use clap::Args;
use journal::audit::entry::{Case, Entry, Recorded, Who};
use journal::disk::Machine;
use journal::log::{Found, Reader};
use responses::json::ObjectWriter;

use crate::time;

const HEADS: [&str; 7] = ["record", "time", "who", "what", "on", "by", "outcome"];

/// The widest that a cell is. What is left out shows `--json`.
const WIDEST: usize = 60;

/// The most that is shown.
const MOST: u32 = 10_000;

#[derive(Args)]
pub(super) struct Show {
    /// Only what was done in this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only what was done, asked or answered by this one
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// How much is shown: the last so many acts, or with --json the last so many records
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
    last: u32,
    /// Print the records as they are, one JSON object a line
    #[arg(long)]
    json: bool,
}

/// An act, or something else that was written down.
struct Row {
    /// With --json all of it.
    json: String,
    cells: [String; 7],
}

/// What is shown of a log so far.
struct Shown<'a> {
    show: &'a Show,
    most: usize,
    rows: VecDeque<Row>,
    /// The rows of acts that have not ended, counted from the first row of all.
    open: HashMap<String, usize>,
    gone: usize,
}

impl Show {
    pub(super) fn run(&self, folder: &Path) -> anyhow::Result<String> {
        let mut reader = Reader::open(&Machine, &folder.join("log"))?;
        let most = usize::try_from(self.last).unwrap_or(usize::MAX);
        let mut shown = Shown { show: self, most, rows: VecDeque::new(), open: HashMap::new(), gone: 0 };
        let mut damaged = false;
        while let Some(found) = reader.next()? {
            match found {
                Found::Line(line) => shown.take(line.seq, line.body),
                Found::Damage(_) => damaged = true,
            }
        }
        let mut text = if self.json { shown.json() } else { shown.table() };
        if damaged && !self.json {
            text.push_str("the log is damaged, and what could not be read is not here: see `capstan audit verify`\n");
        }
        Ok(text)
    }

    fn wants(&self, session: Option<&str>, actors: &[&Who<'_>]) -> bool {
        let of_session = self.session.as_deref().is_none_or(|wanted| session == Some(wanted));
        of_session && self.actor.as_deref().is_none_or(|wanted| actors.iter().any(|who| who.name == wanted))
    }
}

impl Shown<'_> {
    fn take(&mut self, number: u64, body: &str) {
        let Ok(Recorded { at, entry }) = Recorded::read(body) else {
            return self.add(number, 0, ["", "unknown", "", "", ""].map(str::to_owned), body);
        };
        let who = |who: &Who<'_>| who.name.to_string();
        let cells = match &entry {
            Entry::Begun(act, begun) => {
                let case = &begun.case;
                if !self.show.wants(Some(&case.session), &[&case.actor]) {
                    return;
                }
                self.open.insert(act.to_string(), self.gone + self.rows.len());
                [who(&case.actor), case.what.to_string(), case.on.to_string(), begun.by.join("; "), "open".to_owned()]
            }
            Entry::Ended(act, ended) => {
                let Some(index) = self.open.remove(&**act) else { return };
                if self.show.json {
                    self.add(number, at, [const { String::new() }; 5], body);
                } else if let Some(row) = index.checked_sub(self.gone).and_then(|index| self.rows.get_mut(index)) {
                    let [.., outcome] = &mut row.cells;
                    *outcome = cell(&ended.outcome);
                }
                return;
            }
            Entry::Asked(asked) => {
                if !self.show.wants(Some(&asked.case.session), &[&asked.case.actor]) {
                    return;
                }
                let Case { actor, what, on, .. } = &asked.case;
                [who(actor), what.to_string(), on.to_string(), asked.by.join("; "), "asked".to_owned()]
            }
            Entry::Answered(answered) => {
                let Case { session, actor, what, on, .. } = &answered.case;
                if !self.show.wants(Some(session), &[actor, &answered.answerer]) {
                    return;
                }
                let why = answered.unheard.as_ref().unwrap_or(&answered.reason);
                let outcome = if answered.unheard.is_some() { "unheard" } else { &answered.said };
                [who(&answered.answerer), what.to_string(), on.to_string(), why.to_string(), outcome.to_owned()]
            }
            other => match self.beside(other) {
                Some(cells) => cells,
                None => return,
            },
        };
        self.add(number, at, cells, body);
    }

    /// What is no act.
    fn beside(&self, entry: &Entry<'_>) -> Option<[String; 5]> {
        let kind = entry.kind().to_owned();
        let none = String::new;
        let (wanted, cells) = match entry {
            Entry::Granted(granted) => {
                let by = granted.grant.to_string();
                (
                    self.show.wants(None, &[&granted.actor]),
                    [granted.actor.name.to_string(), "grant".to_owned(), granted.on.to_string(), by, kind],
                )
            }
            Entry::Revoked(revoked) => {
                let by = revoked.grant.to_string();
                (
                    self.show.wants(None, &[&revoked.actor]),
                    [revoked.actor.name.to_string(), "grant".to_owned(), none(), by, kind],
                )
            }
            Entry::Session(session) => {
                let on = format!("{}: {} records", session.id, session.records);
                (
                    self.show.wants(Some(&session.id), &[]),
                    [none(), "session".to_owned(), on, none(), "anchored".to_owned()],
                )
            }
            Entry::Opened(opened) => {
                let on = format!("capstan {} on {}, process {}", opened.version, opened.host, opened.pid);
                (self.show.wants(None, &[]), [none(), "log".to_owned(), on, none(), kind])
            }
            Entry::Torn(torn) => {
                let on = format!("{} bytes at the end of {}", torn.bytes, torn.file);
                (self.show.wants(None, &[]), [none(), "log".to_owned(), on, none(), kind])
            }
            _ => (self.show.wants(None, &[]), [none(), kind, none(), none(), none()]),
        };
        wanted.then_some(cells)
    }

    fn add(&mut self, number: u64, at: u64, cells: [String; 5], body: &str) {
        let row = if self.show.json {
            let mut text = String::new();
            let mut object = ObjectWriter::begin(&mut text);
            object.field("record", &number).raw("entry", body);
            object.end();
            Row { json: text, cells: [const { String::new() }; 7] }
        } else {
            let [who, what, on, by, outcome] = cells.map(|text| cell(&text));
            Row { json: String::new(), cells: [number.to_string(), moment(at), who, what, on, by, outcome] }
        };
        self.rows.push_back(row);
        if self.rows.len() > self.most {
            self.rows.pop_front();
            self.gone += 1;
        }
    }

    fn json(&self) -> String {
        self.rows.iter().flat_map(|row| [row.json.as_str(), "\n"]).collect()
    }

    fn table(&self) -> String {
        let heads = HEADS.map(str::to_owned);
        let rows: Vec<_> = std::iter::once(&heads).chain(self.rows.iter().map(|row| &row.cells)).collect();
        let mut widths = [0; 7];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(*row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let line = |row: &[String; 7]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        rows.into_iter().map(line).collect()
    }
}

/// What fits into a cell.
fn cell(text: &str) -> String {
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => plain(text.get(..end).unwrap_or_default()) + "…",
        None => plain(text),
    }
}

/// One line without anything that does something to a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// A moment to the second.
pub(super) fn moment(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let minute = time::shown(seconds);
    format!("{}:{:02}Z", minute.trim_end_matches('Z'), seconds % 60)
}
