//! The words of a program, taken apart into options and what they are about.

use super::call::Call;
use super::field::{Field, Rest};
use crate::effects::Nature;

/// An option that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opt {
    /// Its names, by blanks; those of one letter are short.
    pub(crate) names: &'static str,
    takes: Takes,
    means: Means,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// A value, in the same word or the next.
    Value,
    /// A value in the same word, or none.
    Maybe,
}

/// What an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// Nothing that matters here.
    Nothing,
    /// Its value is read.
    Reads,
    /// Its value is read, and what is named in it.
    Lists,
    /// Its value is made or changed.
    Writes,
    /// The program goes into folders.
    Deep,
    /// What is done cannot be told.
    Unclear(&'static str),
}

/// An option without a value.
pub(crate) const fn flag(names: &'static str, means: Means) -> Opt {
    Opt { names, takes: Takes::Nothing, means }
}

/// An option with a value.
pub(crate) const fn value(names: &'static str, means: Means) -> Opt {
    Opt { names, takes: Takes::Value, means }
}

/// An option that may have a value in the same word.
pub(crate) const fn maybe(names: &'static str, means: Means) -> Opt {
    Opt { names, takes: Takes::Maybe, means }
}

/// An option as it was given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) option: Opt,
    /// Its whole name, without dashes.
    name: String,
    pub(crate) value: Option<Field>,
}

/// The words of a program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Args {
    pub(crate) given: Vec<Given>,
    pub(crate) operands: Vec<Field>,
    /// Options that are not known.
    pub(crate) strange: Vec<Field>,
    /// Words that may be options once they are known.
    pub(crate) loose: Vec<Field>,
}

impl Args {
    /// Takes all words apart; options may stand anywhere before `--`.
    pub(crate) fn all(words: &[Field], options: &[Opt]) -> Self {
        Self::parse(words, options, false).0
    }

    /// Takes words apart up to the first that is no option; the words from there on are the rest.
    pub(crate) fn before<'a>(words: &'a [Field], options: &[Opt]) -> (Self, &'a [Field]) {
        Self::parse(words, options, true)
    }

    fn parse<'a>(mut words: &'a [Field], options: &[Opt], stops: bool) -> (Self, &'a [Field]) {
        let mut args = Self::default();
        while let Some((word, rest)) = words.split_first() {
            if word.text() == Some("--") {
                words = rest;
                break;
            }
            let is_option = word.start.starts_with('-') && word.text() != Some("-");
            if !is_option {
                if stops {
                    break;
                }
                if word.may_be_option() {
                    args.loose.push(word.clone());
                }
                args.operands.push(word.clone());
                words = rest;
                continue;
            }
            let taken = match word.strip("--") {
                Some(name) => args.long(word, &name, rest.first(), options),
                None => args.short(word, rest.first(), options),
            };
            words = if taken { rest.get(1..).unwrap_or_default() } else { rest };
        }
        if stops {
            return (args, words);
        }
        args.operands.extend_from_slice(words);
        (args, &[])
    }

    /// `--name`, `--name=value`, or a beginning of the name. Whether the next word is its value.
    fn long(&mut self, word: &Field, name: &Field, next: Option<&Field>, options: &[Opt]) -> bool {
        let (name, value) = match name.split('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name.start.clone(), None),
        };
        if value.is_none() && word.rest != Rest::Nothing {
            self.strange.push(word.clone());
            self.loose.push(word.clone());
            return false;
        }
        let called = |option: &&Opt, exactly: bool| {
            option
                .names
                .split(' ')
                .any(|known| known.len() > 1 && known.starts_with(&name) && (known == name || !exactly))
        };
        let exact = options.iter().find(|option| called(option, true));
        let whole = |option: &Opt| {
            let mut known = option.names.split(' ').filter(|known| known.len() > 1 && known.starts_with(&name));
            known.clone().find(|known| *known == name).or_else(|| known.next()).unwrap_or_default().to_owned()
        };
        let short = || options.iter().filter(|option| called(option, false));
        let guess = || short().find(|option| option.means != Means::Nothing).or_else(|| short().next());
        let Some(option) = exact.or_else(guess) else {
            self.strange.push(word.clone());
            return false;
        };
        let from_next = value.is_none() && option.takes == Takes::Value;
        let value = if from_next { next.cloned() } else { value };
        self.given.push(Given { option: *option, name: whole(option), value });
        from_next && next.is_some()
    }

    /// `-abc`, where one of them may take the rest as its value. Whether the next word is a value.
    fn short(&mut self, word: &Field, next: Option<&Field>, options: &[Opt]) -> bool {
        // What follows a letter that is not known may be its value, or more letters: both are seen.
        let (mut at, mut strange) = (1, false);
        for letter in word.start.chars().skip(1) {
            at += letter.len_utf8();
            let called = |option: &&Opt| option.names.split(' ').any(|known| known.chars().eq([letter]));
            let Some(option) = options.iter().find(called) else {
                if !strange {
                    self.strange.push(word.clone());
                }
                strange = true;
                continue;
            };
            if strange && option.means == Means::Nothing {
                return false;
            }
            if option.takes == Takes::Nothing {
                self.given.push(Given { option: *option, name: letter.to_string(), value: None });
                continue;
            }
            let attached = word.after(at);
            let is_attached = !attached.start.is_empty() || attached.rest != Rest::Nothing;
            let from_next = !is_attached && option.takes == Takes::Value;
            let value = if from_next { next.cloned() } else { is_attached.then_some(attached) };
            self.given.push(Given { option: *option, name: letter.to_string(), value });
            return from_next && next.is_some() && !strange;
        }
        if word.rest != Rest::Nothing {
            self.strange.push(word.clone());
            self.loose.push(word.clone());
        }
        false
    }

    /// Whether an option of these names, by blanks, is given.
    pub(crate) fn has(&self, names: &str) -> bool {
        self.given.iter().any(|given| given.is(names))
    }

    /// The last value of an option of these names.
    pub(crate) fn value(&self, names: &str) -> Option<&Field> {
        self.values(names).last()
    }

    /// All values of options of these names.
    pub(crate) fn values(&self, names: &str) -> impl Iterator<Item = &Field> {
        self.given.iter().filter(move |given| given.is(names)).filter_map(|given| given.value.as_ref())
    }

    /// Whether an option makes the program go into folders.
    pub(crate) fn deep(&self) -> bool {
        self.given.iter().any(|given| given.option.means == Means::Deep)
    }
}

impl Given {
    fn is(&self, names: &str) -> bool {
        names.split(' ').any(|name| name == self.name)
    }
}

/// What becomes of the words of a program that are no options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operands {
    /// They name no files.
    Nothing,
    /// They are read.
    Reads,
    /// They are read; without any, the folder of the command is.
    Lists,
    /// The same with all that is in them.
    ListsDeep,
    /// The first is a pattern or a program text, unless one of these options gives it; the others are read.
    AfterFirst(&'static str),
    /// They are made or changed.
    Writes,
    /// The first is a mode or an owner, the others are changed.
    WritesAfterFirst,
    /// They are gone afterwards.
    Deletes,
}

/// What a program does, as far as a table can say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) nature: Nature,
    pub(crate) options: &'static [Opt],
    pub(crate) operands: Operands,
    /// An option that is not in the table may change everything.
    pub(crate) strict: bool,
}

impl Call<'_, '_> {
    /// Does what the options say. `strict`: one that is not known is unclear.
    pub(crate) fn options(&mut self, args: &Args, options: &[Opt], strict: bool) {
        for given in &args.given {
            let value = given.value.as_ref();
            match (given.option.means, value) {
                (Means::Nothing | Means::Deep, _) | (_, None) if !matches!(given.option.means, Means::Unclear(_)) => {}
                (Means::Reads, Some(value)) => self.read(value, false),
                (Means::Lists, Some(value)) => {
                    self.read(value, false);
                    self.read(&Field::unknown(&value.written), false);
                }
                (Means::Writes, Some(value)) => self.write(value, false),
                (Means::Unclear(why), value) => {
                    let shown = value.map(|value| value.written.clone()).unwrap_or_default();
                    self.unclear(&format!("{} {} {shown}", self.name, given.name), why);
                }
                _ => {}
            }
        }
        for word in &args.strange {
            let value = word.split('=').map(|(_, value)| value).filter(|_| word.start.starts_with("--"));
            if strict || value.is_some_and(|value| self.leads_out(&value)) {
                self.unclear(&word.written, "an option of this program that is not known here");
            }
        }
        let matters = |option: &Opt| matches!(option.means, Means::Writes | Means::Unclear(_));
        if options.iter().any(matters) {
            for word in &args.loose {
                self.unclear(&word.written, "this may become an option: put \"--\" or \"./\" before it");
            }
        }
    }

    /// Does what a table says.
    pub(crate) fn table(&mut self, spec: &Spec) {
        let args = Args::all(self.words, spec.options);
        self.run(spec.nature, None);
        self.options(&args, spec.options, spec.strict);
        // What may become an option may make it go into folders.
        let deep =
            args.deep() || (!args.loose.is_empty() && spec.options.iter().any(|option| option.means == Means::Deep));
        let operands = args.operands.as_slice();
        let rest = operands.get(1..).unwrap_or_default();
        match spec.operands {
            Operands::Nothing => {}
            Operands::Reads => self.reads(operands, deep),
            Operands::Lists | Operands::ListsDeep => {
                let deep = deep || spec.operands == Operands::ListsDeep;
                let here = [Field::fixed(".")];
                self.reads(if operands.is_empty() { &here } else { operands }, deep);
            }
            Operands::AfterFirst(given) => {
                let files = if args.has(given) { operands } else { rest };
                self.reads(files, deep);
                if files.is_empty() && deep {
                    self.read(&Field::fixed("."), true);
                }
            }
            Operands::Writes => {
                for word in operands {
                    self.write(word, deep);
                }
            }
            Operands::WritesAfterFirst => {
                let files = if args.has("reference") { operands } else { rest };
                for word in files {
                    self.walk.mark(word, deep);
                }
            }
            Operands::Deletes => {
                for word in operands {
                    self.delete(word, deep);
                }
            }
        }
    }
}
