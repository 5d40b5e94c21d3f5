//! Git. What it does to `.git` itself is not told as a write: hooks and settings are not touched by ordinary work. Neither is
//! what it brings into the workspace from a commit that is merged, picked or switched to.

mod files;

use files::{cluster, files, worktree};

use super::network::host_of;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::options::Means::Nothing;
use crate::command::options::{Args, flag, value};
use crate::effects::Nature::{self, Builds, Destroys, Fetches, Looks, Publishes, Targets, Unknown};

/// Settings that only say who commits, and how things are shown.
const HARMLESS_KEYS: &[&str] = &[
    "user.",
    "color.",
    "advice.",
    "init.defaultbranch",
    "pull.",
    "push.default",
    "push.autosetupremote",
    "fetch.prune",
    "rebase.",
    "merge.conflictstyle",
    "merge.ff",
    "core.quotepath",
    "core.autocrlf",
    "core.eol",
    "core.filemode",
    "core.ignorecase",
    "core.abbrev",
    "diff.algorithm",
    "diff.renames",
    "diff.colormoved",
    "log.",
    "status.",
    "commit.gpgsign",
    "tag.gpgsign",
    "branch.",
    "gc.auto",
    "column.",
    "safe.",
    "advice.detachedhead",
    "rerere.",
    "submodule.recurse",
    "protocol.version",
    "feature.",
];

const LOOKS: &[&str] = &[
    "status",
    "log",
    "diff",
    "show",
    "rev-parse",
    "describe",
    "blame",
    "annotate",
    "shortlog",
    "ls-files",
    "ls-tree",
    "cat-file",
    "grep",
    "rev-list",
    "merge-base",
    "name-rev",
    "whatchanged",
    "for-each-ref",
    "var",
    "version",
    "help",
    "count-objects",
    "check-ignore",
    "check-attr",
    "diff-tree",
    "diff-index",
    "diff-files",
    "show-ref",
    "show-branch",
    "range-diff",
    "cherry",
    "verify-commit",
    "verify-tag",
    "fsck",
    "merge-tree",
    "check-ref-format",
    "stripspace",
    "--version",
    "--help",
];

const BUILDS: &[&str] = &[
    "add",
    "stage",
    "commit",
    "merge",
    "cherry-pick",
    "revert",
    "mv",
    "init",
    "am",
    "apply",
    "notes",
    "hash-object",
    "write-tree",
    "commit-tree",
    "update-index",
    "rerere",
    "sparse-checkout",
    "format-patch",
    "repack",
    "pack-refs",
    "commit-graph",
    "multi-pack-index",
    "mktree",
    "mktag",
];

const FETCHES: &[&str] = &["clone", "fetch", "pull", "ls-remote"];

const DESTROYS: &[&str] = &[
    "restore",
    "prune",
    "filter-branch",
    "filter-repo",
    "update-ref",
    "replace",
    "lfs",
    "checkout-index",
    "read-tree",
];

/// Options that make git run something, for any verb that has them.
const RUNS: &[&str] = &[
    "--upload-pack",
    "--receive-pack",
    "--exec",
    "--ext-diff",
    "--open-files-in-pager",
    "--template",
    "--config",
    "--strategy",
    "--tool",
    "--extcmd",
    "--unsafe-paths",
    "--separate-git-dir",
    "--receive-pack",
    "--to-command",
    "--smtp-server",
    "--contents",
];

pub(super) fn git(call: &mut Call<'_, '_>) {
    let Some((verb, words)) = before_verb(call) else { return };
    let Some(verb) = verb else { return call.run(Looks, None) };
    let Some(name) = verb.text().map(str::to_owned) else {
        call.unclear(&verb.written, "what git is to do is known only when it runs");
        return call.run(Unknown, None);
    };
    let plain: Vec<&Field> = words.iter().filter(|word| !word.start.starts_with('-')).collect();
    for (at, word) in words.iter().enumerate() {
        let option = word.start.split('=').next().unwrap_or_default();
        let runs = option.len() > 2 && RUNS.iter().any(|known| known.starts_with(option));
        if runs && !(option == "--exec" && name == "rebase") {
            call.unclear(&word.written, "this option makes git run something else");
        }
        let message = at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(is_message);
        if word.text().is_none() && word.may_be_option() && !message && !LOOKS.contains(&name.as_str()) {
            call.unclear(&word.written, "this may become an option of git");
        }
    }
    let second = plain.first().and_then(|word| word.text()).unwrap_or_default();
    let (nature, two) = nature(&name, second, words, &plain);
    let verb = if two && !second.is_empty() { format!("{name} {second}") } else { name.clone() };
    call.run(nature, Some(&verb));
    call.works_in(&Field::fixed("."));
    targets(call, &name, second, words, &plain);
    worktree(call, &name, nature, words, &plain);
}

/// Whether the word after this one is a text that git keeps: `-m`, `-am`, `--message`.
fn is_message(word: &Field) -> bool {
    word.text().is_some_and(|text| {
        text == "--message" || (text.starts_with('-') && !text.starts_with("--") && text.ends_with('m'))
    })
}

/// Reads the options before the verb. `None` if nothing can be said after them.
fn before_verb<'a>(call: &mut Call<'a, '_>) -> Option<(Option<&'a Field>, &'a [Field])> {
    let mut words = call.words;
    while let Some((word, rest)) = words.split_first() {
        words = rest;
        let option = word.start.as_str();
        match option.split('=').next().unwrap_or_default() {
            "-c" => {
                let setting = rest.first().cloned().unwrap_or_else(|| Field::unknown("-c"));
                setting_is_harmless(call, &setting);
                words = rest.get(1..).unwrap_or_default();
            }
            "-C" => {
                let folder = rest.first().cloned().unwrap_or_else(|| Field::unknown("-C"));
                call.walk.folders = call.walk.folders.led(&folder);
                words = rest.get(1..).unwrap_or_default();
            }
            "--git-dir" | "--work-tree" | "--exec-path" | "--config-env" | "--namespace" | "--super-prefix"
            | "--attr-source" => {
                call.unclear(&word.written, "this option makes git use something other than the folder it is in");
                if !option.contains('=') && option != "--exec-path" {
                    words = rest.get(1..).unwrap_or_default();
                }
            }
            "--version" | "--help" | "-h" | "-v" | "--html-path" | "--man-path" | "--info-path" => {
                call.run(Looks, None);
                return None;
            }
            "--no-pager"
            | "-P"
            | "-p"
            | "--paginate"
            | "--bare"
            | "--literal-pathspecs"
            | "--glob-pathspecs"
            | "--no-optional-locks"
            | "--no-replace-objects"
            | "--icase-pathspecs"
            | "--noglob-pathspecs"
            | "--no-lazy-fetch" => {}
            _ if word.start.starts_with('-') => call.unclear(&word.written, "an option of git that is not known here"),
            _ => return Some((Some(word), rest)),
        }
    }
    Some((None, &[]))
}

fn setting_is_harmless(call: &mut Call<'_, '_>, setting: &Field) {
    let key = setting.start.split('=').next().unwrap_or_default().to_lowercase();
    let whole = setting.text().is_some() || setting.start.contains('=');
    if !(whole && is_harmless_key(&key)) {
        call.unclear(&setting.written, "this setting may make git run something");
    }
}

fn is_harmless_key(key: &str) -> bool {
    HARMLESS_KEYS.iter().any(|known| key.starts_with(known)) && !key.ends_with("command") && !key.ends_with("program")
}

/// What a verb does, and whether the word after it says more of that.
fn nature(name: &str, second: &str, words: &[Field], plain: &[&Field]) -> (Nature, bool) {
    let short = |letters: &str| {
        words.iter().any(|word| {
            let text = word.start.as_str();
            text.starts_with('-') && !text.starts_with("--") && text.contains(|letter| letters.contains(letter))
        })
    };
    let long = |names: &[&str]| {
        words.iter().any(|word| {
            let name = word.start.split('=').next().unwrap_or_default();
            name.len() > 2 && names.iter().any(|known| known.starts_with(name))
        })
    };
    let none = plain.is_empty();
    let one = match name {
        "checkout" => {
            let path = plain.len() > 1 && !short("bB") && !long(&["--orphan"]);
            let file = plain.iter().any(|word| word.text().is_none_or(|text| text.contains('.') || text.contains('*')));
            let lost =
                path || file && !short("b") || short("fBp") || long(&["--force", "--ours", "--theirs", "--patch"]);
            if lost || words.iter().any(|word| word.text() == Some("--")) { Destroys } else { Builds }
        }
        "switch" if short("fC") || long(&["--force", "--discard-changes", "--force-create"]) => Destroys,
        "reset" if long(&["--hard", "--merge", "--keep"]) => Destroys,
        "restore" if long(&["--staged"]) && !long(&["--worktree"]) && !short("W") => Builds,
        "clean" if (short("n") || long(&["--dry-run"])) && !short("f") => Looks,
        "branch" if short("DfMC") || long(&["--force"]) || (short("dm") && long(&["--force"])) => Destroys,
        "branch" if short("d") || long(&["--delete"]) || short("mc") => Builds,
        "branch"
            if none
                || short("lar")
                || long(&["--list", "--all", "--remotes", "--show-current", "--contains", "--merged"]) =>
        {
            Looks
        }
        "tag" if short("df") || long(&["--delete", "--force"]) => Destroys,
        "tag" if none || short("ln") || long(&["--list", "--contains", "--points-at"]) => Looks,
        "gc" if long(&["--prune"]) => Destroys,
        "symbolic-ref" if plain.len() < 2 && !short("d") => Looks,
        "push" if short("fd") || long(&["--force", "--force-with-lease", "--delete", "--mirror", "--prune"]) => {
            Destroys
        }
        "push" if plain.iter().any(|word| word.start.starts_with([':', '+'])) => Destroys,
        "push" | "send-email" | "request-pull" | "svn" | "p4" => Publishes,
        "archive" if long(&["--remote"]) => Fetches,
        "archive" | "bundle" | "rm" => Targets,
        name if LOOKS.contains(&name) => Looks,
        "switch" | "reset" | "rebase" | "branch" | "tag" | "gc" => Builds,
        name if BUILDS.contains(&name) => Builds,
        name if FETCHES.contains(&name) => Fetches,
        "clean" | "symbolic-ref" => Destroys,
        name if DESTROYS.contains(&name) => Destroys,
        _ => return two(name, second, none),
    };
    (one, false)
}

/// What a verb of two words does.
fn two(name: &str, second: &str, none: bool) -> (Nature, bool) {
    let nature = match (name, second) {
        ("stash", "list" | "show")
        | ("worktree", "list")
        | ("submodule", "status" | "summary" | "")
        | ("bisect", "log" | "view")
        | ("remote", "get-url" | "") => Looks,
        ("remote", "show" | "update" | "prune") | ("submodule", "update" | "add" | "sync") => Fetches,
        ("stash", "drop" | "clear")
        | ("reflog", "expire" | "delete")
        | ("worktree", "remove" | "prune")
        | ("remote", "remove" | "rm" | "rename" | "set-url" | "set-head" | "add")
        | ("submodule", "deinit") => Destroys,
        ("maintenance", "run") | ("stash" | "worktree" | "bisect" | "submodule", _) => Builds,
        ("reflog", _) => Looks,
        ("config", _) if none => Looks,
        ("config", _) => return (Builds, false),
        _ => return (Unknown, false),
    };
    (nature, true)
}

/// What the words of a verb name.
fn targets(call: &mut Call<'_, '_>, name: &str, second: &str, words: &[Field], plain: &[&Field]) {
    outputs(call, name, words);
    files(call, name, words);
    match name {
        "rm" => {
            for word in plain {
                call.delete(word, true);
            }
        }
        "config" => config(call, words, plain),
        "clone" => clone(call, plain),
        "fetch" | "pull" | "push" | "ls-remote" => remote(call, plain.first().copied()),
        "remote" if matches!(second, "show" | "update" | "prune") => call.walk.reach(None, None),
        "remote" if matches!(second, "add" | "set-url") => {
            call.unclear(&format!("git remote {second}"), "it changes where git fetches from and pushes to");
        }
        "submodule" if second == "foreach" => inner_text(call, plain.get(1..).unwrap_or_default()),
        "submodule" if matches!(second, "update" | "add") => call.walk.reach(None, None),
        "send-email" | "svn" | "p4" | "request-pull" => call.walk.reach(None, None),
        "worktree" if matches!(second, "add" | "move") => {
            let options = [value("b B reason", Nothing), flag("f force d detach checkout lock quiet q", Nothing)];
            let args = Args::all(words, &options);
            let at = if second == "add" { 1 } else { 2 };
            args.operands.iter().skip(at).take(1).for_each(|word| call.write(word, true));
            args.operands.iter().skip(1).take(at - 1).for_each(|word| call.delete(word, true));
        }
        "worktree" if second == "remove" => plain.iter().skip(1).for_each(|word| call.delete(word, true)),
        "bisect" if second == "run" => {
            let inner: Vec<Field> = words.iter().skip(1).cloned().collect();
            call.walk.inner(&inner);
        }
        "rebase" => rebase(call, words),
        "bundle" if second == "create" => plain.iter().skip(1).take(1).for_each(|word| call.write(word, false)),
        "apply" | "am" | "hash-object" => {
            for word in plain {
                call.read(word, false);
            }
        }
        "diff" | "grep" if words.iter().any(|word| word.start.starts_with("--no-i")) => {
            for word in plain {
                call.read(word, true);
            }
        }
        "init" => {
            for word in plain {
                call.write(word, true);
            }
        }
        "filter-branch" | "filter-repo" => call.unclear(&format!("git {name}"), "it runs commands for each commit"),
        "lfs" | "difftool" | "mergetool" => call.unclear(&format!("git {name}"), "it runs other programs"),
        _ => {}
    }
}

/// Files that options name.
fn outputs(call: &mut Call<'_, '_>, name: &str, words: &[Field]) {
    for (at, word) in words.iter().enumerate() {
        let next = || words.get(at + 1).cloned().unwrap_or_else(|| Field::unknown(&word.written));
        let short_output = matches!(name, "archive" | "format-patch") && word.start.starts_with("-o");
        if let Some(file) = word.strip("--output=").or_else(|| word.strip("--output-directory=")) {
            call.write(&file, false);
        } else if matches!(word.text(), Some("--output" | "--output-directory" | "-o"))
            && (short_output || word.start.len() > 2)
        {
            call.write(&next(), false);
        } else if short_output {
            call.write(&word.after(2), false);
        } else if word.start.starts_with("--outp") {
            call.unclear(&word.written, "a file that git writes is named in a way that is not understood");
        } else if name == "grep" && cluster(word, "O", "efABCm").is_some() {
            call.unclear(&word.written, "this option makes git run something else");
        } else if matches!(name, "commit" | "tag" | "merge" | "notes") && word.start == "-F" {
            call.read(&next(), false);
        } else if let Some(file) = word.strip("--file=").or_else(|| word.strip("-F")) {
            call.read(&file, false);
        } else if matches!(name, "fetch" | "clone" | "ls-remote" | "pull") && word.start.starts_with("-u") {
            call.unclear(&word.written, "this option makes git run something else");
        } else if name == "clone" && word.start.starts_with("-c") {
            setting_is_harmless(call, &next());
        }
    }
}

/// A hook, an alias, a pager: many settings are commands.
fn config(call: &mut Call<'_, '_>, words: &[Field], plain: &[&Field]) {
    let options: Vec<&str> =
        words.iter().map(|word| word.start.as_str()).filter(|text| text.starts_with('-')).collect();
    let reads =
        ["--get", "--list", "-l", "--get-all", "--get-regexp", "--show-origin", "--get-urlmatch", "--name-only"];
    let in_file = words.iter().any(|word| ["-f", "--f", "--b"].iter().any(|option| word.start.starts_with(option)));
    let plain = match plain.first().and_then(|word| word.text()) {
        Some("get" | "list") if !in_file => return,
        Some("set") => plain.get(1..).unwrap_or_default(),
        _ => plain,
    };
    let file = options
        .iter()
        .any(|option| option.starts_with("-f") || option.starts_with("--file") || option.starts_with("--blob"));
    if !file && (options.iter().any(|option| reads.contains(option)) || (plain.len() == 1 && options.is_empty())) {
        return;
    }
    let key = plain.first().and_then(|word| word.text()).unwrap_or_default().to_lowercase();
    if file || !is_harmless_key(&key) {
        call.unclear(&format!("git config {key}"), "this setting may make git run something");
    }
    for (at, word) in words.iter().enumerate() {
        let attached = word.strip("--file=").or_else(|| word.strip("-f").filter(|file| file.text() != Some("")));
        let separate = matches!(word.text(), Some("--file" | "-f")).then(|| words.get(at + 1).cloned()).flatten();
        if let Some(file) = attached.or(separate) {
            call.write(&file, false);
        }
    }
    if options.contains(&"--global") {
        call.write(&Field::fixed(&format!("{}/.gitconfig", call.walk.around.home.as_str())), false);
    } else if options.contains(&"--system") {
        call.write(&Field::fixed("/etc/gitconfig"), false);
    }
}

fn clone(call: &mut Call<'_, '_>, plain: &[&Field]) {
    // Values of options look like operands here: the address is the one that looks like an address.
    let is_address = |word: &&&Field| word.start.contains([':', '/', '@', '.']) || word.text().is_none();
    let at = plain.iter().position(|word| is_address(&word)).unwrap_or_default();
    remote(call, plain.get(at).copied());
    match (plain.get(at + 1), plain.get(at)) {
        (Some(folder), _) => call.write(folder, true),
        (None, Some(address)) => {
            let name = address.text().unwrap_or_default().trim_end_matches('/').trim_end_matches(".git");
            let name = name.rsplit(['/', ':']).next().unwrap_or_default();
            let folder = if name.is_empty() { Field::unknown(&address.written) } else { Field::fixed(name) };
            call.write(&folder, true);
        }
        (None, None) => {}
    }
}

/// The host of a remote, if its address is given. A local folder is read.
fn remote(call: &mut Call<'_, '_>, word: Option<&Field>) {
    let Some(word) = word else { return call.walk.reach(None, None) };
    if word.start.contains("::") {
        call.unclear(&word.written, "an address that may run a command");
    }
    let local = word.start.starts_with(['/', '.']) || word.start.starts_with("file:");
    if local {
        let path = word.strip("file://").unwrap_or_else(|| word.clone());
        call.read(&path, true);
        return;
    }
    match host_of(word) {
        Some(address) => call.walk.reach(Some(&address.host), address.port),
        None => call.walk.reach(None, None),
    }
}

/// `--exec` of a rebase is a text for a shell.
fn rebase(call: &mut Call<'_, '_>, words: &[Field]) {
    for (at, word) in words.iter().enumerate() {
        let text = match word.start.as_str() {
            "--exec" => words.get(at + 1).cloned(),
            text if text.starts_with("--exec=") => Some(word.after("--exec=".len())),
            text if text.starts_with("--ex") => Some(Field::unknown(text)),
            _ => match cluster(word, "x", "sXC") {
                Some((_, text)) if text.text() == Some("") => words.get(at + 1).cloned(),
                Some((_, text)) => Some(text),
                None => None,
            },
        };
        if let Some(text) = text {
            inner_text(call, &[&text]);
        }
    }
}

/// Words that are joined to a text for a shell.
fn inner_text(call: &mut Call<'_, '_>, words: &[&Field]) {
    let texts: Option<Vec<&str>> = words.iter().map(|word| word.text()).collect();
    match texts {
        Some(texts) => call.walk.shell(&texts.join(" ")),
        None => call.unclear("git", "a command that is known only when it runs"),
    }
}
