//! Two witnesses of the file systems: a model of how paths are resolved, which each of them must agree with on random
//! trees, and the host's own kernel, which memory and overlay must agree with on random changes.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wasmos_runtime::wasi::{Access, WasiCtx};

use crate::guest::{Answer, CREAT, DIR, DIRECTORY, EXCL, FOLLOW, Guest, READ, TRUNC, WRITE, errno, given};
use crate::random::Rng;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A path of a few components, some of which lead up, some of which are doubled or trailing slashes.
fn random_path(rng: &mut Rng, rooted: bool, max: usize) -> String {
    let mut path = String::new();
    if rooted && rng.below(12) == 0 {
        path.push('/');
    }
    for index in 0..=rng.below(max) {
        if index > 0 {
            path.push_str(rng.pick(&["/", "/", "/", "//"]));
        }
        path.push_str(rng.pick(&["a", "b", "c", "d", "a", "b", "..", "."]));
    }
    if rng.below(8) == 0 {
        path.push('/');
    }
    path
}

#[derive(Debug)]
enum Model {
    File(u64),
    Directory(BTreeMap<&'static str, usize>),
    Link(String),
}

/// A random tree; node 0 is its root. The size of a file tells it apart.
fn random_tree(rng: &mut Rng, absolute_links: bool) -> Vec<Model> {
    let mut nodes = vec![Model::Directory(BTreeMap::new())];
    let mut directories = vec![0];
    for _ in 0..12 {
        let dir = directories[rng.below(directories.len())];
        let name = NAMES[rng.below(4)];
        let id = nodes.len();
        let node = match rng.below(3) {
            0 => Model::File(id as u64),
            1 => Model::Directory(BTreeMap::new()),
            _ => Model::Link(random_path(rng, absolute_links, 4)),
        };
        let Model::Directory(entries) = &mut nodes[dir] else { unreachable!() };
        if entries.contains_key(name) {
            continue;
        }
        entries.insert(name, id);
        if matches!(node, Model::Directory(_)) {
            directories.push(id);
        }
        nodes.push(node);
    }
    nodes
}

/// Resolves a path as the rules say, over a queue of what is left to walk.
fn resolve(nodes: &[Model], path: &str, follow: bool) -> Result<usize, u32> {
    let components =
        |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    if path.starts_with('/') {
        return Err(errno::NOTCAPABLE);
    }
    let (mut stack, mut links) = (vec![0], 0);
    let mut left: VecDeque<_> = components(path).into();
    let mut trailing = path.ends_with('/');
    while let Some(name) = left.pop_front() {
        let Model::Directory(entries) = &nodes[*stack.last().unwrap()] else { unreachable!() };
        match &*name {
            "." => continue,
            ".." => {
                stack.pop();
                if stack.is_empty() {
                    return Err(errno::NOTCAPABLE);
                }
                continue;
            }
            _ => {}
        }
        let id = *entries.get(&*name).ok_or(errno::NOENT)?;
        let last = left.is_empty();
        match &nodes[id] {
            Model::Directory(_) => stack.push(id),
            Model::File(_) if !last || trailing => return Err(errno::NOTDIR),
            Model::Link(target) if !last || trailing || follow => {
                links += 1;
                if links > 40 {
                    return Err(errno::LOOP);
                }
                if target.starts_with('/') {
                    return Err(errno::NOTCAPABLE);
                }
                trailing |= last && target.ends_with('/');
                components(target).into_iter().rev().for_each(|part| left.push_front(part));
            }
            _ => return Ok(id),
        }
    }
    Ok(*stack.last().unwrap())
}

fn make_on_host(nodes: &[Model], at: &Path, id: usize) {
    match &nodes[id] {
        Model::File(len) => fs::write(at, vec![b'x'; *len as usize]).unwrap(),
        Model::Link(target) => symlink(target, at).unwrap(),
        Model::Directory(entries) => {
            if id != 0 {
                fs::create_dir(at).unwrap();
            }
            entries.iter().for_each(|(name, id)| make_on_host(nodes, &at.join(name), *id));
        }
    }
}

fn make_by_guest(nodes: &[Model], guest: &mut Guest, at: &str, id: usize) {
    match &nodes[id] {
        Model::File(len) => guest.make(at, &vec![b'x'; *len as usize]).unwrap(),
        Model::Link(target) => guest.symlink(target, at).unwrap(),
        Model::Directory(entries) => {
            if id != 0 {
                guest.at("path_create_directory", &[DIR], at, &[]).unwrap();
            }
            for (name, id) in entries {
                let path = if at.is_empty() { (*name).to_owned() } else { format!("{at}/{name}") };
                make_by_guest(nodes, guest, &path, *id);
            }
        }
    }
}

#[test]
fn every_file_system_resolves_paths_as_the_model_does() {
    let mut rng = Rng(0x5eed);
    let (mut found, mut errors) = (0, BTreeMap::<u32, u32>::new());
    for round in 0..60 {
        let absolute = round % 2 == 0;
        let nodes = random_tree(&mut rng, absolute);
        let (_top, dir) = given();
        make_on_host(&nodes, &dir, 0);
        let mut guests: Vec<_> = [Access::ReadOnly, Access::ReadWrite, Access::Overlay]
            .map(|access| (format!("{access:?}"), Guest::new(WasiCtx::builder().dir(&dir, "/", access))))
            .into();
        if !absolute {
            let mut memory = Guest::new(WasiCtx::builder().memory_dir("/"));
            make_by_guest(&nodes, &mut memory, "", 0);
            guests.push(("memory".into(), memory));
        }
        for _ in 0..200 {
            let path = random_path(&mut rng, true, 5);
            for follow in [false, true] {
                let expected = resolve(&nodes, &path, follow);
                match expected {
                    Ok(_) => found += 1,
                    Err(errno) => *errors.entry(errno).or_default() += 1,
                }
                for (name, guest) in &mut guests {
                    let stat = guest.stat(i64::from(follow), &path);
                    let same = match expected.map(|id| &nodes[id]) {
                        Ok(Model::File(len)) => stat == Ok((4, *len)),
                        Ok(Model::Directory(_)) => stat.is_ok_and(|(kind, _)| kind == 3),
                        Ok(Model::Link(target)) => stat == Ok((7, target.len() as u64)),
                        Err(errno) => stat == Err(errno),
                    };
                    assert!(
                        same,
                        "{name}: {path:?}, follow {follow}: {stat:?}, not {expected:?}\n{nodes:#?}"
                    );
                }
            }
        }
    }
    // The rounds are worth nothing if they only ever miss.
    assert!(found > 1_000, "{found}");
    for errno in [errno::NOENT, errno::NOTDIR, errno::NOTCAPABLE, errno::LOOP] {
        assert!(errors[&errno] > 10, "{errors:?}");
    }
}

type Act = Box<dyn Fn(&mut Guest) -> Answer<()>>;

/// One of the changes that a guest can make.
fn change(rng: &mut Rng, n: usize) -> (String, Act) {
    let (path, other) = (random_path(rng, false, 3), random_path(rng, false, 3));
    let text = format!("{n}: {path:?} {other:?}");
    let (kind, act): (_, Act) = match rng.below(10) {
        0 => ("mkdir", Box::new(move |guest| guest.at("path_create_directory", &[DIR], &path, &[]))),
        1 => ("rmdir", Box::new(move |guest| guest.at("path_remove_directory", &[DIR], &path, &[]))),
        2 => ("unlink", Box::new(move |guest| guest.at("path_unlink_file", &[DIR], &path, &[]))),
        3 => ("symlink", Box::new(move |guest| guest.symlink(&other, &path))),
        4 => ("link", Box::new(move |guest| guest.two("path_link", &[DIR, 0], &path, &other))),
        5 | 6 => ("rename", Box::new(move |guest| guest.two("path_rename", &[DIR], &path, &other))),
        7 => (
            "append",
            Box::new(move |guest| {
                let fd = guest.open_with((DIR, FOLLOW), &path, 0, READ | WRITE, 1)?;
                let written = guest.write(fd, format!("+{n}").as_bytes()).map(|_| ());
                guest.close(fd);
                written
            }),
        ),
        8 => (
            "make new",
            Box::new(move |guest| {
                let fd = guest.open(&path, CREAT | EXCL, WRITE)?;
                guest.close(fd);
                Ok(())
            }),
        ),
        _ => (
            "write",
            Box::new(move |guest| {
                let fd = guest.open(&path, CREAT | TRUNC, READ | WRITE)?;
                let written = guest.write(fd, format!("{n}").as_bytes()).map(|_| ());
                guest.close(fd);
                written
            }),
        ),
    };
    (format!("{kind} {text}"), act)
}

/// Everything that a guest sees below a directory, links not being followed.
fn dump(guest: &mut Guest) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut left = vec![String::from(".")];
    while let Some(dir) = left.pop() {
        let fd = guest.open(&dir, DIRECTORY, crate::guest::ALL).unwrap();
        for (name, kind) in guest.list(fd, 4_096).unwrap() {
            if name == "." || name == ".." {
                continue;
            }
            let path = format!("{dir}/{name}");
            let stat = guest.stat(0, &path).unwrap();
            assert_eq!(stat.0, kind, "{path}");
            let what = match kind {
                3 => {
                    left.push(path.clone());
                    "directory".to_owned()
                }
                4 => format!("file {:?}", String::from_utf8(guest.contents(&path).unwrap()).unwrap()),
                7 => format!("link {:?}", guest.read_link(&path).unwrap()),
                other => panic!("{path} is of kind {other}"),
            };
            seen.insert(path, what);
        }
        guest.close(fd);
    }
    seen
}

#[test]
fn memory_and_overlays_change_as_the_host_does() {
    let mut rng = Rng(0x00dd_ba11);
    let mut outcomes = BTreeMap::<Result<(), u32>, u32>::new();
    for _ in 0..25 {
        let nodes = random_tree(&mut rng, false);
        let ((_top, dir), (_under, under)) = (given(), given());
        make_on_host(&nodes, &dir, 0);
        make_on_host(&nodes, &under, 0);
        let mut host = Guest::new(WasiCtx::builder().dir(&dir, "/", Access::ReadWrite));
        let mut memory = Guest::new(WasiCtx::builder().memory_dir("/"));
        make_by_guest(&nodes, &mut memory, "", 0);
        let mut overlay = Guest::new(WasiCtx::builder().dir(&under, "/", Access::Overlay));
        let before = dump(&mut Guest::new(WasiCtx::builder().dir(&under, "/", Access::ReadOnly)));
        let mut log = Vec::new();
        for n in 0..150 {
            let (what, act) = change(&mut rng, n);
            let expected = act(&mut host);
            log.push(format!("{what}: {expected:?}"));
            *outcomes.entry(expected).or_default() += 1;
            for (name, guest) in [("memory", &mut memory), ("overlay", &mut overlay)] {
                let found = act(guest);
                assert_eq!(found, expected, "{name}: {what}\n{nodes:#?}\n{log:#?}");
            }
        }
        let expected = dump(&mut host);
        assert_eq!(dump(&mut memory), expected, "{nodes:#?}\n{log:#?}");
        assert_eq!(dump(&mut overlay), expected, "{nodes:#?}\n{log:#?}");
        let after = dump(&mut Guest::new(WasiCtx::builder().dir(&under, "/", Access::ReadOnly)));
        assert_eq!(after, before, "the host's directory has changed under the overlay");
        saved_is_what_the_guest_saw(&mut overlay, &before, &expected);
    }
    assert!(outcomes[&Ok(())] > 200, "{outcomes:?}");
    assert!(outcomes.len() > 8, "{outcomes:?}");
}

/// What an overlay saves, laid over the host's directory without what was removed, is what the guest saw.
fn saved_is_what_the_guest_saw(
    overlay: &mut Guest,
    before: &BTreeMap<String, String>,
    seen: &BTreeMap<String, String>,
) {
    let changes = overlay.store.data_mut().changes();
    let target = tempfile::tempdir().unwrap();
    let saved = overlay.store.data_mut().save_changes(target.path()).unwrap();
    let saved_tree = dump(&mut Guest::new(WasiCtx::builder().dir(target.path(), "/", Access::ReadOnly)));
    let mut together = before.clone();
    for change in changes.iter().filter(|change| change.kind == wasmos_runtime::wasi::ChangeKind::Removed) {
        let gone = format!("./{}", change.path);
        together.retain(|path, _| *path != gone && !path.starts_with(&format!("{gone}/")));
    }
    // A name that turned from a directory into something else takes what was below it along.
    for (path, what) in &saved_tree {
        if what != "directory" {
            together.retain(|known, _| !known.starts_with(&format!("{path}/")));
        }
    }
    together.extend(saved_tree);
    let mut seen = seen.clone();
    for skipped in &saved.skipped {
        let path = format!("./{skipped}");
        seen.remove(&path);
        together.remove(&path);
    }
    assert_eq!(together, seen, "{changes:#?}");
}
