//! The transcripts in the README: each is run, so that it cannot lie.

use std::path::Path;

use expect_test::expect_file;

use crate::product::Product;

const BEGIN: &str = "```console";
const END: &str = "```";
const PROMPT: &str = "$ wasmos ";
/// What begins the one line of a report that differs from run to run.
const TIME: &str = "  time         ";

/// Replaces what stands under each `$ wasmos ...` of a transcript by what `run` returns for the arguments.
fn refresh(text: &str, run: &mut dyn FnMut(&[&str]) -> String) -> String {
    let mut fresh = String::new();
    let (mut in_transcript, mut in_output) = (false, false);
    for line in text.lines() {
        let is_prompt = in_transcript && line.starts_with("$ ");
        let is_end = in_transcript && line == END;
        in_output &= !is_prompt && !is_end;
        in_transcript = (in_transcript || line == BEGIN) && !is_end;
        if in_output {
            continue;
        }
        fresh.push_str(line);
        fresh.push('\n');
        if let Some(args) = line.strip_prefix(PROMPT).filter(|_| is_prompt) {
            fresh.push_str(&run(&args.split_whitespace().collect::<Vec<_>>()));
            in_output = true;
        }
    }
    fresh
}

/// Runs the program and returns what a person at a terminal sees: stderr under stdout; of times there is `…`.
fn shown(product: &Product, folder: &Path, args: &[&str]) -> String {
    let output = product.run(folder, args).unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let line = |line: &str| match line.starts_with(TIME) {
        true => format!("{TIME}…\n"),
        false => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let root = crate::root();
    let path = root.join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let product = Product::of_tests(root).unwrap();
    let mut n_runs = 0;
    let fresh = refresh(&text, &mut |args| {
        n_runs += 1;
        shown(&product, root, args)
    });
    assert!(n_runs > 0, "the README has no transcript");
    expect_file![path].assert_eq(&fresh);
}

#[test]
fn only_what_stands_under_a_prompt_of_a_transcript_is_replaced() {
    let text =
        "a\n$ wasmos no\n```console\n$ wasmos x  y\nold\nold\n\n$ ls\nkept\n$ wasmos z\n```\n$ wasmos no\n";
    let fresh = refresh(text, &mut |args| format!("{args:?}\n"));
    let expected = "a\n$ wasmos no\n```console\n$ wasmos x  y\n[\"x\", \"y\"]\n$ ls\nkept\n$ wasmos z\n[\"z\"]\n```\n\
                    $ wasmos no\n";
    assert_eq!(fresh, expected);
}
