//! Types of many modules in one space, where equal types have one index: what linking and indirect calls compare.
//!
//! Source: core 3.0, "Type Equivalence": recursive groups are equal as wholes, member by member.

use std::collections::HashMap;

use crate::limits;
use crate::types::{CompositeType, FieldType, FuncType, StorageType, SubType, TypeIdx, ValType};
use crate::validate::LazyModule;
use crate::validate::types::{CanonicalTypes, Matcher};

/// The types of all modules of an engine. Indices in its types refer to the registry itself.
#[derive(Debug, Default)]
pub struct TypeRegistry {
    types: Vec<SubType>,
    /// By key of a recursive group: the index of its first type.
    groups: HashMap<Box<[u32]>, TypeIdx>,
    /// Every type is the only one of its kind, so that none is mapped to another.
    identity: CanonicalTypes,
}

/// The registry holds as many types as an index can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many types in one engine: the limit is {}", limits::TYPES)]
pub struct RegistryFull;

impl TypeRegistry {
    /// Adds a module's types and returns the registry's index of each.
    ///
    /// # Errors
    /// [`RegistryFull`].
    pub fn register(&mut self, module: &LazyModule) -> Result<Box<[TypeIdx]>, RegistryFull> {
        let mut mapping = Vec::with_capacity(module.types.len());
        let mut start = 0_usize;
        for end in module.rec_group_ends.iter().map(|end| *end as usize) {
            let group = module.types.get(start..end).unwrap_or(&[]);
            mapping = self.register_group(group, start, mapping)?;
            start = end;
        }
        Ok(mapping.into())
    }

    /// Adds a function type whose types are numbers, vectors and abstract references, and returns its index.
    ///
    /// # Errors
    /// [`RegistryFull`].
    pub fn register_func(&mut self, ty: FuncType) -> Result<TypeIdx, RegistryFull> {
        let ty = SubType { is_final: true, supertype: None, composite: CompositeType::Func(ty), offset: 0 };
        let mapping = self.register_group(&[ty], 0, Vec::new())?;
        Ok(mapping.first().copied().unwrap_or(TypeIdx(0)))
    }

    /// Adds a group that begins at `start` in a space whose earlier types `mapping` maps to the registry's.
    fn register_group(
        &mut self,
        group: &[SubType],
        start: usize,
        mapping: Vec<TypeIdx>,
    ) -> Result<Vec<TypeIdx>, RegistryFull> {
        let types = CanonicalTypes::mapping(mapping);
        let mut key = Vec::new();
        types.write_group_key(group, start, &mut key);
        let mut mapping = types.into_mapping();
        let known = self.groups.get(key.as_slice()).copied();
        let first = known.unwrap_or(TypeIdx(u32::try_from(self.types.len()).unwrap_or(u32::MAX)));
        mapping.extend((first.0..).take(group.len()).map(TypeIdx));
        if known.is_none() {
            if self.types.len() + group.len() > limits::TYPES as usize {
                return Err(RegistryFull);
            }
            self.types.extend(group.iter().map(|ty| mapped(ty, &mapping)));
            self.groups.insert(key.into(), first);
        }
        Ok(mapping)
    }

    /// Returns a type.
    #[must_use]
    pub fn get(&self, index: TypeIdx) -> Option<&SubType> {
        self.types.get(index.index())
    }

    /// Returns whether a value of type `sub` may stand where `sup` is expected; both are types of the registry.
    #[must_use]
    pub fn matches(&self, sub: ValType, sup: ValType) -> bool {
        self.matcher().val(sub, sup)
    }

    /// Returns whether the type at `sub` is the one at `sup` or extends it.
    #[must_use]
    pub fn extends(&self, sub: TypeIdx, sup: TypeIdx) -> bool {
        self.matcher().extends(sub, sup)
    }

    const fn matcher(&self) -> Matcher<'_> {
        Matcher { types: self.types.as_slice(), canonical: &self.identity }
    }
}

/// Returns a module's value type as one of the registry.
#[must_use]
pub fn map_val(ty: ValType, mapping: &[TypeIdx]) -> ValType {
    match (ty.as_ref_type(), ty.concrete().and_then(|index| mapping.get(index.index()))) {
        (Some(mut reference), Some(index)) => {
            reference.heap = crate::types::HeapType::Concrete(*index);
            ValType::reference(reference)
        }
        _ => ty,
    }
}

fn map_field(field: FieldType, mapping: &[TypeIdx]) -> FieldType {
    let storage = field.storage.as_val().map_or(field.storage, |ty| StorageType::val(map_val(ty, mapping)));
    FieldType { storage, ..field }
}

fn mapped(ty: &SubType, mapping: &[TypeIdx]) -> SubType {
    let map_all = |types: &[ValType]| types.iter().map(|ty| map_val(*ty, mapping)).collect::<Vec<_>>();
    let composite = match &ty.composite {
        CompositeType::Func(func) => {
            CompositeType::Func(FuncType::new(&map_all(func.params()), &map_all(func.results())))
        }
        CompositeType::Struct(fields) => {
            CompositeType::Struct(fields.iter().map(|field| map_field(*field, mapping)).collect())
        }
        CompositeType::Array(element) => CompositeType::Array(map_field(*element, mapping)),
    };
    let supertype = ty.supertype.and_then(|index| mapping.get(index.index())).copied();
    SubType { is_final: ty.is_final, supertype, composite, offset: ty.offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(type (func (param i32)))` and, if `second`, `(type (func (result i64)))` before it.
    fn module(second: bool) -> crate::ValidModule {
        let types: &[u8] =
            if second { &[2, 0x60, 0, 1, 0x7e, 0x60, 1, 0x7f, 0] } else { &[1, 0x60, 1, 0x7f, 0] };
        let mut bytes = b"\0asm\x01\0\0\0\x01".to_vec();
        bytes.push(u8::try_from(types.len()).unwrap());
        bytes.extend(types);
        crate::decode(bytes).and_then(crate::validate).unwrap()
    }

    #[test]
    fn equal_types_of_two_modules_have_one_index() {
        let mut registry = TypeRegistry::default();
        let first = registry.register(&module(false)).unwrap();
        let second = registry.register(&module(true)).unwrap();
        assert_eq!(first[0], second[1]);
        assert_ne!(second[0], second[1]);
        let host = registry.register_func(FuncType::new(&[ValType::I32], &[])).unwrap();
        assert_eq!(host, first[0]);
        assert!(registry.extends(host, first[0]) && !registry.extends(second[0], first[0]));
    }
}
