//! The tier that these tests run on: the JIT, with memories that have guards. Cranelift checks what it is given.

use std::ops::ControlFlow;
use std::sync::Arc;

use wasmos_backend::Error;
use wasmos_backend::interp::ModuleCode;
use wasmos_backend::jit::{Bounds, Options};
use wasmos_backend::vm::{Tier, TypeId};
use wasmos_frontend::ValidModule;

/// Whether bodies run that are millions of bytes long, or whose blocks are a hundred thousand deep.
pub(crate) const TAKES_HUGE: bool = false;
pub(crate) const TIER: Tier = Tier::Jit(Bounds::Guard);

pub(crate) fn make(valid: ValidModule, ids: Box<[TypeId]>) -> Result<ModuleCode, Error> {
    let options = Options { bounds: Bounds::Guard, verifies: true, ..Options::default() };
    ModuleCode::compile(valid, ids, Arc::new(|_, _| false), options, &|_| ControlFlow::Continue(()))
}
