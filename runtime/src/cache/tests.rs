use std::time::Duration;

use wasmos_backend::jit::artifact::Refusal;

use super::*;
use crate::prepare::{Notice, Preparation, Prepared, Source};
use crate::{Backend, Bounds, Config, Engine, JitOptions, Linker, Outcome, Store, Val};

const MODULE: &str = r#"(module (table 1 funcref) (elem (i32.const 0) $half)
    (type $t (func (param i32) (result i32)))
    (func $half (type $t) (i32.shr_u (local.get 0) (i32.const 1)))
    (func (export "run") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 0))))"#;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room")
}

fn cache(folder: &Path) -> Cache {
    Cache::open(folder, MacKey::new([1; 32]), CACHE_BYTES).expect("the folder can be used")
}

fn prepare_with(text: &str, options: JitOptions, preparation: Preparation<'_>) -> Prepared {
    let engine = Engine::new(Config { backend: Backend::Jit(options), ..Config::default() });
    // Types that another process would count otherwise.
    let other = wat::parse_str("(module (type (func (param f64 f64))) (type (func (result i64 i64))))");
    crate::Module::new(&engine, other.expect("it is text")).expect("it can be compiled");
    let bytes = wat::parse_str(text).expect("the module is text");
    let valid = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).expect("it is valid");
    let prepared = crate::Module::prepare_with(&engine, valid, preparation).expect("it can be compiled");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &prepared.module).expect("it has no imports");
    let run = instance.get_func(&mut store, "run").expect("it is exported");
    let outcome = run.call(&mut store, &[Val::I32(84)]).expect("the host makes no mistake");
    assert_eq!(outcome, Outcome::Returned(vec![Val::I32(42)]));
    prepared
}

fn prepare(cache: &Cache, options: JitOptions) -> Prepared {
    prepare_with(MODULE, options, Preparation { cache: Some(cache), ..Preparation::default() })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(FOLDER)).expect("the folder is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

#[test]
fn what_was_compiled_is_found_again() {
    let folder = folder();
    let cache = cache(folder.path());
    let settings = [
        JitOptions::default(),
        JitOptions { bounds: Bounds::Explicit, ..JitOptions::default() },
        JitOptions { canonical_nans: false, ..JitOptions::default() },
    ];
    for source in [Source::Compiled, Source::Cache] {
        for options in settings {
            let prepared = prepare(&cache, options);
            assert_eq!(prepared.source, source);
            assert!(prepared.notices.is_empty(), "{:?}", prepared.notices);
        }
    }
    assert_eq!(files(folder.path()).len(), settings.len());
}

/// A127.
#[test]
fn what_was_changed_in_the_cache_is_compiled_again() {
    let folder = folder();
    let cache = cache(folder.path());
    let refused = |change: &dyn Fn(&Path), wanted: &dyn Fn(&Notice) -> bool| {
        let file = &files(folder.path())[0];
        change(file);
        let prepared = prepare(&cache, JitOptions::default());
        assert_eq!(prepared.source, Source::Compiled);
        assert!(matches!(&prepared.notices[..], [notice] if wanted(notice)), "{:?}", prepared.notices);
        // It was replaced.
        assert_eq!(prepare(&cache, JitOptions::default()).source, Source::Cache);
    };
    let native = JitOptions { canonical_nans: false, ..JitOptions::default() };
    prepare(&cache, JitOptions::default());
    let mac = |notice: &Notice| matches!(notice, Notice::Cached(Refusal::Mac));
    let length = |notice: &Notice| matches!(notice, Notice::Cached(Refusal::Length));
    let flip = |file: &Path| {
        let mut bytes = fs::read(file).expect("it can be read");
        let last = bytes.len() / 2;
        bytes[last] ^= 0x40;
        fs::write(file, bytes).expect("it can be written");
    };
    refused(&flip, &mac);
    refused(
        &|file| fs::write(file, &fs::read(file).expect("it can be read")[..5000]).expect("room"),
        &length,
    );
    refused(
        &|file| {
            let longer = [fs::read(file).expect("it can be read"), vec![0]].concat();
            fs::write(file, longer).expect("there is room");
        },
        &length,
    );
    refused(&|file| fs::write(file, b"").expect("there is room"), &|notice| {
        matches!(notice, Notice::Cached(Refusal::Foreign))
    });
    // The code of other settings, written by this installation, under the name of these.
    refused(
        &|file| {
            prepare(&cache, native);
            let other = files(folder.path()).into_iter().find(|other| other != file).expect("there are two");
            fs::rename(other, file).expect("it can be renamed");
        },
        &|notice| matches!(notice, Notice::Cached(Refusal::Settings(_))),
    );
}

/// A127.
#[cfg(unix)]
#[test]
fn links_and_what_others_can_write_are_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = folder();
    let cache = cache(folder.path());
    prepare(&cache, JitOptions::default());
    let file = files(folder.path()).remove(0);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&folder.path().join(FOLDER))), (0o600, 0o700));
    // What the link leads to is code of ours, in a place that is not.
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&file, &elsewhere).expect("it can be renamed");
    symlink(&elsewhere, &file).expect("it can be linked");
    let before = fs::read(&elsewhere).expect("it can be read");
    let prepared = prepare(&cache, JitOptions::default());
    assert_eq!(prepared.source, Source::Compiled);
    assert_eq!(
        prepared.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["the cache cannot be read: it is a symbolic link"]
    );
    assert!(fs::symlink_metadata(&file).expect("it is there").is_file(), "the link was replaced");
    assert_eq!(fs::read(&elsewhere).expect("it can be read"), before);
    for open in [0o640, 0o604, 0o620] {
        fs::set_permissions(&file, fs::Permissions::from_mode(open)).expect("it is ours");
        assert_eq!(prepare(&cache, JitOptions::default()).source, Source::Compiled);
    }
    // Nobody waits for who writes into a pipe.
    fs::remove_file(&file).expect("it is there");
    fs::create_dir(&file).expect("there is room");
    assert!(matches!(&prepare(&cache, JitOptions::default()).notices[..], [Notice::CacheRead(_), ..]));

    let open = folder.path().join(FOLDER);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o750)).expect("it is ours");
    let refused = Cache::open(folder.path(), MacKey::new([1; 32]), CACHE_BYTES);
    assert_eq!(refused.map_err(|error| error.kind()).err(), Some(io::ErrorKind::PermissionDenied));
    let linked = folder.path().join("linked");
    fs::create_dir(&linked).expect("there is room");
    symlink(&elsewhere, linked.join(FOLDER)).expect("it can be linked");
    Cache::open(&linked, MacKey::new([1; 32]), CACHE_BYTES).expect_err("a link is no folder");
}

#[test]
fn what_was_used_least_recently_goes_first() {
    let folder = folder();
    let cache = Cache::open(folder.path(), MacKey::new([1; 32]), 1000).expect("the folder can be used");
    let names = || {
        let name = |path: PathBuf| path.file_name().expect("it has a name").to_string_lossy().into_owned();
        files(folder.path()).into_iter().map(name).collect::<Vec<_>>()
    };
    let age = |name: &str, seconds| {
        let file = File::options().write(true).open(folder.path().join(FOLDER).join(name));
        let time = SystemTime::now() - Duration::from_secs(seconds);
        file.expect("it is there").set_modified(time).expect("it is ours");
    };
    for (name, seconds) in [("a", 300), ("b", 200), ("c", 100)] {
        cache.put(name, &[0; 300]).expect("there is room");
        age(name, seconds);
    }
    assert_eq!(names(), ["a", "b", "c"]);
    // It is used, and so no longer the oldest.
    assert!(cache.get("a").expect("it can be read").is_some());
    cache.put("d", &[0; 300]).expect("there is room");
    assert_eq!(names(), ["a", "c", "d"]);
    // What fits nowhere pushes nothing out.
    cache.put("e", &[0; 1001]).expect("there is room");
    assert_eq!(names(), ["a", "c", "d"]);
    cache.put("f", &[0; 1000]).expect("there is room");
    assert_eq!(names(), ["f"]);
    // What a process that died has left behind.
    for (name, seconds) in [(".new-old", 7200), (".new-young", 60)] {
        fs::write(folder.path().join(FOLDER).join(name), b"x").expect("there is room");
        age(name, seconds);
    }
    cache.put("g", &[0; 300]).expect("there is room");
    assert_eq!(names(), [".new-young", "g"]);
}

#[test]
fn the_key_is_made_once_and_is_the_users_alone() {
    let folder = folder();
    let path = folder.path().join("a/b/key");
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| installation_key(&path))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    });
    let bytes = fs::read(&path).expect("it is there");
    assert!(bytes.len() == MacKey::BYTES && bytes.iter().any(|byte| *byte != 0));
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(fs::read_dir(folder.path().join("a/b")).expect("it is there").count(), 1);
    fs::write(&path, &bytes[1..]).expect("it is ours");
    assert_eq!(installation_key(&path).expect_err("it is short").kind(), io::ErrorKind::InvalidData);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&path, &bytes).expect("it is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        let refused = installation_key(&path).expect_err("others can read it");
        assert_eq!(refused.to_string(), "others may use it; `chmod go=` would help");
    }
}

#[test]
fn a_module_that_takes_too_long_to_compile_is_refused() {
    let engine = Engine::new(Config { backend: Backend::Jit(JitOptions::default()), ..Config::default() });
    let bytes = wat::parse_str(MODULE).expect("the module is text");
    let valid = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).expect("it is valid");
    let preparation = Preparation { timeout: Some(Duration::ZERO), ..Preparation::default() };
    let refused = crate::Module::prepare_with(&engine, valid, preparation).expect_err("no time is left");
    let crate::Error::Unsupported(crate::CompileError::TooSlow { functions: 0, .. }) = refused else {
        panic!("{refused}")
    };
}

#[test]
fn progress_is_told() {
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |done, of| seen.lock().expect("nobody panics").push((done, of));
    let preparation = Preparation { progress: Some(&progress), ..Preparation::default() };
    prepare_with(MODULE, JitOptions::default(), preparation);
    let mut seen = seen.into_inner().expect("nobody panicked");
    seen.sort_unstable();
    // Two functions, and what leads into them, out of them and to the services.
    let n = seen.len();
    assert!(n > 2 && seen.iter().all(|(done, of)| *done < n && *of == n), "{seen:?}");
}
