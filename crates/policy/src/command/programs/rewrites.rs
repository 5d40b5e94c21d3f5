//! Programs that change the files they are given: formatters, linters that mend, compilers, `patch`.

use super::Program;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::options::Means::{Nothing, Reads, Writes};
use crate::command::options::{Args, Opt, flag, value};
use crate::effects::Nature::Unknown;

/// What changes files: by its names, the word that says it is to, options of which it needs one, and options with which it
/// only looks. All by blanks; nothing says nothing.
struct Rewriter {
    names: &'static str,
    verbs: &'static str,
    needs: &'static str,
    looks: &'static str,
}

const fn rewriter(names: &'static str, verbs: &'static str, needs: &'static str, looks: &'static str) -> Rewriter {
    Rewriter { names, verbs, needs, looks }
}

static REWRITERS: &[Rewriter] = &[
    rewriter("black", "", "", "--check --diff --version"),
    rewriter("isort", "", "", "--check --check-only -c --diff --version"),
    rewriter("rustfmt", "", "", "--check --version"),
    rewriter("prettier", "", "--write -w", ""),
    rewriter("eslint stylelint markdownlint", "", "--fix --fix-type", ""),
    rewriter("ruff", "format", "", "--check --diff"),
    rewriter("ruff", "check", "--fix --fix-only --unsafe-fixes --add-noqa", ""),
    rewriter("gofmt goimports shfmt typos", "", "-w --write --write-changes", ""),
    rewriter("clang-format", "", "-i", ""),
    rewriter("clang-tidy", "", "--fix -fix --fix-errors -fix-errors", ""),
    rewriter("rubocop", "", "-a -A --autocorrect --autocorrect-all --auto-correct --auto-correct-all -x", ""),
    rewriter("biome", "check lint format ci", "--write --fix --apply --apply-unsafe", ""),
    rewriter("taplo", "fmt format", "", "--check"),
    rewriter("golangci-lint", "fmt", "", "--diff -d"),
    rewriter("golangci-lint", "run", "--fix", ""),
    rewriter("buf", "format", "-w --write", ""),
    rewriter("go", "fmt fix", "", "-n"),
];

/// The same of cargo, which changes all packages of the workspace.
static CARGO: &[Rewriter] = &[
    rewriter("cargo", "fmt", "", "--check"),
    rewriter("cargo", "fix", "", ""),
    rewriter("cargo", "clippy", "--fix", ""),
];

/// Options of compilers whose value is what they make.
const MADE: &[(&str, &str)] = &[
    ("rustc", "-o --out-dir"),
    ("gcc", "-o"),
    ("g++", "-o"),
    ("cc", "-o"),
    ("c++", "-o"),
    ("clang", "-o"),
    ("clang++", "-o"),
    ("ld", "-o"),
    ("as", "-o"),
    ("go", "-o -coverprofile"),
    ("kotlinc", "-d"),
    ("swiftc", "-o"),
    ("javac", "-d"),
    ("tsc", "--outDir --outFile --declarationDir"),
    ("esbuild", "--outfile --outdir"),
    ("vite", "--outDir"),
    ("cargo", "--target-dir --artifact-dir"),
];

static PATCH: &[Opt] = &[
    flag(
        "R reverse N forward f force t batch s silent quiet verbose E remove-empty-files l ignore-whitespace",
        Nothing,
    ),
    flag("c context n normal u unified e ed b backup dry-run binary posix no-backup-if-mismatch C check", Nothing),
    value("p strip F fuzz D ifdef V version-control z suffix B prefix Y basename-prefix g get", Nothing),
    value("i input", Reads),
    value("o output r reject-file", Writes),
    value("d directory", Nothing),
];

pub(super) fn find(name: &str) -> Option<Program> {
    (name == "patch").then_some(Program::Own(patch))
}

impl Rewriter {
    /// The words that name files, if this program changes them.
    fn files<'a>(&self, name: &str, words: &'a [Field]) -> Option<Vec<&'a Field>> {
        let one_of = |names: &str, text: &str| names.split(' ').any(|name| !name.is_empty() && name == text);
        if !one_of(self.names, name) {
            return None;
        }
        let given =
            |names: &str| words.iter().any(|word| one_of(names, word.start.split('=').next().unwrap_or_default()));
        let mut plain = words.iter().filter(|word| !word.start.starts_with(['-', '+'])).peekable();
        let told = self.verbs.is_empty() || plain.next().is_some_and(|verb| one_of(self.verbs, &verb.start));
        let writes = told && (self.needs.is_empty() || given(self.needs)) && !given(self.looks);
        writes.then(|| plain.collect())
    }
}

/// What a program of this name changes of the files in its words; without any, of its folder.
pub(super) fn rewrites(call: &mut Call<'_, '_>, name: &str, words: &[Field]) {
    for files in REWRITERS.iter().filter_map(|rewriter| rewriter.files(name, words)) {
        for file in &files {
            changes(call, file);
        }
        if files.is_empty() {
            changes(call, &Field::fixed("."));
        }
    }
    if CARGO.iter().any(|rewriter| rewriter.files(name, words).is_some()) {
        changes_all(call);
    }
    made(call, name, words);
}

fn made(call: &mut Call<'_, '_>, name: &str, words: &[Field]) {
    let Some((_, options)) = MADE.iter().find(|(known, _)| *known == name) else { return };
    for option in options.split(' ') {
        for (at, word) in words.iter().enumerate() {
            let attached = word.strip(option).filter(|rest| option.len() == 2 || rest.start.starts_with('='));
            let value = match attached {
                Some(rest) => Some(rest.strip("=").unwrap_or(rest)),
                None if word.text() == Some(option) => words.get(at + 1).cloned(),
                None => None,
            };
            let value =
                value.and_then(|value| if value.text() == Some("") { words.get(at + 1).cloned() } else { Some(value) });
            // What is made elsewhere is told with all that is given from elsewhere.
            if let Some(value) = value.filter(|value| !call.leads_out(value)) {
                changes(call, &value);
            }
        }
    }
}

/// A file or a folder whose files are changed, or a pattern of them that the program reads itself. What runs later in the
/// line is not other code for that: it does what it did.
pub(super) fn changes(call: &mut Call<'_, '_>, word: &Field) {
    let Some(text) = word.text() else { return call.walk.mark(word, true) };
    let special = text.find(['*', '?', '[', '{', ':']).or_else(|| text.find("..."));
    let folder = special.map(|at| match text.get(..at).and_then(|before| before.rsplit_once('/')) {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    });
    let around = call.walk.around;
    let is_root = || call.walk.folders.led(word).all().iter().any(|path| around.workspace.contains(path));
    match folder {
        Some(folder) => call.walk.mark(&Field::within(folder), true),
        None if is_root() => call.walk.mark(&Field::within(text), true),
        None => call.walk.mark(word, true),
    }
}

/// Any file of the workspace may be changed.
pub(super) fn changes_all(call: &mut Call<'_, '_>) {
    for folder in &call.walk.around.workspace {
        call.walk.mark(&Field::within(folder.as_str()), true);
    }
}

/// The files are named in the patch, and may be any in its folder.
fn patch(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, PATCH);
    call.run(Unknown, None);
    call.options(&args, PATCH, true);
    let folder = args.value("d directory").cloned().unwrap_or_else(|| Field::fixed("."));
    let inside = folder.text().map_or_else(|| folder.clone(), Field::within);
    call.write(&inside, true);
    let before = call.walk.folders.clone();
    call.walk.folders = before.led(&folder);
    if let Some(file) = args.operands.first() {
        call.write(file, false);
    }
    call.reads(args.operands.get(1..).unwrap_or_default(), false);
    call.walk.folders = before;
}
