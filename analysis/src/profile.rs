//! The least-privilege profile: what a module must be given to do what its code can ask for, and nothing more.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wasmos_abi::Capability;

use crate::imports::Audit;

/// An import that a run links, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The module that is asked: a name of ours.
    pub module: String,
    /// The name there.
    pub name: String,
    /// What must be granted for it.
    pub capability: Capability,
    /// Whether code that can run asks for it. What is only declared is granted too: linking needs it.
    pub reachable: bool,
}

/// What a module must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The module that it was derived from, in hexadecimal.
    pub module_sha256: String,
    /// Capabilities, in the order of their names.
    pub grants: Vec<Capability>,
    /// The imports that ask for them.
    pub needs: Vec<Need>,
    /// Imports that no run links: how many.
    pub n_unknown: usize,
}

impl Profile {
    /// Derives the profile of a module.
    #[must_use]
    pub fn of(audit: &Audit, module_sha256: &str) -> Self {
        let needs = audit.imports.iter().flat_map(|import| {
            [import.capability, import.also].into_iter().flatten().map(|capability| Need {
                module: import.module.clone(),
                name: import.name.clone(),
                capability,
                reachable: import.reachable,
            })
        });
        let needs: Vec<_> = needs.collect();
        let grants: BTreeSet<&str> = needs.iter().map(|need| need.capability.name()).collect();
        Self {
            module_sha256: module_sha256.to_owned(),
            grants: grants.into_iter().filter_map(Capability::from_name).collect(),
            n_unknown: audit.imports.iter().filter(|it| it.func.is_some() && it.capability.is_none()).count(),
            needs,
        }
    }

    /// Writes the profile as the file that `wasmos run --grants` takes.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let names: Vec<_> = self.grants.iter().map(|capability| format!("{:?}", capability.name())).collect();
        let mut text = String::from("# What this module may be given, and nothing more.\nschema = 1\n");
        let _ = writeln!(text, "module-sha256 = {:?}", self.module_sha256);
        let _ = writeln!(text, "grants = [{}]", names.join(", "));
        if self.n_unknown > 0 {
            let _ = writeln!(text, "# {} imports are none that a run links.", self.n_unknown);
        }
        for need in &self.needs {
            // Names and modules are those of `abi::imports`: nothing in them needs an escape.
            let _ = write!(
                text,
                "\n[[import]]\nmodule = {:?}\nname = {:?}\ncapability = {:?}\nreachable = {}\n",
                need.module,
                need.name,
                need.capability.name(),
                need.reachable
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callgraph::CallGraph;
    use crate::functions::functions;
    use crate::tables::Tables;
    use crate::testing::module;
    use expect_test::expect;

    #[test]
    fn a_profile_is_toml_that_names_what_code_asks_for() {
        let module = module(
            r#"(module (import "wasmos" "read_sensor" (func $read (param i32) (result i32)))
                 (import "env" "log" (func (param i32 i32))) (import "env" "mine" (func))
                 (func (export "f") (drop (call $read (i32.const 0)))))"#,
        );
        let functions = functions(&module);
        let graph = CallGraph::build(&module, &functions, &Tables::find(&module, &functions));
        let profile = Profile::of(&Audit::of(&module, &graph, &functions), "00ff");
        let text = profile.to_toml();
        assert!(text.parse::<toml::Table>().is_ok());
        expect![[r#"
            # What this module may be given, and nothing more.
            schema = 1
            module-sha256 = "00ff"
            grants = ["log", "sensor"]
            # 1 imports are none that a run links.

            [[import]]
            module = "wasmos"
            name = "read_sensor"
            capability = "sensor"
            reachable = true

            [[import]]
            module = "env"
            name = "log"
            capability = "log"
            reachable = false
        "#]]
        .assert_eq(&text);
    }
}
