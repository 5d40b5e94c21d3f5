//! Words that records have for a few things.

macro_rules! words {
    ($(#[$doc:meta])* pub enum $Name:ident, else $Else:ident { $( $(#[$vdoc:meta])* $Variant:ident = $text:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name {
            $( $(#[$vdoc])* $Variant, )*
        }

        impl $Name {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$Variant, )*];

            /// The word for it.
            pub fn name(self) -> &'static str {
                match self {
                    $( Self::$Variant => $text, )*
                }
            }

            /// What a word says. A word that is not known here says the worst.
            pub fn of(word: &str) -> Self {
                Self::ALL.iter().copied().find(|known| known.name() == word).unwrap_or(Self::$Else)
            }
        }
    };
}

words! {
    /// What may have happened when a call has no outcome.
    pub enum Effect, else Other {
        /// Nothing: it was kept from changing anything.
        ReadOnly = "read_only",
        /// It can be looked at, and finished or done again: an edit of ours, a request with a key.
        Idempotent = "idempotent",
        /// It can be found out whether it happened.
        Checkable = "checkable",
        /// Changes within the workspace, which can be put back.
        Workspace = "workspace",
        /// Anything.
        Other = "other",
    }
}

words! {
    /// How a call ended.
    pub enum Status, else Unknown {
        /// It was done.
        Done = "done",
        /// It was done and failed.
        Failed = "failed",
        /// It was not begun: somebody or something said no.
        Refused = "refused",
        /// It was ended before its time.
        Interrupted = "interrupted",
        /// It was not begun, and will not be.
        Abandoned = "abandoned",
        /// It may have happened.
        Unknown = "unknown",
    }
}
