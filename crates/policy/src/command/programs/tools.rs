//! Compilers, linters and test runners.

use super::builds::OTHER_TOOL;
use super::verbs::Verbs;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::effects::Nature::Builds;

/// Compilers, linters and test runners: they read their settings in the folder, and run what those name.
static TOOL: Verbs = Verbs {
    other: Builds,
    alone: Builds,
    unclear: &[
        ("--config", OTHER_TOOL),
        ("--resolve-plugins-relative-to", OTHER_TOOL),
        ("--rulesdir", OTHER_TOOL),
        ("--plugin", OTHER_TOOL),
        ("-fplugin", OTHER_TOOL),
        ("-B", OTHER_TOOL),
        ("-wrapper", OTHER_TOOL),
        ("-specs", OTHER_TOOL),
        ("--rootdir", OTHER_TOOL),
        ("-p", OTHER_TOOL),
        ("-C", OTHER_TOOL),
        ("-Z", OTHER_TOOL),
        ("--codegen", OTHER_TOOL),
        ("--install-types", "it fetches packages"),
        ("--init-hook", OTHER_TOOL),
        ("--load-plugins", OTHER_TOOL),
        ("--host", "it serves others"),
        ("--hostname", "it serves others"),
    ],
    ..Verbs::PLAIN
};

/// The compiler of TypeScript: `-p` is the project, and runs nothing.
static TSC: Verbs = Verbs { folders: &["-p", "--project"], ..Verbs::PLAIN };

/// Tools that are told by a word what to do, and those words that build, test and look.
const TOLD: &[(&str, &str)] = &[
    ("ruff", "check format rule config linter version clean analyze"),
    ("biome", "check format lint ci explain version"),
    ("coverage", "run report html xml json lcov erase combine debug annotate"),
    ("turbo", "run build test lint dev typecheck check ls"),
    ("vite", "build dev serve preview"),
    ("next", "build dev lint start info"),
    ("playwright", "test show-report merge-reports"),
    ("cypress", "run verify version info open"),
    ("golangci-lint", "run fmt linters version config cache help"),
    ("pre-commit", "run validate-config validate-manifest sample-config"),
    ("buf", "lint build format breaking ls-files stats convert config"),
    ("webpack", "build watch serve configtest info"),
    ("taplo", "fmt format lint check get"),
];

/// A tool whose first word says what it does: what is not known of it may do anything.
fn told(call: &mut Call<'_, '_>, verbs: &str) {
    let first = call.words.iter().find(|word| !word.start.starts_with('-'));
    let known = |word: &Field| {
        word.text().is_some_and(|text| text.contains(['.', '/']) || verbs.split(' ').any(|verb| verb == text))
    };
    if let Some(word) = first.filter(|word| !known(word)).cloned() {
        call.unclear(&word.written, "what this tool does by this word is not known here");
    }
}

/// A tool whose words are files and options only.
pub(super) fn tool(call: &mut Call<'_, '_>) {
    call.odd_options(if call.name == "tsc" { &TSC } else { &TOOL });
    if let Some(word) = call.words.iter().find(|word| word.start.contains("0.0.0.0") || word.start == "::") {
        call.walk.unclear(&word.written, "it serves others");
    }
    if let Some((_, verbs)) = TOLD.iter().find(|(name, _)| *name == call.name) {
        told(call, verbs);
    }
    call.builds(None);
    super::rewrites::rewrites(call, call.name, call.words);
}
