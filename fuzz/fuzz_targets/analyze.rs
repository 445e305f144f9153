//! Every valid module has a report, twice the same, and every form of it can be written. The first byte chooses: the rest is
//! a module, or becomes one by `wasm-smith`.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasmos_analysis::{Facts, Policy, Report};
use wasmos_frontend::{ValidModule, decode, validate};
use wasmos_tests::generate;
use wasmos_web_report::html::Page;
use wasmos_web_report::{csv, dot, json, sarif, shown, text};

/// A name that each form must show as text.
const NAME: &str = "<b>=1+1\"\u{202e}.wasm";

fuzz_target!(|bytes: &[u8]| {
    let Some((switch, rest)) = bytes.split_first() else { return };
    let bytes = match switch & 1 {
        0 => rest.to_vec(),
        _ => match generate::module(&mut Unstructured::new(rest)) {
            Ok(module) => module,
            Err(_) => return,
        },
    };
    if let Ok(module) = decode(bytes).and_then(validate) {
        let first = written(&module);
        assert_eq!(first, written(&module));
        // The page holds what is escaped already, and no other form writes control characters.
        let forms = &first[..first.len() - 1];
        let is_plain = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\r');
        assert!(forms.iter().flatten().all(is_plain), "{:?}", String::from_utf8_lossy(&forms.concat()));
    }
});

/// Returns the report in every form, the page last.
fn written(module: &ValidModule) -> Vec<Vec<u8>> {
    let facts = Facts::find(module);
    let report = Report::of(&facts, &Policy::default());
    let mut forms = vec![Vec::new(); 5];
    let [screen, table, graph, log, object] = &mut forms[..] else { unreachable!("five forms are made") };
    text::report(screen, "name", module, &report, None).expect("a vector takes every byte");
    csv::findings(table, NAME, module, &report, None).expect("a vector takes every byte");
    dot::call_graph(graph, NAME, &facts).expect("a vector takes every byte");
    let analyzed = sarif::Analyzed { name: NAME, module, report: &report, baseline: None };
    shown::json(log, &sarif::log(vec![analyzed.part()])).expect("a vector takes every byte");
    shown::json(object, &json::report(module, &report, None)).expect("a vector takes every byte");
    forms.push(Page { name: "name", facts: &facts, report: &report, run: None }.render().into_bytes());
    forms
}
