//! Drivers that answer calls of the host where they are made.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmos_backend::vm::{Driver, Exit, FuncRef, HostCall, Machine, resume};

use crate::harness::Guest;

const TEXT: &str = r#"(module (import "h" "f" (func $f (param i64) (result i64)))
  (func (export "run") (param i64) (result i64) (nop) (call $f (local.get 0)))
  (func (export "endless") (loop (br 0))))"#;

/// Answers with what `answer` makes of the slots.
struct Answering<F> {
    guest: Guest,
    answer: F,
}

impl<F: FnMut(&mut Machine, &mut [u64]) -> bool> Driver for Answering<F> {
    fn machine(&mut self) -> &mut Machine {
        &mut self.guest.machine
    }

    fn answer(&mut self, call: HostCall<'_>) -> bool {
        assert_eq!((call.host, call.caller), (0, Some(self.guest.instance)));
        (self.answer)(&mut self.guest.machine, call.slots)
    }
}

/// Begins a run, whose calls are answered by what `answer` makes of the endless function and the slots.
fn begun<F: FnMut(&mut Machine, &mut [u64]) -> bool>(answer: impl FnOnce(FuncRef) -> F) -> Answering<F> {
    let mut guest = Guest::new(TEXT);
    let (run, endless) = (guest.func("run"), guest.func("endless"));
    guest.machine.start(run, &[5]).expect("a stack");
    Answering { guest, answer: answer(endless) }
}

#[test]
fn a_call_is_answered_in_its_slots() {
    let mut driver = begun(|_| {
        |machine: &mut Machine, slots: &mut [u64]| {
            // Nobody else has the slots, and nobody else may go on.
            assert!(machine.args().is_empty() && machine.results_mut().is_empty());
            assert!(catch_unwind(AssertUnwindSafe(|| machine.resume(1))).is_err());
            assert!(catch_unwind(AssertUnwindSafe(|| machine.abandon())).is_err());
            slots[0] += 1;
            true
        }
    });
    assert_eq!(resume(&mut driver, u64::MAX), Exit::Returned);
    assert_eq!(driver.guest.machine.results(), [6]);
}

#[test]
fn frames_stand_where_an_answer_ends_the_run_whatever_ran_meanwhile() {
    let mut driver = begun(|endless| {
        move |machine: &mut Machine, _: &mut [u64]| {
            machine.start(endless, &[]).unwrap();
            assert_eq!(machine.resume(1), Exit::Slice);
            machine.abandon();
            false
        }
    });
    assert_eq!(resume(&mut driver, u64::MAX), Exit::Ended);
    let frames = driver.guest.machine.backtrace().frames;
    assert_eq!(frames.iter().map(|frame| frame.func.0).collect::<Vec<_>>(), [1]);
    let machine = &mut driver.guest.machine;
    assert!(catch_unwind(AssertUnwindSafe(|| machine.resume(1))).is_err());
    machine.abandon();
    assert_eq!((machine.activations(), machine.stack_used_bytes()), (0, 0));
}

#[test]
fn a_panic_goes_on_where_the_machine_was_resumed() {
    let mut driver = begun(|_| |_: &mut Machine, _: &mut [u64]| panic!("as meant"));
    let panic = catch_unwind(AssertUnwindSafe(|| resume(&mut driver, u64::MAX))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as meant"));
    driver.guest.machine.abandon();
    let run = driver.guest.func("run");
    driver.guest.machine.start(run, &[1]).unwrap();
    assert!(matches!(driver.guest.machine.resume(1), Exit::HostCall { host: 0, .. }));
}
