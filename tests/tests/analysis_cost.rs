//! The bound of fuel is a theorem: programs run on the interpreter, and none uses more than its bound.

use fastrand::Rng;
use wasmos_analysis::callgraph::CallGraph;
use wasmos_analysis::cost::{Bound, bounds};
use wasmos_analysis::functions::functions;
use wasmos_analysis::tables::Tables;
use wasmos_frontend::{decode, validate};
use wasmos_runtime::{Engine, Linker, Module, Outcome, Store, Val};

/// Runs longer than this are stopped, and say nothing.
const LIMIT: u64 = 100_000;

/// The bound of the exported function `f`.
fn bound(bytes: &[u8]) -> Bound {
    let module = decode(bytes.to_vec()).and_then(validate).expect("a valid module");
    let functions = functions(&module);
    let graph = CallGraph::build(&module, &functions, &Tables::find(&module, &functions));
    let wasmos_frontend::module::ExternIdx::Func(func) = module.export("f").expect("f").item else {
        panic!("f is no function");
    };
    bounds(&module, &functions, &graph).swap_remove(func.index())
}

/// Runs `f` with arguments and returns the fuel that it used.
fn fuel_used(bytes: &[u8], args: &[Val]) -> u64 {
    let engine = Engine::default();
    let module = Module::new(&engine, bytes).expect("a module");
    let mut store = Store::new(&engine, ());
    store.set_fuel_limit(LIMIT);
    let instance = Linker::new(&engine).instantiate(&mut store, &module).expect("an instance");
    let before = store.fuel_used();
    let f = instance.get_func(&mut store, "f").expect("f");
    let _: Outcome = f.call(&mut store, args).expect("a call");
    store.fuel_used() - before
}

/// Arguments at the edges of their types, where counting goes wrong.
const EDGES: [i32; 14] =
    [0, 1, 2, 3, 7, 64, 1_000, -1, -2, -1_000, i32::MAX, i32::MAX - 1, i32::MIN, i32::MIN + 1];

/// Runs a function of two parameters on all pairs of edges; returns whether it has a bound for any of them.
fn check(text: &str) -> bool {
    let bytes = wat::parse_str(text).expect(text);
    let bound = bound(&bytes);
    let mut is_bounded = false;
    for a in EDGES {
        for b in [EDGES[0], EDGES[3], EDGES[7], EDGES[10], EDGES[12]] {
            let Some(bound) = bound.eval(&[u64::from(a as u32), u64::from(b as u32)]) else { continue };
            is_bounded = true;
            let used = fuel_used(&bytes, &[Val::I32(a), Val::I32(b)]);
            assert!(used <= bound, "{text}\nf({a}, {b}) used {used}, and its bound is {bound}");
        }
    }
    is_bounded
}

/// A counted loop at random: what it counts, from where, how, and what it is compared with.
struct Counted<'r> {
    rng: &'r mut Rng,
    next_local: u32,
}

impl Counted<'_> {
    fn number(&mut self) -> String {
        match self.rng.u32(..6) {
            0 => "(local.get 0)".into(),
            1 => "(local.get 1)".into(),
            2 => format!("(i32.const {})", EDGES[self.rng.usize(..EDGES.len())]),
            _ => format!("(i32.const {})", self.rng.i32(-20..200)),
        }
    }

    fn body(&mut self, depth: u32) -> String {
        match self.rng.u32(..8) {
            0 => "(call $leaf (i32.const 3) (i32.const 4))".into(),
            1 => "(call $linear (local.get 0))".into(),
            2 => "(memory.fill (i32.const 0) (i32.const 0) (i32.const 640))".into(),
            3 => "(if (local.get 1) (then (nop)) (else (call $leaf (i32.const 1) (i32.const 1))))".into(),
            4..6 if depth > 0 => self.one(depth - 1),
            _ => "(drop (i32.const 1))".into(),
        }
    }

    fn one(&mut self, depth: u32) -> String {
        let x = self.next_local;
        self.next_local += 1;
        let (start, limit) = (self.number(), self.number());
        let step = [1, 1, 1, -1, -1, 2, 4, -3, 7][self.rng.usize(..9)];
        let comparison = ["ne", "ne", "eq", "lt_s", "lt_u", "le_s", "le_u", "gt_s", "gt_u", "ge_s", "ge_u"]
            [self.rng.usize(..11)];
        let set = format!("(local.set {x} (i32.add (local.get {x}) (i32.const {step})))");
        let compare = |value: &str| format!("(i32.{comparison} {value} {limit})");
        let body = self.body(depth);
        let plain = compare(&format!("(local.get {x})"));
        // A parameter that counts itself is no parameter any more.
        let init = if self.rng.u8(..4) == 0 { String::new() } else { format!("(local.set {x} {start})") };
        match self.rng.u32(..5) {
            // The test at the end, behind the assignment, and before it.
            0 => format!("{init} (loop $l {body} {set} (br_if $l {plain}))"),
            1 => {
                let tee = format!("(local.tee {x} (i32.add (local.get {x}) (i32.const {step})))");
                format!("{init} (loop $l {body} (br_if $l {}))", compare(&tee))
            }
            // The test at the beginning.
            2 => format!("{init} (block $b (loop $l (br_if $b (i32.eqz {plain})) {body} {set} (br $l)))"),
            3 => format!("{init} (loop $l (if {plain} (then {body} {set} (br $l))))"),
            // The old value is tested behind the assignment.
            _ => format!("{init} (block $b (loop $l (br_if $b (i32.eqz {plain})) {set} {body} (br $l)))"),
        }
    }
}

fn program(rng: &mut Rng) -> String {
    let mut counted = Counted { rng, next_local: 2 };
    let body = counted.one(2);
    let locals = "i32 ".repeat(counted.next_local as usize);
    format!(
        "(module (memory 1 2)
           (func $leaf (param i32 i32) (drop (i32.const 1)))
           (func $linear (param i32) (local i32)
             (block $b (loop $l
               (br_if $b (i32.ge_s (local.get 1) (local.get 0)))
               (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br $l))))
           (func (export \"f\") (param i32 i32) (local {locals}) {body}))"
    )
}

#[test]
fn no_counted_loop_uses_more_fuel_than_its_bound() {
    let mut rng = Rng::with_seed(0xc057);
    let n = 1_500;
    let bounded = (0..n).filter(|_| check(&program(&mut rng))).count();
    // Many are endless for some arguments; that a good part is counted keeps the test from saying nothing.
    assert!(bounded * 5 > n, "only {bounded} of {n} programs have a bound");
}

#[test]
fn no_module_at_random_uses_more_fuel_than_its_bound() {
    let mut rng = Rng::with_seed(0x5317);
    let (mut ran, mut bounded) = (0, 0);
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..4096).map(|_| rng.u8(..)).collect();
        let config = wasm_smith::Config {
            compact_imports_enabled: false,
            max_imports: 0,
            min_funcs: 2,
            max_funcs: 8,
            max_instructions: 200,
            export_everything: true,
            exceptions_enabled: false,
            simd_enabled: false,
            relaxed_simd_enabled: false,
            gc_enabled: false,
            memory64_enabled: false,
            threads_enabled: false,
            ..wasm_smith::Config::default()
        };
        let module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&bytes));
        let bytes = module.expect("a module").to_bytes();
        let (r, b) = run_all(&bytes);
        ran += r;
        bounded += b;
    }
    assert!(ran > 300 && bounded > 100, "{ran} functions ran, {bounded} have a bound");
}

/// Runs each exported function on zeros and on minus ones.
fn run_all(bytes: &[u8]) -> (u32, u32) {
    let valid = decode(bytes.to_vec()).and_then(validate).expect("a valid module");
    let facts = functions(&valid);
    let graph = CallGraph::build(&valid, &facts, &Tables::find(&valid, &facts));
    let bounds = bounds(&valid, &facts, &graph);
    let engine = Engine::default();
    let Ok(module) = Module::new(&engine, bytes) else { return (0, 0) };
    let (mut ran, mut bounded) = (0, 0);
    for export in &valid.exports {
        let wasmos_frontend::module::ExternIdx::Func(func) = export.item else { continue };
        let ty = valid.func_type(func).expect("a type");
        for fill in [0_u64, u64::MAX] {
            let mut store = Store::new(&engine, ());
            store.set_fuel_limit(100_000);
            let Ok(instance) = Linker::new(&engine).instantiate(&mut store, &module) else { continue };
            let before = store.fuel_used();
            let args: Vec<Val> = ty.params().iter().map(|ty| argument(*ty, fill)).collect();
            let Some(f) = instance.get_func(&mut store, valid.text(export.name)) else { continue };
            if f.call(&mut store, &args).is_err() {
                continue;
            }
            ran += 1;
            let used = store.fuel_used() - before;
            if let Some(bound) = bounds[func.index()].eval(&vec![fill; args.len()]) {
                bounded += 1;
                assert!(used <= bound, "function {func} used {used}, and its bound is {bound}");
            }
        }
    }
    (ran, bounded)
}

fn argument(ty: wasmos_runtime::ValType, fill: u64) -> Val {
    match Val::default_for(ty) {
        Val::I32(_) => Val::I32(fill as i32),
        Val::I64(_) => Val::I64(fill as i64),
        other => other,
    }
}

/// The bound of a function, as text.
fn text_of(body: &str) -> String {
    let text = format!(
        "(module (memory 1) (func $g (param i32) (nop)) (func (export \"f\") (param i32 i32) (local i32) {body}))"
    );
    bound(&wat::parse_str(text).expect("text")).to_string()
}

#[test]
fn bounds_are_as_close_as_counting_allows() {
    assert_eq!(text_of("(drop (i32.const 1))"), "2");
    assert_eq!(text_of("(if (local.get 0) (then (drop (i32.const 1))) (else (nop)))"), "4");
    let ten =
        "(loop $l (br_if $l (i32.lt_s (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 10))))";
    assert_eq!(text_of(ten), "70");
    let exactly = ten.replace("lt_s", "ne");
    assert_eq!(text_of(&exactly), "70");
    let by_param = ten.replace("(i32.const 10)", "(local.get 0)");
    assert_eq!(text_of(&by_param), "0 + 7 × (p0-2)+2");
    assert_eq!(
        text_of("(loop $l (br $l))"),
        "unbounded: a loop whose rounds depend on more than constants and parameters"
    );
    assert_eq!(text_of("(call $g (i32.load (i32.const 0)))"), "3");
    assert_eq!(text_of("(memory.grow (i32.const 2)) (drop)"), "51");
}
