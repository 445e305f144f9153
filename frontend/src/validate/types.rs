//! The type section: canonical equality of recursive groups, subtyping, and when one type matches another.
//!
//! Source: core 3.0, "Types" and "Matching" of validation; canonical indices as in the appendix "Implementation".

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, IndexSpace, Result};
use crate::features::{Feature, Features};
use crate::limits;
use crate::module::{Module, SectionId};
use crate::types::{CompositeType, FieldType, FuncType, HeapType, StorageType, SubType, TypeIdx, ValType};

/// Which types of a module are equal, and which extend which.
#[derive(Debug, Default)]
pub(crate) struct CanonicalTypes {
    /// By type: the first type of the module that is equal to it.
    canonical: Vec<TypeIdx>,
    /// By type: whether all its fields have a default value.
    defaultable: Vec<bool>,
    /// By type: its place in the hierarchy; empty for a space whose hierarchy is not known here.
    lineage: Vec<Lineage>,
}

/// A place in the hierarchy, with a shortcut, so that an ancestor is found in a logarithm of the depth.
///
/// Source: Myers, "An applicative random-access stack" (1983).
#[derive(Clone, Copy, Debug)]
struct Lineage {
    /// How many supertypes it has above it.
    depth: u32,
    /// The type that it extends; itself at the top.
    parent: TypeIdx,
    /// Some ancestor further up; itself at the top.
    jump: TypeIdx,
}

/// Marks, in a group's key, a reference to a member of the same group. Indices stay below 2^20.
const MEMBER: u32 = 0x40_0000;

impl CanonicalTypes {
    /// Checks the type section, group by group, in linear time.
    pub(crate) fn build(module: &Module) -> Result<Self> {
        let mut types = Self {
            canonical: Vec::with_capacity(module.types.len()),
            defaultable: module.types.iter().map(is_defaultable).collect(),
            lineage: Vec::with_capacity(module.types.len()),
        };
        let mut groups: HashMap<Box<[u32]>, TypeIdx> = HashMap::new();
        let mut key = Vec::new();
        let mut start = 0_usize;
        for end in module.rec_group_ends.iter().map(|end| *end as usize) {
            let group = module.types.get(start..end).unwrap_or(&[]);
            for (member, ty) in group.iter().enumerate() {
                check_references(module.features, ty, start + member, end)?;
            }
            types.write_group_key(group, start, &mut key);
            let first = groups.get(key.as_slice()).copied();
            let first = first.unwrap_or_else(|| {
                let first = type_idx(start);
                groups.insert(key.as_slice().into(), first);
                first
            });
            types.canonical.extend((first.0..).take(group.len()).map(TypeIdx));
            // The whole group's lineage first: its members may refer to later ones.
            for ty in group {
                types.push_lineage(module, ty)?;
            }
            for (member, ty) in group.iter().enumerate() {
                types.check_supertype(module, ty, start + member)?;
            }
            start = end;
        }
        Ok(types)
    }

    /// Returns the first type of the module that is equal to the one at `index`.
    #[inline]
    pub(crate) fn canonical(&self, index: TypeIdx) -> TypeIdx {
        self.canonical.get(index.index()).copied().unwrap_or(index)
    }

    /// Returns whether all fields of a structure, or the elements of an array, have a default value. It is looked up,
    /// since two bytes of code may ask for ten thousand fields.
    #[inline]
    pub(crate) fn is_defaultable(&self, index: TypeIdx) -> bool {
        self.defaultable.get(index.index()).is_some_and(|defaultable| *defaultable)
    }

    /// Makes the map from a module's types to those of another space, e.g. of all modules of an engine.
    pub(crate) const fn mapping(canonical: Vec<TypeIdx>) -> Self {
        Self { canonical, defaultable: Vec::new(), lineage: Vec::new() }
    }

    /// Returns the map back.
    pub(crate) fn into_mapping(self) -> Vec<TypeIdx> {
        self.canonical
    }

    /// Writes what identifies a recursive group that begins at `start`: equal sequences mean equal groups.
    pub(crate) fn write_group_key(&self, group: &[SubType], start: usize, key: &mut Vec<u32>) {
        key.clear();
        key.push(u32::try_from(group.len()).unwrap_or(u32::MAX));
        group.iter().for_each(|ty| self.write_key(ty, start, key));
    }

    fn write_key(&self, ty: &SubType, start: usize, key: &mut Vec<u32>) {
        key.push(u32::from(ty.is_final));
        key.push(ty.supertype.map_or(u32::MAX, |index| self.key_index(index, start)));
        match &ty.composite {
            CompositeType::Func(func) => {
                key.extend([0, len32(func.params()), len32(func.results())]);
                key.extend(func.params().iter().chain(func.results()).map(|ty| self.key_val(*ty, start)));
            }
            CompositeType::Struct(fields) => {
                key.extend([1, len32(fields)]);
                fields.iter().for_each(|field| self.write_field(*field, start, key));
            }
            CompositeType::Array(element) => {
                key.push(2);
                self.write_field(*element, start, key);
            }
        }
    }

    fn write_field(&self, field: FieldType, start: usize, key: &mut Vec<u32>) {
        let packed = if field.storage == StorageType::I8 { 1 } else { 2 };
        key.push(u32::from(field.mutable));
        key.push(field.storage.as_val().map_or(packed, |ty| self.key_val(ty, start)));
    }

    fn key_val(&self, ty: ValType, start: usize) -> u32 {
        match ty.concrete() {
            Some(index) => self.key_index(index, start) << 8 | ty.bits() & 0xff,
            None => ty.bits(),
        }
    }

    fn key_index(&self, index: TypeIdx, start: usize) -> u32 {
        match index.index().checked_sub(start) {
            Some(member) => MEMBER | u32::try_from(member).unwrap_or(u32::MAX),
            None => self.canonical(index).0,
        }
    }

    fn push_lineage(&mut self, module: &Module, ty: &SubType) -> Result<()> {
        let index = len32(&self.lineage);
        let own = TypeIdx(index);
        let Some(parent) = ty.supertype else {
            self.lineage.push(Lineage { depth: 0, parent: own, jump: own });
            return Ok(());
        };
        let (Some(super_type), Some(above)) = (module.types.get(parent.index()), self.lineage(parent)) else {
            return Err(type_error(
                ty,
                ErrorKind::UnknownIndex { space: IndexSpace::Type, index: parent.0, len: index },
            ));
        };
        if super_type.is_final {
            return Err(type_error(ty, ErrorKind::FinalSupertype { index, super_index: parent.0 }));
        }
        let depth = above.depth + 1;
        if depth > limits::SUBTYPING_DEPTH {
            let (count, limit) = (depth.into(), limits::SUBTYPING_DEPTH.into());
            return Err(type_error(ty, ErrorKind::TooMany { what: "supertypes in a chain", count, limit }));
        }
        let depth_of = |index| self.lineage(index).map_or(0, |lineage| lineage.depth);
        let further = self.lineage(above.jump).map_or(above.jump, |lineage| lineage.jump);
        let is_even = above.depth - depth_of(above.jump) == depth_of(above.jump) - depth_of(further);
        let jump = if is_even { further } else { parent };
        self.lineage.push(Lineage { depth, parent, jump });
        Ok(())
    }

    fn lineage(&self, index: TypeIdx) -> Option<Lineage> {
        self.lineage.get(index.index()).copied()
    }

    /// Returns the ancestor of `index`, or itself, that stands as deep as `of`; `None` if none does, or if the hierarchy
    /// is not known here.
    fn ancestor_as_deep(&self, index: TypeIdx, of: TypeIdx) -> Option<TypeIdx> {
        let depth = self.lineage(of)?.depth;
        let (mut at, mut lineage) = (index, self.lineage(index)?);
        while lineage.depth > depth {
            let shortcut = self.lineage(lineage.jump)?;
            at = if shortcut.depth >= depth { lineage.jump } else { lineage.parent };
            lineage = self.lineage(at)?;
        }
        (lineage.depth == depth).then_some(at)
    }

    /// Checks a type against the one that it extends.
    fn check_supertype(&self, module: &Module, ty: &SubType, index: usize) -> Result<()> {
        let Some(super_index) = ty.supertype else { return Ok(()) };
        let matcher = Matcher { types: &module.types, canonical: self };
        match module.types.get(super_index.index()) {
            Some(super_type) if matcher.composite(&ty.composite, &super_type.composite) => Ok(()),
            _ => {
                let index = type_idx(index).0;
                Err(type_error(ty, ErrorKind::SubtypeMismatch { index, super_index: super_index.0 }))
            }
        }
    }
}

fn type_error(ty: &SubType, kind: ErrorKind) -> Error {
    Error::new(kind, ty.offset as usize, SectionId::Type.context())
}

fn is_defaultable(ty: &SubType) -> bool {
    let check = |field: &FieldType| field.storage.unpacked().is_defaultable();
    match &ty.composite {
        CompositeType::Func(_) => false,
        CompositeType::Struct(fields) => fields.iter().all(check),
        CompositeType::Array(element) => check(element),
    }
}

fn type_idx(index: usize) -> TypeIdx {
    TypeIdx(u32::try_from(index).unwrap_or(u32::MAX))
}

fn len32<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

/// A type may refer to its own group and to what comes before; it extends only what comes before it. Without gc there
/// are no groups, and so a type refers only to what comes before.
fn check_references(features: Features, ty: &SubType, index: usize, group_end: usize) -> Result<()> {
    let check = |wanted: TypeIdx, len: usize| {
        let kind = if wanted.index() >= len {
            let len = u32::try_from(len).unwrap_or(u32::MAX);
            ErrorKind::UnknownIndex { space: IndexSpace::Type, index: wanted.0, len }
        } else if wanted.index() >= index && !features.contains(Feature::Gc) {
            ErrorKind::FeatureDisabled(Feature::Gc)
        } else {
            return Ok(());
        };
        Err(Error::new(kind, ty.offset as usize, SectionId::Type.context()))
    };
    if let Some(supertype) = ty.supertype {
        check(supertype, index)?;
    }
    let check_val = |ty: ValType| ty.concrete().map_or(Ok(()), |index| check(index, group_end));
    let check_field = |field: &FieldType| field.storage.as_val().map_or(Ok(()), check_val);
    match &ty.composite {
        CompositeType::Func(func) => {
            func.params().iter().chain(func.results()).try_for_each(|ty| check_val(*ty))
        }
        CompositeType::Struct(fields) => fields.iter().try_for_each(check_field),
        CompositeType::Array(element) => check_field(element),
    }
}

/// Decides whether one type matches another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matcher<'m> {
    pub(crate) types: &'m [SubType],
    pub(crate) canonical: &'m CanonicalTypes,
}

impl<'m> Matcher<'m> {
    pub(crate) fn get(self, index: TypeIdx) -> Option<&'m SubType> {
        self.types.get(index.index())
    }

    /// Returns whether the two indices stand for equal types.
    pub(crate) fn same(self, a: TypeIdx, b: TypeIdx) -> bool {
        a == b || self.canonical.canonical(a) == self.canonical.canonical(b)
    }

    /// Returns whether `sub` is `sup` or extends it.
    pub(crate) fn extends(self, sub: TypeIdx, sup: TypeIdx) -> bool {
        if self.same(sub, sup) {
            return true;
        }
        if !self.canonical.lineage.is_empty() {
            return self.canonical.ancestor_as_deep(sub, sup).is_some_and(|index| self.same(index, sup));
        }
        // A registry holds types that have been validated: at most `SUBTYPING_DEPTH` steps.
        let mut at = self.get(sub).and_then(|ty| ty.supertype);
        while let Some(index) = at {
            if self.same(index, sup) {
                return true;
            }
            at = self.get(index).and_then(|ty| ty.supertype);
        }
        false
    }

    /// Returns whether a value of type `sub` may stand where `sup` is expected.
    #[inline]
    pub(crate) fn val(self, sub: ValType, sup: ValType) -> bool {
        sub == sup || sub == ValType::BOTTOM || self.reference(sub, sup)
    }

    fn reference(self, sub: ValType, sup: ValType) -> bool {
        match (sub.as_ref_type(), sup.as_ref_type()) {
            (Some(a), Some(b)) => (b.nullable || !a.nullable) && self.heap(a.heap, b.heap),
            _ => false,
        }
    }

    /// Returns the top of the hierarchy that a heap type stands in.
    pub(crate) fn top(self, heap: HeapType) -> HeapType {
        match (heap, heap.top()) {
            (_, Some(top)) => top,
            (HeapType::Concrete(index), None) if self.get(index).is_some_and(|ty| ty.func().is_none()) => {
                HeapType::Any
            }
            _ => HeapType::Func,
        }
    }

    fn heap(self, sub: HeapType, sup: HeapType) -> bool {
        use HeapType::{
            Any, Array, Bottom, Concrete, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct,
        };
        match (sub, sup) {
            (Bottom, _) => true,
            (Concrete(a), Concrete(b)) => self.extends(a, b),
            (Concrete(a), _) => match self.get(a).map(|ty| &ty.composite) {
                Some(CompositeType::Func(_)) => sup == Func,
                Some(CompositeType::Struct(_)) => matches!(sup, Struct | Eq | Any),
                Some(CompositeType::Array(_)) => matches!(sup, Array | Eq | Any),
                Option::None => false,
            },
            (_, Concrete(b)) => match self.get(b).map(|ty| &ty.composite) {
                Some(CompositeType::Func(_)) => sub == NoFunc,
                Some(CompositeType::Struct(_) | CompositeType::Array(_)) => sub == None,
                Option::None => false,
            },
            (a, b) if a == b => true,
            (Eq | I31 | Struct | Array | None, Any) => true,
            (I31 | Struct | Array | None, Eq) => true,
            (None, I31 | Struct | Array) => true,
            (NoFunc, Func) | (NoExtern, Extern) | (NoExn, Exn) => true,
            _ => false,
        }
    }

    /// Returns whether each type of one sequence matches its counterpart.
    pub(crate) fn sequence(self, sub: &[ValType], sup: &[ValType]) -> bool {
        sub == sup || sub.len() == sup.len() && sub.iter().zip(sup).all(|(a, b)| self.val(*a, *b))
    }

    fn func(self, sub: &FuncType, sup: &FuncType) -> bool {
        self.sequence(sup.params(), sub.params()) && self.sequence(sub.results(), sup.results())
    }

    /// Returns whether a stored value of one type may be read as the other.
    pub(crate) fn storage(self, sub: StorageType, sup: StorageType) -> bool {
        match (sub.as_val(), sup.as_val()) {
            (Some(a), Some(b)) => self.val(a, b),
            _ => sub == sup,
        }
    }

    fn field(self, sub: FieldType, sup: FieldType) -> bool {
        sub.mutable == sup.mutable
            && self.storage(sub.storage, sup.storage)
            && (!sub.mutable || self.storage(sup.storage, sub.storage))
    }

    fn composite(self, sub: &CompositeType, sup: &CompositeType) -> bool {
        match (sub, sup) {
            (CompositeType::Func(a), CompositeType::Func(b)) => self.func(a, b),
            (CompositeType::Array(a), CompositeType::Array(b)) => self.field(*a, *b),
            (CompositeType::Struct(a), CompositeType::Struct(b)) => {
                a.len() >= b.len() && a.iter().zip(b.iter()).all(|(x, y)| self.field(*x, *y))
            }
            _ => false,
        }
    }
}
