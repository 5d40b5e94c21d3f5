//! Patterns of paths.

use globset::{GlobBuilder, GlobMatcher};

use crate::effects::Target;
use crate::place::{Path, Pattern, Surroundings};

use super::Match;

/// Paths by a pattern: below the workspace, below `~/`, or absolute.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern {
    anchor: Anchor,
    /// The folders of the pattern before the first one that is no plain name.
    literal: String,
    /// What is not plain.
    glob: Option<GlobMatcher>,
    /// It ended in `/**`: what it names, and all that lies in it.
    deep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Workspace,
    Home,
    Root,
}

impl PathPattern {
    /// The pattern of this text, or why there is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (anchor, rest) = match text {
            "~" => (Anchor::Home, ""),
            "." => (Anchor::Workspace, ""),
            _ => {
                let home = text.strip_prefix("~/").map(|rest| (Anchor::Home, rest));
                let root = || text.strip_prefix('/').map(|rest| (Anchor::Root, rest));
                let here = text.strip_prefix("./").unwrap_or(text);
                home.or_else(root).unwrap_or((Anchor::Workspace, here))
            }
        };
        let (base, deep) = match rest.strip_suffix("**") {
            Some(base) if base.is_empty() || base.ends_with('/') => (base.trim_end_matches('/'), true),
            _ => (rest, false),
        };
        if base.ends_with('/') {
            return Err(format!("ends in a slash: use \"{text}**\" for the folder and all that lies in it"));
        }
        if !base.is_empty() && base.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err("has a part that is empty, `.` or `..`: write the path without it".to_owned());
        }
        let plain = |part: &&str| !part.contains(['*', '?', '[', ']', '{', '}', '\\']);
        let literal: Vec<&str> = base.split('/').take_while(plain).collect();
        let literal = literal.join("/");
        let glob = (literal != base)
            .then(|| GlobBuilder::new(base).literal_separator(true).backslash_escape(true).build())
            .transpose()
            .map_err(|error| format!("is not a pattern: {}", error.kind()))?;
        Ok(Self { anchor, literal, glob: glob.map(|glob| glob.compile_matcher()), deep })
    }

    /// Whether something of what is touched is meant, for a rule that forbids or asks.
    pub(crate) fn any(&self, target: &Target, around: &Surroundings) -> Match {
        match target {
            Target::Path { path, deep: false } => {
                if self.covers(path, around) {
                    Match::Yes
                } else {
                    Match::No
                }
            }
            Target::Path { path, deep: true } => self.below(path, around, Match::Yes),
            Target::Within(pattern) => self.found(pattern, around),
            Target::Unknown(_) => Match::Maybe,
        }
    }

    /// Whether all of what is touched is surely meant, for a rule that allows.
    pub(crate) fn all(&self, target: &Target, around: &Surroundings) -> bool {
        match target {
            Target::Path { path, deep: false } => self.covers(path, around),
            Target::Path { path, deep: true } => self.deep && self.covers(path, around),
            Target::Within(pattern) => self.deep && self.covers(pattern.folder(), around),
            Target::Unknown(_) => {
                self.anchor == Anchor::Root && self.deep && self.literal.is_empty() && self.glob.is_none()
            }
        }
    }

    /// Whether a folder or something in it is meant; `inside` if what is meant lies in the folder.
    fn below(&self, folder: &Path, around: &Surroundings, inside: Match) -> Match {
        if self.covers(folder, around) && (self.deep || inside == Match::Yes) {
            return Match::Yes;
        }
        let of = |anchor: &Path| {
            let literal = Path::resolve(anchor, &self.literal);
            match (&self.glob, literal.is_in(folder), folder.is_in(&literal)) {
                (None, true, _) => inside,
                (Some(_), true, _) | (Some(_), _, true) => Match::Maybe,
                _ => Match::No,
            }
        };
        self.anchors(around).iter().map(of).max().unwrap_or(Match::No)
    }

    /// Whether a pattern may find what is meant.
    fn found(&self, pattern: &Pattern, around: &Surroundings) -> Match {
        if self.deep && self.covers(pattern.folder(), around) {
            return Match::Yes;
        }
        let may = |anchor: &Path| pattern.may_touch(&Path::resolve(anchor, &self.literal));
        if self.anchors(around).iter().any(may) { Match::Maybe } else { Match::No }
    }

    fn covers(&self, path: &Path, around: &Surroundings) -> bool {
        self.anchors(around).iter().any(|anchor| {
            let start = anchor.as_str().trim_end_matches('/');
            let rest = path.as_str().strip_prefix(start).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            rest.is_some_and(|rest| self.covers_rest(rest.trim_start_matches('/')))
        })
    }

    fn covers_rest(&self, rest: &str) -> bool {
        if !self.deep {
            return self.is(rest);
        }
        let mut folder = rest;
        loop {
            if self.is(folder) {
                return true;
            }
            match folder.rsplit_once('/') {
                Some((above, _)) => folder = above,
                None if folder.is_empty() => return false,
                None => folder = "",
            }
        }
    }

    fn is(&self, rest: &str) -> bool {
        match &self.glob {
            Some(glob) => glob.is_match(rest),
            None => self.literal == rest,
        }
    }

    fn anchors<'a>(&self, around: &'a Surroundings) -> Anchors<'a> {
        match self.anchor {
            Anchor::Workspace => Anchors::Many(&around.workspace),
            Anchor::Home => Anchors::Many(std::slice::from_ref(&around.home)),
            Anchor::Root => Anchors::Root(Path::absolute("/")),
        }
    }
}

/// The folders below which a pattern is read.
enum Anchors<'a> {
    Many(&'a [Path]),
    Root(Path),
}

impl Anchors<'_> {
    fn iter(&self) -> std::slice::Iter<'_, Path> {
        match self {
            Self::Many(paths) => paths.iter(),
            Self::Root(root) => std::slice::from_ref(root).iter(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::examples::around;

    fn path(text: &str, deep: bool) -> Target {
        Target::Path { path: Path::absolute(text), deep }
    }

    fn check(pattern: &str, target: &Target, any: Match, all: bool) {
        let read = PathPattern::parse(pattern).unwrap();
        let around = around();
        assert_eq!((read.any(target, &around), read.all(target, &around)), (any, all), "{pattern} {target:?}");
    }

    #[test]
    fn a_file_is_meant_or_not() {
        for (pattern, file, expected) in [
            ("docs", "/workspace/docs", true),
            ("docs", "/workspace/docs/a", false),
            ("./docs", "/workspace/docs", true),
            ("docs/*", "/workspace/docs/a", true),
            ("docs/*", "/workspace/docs/a/b", false),
            ("docs/**", "/workspace/docs", true),
            ("docs/**", "/workspace/docs/a/b", true),
            ("docs/**", "/workspace/docsx", false),
            ("**", "/workspace/x", true),
            ("**", "/workspace", true),
            ("**", "/etc/x", false),
            ("**/*.md", "/workspace/x.md", true),
            ("**/*.md", "/workspace/a/b/x.md", true),
            ("*/gen/**", "/workspace/a/gen/b/c", true),
            ("*/gen/**", "/workspace/a/b/gen/c", false),
            ("~/.cache/**", "/home/user/.cache/x", true),
            ("~", "/home/user", true),
            ("~", "/home/user/x", false),
            ("/", "/", true),
            ("/**", "/etc/x", true),
            ("/etc/*.conf", "/etc/a.conf", true),
            ("/etc/{a,b}", "/etc/b", true),
            ("a[b", "/workspace/a", false),
        ] {
            let Ok(read) = PathPattern::parse(pattern) else {
                assert_eq!(pattern, "a[b");
                continue;
            };
            assert_eq!(read.covers(&Path::absolute(file), &around()), expected, "{pattern} {file}");
        }
    }

    #[test]
    fn a_folder_with_all_in_it_is_meant_by_what_lies_in_it() {
        check("docs/**", &path("/workspace/docs/a", true), Match::Yes, true);
        check("docs/**", &path("/workspace", true), Match::Yes, false);
        check("docs/a", &path("/workspace", true), Match::Yes, false);
        check("docs/a", &path("/workspace/docs/a", true), Match::Yes, false);
        check("docs/*.md", &path("/workspace", true), Match::Maybe, false);
        check("**/*.md", &path("/workspace/build", true), Match::Maybe, false);
        check("docs/**", &path("/workspace/src", true), Match::No, false);
        check("docs/*.md", &path("/workspace/src", true), Match::No, false);
        check("/**", &path("/", true), Match::Yes, true);
    }

    #[test]
    fn something_in_a_folder_may_be_meant() {
        let within = |text| Target::Within(Pattern::anything(Path::absolute(text)));
        check("docs/**", &within("/workspace/docs"), Match::Yes, true);
        check("docs/a", &within("/workspace/docs"), Match::Maybe, false);
        check("docs", &within("/workspace/docs"), Match::Maybe, false);
        check("docs/**", &within("/workspace/src"), Match::No, false);
        check("docs/*.md", &within("/workspace"), Match::Maybe, false);
    }

    #[test]
    fn what_cannot_be_told_is_covered_by_everything_only() {
        let unknown = Target::Unknown("$x".to_owned());
        check("**", &unknown, Match::Maybe, false);
        check("/**", &unknown, Match::Maybe, true);
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_what_to_write() {
        for (text, expected) in [
            ("docs/", "use \"docs/**\""),
            ("a//b", "part that is empty"),
            ("../x", "`..`"),
            ("~/./x", "`.`"),
            ("a[b", "is not a pattern"),
            ("{a", "is not a pattern"),
        ] {
            let error = PathPattern::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
