//! What a guest is granted: everything, or what `--grants FILE.toml` lists, without what `--deny` withholds.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use wasmos_runtime::events::Grants;

use crate::args::{GuestArgs, capability};
use crate::output::Escaped;
use crate::problem::{Problem, file_name};
use crate::run::config;

/// A file of grants. `analyze --profile-out` writes such a file, with keys beside the grants that are for people.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    grants: Vec<String>,
    #[serde(rename = "schema")]
    _schema: Option<IgnoredAny>,
    #[serde(rename = "module-sha256")]
    _module: Option<IgnoredAny>,
    #[serde(rename = "import")]
    _imports: Option<IgnoredAny>,
}

pub(super) fn grants(args: &GuestArgs) -> Result<Grants, Problem> {
    let mut grants = match &args.grants {
        Some(path) => read(path)?,
        None => Grants::all(),
    };
    args.deny.iter().for_each(|capability| grants.deny(*capability));
    Ok(grants)
}

fn read(path: &Path) -> Result<Grants, Problem> {
    let text = config::text(path)?;
    let problem = |error: &toml::de::Error| config::malformed(path, &text, error);
    let file: File = toml::from_str(&text).map_err(|error| {
        problem(&error).help("write what is granted, e.g. grants = [\"stdio\", \"fs-read\"]")
    })?;
    let mut grants = Grants::none();
    for name in &file.grants {
        let capability = capability(name).map_err(|why| {
            Problem::new(
                crate::exit::Exit::Usage,
                &file_name(path),
                format!("`{}`: {why}", Escaped::new(name)),
            )
        })?;
        grants.grant(capability);
    }
    Ok(grants)
}
