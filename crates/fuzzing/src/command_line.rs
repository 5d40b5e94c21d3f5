//! Command lines of any text.

use policy::command::effects;
use policy::effects::{Effects, Target};
use policy::place::{Path, Surroundings};

/// How long a text may be that is shown for what is unclear, in characters.
const SHOWN: usize = 81;

/// Any text has an answer, and always the same. Of a line that is clear: a subshell around it changes nothing, and a
/// command on a line after it is seen, beside all that was seen before.
///
/// # Panics
///
/// If that does not hold.
pub fn command_line(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    let around = around();
    let found = effects(line, &around);
    assert_eq!(effects(line, &around), found, "the same line");
    for unclear in &found.unclear {
        assert!(unclear.text.chars().count() <= SHOWN && !unclear.text.contains('\n'), "{unclear:?}");
        assert!(!unclear.why.is_empty(), "{unclear:?}");
    }
    if !found.unclear.is_empty() {
        return;
    }
    let within = effects(&format!("(\n{line}\n)"), &around);
    assert!(!within.unclear.is_empty() || within == found, "a subshell: {within:?} and {found:?}");
    let after = effects(&format!("{line}\nrm -r zzz"), &around);
    assert!(!after.unclear.is_empty() || is_in(&found, &after), "less with a line after it: {after:?}");
    assert!(!after.unclear.is_empty() || after.deletes.iter().any(is_zzz), "a line after it is not seen: {after:?}");
}

fn around() -> Surroundings {
    Surroundings {
        cwd: Path::absolute("/work/project"),
        home: Path::absolute("/home/u"),
        workspace: vec![Path::absolute("/work/project")],
        protected: Vec::new(),
        temporary: vec![Path::absolute("/tmp")],
        confined: false,
    }
}

fn is_in(part: &Effects, whole: &Effects) -> bool {
    part.runs.iter().all(|run| whole.runs.contains(run))
        && part.reads.iter().all(|target| whole.reads.contains(target))
        && part.writes.iter().all(|target| whole.writes.contains(target))
        && part.deletes.iter().all(|target| whole.deletes.contains(target))
        && part.reaches.iter().all(|reach| whole.reaches.contains(reach))
}

fn is_zzz(target: &Target) -> bool {
    match target {
        Target::Path { path, deep } => *deep && path.name() == "zzz",
        Target::Within(_) => false,
        Target::Unknown(written) => written == "zzz",
    }
}
