//! wasmi, an engine that shares no code with ours, and the module that it runs: an export for each case.

use wasmi::{Engine, Func, Instance, Linker, Module, Store, Val};
use wasmos_abi::trap::TrapCode;
use wasmos_frontend::opcode::{OpInfo, Operand};

use crate::functions::{Function, Outcome, Value};

/// An exported function of the module that wasmi runs: an opcode with one immediate.
pub(crate) struct Case<'a> {
    pub(crate) row: &'static OpInfo,
    pub(crate) function: &'a Function,
    pub(crate) immediate: Vec<u8>,
}

impl Case<'_> {
    /// The function's text.
    fn wat(&self, index: usize) -> String {
        let types = |operands: &[Operand]| {
            operands.iter().map(|operand| format!("{operand:?} ").to_lowercase()).collect::<String>()
        };
        let (params, results) = (types(&self.function.params), types(&self.function.results));
        let body = definition(self.row.name).unwrap_or_else(|| {
            let operands = (0..self.function.params.len()).map(|i| format!("local.get {i} "));
            let immediate = self.immediate.iter().map(|byte| format!(" {byte}"));
            operands.chain([self.row.name.to_owned()]).chain(immediate).collect()
        });
        format!("(func (export \"{index}\") (param {params}) (result {results}) {body})\n")
    }
}

/// Returns what a relaxed operation is made of, where wasmi has chosen another outcome than the deterministic profile:
/// its multiply-add is fused, and the pairs of its dot product wrap.
fn definition(name: &str) -> Option<String> {
    let dot = "(i16x8.add_sat_s
        (i8x16.shuffle 0 1 4 5 8 9 12 13 16 17 20 21 24 25 28 29
            (i16x8.extmul_low_i8x16_s (local.get 0) (local.get 1))
            (i16x8.extmul_high_i8x16_s (local.get 0) (local.get 1)))
        (i8x16.shuffle 2 3 6 7 10 11 14 15 18 19 22 23 26 27 30 31
            (i16x8.extmul_low_i8x16_s (local.get 0) (local.get 1))
            (i16x8.extmul_high_i8x16_s (local.get 0) (local.get 1))))";
    let (shape, operation) = name.split_once('.')?;
    Some(match operation {
        "relaxed_madd" => {
            format!("({shape}.add ({shape}.mul (local.get 0) (local.get 1)) (local.get 2))")
        }
        "relaxed_nmadd" => {
            format!("({shape}.add ({shape}.mul ({shape}.neg (local.get 0)) (local.get 1)) (local.get 2))")
        }
        "relaxed_dot_i8x16_i7x16_s" => dot.to_owned(),
        "relaxed_dot_i8x16_i7x16_add_s" => {
            format!("(i32x4.add (i32x4.extadd_pairwise_i16x8_s {dot}) (local.get 2))")
        }
        _ => return None,
    })
}

/// wasmi, with every case as an export.
pub(crate) struct Oracle {
    store: Store<()>,
    instance: Instance,
}

impl Oracle {
    pub(crate) fn new(cases: &[Case<'_>]) -> Self {
        let mut text = "(module\n".to_owned();
        for (index, case) in cases.iter().enumerate() {
            text += &case.wat(index);
        }
        text += ")";
        let mut config = wasmi::Config::default();
        config.wasm_wide_arithmetic(true).wasm_simd(true).wasm_relaxed_simd(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wat::parse_str(&text).expect("text")).expect("a valid module");
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("no imports");
        Self { store, instance }
    }

    pub(crate) fn export(&self, index: usize) -> Func {
        self.instance.get_func(&self.store, &index.to_string()).expect("an export")
    }

    pub(crate) fn call(&mut self, func: Func, operands: &[Value]) -> Outcome {
        let operands: Vec<_> = operands
            .iter()
            .map(|operand| match *operand {
                Value::I32(x) => Val::I32(x),
                Value::I64(x) => Val::I64(x),
                Value::F32(bits) => Val::F32(wasmi::F32::from_bits(bits)),
                Value::F64(bits) => Val::F64(wasmi::F64::from_bits(bits)),
                Value::V128(bytes) => Val::V128(u128::from_le_bytes(bytes).into()),
            })
            .collect();
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        match func.call(&mut self.store, &operands, &mut results) {
            Ok(()) => Ok(results.iter().map(value_of).collect()),
            Err(error) => Err(match error.as_trap_code() {
                Some(wasmi::TrapCode::IntegerDivisionByZero) => TrapCode::IntegerDivideByZero,
                Some(wasmi::TrapCode::IntegerOverflow) => TrapCode::IntegerOverflow,
                Some(wasmi::TrapCode::BadConversionToInteger) => TrapCode::InvalidConversion,
                _ => panic!("{error}"),
            }),
        }
    }
}

fn value_of(val: &Val) -> Value {
    match val {
        Val::I32(x) => Value::I32(*x),
        Val::I64(x) => Value::I64(*x),
        Val::F32(x) => Value::F32(x.to_bits()),
        Val::F64(x) => Value::F64(x.to_bits()),
        Val::V128(x) => Value::V128(x.as_u128().to_le_bytes()),
        other => panic!("{other:?} is no number"),
    }
}
