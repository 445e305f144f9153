//! Rules on every text file.

use super::Finding;
use super::tree::Tree;

/// Folders of the machine that a file was written on; pieced together, so that this file passes its own rule.
const MACHINE_FOLDERS: [&str; 3] = [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/")];

/// Finds paths of a machine: they mean nothing to anyone else.
pub(super) fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let lines = tree
        .files
        .iter()
        .flat_map(|file| file.text.lines().zip(1..).map(move |(text, line)| (file, text, line)));
    lines
        .filter_map(|(file, text, line)| {
            let folder = MACHINE_FOLDERS.iter().find(|folder| begins_a_path(text, folder))?;
            Some(Finding::at(&file.path, line, format!("names the folder {folder} of some machine")))
        })
        .collect()
}

/// Whether an absolute path begins with `folder` somewhere in `text`: `../work/x` and `https://x.org/home/` do not.
fn begins_a_path(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_path_of_a_machine_is_found_and_a_relative_one_is_not() {
        let [work, root, home] = MACHINE_FOLDERS;
        let text = format!("a\n`{work}x`\n..{work}x\nhttps://x.org{home}\n{root}y {home}\nsrc{root}");
        let findings = machine_paths(&Tree::of(&[("notes.md", &text)]));
        let lines: Vec<_> = findings.iter().map(|finding| finding.line.unwrap()).collect();
        assert_eq!(lines, [2, 5]);
    }
}
