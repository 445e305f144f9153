//! A body's bytes to Cranelift's form, in one pass, without recursion.
//!
//! The operand stack holds values; a vector may have any lane type there and has 16 bytes at labels, locals and calls.
//! Charges are made as [`wasmos_frontend::blocks::plan`] says (`fuel`), and each instruction notes its offset, from
//! which traps and calls are told.

use std::collections::HashMap;

use cranelift_codegen::ir::{
    self, AliasRegion, AliasRegionData, Block, BlockArg, ExtFuncData, ExternalName, Function, InstBuilder,
    MemFlagsData, SourceLoc, Type, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use wasmos_abi::TrapCode;
use wasmos_frontend::ValidModule;
use wasmos_frontend::blocks::{self, Charge};
use wasmos_frontend::types::{BlockType, FuncIdx, FuncType, TypeIdx, ValType};

use super::abi::{clif_type, signature};
use super::control::Frame;
use super::live::Live;
use super::memory::Proofs;
use super::{Charges, Error, Options};
use crate::jit::stubs::{self, Thunk};

/// What all functions of a module are translated with.
pub(super) struct Env<'m> {
    pub(super) module: &'m ValidModule,
    pub(super) options: Options,
    pub(super) config: cranelift_codegen::isa::TargetFrontendConfig,
}

impl<'m> Env<'m> {
    pub(super) fn func_type(&self, index: TypeIdx) -> Option<&'m FuncType> {
        self.module.types.get(index.index())?.func()
    }
}

/// Trap codes of loads count up from here, so that two loads next to each other differ: an access that Cranelift has
/// made part of another instruction is still told apart. Below stand the numbers of [`TrapCode`].
const FIRST_ACCESS: u8 = 64;
const ACCESS_CODES: u32 = 128;

/// Values that a body may make, for each of its bytes and beyond them, so that compilation stays within bounds.
const VALUES_PER_BYTE: usize = 32;
const VALUES: usize = 200_000;

/// Alias regions: an access to one does not change what stands in another.
#[derive(Clone, Copy)]
pub(super) enum Region {
    Memory,
    Table,
    /// Contexts, and the records of memories and tables.
    Context,
    Global,
}

/// A function as it is being translated.
pub(super) struct Translator<'a> {
    pub(super) env: &'a Env<'a>,
    pub(super) module: &'a ValidModule,
    pub(super) func: FuncIdx,
    pub(super) b: FunctionBuilder<'a>,
    pub(super) stack: Vec<Value>,
    pub(super) frames: Vec<Frame>,
    pub(super) locals: Vec<(Variable, Type)>,
    pub(super) context: Value,
    /// What is left of the depth for callees, and for who takes this frame's place.
    pub(super) left: Value,
    pub(super) left_at_entry: Value,
    pub(super) charges: Vec<Charge>,
    pub(super) next_charge: usize,
    pub(super) charges_form: Charges,
    /// Offsets of the accesses to memory, in order.
    accesses: Vec<u32>,
    pub(super) proofs: Proofs,
    regions: [AliasRegion; 4],
    pub(super) thunks: HashMap<Thunk, ir::FuncRef>,
    pub(super) callees: HashMap<FuncIdx, ir::FuncRef>,
    pub(super) signatures: HashMap<TypeIdx, ir::SigRef>,
    /// Floats whose NaN is not the canonical one yet.
    pub(super) raw: std::collections::HashSet<Value>,
    /// By local: whether its floats stay so.
    pub(super) raw_locals: Vec<bool>,
    pub(super) offset: u32,
    pub(super) live: bool,
    pub(super) alive: Live,
}

/// What is known of a translated body beside Cranelift's form.
pub(super) struct Notes {
    accesses: Vec<u32>,
    pub(super) first: u32,
}

impl Notes {
    /// Returns trap and offset of what Cranelift calls `code` at `offset`.
    pub(super) fn trap(&self, code: ir::TrapCode, offset: u32) -> (TrapCode, u32) {
        let raw = code.as_raw().get();
        if let Some(access) = raw.checked_sub(FIRST_ACCESS).filter(|access| u32::from(*access) < ACCESS_CODES)
        {
            return (TrapCode::MemoryOutOfBounds, self.access(u32::from(access), offset));
        }
        let trap = match code {
            ir::TrapCode::INTEGER_OVERFLOW => TrapCode::IntegerOverflow,
            ir::TrapCode::INTEGER_DIVISION_BY_ZERO => TrapCode::IntegerDivideByZero,
            ir::TrapCode::BAD_CONVERSION_TO_INTEGER => TrapCode::InvalidConversion,
            _ => TrapCode::from_number(raw).unwrap_or(TrapCode::Unreachable),
        };
        (trap, offset)
    }

    /// Returns the offset of the last access up to `offset` that has this number.
    fn access(&self, number: u32, offset: u32) -> u32 {
        let end = self.accesses.partition_point(|at| *at <= offset);
        let near = self.accesses[..end].iter().enumerate().rev().take(ACCESS_CODES as usize);
        let found = near.into_iter().find(|(index, _)| *index as u32 % ACCESS_CODES == number);
        found.map_or(offset, |(_, at)| *at)
    }
}

/// Translates a defined function into `function`.
pub(super) fn translate(
    env: &Env<'_>,
    (func, charges_form): (FuncIdx, Charges),
    function: &mut Function,
    context: &mut FunctionBuilderContext,
) -> Result<Notes, Error> {
    let (Some(ty), Some(valid)) = (env.module.func_type(func), env.module.valid_body(func)) else {
        unreachable!("a defined function has a type and a body")
    };
    let body = valid.body();
    function.signature = signature(ty);
    function.name = ir::UserFuncName::user(stubs::FUNCTIONS, func.0);
    let Ok((declared, instrs)) = env.module.code(body) else { unreachable!("the body has been validated") };
    let first = instrs.offset();
    function.params.ensure_base_srcloc(SourceLoc::new(first));
    let regions = regions(function);
    let mut builder = FunctionBuilder::new(function, context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    builder.set_srcloc(SourceLoc::new(first));
    let params = builder.block_params(entry).to_vec();
    let mut translator = Translator {
        env,
        module: env.module,
        func,
        b: builder,
        stack: Vec::new(),
        frames: Vec::new(),
        locals: Vec::new(),
        context: params[0],
        left: params[1],
        left_at_entry: params[1],
        charges: blocks::plan(valid),
        next_charge: 0,
        charges_form,
        accesses: Vec::new(),
        proofs: Proofs::default(),
        regions,
        thunks: HashMap::new(),
        callees: HashMap::new(),
        signatures: HashMap::new(),
        raw: std::collections::HashSet::new(),
        raw_locals: Vec::new(),
        offset: first,
        live: true,
        alive: Live::default(),
    };
    translator.enter();
    translator.declare_locals(ty, &params[2..], &declared);
    translator.find_raw_locals(ty.params().len(), instrs.clone());
    translator.open_function(ty);
    let most = VALUES + VALUES_PER_BYTE * body.0.len_bytes() as usize;
    for (offset, instr) in instrs {
        translator.begin(offset);
        translator.instr(&instr);
        if translator.b.func.dfg.num_values() > most || translator.has_too_many_live() {
            return Err(Error::TooComplex { func });
        }
    }
    let notes = Notes { accesses: translator.accesses, first };
    translator.b.seal_all_blocks();
    translator.b.finalize(env.config);
    Ok(notes)
}

fn regions(function: &mut Function) -> [AliasRegion; 4] {
    ["memory", "table", "context", "global"].map(|name| {
        let user_id = function.dfg.alias_regions.len() as u32;
        function.dfg.alias_regions.insert(AliasRegionData { user_id, description: name.into() })
    })
}

impl<'a> Translator<'a> {
    /// Tests what is left of the call depth (promise P6).
    fn enter(&mut self) {
        let cost = i64::from(self.module.frame_cost(self.func).bytes());
        if cost == 0 {
            return;
        }
        let short = self.b.ins().icmp_imm_u(ir::condcodes::IntCC::UnsignedLessThan, self.left, cost);
        self.b.ins().trapnz(short, trap(TrapCode::CallStackExhausted));
        self.left = self.b.ins().iadd_imm_s(self.left, -cost);
    }

    fn declare_locals(&mut self, ty: &FuncType, params: &[Value], declared: &[(u32, ValType)]) {
        for (value, ty) in params.iter().zip(ty.params()) {
            let ty = clif_type(*ty);
            let variable = self.b.declare_var(ty);
            self.b.def_var(variable, *value);
            self.locals.push((variable, ty));
        }
        for (n, ty) in declared {
            let ty = clif_type(*ty);
            if *n > 0 {
                let zero = self.zero(ty);
                for _ in 0..*n {
                    let variable = self.b.declare_var(ty);
                    self.b.def_var(variable, zero);
                    self.locals.push((variable, ty));
                }
            }
        }
    }

    /// Begins an instruction: its charge comes in front of it.
    fn begin(&mut self, offset: u32) {
        self.offset = offset;
        if !self.live {
            return;
        }
        self.b.set_srcloc(SourceLoc::new(offset));
        while let Some(charge) = self.charges.get(self.next_charge).filter(|charge| charge.offset <= offset) {
            let charge = *charge;
            self.next_charge += 1;
            if charge.offset == offset {
                self.charge(charge);
            }
        }
    }

    pub(super) fn block_types(&self, ty: BlockType) -> (Vec<Type>, Vec<Type>) {
        let many = |types: &[ValType]| types.iter().map(|ty| clif_type(*ty)).collect();
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Value(ty) => (Vec::new(), vec![clif_type(ty)]),
            BlockType::Type(index) => match self.env.func_type(index) {
                Some(ty) => (many(ty.params()), many(ty.results())),
                None => unreachable!("validation has seen the block's type"),
            },
        }
    }

    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Takes an operand as it is.
    pub(super) fn pop(&mut self) -> Value {
        match self.stack.pop() {
            Some(value) => value,
            None => unreachable!("validation has counted the operands"),
        }
    }

    pub(super) fn pop2(&mut self) -> (Value, Value) {
        let b = self.pop();
        (self.pop(), b)
    }

    pub(super) fn ty(&self, value: Value) -> Type {
        self.b.func.dfg.value_type(value)
    }

    /// Makes the topmost `n` operands what boundaries want: canonical NaNs, vectors of bytes.
    pub(super) fn settle(&mut self, n: usize) {
        for index in self.stack.len() - n..self.stack.len() {
            self.stack[index] = self.settled(self.stack[index]);
        }
    }

    pub(super) fn settled(&mut self, value: Value) -> Value {
        let value = self.canonical(value);
        if self.ty(value).is_vector() { self.as_vector(value, types::I8X16) } else { value }
    }

    /// Takes the topmost `n` operands, settled.
    pub(super) fn pop_settled(&mut self, n: usize) -> Vec<Value> {
        self.settle(n);
        self.stack.split_off(self.stack.len() - n)
    }

    pub(super) fn zero(&mut self, ty: Type) -> Value {
        match ty {
            types::F32 => self.b.ins().f32const(0.0),
            types::F64 => self.b.ins().f64const(0.0),
            types::I8X16 => self.vector([0; 16], types::I8X16),
            _ => self.b.ins().iconst(ty, 0),
        }
    }

    pub(super) fn vector(&mut self, bytes: [u8; 16], ty: Type) -> Value {
        let constant = self.b.func.dfg.constants.insert(bytes.to_vec().into());
        self.b.ins().vconst(ty, constant)
    }

    pub(super) fn jump(&mut self, to: Block, args: &[Value]) {
        let args: Vec<_> = args.iter().copied().map(BlockArg::Value).collect();
        self.b.ins().jump(to, &args);
    }

    /// Flags of what never traps.
    pub(super) fn flags(&self, region: Region) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.regions[region as usize]))
    }

    /// Loads a word that never changes while the function runs.
    pub(super) fn load_fixed(&mut self, base: Value, displacement: i32) -> Value {
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        self.b.ins().load(types::I64, flags, base, displacement)
    }

    /// Returns the trap code of the access that comes, which is the next of the body.
    pub(super) fn access_trap(&mut self) -> ir::TrapCode {
        let number = self.accesses.len() as u32 % ACCESS_CODES;
        self.accesses.push(self.offset);
        ir::TrapCode::unwrap_user(FIRST_ACCESS + number as u8)
    }

    pub(super) fn memory_flags(&self, code: Option<ir::TrapCode>) -> MemFlagsData {
        MemFlagsData::new()
            .with_trap_code(code)
            .with_endianness(ir::Endianness::Little)
            .with_alias_region(Some(self.regions[Region::Memory as usize]))
    }

    pub(super) fn signature(&mut self, index: TypeIdx) -> ir::SigRef {
        if let Some(known) = self.signatures.get(&index) {
            return *known;
        }
        let Some(ty) = self.env.func_type(index) else {
            unreachable!("validation has seen the function's type")
        };
        let made = self.b.import_signature(signature(ty));
        self.signatures.insert(index, made);
        made
    }

    pub(super) fn thunk(&mut self, thunk: Thunk) -> ir::FuncRef {
        if let Some(known) = self.thunks.get(&thunk) {
            return *known;
        }
        let signature = self.b.import_signature(thunk.signature());
        let made = self.import(stubs::THUNKS, thunk as u32, signature);
        self.thunks.insert(thunk, made);
        made
    }

    pub(super) fn import(&mut self, namespace: u32, index: u32, signature: ir::SigRef) -> ir::FuncRef {
        let name = self.b.func.declare_imported_user_function(ir::UserExternalName { namespace, index });
        let name = ExternalName::user(name);
        self.b.import_function(ExtFuncData { name, signature, colocated: true, patchable: false })
    }
}

/// Returns Cranelift's code for a trap.
pub(super) fn trap(code: TrapCode) -> ir::TrapCode {
    ir::TrapCode::unwrap_user(code as u8)
}
