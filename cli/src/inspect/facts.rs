//! What only a walk over a module's bytes tells: the features that it uses, nesting, counts of instructions.

use wasmos_frontend::code::ElementEntry;
use wasmos_frontend::error::{Error, ErrorKind};
use wasmos_frontend::module::{Body, ConstExpr, ExternIdx, SegmentMode};
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::types::{FuncIdx, SubType};
use wasmos_frontend::{Feature, Features, Module, Result, decode_with};

/// A module and what a walk over it found.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) module: Module,
    /// Instructions in bodies, each `end` included.
    pub(crate) instructions: u64,
    /// Deepest nesting of blocks; a function's own frame is left out.
    pub(crate) max_depth: u32,
    /// The function with the longest body and that body's length in bytes; of several the first.
    pub(crate) biggest_body: Option<(FuncIdx, u32)>,
    /// How many bodies hold something that cannot be read; the figures above leave those out.
    pub(crate) n_unreadable: u32,
    /// The first of them, and what it is refused for.
    pub(crate) unreadable: Option<(FuncIdx, Error)>,
}

impl Facts {
    /// Decodes a module and walks over it.
    ///
    /// # Errors
    /// What decoding refuses.
    pub(crate) fn of(bytes: Vec<u8>) -> Result<Self> {
        let module = decode_minimal(bytes)?;
        let mut facts = Self {
            biggest_body: biggest_body(&module),
            module,
            instructions: 0,
            max_depth: 0,
            n_unreadable: 0,
            unreadable: None,
        };
        facts.const_exprs();
        for position in 0..facts.module.bodies.len() {
            facts.body(position);
        }
        facts.module_rules();
        Ok(facts)
    }

    /// The features that the module uses: the smallest set with which it is accepted, if it is at all.
    pub(crate) fn features_beyond_mvp(&self) -> impl Iterator<Item = Feature> {
        self.module.features.iter().filter(|feature| *feature != Feature::Mvp)
    }

    /// Length of all bodies together.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.module.bodies.iter().map(|body| u64::from(body.0.len_bytes())).sum()
    }

    /// Walks over a body, again from its start for each feature that its immediates turn out to need.
    fn body(&mut self, position: usize) {
        let Some(body) = self.module.bodies.get(position).copied() else { return };
        loop {
            match Walk::of_body(&self.module, body) {
                Ok(walk) => {
                    self.module.features = walk.features;
                    self.instructions += walk.instructions;
                    self.max_depth = self.max_depth.max(walk.max_depth);
                    return;
                }
                Err(error) => {
                    if !allow(&mut self.module.features, &error) {
                        self.n_unreadable += 1;
                        self.unreadable.get_or_insert((self.module.defined_func(position), error));
                        return;
                    }
                }
            }
        }
    }

    /// What constant expressions use that the sections do not show.
    fn const_exprs(&mut self) {
        let module = &self.module;
        let mut features = module.features;
        let globals = module.globals.iter().filter_map(|global| global.init);
        let tables = module.tables.iter().filter_map(|table| table.init);
        let elements = module.elements.iter().filter_map(|segment| offset_of(&segment.mode));
        let data = module.data.iter().filter_map(|segment| offset_of(&segment.mode));
        for expr in globals.chain(tables).chain(elements).chain(data) {
            const_expr(module, expr, &mut features);
        }
        for entry in module.elements.iter().flat_map(|segment| module.element_entries(segment)) {
            if let ElementEntry::Expr(expr) = entry {
                const_expr(module, expr, &mut features);
            }
        }
        self.module.features = features;
    }

    /// What only validation looks at.
    fn module_rules(&mut self) {
        let module = &mut self.module;
        let exports_mutable = module.exports.iter().any(|export| match export.item {
            ExternIdx::Global(index) => {
                module.globals.get(index.index()).is_some_and(|global| global.ty.mutable)
            }
            _ => false,
        });
        for (is_used, feature) in [
            (module.types.iter().enumerate().any(is_recursive), Feature::Gc),
            (exports_mutable, Feature::MutableGlobal),
            (module.memories.len() > 1, Feature::MultiMemory),
            (module.tables.len() > 1, Feature::ReferenceTypes),
        ] {
            if is_used {
                module.features.insert(feature);
            }
        }
    }
}

/// Returns whether a function type refers to itself or to a later type, which takes a recursive group.
fn is_recursive((index, ty): (usize, &SubType)) -> bool {
    let types = ty.func().into_iter().flat_map(|func| func.params().iter().chain(func.results()));
    types.filter_map(|ty| ty.concrete()).any(|wanted| wanted.index() >= index)
}

/// Decodes a module with no feature but those that it turns out to need, so that the frontend, which knows what
/// needs which, is the only one to know.
fn decode_minimal(bytes: Vec<u8>) -> Result<Module> {
    let mut features = Features::mvp();
    loop {
        match decode_with(bytes.as_slice(), features) {
            Err(error) if allow(&mut features, &error) => {}
            result => return result,
        }
    }
}

/// Adds the feature that `error` asks for; `false` if it asks for none that is missing.
fn allow(features: &mut Features, error: &Error) -> bool {
    match error.kind {
        ErrorKind::FeatureDisabled(feature) if !features.contains(feature) => {
            features.insert(feature);
            true
        }
        _ => false,
    }
}

const fn offset_of<Target: Copy>(mode: &SegmentMode<Target>) -> Option<ConstExpr> {
    match mode {
        SegmentMode::Active { offset, .. } => Some(*offset),
        _ => None,
    }
}

/// Adds what an expression uses. Arithmetic came with extended-const; reading a global that the module defines, with gc.
fn const_expr(module: &Module, expr: ConstExpr, features: &mut Features) {
    let mut instrs = module.const_expr(expr);
    while let Ok(Some((_, instr))) = instrs.try_next() {
        features.insert(instr.op().info().feature);
        match instr {
            Instr::I32Add | Instr::I32Sub | Instr::I32Mul | Instr::I64Add | Instr::I64Sub | Instr::I64Mul => {
                features.insert(Feature::ExtendedConst);
            }
            Instr::GlobalGet(index) if index.0 >= module.n_imported_globals => features.insert(Feature::Gc),
            _ => {}
        }
    }
}

fn biggest_body(module: &Module) -> Option<(FuncIdx, u32)> {
    let bodies = module.bodies.iter().enumerate();
    // `max_by_key` gives the last of several, hence from the back.
    let (position, body) = bodies.rev().max_by_key(|(_, body)| body.0.len_bytes())?;
    Some((module.defined_func(position), body.0.len_bytes()))
}

/// What a walk over one body found.
struct Walk {
    features: Features,
    instructions: u64,
    max_depth: u32,
}

impl Walk {
    fn of_body(module: &Module, body: Body) -> Result<Self> {
        let mut walk = Self { features: module.features, instructions: 0, max_depth: 0 };
        let mut depth = 0_u32;
        let (_, mut instrs) = module.code(body)?;
        while let Some((_, instr)) = instrs.try_next()? {
            walk.instructions += 1;
            walk.features.insert(instr.op().info().feature);
            match instr {
                Instr::Block(_) | Instr::Loop(_) | Instr::If(_) | Instr::Try(_) | Instr::TryTable(_) => {
                    depth += 1;
                    walk.max_depth = walk.max_depth.max(depth);
                }
                Instr::End | Instr::Delegate(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(walk)
    }
}

#[cfg(test)]
mod tests {
    use wasmos_frontend::validate;

    use super::*;
    use crate::suite;

    fn facts(text: &str) -> Facts {
        Facts::of(crate::input::assemble(text).expect("the text is well-formed"))
            .expect("the module is well-formed")
    }

    /// The second witness: what the walk finds is what decoder and validator ask for, no more and no less.
    #[test]
    fn the_features_of_a_module_suffice_and_each_is_needed() {
        let modules = suite::modules();
        assert!(modules.len() > 3000, "the suite has {} valid modules", modules.len());
        let mut failures = Vec::new();
        for suite::SuiteModule { name, bytes, .. } in modules {
            let facts = Facts::of(bytes.clone()).expect("the suite's modules are well-formed");
            let accepts = |features| decode_with(bytes.as_slice(), features).and_then(validate);
            if let Err(error) = accepts(facts.module.features) {
                failures.push(format!("{name}: {error}"));
            }
            for feature in facts.features_beyond_mvp() {
                let mut fewer = facts.module.features;
                fewer.remove(feature);
                if accepts(fewer).is_ok() {
                    failures.push(format!("{name} does not need {feature}"));
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn nesting_leaves_out_the_frame_of_the_function() {
        assert_eq!(facts("(module (func))").max_depth, 0);
        assert_eq!(facts("(module (func block loop end end block end))").max_depth, 2);
        assert_eq!(facts("(module (func try block end catch_all end) (func))").max_depth, 2);
        assert_eq!(facts("(module (func try try delegate 0 try delegate 0 end))").max_depth, 2);
    }

    #[test]
    fn the_biggest_body_is_the_first_of_the_longest() {
        assert_eq!(facts("(module)").biggest_body, None);
        let facts = facts("(module (import \"\" \"\" (func)) (func) (func nop) (func nop) (func))");
        assert_eq!(facts.biggest_body, Some((FuncIdx(2), 3)));
        assert_eq!((facts.instructions, facts.body_bytes()), (6, 10));
    }

    #[test]
    fn a_body_that_cannot_be_read_is_counted_and_left_out() {
        // Two bodies: the first has an opcode that there is none of behind a block.
        let bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x03\x02\0\0\
                      \x0a\x0a\x02\x05\0\x02\x40\xff\x0b\x02\0\x0b";
        let facts = Facts::of(bytes.to_vec()).expect("the sections are well-formed");
        assert_eq!((facts.n_unreadable, facts.instructions, facts.max_depth), (1, 1, 0));
        assert_eq!(facts.unreadable.map(|(func, error)| (func, error.offset)), Some((FuncIdx(0), 26)));
    }
}
