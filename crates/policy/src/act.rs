//! What somebody wants to do.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::place::Path;

/// Who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What the actor is called: a user's name, a key's name, a session's id.
    pub name: String,
    /// What it may do at most.
    pub role: Role,
}

/// What an actor may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Owns the machine or the installation.
    Owner,
    /// Runs it for others: starts, stops, sets limits; does not see what others keep secret.
    Operator,
    /// Answers questions and looks at results; does nothing itself.
    Reviewer,
    /// Reads what was done; changes nothing.
    Auditor,
    /// The model that works for a user.
    Agent,
    /// A model that works for an agent, never allowed more than that agent.
    Subagent,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Owner, Self::Operator, Self::Reviewer, Self::Auditor, Self::Agent, Self::Subagent];

    /// The word for it, as logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Reviewer => "reviewer",
            Self::Auditor => "auditor",
            Self::Agent => "agent",
            Self::Subagent => "subagent",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// What is wanted, exactly: all that an approval or a permit is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A command line for a shell.
    Command {
        /// The text that the shell gets.
        line: String,
        /// The folder in which it runs.
        cwd: Path,
    },
    /// Files read by a tool of ours.
    Read {
        /// Which.
        paths: Vec<Path>,
    },
    /// Files changed by a tool of ours.
    Change {
        /// Made or changed.
        writes: Vec<Path>,
        /// Removed.
        deletes: Vec<Path>,
        /// The hash of the whole change.
        content: Hash,
    },
    /// A host reached by a tool of ours.
    Connect {
        /// The host in lower case.
        host: String,
        /// The port.
        port: u16,
    },
    /// A tool of somebody else's server.
    Tool {
        /// Which server.
        server: String,
        /// Which tool.
        name: String,
        /// The hash of its arguments.
        arguments: Hash,
    },
    /// A model asked.
    Ask {
        /// `provider/model`.
        model: String,
        /// The hash of the request.
        request: Hash,
    },
    /// An agent started by an agent.
    Spawn {
        /// The task in its words.
        task: String,
    },
}

impl Act {
    /// What an approval and a permit are bound to: equal for equal acts only.
    pub fn hash(&self) -> Hash {
        let mut to = Sha256::new();
        let mut part = |bytes: &[u8]| {
            to.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            to.update(bytes);
        };
        match self {
            Self::Command { line, cwd } => {
                for text in ["command", line, cwd.as_str()] {
                    part(text.as_bytes());
                }
            }
            Self::Read { paths } => {
                part(b"read");
                for path in paths {
                    part(path.as_str().as_bytes());
                }
            }
            Self::Change { writes, deletes, content } => {
                part(b"change");
                for (kind, path) in writes.iter().map(|path| ("w", path)).chain(deletes.iter().map(|path| ("d", path)))
                {
                    part(kind.as_bytes());
                    part(path.as_str().as_bytes());
                }
                part(&content.0);
            }
            Self::Connect { host, port } => {
                part(b"connect");
                part(host.as_bytes());
                part(&port.to_be_bytes());
            }
            Self::Tool { server, name, arguments } => {
                for bytes in [b"tool".as_slice(), server.as_bytes(), name.as_bytes(), &arguments.0] {
                    part(bytes);
                }
            }
            Self::Ask { model, request } => {
                for bytes in [b"ask".as_slice(), model.as_bytes(), &request.0] {
                    part(bytes);
                }
            }
            Self::Spawn { task } => {
                for text in ["spawn", task] {
                    part(text.as_bytes());
                }
            }
        }
        Hash(to.finalize().into())
    }
}

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}
