//! Programs that are told by a word what to do.

use crate::command::call::Call;
use crate::command::field::{Field, Rest};
use crate::effects::Nature;

/// What a program does, by the word that says it.
pub(crate) struct Verbs {
    /// Verbs by what they do; a verb of two words stands before the one-word verb it begins with, in any of the lists.
    pub(crate) natures: &'static [(Nature, &'static [&'static str])],
    /// What any other verb is.
    pub(crate) other: Nature,
    /// Without a verb.
    pub(crate) alone: Nature,
    /// Options before the verb that have a value in the next word.
    pub(crate) values: &'static [&'static str],
    /// Options that change what the program means, anywhere.
    pub(crate) unclear: &'static [(&'static str, &'static str)],
    /// Options whose value is the folder that is worked in.
    pub(crate) folders: &'static [&'static str],
    /// Whatever it does, it does on another machine.
    pub(crate) remote: bool,
    /// Every word says something that is done: `make all install`.
    pub(crate) many: bool,
}

/// Options without a value that may stand before the verb of anything.
const QUIET: &[&str] = &[
    "-q",
    "-v",
    "-vv",
    "-s",
    "-k",
    "-B",
    "-n",
    "-y",
    "-i",
    "-e",
    "-d",
    "-x",
    "-S",
    "--quiet",
    "--verbose",
    "--silent",
    "--color",
    "--no-color",
    "--offline",
    "--locked",
    "--frozen",
    "--yes",
    "--dry-run",
    "--keep-going",
    "--always-make",
    "--debug",
    "--version",
    "--help",
    "-V",
    "-h",
    "--list",
    "-l",
    "--no-pager",
    "--no-ask-password",
    "--user",
    "--batch-mode",
    "-U",
    "--no-daemon",
    "--info",
    "--stacktrace",
    "-ntp",
    "--no-input",
    "-a",
    "-o",
    "-r",
    "--no-print-directory",
    "--if-present",
    "--workspaces",
    "-ws",
];

impl Verbs {
    pub(crate) const PLAIN: Self = Self {
        natures: &[],
        other: Nature::Unknown,
        alone: Nature::Looks,
        values: &[],
        unclear: &[],
        folders: &[],
        remote: false,
        many: false,
    };

    /// A task of gradle may be named with its project: `:app:test`.
    fn nature(&self, verb: &str) -> Option<Nature> {
        let verb = if self.many && verb.starts_with(':') { verb.rsplit(':').next().unwrap_or(verb) } else { verb };
        self.natures.iter().find(|(_, verbs)| verbs.contains(&verb)).map(|(nature, _)| *nature)
    }
}

impl Call<'_, '_> {
    /// Does what a table of verbs says.
    pub(crate) fn verbs(&mut self, verbs: &Verbs) {
        self.odd_options(verbs);
        let plain = self.plain(verbs);
        let (nature, verb) = match plain.as_slice() {
            [] => (verbs.alone, None),
            [first, rest @ ..] => match first.text() {
                None => {
                    self.unclear(&first.written, "what is to be done is known only when it runs");
                    (Nature::Unknown, None)
                }
                Some(first) => {
                    let strict = |word: &&Field| word.text().and_then(|verb| verbs.nature(verb)).is_some_and(is_worse);
                    let found = rest.iter().filter(|_| verbs.many).find(strict).and_then(Field::text);
                    let first = found.unwrap_or(first);
                    let second = rest.first().and_then(|word| word.text()).unwrap_or_default();
                    let both = format!("{first} {second}");
                    // Of several goals the one that is worst counts.
                    let words = rest.iter().filter(|_| verbs.many).filter_map(Field::text);
                    let unknown = words.clone().find(|word| verbs.nature(word).is_none());
                    if verbs.many
                        && verbs.other == Nature::Unknown
                        && let Some(unknown) = unknown.or(verbs.nature(first).is_none().then_some(first))
                        && !words.chain([first]).any(|word| verbs.nature(word).is_some_and(is_worse))
                    {
                        self.of_nature(Nature::Unknown, Some(unknown));
                        return;
                    }
                    match verbs.nature(&both) {
                        Some(nature) => (nature, Some(both)),
                        None => (verbs.nature(first).unwrap_or(verbs.other), Some(first.to_owned())),
                    }
                }
            },
        };
        self.of_nature(nature, verb.as_deref());
        if verbs.remote && verb.is_some() {
            self.walk.reach(None, None);
        }
    }

    /// It runs, with what all of this nature have in common.
    pub(crate) fn of_nature(&mut self, nature: Nature, verb: Option<&str>) {
        match nature {
            Nature::Builds => self.builds(verb),
            Nature::Fetches | Nature::Publishes => {
                self.run(nature, verb);
                self.walk.reach(None, None);
            }
            Nature::Looks => {
                self.run(nature, verb);
                self.stays_inside();
            }
            Nature::Targets | Nature::Code | Nature::Destroys | Nature::Unknown => {
                self.run(nature, verb);
            }
        }
    }

    /// The words that are no options and no values of those before the verb.
    fn plain(&mut self, verbs: &Verbs) -> Vec<Field> {
        let mut plain: Vec<Field> = Vec::new();
        let mut words = self.words.iter();
        while let Some(word) = words.next() {
            let text = word.text().unwrap_or_default();
            if plain.is_empty() && (verbs.values.contains(&text) || verbs.folders.contains(&text)) {
                words.next();
            } else if !(word.start.starts_with('-') || (plain.is_empty() && word.start.starts_with('+'))) {
                plain.push(word.clone());
            } else if plain.is_empty() && word.start.starts_with('-') && !word.start.contains('=') && !is_quiet(text) {
                self.walk.unclear(&word.written, "whether the next word is the value of this option is not known");
            }
        }
        plain
    }

    /// Options that mean something else, and words that lead out of the workspace.
    pub(crate) fn odd_options(&mut self, verbs: &Verbs) {
        for (at, word) in self.words.iter().enumerate() {
            if word.rest == Rest::Unknown && word.may_be_option() {
                self.walk.unclear(&word.written, "this may become an option");
            }
            let named = |name: &str| match word.strip(name) {
                // A short option may have its value in the same word.
                Some(rest) => {
                    name.len() == 2 || (rest.start.is_empty() && rest.text().is_some()) || rest.start.starts_with('=')
                }
                // Options of one dash may have two, and long ones may be cut short.
                None if name.starts_with("--") => {
                    let given = word.start.split('=').next().unwrap_or_default();
                    given.len() > 3 && name.starts_with(given) && !WHOLE.contains(&given)
                }
                None if name.len() > 2 => {
                    word.start.split('=').next().and_then(|given| given.strip_prefix('-')) == Some(name)
                }
                None => false,
            };
            if word.text() == Some("--") {
                return;
            }
            if let Some((_, why)) = verbs.unclear.iter().find(|(name, _)| named(name)) {
                self.walk.unclear(&word.written, why);
            }
            if let Some(name) = verbs.folders.iter().find(|name| named(name)) {
                let value = word.after(name.len());
                let value = value.strip("=").unwrap_or(value);
                let next = self.words.get(at + 1).cloned();
                let folder = if value.text() == Some("") { next } else { Some(value) };
                let folder = folder.unwrap_or_else(|| Field::unknown(&word.written));
                if !self.walk.in_workspace(&folder) {
                    self.walk.unclear(&folder.written, "it works in a place that is not surely in the workspace");
                }
            }
        }
    }
}

/// Whether a verb does more than what is built and looked at here.
fn is_worse(nature: Nature) -> bool {
    !matches!(nature, Nature::Looks | Nature::Builds)
}

fn is_quiet(text: &str) -> bool {
    QUIET.contains(&text) || text.strip_prefix("-j").is_some_and(|jobs| jobs.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Options that are whole, although they are the beginning of others.
const WHOLE: &[&str] = &["--init", "--run", "--test", "--config", "--set", "--show", "--index", "--host"];

/// Options whose value is where results go.
const RESULTS: &[&str] = &[
    "-o",
    "--out",
    "-coverprofile",
    "--junit",
    "--log",
    "--cov",
    "--basetemp",
    "--cache",
    "--report",
    "-MF",
    "--target-dir",
];

impl Call<'_, '_> {
    /// What a program that builds is given from outside the workspace: it may change it, or run what is in it.
    pub(crate) fn stays_inside(&mut self) {
        let mut before = "";
        for word in self.words {
            let start = word.start.as_str();
            let option = if start.starts_with('-') { start } else { before };
            let value = match word.split('=') {
                Some((_, value)) if start.starts_with('-') => value,
                _ if start.starts_with("--") => Field::fixed(""),
                _ if start.starts_with('-') => word.after(2),
                _ => word.clone(),
            };
            before = if start.starts_with('-') { start } else { "" };
            let is_near = |host: &str| matches!(host, "localhost" | "127.0.0.1");
            if word.start.contains("://") && !super::network::host_of(&value).is_some_and(|found| is_near(&found.host))
            {
                self.walk.unclear(&word.written, "it is given an address");
            }
            let mut out: Vec<Field> = self.leading_out(&value).collect();
            out.extend(self.leading_out(word).filter(|part| *part != value));
            if out.is_empty() {
                continue;
            }
            if RESULTS.iter().any(|known| option.starts_with(known)) {
                for part in &out {
                    self.walk.write(part, true);
                }
            } else {
                self.walk.unclear(&word.written, "it is given something that is not surely in the workspace");
            }
        }
    }
}
