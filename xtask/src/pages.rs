//! Opens reports of `analyze --html` and `run --report` in a browser: no script of the guest's runs, no request leaves, no
//! error on the console, no violation that axe knows, nothing wider than a phone. Needs Chromium and npm; what npm installs
//! goes below `target/`, by the lock file in `tests/pages`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::product::Product;

/// Names that Chromium goes by.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Makes the pages and opens them; returns whether nothing is wrong with them.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let browser = browser()?;
    let (source, folder) = (root.join("tests/pages"), root.join("target/pages"));
    let tools = folder.join("tools");
    fs::create_dir_all(&tools)?;
    for file in ["package.json", "package-lock.json", "pages.mjs"] {
        fs::copy(source.join(file), tools.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    let installed = Command::new("npm")
        .args(["ci", "--omit=dev", "--omit=optional", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&tools)
        .status()
        .context("npm does not start")?;
    ensure!(installed.success(), "npm installs nothing");
    let names = make(root, &folder)?;
    let mut node = Command::new("node");
    node.arg(tools.join("pages.mjs")).arg(browser).arg(&folder).args(&names).current_dir(&tools);
    Ok(node.status().context("node does not start")?.success())
}

fn browser() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).flat_map(|folder| BROWSERS.map(|name| folder.join(name)));
    found.into_iter().find(|path| path.is_file()).context("there is no Chromium: `apt-get install chromium`")
}

/// Writes the pages and returns their names.
fn make(root: &Path, folder: &Path) -> Result<Vec<&'static str>> {
    let program = Product::build_quickly(root)?;
    let big = folder.join("big.wat");
    fs::write(&big, big_module())?;
    let modules = [
        ("hostile", root.join("tests/pages/hostile.wat")),
        ("benign", root.join("examples/words.wasm")),
        ("big", big),
    ];
    let mut names = Vec::new();
    for (name, module) in modules {
        let (page, module) = (folder.join(format!("{name}.html")), module.display().to_string());
        let page = format!("--html={}", page.display());
        let output = program.run(root, &["analyze", "--fail-on=none", &page, &module])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`analyze --html` of {module} ends with {}: {said}", output.status);
        names.push(name);
    }
    Ok(names)
}

/// A module with more of everything than a page lists: functions, imports, loops in one another, long tables, cycles.
fn big_module() -> String {
    let list = |n: usize, item: &dyn Fn(usize) -> String| (0..n).map(item).collect::<String>();
    let imports =
        list(700, &|at| format!("(import \"env\" \"emscripten_asm_const_{at}\" (func (param i32)))\n"));
    let funcs = list(2_000, &|at| {
        let (depth, host, callee) = (at % 12, at % 700, (at * 7 + 1) % 2_000);
        let open = list(depth, &|level| format!("(loop $l{level} (br_if $l{level} (local.get 0)) "));
        let close = ")".repeat(depth);
        let calls = format!(
            "(call {host} (i32.const {at})) {close} (call $a_function_with_a_long_name_{callee} (i32.const 1))"
        );
        format!("(func $a_function_with_a_long_name_{at} (export \"f{at}\") (param i32) {open} {calls})\n")
    });
    let wide = list(400, &|at| format!("(if (i32.eq (local.get 0) (i32.const {at})) (then (nop)))"));
    let data =
        list(500, &|at| format!("(data (i32.const {}) \"https://host{at}.invalid/path/{at}\")\n", at * 64));
    format!("(module {imports} (memory 1) {data} {funcs} (func $wide (export \"wide\") (param i32) {wide}))")
}
