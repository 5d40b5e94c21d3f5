//! Which variables change what a command line does.

/// Variables that only say how something is shown, or who did it.
const HARMLESS: &[&str] = &[
    "CARGO_INCREMENTAL",
    "CARGO_NET_OFFLINE",
    "CARGO_TARGET_DIR",
    "CARGO_TERM_COLOR",
    "CI",
    "COLUMNS",
    "DEBUG",
    "FORCE_COLOR",
    "GIT_AUTHOR_DATE",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_DATE",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_OPTIONAL_LOCKS",
    "GIT_TERMINAL_PROMPT",
    "LANG",
    "LANGUAGE",
    "LINES",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_NO_INPUT",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
    "TERM",
    "TZ",
];

/// Variables that change what runs, where it is looked for, or what a path means: by their name, or with `*` at its end
/// or its beginning.
const POWERFUL: &[&str] = &[
    "*COMMAND*",
    "*EDITOR",
    "*FLAGS",
    "*HOME",
    "*OPTIONS",
    "*OPTS",
    "*PAGER",
    "*PATH",
    "*PRELOAD",
    "*PROXY",
    "*proxy",
    "*RUNNER",
    "*SHELL",
    "*WRAPPER",
    "*_AGENT_PID",
    "*_AUTH_SOCK",
    "*_CONFIG*",
    "*_DIR",
    "*_HOST",
    "*_PROGRAM",
    "*_REGISTRY",
    "*_URL",
    "AR",
    "AS",
    "ASKPASS*",
    "AWS_*",
    "BASH*",
    "BROWSER",
    "CARGO*",
    "CC",
    "CDPATH",
    "COMSPEC",
    "CURL_*",
    "CXX",
    "DYLD_*",
    "ENV",
    "EXECIGNORE",
    "FIGNORE",
    "FPATH",
    "GCONV_*",
    "GIT_*",
    "GLOBIGNORE",
    "GNUPG*",
    "GREP_*",
    "GZIP",
    "HIST*",
    "IFS",
    "INPUTRC",
    "JAVA_*",
    "KUBE*",
    "LD",
    "LD_*",
    "LESS*",
    "LIB",
    "LINKER",
    "LOCPATH",
    "LS_COLORS",
    "MAKE*",
    "MAN*",
    "MAVEN_*",
    "NLSPATH",
    "NODE_*",
    "npm_*",
    "NPM_*",
    "OLDPWD",
    "OPT*",
    "PERL*",
    "PIP_*",
    "POSIXLY_CORRECT",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "PWD",
    "PYTHON*",
    "R_*",
    "RIPGREP_*",
    "RSYNC_*",
    "RUBY*",
    "RUST*",
    "SHELLOPTS",
    "SSH_*",
    "SUDO_*",
    "TAR_*",
    "TERMINFO*",
    "TMPDIR",
    "TMP",
    "TEMP",
    "UV_*",
    "VIMINIT",
    "VISUAL",
    "WGETRC",
    "XDG_*",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];

/// Like the ones above by their names, and common: with any value they only change what is shown.
const SHOWN: &[&str] = &["RUST_LOG", "RUST_BACKTRACE", "NODE_ENV", "RUST_TEST_THREADS", "NO_COLOR"];

/// Variables that choose among what a program knows already, if their value is a plain word.
const CHOOSING: &[&str] =
    &["APP_ENV", "FLASK_ENV", "GOARCH", "GOOS", "LOGLEVEL", "LOG_LEVEL", "MIX_ENV", "RACK_ENV", "RAILS_ENV"];

/// Programs that may be named in a variable for showing or editing: they do nothing.
const IDLE: &[&str] = &["", "cat", "true", ":", "less", "more"];

/// Whether setting a variable to this, if that is known, may change what is run or what is meant.
pub(crate) fn is_powerful(name: &str, value: Option<&str>) -> bool {
    !is_harmless(name, value) && POWERFUL.iter().any(|pattern| matches(pattern, name))
}

/// Whether a value can neither be a path, nor a program, nor an option: a number, or a yes or no.
pub(crate) fn is_switch(name: &str, value: &str) -> bool {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = || value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_number
        || matches!(value, "true" | "false" | "yes" | "no" | "on" | "off")
        || (CHOOSING.contains(&name) && is_word())
}

/// Whether a variable of this value is known to change nothing that matters.
pub(crate) fn is_harmless(name: &str, value: Option<&str>) -> bool {
    if HARMLESS.contains(&name) || SHOWN.contains(&name) || name.starts_with("LC_") {
        return true;
    }
    let shows = name.ends_with("PAGER") || name.ends_with("EDITOR");
    if shows && value.is_some_and(|value| IDLE.contains(&value)) {
        return true;
    }
    let inside = |value: &str| {
        value.split(':').all(|folder| !folder.starts_with(['/', '~']) && !folder.split('/').any(|part| part == ".."))
    };
    name == "PYTHONPATH" && value.is_some_and(inside)
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

/// The names in a text of arithmetic.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .filter(|name| name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_'))
}
