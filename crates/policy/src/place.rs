//! Where something lies, told from its path alone: no disk is asked, so a link is not followed here. Whoever acts
//! follows links itself and refuses to leave the workspace by one.

mod pattern;
mod secrets;

pub use pattern::Pattern;
pub(crate) use pattern::{Meets, meets};
use secrets::{is_link, is_secret};

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
        if is_link(path) {
            return Place::Unknown;
        }
        let git = |folder: &Path| path.is_in(&Path::resolve(folder, ".git"));
        let within_git = || path.as_str().split('/').any(|part| part == ".git");
        if self.protected.iter().any(|folder| path.is_in(folder)) || self.workspace.iter().any(git) {
            return Place::Protected;
        }
        if is_secret(path, &self.home) {
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

    /// What kind of place a pattern may find something in. Of several, the one that is to be guarded most when it is read,
    /// or when it is changed.
    pub(crate) fn place_of(&self, pattern: &Pattern, reads: bool) -> Place {
        let place = self.place(pattern.folder());
        if !matches!(place, Place::Workspace | Place::Temporary | Place::Outside) {
            return place;
        }
        let secret = self.may_be_secret(pattern);
        if secret && reads {
            return Place::Secret;
        }
        let git = || pattern.parts().any(|part| meets(part, ".git") == Meets::Points);
        let kept = || self.protected.iter().any(|folder| pattern.may_touch(folder));
        // What is unpacked into a folder, or found in it, may be anything there, which does not point at anything.
        if place == Place::Workspace && git() || !pattern.is_anything() && kept() {
            return Place::Protected;
        }
        if secret { Place::Secret } else { place }
    }
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
