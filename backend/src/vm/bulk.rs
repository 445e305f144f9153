//! Growth and bulk operations on memories and tables, once for all tiers (promise P4): bounds, then the surcharge, then
//! pieces of at most 64 KiB, between which the machine leaves.

use wasmos_abi::TrapCode;
use wasmos_frontend::types::AddressType;

use crate::vm::state::State;
use crate::vm::{InstanceId, MemoryId, TableId};

/// How far an operation has come, in bytes or elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bulk(u64);

/// Why an operation has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Trap(TrapCode),
    /// It has not begun.
    OutOfFuel,
    /// Between two pieces: it goes on when it is executed again.
    Poll,
    /// `memory.atomic.wait` is to sleep.
    Wait,
}

impl From<TrapCode> for Stop {
    fn from(trap: TrapCode) -> Self {
        Self::Trap(trap)
    }
}

type Result<T> = core::result::Result<T, Stop>;

const PIECE_BYTES: u64 = 64 * 1024;
const PIECE_ELEMENTS: u64 = PIECE_BYTES / 8;
pub(crate) const BYTES_PER_UNIT: u64 = 64;
const ELEMENTS_PER_UNIT: u64 = 8;
/// Units for each 64 KiB that a memory grows by, begun ones included.
const UNITS_PER_PAGE: u64 = 16;
const PAGE_BYTES: u64 = 64 * 1024;
/// Bytes of a table element, as the limit on memory counts them.
const ELEMENT_BYTES: u64 = 8;

/// Checks that `len` bytes or elements from `start` lie within `size`.
fn within(start: u64, len: u64, size: usize) -> bool {
    start.checked_add(len).is_some_and(|end| end <= size as u64)
}

/// Guest indices that have passed [`within`].
fn range(start: u64, len: u64) -> core::ops::Range<usize> {
    start as usize..(start + len) as usize
}

/// Where the next piece of a copy lies: forwards, or backwards where a forward copy would overwrite what it has yet to
/// read.
fn piece(done: u64, len: u64, most: u64, backwards: bool) -> (u64, u64) {
    let step = (len - done).min(most);
    (if backwards { len - done - step } else { done }, step)
}

impl State {
    /// Begins an operation, or goes on with the one that left: returns how much of it is done.
    fn begin(&mut self, bounds: bool, trap: TrapCode, units: u64) -> Result<u64> {
        if let Some(Bulk(done)) = self.bulk.take() {
            return Ok(done);
        }
        if !bounds {
            return Err(trap.into());
        }
        if !self.counter.surcharge(units) {
            return Err(Stop::OutOfFuel);
        }
        Ok(0)
    }

    fn end(&mut self, done: u64, len: u64) -> Result<u64> {
        if done < len {
            self.bulk = Some(Bulk(done));
            return Err(Stop::Poll);
        }
        Ok(0)
    }

    fn memory_id(&self, instance: InstanceId, index: u32) -> MemoryId {
        self.instance(instance).memories[index as usize]
    }

    fn table_id(&self, instance: InstanceId, index: u32) -> TableId {
        self.instance(instance).tables[index as usize]
    }

    /// Returns the bytes of a memory of an instance.
    pub(crate) fn bytes_mut(&mut self, instance: InstanceId, index: u32) -> &mut [u8] {
        let id = self.memory_id(instance, index);
        self.memories[id.index()].bytes_mut()
    }

    pub(crate) fn memory_fill(
        &mut self,
        at: InstanceId,
        memory: u32,
        [dst, value, len]: [u64; 3],
    ) -> Result<u64> {
        let size = self.bytes_mut(at, memory).len();
        let done = self.begin(within(dst, len, size), TrapCode::MemoryOutOfBounds, len / BYTES_PER_UNIT)?;
        let (from, step) = piece(done, len, PIECE_BYTES, false);
        self.bytes_mut(at, memory)[range(dst + from, step)].fill(value as u8);
        self.end(done + step, len)
    }

    pub(crate) fn memory_copy(
        &mut self,
        at: InstanceId,
        [dst_memory, src_memory]: [u32; 2],
        [dst, src, len]: [u64; 3],
    ) -> Result<u64> {
        let (to, from) = (self.memory_id(at, dst_memory).index(), self.memory_id(at, src_memory).index());
        let bounds = within(dst, len, self.memories[to].len_bytes())
            && within(src, len, self.memories[from].len_bytes());
        let done = self.begin(bounds, TrapCode::MemoryOutOfBounds, len / BYTES_PER_UNIT)?;
        let (shift, step) = piece(done, len, PIECE_BYTES, to == from && dst > src);
        let (target, source) = (range(dst + shift, step), range(src + shift, step));
        if to == from {
            self.memories[to].bytes_mut().copy_within(source, target.start);
        } else if let Ok([to, from]) = self.memories.get_disjoint_mut([to, from]) {
            to.bytes_mut()[target].copy_from_slice(&from.bytes()[source]);
        }
        self.end(done + step, len)
    }

    pub(crate) fn memory_init(
        &mut self,
        at: InstanceId,
        [data, memory]: [u32; 2],
        [dst, src, len]: [u64; 3],
    ) -> Result<u64> {
        let size = self.bytes_mut(at, memory).len();
        let bounds = within(dst, len, size) && within(src, len, self.instance(at).data(data).len());
        let done = self.begin(bounds, TrapCode::MemoryOutOfBounds, len / BYTES_PER_UNIT)?;
        let (shift, step) = piece(done, len, PIECE_BYTES, false);
        self.copy_data(at, data, memory, [dst + shift, src + shift, step]);
        self.end(done + step, len)
    }

    /// Copies from a data segment; the bounds have been checked.
    pub(crate) fn copy_data(&mut self, at: InstanceId, data: u32, memory: u32, [dst, src, len]: [u64; 3]) {
        let Self { instances, memories, .. } = self;
        let instance = &instances[at.index()];
        let target = memories[instance.memories[memory as usize].index()].bytes_mut();
        target[range(dst, len)].copy_from_slice(&instance.data(data)[range(src, len)]);
    }

    /// `memory.init` without fuel, for instantiation.
    pub(crate) fn init_memory(
        &mut self,
        at: InstanceId,
        [data, memory]: [u32; 2],
        operands: [u64; 3],
    ) -> core::result::Result<(), TrapCode> {
        let [dst, src, len] = operands;
        let size = self.bytes_mut(at, memory).len();
        if !within(dst, len, size) || !within(src, len, self.instance(at).data(data).len()) {
            return Err(TrapCode::MemoryOutOfBounds);
        }
        self.copy_data(at, data, memory, operands);
        Ok(())
    }

    /// Returns the size before, or -1, in the memory's address type.
    pub(crate) fn memory_grow(&mut self, at: InstanceId, memory: u32, delta: u64) -> Result<u64> {
        let id = self.memory_id(at, memory);
        let failed = match self.memories[id.index()].ty().address {
            AddressType::I32 => u64::from(u32::MAX),
            AddressType::I64 => u64::MAX,
        };
        let Some(bytes) = self.growth_bytes(id, delta) else { return Ok(failed) };
        let units = bytes.div_ceil(PAGE_BYTES).saturating_mul(UNITS_PER_PAGE);
        if !self.counter.surcharge(units) {
            return Err(Stop::OutOfFuel);
        }
        if let Some(before) = self.grow_memory(id, delta) {
            return Ok(before);
        }
        self.counter.take_back_surcharge(units);
        Ok(failed)
    }

    /// Returns how many bytes growing would add; `None` if memory or limits forbid it.
    fn growth_bytes(&self, id: MemoryId, delta: u64) -> Option<u64> {
        let bytes = self.memories[id.index()].growth_bytes(delta)? as u64;
        let left = self.memory_limit_bytes.saturating_sub(self.memory_bytes);
        (bytes <= left).then_some(bytes)
    }

    pub(crate) fn grow_memory(&mut self, id: MemoryId, delta: u64) -> Option<u64> {
        let bytes = self.growth_bytes(id, delta)?;
        let before = self.memories[id.index()].grow(delta)?;
        self.count_memory(bytes);
        Some(before)
    }

    pub(crate) fn table_fill(
        &mut self,
        at: InstanceId,
        table: u32,
        [dst, value, len]: [u64; 3],
    ) -> Result<u64> {
        let id = self.table_id(at, table).index();
        let bounds = within(dst, len, self.tables[id].len());
        let done = self.begin(bounds, TrapCode::TableOutOfBounds, len / ELEMENTS_PER_UNIT)?;
        let (from, step) = piece(done, len, PIECE_ELEMENTS, false);
        self.tables[id].elements_mut()[range(dst + from, step)].fill(value);
        self.end(done + step, len)
    }

    pub(crate) fn table_copy(
        &mut self,
        at: InstanceId,
        [dst_table, src_table]: [u32; 2],
        [dst, src, len]: [u64; 3],
    ) -> Result<u64> {
        let (to, from) = (self.table_id(at, dst_table).index(), self.table_id(at, src_table).index());
        let bounds = within(dst, len, self.tables[to].len()) && within(src, len, self.tables[from].len());
        let done = self.begin(bounds, TrapCode::TableOutOfBounds, len / ELEMENTS_PER_UNIT)?;
        let (shift, step) = piece(done, len, PIECE_ELEMENTS, to == from && dst > src);
        let (target, source) = (range(dst + shift, step), range(src + shift, step));
        if to == from {
            self.tables[to].elements_mut().copy_within(source, target.start);
        } else if let Ok([to, from]) = self.tables.get_disjoint_mut([to, from]) {
            to.elements_mut()[target].copy_from_slice(&from.elements()[source]);
        }
        self.end(done + step, len)
    }

    pub(crate) fn table_init(
        &mut self,
        at: InstanceId,
        [elem, table]: [u32; 2],
        [dst, src, len]: [u64; 3],
    ) -> Result<u64> {
        let size = self.tables[self.table_id(at, table).index()].len();
        let bounds = within(dst, len, size) && within(src, len, self.instance(at).elements(elem).len());
        let done = self.begin(bounds, TrapCode::TableOutOfBounds, len / ELEMENTS_PER_UNIT)?;
        let (shift, step) = piece(done, len, PIECE_ELEMENTS, false);
        self.copy_elements(at, elem, table, [dst + shift, src + shift, step]);
        self.end(done + step, len)
    }

    /// Copies from an element segment; the bounds have been checked.
    fn copy_elements(&mut self, at: InstanceId, elem: u32, table: u32, [dst, src, len]: [u64; 3]) {
        let Self { instances, tables, .. } = self;
        let instance = &instances[at.index()];
        let target = tables[instance.tables[table as usize].index()].elements_mut();
        target[range(dst, len)].copy_from_slice(&instance.elements(elem)[range(src, len)]);
    }

    /// `table.init` without fuel, for instantiation.
    pub(crate) fn init_table(
        &mut self,
        at: InstanceId,
        [elem, table]: [u32; 2],
        operands: [u64; 3],
    ) -> core::result::Result<(), TrapCode> {
        let [dst, src, len] = operands;
        let size = self.tables[self.table_id(at, table).index()].len();
        if !within(dst, len, size) || !within(src, len, self.instance(at).elements(elem).len()) {
            return Err(TrapCode::TableOutOfBounds);
        }
        self.copy_elements(at, elem, table, operands);
        Ok(())
    }

    /// Returns the size before, or -1, in the table's address type.
    pub(crate) fn table_grow(&mut self, at: InstanceId, table: u32, [init, delta]: [u64; 2]) -> Result<u64> {
        let id = self.table_id(at, table);
        let failed = match self.tables[id.index()].ty().address {
            AddressType::I32 => u64::from(u32::MAX),
            AddressType::I64 => u64::MAX,
        };
        if !self.can_grow_table(id, delta) {
            return Ok(failed);
        }
        let units = delta / ELEMENTS_PER_UNIT;
        if !self.counter.surcharge(units) {
            return Err(Stop::OutOfFuel);
        }
        if let Some(before) = self.grow_table(id, delta, init) {
            return Ok(before);
        }
        self.counter.take_back_surcharge(units);
        Ok(failed)
    }

    fn can_grow_table(&self, id: TableId, delta: u64) -> bool {
        let left = self.memory_limit_bytes.saturating_sub(self.memory_bytes);
        delta.checked_mul(ELEMENT_BYTES).is_some_and(|bytes| bytes <= left)
            && self.tables[id.index()].can_grow(delta)
    }

    pub(crate) fn grow_table(&mut self, id: TableId, delta: u64, init: u64) -> Option<u64> {
        if !self.can_grow_table(id, delta) {
            return None;
        }
        let before = self.tables[id.index()].grow(delta, init)?;
        self.count_memory(delta * ELEMENT_BYTES);
        Some(before)
    }

    pub(crate) fn count_memory(&mut self, bytes: u64) {
        self.memory_bytes = self.memory_bytes.saturating_add(bytes);
    }

    /// `elem.drop`: the only thing by which a guest uses less memory than before.
    pub(crate) fn elem_drop(&mut self, at: InstanceId, elem: u32) {
        self.memory_peak_bytes = self.memory_peak_bytes.max(self.memory_bytes);
        self.drop_elements(at, elem);
    }

    pub(crate) fn drop_data(&mut self, at: InstanceId, data: u32) {
        if let Some(dropped) = self.instances[at.index()].dropped_data.get_mut(data as usize) {
            *dropped = true;
        }
    }

    pub(crate) fn drop_elements(&mut self, at: InstanceId, elem: u32) {
        let dropped = self.instances[at.index()].elements.get_mut(elem as usize).and_then(Option::take);
        let bytes = dropped.map_or(0, |elements| elements.len() as u64 * ELEMENT_BYTES);
        self.memory_bytes = self.memory_bytes.saturating_sub(bytes);
    }

    pub(crate) fn set_elements(&mut self, at: InstanceId, elem: u32, elements: Box<[u64]>) {
        self.drop_elements(at, elem);
        let bytes = elements.len() as u64 * ELEMENT_BYTES;
        if let Some(segment) = self.instances[at.index()].elements.get_mut(elem as usize) {
            *segment = Some(elements);
            self.count_memory(bytes);
        }
    }
}
