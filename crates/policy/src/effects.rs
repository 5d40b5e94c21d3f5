//! What a command line may do, as far as its text tells. Whatever cannot be told of the text is in [`Effects::unclear`],
//! and is asked about.
//!
//! What a program does by files it finds is not told: a build runs what its folder holds ([`Nature::Builds`]), also what
//! was written there a moment ago, and a script does what it says. What keeps that in is the sandbox, not this reading.

use std::net::IpAddr;

use crate::place::{Path, Pattern};

/// What a command line may run, read, write, delete and reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Every program that is started, also by another (`sudo`, `xargs`, `find -exec`), in the order of the text.
    pub runs: Vec<Run>,
    /// What is read.
    pub reads: Vec<Target>,
    /// What is made or changed.
    pub writes: Vec<Target>,
    /// What is gone afterwards.
    pub deletes: Vec<Target>,
    /// What is reached over a network.
    pub reaches: Vec<Reach>,
    /// What cannot be told, each with the reason.
    pub unclear: Vec<Unclear>,
}

/// A program that is started.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// Its name without a folder: `cargo`. With its path if that leads into the workspace or to nowhere usual.
    pub program: String,
    /// What of the words after it says what is done: `test` of `cargo test -p x`, `remote add` of `git remote add a b`.
    pub verb: Option<String>,
    /// All words after the program. A word whose text depends on the run is `None`.
    pub words: Vec<Option<String>>,
    /// What is known of such a run.
    pub nature: Nature,
    /// It runs with other rights than the caller's (`sudo`, `doas`, `su`).
    pub raised: bool,
}

/// What is known of a run, beside the paths and hosts that its words name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nature {
    /// It looks and changes nothing: `ls`, `git status`.
    Looks,
    /// It does what its targets say and nothing else: `cp`, `mkdir`, `sed -i`.
    Targets,
    /// It works in its folder, and runs what the folder holds: `cargo test`, `make`, `npm run`.
    Builds,
    /// It brings things in from the network and may run them: `npm install`, `pip install`.
    Fetches,
    /// It changes what others see: `git push`, `npm publish`, `gh pr create`, `kubectl apply`.
    Publishes,
    /// It runs code that stands in its words or its input and is no shell text: `python -c`.
    Code,
    /// It may end work, lose data or change the machine: `git reset --hard`, `mkfs`, `shutdown`, `kill`.
    Destroys,
    /// A program that is not known here.
    Unknown,
}

impl Nature {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Looks,
        Self::Targets,
        Self::Builds,
        Self::Fetches,
        Self::Publishes,
        Self::Code,
        Self::Destroys,
        Self::Unknown,
    ];

    /// The word for it, as rule files and logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Looks => "looks",
            Self::Targets => "targets",
            Self::Builds => "builds",
            Self::Fetches => "fetches",
            Self::Publishes => "publishes",
            Self::Code => "code",
            Self::Destroys => "destroys",
            Self::Unknown => "unknown",
        }
    }
}

/// A file or folder that is touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// This one, and all in it if the program goes deep.
    Path {
        /// Where it lies.
        path: Path,
        /// With all that lies in it.
        deep: bool,
    },
    /// What a pattern finds: `src/*.rs`.
    Within(Pattern),
    /// The text does not tell which; how it is written.
    Unknown(String),
}

/// Something that is reached over a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reach {
    /// The host in lower case, if the text tells.
    pub host: Option<String>,
    /// The port, if the text or the scheme tells.
    pub port: Option<u16>,
}

/// Whether a host, as it is compared, is the machine itself.
pub(crate) fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Something that cannot be told from the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unclear {
    /// The piece of text, shortened.
    pub text: String,
    /// Why it cannot be told, for a person: "the name of the program depends on a variable".
    pub why: String,
}
