//! What imports of platforms other than ours let a guest do, by patterns of names: judged, never linked.
//!
//! `imports` declares what a run can link, with types. Here a row is a pattern, since toolchains generate names; a `*` at the
//! end stands for any rest. The first row that fits decides, so that rows stand from the special to the general.

use core::fmt;

use crate::capability::Capability;

macro_rules! classes {
    ($($variant:ident $name:literal $sentence:literal;)*) => {
        /// What an import lets a guest do, in the eyes of whoever judges it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Class {
            $(#[doc = $sentence] $variant,)*
        }

        impl Class {
            /// Every class, from the harmless to the unknown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name that reports and policies use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Says what it allows.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            /// Returns the class of a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|class| class.name() == name)
            }
        }
    };
}

classes! {
    Pure        "pure"         "Arithmetic, text and errors: nothing outside the guest.";
    Glue        "glue"         "Objects of the embedder's language, as bindings handle them.";
    Memory      "memory"       "Grows or copies the guest's own memory.";
    Exit        "exit"         "Ends the run.";
    Sensor      "sensor"       "Reads simulated sensors.";
    Output      "output"       "Writes to a log or a console, and raises alerts.";
    Stdio       "stdio"        "Reads and writes what is open.";
    Environment "environment"  "Reads arguments and environment variables.";
    Time        "time"         "Reads clocks and sleeps.";
    Random      "random"       "Takes random bytes.";
    Thread      "thread"       "Starts threads and talks to them.";
    FileRead    "file-read"    "Opens, lists and reads files.";
    Document    "document"     "Reads and changes the page that embeds it.";
    Storage     "storage"      "Keeps data in the platform's store.";
    FileWrite   "file-write"   "Creates, changes and removes files.";
    Network     "network"      "Talks to other machines.";
    Process     "process"      "Starts, signals or inspects processes.";
    Reflection  "reflection"   "Calls whatever the embedder's language can reach.";
    DynamicCode "dynamic-code" "Loads code at run time.";
    Eval        "eval"         "Runs text as code of the embedder.";
    Unknown     "unknown"      "Nothing is known of it.";
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns the class of a capability.
#[must_use]
pub const fn class_of(capability: Capability) -> Class {
    match capability {
        Capability::Sensor => Class::Sensor,
        Capability::Log | Capability::Alert => Class::Output,
        Capability::Args | Capability::Env => Class::Environment,
        Capability::Stdio => Class::Stdio,
        Capability::FsRead => Class::FileRead,
        Capability::FsWrite => Class::FileWrite,
        Capability::Clock => Class::Time,
        Capability::Random => Class::Random,
        Capability::Exit => Class::Exit,
        Capability::Sockets => Class::Network,
    }
}

/// A platform: which modules it is asked under, and what its names allow.
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// Its name.
    pub name: &'static str,
    /// Patterns of the modules.
    modules: &'static [&'static str],
    /// Patterns of the names, and their classes.
    rows: &'static [(&'static str, Class)],
    /// The class of a name that no row has; without it the next platform is asked.
    rest: Option<Class>,
}

const fn platform(
    name: &'static str,
    modules: &'static [&'static str],
    rows: &'static [(&'static str, Class)],
    rest: Option<Class>,
) -> Platform {
    Platform { name, modules, rows, rest }
}

use Class::{
    Document, DynamicCode, Environment, Eval, Exit, FileRead, FileWrite, Glue, Memory, Network, Output,
    Process, Pure, Random, Reflection, Stdio, Storage, Thread, Time,
};

/// Sources: Emscripten's `src/lib/lib*.js` and `system/lib`; wasm-bindgen's `crates/cli-support`; Go's `lib/wasm/wasm_exec.js`;
/// AssemblyScript's loader; Node-API; the WIT packages of WASI 0.2; proxy-wasm ABI 0.2.1; Extism's PDK; the contracts' SDKs.
static PLATFORMS: &[Platform] = &[
    platform("WASI 0.2", &["wasi:*"], &[], None),
    platform(
        "WASI preview 1 adapter",
        &["__main_module__"],
        &[("_start", Pure), ("cabi_realloc", Memory)],
        None,
    ),
    platform("JS string builtins", &["wasm:js-string"], &[], Some(Pure)),
    platform("Dart", &["dart2wasm"], &[], Some(Glue)),
    platform(
        "Go",
        &["gojs", "go"],
        &[
            ("syscall/js.valueCall", Reflection),
            ("syscall/js.valueGet", Reflection),
            ("syscall/js.valueSet", Reflection),
            ("syscall/js.valueNew", Reflection),
            ("syscall/js.valueInvoke", Reflection),
            ("syscall/js.*", Glue),
            ("runtime.getRandomData", Random),
            ("runtime.nanotime1", Time),
            ("runtime.walltime", Time),
            ("runtime.scheduleTimeoutEvent", Time),
            ("runtime.clearTimeoutEvent", Time),
            ("runtime.wasmWrite", Output),
            ("runtime.wasmExit", Exit),
        ],
        Some(Glue),
    ),
    platform(
        "wasm-bindgen",
        &["wbg", "__wbindgen_*", "./*"],
        &[
            ("__wbg_eval_*", Eval),
            ("__wbg_newnoargs_*", Eval),
            ("__wbg_fetch_*", Network),
            ("__wbg_send_*", Network),
            ("__wbg_open_*", Network),
            ("__wbg_newwithstr_*", Network),
            ("__wbg_getRandomValues_*", Random),
            ("__wbg_randomFillSync_*", Random),
            ("__wbg_now_*", Time),
            ("__wbg_getTime_*", Time),
            ("__wbg_setTimeout_*", Time),
            ("__wbg_document_*", Document),
            ("__wbg_createElement_*", Document),
            ("__wbg_setinnerHTML_*", Document),
            ("__wbg_appendChild_*", Document),
            ("__wbg_body_*", Document),
            ("__wbg_localStorage_*", Storage),
            ("__wbg_require_*", DynamicCode),
            ("__wbg_log_*", Output),
            ("__wbg_error_*", Output),
            ("__wbg_warn_*", Output),
            ("__wbg_*", Glue),
            ("__wbindgen_*", Glue),
        ],
        None,
    ),
    platform(
        "Node-API",
        &["env", "napi", "node_api"],
        &[("napi_run_script", Eval), ("napi_*", Glue), ("node_api_*", Glue), ("*emnapi_*", Glue)],
        None,
    ),
    platform("old Emscripten", &["asm2wasm", "global.Math", "Math", "global"], &[], Some(Pure)),
    platform(
        "Emscripten",
        &["env", "GOT.func", "GOT.mem"],
        &[
            ("emscripten_run_script*", Eval),
            ("emscripten_asm_const_*", Eval),
            ("_emscripten_run_script*", Eval),
            ("emscripten_async_run_script*", Eval),
            ("dlopen*", DynamicCode),
            ("_dlopen_js", DynamicCode),
            ("_dlsym_js", DynamicCode),
            ("_dlsym_catchup_js", DynamicCode),
            ("dlsym", DynamicCode),
            ("__dlopen*", DynamicCode),
            ("emscripten_dlopen*", DynamicCode),
            ("emscripten_fetch_*", Network),
            ("emscripten_websocket_*", Network),
            ("emscripten_async_wget*", Network),
            ("emscripten_wget*", Network),
            ("__syscall_socket*", Network),
            ("__syscall_connect", Network),
            ("__syscall_bind", Network),
            ("__syscall_listen", Network),
            ("__syscall_accept4", Network),
            ("__syscall_send*", Network),
            ("__syscall_recv*", Network),
            ("__syscall_getsockname", Network),
            ("__syscall_getpeername", Network),
            ("__syscall_getsockopt", Network),
            ("__syscall_setsockopt", Network),
            ("__syscall_shutdown", Network),
            ("getaddrinfo", Network),
            ("_emscripten_lookup_name", Network),
            ("__syscall_fork", Process),
            ("__syscall_execve", Process),
            ("__syscall_ptrace", Process),
            ("__syscall_kill", Process),
            ("__syscall_wait4", Process),
            ("_emscripten_system", Process),
            ("emscripten_system", Process),
            ("__syscall_openat", FileRead),
            ("__syscall_open", FileRead),
            ("__syscall_*stat*", FileRead),
            ("__syscall_fstat64", FileRead),
            ("__syscall_lstat64", FileRead),
            ("__syscall_stat64", FileRead),
            ("__syscall_newfstatat", FileRead),
            ("__syscall_getdents64", FileRead),
            ("__syscall_getcwd", FileRead),
            ("__syscall_faccessat", FileRead),
            ("__syscall_readlinkat", FileRead),
            ("__syscall_chdir", FileRead),
            ("__syscall_chmod", FileWrite),
            ("__syscall_fchmod*", FileWrite),
            ("__syscall_fchown*", FileWrite),
            ("__syscall_fallocate", FileWrite),
            ("__syscall_ftruncate64", FileWrite),
            ("__syscall_truncate64", FileWrite),
            ("__syscall_mkdirat", FileWrite),
            ("__syscall_renameat", FileWrite),
            ("__syscall_rmdir", FileWrite),
            ("__syscall_symlinkat", FileWrite),
            ("__syscall_unlinkat", FileWrite),
            ("__syscall_utimensat", FileWrite),
            ("__syscall_*", Stdio),
            ("___syscall*", Stdio),
            ("emscripten_resize_heap", Memory),
            ("emscripten_get_heap_max", Memory),
            ("emscripten_memcpy_*", Memory),
            ("_emscripten_memcpy_*", Memory),
            ("_mmap_js", Memory),
            ("_munmap_js", Memory),
            ("__pthread_create_js", Thread),
            ("_emscripten_thread_*", Thread),
            ("__emscripten_thread_*", Thread),
            ("__emscripten_init_main_thread_js", Thread),
            ("_emscripten_notify_*", Thread),
            ("emscripten_receive_on_main_thread_js", Thread),
            ("emscripten_check_blocking_allowed", Thread),
            ("emscripten_num_logical_cores", Thread),
            ("pthread_*", Thread),
            ("emscripten_get_now*", Time),
            ("_emscripten_get_now*", Time),
            ("emscripten_date_now", Time),
            ("emscripten_sleep", Time),
            ("_localtime_js", Time),
            ("_gmtime_js", Time),
            ("_mktime_js", Time),
            ("_timegm_js", Time),
            ("_tzset_js", Time),
            ("_setitimer_js", Time),
            ("clock_gettime", Time),
            ("getentropy", Random),
            ("__getrandom_*", Random),
            ("seed", Random),
            ("emscripten_console_*", Output),
            ("_emscripten_out", Output),
            ("_emscripten_err", Output),
            ("invoke_*", Pure),
            ("setThrew", Pure),
            ("getTempRet0", Pure),
            ("setTempRet0", Pure),
            ("__cxa_*", Pure),
            ("__resumeException", Pure),
            ("llvm_eh_typeid_for", Pure),
            ("_emscripten_throw_longjmp", Pure),
            ("emscripten_longjmp", Pure),
            ("_emval_*", Glue),
            ("_embind_*", Glue),
            ("__assert_fail", Exit),
            ("__handle_stack_overflow", Exit),
            ("abort*", Exit),
            ("_abort_js", Exit),
            ("alignfault", Exit),
            ("segfault", Exit),
            ("exit", Exit),
            ("_exit", Exit),
            ("emscripten_force_exit", Exit),
            ("_emscripten_runtime_keepalive_clear", Exit),
            ("iswalpha", Pure),
            ("iswspace", Pure),
            ("__stack_pointer", Memory),
            ("__memory_base", Memory),
            ("__table_base", Memory),
            ("memory", Memory),
            ("__indirect_function_table", Memory),
            ("table", Memory),
            ("emscripten_gl*", Document),
            ("gl*", Document),
            ("egl*", Document),
            ("emscripten_set_*_callback*", Document),
            ("emscripten_get_element_css_size", Document),
        ],
        None,
    ),
    platform(
        "AssemblyScript",
        &["env", "index"],
        &[("abort", Exit), ("trace", Output), ("seed", Random)],
        None,
    ),
    platform(
        "proxy-wasm",
        &["env"],
        &[
            ("proxy_http_call", Network),
            ("proxy_dispatch_*", Network),
            ("proxy_grpc_*", Network),
            ("proxy_send_*", Network),
            ("proxy_log", Output),
            ("proxy_get_current_time_nanoseconds", Time),
            ("proxy_set_shared_data", Storage),
            ("proxy_*", Glue),
        ],
        None,
    ),
    platform(
        "Extism",
        &["extism:host/env", "extism:host/user", "env"],
        &[
            ("http_request", Network),
            ("extism_http_request", Network),
            ("var_set", Storage),
            ("extism_var_set", Storage),
            ("log_*", Output),
            ("extism_log_*", Output),
            ("extism_*", Glue),
        ],
        None,
    ),
    platform("WasmEdge", &["wasmedge_*", "env"], &[("wasmedge_*", Process)], None),
    platform("WASI-NN", &["wasi_nn", "wasi_ephemeral_nn"], &[], Some(Glue)),
    platform("WASI threads", &["wasi"], &[("thread-spawn", Thread), ("thread_spawn", Thread)], None),
    platform(
        "EOSIO",
        &["env", "eosio"],
        &[
            ("require_auth*", Glue),
            ("eosio_assert*", Exit),
            ("db_*", Storage),
            ("send_inline", Network),
            ("send_deferred", Network),
        ],
        None,
    ),
];

/// WASI 0.2 names one package for each class, with a version behind an `@`.
const WASI_PACKAGES: [(&str, Class); 12] = [
    ("wasi:filesystem/", FileWrite),
    ("wasi:sockets/", Network),
    ("wasi:http/", Network),
    ("wasi:cli/environment", Environment),
    ("wasi:cli/exit", Exit),
    ("wasi:cli/terminal", Pure),
    ("wasi:cli/", Stdio),
    ("wasi:clocks/", Time),
    ("wasi:random/", Random),
    ("wasi:io/", Stdio),
    ("wasi:keyvalue/", Storage),
    ("wasi:blobstore/", Storage),
];

/// What is known of an import by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The platform whose rows have it.
    pub platform: &'static str,
    /// What it allows.
    pub class: Class,
}

/// Returns what is known of an import by its names, on platforms other than ours.
#[must_use]
pub fn judge(module: &str, name: &str) -> Option<Judged> {
    if let Some((_, class)) = WASI_PACKAGES.iter().find(|(package, _)| module.starts_with(package)) {
        // A call that can only read is still one of the package: its arguments decide.
        return Some(Judged { platform: "WASI 0.2", class: *class });
    }
    let asked = PLATFORMS.iter().filter(|platform| platform.modules.iter().any(|it| matches(it, module)));
    asked.into_iter().find_map(|platform| {
        let row = platform.rows.iter().find(|(pattern, _)| matches(pattern, name)).map(|(_, class)| *class);
        row.or(platform.rest).map(|class| Judged { platform: platform.name, class })
    })
}

/// Words that give a name away where no table has it, and what they mean. Source: the token lists of a study of 8,461 binaries
/// from the wild, with their exclusions.
const TOKENS: [(&[&str], &[&str], Class); 7] = [
    (&["eval", "exec", "execve"], &["gl"], Eval),
    (&["dlopen", "dlsym", "dlclose"], &[], DynamicCode),
    (
        &["xhr", "fetch", "http", "https", "websocket", "socket", "request"],
        &["atomic", "fullscreen", "pointerlock", "animation", "frame"],
        Network,
    ),
    (&["document", "html", "element", "dom"], &[], Document),
    (&["unlink", "mkdir", "rmdir"], &[], FileWrite),
    (&["file", "path", "readdir"], &["canvas"], FileRead),
    (&["syscall"], &[], Stdio),
];

/// Guesses the class of an import by the words in its name.
#[must_use]
pub fn guess(name: &str) -> Option<Class> {
    let words = words(name);
    let has = |list: &[&str]| list.iter().any(|token| words.iter().any(|word| word == token));
    TOKENS.iter().find(|(tokens, not, _)| has(tokens) && !has(not)).map(|(_, _, class)| *class)
}

/// Splits a name at underscores, dots, dashes and changes of case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars().take(256) {
        let begins = !c.is_alphanumeric() || c.is_uppercase() && lower_before;
        lower_before = c.is_lowercase() || c.is_numeric();
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// Matches a pattern: a `*` stands for any text, at most two of them.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            let Some(at) = rest.find(middle) else { return false };
            rest = &rest[at + middle.len()..];
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(module: &str, name: &str) -> Option<Class> {
        judge(module, name).map(|judged| judged.class)
    }

    #[test]
    fn the_special_row_comes_before_the_general_one() {
        assert_eq!(class("env", "__syscall_connect"), Some(Network));
        assert_eq!(class("env", "__syscall_ioctl"), Some(Stdio));
        assert_eq!(class("env", "emscripten_asm_const_int"), Some(Eval));
        assert_eq!(class("wbg", "__wbg_newnoargs_e258087cd0daa0ea"), Some(Eval));
        assert_eq!(class("./x_bg.js", "__wbg_length_1"), Some(Glue));
        assert_eq!(class("gojs", "syscall/js.valueCall"), Some(Reflection));
        assert_eq!(class("wasi:clocks/wall-clock@0.2.0", "now"), Some(Time));
        assert_eq!(class("env", "surprise"), None);
        assert_eq!(class("nowhere", "abort"), None);
    }

    #[test]
    fn every_row_can_be_reached() {
        for platform in PLATFORMS {
            for (at, (pattern, class)) in platform.rows.iter().enumerate() {
                let example = pattern.replace('*', "x");
                let first = platform.rows.iter().position(|(other, _)| matches(other, &example));
                let same = first.is_some_and(|first| first == at || platform.rows[first].1 == *class);
                assert!(same, "{}: {pattern} stands behind a row that has it too", platform.name);
            }
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*b", "ba", false),
            ("a*c*", "abcd", true),
            ("a*c*", "abd", false),
            ("./*", "./x.js", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn words_give_a_name_away_but_not_within_other_words() {
        assert_eq!(guess("js_eval"), Some(Eval));
        assert_eq!(guess("doFetch"), Some(Network));
        assert_eq!(guess("glEvalMesh"), None);
        assert_eq!(guess("retrieval"), None);
        assert_eq!(guess("requestAnimationFrame"), None);
    }

    #[test]
    fn a_name_stands_for_one_class() {
        for class in Class::ALL {
            assert_eq!(Class::from_name(class.name()), Some(*class));
        }
    }
}
