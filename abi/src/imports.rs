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
    // WASI preview 1 and the snapshot before it. Structures differ between the two, types of functions do not.
    // Source: the witx documents `wasi_snapshot_preview1` and `wasi_unstable`.
    ["wasi_snapshot_preview1", "wasi_unstable"] => {
        args_get                (I32 I32) -> (I32)                                 Args    "Copies the arguments into memory.";
        args_sizes_get          (I32 I32) -> (I32)                                 Args    "Returns how many arguments there are, and their size.";
        environ_get             (I32 I32) -> (I32)                                 Env     "Copies the environment variables into memory.";
        environ_sizes_get       (I32 I32) -> (I32)                                 Env     "Returns how many environment variables there are, and their size.";
        clock_res_get           (I32 I32) -> (I32)                                 Clock   "Returns the resolution of a clock.";
        clock_time_get          (I32 I64 I32) -> (I32)                             Clock   "Returns the time of a clock.";
        fd_advise               (I32 I64 I64 I32) -> (I32)                         FsRead  "Says how a file will be read.";
        fd_allocate             (I32 I64 I64) -> (I32)                             FsWrite "Makes sure that a file has space.";
        fd_close                (I32) -> (I32)                                     Stdio   "Closes a descriptor.";
        fd_datasync             (I32) -> (I32)                                     Stdio   "Puts the data of a file on its disk.";
        fd_fdstat_get           (I32 I32) -> (I32)                                 Stdio   "Returns kind, flags and rights of a descriptor.";
        fd_fdstat_set_flags     (I32 I32) -> (I32)                                 Stdio   "Sets the flags of a descriptor.";
        fd_fdstat_set_rights    (I32 I64 I64) -> (I32)                             Stdio   "Gives up rights of a descriptor.";
        fd_filestat_get         (I32 I32) -> (I32)                                 FsRead  "Returns the attributes of an open file.";
        fd_filestat_set_size    (I32 I64) -> (I32)                                 FsWrite "Sets the size of an open file.";
        fd_filestat_set_times   (I32 I64 I64 I32) -> (I32)                         FsWrite "Sets the times of an open file.";
        fd_pread                (I32 I32 I32 I64 I32) -> (I32)                     Stdio   "Reads a file at an offset.";
        fd_prestat_get          (I32 I32) -> (I32)                                 FsRead  "Describes a directory that was given.";
        fd_prestat_dir_name     (I32 I32 I32) -> (I32)                             FsRead  "Returns the name of a directory that was given.";
        fd_pwrite               (I32 I32 I32 I64 I32) -> (I32)                     Stdio   "Writes a file at an offset.";
        fd_read                 (I32 I32 I32 I32) -> (I32)                         Stdio   "Reads from a descriptor.";
        fd_readdir              (I32 I32 I32 I64 I32) -> (I32)                     FsRead  "Lists a directory.";
        fd_renumber             (I32 I32) -> (I32)                                 Stdio   "Moves a descriptor to another number.";
        fd_seek                 (I32 I64 I32 I32) -> (I32)                         Stdio   "Moves the position in a file.";
        fd_sync                 (I32) -> (I32)                                     Stdio   "Puts a file on its disk.";
        fd_tell                 (I32 I32) -> (I32)                                 Stdio   "Returns the position in a file.";
        fd_write                (I32 I32 I32 I32) -> (I32)                         Stdio   "Writes to a descriptor.";
        path_create_directory   (I32 I32 I32) -> (I32)                             FsWrite "Creates a directory.";
        path_filestat_get       (I32 I32 I32 I32 I32) -> (I32)                     FsRead  "Returns the attributes of a file.";
        path_filestat_set_times (I32 I32 I32 I32 I64 I64 I32) -> (I32)             FsWrite "Sets the times of a file.";
        path_link               (I32 I32 I32 I32 I32 I32 I32) -> (I32)             FsWrite "Creates a hard link.";
        path_open               (I32 I32 I32 I32 I32 I64 I64 I32 I32) -> (I32)     FsRead  "Opens a file or a directory.";
        path_readlink           (I32 I32 I32 I32 I32 I32) -> (I32)                 FsRead  "Reads a symbolic link.";
        path_remove_directory   (I32 I32 I32) -> (I32)                             FsWrite "Removes an empty directory.";
        path_rename             (I32 I32 I32 I32 I32 I32) -> (I32)                 FsWrite "Renames a file or a directory.";
        path_symlink            (I32 I32 I32 I32 I32) -> (I32)                     FsWrite "Creates a symbolic link.";
        path_unlink_file        (I32 I32 I32) -> (I32)                             FsWrite "Removes a file.";
        poll_oneoff             (I32 I32 I32 I32) -> (I32)                         Clock   "Waits for descriptors and clocks.";
        proc_exit               (I32) -> ()                                        Exit    "Ends the run with a status.";
        proc_raise              (I32) -> (I32)                                     Exit    "Sends a signal to itself; never granted.";
        random_get              (I32 I32) -> (I32)                                 Random  "Fills memory with random bytes.";
        sched_yield             () -> (I32)                                        Clock   "Lets others run.";
        sock_recv               (I32 I32 I32 I32 I32 I32) -> (I32)                 Sockets "Receives from a socket; there are none.";
        sock_send               (I32 I32 I32 I32 I32) -> (I32)                     Sockets "Sends to a socket; there are none.";
        sock_shutdown           (I32 I32) -> (I32)                                 Sockets "Shuts a socket down; there are none.";
    }
    ["wasi_snapshot_preview1"] => {
        sock_accept             (I32 I32 I32) -> (I32)                             Sockets "Accepts a connection; there are no sockets.";
    }
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
