//! Ctrl-C ends the guest, so that the report of what it did is still written. The second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use wasmos_runtime::StopHandle;

use crate::exit::Exit;

/// What there is to stop: a process may run a guest twice.
static STOPS: Mutex<Vec<StopHandle>> = Mutex::new(Vec::new());

pub(super) fn stop_on_interrupt(stop: StopHandle) -> Result<(), ctrlc::Error> {
    let is_first = {
        let mut stops = STOPS.lock().unwrap_or_else(PoisonError::into_inner);
        stops.push(stop);
        stops.len() == 1
    };
    if !is_first {
        return Ok(());
    }
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Stopped.code().into());
        }
        STOPS.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(StopHandle::stop);
    })
}
