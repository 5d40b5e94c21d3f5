//! The crates of the workspace: what `cargo metadata` knows of them, joined with where their manifests say it.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;
use toml::Spanned;

use crate::rules::line_at;

/// When a dependency is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// In what is shipped.
    Normal,
    /// While building what is shipped.
    Build,
    /// In tests, benches and examples.
    Dev,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    /// The package's name.
    pub(crate) name: String,
    /// Its folder, from the root.
    pub(crate) directory: String,
    /// What it depends on, as its manifest says.
    pub(crate) dependencies: Vec<Dependency>,
    /// Manifest keys which must say `workspace = true` and do not.
    pub(crate) not_inherited: Vec<&'static str>,
}

/// One line of a manifest's dependency tables.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// The package's real name.
    pub(crate) name: String,
    /// When it is needed.
    pub(crate) kind: Kind,
    /// Whether it is a crate of this workspace.
    pub(crate) internal: bool,
    /// Whether it says `workspace = true`.
    pub(crate) inherited: bool,
    /// Its line in the manifest.
    pub(crate) line: usize,
}

impl Crate {
    /// The path of the crate's manifest, from the root.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.directory)
    }

    /// The crates of this workspace which this one depends on: those of its tests, or those of what is shipped.
    pub(crate) fn arrows(&self, dev: bool) -> impl Iterator<Item = &Dependency> {
        let wanted = move |kind| dev == (kind == Kind::Dev);
        self.dependencies.iter().filter(move |dependency| dependency.internal && wanted(dependency.kind))
    }
}

/// What `cargo metadata --no-deps` says, as far as it matters here.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    /// The root of the workspace.
    pub(crate) workspace_root: String,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// A member in `cargo metadata`.
#[derive(Deserialize)]
pub(crate) struct Package {
    name: String,
    /// The absolute path of its `Cargo.toml`.
    pub(crate) manifest_path: String,
    dependencies: Vec<PackageDependency>,
}

#[derive(Deserialize)]
struct PackageDependency {
    name: String,
    rename: Option<String>,
    kind: Option<Kind>,
    /// The registry or repository; none for a path.
    source: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DependencyTables {
    dependencies: DependencyTable,
    build_dependencies: DependencyTable,
    dev_dependencies: DependencyTable,
    target: BTreeMap<String, DependencyTables>,
}

type DependencyTable = BTreeMap<Spanned<String>, toml::Value>;

/// Joins what cargo knows of a member with the text of its manifest, found in `directory`.
pub(crate) fn read(package: &Package, members: &[Package], directory: &str, manifest: &str) -> anyhow::Result<Crate> {
    let context = || format!("cannot understand {directory}/Cargo.toml");
    let tables: DependencyTables = toml::from_str(manifest).with_context(context)?;
    let keys: toml::Table = toml::from_str(manifest).with_context(context)?;
    let mut dependencies = Vec::new();
    for tables in std::iter::once(&tables).chain(tables.target.values()) {
        let by_kind = [
            (Kind::Normal, &tables.dependencies),
            (Kind::Build, &tables.build_dependencies),
            (Kind::Dev, &tables.dev_dependencies),
        ];
        for (kind, table) in by_kind {
            dependencies.extend(table.iter().map(|(key, value)| {
                let known = package.dependency(key.get_ref(), kind);
                let name = known.map_or(key.get_ref(), |known| &known.name).clone();
                let from_path = known.is_some_and(|known| known.source.is_none());
                let internal = from_path && members.iter().any(|member| member.name == name);
                let line = line_at(manifest, key.span().start);
                Dependency { name, kind, internal, inherited: is_inherited(value), line }
            }));
        }
    }
    let (name, directory) = (package.name.clone(), directory.to_owned());
    Ok(Crate { name, directory, dependencies, not_inherited: not_inherited(&keys) })
}

impl Package {
    fn dependency(&self, key: &str, kind: Kind) -> Option<&PackageDependency> {
        self.dependencies.iter().find(|known| {
            known.rename.as_deref().unwrap_or(&known.name) == key && known.kind.unwrap_or(Kind::Normal) == kind
        })
    }
}

fn not_inherited(manifest: &toml::Table) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !manifest.get("lints").is_some_and(is_inherited) {
        missing.push("lints");
    }
    let package = manifest.get("package");
    for key in ["edition", "license", "publish"] {
        if !package.and_then(|package| package.get(key)).is_some_and(is_inherited) {
            missing.push(key);
        }
    }
    missing
}

fn is_inherited(value: &toml::Value) -> bool {
    value.get("workspace").and_then(toml::Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[package]
name = \"agent\"
edition.workspace = true
license = \"MIT\"
publish.workspace = true

[dependencies]
responses.workspace = true
json = { version = \"1\", package = \"serde_json\" }

[target.'cfg(unix)'.dev-dependencies]
testkit = { workspace = true, features = [\"world\"] }
";

    const PACKAGES: &str = r#"[
        { "name": "agent", "manifest_path": "/r/agent/Cargo.toml", "dependencies": [
            { "name": "responses", "rename": null, "kind": null, "source": null },
            { "name": "serde_json", "rename": "json", "kind": null, "source": "registry" },
            { "name": "testkit", "rename": null, "kind": "dev", "source": null } ] },
        { "name": "responses", "manifest_path": "/r/responses/Cargo.toml", "dependencies": [] },
        { "name": "testkit", "manifest_path": "/r/testkit/Cargo.toml", "dependencies": [] } ]"#;

    fn agent() -> Crate {
        let packages: Vec<Package> = serde_json::from_str(PACKAGES).unwrap();
        read(&packages[0], &packages, "agent", MANIFEST).unwrap()
    }

    #[test]
    fn a_dependency_has_its_real_name_its_kind_and_its_line() {
        let agent = agent();
        let seen: Vec<_> = agent.dependencies.iter().map(|d| (d.name.as_str(), d.kind, d.line)).collect();
        let expected = [("serde_json", Kind::Normal, 9), ("responses", Kind::Normal, 8), ("testkit", Kind::Dev, 12)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn only_a_version_of_its_own_is_not_inherited() {
        let agent = agent();
        let own: Vec<_> = agent.dependencies.iter().filter(|d| !d.inherited).map(|d| d.name.as_str()).collect();
        assert_eq!(own, ["serde_json"]);
    }

    #[test]
    fn arrows_go_to_members_only_and_those_of_tests_are_apart() {
        let agent = agent();
        assert_eq!(agent.arrows(false).map(|d| d.name.as_str()).collect::<Vec<_>>(), ["responses"]);
        assert_eq!(agent.arrows(true).map(|d| d.name.as_str()).collect::<Vec<_>>(), ["testkit"]);
    }

    #[test]
    fn keys_that_do_not_come_from_the_workspace_are_named() {
        assert_eq!(agent().not_inherited, ["lints", "license"]);
    }
}
