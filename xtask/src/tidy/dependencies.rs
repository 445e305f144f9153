//! Rules on dependencies: which room may use which, and what must not ship.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use super::Finding;
use super::tree::Tree;
use crate::ci;

/// The rooms, and the rooms that each may use: everything on the way down, nothing beside it, nothing above.
const ROOMS: &[(&str, &[&str])] = &[
    ("wasmos-abi", &[]),
    ("wasmos-frontend", &["wasmos-abi"]),
    ("wasmos-analysis", &["wasmos-abi", "wasmos-frontend"]),
    ("wasmos-backend", &["wasmos-abi", "wasmos-frontend"]),
    ("wasmos-web-report", &["wasmos-abi", "wasmos-frontend", "wasmos-analysis"]),
    ("wasmos-runtime", &["wasmos-abi", "wasmos-frontend", "wasmos-backend"]),
    (
        "wasmos-server",
        &[
            "wasmos-abi",
            "wasmos-frontend",
            "wasmos-analysis",
            "wasmos-backend",
            "wasmos-runtime",
            "wasmos-web-report",
        ],
    ),
    (
        "wasmos-cli",
        &[
            "wasmos-abi",
            "wasmos-frontend",
            "wasmos-analysis",
            "wasmos-backend",
            "wasmos-runtime",
            "wasmos-web-report",
            "wasmos-server",
        ],
    ),
    (
        "wasmos-tests",
        &[
            "wasmos-abi",
            "wasmos-frontend",
            "wasmos-analysis",
            "wasmos-backend",
            "wasmos-runtime",
            "wasmos-web-report",
            "wasmos-server",
            "wasmos-cli",
        ],
    ),
    ("xtask", &["wasmos-frontend"]),
];

/// The packages that never reach a user: oracles may be ordinary dependencies of theirs.
const NOT_SHIPPED: [&str; 2] = ["wasmos-tests", "xtask"];

/// The manifest's tables of dependencies, and whether what they name ships with the package.
const KINDS: [(&str, bool); 3] =
    [("dependencies", true), ("build-dependencies", true), ("dev-dependencies", false)];

/// A package of the workspace.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    /// Its folder, from the root of the repository.
    pub(super) folder: String,
    /// What its manifest asks for: the package's name, and whether it ships with this one.
    dependencies: Vec<(String, bool)>,
}

impl Package {
    fn ships(&self) -> bool {
        !NOT_SHIPPED.contains(&&*self.name)
    }

    fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// The manifests of the workspace, and the names that `deny.toml` bans from what ships.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) packages: Vec<Package>,
    banned: BTreeSet<String>,
}

impl Workspace {
    pub(super) fn read(tree: &Tree) -> Result<Self> {
        let root: Table = tree.text("Cargo.toml")?.parse().context("Cargo.toml")?;
        let members = lookup(&root, &["workspace", "members"]).and_then(Value::as_array);
        let members = members.context("Cargo.toml lists no members")?.iter().filter_map(Value::as_str);
        let renames = renames(&root);
        let packages = members.map(|folder| {
            let text = tree.text(&format!("{folder}/Cargo.toml"))?;
            package(folder, text, &renames).with_context(|| format!("{folder}/Cargo.toml"))
        });
        Ok(Self {
            packages: packages.collect::<Result<_>>()?,
            banned: banned_names(tree.text("deny.toml")?)?,
        })
    }

    /// The names of the packages that ship.
    fn shipped(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.ships())
    }

    #[cfg(test)]
    pub(super) fn of(manifests: &[(&str, &str)]) -> Self {
        let packages =
            manifests.iter().map(|(folder, text)| package(folder, text, &BTreeMap::new()).unwrap());
        Self { packages: packages.collect(), banned: ["wasmi", "wasmparser"].map(String::from).into() }
    }
}

fn lookup<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

/// The workspace's dependencies that go by another name than their package's.
fn renames(root: &Table) -> BTreeMap<String, String> {
    let shared = lookup(root, &["workspace", "dependencies"]).and_then(Value::as_table);
    let named =
        shared.into_iter().flatten().filter_map(|(key, value)| Some((key, value.get("package")?.as_str()?)));
    named.map(|(key, package)| (key.clone(), package.to_owned())).collect()
}

fn package(folder: &str, manifest: &str, renames: &BTreeMap<String, String>) -> Result<Package> {
    let manifest: Table = manifest.parse()?;
    let name = lookup(&manifest, &["package", "name"]).and_then(Value::as_str).context("no package.name")?;
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = platforms.filter_map(Value::as_table).chain([&manifest]);
    let mut dependencies = Vec::new();
    for table in tables {
        for (kind, ships) in KINDS {
            for (key, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let package = value.get("package").and_then(Value::as_str);
                let package = package.or_else(|| renames.get(key).map(String::as_str)).unwrap_or(key);
                dependencies.push((package.to_owned(), ships));
            }
        }
    }
    Ok(Package { name: name.to_owned(), folder: folder.to_owned(), dependencies })
}

/// The crates of `[bans]` in `deny.toml`: the one list of what must not ship.
fn banned_names(deny: &str) -> Result<BTreeSet<String>> {
    let deny: Table = deny.parse().context("deny.toml")?;
    let rows =
        lookup(&deny, &["bans", "deny"]).and_then(Value::as_array).context("deny.toml bans nothing")?;
    let names = rows.iter().map(|row| row.get("crate").and_then(Value::as_str).map(str::to_owned));
    names.collect::<Option<_>>().context("a ban of deny.toml names no crate")
}

/// Finds packages that use one that the table of rooms does not allow them, and packages without a row.
pub(super) fn rooms(workspace: &Workspace) -> Vec<Finding> {
    let ours: BTreeSet<&str> = workspace.packages.iter().map(|package| &*package.name).collect();
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let path = package.manifest();
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == package.name) else {
            findings.push(Finding::in_file(
                &path,
                "the table of rooms in tidy/dependencies.rs has no row for it",
            ));
            continue;
        };
        for (used, _) in &package.dependencies {
            if ours.contains(&**used) && !allowed.contains(&&**used) {
                findings.push(Finding::in_file(&path, format!("{} must not depend on {used}", package.name)));
            }
        }
    }
    findings
}

/// Finds banned crates among the dependencies that a shipped package asks for.
pub(super) fn banned(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in workspace.shipped() {
        for (used, ships) in &package.dependencies {
            if *ships && workspace.banned.contains(used) {
                let what = format!("{used} must not ship; it may be a dev-dependency");
                findings.push(Finding::in_file(&package.manifest(), what));
            }
        }
    }
    findings
}

/// Returns every crate that the shipped packages are built from on this machine, one `name version` a line.
///
/// The lock file cannot say this: it merges what the tests ask for with what ships.
pub(super) fn shipped_tree(root: &Path, workspace: &Workspace) -> Result<String> {
    let mut command = ci::command(root);
    command.args(["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    for package in workspace.shipped() {
        command.args(["--package", &package.name]);
    }
    let output = command.output().context("cannot start cargo tree")?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Finds banned crates in the output of [`shipped_tree`], however deep they stand.
pub(super) fn shipped(workspace: &Workspace, tree: &str) -> Vec<Finding> {
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let banned = names.into_iter().filter(|name| workspace.banned.contains(*name));
    banned
        .map(|name| Finding::in_file("Cargo.lock", format!("{name} ships; `cargo tree -i {name}` says why")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(findings: &[Finding], expected: &Expect) {
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_room_uses_only_what_lies_below_it() {
        let workspace = Workspace::of(&[
            ("abi", "package.name = \"wasmos-abi\"\n[dependencies]\nthiserror = \"2\""),
            (
                "frontend",
                "package.name = \"wasmos-frontend\"\n[dependencies]\nwasmos-abi = {}\nwasmos-cli = {}",
            ),
            ("cli", "package.name = \"wasmos-cli\"\n[dependencies]\nx = { package = \"wasmos-frontend\" }"),
            (
                "backend",
                "package.name = \"wasmos-backend\"\n[target.'cfg(unix)'.dev-dependencies]\nwasmos-cli = {}",
            ),
            ("attic", "package.name = \"wasmos-attic\""),
        ]);
        check(
            &rooms(&workspace),
            &expect![[r#"
                frontend/Cargo.toml: wasmos-frontend must not depend on wasmos-cli
                backend/Cargo.toml: wasmos-backend must not depend on wasmos-cli
                attic/Cargo.toml: the table of rooms in tidy/dependencies.rs has no row for it"#]],
        );
    }

    #[test]
    fn a_banned_crate_may_be_a_dev_dependency_and_may_serve_tests() {
        let workspace = Workspace::of(&[
            ("frontend", "package.name = \"wasmos-frontend\"\n[dev-dependencies]\nwasmparser = \"1\""),
            ("tests", "package.name = \"wasmos-tests\"\n[dependencies]\nwasmparser = \"1\""),
            (
                "cli",
                "package.name = \"wasmos-cli\"\n[dependencies]\nother = { package = \"wasmi\" }\nwat = \"1\"",
            ),
            (
                "abi",
                "package.name = \"wasmos-abi\"\n[target.'cfg(unix)'.build-dependencies]\nwasmparser = \"1\"",
            ),
        ]);
        check(
            &banned(&workspace),
            &expect![[r#"
                cli/Cargo.toml: wasmi must not ship; it may be a dev-dependency
                abi/Cargo.toml: wasmparser must not ship; it may be a dev-dependency"#]],
        );
    }

    #[test]
    fn a_banned_crate_is_found_however_deep_it_stands() {
        let workspace = Workspace::of(&[]);
        let tree = "wasmos-cli v0.1.0 (here)\nwat v1.0.0\nwasmparser-fork v1.0.0\nwasmparser v1.0.0\n\nwasmparser v1.0.0 (*)";
        check(
            &shipped(&workspace, tree),
            &expect!["Cargo.lock: wasmparser ships; `cargo tree -i wasmparser` says why"],
        );
    }

    #[test]
    fn a_rename_in_the_workspace_hides_nothing() {
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"cli\"]\n[workspace.dependencies]\nw = { package = \"wasmi\" }",
            ),
            ("cli/Cargo.toml", "package.name = \"wasmos-cli\"\n[dependencies]\nw.workspace = true"),
            ("deny.toml", "[bans]\ndeny = [{ crate = \"wasmi\" }]"),
        ]);
        check(
            &banned(&Workspace::read(&tree).unwrap()),
            &expect!["cli/Cargo.toml: wasmi must not ship; it may be a dev-dependency"],
        );
    }

    #[test]
    fn a_list_of_bans_that_cannot_be_read_is_an_error() {
        for deny in ["", "[bans]\ndeny = [{ name = \"wasmi\" }]"] {
            assert!(banned_names(deny).is_err(), "{deny}");
        }
    }
}
