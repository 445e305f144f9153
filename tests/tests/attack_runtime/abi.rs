//! A070 to A079: the wasmos ABI, and the gate of host calls.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};

use wasmos_runtime::events::EventKind;
use wasmos_runtime::linker::UnknownImports;
use wasmos_runtime::native::{self, MESSAGE_BYTES, Message, Native, Sensors};
use wasmos_runtime::outcome::Quota;
use wasmos_runtime::{Capability, Engine, Error, Limits, Linker, Outcome, TrapCode, Val};

use crate::{Guest, engines, module};

const ABI: &str = r#"(module
    (import "wasmos" "log" (func $log (param i32 i32)))
    (import "env" "send_alert" (func $alert (param i32 i32 i32)))
    (import "wasmos" "read_sensor" (func $sensor (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "log") (param i32 i32) (call $log (local.get 0) (local.get 1)))
    (func (export "alert") (param i32 i32 i32) (call $alert (local.get 0) (local.get 1) (local.get 2)))
    (func (export "sensor") (param i32) (result i32) (call $sensor (local.get 0)))
    (func (export "logs") (loop (call $log (i32.const 0) (i32.const 1)) (br 0)))
    (func (export "alerts") (loop (call $alert (i32.const 0) (i32.const 0) (i32.const 1)) (br 0)))
    (func (export "sensors") (loop (drop (call $sensor (i32.const 1))) (br 0))))"#;

/// A guest of the ABI, and what it says.
fn guest(engine: &Engine, limits: Limits, text: &str) -> (Guest<Native>, Receiver<Message>) {
    let mut linker = Linker::<Native>::new(engine);
    native::add_to_linker(&mut linker, |native| native).unwrap();
    let (sender, receiver) = channel();
    let sink = move |message: &Message| drop(sender.send(message.clone()));
    let data = Native { sink: Some(Box::new(sink)), ..Native::default() };
    (Guest::linked(&linker, limits, data, &module(engine, text)).unwrap(), receiver)
}

fn ints<const N: usize>(params: [u32; N]) -> [Val; N] {
    params.map(|param| Val::I32(param as i32))
}

#[test]
fn a070_messages_out_of_bounds_trap_and_nothing_is_read() {
    for engine in engines() {
        let (mut guest, messages) = guest(&engine, Limits::unlimited(), ABI);
        for (addr, len) in [
            (0, 65_537),
            (65_535, 2),
            (65_536, 1),
            (u32::MAX, 2),
            (u32::MAX, 1),
            (1, u32::MAX),
            (0, u32::MAX),
            (65_537, 0),
            (u32::MAX, 0),
        ] {
            assert_eq!(guest.trap("log", &ints([addr, len])), TrapCode::MemoryOutOfBounds, "{addr} {len}");
            assert_eq!(
                guest.trap("alert", &ints([addr, len, 0])),
                TrapCode::MemoryOutOfBounds,
                "{addr} {len}"
            );
        }
        assert_eq!(messages.try_iter().count(), 0);
        for (addr, len) in [(65_536, 0), (0, 0), (65_535, 1), (0, 65_536)] {
            assert_eq!(guest.call("log", &ints([addr, len])), Outcome::Returned(vec![]), "{addr} {len}");
            assert_eq!(guest.call("alert", &ints([addr, len, 0])), Outcome::Returned(vec![]), "{addr} {len}");
        }
        assert_eq!(messages.try_iter().count(), 8);
    }
}

#[test]
fn a070_a_guest_without_memory_has_nothing_to_say() {
    let text = r#"(module (import "wasmos" "log" (func $log (param i32 i32)))
        (func (export "log") (param i32 i32) (call $log (local.get 0) (local.get 1))))"#;
    for engine in engines() {
        let (mut guest, _messages) = guest(&engine, Limits::unlimited(), text);
        assert_eq!(guest.trap("log", &ints([0, 0])), TrapCode::MemoryOutOfBounds);
    }
}

#[test]
fn a071_a_message_of_four_gib_is_cut_with_a_mark() {
    let text = ABI.replace("\"memory\") 1)", "\"memory\") 65536)");
    for engine in engines() {
        let (mut guest, messages) = guest(&engine, Limits::unlimited(), &text);
        assert_eq!(guest.call("log", &ints([0, u32::MAX])), Outcome::Returned(vec![]));
        let Ok(Message::Log(bytes)) = messages.try_recv() else { panic!("no message") };
        let (kept, mark) = bytes.split_at(MESSAGE_BYTES as usize);
        assert!(kept.iter().all(|byte| *byte == 0) && mark == b" [cut]");
    }
}

#[test]
fn a071_messages_without_end_stop_at_the_quota_of_output() {
    for engine in engines() {
        let limits = Limits { output_bytes: Some(12_345), ..Limits::unlimited() };
        let (mut guest, messages) = guest(&engine, limits, ABI);
        guest.store.gate_mut().remember(100);
        assert_eq!(guest.call("logs", &[]), Outcome::Limit(Quota::OutputBytes(12_345)));
        assert_eq!(messages.try_iter().count(), 12_345);
        // A message is an event, and so is its call: what is remembered is bounded, the rest is counted.
        let gate = guest.store.gate();
        assert_eq!((gate.events().len(), gate.host_calls()), (100, 12_346));
        assert_eq!(gate.forgotten(), 12_345 * 2 + 1 - 100);
    }
}

#[test]
fn a072_messages_are_kept_as_bytes() {
    let hostile: &[u8] = b"\xff\xfe\xed\xa0\x80\0\x1b[31m\n[ALERT] admin\r\xe2\x80\xae";
    for engine in engines() {
        let (mut guest, messages) = guest(&engine, Limits::unlimited(), ABI);
        guest.store.gate_mut().remember(10);
        let memory = guest.memory();
        memory.write(&mut guest.store, 7, hostile).unwrap();
        assert_eq!(guest.call("log", &ints([7, hostile.len() as u32])), Outcome::Returned(vec![]));
        assert_eq!(messages.try_iter().collect::<Vec<_>>(), [Message::Log(hostile.to_vec())]);
        let kinds: Vec<_> = guest.store.gate().events().iter().map(|event| &event.kind).collect();
        assert_eq!(kinds[0], &EventKind::Log(hostile.to_vec()));
    }
}

#[test]
fn a073_levels_are_clamped() {
    for engine in engines() {
        let (mut guest, messages) = guest(&engine, Limits::unlimited(), ABI);
        for (given, wanted) in [(-1, 0), (i32::MIN, 0), (0, 0), (3, 3), (4, 3), (999, 3), (i32::MAX, 3)] {
            guest.call("alert", &[0, 0, given].map(Val::I32));
            let found = messages.try_recv().unwrap();
            assert_eq!(found, Message::Alert { level: wanted, message: vec![] }, "{given}");
        }
    }
}

#[test]
fn a073_a_million_alerts_are_counted_and_not_kept() {
    for engine in engines() {
        let limits = Limits { host_calls: Some(1_000_000), ..Limits::unlimited() };
        let (mut guest, messages) = guest(&engine, limits, ABI);
        // Nobody listens: it would only make a million messages.
        guest.store.data_mut().sink = None;
        drop(messages);
        guest.store.gate_mut().remember(1_000);
        assert_eq!(guest.call("alerts", &[]), Outcome::Limit(Quota::HostCalls(1_000_000)));
        assert_eq!(guest.store.gate().events().len(), 1_000);
        assert_eq!(guest.store.gate().forgotten(), 2_000_000 - 1_000);
        assert_eq!(guest.store.host_call_counts(), [("env", "send_alert", 1_000_000)]);
    }
}

#[test]
fn a074_host_calls_in_a_loop_stop_at_exactly_the_quota() {
    for engine in engines() {
        for quota in [0, 1, 999, 50_000] {
            for name in ["logs", "alerts"] {
                let limits = Limits { host_calls: Some(quota), ..Limits::unlimited() };
                let (mut guest, messages) = guest(&engine, limits, ABI);
                assert_eq!(guest.call(name, &[]), Outcome::Limit(Quota::HostCalls(quota)));
                assert_eq!(messages.try_iter().count() as u64, quota, "{name}");
                assert_eq!(guest.store.gate().host_calls(), quota, "{name}");
                // The quota is the store's: another call has nothing left.
                assert_eq!(guest.call("sensor", &ints([1])), Outcome::Limit(Quota::HostCalls(quota)));
            }
        }
    }
}

/// The error of linking a module with these imports, some capabilities being withheld.
fn refusal(engine: &Engine, imports: &str, withheld: &[Capability]) -> String {
    let mut linker = Linker::<Native>::new(engine);
    native::add_to_linker(&mut linker, |native| native).unwrap();
    let mut store = wasmos_runtime::Store::new(engine, Native::default());
    withheld.iter().for_each(|capability| store.gate_mut().grants.deny(*capability));
    let error = linker.instantiate(&mut store, &module(engine, &format!("(module {imports})"))).unwrap_err();
    assert!(matches!(error, Error::Link(_)), "{error}");
    error.to_string()
}

#[test]
fn a075_imports_that_cannot_be_given_are_refused_by_name() {
    for engine in engines() {
        expect_test::expect!["unknown import: wasmos.fly of type (func)"].assert_eq(&refusal(
            &engine,
            r#"(import "wasmos" "fly" (func))"#,
            &[],
        ));
        expect_test::expect![
            "incompatible import type: wasmos.log is wanted as (func (param i64 i32)), it is (func (param i32 i32))"
        ]
        .assert_eq(&refusal(&engine, r#"(import "wasmos" "log" (func (param i64 i32)))"#, &[]));
        expect_test::expect![
            "incompatible import type: wasmos.log is wanted as (memory 1), it is (func (param i32 i32))"
        ]
        .assert_eq(&refusal(&engine, r#"(import "wasmos" "log" (memory 1))"#, &[]));
        let sensor = r#"(import "env" "read_sensor" (func (param i32) (result i32)))"#;
        let known = wasmos_abi::imports::find("env", "read_sensor").unwrap();
        let denied = refusal(&engine, sensor, &[known.capability]);
        assert_eq!(
            denied,
            format!("denied: env.read_sensor needs the capability `{}`, which is withheld", known.capability)
        );
    }
}

#[test]
fn a075_unknown_functions_trap_or_answer_zero_where_that_is_chosen() {
    let text = r#"(module (import "no" "body" (func $f (param i32) (result i32 v128 externref)))
        (func (export "run") (result i32 v128 externref) (call $f (i32.const 1))))"#;
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let module = module(&engine, text);
        linker.unknown_imports = UnknownImports::Trap;
        let mut guest = Guest::linked(&linker, Limits::unlimited(), (), &module).unwrap();
        assert_eq!(guest.trap("run", &[]), TrapCode::Unreachable);
        linker.unknown_imports = UnknownImports::Zero;
        let mut guest = Guest::linked(&linker, Limits::unlimited(), (), &module).unwrap();
        let zeros = vec![Val::I32(0), Val::V128(0), Val::ExternRef(None)];
        assert_eq!(guest.call("run", &[]), Outcome::Returned(zeros));
        // Nothing stands in for what is no function.
        let memory = crate::module(&engine, r#"(module (import "no" "memory" (memory 1)))"#);
        assert!(matches!(Guest::linked(&linker, Limits::unlimited(), (), &memory), Err(Error::Link(_))));
    }
}

#[test]
fn a077_an_unknown_sensor_answers_minus_one_and_is_counted() {
    for engine in engines() {
        let (mut guest, _messages) = guest(&engine, Limits::unlimited(), ABI);
        guest.store.data_mut().sensors = Sensors::Fixed(BTreeMap::from([(1, 5)]));
        guest.store.gate_mut().remember(10);
        for (id, wanted) in [(1, 5), (2, -1), (-1, -1), (i32::MIN, -1)] {
            assert_eq!(guest.value("sensor", &[Val::I32(id)]), Val::I32(wanted), "{id}");
        }
        assert_eq!(guest.store.host_call_counts(), [("wasmos", "read_sensor", 4)]);
        let EventKind::HostCall { params, results, .. } = &guest.store.gate().events()[1].kind else {
            panic!("the call is an event");
        };
        assert_eq!((&params[..], results.as_deref()), (&[Val::I32(2)][..], Some(&[Val::I32(-1)][..])));
    }
}

/// The third alert is one too many: whoever listens withdraws the capability while the guest runs.
#[test]
fn a078_a_capability_that_is_withdrawn_denies_the_next_call() {
    let capability = wasmos_abi::imports::find("env", "send_alert").unwrap().capability;
    let text = r#"(module
        (import "host" "withdraw" (func $withdraw)) (import "env" "send_alert" (func $alert (param i32 i32 i32)))
        (memory 1) (global $n (export "n") (mut i32) (i32.const 0))
        (func (export "run")
            (loop
                (call $alert (i32.const 0) (i32.const 0) (i32.const 1))
                (global.set $n (i32.add (global.get $n) (i32.const 1)))
                (if (i32.eq (global.get $n) (i32.const 3)) (then (call $withdraw)))
                (br 0))))"#;
    for engine in engines() {
        let mut linker = Linker::<Native>::new(&engine);
        native::add_to_linker(&mut linker, |native| native).unwrap();
        let withdraw = move |mut caller: wasmos_runtime::Caller<'_, Native>| {
            use wasmos_runtime::AsStore;
            caller.store_mut().gate_mut().grants.deny(capability);
        };
        linker.func_wrap("host", "withdraw", withdraw).unwrap();
        let mut guest =
            Guest::linked(&linker, Limits::unlimited(), Native::default(), &module(&engine, text)).unwrap();
        guest.store.gate_mut().remember(100);
        assert_eq!(guest.call("run", &[]), Outcome::Denied(capability));
        assert_eq!(guest.global("n"), Val::I32(3));
        let last = guest.store.gate().events().last().map(|event| event.kind.clone());
        assert_eq!(last, Some(EventKind::Violation { capability, subject: Box::default() }));
        assert_eq!(guest.store.host_call_counts().iter().map(|count| count.2).collect::<Vec<_>>(), [3, 1]);
    }
}

/// Quotas belong to a store and are shared with no other: stores that race each spend exactly their own.
#[test]
fn a079_stores_that_race_spend_their_own_quota_exactly() {
    for engine in engines() {
        let threads: Vec<_> = (1..=4)
            .map(|n| {
                let engine = engine.clone();
                std::thread::spawn(move || {
                    let quota = n * 10_000;
                    let limits = Limits {
                        host_calls: Some(quota),
                        output_bytes: Some(quota / 2),
                        fuel: Some(quota * 100),
                        ..Limits::unlimited()
                    };
                    let (mut guest, messages) = guest(&engine, limits, ABI);
                    assert_eq!(guest.call("logs", &[]), Outcome::Limit(Quota::OutputBytes(quota / 2)));
                    assert_eq!(guest.call("sensors", &[]), Outcome::Limit(Quota::HostCalls(quota)));
                    (quota, messages.try_iter().count() as u64, guest.store.gate().host_calls())
                })
            })
            .collect();
        for thread in threads {
            let (quota, messages, calls) = thread.join().unwrap();
            assert_eq!((messages, calls), (quota / 2, quota));
        }
    }
}
