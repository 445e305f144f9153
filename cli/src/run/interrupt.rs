//! Ctrl-C ends the guest, so that the report of what it did is still written. The second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

use wasmos_runtime::StopHandle;

use crate::exit::Exit;

pub(super) fn stop_on_interrupt(stop: StopHandle) -> Result<(), ctrlc::Error> {
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Stopped.code().into());
        }
        stop.stop();
    })
}
