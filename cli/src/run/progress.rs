//! A line of progress on a terminal, for runs that take longer than a second and say nothing themselves.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{counted, grouped};

/// How long a run stays silent.
const PATIENCE: Duration = Duration::from_secs(1);

/// The line, or nothing. Clones are the same line.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    begin: Instant,
}

impl Progress {
    /// Makes a line that appears on stderr if that is a terminal.
    pub(super) fn new(is_wanted: bool) -> Self {
        let target = match is_wanted && io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        Self::to(target)
    }

    fn to(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self { bar, begin: Instant::now() }
    }

    /// Whether somebody would see it, so that a run has to be looked at from time to time.
    pub(super) fn is_shown(&self) -> bool {
        !self.bar.is_hidden() && !self.bar.is_finished()
    }

    /// Says how far the run is.
    pub(super) fn update(&self, instructions: u64, memory_bytes: u64) {
        let elapsed = self.begin.elapsed();
        if elapsed >= PATIENCE && self.is_shown() {
            self.bar.set_message(format!(
                "{}.{} s, {} instructions, {}",
                elapsed.as_secs(),
                elapsed.subsec_millis() / 100,
                grouped(instructions),
                counted(memory_bytes, "byte"),
            ));
            self.bar.tick();
        }
    }

    /// Takes the line away for good.
    pub(super) fn end(&self) {
        if !self.bar.is_finished() {
            self.bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn a_line_comes_after_a_second_and_goes_when_the_guest_writes() {
        let term = InMemoryTerm::new(4, 80);
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let mut progress = Progress::to(target);
        progress.update(5_000_000, 65_536);
        assert_eq!(term.contents(), "");
        progress.begin -= PATIENCE;
        progress.update(5_000_000, 65_536);
        assert!(term.contents().ends_with(" s, 5,000,000 instructions, 65,536 bytes"), "{}", term.contents());
        progress.end();
        assert_eq!(term.contents(), "");
        progress.update(6_000_000, 65_536);
        assert_eq!((term.contents(), progress.is_shown()), (String::new(), false));
    }

    #[test]
    fn nobody_sees_a_line_that_is_not_wanted() {
        assert!(!Progress::new(false).is_shown());
    }
}
