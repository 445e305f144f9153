//! Accepts what is produced now as what is expected, to be reviewed as a part of the diff.

use std::path::Path;

use anyhow::Result;

use crate::{ci, examples};

/// Assembles the examples, then runs the tests with `UPDATE_EXPECT=1`; returns whether they pass.
pub(crate) fn run(root: &Path) -> Result<bool> {
    for path in examples::assemble(root)? {
        println!("assembled {path}");
    }
    ci::cargo(root, &["test", "--workspace"], &[("UPDATE_EXPECT", "1")])
}
