//! The standard streams while a guest runs. What may block waits for the descriptor, the deadline and a stop together.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, Instant};

use super::abi::{Errno, Filetype};
use super::guest::{Answer, Failure, RunState};
use super::stdio::{Output, OutputBuffer, Stdin};

/// The longest wait between two looks at stops.
const NAP: Duration = Duration::from_millis(10);
/// Bytes that a pipe takes without blocking when it says that it takes any (`PIPE_BUF` on Linux).
const PIPE_BYTES: usize = 4_096;

/// The three of them.
#[derive(Debug)]
pub(crate) struct Streams {
    pub(crate) stdin: Input,
    pub(crate) stdout: Sink,
    pub(crate) stderr: Sink,
}

impl Streams {
    pub(crate) fn new(stdin: Stdin, stdout: Output, stderr: Output) -> Self {
        Self {
            stdin: Input::new(stdin),
            stdout: Sink::new(stdout, Standard::Out),
            stderr: Sink::new(stderr, Standard::Err),
        }
    }
}

/// A stream of the host's own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standard {
    In,
    Out,
    Err,
}

/// Something that can be waited for.
#[derive(Debug)]
pub(crate) enum Source {
    Standard(Standard),
    File(File),
}

impl Source {
    fn is_terminal(&self) -> bool {
        match self {
            Self::Standard(Standard::In) => io::stdin().is_terminal(),
            Self::Standard(Standard::Out) => io::stdout().is_terminal(),
            Self::Standard(Standard::Err) => io::stderr().is_terminal(),
            Self::File(file) => file.is_terminal(),
        }
    }
}

/// What is read from.
pub(crate) enum Input {
    Null,
    Bytes { bytes: Vec<u8>, position: usize },
    Source { source: Source, terminal: bool },
    Reader(Box<dyn Read + Send>),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input")
    }
}

impl Input {
    fn new(stdin: Stdin) -> Self {
        let source = |source: Source| {
            let terminal = source.is_terminal();
            Self::Source { source, terminal }
        };
        match stdin {
            Stdin::Null => Self::Null,
            Stdin::Bytes(bytes) => Self::Bytes { bytes, position: 0 },
            Stdin::Inherit => source(Source::Standard(Standard::In)),
            Stdin::File(file) => source(Source::File(file)),
            Stdin::Reader(reader) => Self::Reader(reader),
        }
    }

    pub(crate) const fn filetype(&self) -> Filetype {
        match self {
            Self::Source { terminal: true, .. } => Filetype::CharacterDevice,
            _ => Filetype::Unknown,
        }
    }

    /// Reads what is there, or waits for it; 0 at the end.
    pub(crate) fn read(&mut self, into: &mut [u8], run: &RunState<'_>, nonblock: bool) -> Answer<usize> {
        match self {
            Self::Null => Ok(0),
            Self::Bytes { bytes, position } => {
                let left = bytes.get(*position..).unwrap_or(&[]);
                let n = left.len().min(into.len());
                into[..n].copy_from_slice(&left[..n]);
                *position += n;
                Ok(n)
            }
            Self::Source { source, .. } => {
                if nonblock && !source.is_ready(Want::Read)? {
                    return Err(Errno::Again.into());
                }
                source.wait(Want::Read, run)?;
                Ok(source.read(into)?)
            }
            Self::Reader(reader) => loop {
                match reader.read(into) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => run.check_interrupted()?,
                    result => break result.map_err(|error| errno_of(&error).into()),
                }
            },
        }
    }

    /// Returns how many bytes can surely be read at once, and what must be waited for to know.
    pub(crate) fn ready(&self) -> (u64, Option<&Source>) {
        match self {
            Self::Null => (0, None),
            Self::Bytes { bytes, position } => ((bytes.len() - position) as u64, None),
            Self::Source { source, .. } => (1, Some(source)),
            Self::Reader(_) => (1, None),
        }
    }
}

/// What is written to.
pub(crate) enum Sink {
    Null,
    Buffer(OutputBuffer),
    Source {
        source: Source,
        terminal: bool,
        /// Whether a write can block.
        paced: bool,
    },
    Writer {
        writer: Box<dyn Write + Send>,
        terminal: bool,
    },
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}

impl Sink {
    fn new(output: Output, own: Standard) -> Self {
        let source = |source: Source| {
            let (terminal, paced) = (source.is_terminal(), source.blocks());
            Self::Source { source, terminal, paced }
        };
        match output {
            Output::Null => Self::Null,
            Output::Inherit => source(Source::Standard(own)),
            Output::Buffer(buffer) => Self::Buffer(buffer),
            Output::File(file) => source(Source::File(file)),
            Output::Writer { writer, terminal } => Self::Writer { writer, terminal },
        }
    }

    pub(crate) const fn filetype(&self) -> Filetype {
        match self {
            Self::Source { terminal: true, .. } | Self::Writer { terminal: true, .. } => {
                Filetype::CharacterDevice
            }
            _ => Filetype::Unknown,
        }
    }

    /// Writes all of it, or what comes before an error.
    pub(crate) fn write(&mut self, bytes: &[u8], run: &RunState<'_>, nonblock: bool) -> Answer<usize> {
        match self {
            Self::Null => Ok(bytes.len()),
            Self::Buffer(buffer) => {
                buffer.append(bytes);
                Ok(bytes.len())
            }
            Self::Writer { writer, .. } => match writer.write_all(bytes).and_then(|()| writer.flush()) {
                Ok(()) => Ok(bytes.len()),
                Err(error) => Err(errno_of(&error).into()),
            },
            Self::Source { source, paced, .. } => {
                let mut done = 0;
                while done < bytes.len() {
                    let rest = &bytes[done..];
                    let written = match *paced {
                        true => source.write_paced(&rest[..rest.len().min(PIPE_BYTES)], run, nonblock),
                        false => source.write(rest).map_err(Failure::from),
                    };
                    match written {
                        Ok(n) => done += n,
                        Err(Failure::Errno(_)) if done > 0 => break,
                        Err(failure) => return Err(failure),
                    }
                }
                Ok(done)
            }
        }
    }

    /// Returns what must be waited for to know whether it takes bytes.
    pub(crate) const fn ready(&self) -> Option<&Source> {
        match self {
            Self::Source { source, paced: true, .. } => Some(source),
            _ => None,
        }
    }
}

pub(crate) fn errno_of(error: &io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Errno::Pipe,
        io::ErrorKind::WouldBlock => Errno::Again,
        io::ErrorKind::StorageFull | io::ErrorKind::WriteZero => Errno::Nospc,
        _ => Errno::Io,
    }
}

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Read,
    Write,
}

/// Returns how long a wait may be before stops and the deadline are looked at again.
pub(crate) fn nap(run: &RunState<'_>) -> Duration {
    let left = run.deadline.map_or(NAP, |deadline| deadline.saturating_duration_since(Instant::now()));
    left.min(NAP)
}

impl Source {
    /// Waits until it is ready.
    fn wait(&self, want: Want, run: &RunState<'_>) -> Answer {
        loop {
            if wait_any(&[(self, want)], nap(run))?[0] {
                return Ok(());
            }
            run.check_interrupted()?;
        }
    }

    fn is_ready(&self, want: Want) -> Result<bool, Errno> {
        Ok(wait_any(&[(self, want)], Duration::ZERO)?[0])
    }

    fn write_paced(&self, bytes: &[u8], run: &RunState<'_>, nonblock: bool) -> Answer<usize> {
        if nonblock && !self.is_ready(Want::Write)? {
            return Err(Errno::Again.into());
        }
        self.wait(Want::Write, run)?;
        Ok(self.write(bytes)?)
    }
}

/// Most sources that are waited for at once: there are three streams.
pub(crate) const MAX_WAITS: usize = 3;

#[cfg(unix)]
mod system {
    use std::os::fd::{AsFd, BorrowedFd};
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{FileType, fstat};

    use super::{Errno, MAX_WAITS, Source, Standard, Want};

    impl AsFd for Source {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self {
                Self::Standard(Standard::In) => rustix::stdio::stdin(),
                Self::Standard(Standard::Out) => rustix::stdio::stdout(),
                Self::Standard(Standard::Err) => rustix::stdio::stderr(),
                Self::File(file) => file.as_fd(),
            }
        }
    }

    impl Source {
        /// Returns whether a write may block: to anything but a regular file.
        pub(super) fn blocks(&self) -> bool {
            !fstat(self).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
        }

        pub(super) fn read(&self, into: &mut [u8]) -> Result<usize, Errno> {
            Ok(rustix::io::retry_on_intr(|| rustix::io::read(self, &mut *into))?)
        }

        pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
            Ok(rustix::io::retry_on_intr(|| rustix::io::write(self, bytes))?)
        }
    }

    /// Waits for up to three sources; returns which are ready. What has ended or failed is ready, too.
    pub(crate) fn wait_any(waits: &[(&Source, Want)], time: Duration) -> Result<[bool; MAX_WAITS], Errno> {
        let mut ready = [false; MAX_WAITS];
        let mut polls: Vec<_> = waits
            .iter()
            .take(MAX_WAITS)
            .map(|(source, want)| {
                let flags = match want {
                    Want::Read => PollFlags::IN,
                    Want::Write => PollFlags::OUT,
                };
                PollFd::new(*source, flags)
            })
            .collect();
        let time = Timespec::try_from(time).map_err(|_| Errno::Inval)?;
        match poll(&mut polls, Some(&time)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        for (ready, poll) in ready.iter_mut().zip(&polls) {
            *ready = !poll.revents().is_empty();
        }
        Ok(ready)
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::{Read, Write};
    use std::time::Duration;

    use super::{Errno, MAX_WAITS, Source, Standard, Want, errno_of};

    impl Source {
        pub(super) fn blocks(&self) -> bool {
            false
        }

        pub(super) fn read(&self, into: &mut [u8]) -> Result<usize, Errno> {
            let read = match self {
                Self::Standard(_) => std::io::stdin().read(into),
                Self::File(file) => (&*file).read(into),
            };
            read.map_err(|error| errno_of(&error))
        }

        pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
            let written = match self {
                Self::Standard(Standard::Err) => std::io::stderr().write(bytes),
                Self::Standard(_) => std::io::stdout().write(bytes),
                Self::File(file) => (&*file).write(bytes),
            };
            written.map_err(|error| errno_of(&error))
        }
    }

    /// Without a way to wait everything counts as ready, and reads block.
    pub(crate) fn wait_any(_: &[(&Source, Want)], _: Duration) -> Result<[bool; MAX_WAITS], Errno> {
        Ok([true; MAX_WAITS])
    }
}

pub(crate) use system::wait_any;
