//! Constant expressions: which instructions may stand in one, and that it leaves one value of the right type.
//!
//! Source: core 3.0, "Constant Expressions" of validation, with the extended-const and gc additions.

use crate::error::{ErrorKind, IndexSpace, Result};
use crate::features::Feature;
use crate::module::ConstExpr;
use crate::opcode::Instr;
use crate::types::{FuncIdx, GlobalIdx, ValType};
use crate::validate::func::FuncValidator;

impl FuncValidator<'_> {
    /// Checks that `expr` is constant and of type `ty`. `n_globals` says how many globals it may read;
    /// `declare` is called with each function that it refers to.
    pub(super) fn const_expr(
        &mut self,
        expr: ConstExpr,
        ty: ValType,
        n_globals: usize,
        mut declare: impl FnMut(FuncIdx),
    ) -> Result<()> {
        self.begin_const_expr(ty, expr.0.len_bytes());
        let mut instrs = self.module.const_expr(expr);
        while let Some((offset, instr)) = instrs.try_next()? {
            self.constant(&instr, offset as usize, n_globals)?;
            if let Instr::RefFunc(func) = instr {
                declare(func);
            }
            self.instr_at(&instr, offset as usize)?;
        }
        if self.is_finished() {
            self.shared.spend(self.beyond);
            return Ok(());
        }
        Err(self.error(ErrorKind::EndExpected { open: 1 }))
    }

    /// Refuses an instruction that is not constant.
    fn constant(&self, instr: &Instr<'_>, offset: usize, n_globals: usize) -> Result<()> {
        let error = |kind| Err(crate::error::Error::new(kind, offset, "a constant expression"));
        match instr {
            Instr::I32Const(_)
            | Instr::I64Const(_)
            | Instr::F32Const(_)
            | Instr::F64Const(_)
            | Instr::V128Const(_)
            | Instr::RefNull(_)
            | Instr::RefFunc(_)
            | Instr::RefI31
            | Instr::End => Ok(()),
            Instr::I32Add | Instr::I32Sub | Instr::I32Mul | Instr::I64Add | Instr::I64Sub | Instr::I64Mul => {
                if self.module.features.contains(Feature::ExtendedConst) {
                    return Ok(());
                }
                error(ErrorKind::FeatureDisabled(Feature::ExtendedConst))
            }
            Instr::StructNew(_)
            | Instr::StructNewDefault(_)
            | Instr::ArrayNew(_)
            | Instr::ArrayNewDefault(_)
            | Instr::ArrayNewFixed(_)
            | Instr::AnyConvertExtern
            | Instr::ExternConvertAny => Ok(()),
            Instr::GlobalGet(index) => self.constant_global(*index, n_globals).or_else(error),
            other => error(ErrorKind::NotConstant { op: other.op().info().name }),
        }
    }

    /// A global may be read if it is immutable and comes before; without gc it must also be imported.
    fn constant_global(&self, index: GlobalIdx, n_globals: usize) -> core::result::Result<(), ErrorKind> {
        let readable = if self.module.features.contains(Feature::Gc) {
            n_globals
        } else {
            n_globals.min(self.module.n_imported_globals as usize)
        };
        match self.module.globals.get(index.index()) {
            Some(global) if index.index() < readable => {
                if global.ty.mutable {
                    return Err(ErrorKind::MutableGlobalInConstant { index: index.0 });
                }
                Ok(())
            }
            _ => {
                let len = u32::try_from(readable).unwrap_or(u32::MAX);
                Err(ErrorKind::UnknownIndex { space: IndexSpace::Global, index: index.0, len })
            }
        }
    }
}
