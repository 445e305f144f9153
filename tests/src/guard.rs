//! Guards around a test: on time, generous, against work that grows faster than its input; and on the host's stack.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// What takes longer grows faster than its input: everything that is tested so takes some two seconds at most.
const GENEROUS: Duration = Duration::from_secs(20);

/// Runs `work` and returns what it returns.
///
/// # Panics
/// If `work` does, or if it has not ended after 20 seconds.
#[track_caller]
pub fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || drop(sender.send(work())));
    match receiver.recv_timeout(GENEROUS) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("not done after {GENEROUS:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(()) => unreachable!("a thread that ends without a panic has sent its result"),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}

/// Runs `work` on one thread whose stack has 256 KiB: recursion on what a module holds would overflow it.
///
/// # Panics
/// If `work` does.
pub fn on_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    on_threads(1, Some(256 * 1024), work)
}

/// Runs `work` where parallel work has so many threads.
///
/// # Panics
/// If `work` does, or the threads cannot be started.
pub fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    on_threads(threads, None, work)
}

fn on_threads<T: Send>(threads: usize, stack_bytes: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    let mut builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    if let Some(bytes) = stack_bytes {
        builder = builder.stack_size(bytes);
    }
    match builder.build() {
        Ok(pool) => pool.install(work),
        Err(error) => panic!("cannot start {threads} threads: {error}"),
    }
}
