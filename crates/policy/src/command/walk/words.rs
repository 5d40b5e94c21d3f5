//! Words, assignments and redirections: what is in them runs before the program does.

use super::{Stdin, Walk};
use crate::command::expand;
use crate::command::field::Field;
use crate::command::programs::normal_host;
use crate::command::syntax::{Aim, Assign, Does, Part, Redirect, Variable, Word};
use crate::command::variables;
use crate::effects::{Target, is_this_machine};
use crate::place::{Path, Place};

impl Walk<'_> {
    pub(super) fn simple(&mut self, assigns: &[Assign], words: &[Word]) {
        let fields: Vec<Field> = words.iter().flat_map(|word| self.fields(word)).collect();
        let before = self.handed.clone();
        for assign in assigns {
            self.assign(assign, !words.is_empty());
        }
        self.program(&fields);
        if !assigns.is_empty() {
            self.handed = before;
        }
    }

    fn assign(&mut self, assign: &Assign, handed: bool) {
        let mut value = None;
        for word in &assign.values {
            self.parts(&word.parts);
            // `([x]=1)`: what is in the brackets is computed.
            if !assign.plain && matches!(word.parts.first(), Some(Part::Bare(text)) if text.starts_with('[')) {
                self.arithmetic(&word.parts);
            }
            value = Some(self.single(word));
        }
        let value = value.filter(|_| assign.plain);
        if handed {
            self.hand(&assign.name, value.as_ref());
        } else {
            self.set(&assign.name, value.as_ref());
        }
    }

    fn set(&mut self, name: &str, value: Option<&Field>) {
        if name == "CARGO_TARGET_DIR" {
            match value {
                Some(value) => self.write(value, true),
                None => self.unclear(name, "where a build goes is known only when it runs"),
            }
        }
        self.variable(name, value.and_then(Field::text));
    }

    /// A variable that programs get, with this value if it is known.
    pub(crate) fn hand(&mut self, name: &str, value: Option<&Field>) {
        self.set(name, value);
        let text = value.and_then(Field::text);
        let switch = text.is_some_and(|text| variables::is_switch(name, text));
        if !switch && !variables::is_harmless(name, text) && !variables::is_powerful(name, text) {
            self.handed.insert(name.to_owned());
        }
    }

    /// A variable that was set before is given to programs.
    pub(crate) fn handed_on(&mut self, name: &str) {
        if !variables::is_harmless(name, None) && name != "PATH" {
            self.handed.insert(name.to_owned());
        }
    }

    /// A variable is set, to this if it is known.
    pub(crate) fn variable(&mut self, name: &str, value: Option<&str>) {
        self.unbind(name);
        self.noted(name, value);
    }

    /// What a loop gave to a variable is no longer surely its value.
    fn unbind(&mut self, name: &str) {
        self.names.bound.remove(name);
        self.names.assigned.insert(name.to_owned());
    }

    /// What it means that a variable has this value.
    pub(super) fn noted(&mut self, name: &str, value: Option<&str>) {
        if variables::is_powerful(name, value) {
            self.unclear(name, "this variable changes what is run or what is meant");
        }
        if value.is_none_or(|value| value.parse::<i64>().is_err()) {
            self.names.texts.insert(name.to_owned());
        }
    }

    /// What programs get of a word; what is substituted in it is gone through.
    pub(super) fn fields(&mut self, word: &Word) -> Vec<Field> {
        self.parts(&word.parts);
        let home = self.around.home.as_str();
        match expand::fields(word, home, |variable| self.known(variable)) {
            Ok(fields) => {
                self.charge(fields.iter().map(|field| 64 + field.start.len()).sum());
                fields
            }
            Err(why) => {
                self.unclear(&word.written, why);
                vec![Field::unknown(&word.written)]
            }
        }
    }

    fn single(&self, word: &Word) -> Field {
        expand::single(word, self.around.home.as_str(), |variable| self.known(variable))
    }

    /// The value of a variable: that of a loop, or one whose setting is unclear anyway. Without quotes it is taken apart,
    /// unless nothing in it means anything.
    fn known(&self, variable: &Variable) -> Option<Field> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+@".contains(letter);
        let is_plain = |value: &Field| value.text().is_some_and(|text| !text.is_empty() && text.chars().all(plain));
        if let Some(value) = self.names.bound.get(&variable.name) {
            return Some(value.clone()).filter(|value| variable.quoted || is_plain(value));
        }
        let path = match variable.name.as_str() {
            "HOME" => &self.around.home,
            "PWD" => self.folders.only()?,
            _ => return None,
        };
        Some(Field::fixed(path.as_str())).filter(is_plain)
    }

    /// Goes through the substitutions in a word.
    pub(super) fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            if !self.charge(16) {
                return;
            }
            match part {
                Part::Bare(text) | Part::Fixed(text) => {
                    self.charge(text.len());
                }
                Part::Command { script, .. } | Part::Process(script) => {
                    let before = self.stdin.clone();
                    self.scoped(|walk| walk.script(script));
                    self.stdin = before;
                }
                Part::Arithmetic(parts) => self.deeper(|walk| walk.arithmetic(parts)),
                Part::Variable(variable) => {
                    match variable.does {
                        Does::Plain | Does::Changes => {}
                        Does::Assigns => self.variable(&variable.name, None),
                        // Only the value of `${!x}` is computed with, of all else what stands after the name is.
                        Does::Computes if !variable.rest.is_empty() => {}
                        Does::Computes => {
                            self.names.computed.insert(variable.name.clone());
                        }
                    }
                    if variable.does == Does::Computes {
                        self.deeper(|walk| walk.arithmetic(&variable.rest));
                    } else {
                        self.deeper(|walk| walk.parts(&variable.rest));
                    }
                }
            }
        }
    }

    /// What is computed: the values of variables are texts of arithmetic themselves, and substitutions in those run.
    pub(crate) fn arithmetic(&mut self, parts: &[Part]) {
        self.parts(parts);
        for part in parts {
            match part {
                Part::Bare(text) | Part::Fixed(text) => {
                    if text.contains("$(") || text.contains('`') {
                        self.unclear(text, "arithmetic may run a substitution that is quoted here");
                    }
                    self.computes(text);
                }
                Part::Variable(variable) => {
                    self.names.computed.insert(variable.name.clone());
                }
                Part::Command { .. } => {
                    self.unclear("$(( $( … ) ))", "arithmetic may run what a substitution puts out");
                }
                Part::Arithmetic(_) | Part::Process(_) => {}
            }
        }
    }

    /// The variables in a text are computed with. Those that are set in it hold numbers.
    pub(crate) fn computes(&mut self, text: &str) {
        for name in variables::names(text) {
            self.names.computed.insert(name.to_owned());
            self.unbind(name);
            if variables::is_powerful(name, None) && text.contains(['=', '+', '-']) {
                self.unclear(name, "this variable changes what is run or what is meant");
            }
        }
    }

    pub(super) fn redirects(&mut self, redirects: &[Redirect]) {
        for redirect in redirects {
            self.parts(&redirect.word.parts);
            let word = self.single(&redirect.word);
            let feeds = redirect.stream.as_deref().is_none_or(|stream| stream.trim_start_matches('0').is_empty());
            match redirect.aim {
                Aim::Read => self.stream(&word, true, false),
                Aim::Both => self.stream(&word, true, true),
                Aim::CopyIn => self.copied(&word),
                Aim::CopyOut if is_stream(&word) => {}
                Aim::Write | Aim::CopyOut => self.stream(&word, false, true),
                Aim::Here => {}
            }
            if feeds {
                self.stdin = match (redirect.aim, word.text()) {
                    (Aim::Here, Some(text)) => Stdin::Text(text.to_owned()),
                    (Aim::Here | Aim::Read | Aim::Both | Aim::CopyIn, _) => Stdin::Given,
                    (Aim::Write | Aim::CopyOut, _) => self.stdin.clone(),
                };
            }
        }
    }

    fn copied(&mut self, word: &Field) {
        if !is_stream(word) {
            self.unclear(&word.written, "a stream that is known only when it runs");
        }
    }

    /// A file, or what bash takes for a host: `/dev/tcp/host/port`.
    fn stream(&mut self, word: &Field, reads: bool, writes: bool) {
        let path = Path::absolute(&word.start);
        let mut parts = path.as_str().split('/').skip(1);
        if let (Some("dev"), Some("tcp" | "udp")) = (parts.next(), parts.next()) {
            let fixed = word.text().is_some();
            let host = parts.next().filter(|host| fixed && !host.is_empty());
            let port = parts.next().and_then(|port| port.parse().ok()).filter(|_| fixed);
            self.reach(host, port);
            if host.map(normal_host).is_some_and(|host| is_this_machine(&host)) {
                self.unclear(&word.written, "what is sent there is not read here");
            }
            if !fixed {
                self.unclear(&word.written, "a host that is known only when it runs");
            }
            return;
        }
        if reads {
            self.read(word, false);
        }
        if writes {
            self.write(word, false);
        }
    }

    /// Whether all that a word may name is of the workspace and nobody's setting, and was there before this line.
    pub(crate) fn is_own_program(&self, word: &Field) -> bool {
        let made = |path: &Path| {
            self.made.iter().any(|target| match target {
                Target::Path { path: written, deep } => path == written || (*deep && path.is_in(written)),
                Target::Within(written) => written.may_touch(path),
                Target::Unknown(_) => true,
            })
        };
        let own = |path: &Path| self.around.place(path) == Place::Workspace && !made(path);
        self.targets(word, false).iter().all(|target| matches!(target, Target::Path { path, .. } if own(path)))
    }
}

/// `2`, `-`, `3-`: a stream that is open already, or none.
fn is_stream(word: &Field) -> bool {
    word.text().is_some_and(|text| {
        let number = text.strip_suffix('-').unwrap_or(text);
        text == "-" || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
