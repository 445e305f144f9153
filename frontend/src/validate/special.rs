//! Instructions whose effect depends on immediates, labels or the stack: control, calls, locals, references, bulk
//! operations, exceptions. Those of gc are in `gc.rs`.
//!
//! Source: core 3.0, "Instructions" of validation; the first exception-handling proposal for its legacy forms.

use crate::error::{ErrorKind, IndexSpace, Result};
use crate::instr::{
    BrTable, CallIndirect, Catch, LaneIdx, Lanes16, MemoryCopy, MemoryInit, TableCopy, TableInit, TryTable,
};
use crate::module::ElementSegment;
use crate::opcode::Instr;
use crate::types::{
    BlockType, DataIdx, ElemIdx, FuncIdx, FuncType, GlobalIdx, HeapType, LabelIdx, MemIdx, RefType, TableIdx,
    TableType, TagIdx, TypeIdx, ValType,
};
use crate::validate::func::{Frame, FrameKind, FuncValidator};

pub(super) fn ref_to(heap: HeapType) -> ValType {
    ValType::reference(RefType { nullable: false, heap })
}

impl<'m> FuncValidator<'m> {
    /// Applies an instruction whose row says `special`.
    pub(super) fn special(&mut self, instr: &Instr<'m>) -> Result<()> {
        match *instr {
            Instr::Unreachable => self.leave(),
            Instr::Block(ty) => self.block(FrameKind::Block, ty),
            Instr::Loop(ty) => self.block(FrameKind::Loop, ty),
            Instr::If(ty) => self.if_(ty),
            Instr::Else => self.else_(),
            Instr::End => self.end(),
            Instr::Br(label) => self.br(label),
            Instr::BrIf(label) => self.br_if(label),
            Instr::BrTable(table) => self.br_table(table),
            Instr::Return => self.return_(),

            Instr::Try(ty) => self.block(FrameKind::Try, ty),
            Instr::Catch(tag) => self.catch(tag),
            Instr::CatchAll => self.catch_all(),
            Instr::Delegate(label) => self.delegate(label),
            Instr::Rethrow(label) => self.rethrow(label),
            Instr::Throw(tag) => self.throw(tag),
            Instr::ThrowRef => self.throw_ref(),
            Instr::TryTable(table) => self.try_table(table),

            Instr::Call(func) => self.call(func),
            Instr::CallIndirect(call) => self.call_indirect(call),
            Instr::CallRef(ty) => self.call_ref(ty),
            Instr::ReturnCall(func) => self.return_call(func),
            Instr::ReturnCallIndirect(call) => self.return_call_indirect(call),
            Instr::ReturnCallRef(ty) => self.return_call_ref(ty),

            Instr::Drop => self.pop_any().map(drop),
            Instr::Select => self.select(),
            Instr::SelectT(ty) => self.select_typed(ty.0),
            Instr::LocalGet(index) => self.local_get(index),
            Instr::LocalSet(index) => self.local_set(index),
            Instr::LocalTee(index) => self.local_tee(index),
            Instr::GlobalGet(index) => self.global_get(index),
            Instr::GlobalSet(index) => self.global_set(index),

            Instr::TableGet(index) => self.table_get(index),
            Instr::TableSet(index) => self.table_set(index),
            Instr::TableGrow(index) => self.table_grow(index),
            Instr::TableSize(index) => self.table_size(index),
            Instr::TableFill(index) => self.table_fill(index),
            Instr::TableInit(init) => self.table_init(init),
            Instr::TableCopy(copy) => self.table_copy(copy),
            Instr::ElemDrop(index) => self.element(index).map(drop),

            Instr::MemorySize(index) => self.memory_size(index),
            Instr::MemoryGrow(index) => self.memory_grow(index),
            Instr::MemoryFill(index) => self.memory_fill(index),
            Instr::MemoryInit(init) => self.memory_init(init),
            Instr::MemoryCopy(copy) => self.memory_copy(copy),
            Instr::DataDrop(index) => self.data(index),

            Instr::RefNull(heap) => self.ref_null(heap),
            Instr::RefIsNull => self.ref_is_null(),
            Instr::RefFunc(func) => self.ref_func(func),
            Instr::RefAsNonNull => self.ref_as_non_null(),
            Instr::BrOnNull(label) => self.br_on_null(label),
            Instr::BrOnNonNull(label) => self.br_on_non_null(label),

            _ => self.gc(instr),
        }
    }

    // Blocks and branches.

    fn leave(&mut self) -> Result<()> {
        self.unreachable();
        Ok(())
    }

    /// Checks that a block type exists.
    fn block_type(&self, ty: BlockType) -> Result<()> {
        match ty {
            BlockType::Empty => Ok(()),
            BlockType::Value(ty) => self.val_type(ty),
            BlockType::Type(index) => self.func_type(index).map(drop),
        }
    }

    /// Checks that a value type refers to a type that exists.
    pub(super) fn val_type(&self, ty: ValType) -> Result<()> {
        match ty.concrete() {
            Some(index) if self.matcher.get(index).is_none() => {
                Err(self.unknown(IndexSpace::Type, index.0, self.module.types.len()))
            }
            _ => Ok(()),
        }
    }

    fn func_type(&self, index: TypeIdx) -> Result<&'m FuncType> {
        let Some(ty) = self.matcher.get(index) else {
            return Err(self.unknown(IndexSpace::Type, index.0, self.module.types.len()));
        };
        match ty.func() {
            Some(func) => Ok(func),
            None => Err(self.error(ErrorKind::WrongCompositeType { index: index.0, wanted: "function" })),
        }
    }

    fn block(&mut self, kind: FrameKind, ty: BlockType) -> Result<()> {
        self.block_type(ty)?;
        let params = self.params(ty);
        self.pop_all(params.as_slice())?;
        self.open(kind, ty);
        self.push_params(ty)
    }

    fn if_(&mut self, ty: BlockType) -> Result<()> {
        self.pop(ValType::I32)?;
        self.block(FrameKind::If, ty)
    }

    fn else_(&mut self) -> Result<()> {
        self.reopen("else", |kind| kind == FrameKind::If, FrameKind::Else)?;
        let frame = self.frame(LabelIdx(0))?;
        self.push_params(frame.block_type)
    }

    #[inline]
    fn push_params(&mut self, ty: BlockType) -> Result<()> {
        let params = self.params(ty);
        self.push_all(params.as_slice())
    }

    /// Closes a frame of a kind that `allowed` names and opens one of `kind` with the same results.
    fn reopen(&mut self, op: &'static str, allowed: fn(FrameKind) -> bool, kind: FrameKind) -> Result<()> {
        if !self.frame(LabelIdx(0)).is_ok_and(|frame| allowed(frame.kind)) {
            return Err(self.error(ErrorKind::Misplaced { op }));
        }
        let frame = self.close()?;
        self.open(kind, frame.block_type);
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let frame = self.close()?;
        if frame.kind == FrameKind::If {
            // Without `else` the parameters are the results.
            let (params, results) = (self.params(frame.block_type), self.results(frame));
            if !self.sequence(params.as_slice(), results.as_slice())? {
                return Err(self.error(ErrorKind::ElseMissing));
            }
        }
        if self.n_frames() == 0 { Ok(()) } else { self.push_results(frame) }
    }

    fn push_results(&mut self, frame: Frame) -> Result<()> {
        let results = self.results(frame);
        self.push_all(results.as_slice())
    }

    pub(super) fn br(&mut self, label: LabelIdx) -> Result<()> {
        let types = self.label(label)?;
        self.pop_all(types.as_slice())?;
        self.leave()
    }

    pub(super) fn br_if(&mut self, label: LabelIdx) -> Result<()> {
        self.pop(ValType::I32)?;
        let types = self.label(label)?;
        self.pop_push_all(types.as_slice())
    }

    /// Each distinct label is looked at once, and a label whose types lie on the stack as they are costs one
    /// comparison of slices: 65,520 targets of 1,000 results must not multiply.
    fn br_table(&mut self, table: BrTable<'m>) -> Result<()> {
        self.pop(ValType::I32)?;
        let mut seen = core::mem::take(&mut self.seen_labels);
        let result = self.br_table_labels(table, &mut seen);
        // Only what was marked is cleared: tables of a few targets may name a label behind millions of others.
        for label in table.labels() {
            if let Some(word) = seen.get_mut(label.index() / 32) {
                *word = 0;
            }
        }
        self.seen_labels = seen;
        result?;
        self.leave()
    }

    fn br_table_labels(&mut self, table: BrTable<'m>, seen: &mut Vec<u32>) -> Result<()> {
        let default = table.labels().last().unwrap_or(LabelIdx(0));
        let arity = self.label(default)?.as_slice().len();
        for label in table.labels() {
            let types = self.label(label)?;
            let (word, bit) = (label.index() / 32, 1 << (label.0 % 32));
            if seen.get(word).is_some_and(|bits| bits & bit != 0) {
                continue;
            }
            seen.resize(seen.len().max(word + 1), 0);
            seen[word] |= bit;
            let types = types.as_slice();
            if types.len() != arity {
                let (expected, found) = (arity, types.len());
                let [expected, found] = [expected, found].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
                return Err(self.error(ErrorKind::LabelArity { op: "br_table", expected, found }));
            }
            self.peek_all(types)?;
        }
        Ok(())
    }

    fn return_(&mut self) -> Result<()> {
        let results = self.function_results();
        self.pop_all(results.as_slice())?;
        self.leave()
    }

    // Exceptions.

    /// Returns the types of the values that an exception of the tag carries.
    fn tag(&self, index: TagIdx) -> Result<&'m [ValType]> {
        match self.module.tags.get(index.index()) {
            Some(tag) => self.func_type(tag.ty).map(FuncType::params),
            None => Err(self.unknown(IndexSpace::Tag, index.0, self.module.tags.len())),
        }
    }

    fn catch(&mut self, tag: TagIdx) -> Result<()> {
        let types = self.tag(tag)?;
        self.reopen("catch", |kind| matches!(kind, FrameKind::Try | FrameKind::Catch), FrameKind::Catch)?;
        self.push_all(types)
    }

    fn catch_all(&mut self) -> Result<()> {
        let allowed = |kind| matches!(kind, FrameKind::Try | FrameKind::Catch);
        self.reopen("catch_all", allowed, FrameKind::CatchAll)
    }

    fn delegate(&mut self, label: LabelIdx) -> Result<()> {
        if !self.frame(LabelIdx(0)).is_ok_and(|frame| frame.kind == FrameKind::Try) {
            return Err(self.error(ErrorKind::Misplaced { op: "delegate" }));
        }
        let frame = self.close()?;
        self.frame(label)?;
        self.push_results(frame)
    }

    fn rethrow(&mut self, label: LabelIdx) -> Result<()> {
        if !matches!(self.frame(label)?.kind, FrameKind::Catch | FrameKind::CatchAll) {
            return Err(self.error(ErrorKind::RethrowOutsideCatch));
        }
        self.leave()
    }

    fn throw(&mut self, tag: TagIdx) -> Result<()> {
        let types = self.tag(tag)?;
        self.pop_all(types)?;
        self.leave()
    }

    fn throw_ref(&mut self) -> Result<()> {
        self.pop(ValType::EXNREF)?;
        self.leave()
    }

    fn try_table(&mut self, table: TryTable<'m>) -> Result<()> {
        let parts = table.parts();
        self.block_type(parts.block_type)?;
        for catch in &parts.catches {
            self.catch_clause(*catch)?;
        }
        self.block(FrameKind::Block, parts.block_type)
    }

    /// The label must take the exception's values, and a reference to it where the clause says so.
    fn catch_clause(&mut self, catch: Catch) -> Result<()> {
        let (values, exception) = match catch {
            Catch::Tag { tag, .. } => (self.tag(tag)?, None),
            Catch::TagRef { tag, .. } => (self.tag(tag)?, Some(ref_to(HeapType::Exn))),
            Catch::All { .. } => (&[][..], None),
            Catch::AllRef { .. } => (&[][..], Some(ref_to(HeapType::Exn))),
        };
        let label = self.label(catch.label())?;
        let (first, rest) = label.as_slice().split_at(values.len().min(label.as_slice().len()));
        if self.sequence(values, first)? && self.sequence(exception.as_slice(), rest)? {
            return Ok(());
        }
        Err(self.error(ErrorKind::CatchMismatch))
    }

    // Calls.

    fn callee(&self, index: FuncIdx) -> Result<&'m FuncType> {
        match self.module.funcs.get(index.index()) {
            Some(func) => self.func_type(func.ty),
            None => Err(self.unknown(IndexSpace::Function, index.0, self.module.funcs.len())),
        }
    }

    fn apply(&mut self, ty: &'m FuncType) -> Result<()> {
        self.note_call();
        self.pop_all(ty.params())?;
        self.push_all(ty.results())
    }

    fn tail(&mut self, ty: &'m FuncType) -> Result<()> {
        let results = self.function_results();
        if !self.sequence(ty.results(), results.as_slice())? {
            return Err(self.error(ErrorKind::TailCallResults));
        }
        self.note_call();
        self.pop_all(ty.params())?;
        self.leave()
    }

    pub(super) fn call(&mut self, func: FuncIdx) -> Result<()> {
        let ty = self.callee(func)?;
        self.apply(ty)
    }

    fn return_call(&mut self, func: FuncIdx) -> Result<()> {
        let ty = self.callee(func)?;
        self.tail(ty)
    }

    /// Takes the table index of an indirect call and returns the callee's type.
    fn indirect_callee(&mut self, call: CallIndirect) -> Result<&'m FuncType> {
        let table = self.table(call.table)?;
        if !self.matcher.val(table.element, ValType::FUNCREF) {
            let what = "an indirect call needs a table of functions";
            return Err(self.error(ErrorKind::IncompatibleTypes { what }));
        }
        let ty = self.func_type(call.ty)?;
        self.pop(table.address.val())?;
        Ok(ty)
    }

    fn call_indirect(&mut self, call: CallIndirect) -> Result<()> {
        let ty = self.indirect_callee(call)?;
        self.apply(ty)
    }

    fn return_call_indirect(&mut self, call: CallIndirect) -> Result<()> {
        let ty = self.indirect_callee(call)?;
        self.tail(ty)
    }

    /// Takes the function reference of a call and returns the callee's type.
    fn referenced_callee(&mut self, index: TypeIdx) -> Result<&'m FuncType> {
        let ty = self.func_type(index)?;
        self.pop(ref_to(HeapType::Concrete(index)).with_null())?;
        Ok(ty)
    }

    fn call_ref(&mut self, index: TypeIdx) -> Result<()> {
        let ty = self.referenced_callee(index)?;
        self.apply(ty)
    }

    fn return_call_ref(&mut self, index: TypeIdx) -> Result<()> {
        let ty = self.referenced_callee(index)?;
        self.tail(ty)
    }

    // Values.

    fn select(&mut self) -> Result<()> {
        self.pop(ValType::I32)?;
        let (second, first) = (self.pop_any()?, self.pop_any()?);
        if let Some(found) = [first, second].into_iter().find(|ty| ty.is_ref()) {
            return Err(self.error(ErrorKind::SelectReference { found }));
        }
        if first != second && first != ValType::BOTTOM && second != ValType::BOTTOM {
            let found = crate::error::Found(Some(second));
            return Err(self.error(ErrorKind::TypeMismatch { expected: first, found }));
        }
        self.push(if first == ValType::BOTTOM { second } else { first });
        Ok(())
    }

    fn select_typed(&mut self, ty: ValType) -> Result<()> {
        self.val_type(ty)?;
        self.pop_all(&[ty, ty, ValType::I32])?;
        self.push(ty);
        Ok(())
    }

    pub(super) fn global_get(&mut self, index: GlobalIdx) -> Result<()> {
        match self.module.globals.get(index.index()) {
            Some(global) => {
                self.push(global.ty.value);
                Ok(())
            }
            None => Err(self.unknown(IndexSpace::Global, index.0, self.module.globals.len())),
        }
    }

    fn global_set(&mut self, index: GlobalIdx) -> Result<()> {
        match self.module.globals.get(index.index()) {
            Some(global) if global.ty.mutable => self.pop(global.ty.value),
            Some(_) => Err(self.error(ErrorKind::ImmutableGlobal { index: index.0 })),
            None => Err(self.unknown(IndexSpace::Global, index.0, self.module.globals.len())),
        }
    }

    // Tables.

    fn table(&self, index: TableIdx) -> Result<TableType> {
        match self.module.tables.get(index.index()) {
            Some(table) => Ok(table.ty),
            None => Err(self.unknown(IndexSpace::Table, index.0, self.module.tables.len())),
        }
    }

    pub(super) fn element(&self, index: ElemIdx) -> Result<&'m ElementSegment> {
        match self.module.element_segment(index) {
            Some(segment) => Ok(segment),
            None => Err(self.unknown(IndexSpace::Element, index.0, self.module.elements.len())),
        }
    }

    fn table_get(&mut self, index: TableIdx) -> Result<()> {
        let table = self.table(index)?;
        self.pop(table.address.val())?;
        self.push(table.element);
        Ok(())
    }

    fn table_set(&mut self, index: TableIdx) -> Result<()> {
        let table = self.table(index)?;
        self.pop_all(&[table.address.val(), table.element])
    }

    fn table_grow(&mut self, index: TableIdx) -> Result<()> {
        let table = self.table(index)?;
        self.pop_all(&[table.element, table.address.val()])?;
        self.push(table.address.val());
        Ok(())
    }

    fn table_size(&mut self, index: TableIdx) -> Result<()> {
        let table = self.table(index)?;
        self.push(table.address.val());
        Ok(())
    }

    fn table_fill(&mut self, index: TableIdx) -> Result<()> {
        let table = self.table(index)?;
        self.pop_all(&[table.address.val(), table.element, table.address.val()])
    }

    fn table_init(&mut self, init: TableInit) -> Result<()> {
        let (table, segment) = (self.table(init.table)?, self.element(init.elem)?);
        if !self.matcher.val(segment.ty, table.element) {
            let what = "the segment's entries do not match the table's elements";
            return Err(self.error(ErrorKind::IncompatibleTypes { what }));
        }
        self.pop_all(&[table.address.val(), ValType::I32, ValType::I32])
    }

    fn table_copy(&mut self, copy: TableCopy) -> Result<()> {
        let (dst, src) = (self.table(copy.dst)?, self.table(copy.src)?);
        if !self.matcher.val(src.element, dst.element) {
            let what = "the source's elements do not match the destination's";
            return Err(self.error(ErrorKind::IncompatibleTypes { what }));
        }
        let len = dst.address.min(src.address).val();
        self.pop_all(&[dst.address.val(), src.address.val(), len])
    }

    // Memories.

    fn memory_size(&mut self, index: MemIdx) -> Result<()> {
        let address = self.memory(index)?;
        self.push(address.val());
        Ok(())
    }

    fn memory_grow(&mut self, index: MemIdx) -> Result<()> {
        let address = self.memory(index)?.val();
        self.pop(address)?;
        self.push(address);
        Ok(())
    }

    fn memory_fill(&mut self, index: MemIdx) -> Result<()> {
        let address = self.memory(index)?.val();
        self.pop_all(&[address, ValType::I32, address])
    }

    fn memory_init(&mut self, init: MemoryInit) -> Result<()> {
        let address = self.memory(init.memory)?.val();
        self.data(init.data)?;
        self.pop_all(&[address, ValType::I32, ValType::I32])
    }

    fn memory_copy(&mut self, copy: MemoryCopy) -> Result<()> {
        let (dst, src) = (self.memory(copy.dst)?, self.memory(copy.src)?);
        self.pop_all(&[dst.val(), src.val(), dst.min(src).val()])
    }

    /// Bodies come before the data section, so that only the data count section can bound the index.
    pub(super) fn data(&self, index: DataIdx) -> Result<()> {
        match self.module.data_count {
            None => Err(self.error(ErrorKind::DataCountRequired)),
            Some(count) if index.0 >= count => Err(self.unknown(IndexSpace::Data, index.0, count as usize)),
            Some(_) => Ok(()),
        }
    }

    // References.

    fn ref_null(&mut self, heap: HeapType) -> Result<()> {
        let ty = ref_to(heap).with_null();
        self.val_type(ty)?;
        self.push(ty);
        Ok(())
    }

    fn ref_is_null(&mut self) -> Result<()> {
        self.pop_ref()?;
        self.push(ValType::I32);
        Ok(())
    }

    fn ref_func(&mut self, func: FuncIdx) -> Result<()> {
        let Some(declared) = self.module.funcs.get(func.index()) else {
            return Err(self.unknown(IndexSpace::Function, func.0, self.module.funcs.len()));
        };
        if !self.is_constant && !self.cx.is_declared(func) {
            return Err(self.error(ErrorKind::UndeclaredReference { index: func.0 }));
        }
        self.push(ref_to(HeapType::Concrete(declared.ty)));
        Ok(())
    }

    fn ref_as_non_null(&mut self) -> Result<()> {
        let ty = self.pop_ref()?;
        self.push(ty.without_null());
        Ok(())
    }

    fn br_on_null(&mut self, label: LabelIdx) -> Result<()> {
        let ty = self.pop_ref()?;
        let types = self.label(label)?;
        self.pop_push_all(types.as_slice())?;
        self.push(ty.without_null());
        Ok(())
    }

    fn br_on_non_null(&mut self, label: LabelIdx) -> Result<()> {
        let ty = self.pop_ref()?;
        let types = self.label(label)?;
        let types = types.as_slice();
        let Some((last, first)) = types.split_last().filter(|(last, _)| last.is_ref()) else {
            return Err(self.error(ErrorKind::LabelArity { op: "br_on_non_null", expected: 1, found: 0 }));
        };
        if !self.matcher.val(ty.without_null(), *last) {
            let found = crate::error::Found(Some(ty.without_null()));
            return Err(self.error(ErrorKind::TypeMismatch { expected: *last, found }));
        }
        self.pop_push_all(first)
    }

    // Lanes.

    /// Checks the lane index of an instruction with a fixed effect, if it has one.
    pub(super) fn lanes(&self, instr: &Instr<'m>) -> Result<()> {
        match *instr {
            Instr::I8x16ExtractLaneS(lane)
            | Instr::I8x16ExtractLaneU(lane)
            | Instr::I8x16ReplaceLane(lane) => self.lane(lane, 16),
            Instr::I16x8ExtractLaneS(lane)
            | Instr::I16x8ExtractLaneU(lane)
            | Instr::I16x8ReplaceLane(lane) => self.lane(lane, 8),
            Instr::I32x4ExtractLane(lane)
            | Instr::I32x4ReplaceLane(lane)
            | Instr::F32x4ExtractLane(lane)
            | Instr::F32x4ReplaceLane(lane) => self.lane(lane, 4),
            Instr::I64x2ExtractLane(lane)
            | Instr::I64x2ReplaceLane(lane)
            | Instr::F64x2ExtractLane(lane)
            | Instr::F64x2ReplaceLane(lane) => self.lane(lane, 2),
            Instr::V128Load8Lane(arg) | Instr::V128Store8Lane(arg) => self.lane(arg.lane, 16),
            Instr::V128Load16Lane(arg) | Instr::V128Store16Lane(arg) => self.lane(arg.lane, 8),
            Instr::V128Load32Lane(arg) | Instr::V128Store32Lane(arg) => self.lane(arg.lane, 4),
            Instr::V128Load64Lane(arg) | Instr::V128Store64Lane(arg) => self.lane(arg.lane, 2),
            Instr::I8x16Shuffle(Lanes16(lanes)) => {
                lanes.into_iter().try_for_each(|lane| self.lane(LaneIdx(lane), 32))
            }
            _ => Ok(()),
        }
    }

    fn lane(&self, lane: LaneIdx, lanes: u8) -> Result<()> {
        if lane.0 < lanes {
            return Ok(());
        }
        Err(self.error(ErrorKind::LaneIndex { lane: lane.0, lanes }))
    }
}
