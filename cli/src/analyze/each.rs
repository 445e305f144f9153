//! Several modules at once: as many as the machine has cores, results in the order of the files, a bar on a terminal.
//!
//! Bodies of one module run in parallel too, in the pool of `rayon`. Modules have threads of their own and not tasks of that
//! pool, where one that waits for its bodies would begin another module on its stack, and hold both in memory.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Calls `look` for each file, and `take` for each result in the order of the files.
pub(super) fn each<T: Send>(
    files: &[PathBuf],
    look: impl Fn(&Path) -> T + Sync,
    mut take: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let n_threads = thread::available_parallelism().map_or(1, usize::from).min(files.len());
    if n_threads < 2 {
        return files.iter().try_for_each(|file| take(look(file)));
    }
    let bar = bar(files.len());
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..n_threads {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                while let Some((at, file)) = (!stop.load(Ordering::Relaxed))
                    .then(|| next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|at| Some((at, files.get(at)?)))
                {
                    // Nobody is left to tell if the results are not wanted any more.
                    let _ = sender.send((at, look(file)));
                }
            });
        }
        drop(sender);
        let taken = in_order(receiver.iter().inspect(|_| bar.inc(1)), |result| bar.suspend(|| take(result)));
        stop.store(true, Ordering::Relaxed);
        bar.finish_and_clear();
        taken
    })
}

/// Hands results on in the order of their numbers, which begin with 0.
fn in_order<T>(
    results: impl Iterator<Item = (usize, T)>,
    mut take: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let (mut early, mut next) = (BTreeMap::new(), 0);
    for (at, result) in results {
        early.insert(at, result);
        while let Some(result) = early.remove(&next) {
            take(result)?;
            next += 1;
        }
    }
    Ok(())
}

fn bar(n_files: usize) -> ProgressBar {
    let target = match io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(u64::try_from(n_files).ok(), target);
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} modules, {elapsed}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn results_come_in_the_order_of_the_files_whoever_is_first() {
        let files: Vec<PathBuf> = (0..50).map(|n| format!("{n}").into()).collect();
        let look = |path: &Path| {
            let n: u64 = path.to_str().unwrap().parse().unwrap();
            thread::sleep(Duration::from_micros(n * 7919 % 1000));
            n
        };
        let mut taken = Vec::new();
        each(&files, look, |n| {
            taken.push(n);
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, Vec::from_iter(0..50));
    }

    #[test]
    fn a_writer_that_fails_ends_it() {
        let files = vec![PathBuf::new(); 1000];
        let looked = AtomicUsize::new(0);
        let look = |_: &Path| looked.fetch_add(1, Ordering::Relaxed);
        let error = each(&files, look, |_| Err(io::ErrorKind::BrokenPipe.into())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
