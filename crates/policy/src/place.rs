//! Where something lies, told from its path alone: no disk is asked, so a link is not followed here. Whoever acts
//! follows links itself and refuses to leave the workspace by one.

/// An absolute path without `.`, `..`, doubled or trailing slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(String);

impl Path {
    /// `text` as seen from the folder `from`. `~` alone or before a slash must have been replaced already.
    pub fn resolve(from: &Self, text: &str) -> Self {
        let base = if text.starts_with('/') { "" } else { from.0.as_str() };
        let mut parts: Vec<&str> = Vec::new();
        for part in base.split('/').chain(text.split('/')) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        Self(format!("/{}", parts.join("/")))
    }

    /// An absolute path.
    pub fn absolute(text: &str) -> Self {
        Self::resolve(&Self(String::new()), text)
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `folder` or lies in it.
    pub fn is_in(&self, folder: &Self) -> bool {
        let rest = self.0.strip_prefix(folder.0.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The last part of it; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

/// What a judgement knows of the world around an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The folder in which the act happens.
    pub cwd: Path,
    /// The user's home.
    pub home: Path,
    /// The folders that are worked on, each with all that lies in it.
    pub workspace: Vec<Path>,
    /// Folders in the workspace or outside that only their owner changes, beside `.git` of each workspace folder: where
    /// Capstan keeps its sessions, its audit log, its rules.
    pub protected: Vec<Path>,
    /// Folders for what is thrown away: `/tmp`.
    pub temporary: Vec<Path>,
    /// The kernel keeps the act to the workspace and off the network, whatever it tries.
    pub confined: bool,
}

/// What kind of place a path is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// In the workspace.
    Workspace,
    /// For what is thrown away, `/dev/null` and the standard streams among it.
    Temporary,
    /// Neither: the rest of the machine.
    Outside,
    /// Keys and passwords by their usual names, wherever they lie.
    Secret,
    /// `.git` (its hooks and settings run code), and what Capstan itself relies on.
    Protected,
    /// A device of the machine: a disk, memory.
    Device,
    /// A path that cannot be told from the text of the act.
    Unknown,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Workspace, Self::Temporary, Self::Outside, Self::Secret, Self::Protected, Self::Device, Self::Unknown];

    /// The word for it, as rule files and logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Temporary => "temporary",
            Self::Outside => "outside",
            Self::Secret => "secret",
            Self::Protected => "protected",
            Self::Device => "device",
            Self::Unknown => "unknown",
        }
    }

    /// The place of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.name() == name)
    }
}

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

/// Devices that any program may use.
const HARMLESS_DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/tty",
];

impl Surroundings {
    /// What kind of place a path is in. Of several, the one that is to be guarded most.
    pub fn place(&self, path: &Path) -> Place {
        if HARMLESS_DEVICES.contains(&path.as_str()) || path.is_in(&Path::absolute("/dev/fd")) {
            return Place::Temporary;
        }
        if path.is_in(&Path::absolute("/dev")) && !path.is_in(&Path::absolute("/dev/shm")) {
            return Place::Device;
        }
        if process(path).any(|part| PROCESS_LINKS.contains(&part)) {
            return Place::Unknown;
        }
        let git = |folder: &Path| path.is_in(&Path::resolve(folder, ".git"));
        let within_git = || path.as_str().split('/').any(|part| part == ".git");
        if self.protected.iter().any(|folder| path.is_in(folder)) || self.workspace.iter().any(git) {
            return Place::Protected;
        }
        if self.is_secret(path) {
            return Place::Secret;
        }
        if self.workspace.iter().any(|folder| path.is_in(folder)) {
            return if within_git() { Place::Protected } else { Place::Workspace };
        }
        if self.temporary.iter().any(|folder| path.is_in(folder)) {
            return Place::Temporary;
        }
        Place::Outside
    }

    fn is_secret(&self, path: &Path) -> bool {
        let name = path.name();
        let is = |pattern: &&str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) => name.ends_with(end),
            (None, Some(start)) => name.starts_with(start),
            (None, None) => name == *pattern,
        };
        let in_home = |kept: &&str| path.is_in(&Path::resolve(&self.home, kept));
        let on_machine = |kept: &&str| path.is_in(&Path::absolute(kept));
        let of_host = || {
            let is_key = name.starts_with("ssh_host_") && name.ends_with("_key");
            is_key && path.is_in(&Path::absolute("/etc/ssh"))
        };
        let by_name = SECRET_NAMES.iter().any(is) && !NO_SECRETS.contains(&name);
        by_name
            || SECRET_IN_HOME.iter().any(in_home)
            || SECRET_ON_MACHINE.iter().any(on_machine)
            || process(path).any(|part| PROCESS_SECRETS.contains(&part))
            || of_host()
    }
}

/// What a path in `/proc` says after the number of the process, or `self`.
fn process(path: &Path) -> impl Iterator<Item = &str> {
    path.as_str().strip_prefix("/proc/").unwrap_or_default().split('/').skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::examples::around;

    #[test]
    fn keys_and_passwords_are_known_by_where_they_lie() {
        for (path, expected) in [
            ("/home/user/.config/gh/hosts.yml", Place::Secret),
            ("/home/user/.config/git/credentials", Place::Secret),
            ("/home/user/.config/git/ignore", Place::Outside),
            ("/home/user/.cargo/credentials.toml", Place::Secret),
            ("/home/user/.cargo/registry/x", Place::Outside),
            ("/home/user/.mozilla/firefox/x/logins.json", Place::Secret),
            ("/home/user/.config/google-chrome/Default/Cookies", Place::Secret),
            ("/home/user/.config/chromium", Place::Secret),
            ("/home/user/.bash_history", Place::Secret),
            ("/workspace/.psql_history", Place::Secret),
            ("/workspace/order_history", Place::Workspace),
            ("/etc/ssh/ssh_host_rsa_key", Place::Secret),
            ("/etc/ssh/ssh_host_rsa_key.pub", Place::Outside),
            ("/run/secrets/x", Place::Secret),
            ("/proc/self/environ", Place::Secret),
            ("/proc/12/task/13/environ", Place::Secret),
            ("/proc/self/status", Place::Outside),
            ("/proc/root", Place::Outside),
            ("/proc/self/root/etc/shadow", Place::Unknown),
            ("/proc/12/cwd/x", Place::Unknown),
            ("/proc/self/fd/3", Place::Unknown),
        ] {
            assert_eq!(around().place(&Path::absolute(path)), expected, "{path}");
        }
    }
}
