//! Arrows between crates point one way, are the ones in `tidy.toml`, and are not many deep.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::repository::Repository;
use crate::rules::{ArrowTable, RULES, Rules};
use crate::workspace::{Crate, Dependency};

/// An arrow nobody decided, a line of the tables that lies, a circle, or too many floors.
pub(crate) fn check(repository: &Repository, rules: &Rules) -> Vec<Finding> {
    let crates = &repository.crates;
    let mut findings = Vec::new();
    for krate in crates.iter().filter(|krate| !rules.arrows.contains_key(krate.name.as_str())) {
        let message = format!("`{0}` is not under [arrows] in {RULES}: add a line `{0} = [...]`", krate.name);
        findings.push(Finding::new(krate.manifest(), 1, message));
    }
    for dev in [false, true] {
        let table = Table::new(rules, dev);
        findings.extend(crates.iter().flat_map(|krate| table.undecided(krate)));
        findings.extend(table.lies(crates));
    }
    match floors(crates) {
        Ok(floors) => findings.extend(too_deep(&floors, rules.limits.crate_depth)),
        Err(circle) => findings.push(circle),
    }
    findings
}

/// One of the two tables, with its name.
struct Table<'a> {
    name: &'static str,
    dev: bool,
    arrows: &'a ArrowTable,
    rules: &'a Rules,
}

impl<'a> Table<'a> {
    fn new(rules: &'a Rules, dev: bool) -> Self {
        let (name, arrows) = if dev { ("dev_arrows", &rules.dev_arrows) } else { ("arrows", &rules.arrows) };
        Self { name, dev, arrows, rules }
    }

    /// Arrows which the crate has and the table does not.
    fn undecided(&self, krate: &Crate) -> impl Iterator<Item = Finding> {
        let listed = self.arrows.get(krate.name.as_str());
        let is_listed = move |to: &str| listed.is_some_and(|listed| listed.iter().any(|one| one.get_ref() == to));
        krate.arrows(self.dev).filter(move |arrow| !is_listed(&arrow.name)).map(|arrow| {
            let message = format!(
                "no arrow `{}` -> `{}` under [{}] in {RULES}: do without it, or decide it in docs/decisions and add it",
                krate.name, arrow.name, self.name
            );
            Finding::new(krate.manifest(), arrow.line, message)
        })
    }

    /// Lines of the table which no crate follows.
    fn lies(&self, crates: &[Crate]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut found = |line, message| findings.push(Finding::new(RULES, line, message));
        for (from, listed) in self.arrows {
            let Some(krate) = crates.iter().find(|krate| krate.name == *from.get_ref()) else {
                let message = format!("[{}] names the crate `{from}`, which is not there: remove the line", self.name);
                found(self.rules.line(from), message);
                continue;
            };
            for to in listed.iter().filter(|to| !krate.arrows(self.dev).any(|arrow| arrow.name == *to.get_ref())) {
                let message = format!("[{}] lists `{from}` -> `{to}`, which is not used: remove it", self.name);
                found(self.rules.line(to), message);
            }
        }
        findings
    }
}

/// The longest way down from each crate, the crate itself first. A circle, of tests too, is the finding instead.
fn floors(crates: &[Crate]) -> Result<BTreeMap<&str, Vec<&Crate>>, Finding> {
    let mut floors: BTreeMap<&str, Vec<&Crate>> = BTreeMap::new();
    let mut waiting: Vec<&Crate> = crates.iter().collect();
    while !waiting.is_empty() {
        let is_waiting = |arrow: &Dependency| waiting.iter().any(|krate| krate.name == arrow.name);
        let (ready, blocked): (Vec<&Crate>, Vec<&Crate>) =
            waiting.iter().partition(|krate| !both(krate).any(is_waiting));
        if ready.is_empty() {
            return Err(circle(&blocked));
        }
        for krate in ready {
            let below = krate.arrows(false).filter_map(|arrow| floors.get(arrow.name.as_str()));
            let longest = below.max_by_key(|way| way.len()).cloned().unwrap_or_default();
            floors.insert(&krate.name, std::iter::once(krate).chain(longest).collect());
        }
        waiting = blocked;
    }
    Ok(floors)
}

fn both(krate: &Crate) -> impl Iterator<Item = &Dependency> {
    krate.arrows(false).chain(krate.arrows(true))
}

/// Follows arrows among crates which all have one to another of them, until a crate comes again.
fn circle(crates: &[&Crate]) -> Finding {
    let mut way: Vec<(&Crate, &Dependency)> = Vec::new();
    let mut at = crates.first().copied();
    while let Some((krate, (arrow, below))) = at.and_then(|krate| Some((krate, step(krate, crates)?))) {
        if let Some(start) = way.iter().position(|(seen, _)| seen.name == krate.name) {
            way.drain(..start);
            break;
        }
        way.push((krate, arrow));
        at = Some(below);
    }
    let names: Vec<&str> = way.iter().map(|(krate, _)| krate.name.as_str()).collect();
    let (manifest, line) = way.first().map_or((RULES.to_owned(), 1), |(krate, arrow)| (krate.manifest(), arrow.line));
    let start = names.first().unwrap_or(&"");
    let message = format!("crates in a circle: {} -> {start}: take one arrow out", names.join(" -> "));
    Finding::new(manifest, line, message)
}

/// An arrow from this crate to one of these.
fn step<'a>(from: &'a Crate, crates: &[&'a Crate]) -> Option<(&'a Dependency, &'a Crate)> {
    let end = |arrow: &Dependency| crates.iter().copied().find(|krate| krate.name == arrow.name);
    both(from).find_map(|arrow| Some((arrow, end(arrow)?)))
}

fn too_deep(floors: &BTreeMap<&str, Vec<&Crate>>, limit: usize) -> Option<Finding> {
    let way = floors.values().max_by_key(|way| way.len())?;
    let (top, below) = way.split_first()?;
    let depth = below.len();
    let names: Vec<&str> = way.iter().map(|krate| krate.name.as_str()).collect();
    let message =
        format!("{depth} arrows deep, the limit is {limit}: let a crate skip a floor: {}", names.join(" -> "));
    (depth > limit).then(|| Finding::new(top.manifest(), 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{krate, printed, rules_with, table_line, workspace};
    use crate::workspace::Kind;

    fn findings(crates: Vec<Crate>, tables: &str) -> Vec<String> {
        printed(check(&workspace(crates), &rules_with(&format!("{tables}\n[crates]\n"))))
    }

    fn leaf(name: &str) -> Crate {
        krate(name, Kind::Normal, true, &[])
    }

    /// `c0 -> c1 -> … -> c<arrows>` and the table that lists exactly this.
    fn tower(arrows: usize) -> (Vec<Crate>, String) {
        let mut crates = vec![leaf(&format!("c{arrows}"))];
        let mut table = vec!["[arrows]".to_owned(), format!("c{arrows} = []")];
        for floor in 0..arrows {
            let below = format!("c{}", floor + 1);
            crates.push(krate(&format!("c{floor}"), Kind::Normal, true, &[&below]));
            table.push(format!("c{floor} = ['{below}']"));
        }
        table.push("[dev_arrows]".to_owned());
        (crates, table.join("\n"))
    }

    #[test]
    fn arrows_of_the_tables_are_clean() {
        let mut testkit = krate("testkit", Kind::Build, true, &["responses"]);
        testkit.dependencies.extend(krate("", Kind::Dev, true, &["xtask"]).dependencies);
        let tables = "[arrows]\ntestkit = ['responses']\nresponses = []\nxtask = []\n[dev_arrows]\ntestkit = ['xtask']";
        assert!(findings(vec![testkit, leaf("responses"), leaf("xtask")], tables).is_empty());
    }

    #[test]
    fn a_crate_without_a_line_is_found() {
        let expected =
            "crates/agent/Cargo.toml:1: `agent` is not under [arrows] in tidy.toml: add a line `agent = [...]`";
        assert_eq!(findings(vec![leaf("agent")], "[arrows]\n[dev_arrows]"), [expected]);
    }

    #[test]
    fn an_arrow_nobody_decided_is_found() {
        for kind in [Kind::Normal, Kind::Build] {
            let agent = krate("agent", kind, true, &["gateway"]);
            let tables = "[arrows]\nagent = []\ngateway = []\n[dev_arrows]\nagent = []";
            let expected = "crates/agent/Cargo.toml:10: no arrow `agent` -> `gateway` under [arrows] in tidy.toml: do \
                            without it, or decide it in docs/decisions and add it";
            assert_eq!(findings(vec![agent, leaf("gateway")], tables), [expected]);
        }
    }

    #[test]
    fn an_arrow_of_tests_needs_the_table_of_tests() {
        let agent = krate("agent", Kind::Dev, true, &["testkit"]);
        let tables = "[arrows]\nagent = ['testkit']\ntestkit = []\n[dev_arrows]";
        let expected = [
            "crates/agent/Cargo.toml:10: no arrow `agent` -> `testkit` under [dev_arrows] in tidy.toml: do without it, \
             or decide it in docs/decisions and add it"
                .to_owned(),
            format!(
                "tidy.toml:{}: [arrows] lists `agent` -> `testkit`, which is not used: remove it",
                table_line(2)
            ),
        ];
        assert_eq!(findings(vec![agent, leaf("testkit")], tables), expected);
    }

    #[test]
    fn a_line_for_a_crate_that_is_gone_is_found() {
        let line = table_line(3);
        let expected =
            format!("tidy.toml:{line}: [dev_arrows] names the crate `agent`, which is not there: remove the line");
        assert_eq!(findings(vec![], "[arrows]\n[dev_arrows]\nagent = []"), [expected]);
    }

    #[test]
    fn a_circle_is_found_and_shown() {
        let crates = vec![
            krate("a", Kind::Normal, true, &["b"]),
            krate("b", Kind::Normal, true, &["c"]),
            krate("c", Kind::Normal, true, &["b"]),
        ];
        let tables = "[arrows]\na = ['b']\nb = ['c']\nc = ['b']\n[dev_arrows]";
        let expected = "crates/b/Cargo.toml:10: crates in a circle: b -> c -> b: take one arrow out";
        assert_eq!(findings(crates, tables), [expected]);
    }

    #[test]
    fn a_circle_through_tests_is_a_circle() {
        let crates = vec![
            krate("responses", Kind::Dev, true, &["testkit"]),
            krate("testkit", Kind::Normal, true, &["responses"]),
        ];
        let tables = "[arrows]\nresponses = []\ntestkit = ['responses']\n[dev_arrows]\nresponses = ['testkit']";
        let expected = "crates/responses/Cargo.toml:10: crates in a circle: responses -> testkit -> responses: take \
                        one arrow out";
        assert_eq!(findings(crates, tables), [expected]);
    }

    #[test]
    fn six_arrows_deep_is_allowed() {
        let (crates, tables) = tower(6);
        assert!(findings(crates, &tables).is_empty());
    }

    #[test]
    fn seven_arrows_deep_is_too_deep() {
        let (crates, tables) = tower(7);
        let expected = "crates/c0/Cargo.toml:1: 7 arrows deep, the limit is 6: let a crate skip a floor: \
                        c0 -> c1 -> c2 -> c3 -> c4 -> c5 -> c6 -> c7";
        assert_eq!(findings(crates, &tables), [expected]);
    }
}
