//! Where keys and passwords are: by usual names, and by usual places.

use super::{Meets, Path, Pattern, Surroundings, meets};

/// Names that hold keys and passwords: a whole name, or with `*` at its end or its beginning.
const SECRET_NAMES: &[&str] = &[
    ".env",
    ".env.*",
    ".netrc",
    ".pgpass",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.keystore",
    "credentials.json",
    "auth.json",
    ".bash_history",
    ".zsh_history",
    ".sh_history",
    ".ksh_history",
    "fish_history",
    ".psql_history",
    ".mysql_history",
    ".sqlite_history",
    ".rediscli_history",
    ".node_repl_history",
    ".python_history",
    ".irb_history",
];

/// Names beginning like a secret that hold none.
const NO_SECRETS: &[&str] =
    &[".env.example", ".env.sample", ".env.template", "id_rsa.pub", "id_ed25519.pub", "id_ecdsa.pub"];

/// Files and folders in a home that hold keys and passwords.
const SECRET_IN_HOME: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/gh",
    ".config/git/credentials",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".kube",
    ".docker",
    ".password-store",
    ".local/share/keyrings",
    ".mozilla",
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware",
    "Library/Keychains",
    "Library/Application Support/Firefox",
    "Library/Application Support/Google/Chrome",
];

/// Files and folders of the machine that hold keys and passwords.
const SECRET_ON_MACHINE: &[&str] = &["/etc/shadow", "/etc/gshadow", "/run/secrets", "/var/run/secrets", "/proc/kcore"];

/// Links of a process, in `/proc`, that lead somewhere else.
const PROCESS_LINKS: &[&str] = &["root", "cwd", "fd", "map_files"];

/// What `/proc` has of a process that its keys and passwords are in.
const PROCESS_SECRETS: &[&str] = &["environ", "mem"];

/// The keys of a host, in [`HOST_KEYS_IN`].
const HOST_KEY: &str = "ssh_host_*_key";

/// Where the keys of a host are.
const HOST_KEYS_IN: &str = "/etc/ssh";

/// Whether a file holds keys or passwords.
pub(super) fn is_secret(path: &Path, home: &Path) -> bool {
    let name = path.name();
    let is = |pattern: &&str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == *pattern,
    };
    let by_name = SECRET_NAMES.iter().any(is) && !NO_SECRETS.contains(&name);
    by_name
        || places(home).any(|place| path.is_in(&place))
        || process(path).any(|part| PROCESS_SECRETS.contains(&part))
        || (path.is_in(&Path::absolute(HOST_KEYS_IN)) && meets(name, HOST_KEY) > Meets::No)
}

/// Whether it is a link of a process that leads somewhere else.
pub(super) fn is_link(path: &Path) -> bool {
    process(path).any(|part| PROCESS_LINKS.contains(&part))
}

/// The places of a home and of the machine.
fn places(home: &Path) -> impl Iterator<Item = Path> {
    let in_home = SECRET_IN_HOME.iter().map(move |kept| Path::resolve(home, kept));
    in_home.chain(SECRET_ON_MACHINE.iter().map(|kept| Path::absolute(kept)))
}

/// What a path in `/proc` says after the number of the process, or `self`.
fn process(path: &Path) -> impl Iterator<Item = &str> {
    path.as_str().strip_prefix("/proc/").unwrap_or_default().split('/').skip(1)
}

impl Surroundings {
    /// Whether a folder, with all that lies in it, has a place of keys and passwords in it.
    pub(crate) fn holds_secrets(&self, folder: &Path) -> bool {
        places(&self.home).chain([Path::absolute(HOST_KEYS_IN)]).any(|place| place.is_in(folder))
    }

    /// Whether a pattern may find keys and passwords: where they are kept it may find any, elsewhere only those whose name
    /// it points at. So `*.rs` and a bare `*` in the workspace are no questions, and `*.pe?` is one.
    pub(super) fn may_be_secret(&self, pattern: &Pattern) -> bool {
        let name = pattern.name();
        let by_name = SECRET_NAMES.iter().any(|secret| meets(name, secret) == Meets::Points);
        let is_host_key = || meets(name, HOST_KEY) > Meets::No && pattern.may_lie_in(&Path::absolute(HOST_KEYS_IN));
        (by_name && !NO_SECRETS.contains(&name))
            || places(&self.home).any(|place| pattern.may_touch(&place))
            || pattern.may_lie_in(&Path::absolute("/proc"))
            || is_host_key()
    }
}
