//! Structures, arrays, casts and i31.
//!
//! Source: core 3.0, "Aggregate Reference Instructions" of validation.

use crate::error::{ErrorKind, Found, IndexSpace, Result};
use crate::instr::{ArrayCopy, ArrayData, ArrayElem, ArrayNewFixed, BrOnCast, StructField};
use crate::opcode::Instr;
use crate::types::{CompositeType, FieldType, HeapType, StorageType, TypeIdx, ValType};
use crate::validate::func::FuncValidator;
use crate::validate::special::ref_to;

/// How a field or element is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Whole,
    Extended,
}

impl<'m> FuncValidator<'m> {
    /// Applies an instruction on structures, arrays, casts or i31.
    pub(super) fn gc(&mut self, instr: &Instr<'m>) -> Result<()> {
        match *instr {
            Instr::RefEq => self.ref_eq(),
            Instr::RefTest(heap) | Instr::RefTestNull(heap) => self.ref_test(heap),
            Instr::RefCast(heap) => self.ref_cast(ref_to(heap)),
            Instr::RefCastNull(heap) => self.ref_cast(ref_to(heap).with_null()),
            Instr::BrOnCast(cast) => self.br_on_cast(cast),
            Instr::BrOnCastFail(cast) => self.br_on_cast_fail(cast),
            Instr::AnyConvertExtern => self.convert(ValType::EXTERNREF, ValType::ANYREF),
            Instr::ExternConvertAny => self.convert(ValType::ANYREF, ValType::EXTERNREF),
            Instr::RefI31 => self.replace(ValType::I32, ValType::I31REF.without_null()),
            Instr::I31GetS | Instr::I31GetU => self.replace(ValType::I31REF, ValType::I32),

            Instr::StructNew(ty) => self.struct_new(ty),
            Instr::StructNewDefault(ty) => self.struct_new_default(ty),
            Instr::StructGet(field) => self.struct_get(field, Access::Whole),
            Instr::StructGetS(field) | Instr::StructGetU(field) => self.struct_get(field, Access::Extended),
            Instr::StructSet(field) => self.struct_set(field),

            Instr::ArrayNew(ty) => self.array_new(ty),
            Instr::ArrayNewDefault(ty) => self.array_new_default(ty),
            Instr::ArrayNewFixed(fixed) => self.array_new_fixed(fixed),
            Instr::ArrayNewData(data) => self.array_new_data(data),
            Instr::ArrayNewElem(elem) => self.array_new_elem(elem),
            Instr::ArrayGet(ty) => self.array_get(ty, Access::Whole),
            Instr::ArrayGetS(ty) | Instr::ArrayGetU(ty) => self.array_get(ty, Access::Extended),
            Instr::ArraySet(ty) => self.array_set(ty),
            Instr::ArrayLen => self.replace(ValType::ARRAYREF, ValType::I32),
            Instr::ArrayFill(ty) => self.array_fill(ty),
            Instr::ArrayCopy(copy) => self.array_copy(copy),
            Instr::ArrayInitData(data) => self.array_init_data(data),
            Instr::ArrayInitElem(elem) => self.array_init_elem(elem),

            other => unreachable!("`{other}` has a fixed effect or is applied elsewhere"),
        }
    }

    fn replace(&mut self, taken: ValType, left: ValType) -> Result<()> {
        self.pop(taken)?;
        self.push(left);
        Ok(())
    }

    fn composite(&self, index: TypeIdx) -> Result<&'m CompositeType> {
        match self.matcher.get(index) {
            Some(ty) => Ok(&ty.composite),
            None => Err(self.unknown(IndexSpace::Type, index.0, self.module.types.len())),
        }
    }

    fn fields(&self, index: TypeIdx) -> Result<&'m [FieldType]> {
        match self.composite(index)? {
            CompositeType::Struct(fields) => Ok(fields),
            _ => Err(self.error(ErrorKind::WrongCompositeType { index: index.0, wanted: "structure" })),
        }
    }

    fn array(&self, index: TypeIdx) -> Result<FieldType> {
        match self.composite(index)? {
            CompositeType::Array(element) => Ok(*element),
            _ => Err(self.error(ErrorKind::WrongCompositeType { index: index.0, wanted: "array" })),
        }
    }

    fn mutable_array(&self, index: TypeIdx) -> Result<StorageType> {
        let element = self.array(index)?;
        if element.mutable {
            return Ok(element.storage);
        }
        Err(self.error(ErrorKind::ImmutableArray { index: index.0 }))
    }

    fn defaultable(&self, index: TypeIdx) -> Result<()> {
        if self.cx.types.is_defaultable(index) {
            return Ok(());
        }
        Err(self.error(ErrorKind::NotDefaultable { index: index.0 }))
    }

    fn packed_access(&self, storage: StorageType, access: Access) -> Result<ValType> {
        if storage.is_packed() == (access == Access::Extended) {
            return Ok(storage.unpacked());
        }
        Err(self.error(ErrorKind::PackedAccess))
    }

    // References and casts.

    fn ref_eq(&mut self) -> Result<()> {
        self.pop_all(&[ValType::EQREF, ValType::EQREF])?;
        self.push(ValType::I32);
        Ok(())
    }

    /// Takes the operand of a cast: any reference of the same hierarchy.
    fn cast_operand(&mut self, heap: HeapType) -> Result<()> {
        self.val_type(ref_to(heap))?;
        let top = self.matcher.top(heap);
        self.pop(ref_to(top).with_null())
    }

    fn ref_test(&mut self, heap: HeapType) -> Result<()> {
        self.cast_operand(heap)?;
        self.push(ValType::I32);
        Ok(())
    }

    fn ref_cast(&mut self, to: ValType) -> Result<()> {
        if let Some(ty) = to.as_ref_type() {
            self.cast_operand(ty.heap)?;
        }
        self.push(to);
        Ok(())
    }

    /// Checks a branch on a cast whose label must end with `taken` and which otherwise leaves `left`.
    fn br_on(&mut self, cast: BrOnCast, taken: ValType, left: ValType) -> Result<()> {
        self.val_type(cast.from)?;
        self.val_type(cast.to)?;
        if !self.matcher.val(cast.to, cast.from) {
            return Err(self.error(ErrorKind::CastMismatch { expected: cast.from, found: cast.to }));
        }
        self.pop(cast.from)?;
        let label = self.label(cast.label)?;
        let label = label.as_slice();
        let Some((last, first)) = label.split_last() else {
            return Err(self.error(ErrorKind::LabelArity { op: "br_on_cast", expected: 1, found: 0 }));
        };
        if !self.matcher.val(taken, *last) {
            return Err(self.error(ErrorKind::TypeMismatch { expected: *last, found: Found(Some(taken)) }));
        }
        self.pop_push_all(first)?;
        self.push(left);
        Ok(())
    }

    fn br_on_cast(&mut self, cast: BrOnCast) -> Result<()> {
        self.br_on(cast, cast.to, difference(cast))
    }

    fn br_on_cast_fail(&mut self, cast: BrOnCast) -> Result<()> {
        self.br_on(cast, difference(cast), cast.to)
    }

    /// The conversions keep whether null is among the values.
    fn convert(&mut self, from: ValType, to: ValType) -> Result<()> {
        let found = self.pop_ref()?;
        if !self.matcher.val(found, from) {
            return Err(self.error(ErrorKind::TypeMismatch { expected: from, found: Found(Some(found)) }));
        }
        let nullable = found != ValType::BOTTOM && found.is_defaultable();
        self.push(if nullable { to } else { to.without_null() });
        Ok(())
    }

    // Structures.

    fn struct_new(&mut self, ty: TypeIdx) -> Result<()> {
        let fields = self.fields(ty)?;
        self.pop_each(fields.iter().rev().map(|field| field.storage.unpacked()))?;
        self.push(ref_to(HeapType::Concrete(ty)));
        Ok(())
    }

    fn struct_new_default(&mut self, ty: TypeIdx) -> Result<()> {
        self.fields(ty)?;
        self.defaultable(ty)?;
        self.push(ref_to(HeapType::Concrete(ty)));
        Ok(())
    }

    fn field(&self, field: StructField) -> Result<FieldType> {
        let fields = self.fields(field.ty)?;
        match fields.get(field.field.index()) {
            Some(ty) => Ok(*ty),
            None => Err(self.unknown(IndexSpace::Field, field.field.0, fields.len())),
        }
    }

    fn struct_get(&mut self, field: StructField, access: Access) -> Result<()> {
        let ty = self.packed_access(self.field(field)?.storage, access)?;
        self.replace(ref_to(HeapType::Concrete(field.ty)).with_null(), ty)
    }

    fn struct_set(&mut self, field: StructField) -> Result<()> {
        let ty = self.field(field)?;
        if !ty.mutable {
            return Err(self.error(ErrorKind::ImmutableField { index: field.ty.0, field: field.field.0 }));
        }
        self.pop_all(&[ref_to(HeapType::Concrete(field.ty)).with_null(), ty.storage.unpacked()])
    }

    // Arrays.

    fn array_new(&mut self, ty: TypeIdx) -> Result<()> {
        let element = self.array(ty)?;
        self.pop_all(&[element.storage.unpacked(), ValType::I32])?;
        self.push(ref_to(HeapType::Concrete(ty)));
        Ok(())
    }

    fn array_new_default(&mut self, ty: TypeIdx) -> Result<()> {
        self.array(ty)?;
        self.defaultable(ty)?;
        self.replace(ValType::I32, ref_to(HeapType::Concrete(ty)))
    }

    fn array_new_fixed(&mut self, fixed: ArrayNewFixed) -> Result<()> {
        let element = self.array(fixed.ty)?.storage.unpacked();
        self.pop_each((0..fixed.len.0).map(|_| element))?;
        self.push(ref_to(HeapType::Concrete(fixed.ty)));
        Ok(())
    }

    /// Bytes of a data segment can become numbers and vectors, never references.
    fn numeric_element(&self, storage: StorageType) -> Result<()> {
        if storage.unpacked().is_ref() {
            let wanted = "a number or a vector";
            return Err(self.error(ErrorKind::ArrayElement { found: storage, wanted }));
        }
        Ok(())
    }

    fn segment_element(&self, elem: ArrayElem, storage: StorageType) -> Result<()> {
        let segment = self.element(elem.elem)?;
        if !self.matcher.storage(StorageType::val(segment.ty), storage) {
            let wanted = "a supertype of the segment's entries";
            return Err(self.error(ErrorKind::ArrayElement { found: storage, wanted }));
        }
        Ok(())
    }

    fn array_new_data(&mut self, data: ArrayData) -> Result<()> {
        self.numeric_element(self.array(data.ty)?.storage)?;
        self.data(data.data)?;
        self.pop_all(&[ValType::I32, ValType::I32])?;
        self.push(ref_to(HeapType::Concrete(data.ty)));
        Ok(())
    }

    fn array_new_elem(&mut self, elem: ArrayElem) -> Result<()> {
        self.segment_element(elem, self.array(elem.ty)?.storage)?;
        self.pop_all(&[ValType::I32, ValType::I32])?;
        self.push(ref_to(HeapType::Concrete(elem.ty)));
        Ok(())
    }

    fn array_get(&mut self, ty: TypeIdx, access: Access) -> Result<()> {
        let element = self.packed_access(self.array(ty)?.storage, access)?;
        self.pop_all(&[ref_to(HeapType::Concrete(ty)).with_null(), ValType::I32])?;
        self.push(element);
        Ok(())
    }

    fn array_set(&mut self, ty: TypeIdx) -> Result<()> {
        let element = self.mutable_array(ty)?.unpacked();
        self.pop_all(&[ref_to(HeapType::Concrete(ty)).with_null(), ValType::I32, element])
    }

    fn array_fill(&mut self, ty: TypeIdx) -> Result<()> {
        let element = self.mutable_array(ty)?.unpacked();
        self.pop_all(&[ref_to(HeapType::Concrete(ty)).with_null(), ValType::I32, element, ValType::I32])
    }

    fn array_copy(&mut self, copy: ArrayCopy) -> Result<()> {
        let (dst, src) = (self.mutable_array(copy.dst)?, self.array(copy.src)?.storage);
        if !self.matcher.storage(src, dst) {
            let wanted = "an element type that matches the destination's";
            return Err(self.error(ErrorKind::ArrayElement { found: src, wanted }));
        }
        let [dst, src] = [copy.dst, copy.src].map(|ty| ref_to(HeapType::Concrete(ty)).with_null());
        self.pop_all(&[dst, ValType::I32, src, ValType::I32, ValType::I32])
    }

    fn array_init(&mut self, ty: TypeIdx) -> Result<()> {
        let array = ref_to(HeapType::Concrete(ty)).with_null();
        self.pop_all(&[array, ValType::I32, ValType::I32, ValType::I32])
    }

    fn array_init_data(&mut self, data: ArrayData) -> Result<()> {
        self.numeric_element(self.mutable_array(data.ty)?)?;
        self.data(data.data)?;
        self.array_init(data.ty)
    }

    fn array_init_elem(&mut self, elem: ArrayElem) -> Result<()> {
        self.segment_element(elem, self.mutable_array(elem.ty)?)?;
        self.array_init(elem.ty)
    }
}

/// The type of what a cast leaves behind: without null if the target takes null.
fn difference(cast: BrOnCast) -> ValType {
    if cast.to.is_defaultable() { cast.from.without_null() } else { cast.from }
}
