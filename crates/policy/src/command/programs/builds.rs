//! Programs that build, test and fetch what is built on.

use super::Program;
use super::rewrites::rewrites;
use super::verbs::Verbs;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::effects::Nature::{Builds, Destroys, Fetches, Looks, Publishes, Unknown};

pub(super) const OTHER_TOOL: &str = "this option makes it run or read something else";

static CARGO: Verbs = Verbs {
    natures: &[
        (Looks, &["version", "help", "tree", "metadata", "pkgid", "locate-project", "verify-project", "read-manifest"]),
        (
            Builds,
            &[
                "build",
                "b",
                "check",
                "c",
                "test",
                "t",
                "clippy",
                "fmt",
                "doc",
                "d",
                "bench",
                "run",
                "r",
                "rustc",
                "rustdoc",
                "clean",
                "fix",
                "new",
                "init",
                "package",
                "nextest",
                "llvm-cov",
                "fuzz",
                "deny",
                "mutants",
                "expand",
                "machete",
                "hack",
                "insta",
                "xtask",
                "miri",
                "tarpaulin",
                "msrv",
                "sort",
                "remove",
                "rm",
                "asm",
                "criterion",
                "udeps",
                "udeps",
            ],
        ),
        (
            Fetches,
            &[
                "add",
                "update",
                "fetch",
                "generate-lockfile",
                "vendor",
                "search",
                "info",
                "install",
                "audit",
                "outdated",
                "binstall",
            ],
        ),
        (Publishes, &["publish", "yank", "owner", "login", "logout"]),
        (Destroys, &["uninstall"]),
    ],
    values: &["--color", "-Z", "--config"],
    unclear: &[("--config", OTHER_TOOL), ("--registry", OTHER_TOOL), ("--index", OTHER_TOOL)],
    folders: &["--manifest-path", "-C", "--lockfile-path"],
    ..Verbs::PLAIN
};

static NODE: Verbs = Verbs {
    natures: &[
        (
            Looks,
            &[
                "pkg get", "ls", "list", "why", "explain", "root", "prefix", "bin", "help", "version", "ll", "la",
                "licenses", "fund",
            ],
        ),
        (
            Builds,
            &[
                "run",
                "run-script",
                "test",
                "t",
                "start",
                "stop",
                "build",
                "rebuild",
                "lint",
                "pack",
                "prune",
                "dedupe",
                "format",
                "dev",
                "serve",
                "preview",
                "typecheck",
                "type-check",
                "check",
                "coverage",
                "watch",
                "clean",
                "e2e",
                "tsc",
                "eslint",
                "prettier",
                "jest",
                "vitest",
            ],
        ),
        (
            Fetches,
            &[
                "exec",
                "install",
                "i",
                "add",
                "ci",
                "update",
                "up",
                "upgrade",
                "dlx",
                "create",
                "init",
                "audit",
                "outdated",
                "view",
                "info",
                "search",
                "import",
                "fetch",
                "install-test",
                "it",
                "x",
                "self-update",
                "ping",
                "remove",
                "rm",
                "uninstall",
                "un",
            ],
        ),
        (
            Publishes,
            &[
                "publish",
                "unpublish",
                "deprecate",
                "dist-tag",
                "access",
                "owner",
                "login",
                "logout",
                "token",
                "adduser",
                "team",
            ],
        ),
        (Destroys, &["link", "unlink", "cache", "config", "set", "store"]),
    ],
    alone: Looks,
    values: &["--workspace", "-w", "--filter", "-F", "--loglevel"],
    unclear: &[
        ("--script-shell", OTHER_TOOL),
        ("--node-options", OTHER_TOOL),
        ("--registry", OTHER_TOOL),
        ("--userconfig", OTHER_TOOL),
        ("--globalconfig", OTHER_TOOL),
        ("--shell", OTHER_TOOL),
    ],
    folders: &["--prefix", "-C", "--dir", "--cwd"],
    ..Verbs::PLAIN
};

static YARN: Verbs = Verbs { alone: Fetches, ..NODE };

static PYTHON_TOOLS: Verbs = Verbs {
    natures: &[
        (
            Looks,
            &[
                "list", "show", "freeze", "check", "help", "version", "debug", "env list", "env info", "env show",
                "about", "tree", "inspect",
            ],
        ),
        (Builds, &["run", "build", "test", "shell", "venv", "init", "new", "format"]),
        (
            Fetches,
            &[
                "install",
                "download",
                "wheel",
                "index",
                "search",
                "sync",
                "add",
                "update",
                "pip",
                "tool",
                "x",
                "self",
                "python",
                "remove",
                "uninstall",
                "upgrade",
                "inject",
                "runpip",
                "lock",
            ],
        ),
        (Publishes, &["publish", "upload", "register"]),
        (Destroys, &["cache", "config"]),
    ],
    unclear: &[
        ("--index-url", OTHER_TOOL),
        ("--extra-index-url", OTHER_TOOL),
        ("--python", OTHER_TOOL),
        ("-i", OTHER_TOOL),
    ],
    folders: &["--directory", "--project", "-C"],
    ..Verbs::PLAIN
};

static GO: Verbs = Verbs {
    natures: &[
        (Looks, &["version", "env", "doc", "list", "help", "mod graph", "mod why", "mod verify"]),
        (
            Builds,
            &[
                "build",
                "test",
                "vet",
                "fmt",
                "run",
                "generate",
                "clean",
                "fix",
                "tool",
                "mod init",
                "mod edit",
                "mod vendor",
            ],
        ),
        (Fetches, &["get", "install", "mod tidy", "mod download", "work sync"]),
        (Builds, &["work"]),
    ],
    unclear: &[
        ("-toolexec", OTHER_TOOL),
        ("-exec", OTHER_TOOL),
        ("-vettool", OTHER_TOOL),
        ("-overlay", OTHER_TOOL),
        ("-w", OTHER_TOOL),
    ],
    folders: &["-C", "-modfile"],
    ..Verbs::PLAIN
};

static MAKE: Verbs = Verbs {
    natures: &[
        (Unknown, &["eval", "set", "console", "shell"]),
        (Destroys, &["install", "uninstall", "deploy", "publish", "release"]),
    ],
    other: Builds,
    alone: Builds,
    values: &["-j", "-l", "-o", "-W"],
    unclear: &[
        ("--eval", "a text that is run as a makefile"),
        ("-E", "a text that is run as a makefile"),
        ("-e", "a text that is run"),
        ("-c", "a text that is run"),
        ("--command", "a text that is run"),
        ("--shell", OTHER_TOOL),
        ("--chooser", OTHER_TOOL),
        ("--run_under", OTHER_TOOL),
    ],
    folders: &[
        "-C",
        "--directory",
        "-f",
        "--file",
        "--makefile",
        "-I",
        "--include-dir",
        "--justfile",
        "-d",
        "--working-directory",
    ],
    many: true,
    ..Verbs::PLAIN
};

static JVM: Verbs = Verbs {
    natures: &[
        (
            Publishes,
            &["deploy", "publish", "uploadArchives", "publishToMavenCentral", "release:perform", "release:prepare"],
        ),
        (
            Builds,
            &[
                "build",
                "assemble",
                "check",
                "test",
                "clean",
                "jar",
                "classes",
                "testClasses",
                "compile",
                "verify",
                "package",
                "validate",
                "install",
                "compileJava",
                "compileKotlin",
                "test-compile",
                "integrationTest",
                "run",
                "bootRun",
                "lint",
                "spotlessCheck",
                "spotlessApply",
                "ktlintCheck",
                "ktlintFormat",
                "detekt",
                "javadoc",
                "dokkaHtml",
                "assembleDebug",
                "testDebugUnitTest",
                "lintDebug",
                "spotless:check",
                "spotless:apply",
                "dependency:tree",
            ],
        ),
        (Looks, &["dependencies", "tasks", "projects", "properties", "help"]),
    ],
    alone: Builds,
    values: &["-T", "-pl", "-P", "-x", "--tests"],
    unclear: &[
        ("-I", OTHER_TOOL),
        ("--init-script", OTHER_TOOL),
        ("-s", OTHER_TOOL),
        ("--settings", OTHER_TOOL),
        ("-gs", OTHER_TOOL),
    ],
    folders: &["-p", "--project-dir", "-f", "--file", "-b", "--build-file"],
    many: true,
    ..Verbs::PLAIN
};

static CMAKE: Verbs = Verbs {
    other: Builds,
    alone: Builds,
    values: &[],
    unclear: &[("-P", "a script"), ("-E", "a command of its own"), ("--install", "it installs")],
    folders: &["-S", "-B", "-H", "-C", "--build"],
    ..Verbs::PLAIN
};

static CTEST: Verbs = Verbs {
    unclear: &[
        ("-S", "a script"),
        ("--script", "a script"),
        ("--build-and-test", OTHER_TOOL),
        ("--build-makeprogram", OTHER_TOOL),
        ("-D", "it may submit what it finds"),
        ("--dashboard", "it may submit what it finds"),
        ("-M", "it may submit what it finds"),
        ("--test-model", "it may submit what it finds"),
        ("-T", "it may submit what it finds"),
        ("--test-action", "it may submit what it finds"),
        ("--submit-index", "it may submit what it finds"),
        ("--extra-submit", "it may submit what it finds"),
    ],
    folders: &["--test-dir"],
    ..Verbs::PLAIN
};

static DOTNET: Verbs = Verbs {
    natures: &[
        (Builds, &["build", "test", "run", "clean", "format", "new", "pack", "msbuild", "sln"]),
        (Fetches, &["new install", "new update", "restore", "add", "tool", "workload", "remove"]),
        (Publishes, &["nuget"]),
        (Builds, &["publish"]),
        (Looks, &["list", "help"]),
    ],
    ..Verbs::PLAIN
};

static RUBY_TOOLS: Verbs = Verbs {
    natures: &[
        (
            Looks,
            &["list", "show", "info", "check", "help", "env", "environment", "contents", "which", "query", "validate"],
        ),
        (Builds, &["exec", "build", "run-script", "run", "console", "clean", "init", "test", "dump-autoload"]),
        (
            Fetches,
            &["install", "update", "add", "outdated", "fetch", "require", "create-project", "search", "remove", "lock"],
        ),
        (Publishes, &["push", "yank", "owner", "release", "signin"]),
        (Destroys, &["uninstall", "config", "cleanup", "pristine", "global"]),
    ],
    alone: Fetches,
    folders: &["-d", "--working-dir", "--gemfile"],
    ..Verbs::PLAIN
};

static RUSTUP: Verbs = Verbs {
    natures: &[
        (Looks, &["show", "which", "doc", "help", "check", "toolchain list", "component list", "target list", "man"]),
        (Fetches, &["update", "install", "toolchain", "component", "target", "self", "default", "override"]),
        (Builds, &["run"]),
    ],
    ..Verbs::PLAIN
};

pub(super) fn jvm(call: &mut Call<'_, '_>) {
    call.verbs(&JVM);
}

pub(super) fn find(name: &str) -> Option<Program> {
    let verbs = match name {
        "cargo" => return Some(Program::Own(cargo)),
        "npm" | "pnpm" => &NODE,
        "yarn" => &YARN,
        "npx" | "pnpx" | "bunx" | "uvx" | "pipx" => return Some(Program::Own(brought)),
        "pip" | "pip3" | "uv" | "poetry" | "pipenv" | "pdm" | "hatch" | "twine" | "conda" | "mamba" => {
            return Some(Program::Own(python_tool));
        }
        "go" => return Some(Program::Own(go)),
        "make" | "gmake" | "just" | "ninja" | "task" | "rake" | "bazel" | "meson" | "scons" | "ant" | "sbt" | "tox"
        | "nox" => return Some(Program::Own(make)),
        "gradle" | "mvn" | "gradlew" | "mvnw" => &JVM,
        "cmake" => &CMAKE,
        "ctest" => return Some(Program::Own(ctest)),
        "dotnet" => &DOTNET,
        "bundle" | "bundler" | "gem" | "composer" => return Some(Program::Own(ruby_tool)),
        "rustup" => return Some(Program::Own(rustup)),
        "rustc" | "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" | "ld" | "ar" | "as" | "javac" | "tsc"
        | "eslint" | "prettier" | "jest" | "vitest" | "mocha" | "pytest" | "py.test" | "mypy" | "ruff" | "black"
        | "isort" | "flake8" | "pylint" | "pyright" | "rustfmt" | "gofmt" | "goimports" | "golangci-lint"
        | "clang-format" | "clang-tidy" | "shellcheck" | "shfmt" | "swc" | "webpack" | "vite" | "rollup"
        | "esbuild" | "next" | "turbo" | "biome" | "phpunit" | "rspec" | "rubocop" | "coverage" | "pre-commit"
        | "typos" | "taplo" | "actionlint" | "hadolint" | "kotlinc" | "scalac" | "swiftc" | "protoc" | "buf"
        | "yamllint" | "markdownlint" | "stylelint" | "playwright" | "cypress" => {
            return Some(Program::Own(super::tools::tool));
        }
        _ => return None,
    };
    Some(Program::Verbs(verbs))
}

/// It runs the tests of a folder, and has no verbs.
fn ctest(call: &mut Call<'_, '_>) {
    call.odd_options(&CTEST);
    call.builds(None);
}

fn python_tool(call: &mut Call<'_, '_>) {
    call.verbs(&PYTHON_TOOLS);
    runs_after(call, &["run"], 0);
}

fn ruby_tool(call: &mut Call<'_, '_>) {
    call.verbs(&RUBY_TOOLS);
    runs_after(call, &["exec"], 0);
    if call.name == "composer" && call.words.iter().any(|word| word.text() == Some("exec")) {
        call.unclear("composer exec", "it starts another program in a way that is not understood here");
    }
}

fn rustup(call: &mut Call<'_, '_>) {
    call.verbs(&RUSTUP);
    runs_after(call, &["run"], 1);
}

/// What stands after such a verb, and so many words more, is a program with its words.
fn runs_after(call: &mut Call<'_, '_>, verbs: &[&str], skipped: usize) {
    let Some((first, rest)) = call.words.split_first() else { return };
    let Some(first) = first.text().filter(|first| !first.starts_with('-')) else {
        let runs = rest.iter().any(|word| word.text().is_some_and(|text| verbs.contains(&text)));
        if runs {
            call.unclear(call.name, "it starts another program in a way that is not understood here");
        }
        return;
    };
    let inner = rest.get(skipped..).unwrap_or_default();
    let inner =
        if inner.first().and_then(Field::text) == Some("--") { inner.get(1..).unwrap_or_default() } else { inner };
    match inner.first() {
        Some(word) if verbs.contains(&first) && word.start.starts_with('-') => {
            call.unclear(&word.written, "whether the next word is the value of this option is not known");
        }
        Some(word)
            if verbs.contains(&first)
                && word.text().and_then(|text| text.rsplit_once('.')).is_some_and(|(_, end)| end == "py") =>
        {
            let words: Vec<Field> = std::iter::once(Field::fixed("python")).chain(inner.iter().cloned()).collect();
            call.walk.inner(&words);
        }
        Some(_) if verbs.contains(&first) => call.walk.inner(inner),
        _ => {}
    }
}

/// Some words make it fetch, remove what others use, or hand options to what it starts.
fn go(call: &mut Call<'_, '_>) {
    call.verbs(&GO);
    rewrites(call, call.name, call.words);
    let first = call.first().unwrap_or_default().to_owned();
    for word in call.words {
        let text = word.start.as_str();
        let option = text.trim_start_matches('-');
        let flags = ["ldflags", "gcflags", "asmflags", "gccgoflags"].iter().any(|name| option.starts_with(name));
        if text.starts_with('-') && flags && text.contains("-ext") {
            call.walk.unclear(&word.written, OTHER_TOOL);
        } else if first == "clean" && matches!(option, "modcache" | "cache" | "fuzzcache") {
            call.walk.unclear(&word.written, "it removes what other folders use too");
        } else if first == "run" && text.contains('@') {
            call.walk.unclear(&word.written, "it fetches what it runs");
        } else if text.starts_with("-ext") {
            call.walk.unclear(&word.written, OTHER_TOOL);
        }
    }
}

/// Words that set variables are none of its goals.
fn make(call: &mut Call<'_, '_>) {
    for (name, value) in call.words.iter().filter_map(|word| word.split('=')).filter(|(name, _)| !name.starts_with('-'))
    {
        call.walk.variable(name.trim_end_matches([':', '+', '?', '!']), value.text());
        if value.start.contains(['$', '`']) || value.text().is_none() || call.leads_out(&value) {
            call.walk.unclear(&value.written, "this value may make it run or change something else");
        }
    }
    if call.name == "sbt" {
        for word in call.words.iter().filter(|word| word.start.contains([' ', ';']) && !word.start.starts_with("test"))
        {
            call.walk.unclear(&word.written, "a text that is run");
        }
    }
    let goals: Vec<_> =
        call.words.iter().filter(|word| word.start.starts_with('-') || !word.start.contains('=')).cloned().collect();
    Call { walk: call.walk, name: call.name, words: &goals }.verbs(&MAKE);
}

/// Programs that are brought in to be run, with their own words.
fn brought(call: &mut Call<'_, '_>) {
    let what = call.words.iter().find(|word| !word.start.starts_with('-')).and_then(|word| word.text());
    let verb = what.map(str::to_owned);
    call.of_nature(Fetches, Some(verb.as_deref().unwrap_or("?")));
    if let Some(at) = call.words.iter().position(|word| !word.start.starts_with('-')) {
        rewrites(call, what.unwrap_or_default(), call.words.get(at + 1..).unwrap_or_default());
    }
}

/// What a new folder of cargo is called, and where a build goes, is in its words.
fn cargo(call: &mut Call<'_, '_>) {
    call.verbs(&CARGO);
    rewrites(call, call.name, call.words);
    for word in call.words {
        if word.start.starts_with('+') && word.start.contains('/') {
            call.walk.unclear(&word.written, "a toolchain that is a folder");
        }
    }
    let compiles = call.words.iter().any(|word| matches!(word.text(), Some("rustc" | "rustdoc")));
    if compiles && call.words.iter().any(|word| word.text() == Some("--")) {
        call.unclear("cargo rustc --", "options of the compiler may make it run something else");
    }
    let first = call.words.iter().find(|word| !word.start.starts_with(['-', '+']));
    if let (Some("new" | "init"), Some(folder)) = (first.and_then(|word| word.text()), call.words.last()) {
        let folder = folder.clone();
        call.write(&folder, true);
    }
}
