//! A057, A059: waiting for ever, and what an engine has switched off.

use std::time::Duration;

use wasmos_frontend::Feature;
use wasmos_runtime::engine::Config;
use wasmos_runtime::{Engine, Limits, Module, Outcome, Val};
use wasmos_tests::guard::in_time;

use crate::{Guest, engines};

const WAIT: &str = r#"(module (memory 1 1 shared)
    (func (export "wait") (param i64) (result i32)
        (memory.atomic.wait32 (i32.const 0) (i32.const 0) (local.get 0)))
    (func (export "loop") (loop (drop (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const 1))) (br 0))))"#;

#[test]
fn a057_waiting_for_ever_ends_at_the_time() {
    for engine in engines() {
        for (name, params) in
            [("wait", vec![Val::I64(-1)]), ("wait", vec![Val::I64(i64::MAX)]), ("loop", vec![])]
        {
            let limits = Limits { timeout: Some(Duration::from_millis(20)), ..Limits::unlimited() };
            let mut guest = Guest::new(&engine, limits, WAIT);
            assert_eq!(in_time(move || guest.call(name, &params)), Outcome::Deadline);
        }
    }
}

#[test]
fn a057_waiting_for_ever_can_be_stopped() {
    for engine in engines() {
        let mut guest = Guest::new(&engine, Limits::unlimited(), WAIT);
        let handle = guest.store.stop_handle();
        let run = std::thread::spawn(move || in_time(move || guest.call("wait", &[Val::I64(-1)])));
        std::thread::sleep(Duration::from_millis(5));
        handle.stop();
        assert_eq!(run.join().unwrap(), Outcome::Stopped);
    }
}

/// Returns a module that uses the feature, and nothing that came after what it is built on.
const fn uses(feature: Feature) -> &'static str {
    match feature {
        Feature::Mvp => "(module)",
        Feature::MutableGlobal => r#"(module (global (export "g") (mut i32) (i32.const 0)))"#,
        Feature::SaturatingFloatToInt => "(module (func (drop (i32.trunc_sat_f32_s (f32.const 0)))))",
        Feature::SignExtension => "(module (func (drop (i32.extend8_s (i32.const 0)))))",
        Feature::MultiValue => "(module (func (result i32 i32) unreachable))",
        Feature::BulkMemory => {
            "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))"
        }
        Feature::ReferenceTypes => "(module (func (param externref)))",
        Feature::Simd => "(module (func (param v128)))",
        Feature::RelaxedSimd => {
            "(module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))"
        }
        Feature::TailCall => "(module (func $f (return_call $f)))",
        Feature::ExtendedConst => "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
        Feature::MultiMemory => "(module (memory 1) (memory 1))",
        Feature::Memory64 => "(module (memory i64 1))",
        Feature::FunctionReferences => "(module (type $t (func)) (func (param (ref $t))))",
        Feature::Gc => "(module (func (drop (ref.i31 (i32.const 0)))))",
        Feature::Exceptions => "(module (func (try_table)))",
        Feature::LegacyExceptions => "(module (func try catch_all end))",
        Feature::Threads => "(module (memory 1 1 shared))",
        Feature::CustomPageSizes => "(module (memory 1 (pagesize 1)))",
        Feature::WideArithmetic => {
            "(module (func (param i64 i64 i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)) drop drop))"
        }
    }
}

#[test]
fn a059_what_is_switched_off_is_refused_by_its_name() {
    for feature in Feature::ALL.iter().copied().filter(|feature| *feature != Feature::Mvp) {
        let bytes = wat::parse_str(uses(feature)).unwrap();
        let mut config = Config::default();
        config.features.remove(feature);
        let engine = Engine::new(config);
        let error = Module::new(&engine, bytes).unwrap_err().to_string();
        assert!(error.contains(feature.name()), "{feature}: {error}");
    }
}

/// What no tier runs yet is refused as such when the module is prepared, not when it runs.
#[test]
fn a059_what_no_tier_runs_is_refused_by_its_name() {
    for engine in engines() {
        for feature in Feature::ALL.iter().copied() {
            let result = Module::new(&engine, wat::parse_str(uses(feature)).unwrap());
            let refused = matches!(&result, Err(wasmos_runtime::Error::Unsupported(_)));
            let unsupported =
                matches!(feature, Feature::Gc | Feature::Exceptions | Feature::LegacyExceptions);
            assert_eq!(refused, unsupported, "{feature}: {result:?}");
        }
    }
}
