//! Waiting for descriptors and clocks.
//!
//! Under the virtual clock nothing waits: a stream counts as ready, and a sleep advances the clock at once and counts
//! against the timeout. Under the real one the wait ends with the first event, the deadline or a stop.

use std::time::{Duration, Instant};

use super::abi::{Errno, Layout, Version, rights};
use super::clock::ClockId;
use super::descriptor::Object;
use super::fd::fs_of;
use super::guest::{Answer, Call, u16_at, u32_at, u64_at};
use super::stream::{MAX_WAITS, Source, Want, nap, wait_any};

/// The most subscriptions of one call; more are refused by `inval`.
const MAX_SUBSCRIPTIONS: u32 = 4_096;
/// Units of fuel for a subscription.
const SUBSCRIPTION_UNITS: u64 = 16;
/// Bytes of an event.
const EVENT_BYTES: u32 = 32;
/// The time that is meant is a point, not a distance.
const ABSTIME: u16 = 1;

/// What is waited for.
#[derive(Clone, Copy)]
enum What {
    /// Nanoseconds from now.
    Clock {
        left_ns: u64,
    },
    Fd {
        fd: u32,
        want: Want,
    },
    /// It is wrong, and the guest is told at once.
    Wrong(Errno),
}

#[derive(Clone, Copy)]
struct Subscription {
    userdata: u64,
    /// The number of the kind: 0 clock, 1 read, 2 write.
    tag: u8,
    what: What,
}

/// What an event says.
#[derive(Clone, Copy)]
struct Ready {
    error: u16,
    bytes: u64,
}

const fn ready(bytes: u64) -> Ready {
    Ready { error: 0, bytes }
}

/// What looking at a descriptor comes to.
enum Look<'a> {
    Ready(Ready),
    Wait(&'a Source),
}

impl Call<'_> {
    pub(crate) fn poll_oneoff(
        &mut self,
        subscriptions_addr: u32,
        events_addr: u32,
        len: u32,
        result_addr: u32,
    ) -> Answer {
        if len == 0 || len > MAX_SUBSCRIPTIONS {
            return Err(Errno::Inval.into());
        }
        self.run.charge(SUBSCRIPTION_UNITS * u64::from(len))?;
        let size = subscription_bytes(self.version);
        self.memory.check(subscriptions_addr, len * size)?;
        self.memory.check(events_addr, len * EVENT_BYTES)?;
        self.memory.check(result_addr, 4)?;
        // The events may lie where the subscriptions are.
        let mut subscriptions = Vec::with_capacity(len as usize);
        for index in 0..len {
            subscriptions.push(self.subscription(subscriptions_addr + index * size)?);
        }
        let begin = Instant::now();
        loop {
            let passed_ns = match self.ctx.clocks.is_virtual() {
                true => 0,
                false => u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX),
            };
            let n = self.deliver(&subscriptions, events_addr, passed_ns)?;
            if n > 0 {
                return Ok(self.memory.put_u32(result_addr, n)?);
            }
            let next_ns = subscriptions.iter().filter_map(|subscription| match subscription.what {
                What::Clock { left_ns } => Some(left_ns.saturating_sub(passed_ns)),
                _ => None,
            });
            let next_ns = next_ns.min();
            match (self.ctx.clocks.is_virtual(), next_ns) {
                (true, Some(ns)) => {
                    self.run.spend(ns)?;
                    self.ctx.clocks.sleep(ns);
                    let n = self.deliver(&subscriptions, events_addr, ns)?;
                    return Ok(self.memory.put_u32(result_addr, n)?);
                }
                _ => self.wait(&subscriptions, next_ns)?,
            }
        }
    }

    fn subscription(&self, addr: u32) -> Result<Subscription, Errno> {
        let bytes = self.memory.read(addr, subscription_bytes(self.version))?;
        // The older interface has a number of the clock's user in front.
        let clock = match self.version {
            Version::Preview1 => 16,
            Version::Snapshot0 => 24,
        };
        let tag = bytes.get(8).copied().ok_or(Errno::Fault)?;
        let fd = |want| What::Fd { fd: u32_at(bytes, 16), want };
        let what = match tag {
            0 => {
                let (timeout, flags) = (u64_at(bytes, clock + 8), u16_at(bytes, clock + 24));
                self.clock(u32_at(bytes, clock), timeout, flags).unwrap_or_else(What::Wrong)
            }
            1 => fd(Want::Read),
            2 => fd(Want::Write),
            _ => return Err(Errno::Inval),
        };
        Ok(Subscription { userdata: u64_at(bytes, 0), tag, what })
    }

    fn clock(&self, clock: u32, timeout: u64, flags: u16) -> Result<What, Errno> {
        let clock = ClockId::new(clock)?;
        if clock == ClockId::CpuTime {
            return Err(Errno::Notsup);
        }
        if flags & !ABSTIME != 0 {
            return Err(Errno::Inval);
        }
        let left_ns = match flags & ABSTIME {
            0 => timeout,
            _ => timeout.saturating_sub(self.ctx.clocks.now(clock, self.run.fuel.used())),
        };
        Ok(What::Clock { left_ns })
    }

    /// Writes the events of what is ready, `passed_ns` after the wait began; returns how many there are.
    fn deliver(&mut self, subscriptions: &[Subscription], addr: u32, passed_ns: u64) -> Answer<u32> {
        let mut n = 0;
        for subscription in subscriptions {
            let ready = match subscription.what {
                What::Clock { left_ns } => (left_ns <= passed_ns).then_some(ready(0)),
                What::Wrong(errno) => Some(Ready { error: errno as u16, bytes: 0 }),
                What::Fd { fd, want } => self.fd_ready(fd, want)?,
            };
            if let Some(Ready { error, bytes }) = ready {
                let mut layout = Layout::<32>::new(EVENT_BYTES as usize);
                layout
                    .put(0, subscription.userdata.to_le_bytes())
                    .put(8, error.to_le_bytes())
                    .put(10, [subscription.tag])
                    .put(16, bytes.to_le_bytes());
                self.memory.put(addr + n * EVENT_BYTES, layout.bytes())?;
                n += 1;
            }
        }
        Ok(n)
    }

    fn fd_ready(&mut self, fd: u32, want: Want) -> Result<Option<Ready>, Errno> {
        let is_virtual = self.ctx.clocks.is_virtual();
        let look = match self.look(fd, want) {
            Ok(look) => look,
            Err(errno) => return Ok(Some(Ready { error: errno as u16, bytes: 0 })),
        };
        Ok(match look {
            Look::Ready(ready) => Some(ready),
            Look::Wait(_) if is_virtual => Some(ready(1)),
            Look::Wait(source) => wait_any(&[(source, want)], Duration::ZERO)?[0].then_some(ready(1)),
        })
    }

    /// Looks at a descriptor.
    fn look(&mut self, fd: u32, want: Want) -> Result<Look<'_>, Errno> {
        let descriptor = self.ctx.descriptors.get(fd)?;
        let (right, streams) = match want {
            Want::Read => (rights::FD_READ, &self.ctx.streams),
            Want::Write => (rights::FD_WRITE, &self.ctx.streams),
        };
        descriptor.require(rights::POLL_FD_READWRITE)?;
        descriptor.require(right).map_err(|_| Errno::Badf)?;
        let sink = match descriptor.object {
            Object::Directory { .. } => return Err(Errno::Badf),
            Object::File { mount, handle, position } => {
                let size = fs_of(&mut self.ctx.mounts, mount)?.stat(handle)?.size;
                return Ok(Look::Ready(ready(size.saturating_sub(position))));
            }
            Object::Stdin => {
                let (bytes, source) = streams.stdin.ready();
                return Ok(source.map_or(Look::Ready(ready(bytes)), Look::Wait));
            }
            Object::Stdout => &streams.stdout,
            Object::Stderr => &streams.stderr,
        };
        Ok(sink.ready().map_or(Look::Ready(ready(1)), Look::Wait))
    }

    /// Waits for what is not ready yet, but not for long.
    fn wait(&mut self, subscriptions: &[Subscription], next_ns: Option<u64>) -> Answer {
        self.run.check_interrupted()?;
        let time = nap(&self.run).min(next_ns.map_or(Duration::MAX, Duration::from_nanos));
        let mut waits: Vec<(&Source, Want)> = Vec::with_capacity(MAX_WAITS);
        let streams = &self.ctx.streams;
        for subscription in subscriptions {
            let What::Fd { fd, want } = subscription.what else { continue };
            let source = match self.ctx.descriptors.get(fd).map(|descriptor| &descriptor.object) {
                Ok(Object::Stdin) => streams.stdin.ready().1,
                Ok(Object::Stdout) => streams.stdout.ready(),
                Ok(Object::Stderr) => streams.stderr.ready(),
                _ => None,
            };
            let Some(source) = source else { continue };
            let known = waits.iter().any(|(other, _)| std::ptr::eq(*other, source));
            if !known && waits.len() < MAX_WAITS {
                waits.push((source, want));
            }
        }
        wait_any(&waits, time)?;
        Ok(())
    }
}

/// Bytes of a subscription.
const fn subscription_bytes(version: Version) -> u32 {
    match version {
        Version::Preview1 => 48,
        Version::Snapshot0 => 56,
    }
}
