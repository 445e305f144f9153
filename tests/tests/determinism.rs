//! Bodies are validated in parallel: the first error is that of the first broken function, whatever the thread count.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use fastrand::Rng;
use wasmos_frontend::error::ErrorData;
use wasmos_frontend::module::SectionId;
use wasmos_frontend::types::FuncIdx;
use wasmos_frontend::{ErrorKind, decode, limits, validate, validate_lazily};
use wasmos_tests::guard::with_threads;
use wasmos_tests::shapes::{DROP, body, custom, func_type, leb, module, section, sized, vector};

const THREADS: [usize; 3] = [1, 2, 8];
const BODIES: usize = 5_000;

/// Ways to be wrong, each told from the others by its kind.
const BROKEN: [(&[u8], &str); 5] = [
    (&[DROP], "type mismatch: expected any type, found nothing on the stack"),
    (&[0x20, 9, DROP], "unknown local 9: there are 0"),
    (&[0x0c, 3], "unknown label 3: there are 1"),
    (&[0x41, 0], "type mismatch: 1 values remain on the stack at the end of the block"),
    (&[0xff], "illegal opcode 0xff"),
];

/// A module of valid bodies of different lengths, but for those at `broken`; functions have names.
fn with_broken(rng: &mut Rng, broken: &[usize]) -> Vec<u8> {
    let bodies = (0..BODIES).map(|index| match broken.iter().find(|at| **at == index) {
        Some(_) => body(&[0], BROKEN[rng.usize(..BROKEN.len())].0),
        None => body(&[0], &[0x41, 0, DROP].repeat(rng.usize(..100))),
    });
    let names = (0..BODIES).map(|index| [leb(index as u64), sized(format!("f{index}"))].concat());
    module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector(vec![[0]; BODIES])),
        section(SectionId::Code, vector(bodies)),
        custom(b"name", &[vec![1], sized(vector(names))].concat()),
    ])
}

/// What is wrong, where, and in which function.
fn first_error(bytes: &[u8], threads: usize) -> (ErrorKind, u32, Option<FuncIdx>, Option<String>) {
    let error = with_threads(threads, || validate(decode(bytes).unwrap()).map(drop).unwrap_err());
    let ErrorData { kind, offset, function, function_name, .. } = &*error;
    (kind.clone(), *offset, *function, function_name.clone())
}

#[test]
fn the_first_error_is_that_of_the_first_broken_function() {
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let n_broken = 1 + rng.usize(..if seed % 2 == 0 { 3 } else { BODIES / 2 });
        let mut broken: Vec<usize> = (0..n_broken).map(|_| rng.usize(..BODIES)).collect();
        broken.sort_unstable();
        let bytes = with_broken(&mut rng, &broken);
        for threads in THREADS {
            let (kind, offset, function, name) = first_error(&bytes, threads);
            assert_eq!(function, Some(FuncIdx(broken[0] as u32)), "seed {seed}, {threads} threads");
            assert_eq!(name, Some(format!("f{}", broken[0])));
            assert!(BROKEN.iter().any(|(_, message)| *message == kind.to_string()), "{kind}");
            assert_eq!(
                (kind, offset, function, name),
                first_error(&bytes, 1),
                "seed {seed}, {threads} threads"
            );
        }
    }
}

/// The order of threads differs from run to run; the answer does not.
#[test]
fn the_same_answer_each_time() {
    let mut rng = Rng::with_seed(7);
    let broken: Vec<usize> = (0..BODIES).filter(|_| rng.u8(..4) == 0).collect();
    let bytes = with_broken(&mut rng, &broken);
    let expected = first_error(&bytes, 1);
    for _ in 0..50 {
        assert_eq!(first_error(&bytes, 8), expected);
    }
}

/// A rule of the module is broken before any body is looked at.
#[test]
fn rules_of_the_module_come_before_bodies() {
    let mut rng = Rng::with_seed(11);
    let bodies = (0..BODIES).map(|_| body(&[0], &[DROP].repeat(1 + rng.usize(..100))));
    let bytes = module(&[
        section(SectionId::Type, vector([func_type(&[], &[])])),
        section(SectionId::Function, vector(vec![[0]; BODIES])),
        section(SectionId::Export, vector([[0, 0, 0], [0, 0, 1]])),
        section(SectionId::Code, vector(bodies)),
    ]);
    for threads in THREADS {
        let (kind, _, function, _) = first_error(&bytes, threads);
        assert_eq!((kind, function), (ErrorKind::DuplicateExport { index: 1 }, None));
    }
}

/// Comparisons beyond what the lengths of bodies allow are counted for all bodies together: the body that is one too
/// many is the same one, in whatever order threads take them.
#[test]
fn the_body_that_exhausts_the_shared_budget_is_the_same() {
    let bytes = over_budget();
    let expected = first_error(&bytes, 1);
    assert!(
        matches!(expected.0, ErrorKind::TooMany { limit, .. } if limit == limits::COMPARISONS),
        "{expected:?}"
    );
    assert!(expected.2 > Some(FuncIdx(3)), "{expected:?}");
    for threads in THREADS {
        for _ in 0..10 {
            assert_eq!(first_error(&bytes, threads), expected, "{threads} threads");
        }
    }
}

/// A module whose bodies compare more than they may together, each of which may compare what it does.
fn over_budget() -> Vec<u8> {
    // Each pair of calls returns a thousand `nullref` and takes a thousand `anyref`.
    let types = [func_type(&[], &[]), func_type(&[], &[0x71; 1_000]), func_type(&[0x6e; 1_000], &[])];
    let callees = [body(&[0], &[0x00]), body(&[0], &[0x00])];
    let callers = (0..600).map(|index| body(&[0], &[0x10, 0, 0x10, 1].repeat(50 + index % 7)));
    let functions = [vec![1], vec![2]].into_iter().chain(vec![vec![0]; 600]);
    module(&[
        section(SectionId::Type, vector(types)),
        section(SectionId::Function, vector(functions)),
        section(SectionId::Code, vector(callees.into_iter().chain(callers))),
    ])
}

/// Bodies that were validated alone, in whatever order, by however many threads, do not change the verdict on the whole.
#[test]
fn what_was_validated_before_does_not_change_the_verdict() {
    for seed in 0..20 {
        let mut rng = Rng::with_seed(seed);
        let broken = [rng.usize(..BODIES), rng.usize(..BODIES)];
        let broken = if seed % 4 == 0 { &[][..] } else { &broken };
        for (bytes, broken) in [(over_budget(), &[][..]), (with_broken(&mut rng, broken), broken)] {
            let expected = validate(decode(bytes.clone()).unwrap()).map(drop);
            let lazy = validate_lazily(decode(bytes).unwrap()).unwrap();
            let mut order: Vec<u32> = (0..lazy.funcs.len() as u32).collect();
            rng.shuffle(&mut order);
            // What is used up by others is an error of a body alone, too; a proof is one for good.
            std::thread::scope(|scope| {
                for part in order.chunks(order.len() / 3) {
                    scope.spawn(|| {
                        part.iter().filter_map(|func| lazy.validate_body(FuncIdx(*func)).ok()).count()
                    });
                }
            });
            assert_eq!(lazy.validate().map(drop), expected, "seed {seed}");
            let mut refused = broken.iter().map(|func| lazy.validate_body(FuncIdx(*func as u32)));
            assert!(refused.all(|body| body.is_err()), "seed {seed}");
        }
    }
}
