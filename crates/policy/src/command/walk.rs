//! Through the tree of a command line as a shell goes through it, writing down what happens.

mod commands;
mod folders;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::field::Field;
use super::parse::{Fault, parse};
use super::syntax::Command;
use super::{MAX_DEPTH, MAX_STEPS, MAX_WORDS, MAX_WORK, programs};
use crate::effects::{Effects, Nature, Reach, Run, Target};
use crate::place::{Path, Surroundings};

pub(crate) use folders::Folders;

/// What a command finds on its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// What the shell itself was given.
    Inherited,
    /// The output of another command, or a file.
    Given,
    /// Names in the folder of the command, and nothing with a slash in it.
    Names,
    /// This text.
    Text(String),
}

/// A walk, and what was found on it.
pub(crate) struct Walk<'around> {
    pub(crate) around: &'around Surroundings,
    effects: Effects,
    /// What has another content than before the line.
    made: BTreeSet<Target>,
    seen: Seen,
    pub(crate) folders: Folders,
    functions: BTreeMap<String, Vec<Rc<Command>>>,
    /// The functions that are being gone through.
    calls: Vec<String>,
    depth: usize,
    steps: usize,
    /// What was gone through, in letters.
    work: usize,
    /// Variables that programs get, and of which nothing is known.
    pub(crate) handed: BTreeSet<String>,
    /// Programs run with other rights.
    pub(crate) raised: bool,
    pub(crate) stdin: Stdin,
    names: Names,
}

/// What is known of variables, by their names.
#[derive(Default)]
struct Names {
    /// Variables that hold a text which is not fixed to be a number.
    texts: BTreeSet<String>,
    /// Variables that arithmetic computes with: it runs substitutions in their values.
    computed: BTreeSet<String>,
    /// What loops give to their variables.
    bound: BTreeMap<String, Field>,
    /// Variables that anything but a loop sets.
    assigned: BTreeSet<String>,
}

/// What was written down already.
#[derive(Default)]
struct Seen {
    runs: BTreeSet<Run>,
    reads: BTreeSet<Target>,
    writes: BTreeSet<Target>,
    deletes: BTreeSet<Target>,
    reaches: BTreeSet<Reach>,
    unclear: BTreeSet<(String, String)>,
}

impl<'around> Walk<'around> {
    pub(crate) fn new(around: &'around Surroundings) -> Self {
        Self {
            around,
            effects: Effects::default(),
            made: BTreeSet::new(),
            seen: Seen::default(),
            folders: Folders::one(around.cwd.clone()),
            functions: BTreeMap::new(),
            calls: Vec::new(),
            depth: 0,
            steps: 0,
            work: 0,
            handed: BTreeSet::new(),
            raised: false,
            stdin: Stdin::Inherited,
            names: Names::default(),
        }
    }

    /// A whole command line.
    pub(crate) fn whole(mut self, line: &str) -> Effects {
        self.text(line);
        let risky: Vec<String> = self.names.computed.intersection(&self.names.texts).cloned().collect();
        for name in risky {
            self.unclear(&name, "arithmetic computes with a variable whose text it may run");
        }
        self.effects
    }

    /// A text that a shell runs: the line, or what is given to a shell in it.
    pub(crate) fn text(&mut self, text: &str) {
        if !self.charge(text.len()) {
            return;
        }
        let parsed = parse(text, self.depth);
        for (name, body) in parsed.functions {
            self.functions.entry(name).or_default().push(body);
        }
        self.script(&parsed.script);
        if let Some(Fault { text, why }) = parsed.fault {
            self.unclear(&text, why);
        }
    }

    /// Something nested, unless it is too deep.
    fn deeper(&mut self, go: impl FnOnce(&mut Self)) {
        // A function may call a function, which no parser counts.
        if self.depth > 2 * MAX_DEPTH {
            self.unclear("", "it is nested too deeply");
            return;
        }
        self.depth += 1;
        go(self);
        self.depth -= 1;
    }

    /// Something after which the folder is what it was: a subshell.
    pub(crate) fn scoped(&mut self, go: impl FnOnce(&mut Self)) {
        let folders = self.folders.clone();
        self.deeper(go);
        self.folders = folders;
    }

    /// A text that runs in this very shell: what it defines and where it goes stays.
    pub(crate) fn evaluated(&mut self, text: &str) {
        let before = self.functions.len();
        self.branch(|walk| walk.deeper(|walk| walk.text(text)));
        if self.functions.len() != before {
            self.unclear(text, "a function is defined in a text that is run");
        }
    }

    /// A text in a shell of its own, in which the variables of this one are not known.
    pub(crate) fn shell(&mut self, text: &str) {
        let bound = std::mem::take(&mut self.names.bound);
        self.scoped(|walk| walk.text(text));
        self.names.bound = bound;
        self.names.bound.retain(|name, _| !self.names.assigned.contains(name));
    }

    /// Any variable may have been set.
    pub(crate) fn forget(&mut self) {
        self.names.assigned.extend(std::mem::take(&mut self.names.bound).into_keys());
    }

    /// A program with its words, as another program starts it.
    pub(crate) fn inner(&mut self, words: &[Field]) {
        self.scoped(|walk| walk.program(words));
    }

    /// Something with other rights.
    pub(crate) fn raised(&mut self, go: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.raised, true);
        go(self);
        self.raised = before;
    }

    /// Counts a step; whether another may be made.
    fn step(&mut self) -> bool {
        self.steps += 1;
        if self.steps == MAX_STEPS {
            self.unclear("", "there are too many commands");
        }
        self.steps < MAX_STEPS
    }

    /// Counts what is gone through; whether more may be.
    pub(crate) fn charge(&mut self, letters: usize) -> bool {
        let before = self.work;
        self.work = self.work.saturating_add(letters);
        if before < MAX_WORK && self.work >= MAX_WORK {
            self.unclear("", "it does too much to be gone through");
        }
        self.work < MAX_WORK
    }

    /// Whether a program may make this many words of so many for each of others.
    pub(crate) fn may_make(&mut self, words: usize, each: usize) -> bool {
        let may = words.saturating_mul(each) <= MAX_WORDS;
        if !may {
            self.unclear("", "its words make too many others");
        }
        may
    }

    /// Starts what the first word says: a function, a known program, or another.
    pub(crate) fn program(&mut self, words: &[Field]) {
        let Some((first, rest)) = words.split_first() else { return };
        if !self.step() {
            return;
        }
        let Some(name) = first.text() else {
            let words = rest.iter().map(|word| word.text().map(str::to_owned)).collect();
            let (program, nature) = (first.written.clone(), Nature::Unknown);
            self.runs(Run { program, verb: None, words, nature, raised: self.raised });
            self.unclear(&first.written, "the name of the program depends on what is known only when it runs");
            return;
        };
        if let Some(bodies) = self.functions.get(name).cloned() {
            self.call(name, &bodies);
        }
        programs::start(self, name, rest);
    }

    /// A program that is named after another, in this very shell.
    pub(crate) fn again(&mut self, words: &[Field]) {
        self.deeper(|walk| walk.program(words));
    }

    /// A function is called. It counts beside the program of its name: which of the two runs depends on what ran before.
    fn call(&mut self, name: &str, bodies: &[Rc<Command>]) {
        if self.calls.iter().any(|called| called == name) {
            self.unclear(name, "a function calls itself");
            return;
        }
        self.calls.push(name.to_owned());
        for body in bodies {
            self.branch(|walk| walk.deeper(|walk| walk.command(body)));
        }
        self.calls.pop();
    }

    pub(crate) fn runs(&mut self, run: Run) {
        let letters = run.words.iter().map(|word| 32 + word.as_ref().map_or(0, String::len)).sum();
        if !self.charge(letters) {
            return;
        }
        if run.nature != Nature::Looks {
            for name in self.handed.clone() {
                self.unclear(&name, "what this variable means to the program is not known here");
            }
        }
        if self.seen.runs.insert(run.clone()) {
            self.effects.runs.push(run);
        }
    }

    pub(crate) fn read(&mut self, word: &Field, deep: bool) {
        for target in self.targets(word, deep) {
            if self.seen.reads.insert(target.clone()) {
                self.effects.reads.push(target);
            }
        }
    }

    pub(crate) fn write(&mut self, word: &Field, deep: bool) {
        self.made.extend(self.targets(word, deep));
        self.mark(word, deep);
    }

    /// Changes who may do what with it, and nothing in it.
    pub(crate) fn mark(&mut self, word: &Field, deep: bool) {
        for target in self.targets(word, deep) {
            if self.seen.writes.insert(target.clone()) {
                self.effects.writes.push(target);
            }
        }
    }

    pub(crate) fn delete(&mut self, word: &Field, deep: bool) {
        for target in self.targets(word, deep) {
            if self.seen.deletes.insert(target.clone()) {
                self.effects.deletes.push(target);
            }
        }
    }

    pub(crate) fn reach(&mut self, host: Option<&str>, port: Option<u16>) {
        let reach = Reach { host: host.map(programs::normal_host), port };
        if self.seen.reaches.insert(reach.clone()) {
            self.effects.reaches.push(reach);
        }
    }

    pub(crate) fn unclear(&mut self, text: &str, why: &str) {
        let unclear = super::unclear(text, why);
        if self.seen.unclear.insert((unclear.text.clone(), unclear.why.clone())) {
            self.effects.unclear.push(unclear);
        }
    }

    /// What a word names.
    fn targets(&self, word: &Field, deep: bool) -> Vec<Target> {
        self.folders.targets(word, deep)
    }

    /// Whether a word surely names something in the workspace that is no setting of others.
    pub(crate) fn in_workspace(&self, word: &Field) -> bool {
        let is = |path: &Path| self.around.workspace.iter().any(|folder| path.is_in(folder));
        self.targets(word, false).iter().all(|target| match target {
            Target::Path { path, .. } => is(path),
            Target::Within(pattern) => is(pattern.folder()),
            Target::Unknown(_) => false,
        })
    }
}
