//! The page of a module whose every name, text and section is an attack, parsed as a browser does: it has the elements and
//! attributes of the template and no others.

use std::collections::BTreeSet;

use html5ever::tendril::TendrilSink as _;
use html5ever::{Attribute, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use wasmos_analysis::run_facts::{Happened, HostCalls, RunFacts};
use wasmos_analysis::{Facts, Policy, Report};
use wasmos_frontend::ValidModule;
use wasmos_web_report::html::Page;
use wasmos_web_report::shown::Escaped;

/// What a guest would call itself to get out of the place where its name stands.
const PAYLOADS: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "\u{1b}[31m\u{9b}2J\u{202e}\u{2028}\u{200b}\0",
    "</style></title></pre></code><svg onload=alert(1)>",
    "&lt;script&gt;&#x3c;script>",
];

fn assemble(text: &str) -> ValidModule {
    let bytes = wat::parse_str(text).expect("the text is well-formed");
    wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).expect("the module is valid")
}

fn hostile() -> ValidModule {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/pages/hostile.wat");
    assemble(&std::fs::read_to_string(path).expect("the module is there"))
}

fn page(module: &ValidModule, run: Option<&RunFacts>) -> String {
    let facts = Facts::find(module);
    let report = Report::of(&facts, &Policy::default());
    Page { name: "<b>file</b>.wasm", facts: &facts, report: &report, run }.render()
}

/// A run whose every word is the guest's; what counts as escaped is.
fn hostile_run(module: &ValidModule) -> RunFacts {
    let escaped = |text: &str| Escaped::new(text).to_string();
    let sentences = PAYLOADS.map(escaped).to_vec();
    let mut run = RunFacts { ending: "trapped", sentences, ..RunFacts::default() };
    for payload in PAYLOADS {
        let (module, name) = (payload.to_owned(), payload.to_owned());
        run.host_calls.push(HostCalls { module, name, count: 1 });
        run.happened.push(Happened { fuel: 1, what: escaped(payload), text: payload.as_bytes().to_vec() });
    }
    run.counts.add(module.defined_func(0), module.bodies[0].0.start + 3);
    run
}

/// Walks a page without recursion.
fn walk(page: &str, mut see: impl FnMut(&str, &[Attribute], &Handle)) {
    let dom = parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(page);
    let mut open = vec![dom.document.clone()];
    while let Some(node) = open.pop() {
        if let NodeData::Element { name, attrs, .. } = &node.data {
            see(&name.local, &attrs.borrow(), &node);
        }
        open.extend(node.children.borrow().iter().cloned());
    }
}

/// What is left of a page when the guest is left out: names of elements with those of their attributes.
fn shape(page: &str) -> BTreeSet<String> {
    let mut shape = BTreeSet::new();
    walk(page, |name, attributes, _| {
        shape.extend(attributes.iter().map(|it| format!("{name} {}", it.name.local)));
        shape.insert(name.to_owned());
    });
    shape
}

fn assert_inert(page: &str) {
    let mut scripts = Vec::new();
    walk(page, |name, attributes, node| {
        if name == "script" {
            scripts.push(node.clone());
        }
        assert!(
            !["iframe", "object", "embed", "img", "base", "template", "math"].contains(&name),
            "<{name}>"
        );
        for attribute in attributes {
            let (key, value) = (&*attribute.name.local, &*attribute.value);
            assert!(!key.starts_with("on"), "<{name} {key}={value}>");
            assert_ne!(key, "style", "the policy would refuse it: <{name} {key}={value}>");
            if ["href", "src", "action", "formaction", "xlink:href", "srcdoc", "data", "poster"]
                .contains(&key)
            {
                let ours = value == "data:,"
                    || value.strip_prefix('#').is_some_and(|id| {
                        id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                    });
                assert!(ours, "<{name} {key}={value}>");
            }
        }
    });
    assert_eq!(scripts.len(), 1);
    let NodeData::Element { attrs, .. } = &scripts[0].data else { unreachable!("a script is an element") };
    assert!(attrs.borrow().is_empty(), "the script is the one that the policy names by its hash");
    let strange =
        |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2028}\u{2029}\u{200b}\u{2066}".contains(c);
    assert!(!page.contains(strange), "what cannot be seen is shown as an escape");
}

#[test]
fn a_page_of_a_hostile_module_has_no_elements_but_ours() {
    let module = hostile();
    let run = hostile_run(&module);
    for run in [None, Some(&run)] {
        let page = page(&module, run);
        assert_inert(&page);
        // It is there, as text.
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(page.contains("\\u{202e}"));
    }
}

/// The elements of a page do not depend on what names say: those of the same module with harmless names are the same.
#[test]
fn names_do_not_change_the_shape_of_a_page() {
    let text = |name: &str| {
        let name: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            "(module (import \"{name}\" \"{name}\" (func $i (param i32))) (memory 1) (data (i32.const 0) \"{name}......\")
               (func (@name \"{name}\") (export \"{name}\") (loop $l (call $i (i32.const 1)) (br $l)))
               (@custom \"{name}\" \"x\") (@producers (language \"{name}\" \"{name}\")))"
        )
    };
    // A name that cannot be seen gives a finding more; otherwise nothing may differ.
    let harmless = shape(&page(&assemble(&text("\u{200b}harmless")), None));
    for payload in PAYLOADS {
        let page = page(&assemble(&text(&format!("\u{200b}{payload}"))), None);
        assert_inert(&page);
        let more: Vec<_> = shape(&page).difference(&harmless).cloned().collect();
        assert!(more.is_empty(), "{payload:?} makes {more:?}");
    }
}

#[test]
fn a_page_has_the_same_bytes_each_time() {
    let module = hostile();
    assert_eq!(page(&module, None), page(&hostile(), None));
}

/// Style and script hold nothing that ends their element, and the policy has their hashes: a browser that runs the page in
/// `cargo xtask pages` is the witness of the latter.
#[test]
fn style_and_script_are_whole() {
    let page = page(&assemble("(module)"), None);
    for (element, begins) in [("style", "/* Colours"), ("script", "\"use strict\";")] {
        let (_, rest) = page.split_once(&format!("<{element}>")).expect("the element is there");
        assert!(rest.trim_start().starts_with(begins));
        assert_eq!(page.matches(&format!("</{element}")).count(), 1);
    }
    let policy = "default-src 'none'; style-src 'sha256-";
    assert!(page.contains(policy), "{page}");
    assert!(!page.contains("unsafe-inline"));
}

/// A page is bounded whatever the module is.
#[test]
fn a_large_module_gives_a_page_of_bounded_size() {
    let body = "(if (local.get 0) (then (nop)))".repeat(60);
    let funcs: String = (0..3_000)
        .map(|at| format!("(func (export \"function{at}\") (param i32) (loop $l (br $l)) {body})"))
        .collect();
    let page = page(&assemble(&format!("(module {funcs})")), None);
    assert!(page.len() < 4 << 20, "{} bytes", page.len());
    assert!(page.contains("of 3,000"));
}
