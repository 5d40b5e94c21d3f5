//! A program that is started with its words, and what can be said of it.

use super::field::Field;
use super::walk::Walk;
use crate::effects::{Nature, Run};

/// How many parts of a word are looked at.
const MAX_PARTS: usize = 32;

/// A program that is started.
pub(crate) struct Call<'walk, 'around> {
    pub(crate) walk: &'walk mut Walk<'around>,
    pub(crate) name: &'walk str,
    /// The words after its name.
    pub(crate) words: &'walk [Field],
}

impl Call<'_, '_> {
    /// It runs, and this is known of it.
    pub(crate) fn run(&mut self, nature: Nature, verb: Option<&str>) {
        let words = self.words.iter().map(|word| word.text().map(str::to_owned)).collect();
        let (program, verb) = (self.name.to_owned(), verb.map(str::to_owned));
        self.walk.runs(Run { program, verb, words, nature, raised: self.walk.raised });
    }

    /// A file that it is given to run is a program too, with the words after it.
    pub(crate) fn starts_file(&mut self, file: &Field) {
        let nature = if self.walk.is_own_program(file) { Nature::Builds } else { Nature::Unknown };
        let at = self.words.iter().position(|word| word == file).map_or(self.words.len(), |at| at + 1);
        let words: Vec<_> = self.words.iter().skip(at).map(|word| word.text().map(str::to_owned)).collect();
        for path in self.walk.folders.led(file).all().to_vec() {
            let program = path.as_str().to_owned();
            self.walk.runs(Run { program, verb: None, words: words.clone(), nature, raised: self.walk.raised });
        }
    }

    pub(crate) fn unclear(&mut self, text: &str, why: &str) {
        self.walk.unclear(text, why);
    }

    /// This is read; `-` is what the program is given.
    pub(crate) fn read(&mut self, word: &Field, deep: bool) {
        if word.text() != Some("-") {
            self.walk.read(word, deep);
        }
    }

    pub(crate) fn reads(&mut self, words: &[Field], deep: bool) {
        for word in words {
            self.read(word, deep);
        }
    }

    /// This is made or changed; `-` is the output.
    pub(crate) fn write(&mut self, word: &Field, deep: bool) {
        if word.text() != Some("-") {
            self.walk.write(word, deep);
        }
    }

    pub(crate) fn delete(&mut self, word: &Field, deep: bool) {
        self.walk.delete(word, deep);
    }

    /// It works in the folder of the command, and runs what that holds: one of the workspace, or nobody knows what.
    pub(crate) fn builds(&mut self, verb: Option<&str>) {
        self.run(Nature::Builds, verb);
        self.works_in(&Field::fixed("."));
        self.stays_inside();
    }

    /// It runs what this folder holds.
    pub(crate) fn works_in(&mut self, folder: &Field) {
        if !self.walk.in_workspace(folder) {
            let why = "it runs what its folder holds, and that is not surely in the workspace";
            self.unclear(&format!("{} in {}", self.name, folder.written), why);
        }
    }

    /// Whether a word, or a part of it, is a path that is not surely in the workspace.
    pub(crate) fn leads_out(&self, word: &Field) -> bool {
        self.leading_out(word).next().is_some()
    }

    /// The parts of a word that are such paths: all of it, and what follows `=`, `,` or `:` in it.
    pub(crate) fn leading_out(&self, word: &Field) -> impl Iterator<Item = Field> {
        let marks = word.start.match_indices(['=', ',', ':']).map(|(at, _)| at + 1).take(MAX_PARTS);
        let starts = word.start.starts_with('@').then_some(1).into_iter().chain(std::iter::once(0)).chain(marks);
        starts
            .map(|at| {
                let part = word.after(at);
                let end = if at == 0 { None } else { part.start.find([',', '=']) };
                match end {
                    Some(end) => Field::fixed(part.start.get(..end).unwrap_or_default()),
                    None => part,
                }
            })
            .filter(|part| {
                let start = part.start.as_str();
                let path =
                    start.starts_with('/') && !start.starts_with("//") || start.split('/').any(|part| part == "..");
                path && !self.walk.in_workspace(part)
            })
    }

    /// What a program of the workspace is given from elsewhere it reads at least.
    pub(crate) fn reads_what_leads_out(&mut self) {
        for word in self.words {
            let parts: Vec<Field> = self.leading_out(word).collect();
            self.reads(&parts, false);
        }
    }

    /// The first word that is known, if it is.
    pub(crate) fn first(&self) -> Option<&str> {
        self.words.first().and_then(Field::text)
    }
}
