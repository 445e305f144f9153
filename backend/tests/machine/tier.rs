//! The tier that these tests run on: the interpreter.

use std::sync::Arc;

use wasmos_backend::Error;
use wasmos_backend::interp::ModuleCode;
use wasmos_backend::vm::{Tier, TypeId};
use wasmos_frontend::ValidModule;

/// Whether bodies run that are millions of bytes long, or whose blocks are a hundred thousand deep.
pub(crate) const TAKES_HUGE: bool = true;
pub(crate) const TIER: Tier = Tier::Interpreter;

pub(crate) fn make(valid: ValidModule, ids: Box<[TypeId]>) -> Result<ModuleCode, Error> {
    ModuleCode::new(valid, ids, Arc::new(|_, _| false))
}
