//! The host imports that wasmos knows, one row each: who asks for them, their type, what they are allowed by, what
//! they do. `runtime` implements each row that it links; a test walks both.

use crate::capability::Capability;

/// A value type of a known import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Type {
    I32,
    I64,
    F32,
    F64,
}

/// A known import, as [`known`] yields it.
#[derive(Clone, Copy, Debug)]
pub struct KnownImport {
    /// The module that is asked.
    pub module: &'static str,
    /// The name there.
    pub name: &'static str,
    /// Parameters.
    pub params: &'static [Type],
    /// Results.
    pub results: &'static [Type],
    /// What must be granted for it.
    pub capability: Capability,
    /// What it does.
    pub sentence: &'static str,
}

macro_rules! known {
    ($($modules:expr => { $($name:ident ($($param:ident)*) -> ($($result:ident)*) $capability:ident $sentence:literal;)* })*) => {
        // Every known import; a group of rows stands once for each module that offers it.
        static KNOWN: &[Group] = &[$(Group {
            modules: &$modules,
            rows: &[$(Row {
                name: stringify!($name),
                params: &[$(Type::$param),*],
                results: &[$(Type::$result),*],
                capability: Capability::$capability,
                sentence: $sentence,
            }),*],
        }),*];
    };
}

/// Imports that the same modules offer.
#[derive(Clone, Copy, Debug)]
struct Group {
    modules: &'static [&'static str],
    rows: &'static [Row],
}

#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    params: &'static [Type],
    results: &'static [Type],
    capability: Capability,
    sentence: &'static str,
}

known! {
    // The wasmos ABI.
    ["wasmos", "env"] => {
        read_sensor (I32) -> (I32)         Sensor "Returns the reading of a sensor, or -1 if there is no such sensor.";
        log         (I32 I32) -> ()        Log    "Logs the text at an address, of a length in bytes.";
        send_alert  (I32 I32 I32) -> ()    Alert  "Raises an alert with the text at an address, of a length in bytes, at a level from 0 to 3.";
    }
}

/// Yields every known import.
pub fn known() -> impl Iterator<Item = KnownImport> {
    KNOWN.iter().flat_map(|group| {
        group.modules.iter().flat_map(|module| {
            group.rows.iter().map(|row| KnownImport {
                module,
                name: row.name,
                params: row.params,
                results: row.results,
                capability: row.capability,
                sentence: row.sentence,
            })
        })
    })
}

/// Returns the known import of a name.
#[must_use]
pub fn find(module: &str, name: &str) -> Option<KnownImport> {
    known().find(|import| import.module == module && import.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_import_stands_twice() {
        let mut seen = HashSet::new();
        assert!(known().all(|import| seen.insert((import.module, import.name))));
        assert_eq!(find("env", "log").map(|import| import.capability), Some(Capability::Log));
        assert!(find("env", "nothing").is_none());
    }
}
