//! Names that a pattern of a shell may find, told from its text alone.

use super::Path;

/// Any names, in any folders below: what lies in a folder.
const ANYTHING: &str = "**";

/// Patterns with longer parts are not compared: they may find anything.
const MAX_PART: usize = 1024;

/// How many fixed letters make a pattern point at a name that does not begin with a dot.
const POINTS: u8 = 2;

/// Files and folders that are named by a pattern: `src/*.rs`.
///
/// A name that begins with a dot is found only by a pattern that begins with one, except below `**`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    folder: Path,
    /// `*` is any text, `?` any letter, a part `**` any folders, all else itself.
    names: String,
    deep: bool,
}

/// Whether a pattern may find a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meets {
    No,
    /// It does, as it finds many others: `*.rs` finds `id_rsa.rs`.
    May,
    /// Its fixed letters are those of the name: `*.pe?` finds `a.pem`.
    Points,
}

impl Pattern {
    /// What `names` finds below a folder, with all that lies in it if the program goes deep. `*`, `?` and `**` in the names
    /// mean what they do to a shell; parts that are empty or a dot are left out.
    pub fn new(folder: Path, names: &str, deep: bool) -> Self {
        let mut parts: Vec<&str> = names.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        parts.dedup_by(|one, other| *one == ANYTHING && *other == ANYTHING);
        let names = if parts.is_empty() { ANYTHING.to_owned() } else { parts.join("/") };
        Self { folder, names, deep }
    }

    /// Anything below a folder.
    pub fn anything(folder: Path) -> Self {
        Self::new(folder, ANYTHING, true)
    }

    /// The folder below which it finds names.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it is written, as a whole path.
    pub fn written(&self) -> String {
        format!("{}/{}", self.folder.as_str().trim_end_matches('/'), self.names)
    }

    /// Whether it finds all that lies in its folder.
    pub fn is_anything(&self) -> bool {
        self.names == ANYTHING
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.names.split('/')
    }

    /// Its last part.
    pub(crate) fn name(&self) -> &str {
        self.names.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it may name this, or something that lies in it.
    pub(crate) fn may_lie_in(&self, path: &Path) -> bool {
        self.against(path).0
    }

    /// Whether what it names may be touched together with this: this, something in it, or a folder around it if the
    /// program goes deep.
    pub(crate) fn may_touch(&self, path: &Path) -> bool {
        let (inside, around) = self.against(path);
        inside || (self.deep && around)
    }

    /// Whether it may name a path or something in it, and whether it may name a folder around it.
    fn against(&self, path: &Path) -> (bool, bool) {
        if self.folder.is_in(path) {
            return (true, false);
        }
        if !path.is_in(&self.folder) {
            return (false, false);
        }
        let rest = path.as_str().get(self.folder.as_str().trim_end_matches('/').len()..).unwrap_or_default();
        let wanted: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        // Up to which part of the path the parts of the pattern so far may have led.
        let mut at = vec![false; wanted.len() + 1];
        if let Some(start) = at.first_mut() {
            *start = true;
        }
        for part in self.parts() {
            let mut next = vec![false; at.len()];
            let mut before = false;
            for (index, there) in next.iter_mut().enumerate() {
                let here = at.get(index).copied().unwrap_or_default();
                let step = || wanted.get(index.wrapping_sub(1)).is_some_and(|name| meets(part, name) > Meets::No);
                *there = if part == ANYTHING { before || here } else { before && step() };
                before = if part == ANYTHING { *there } else { here };
            }
            if at.last() == Some(&true) {
                return (true, false);
            }
            if !next.contains(&true) {
                return (false, false);
            }
            at = next;
        }
        let around = at.iter().rev().skip(1).any(|here| *here);
        (at.last() == Some(&true), around)
    }
}

/// Whether a part of a pattern may find a name, in which a `*` is any text. A usual ending says nothing of a name: `*.json`
/// finds many.
pub(crate) fn meets(part: &str, name: &str) -> Meets {
    if part.len() > MAX_PART {
        return Meets::Points;
    }
    if part == ANYTHING {
        return Meets::May;
    }
    if name.starts_with('.') && part.starts_with(['*', '?']) {
        return Meets::No;
    }
    let telling = name.strip_suffix(".json").map_or(name.len(), str::len);
    let name: Vec<char> = name.chars().collect();
    // How many telling letters agree at most where the pattern and so much of the name are used up.
    let mut best = vec![None; name.len() + 1];
    if let Some(start) = best.first_mut() {
        *start = Some(0_u8);
    }
    pass_stars(&mut best, &name);
    for letter in part.chars() {
        best = stepped(&best, &name, letter, telling);
        pass_stars(&mut best, &name);
    }
    match best.last().copied().flatten() {
        None => Meets::No,
        Some(_) if name.first() == Some(&'.') => Meets::Points,
        Some(agreeing) if agreeing >= POINTS => Meets::Points,
        Some(_) => Meets::May,
    }
}

/// A `*` in the name may be no text.
fn pass_stars(best: &mut [Option<u8>], name: &[char]) {
    let mut carried = None;
    for (at, here) in best.iter_mut().enumerate() {
        *here = (*here).max(carried);
        carried = if name.get(at) == Some(&'*') { *here } else { None };
    }
}

/// After one more letter of the pattern.
fn stepped(best: &[Option<u8>], name: &[char], letter: char, telling: usize) -> Vec<Option<u8>> {
    let mut next = vec![None; best.len()];
    let mut any = None;
    for (at, there) in next.iter_mut().enumerate() {
        let here = best.get(at).copied().flatten();
        if letter == '*' {
            any = here.max(any);
            *there = any;
            continue;
        }
        // Within a `*` of the name any letter is one more of it.
        let within = if name.get(at) == Some(&'*') { here } else { None };
        let before =
            at.checked_sub(1).and_then(|before| Some((best.get(before).copied().flatten()?, name.get(before)?)));
        let over = before.and_then(|(agreeing, wanted)| match letter {
            _ if *wanted == '*' => None,
            '?' => Some(agreeing),
            letter if letter == *wanted => {
                let tells = letter.is_alphanumeric() && at <= telling;
                Some(if tells { agreeing.saturating_add(1) } else { agreeing })
            }
            _ => None,
        });
        *there = within.max(over);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_points_at_a_name_by_its_fixed_letters() {
        for (part, name, expected) in [
            ("*", "a", Meets::May),
            ("*", ".env", Meets::No),
            (".e?v", ".env", Meets::Points),
            (".*", ".env", Meets::Points),
            (".x*", ".env", Meets::No),
            (".e*", ".env.*", Meets::Points),
            (".env", ".env", Meets::Points),
            ("*.env", ".env", Meets::No),
            ("*", "*.pem", Meets::May),
            ("*.pe?", "*.pem", Meets::Points),
            ("*.p??", "*.pem", Meets::May),
            ("k*.pem", "*.pem", Meets::Points),
            ("k*", "*.pem", Meets::May),
            ("*.rs", "*.pem", Meets::No),
            ("*.rs", "id_rsa*", Meets::May),
            ("id_*", "id_rsa*", Meets::Points),
            ("*_rsa", "id_rsa*", Meets::Points),
            ("i*", "id_rsa*", Meets::May),
            ("index.*", "id_rsa*", Meets::No),
            ("*.json", "credentials.json", Meets::May),
            ("package*.json", "credentials.json", Meets::No),
            ("cred*", "credentials.json", Meets::Points),
            ("*als.json", "credentials.json", Meets::Points),
            ("ssh_host*", "ssh_host_*_key", Meets::Points),
            ("*.pub", "ssh_host_*_key", Meets::No),
            ("**", "id_rsa", Meets::May),
            (".??", "..", Meets::No),
            (".?", "..", Meets::Points),
            (".*", "..", Meets::Points),
        ] {
            assert_eq!(meets(part, name), expected, "{part} {name}");
        }
    }

    #[test]
    fn a_pattern_may_name_a_path_what_is_in_it_or_what_is_around_it() {
        for (folder, names, path, inside, around) in [
            ("/a", "*", "/a/b", true, false),
            ("/a", "*", "/a/b/c", false, true),
            ("/a", "*/x", "/a/b", true, false),
            ("/a", "b?/x", "/a/b", false, false),
            ("/a", "?/x", "/a/b/x/y", false, true),
            ("/a", "?/y", "/a/b/x", false, false),
            ("/a", "**", "/a/b/.c/d", true, true),
            ("/a", "**/x", "/a/b/x", true, false),
            ("/a", "*", "/a", true, false),
            ("/a/b", "*", "/a", true, false),
            ("/a", "*", "/b", false, false),
            ("/", "*/b", "/a/b", true, false),
            ("/", "?/b", "/ab/b", false, false),
            ("/a", "*", "/a/.b", false, false),
        ] {
            let pattern = Pattern::new(Path::absolute(folder), names, true);
            assert_eq!(pattern.against(&Path::absolute(path)), (inside, around), "{folder} {names} {path}");
        }
    }

    #[test]
    fn a_long_pattern_takes_no_time_and_may_be_anything() {
        assert_eq!(meets(&"*a".repeat(500), &"a".repeat(499)), Meets::No);
        assert_eq!(meets(&"*a".repeat(5000), "b"), Meets::Points);
    }
}
