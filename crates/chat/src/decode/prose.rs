//! What models write into their text where servers have fields: thoughts, and calls.
//!
//! A [`Reader`] takes text in pieces and says what each part of it is. What comes out depends on the text alone, never
//! on where it was cut into pieces. It holds back only what may still become something else: the beginning of a mark,
//! a call that is not whole, white space before the first word. What does not become a call is prose, byte for byte,
//! but for white space beside thoughts and calls.
//!
//! - A call counts only where the request offers a tool of its name, and where its arguments are a JSON object.
//! - A call inside thoughts is a thought.
//! - Thoughts begin with a tag at the beginning of a line, outside of code. Of a model that is known to begin inside
//!   thoughts, because its template opens them ([`Reading::begins_in_thought`]), everything up to the closing tag is
//!   one; if none comes, it was the answer, and is said once more as such.

mod body;
mod forms;
mod lines;
mod python;
mod scan;

pub(super) use body::Written;
use body::{Body, BodyReader, Read};
use forms::{Ends, FORMS, Form, Head, Opens, Place};
use lines::{Lines, Sight};

use crate::request::{Names, Reading};

/// How much white space may wait for a first word.
const MAX_BLANK: usize = 4096;

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Prose(String),
    Thought(String),
    Call(Written),
}

/// Tells the parts of a text from each other.
pub(super) struct Reader {
    reading: Reading,
    /// What is not decided about.
    held: String,
    before: Before,
    lines: Lines,
    state: State,
    /// Whether the model writes channels.
    has_channels: bool,
    /// What was taken for thoughts because of the model's name, all of it, until a tag says that it was.
    guessed: Option<String>,
    said: Vec<Said>,
}

/// What is before the text that is held.
#[derive(Clone, Copy)]
enum Before {
    /// Nothing that matters.
    Nothing,
    /// A thought, or a call in this form.
    Part(Option<usize>),
    Prose,
}

enum State {
    Prose,
    /// Where the thought ends, and whether it has begun.
    Thought(Ends, bool),
    Trying(Attempt),
}

/// Text from a mark on that may be a call.
struct Attempt {
    /// Where the mark is.
    at: usize,
    /// Which of the forms it may be.
    form: usize,
    sight: Sight,
    body: Option<BodyReader>,
}

/// What is in sight: the first mark, or what may become one.
enum Seen {
    Mark(usize, usize, Sight),
    Perhaps(usize),
    Nothing,
}

impl Reader {
    pub(super) fn new(reading: Reading) -> Self {
        Self {
            reading,
            held: String::new(),
            before: Before::Nothing,
            lines: Lines::default(),
            state: State::Prose,
            has_channels: false,
            guessed: None,
            said: Vec::new(),
        }
    }

    /// Takes more of the text.
    pub(super) fn push(&mut self, text: &str, names: &Names) {
        self.held.push_str(text);
        while self.step(names, false) {}
    }

    /// The text has ended. If it was cut off, nobody knows whether thoughts would have ended too.
    pub(super) fn end(&mut self, is_cut: bool, names: &Names) {
        while self.step(names, true) {}
        if let Some(answer) = self.guessed.take().filter(|_| !is_cut) {
            self.restart();
            self.reading.begins_in_thought = false;
            self.held = answer;
            while self.step(names, true) {}
        }
    }

    /// The server says something in a field of its own. One that does so with thoughts leaves none in the text, and
    /// one that does so with calls leaves none there either.
    pub(super) fn interrupt(&mut self, has_call: bool, names: &Names) {
        self.reading.calls &= !has_call;
        while self.step(names, true) {}
        self.guessed = None;
        self.restart();
        self.reading.begins_in_thought = false;
    }

    /// What was found out.
    pub(super) fn take(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    /// Whether something is held back that is more than thoughts.
    pub(super) fn holds_answer(&self) -> bool {
        match self.state {
            State::Prose | State::Trying(_) => !self.held.trim().is_empty(),
            State::Thought(..) => self.guessed.is_some(),
        }
    }

    fn restart(&mut self) {
        (self.state, self.before) = (State::Prose, Before::Nothing);
    }

    /// Decides about some of the text; whether there may be more to decide.
    fn step(&mut self, names: &Names, is_end: bool) -> bool {
        match std::mem::replace(&mut self.state, State::Prose) {
            State::Prose => self.step_in_prose(is_end),
            State::Thought(ends, has_begun) => self.step_in_thought(ends, has_begun, is_end),
            State::Trying(attempt) => self.step_in_attempt(attempt, names, is_end),
        }
    }

    fn step_in_prose(&mut self, is_end: bool) -> bool {
        let is_first = !matches!(self.before, Before::Prose);
        if matches!(self.before, Before::Part(_)) {
            self.held.drain(..blank(&self.held));
        }
        let blank = if is_first { blank(&self.held) } else { 0 };
        if blank > MAX_BLANK {
            self.say_prose(blank);
            return true;
        }
        if blank == self.held.len() {
            if is_end {
                self.held.clear();
            }
            return false;
        }
        if let Before::Part(Some(form)) = self.before
            && let Some(may_go_on) = self.after_call(form, is_end)
        {
            return may_go_on;
        }
        let seen = self.look(blank, is_first, is_end);
        if self.reading.begins_in_thought && is_first {
            if matches!(seen, Seen::Perhaps(at) if at == blank) {
                return false;
            }
            self.reading.begins_in_thought = false;
            let opens = |form: usize| FORMS.get(form).is_some_and(|form| !form.opens.is_for_calls());
            if !matches!(seen, Seen::Mark(at, form, _) if at == blank && opens(form)) {
                self.guessed = Some(String::new());
                self.state = State::Thought(Ends::Tags, false);
                return true;
            }
        }
        match seen {
            Seen::Mark(at, form, sight) => {
                // White space before the mark waits for what it turns out to be.
                let at = if is_first && at == blank { at } else { self.say_prose(at) };
                self.state = State::Trying(Attempt { at, form, sight, body: None });
                true
            }
            Seen::Perhaps(at) => {
                if !(is_first && at == blank) {
                    self.say_prose(at);
                }
                false
            }
            Seen::Nothing => {
                self.say_prose(self.held.len());
                false
            }
        }
    }

    /// What belongs to a call that was just read: its closing mark, or another call under the same mark. Whether to go
    /// on, if this is decided here.
    fn after_call(&mut self, at: usize, is_end: bool) -> Option<bool> {
        let (form, text) = (FORMS.get(at)?, self.held.as_str());
        if let Some(closer) = form.closers.iter().find(|closer| text.starts_with(**closer)) {
            self.held.drain(..closer.len());
            return Some(true);
        }
        if form.closers.iter().any(|closer| closer.starts_with(text)) {
            if is_end {
                self.held.clear();
            }
            return Some(false);
        }
        if !form.opens.repeats() {
            return None;
        }
        let next = text.strip_prefix([';', ',']).unwrap_or(text).trim_start();
        if next.is_empty() && !is_end {
            return Some(false);
        }
        let body = next.starts_with('{').then(|| BodyReader::new(Body::Calls, 0))?;
        let (at, form) = (text.len() - next.len(), at);
        self.state = State::Trying(Attempt { at, form, sight: Sight::default(), body: Some(body) });
        Some(true)
    }

    fn look(&self, from: usize, is_first: bool, is_end: bool) -> Seen {
        let mut lines = self.lines.clone();
        lines.pass(self.held.get(..from).unwrap_or_default());
        let text = self.held.get(from..).unwrap_or_default();
        for (at, sign) in text.char_indices() {
            if matches!(sign, '<' | '[' | '{' | '`') {
                let sight = lines.sight(is_first && at == 0);
                let rest = text.get(at..).unwrap_or_default();
                let could_be = |form: &Form| form.mark.len() > rest.len() && form.mark.starts_with(rest);
                if !is_end && FORMS.iter().any(|form| self.expects(form, sight) && could_be(form)) {
                    return Seen::Perhaps(from + at);
                }
                if let Some(form) = self.form_of(rest, sight, 0) {
                    return Seen::Mark(from + at, form, sight);
                }
            }
            lines.pass_sign(sign);
        }
        Seen::Nothing
    }

    /// The first form, from one on, of which the mark is at the beginning of the text.
    fn form_of(&self, text: &str, sight: Sight, from: usize) -> Option<usize> {
        let mut forms = FORMS.iter().enumerate().skip(from);
        forms.find(|(_, form)| self.expects(form, sight) && text.starts_with(form.mark)).map(|(at, _)| at)
    }

    /// Whether a mark means anything where it is.
    fn expects(&self, form: &Form, sight: Sight) -> bool {
        let is_there = match form.place {
            Place::Anywhere => true,
            Place::Line => sight.begins_line && !sight.is_code,
            Place::Message => sight.begins_message,
            Place::Channels => self.has_channels,
        };
        let Reading { calls, bare_calls, .. } = self.reading;
        let is_meant = !form.opens.is_for_calls() || (calls && (bare_calls || !form.opens.needs_bare_calls()));
        is_there && is_meant
    }

    fn step_in_attempt(&mut self, mut attempt: Attempt, names: &Names, is_end: bool) -> bool {
        let text = self.held.get(attempt.at..).unwrap_or_default();
        let form = FORMS.get(attempt.form).filter(|form| self.reading.calls || !form.opens.is_for_calls());
        let Some(form) = form else { return self.give_up(&attempt) };
        let mut head = Head::Not;
        if attempt.body.is_none() {
            let none = Names::default();
            head = form.head(text, if self.reading.calls { names } else { &none });
            if let Head::Calls(from, body) = &head {
                attempt.body = Some(BodyReader::new(body.clone(), *from));
            }
        }
        let read = attempt.body.as_mut().map(|body| body.read(text, names, is_end));
        match (read, head) {
            (Some(Read::Calls(end, calls)), _) => {
                self.said.extend(calls.into_iter().map(Said::Call));
                self.pass(attempt.at + end, Some(attempt.form));
            }
            (Some(Read::More), _) | (None, Head::More) if !is_end => {
                self.state = State::Trying(attempt);
                return false;
            }
            (None, Head::Thought(from, ends)) => {
                self.has_channels |= ends == Ends::Channel;
                self.pass(attempt.at + from, None);
                self.state = State::Thought(ends, false);
            }
            (None, Head::Speech(from) | Head::Nothing(from)) => {
                self.has_channels |= form.opens == Opens::Channel;
                self.pass(attempt.at + from, None);
            }
            // The end of it is missing, and of all that may have begun in it.
            (Some(Read::More), _) => {
                self.say_prose(self.held.len());
            }
            (None, Head::Prose(end)) => {
                self.say_prose(attempt.at + end);
            }
            _ => return self.give_up(&attempt),
        }
        true
    }

    /// It is not what it seemed to be: something else, or prose.
    fn give_up(&mut self, attempt: &Attempt) -> bool {
        let text = self.held.get(attempt.at..).unwrap_or_default();
        match self.form_of(text, attempt.sight, attempt.form.saturating_add(1)) {
            Some(form) => self.state = State::Trying(Attempt { form, body: None, ..*attempt }),
            None => {
                let first = text.chars().next().map_or(0, char::len_utf8);
                self.say_prose(attempt.at + first);
            }
        }
        true
    }

    fn step_in_thought(&mut self, ends: Ends, has_begun: bool, is_end: bool) -> bool {
        let (upto, end) = first_end(&self.held, ends, is_end);
        let thought: String = self.held.drain(..upto).collect();
        if let Some(guessed) = &mut self.guessed {
            guessed.push_str(&thought);
        }
        let thought = if has_begun { &thought } else { thought.trim_start() };
        let has_begun = has_begun || !thought.is_empty();
        if !thought.is_empty() {
            self.say(Said::Thought(thought.to_owned()));
        }
        match end {
            Some(mark) => {
                self.guessed = None;
                self.pass(mark, None);
            }
            None => self.state = State::Thought(ends, has_begun),
        }
        end.is_some()
    }

    /// Goes past something that is not prose.
    fn pass(&mut self, upto: usize, form: Option<usize>) {
        self.held.drain(..upto);
        self.lines.end_line();
        self.before = Before::Part(form);
    }

    /// Says the beginning of what is held. What is left begins at zero.
    fn say_prose(&mut self, upto: usize) -> usize {
        let text: String = self.held.drain(..upto).collect();
        self.lines.pass(&text);
        let text = if matches!(self.before, Before::Part(_)) { text.trim_start() } else { &text };
        if !text.is_empty() {
            self.before = Before::Prose;
            self.say(Said::Prose(text.to_owned()));
        }
        0
    }

    fn say(&mut self, said: Said) {
        match (self.said.last_mut(), said) {
            (Some(Said::Prose(whole)), Said::Prose(more)) | (Some(Said::Thought(whole)), Said::Thought(more)) => {
                whole.push_str(&more);
            }
            (_, said) => self.said.push(said),
        }
    }
}

/// Where the thought ends, and how long the mark is that ends it, if that is there.
fn first_end(text: &str, ends: Ends, is_end: bool) -> (usize, Option<usize>) {
    for (at, _) in text.match_indices(['<', '[']) {
        let rest = text.get(at..).unwrap_or_default();
        if let Some(end) = ends.marks().iter().find(|end| rest.starts_with(end.mark)) {
            return (at, Some(if end.is_kept { 0 } else { end.mark.len() }));
        }
        if !is_end && ends.marks().iter().any(|end| end.mark.starts_with(rest)) {
            return (at, None);
        }
    }
    (text.len(), None)
}

/// How much white space it begins with.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
