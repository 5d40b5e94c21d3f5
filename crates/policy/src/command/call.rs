//! A program that is started with its words, and what can be said of it.

use super::field::Field;
use super::walk::Walk;
use crate::effects::{Nature, Run};

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

    /// The first word that is known, if it is.
    pub(crate) fn first(&self) -> Option<&str> {
        self.words.first().and_then(Field::text)
    }
}
