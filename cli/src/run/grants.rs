//! What a guest is granted: everything, or what `--grants FILE.toml` lists, without what `--deny` withholds.
//!
//! A file that says which module it was made for is believed for no other one: what was looked at is what runs.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use wasmos_runtime::events::Grants;

use crate::args::{GuestArgs, capability};
use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};
use crate::run::config;
use crate::tiers;

/// A file of grants. `analyze --profile-out` writes such a file, with keys beside the grants that are for people.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    grants: Vec<String>,
    #[serde(rename = "schema")]
    _schema: Option<IgnoredAny>,
    /// The module that it was derived from, in hexadecimal. A file that somebody wrote need not have it.
    module_sha256: Option<String>,
    #[serde(rename = "import")]
    _imports: Option<IgnoredAny>,
}

/// Returns what is granted to `module`.
pub(super) fn grants(args: &GuestArgs, module: &[u8]) -> Result<Grants, Problem> {
    let mut grants = match &args.grants {
        Some(path) => read(path, module)?,
        None => Grants::all(),
    };
    args.deny.iter().for_each(|capability| grants.deny(*capability));
    Ok(grants)
}

fn read(path: &Path, module: &[u8]) -> Result<Grants, Problem> {
    let text = config::text(path)?;
    let problem = |error: &toml::de::Error| config::malformed(path, &text, error);
    let file: File = toml::from_str(&text).map_err(|error| {
        problem(&error).help("write what is granted, e.g. grants = [\"stdio\", \"fs-read\"]")
    })?;
    if let Some(made_for) = &file.module_sha256 {
        check_module(path, made_for, module)?;
    }
    let mut grants = Grants::none();
    for name in &file.grants {
        let capability = capability(name).map_err(|why| {
            Problem::new(Exit::Usage, &file_name(path), format!("`{}`: {why}", Escaped::new(name)))
        })?;
        grants.grant(capability);
    }
    Ok(grants)
}

fn check_module(path: &Path, made_for: &str, module: &[u8]) -> Result<(), Problem> {
    let is = tiers::hex(module);
    if made_for.eq_ignore_ascii_case(&is) {
        return Ok(());
    }
    let problem = Problem::new(Exit::Usage, &file_name(path), "was made for another module");
    Err(problem
        .note(format!("module-sha256 is {}", Escaped::new(made_for)))
        .note(format!("this module is   {is}"))
        .help("`wasmos analyze --profile-out` makes one for this module"))
}
