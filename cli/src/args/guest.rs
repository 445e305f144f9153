//! The flags of `run` that say what a guest is given: directories, environment, streams, clock, random bytes,
//! capabilities.

use std::path::PathBuf;

use clap::ValueEnum;
use wasmos_runtime::Capability;
use wasmos_runtime::wasi::Access;

#[derive(Debug, clap::Args)]
pub(crate) struct GuestArgs {
    /// Give a directory: ro (the default), rw, or overlay, which keeps writes in memory
    ///
    /// The guest sees it as GUEST, by default under the same name. An overlay reads the host's files and never
    /// changes them; what the guest wrote is listed after the run, and --save-overlay keeps it.
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro|:rw|:overlay]", value_parser = Dir::parse)]
    pub(crate) dirs: Vec<Dir>,

    /// Give an empty directory in memory
    #[arg(long, value_name = "GUEST")]
    pub(crate) memfs: Vec<String>,

    /// Save what the guest wrote into overlays and --memfs below DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) save_overlay: Option<PathBuf>,

    /// Set an environment variable; the host's are never inherited
    #[arg(long, value_name = "K=V", value_parser = Variable::parse)]
    pub(crate) env: Vec<Variable>,

    /// What the guest reads on its standard input
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Stdin::Inherit)]
    pub(crate) stdin: Stdin,

    /// The name that the guest sees itself under, by default the file's
    #[arg(long, value_name = "NAME")]
    pub(crate) argv0: Option<String>,

    /// Where the time comes from; under the virtual clock a sleep ends at once
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Clock::Virtual)]
    pub(crate) clock: Clock,

    /// Where random bytes come from
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Random::Seeded)]
    pub(crate) random: Random,

    /// Withhold a capability; `wasmos run --help` lists them
    #[arg(
        long,
        value_name = "CAP",
        value_parser = capability,
        long_help = capabilities(),
    )]
    pub(crate) deny: Vec<Capability>,

    /// Grant only the capabilities that a TOML file lists: grants = ["stdio"]
    ///
    /// `wasmos analyze --profile-out` writes such a file.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) grants: Option<PathBuf>,

    /// Send the guest's output to the terminal as it is, escapes and all
    #[arg(long)]
    pub(crate) raw: bool,
}

/// A directory of the host, and what it is for the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dir {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) access: Access,
}

/// How a directory is given, behind the last colon.
const ACCESS: [(&str, Access); 3] =
    [(":ro", Access::ReadOnly), (":rw", Access::ReadWrite), (":overlay", Access::Overlay)];

impl Dir {
    fn parse(text: &str) -> Result<Self, String> {
        let suffix = ACCESS.iter().find_map(|(suffix, access)| Some((text.strip_suffix(suffix)?, *access)));
        let (names, access) = suffix.unwrap_or((text, Access::ReadOnly));
        let (host, guest) = names.split_once("::").unwrap_or((names, names));
        if host.is_empty() || guest.is_empty() {
            return Err("write HOST, HOST::GUEST or HOST::GUEST:rw, e.g. data::/data:overlay".into());
        }
        Ok(Self { host: host.into(), guest: guest.into(), access })
    }
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Variable {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("", _)) => Err("a variable needs a name in front of `=`".into()),
            Some((name, value)) => Ok(Self { name: name.into(), value: value.into() }),
            None => Err("write K=V; the host's environment is never inherited".into()),
        }
    }
}

/// What the guest reads on its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stdin {
    /// What wasmos itself would read
    Inherit,
    /// Nothing
    Null,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clock {
    /// Moves with the instructions and with sleeps: a run repeats
    Virtual,
    /// The host's
    Real,
}

/// Where random bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Random {
    /// Follow from --seed: a run repeats
    Seeded,
    /// The host's
    Real,
}

pub(crate) fn capability(name: &str) -> Result<Capability, String> {
    Capability::from_name(name).ok_or_else(|| format!("there is no such capability; there are {}", names()))
}

fn names() -> String {
    let names: Vec<_> = Capability::ALL.iter().map(|capability| capability.name()).collect();
    names.join(", ")
}

fn capabilities() -> String {
    format!(
        "Withhold a capability. An import that needs it is refused before anything runs. There are {}.",
        names()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_host_guest_and_access() {
        let dir =
            |host: &str, guest: &str, access| Ok(Dir { host: host.into(), guest: guest.into(), access });
        for (text, wanted) in [
            ("data", dir("data", "data", Access::ReadOnly)),
            ("data::/data", dir("data", "/data", Access::ReadOnly)),
            ("data:rw", dir("data", "data", Access::ReadWrite)),
            ("data::/d:overlay", dir("data", "/d", Access::Overlay)),
            ("data::/d:ro", dir("data", "/d", Access::ReadOnly)),
            // Only the three are a suffix.
            ("data:x", dir("data:x", "data:x", Access::ReadOnly)),
            ("C:\\w::/w:rw", dir("C:\\w", "/w", Access::ReadWrite)),
            ("a::b::c", dir("a", "b::c", Access::ReadOnly)),
        ] {
            assert_eq!(Dir::parse(text), wanted, "{text}");
        }
        for text in ["", "::/d", "data::", ":rw", "::", "data:::rw"] {
            assert!(Dir::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_has_a_name_and_may_have_no_value() {
        let variable = |text| Variable::parse(text).map(|Variable { name, value }| (name, value));
        assert_eq!(variable("K=V=W"), Ok(("K".into(), "V=W".into())));
        assert_eq!(variable("K="), Ok(("K".into(), String::new())));
        assert!(variable("K").is_err() && variable("=V").is_err());
    }
}
