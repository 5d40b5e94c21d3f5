//! Commands, in the order in which they may run.

use super::{Folders, Stdin, Walk};
use crate::command::MAX_VALUES;
use crate::command::field::{Field, Rest};
use crate::command::syntax::{Command, Entry, Kind, Link, Pipeline, Script, Word};

impl Walk<'_> {
    pub(super) fn script(&mut self, script: &Script) {
        for entry in &script.0 {
            if entry.background {
                self.scoped(|walk| walk.entry(entry));
            } else {
                self.entry(entry);
            }
        }
    }

    /// After `&&` what came before succeeded; otherwise it may not have, and the folder may be any there was.
    fn entry(&mut self, entry: &Entry) {
        let mut all = self.folders.clone();
        self.pipeline(&entry.first);
        all = all.with(&self.folders);
        for (link, pipeline) in &entry.rest {
            match link {
                Link::And => {}
                Link::Or => self.folders = all.clone(),
            }
            self.pipeline(pipeline);
            all = all.with(&self.folders);
        }
        self.folders = all;
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        if let [only] = pipeline.0.as_slice() {
            self.command(only);
            return;
        }
        let before = self.stdin.clone();
        for command in &pipeline.0 {
            // The last command may run in the shell itself.
            self.branch(|walk| walk.command(command));
            self.stdin = if self.lists_names(command) { Stdin::Names } else { Stdin::Given };
        }
        self.stdin = before;
    }

    /// Whether it puts out names of its folder only: `ls` of words without a slash, with options that add nothing to names.
    fn lists_names(&self, command: &Command) -> bool {
        let Kind::Simple { assigns, words } = &command.kind else { return false };
        let Some((program, rest)) = words.split_first() else { return false };
        let plain = |word: &Word| {
            let text = word.bare().unwrap_or("/");
            let option =
                text.strip_prefix('-').is_none_or(|letters| letters.chars().all(|letter| "1AcdrStuU".contains(letter)));
            option && !text.contains(['/', '~', '{', '=']) && !text.starts_with('.')
        };
        let is_ls = program.bare() == Some("ls") && !self.functions.contains_key("ls");
        is_ls && assigns.is_empty() && command.redirects.is_empty() && rest.iter().all(plain)
    }

    /// Something that may run or not, or not in this shell.
    pub(super) fn branch(&mut self, go: impl FnOnce(&mut Self)) {
        let before = self.folders.clone();
        go(self);
        self.folders = before.with(&self.folders);
    }

    pub(super) fn command(&mut self, command: &Command) {
        if !self.charge(64) {
            return;
        }
        let before = self.stdin.clone();
        if !command.redirects.is_empty() {
            self.redirects(&command.redirects);
        }
        match &command.kind {
            Kind::Simple { assigns, words } => self.simple(assigns, words),
            kind => self.deeper(|walk| walk.compound(kind)),
        }
        self.stdin = before;
    }

    fn compound(&mut self, kind: &Kind) {
        match kind {
            Kind::Simple { assigns, words } => self.simple(assigns, words),
            Kind::Subshell(script) => self.scoped(|walk| walk.script(script)),
            Kind::Group(script) => self.script(script),
            Kind::If(scripts) => {
                for script in scripts {
                    self.branch(|walk| walk.script(script));
                }
            }
            Kind::While { head, body } => self.repeated(|walk| {
                walk.script(head);
                walk.branch(|walk| walk.script(body));
            }),
            Kind::For { name, words, chosen, body } => {
                let values: Vec<_> = words.iter().flat_map(|word| self.fields(word)).collect();
                self.each(name, if *chosen { &[] } else { &values }, body);
            }
            Kind::Count { head, body } => {
                self.arithmetic(&head.parts);
                self.repeated(|walk| walk.script(body));
            }
            Kind::Case { words, arms } => {
                for word in words {
                    self.parts(&word.parts);
                }
                for arm in arms {
                    self.branch(|walk| walk.script(arm));
                }
            }
            Kind::Function { name, .. } => self.defined(name),
            Kind::Test(words) => self.test(words),
            Kind::Arithmetic(word) => self.arithmetic(&word.parts),
        }
    }

    /// A loop over values, in which its variable is known if they are and nothing else sets it; no values are any.
    fn each(&mut self, name: &str, values: &[Field], body: &Script) {
        let is_number = |value: &Field| value.text().is_some_and(|text| text.parse::<i64>().is_ok());
        let numbers = !values.is_empty() && values.iter().all(is_number);
        self.noted(name, numbers.then_some("0"));
        let few = (1..=MAX_VALUES).contains(&values.len()) && values.iter().all(|value| value.rest != Rest::Unknown);
        if few && !self.names.assigned.contains(name) {
            self.repeated(|walk| {
                for value in values {
                    walk.names.bound.insert(name.to_owned(), value.clone());
                    walk.branch(|walk| walk.script(body));
                }
            });
        }
        // Afterwards, and where something in the loop sets it, it may be anything.
        self.names.bound.remove(name);
        if !few || self.names.assigned.contains(name) {
            self.repeated(|walk| walk.script(body));
        }
    }

    /// A function changes what its name means, also for those that do not see it here.
    fn defined(&mut self, name: &str) {
        if matches!(name, "cd" | "pushd" | "popd" | "command" | "builtin" | "exec" | "eval" | "set") {
            self.unclear(name, "a command of the shell is defined anew");
        }
    }

    /// Something that runs any number of times: from the second on it begins where it ended.
    fn repeated(&mut self, go: impl Fn(&mut Self)) {
        let before = self.folders.clone();
        self.branch(&go);
        if self.folders != before {
            self.folders = Folders::any();
            go(self);
            self.folders = Folders::any();
        }
    }

    /// `[[ … ]]`: numbers are compared by arithmetic, which runs what is in subscripts.
    fn test(&mut self, words: &[Word]) {
        const COMPUTING: [&str; 7] = ["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v"];
        let computes = words.iter().any(|word| word.bare().is_some_and(|text| COMPUTING.contains(&text)));
        for word in words {
            if computes {
                self.arithmetic(&word.parts);
            } else {
                self.parts(&word.parts);
            }
        }
    }
}
