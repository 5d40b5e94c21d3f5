//! Effects in one line of words.

use crate::effects::{Effects, Reach, Run, Target};

/// All of it, in the order in which it was found.
pub(super) fn summary(effects: &Effects) -> String {
    let mut parts: Vec<String> = effects.runs.iter().map(run).collect();
    for (word, targets) in [("reads", &effects.reads), ("writes", &effects.writes), ("deletes", &effects.deletes)] {
        parts.extend(targets.iter().map(|of| format!("{word} {}", target(of))));
    }
    parts.extend(effects.reaches.iter().map(reach));
    parts.extend(effects.unclear.iter().map(|unclear| format!("unclear {}", unclear.why)));
    parts.join("; ")
}

fn run(run: &Run) -> String {
    let verb = run.verb.as_ref().map(|verb| format!(" {verb}")).unwrap_or_default();
    let raised = if run.raised { " raised" } else { "" };
    format!("{} {}{verb}{raised}", run.nature.name(), run.program)
}

fn target(target: &Target) -> String {
    match target {
        Target::Path { path, deep: false } => path.as_str().to_owned(),
        Target::Path { path, deep: true } => format!("{} deep", path.as_str()),
        Target::Within(pattern) if pattern.is_anything() => format!("within {}", pattern.folder().as_str()),
        Target::Within(pattern) => format!("found {}", pattern.written()),
        Target::Unknown(written) => format!("unknown {written}"),
    }
}

fn reach(reach: &Reach) -> String {
    let port = reach.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("reaches {}{port}", reach.host.as_deref().unwrap_or("?"))
}
