//! Charges and test points, promises P2 and P3.
//!
//! The counter is Cranelift's pinned register, across bodies and calls. A charge subtracts; one that tests goes, when the
//! counter has become negative, to cold code that calls a thunk that keeps all registers: a leaf stays a leaf. In the
//! plain form that is a block of Cranelift's, in the patched form a stub that is put in afterwards (`patch`).

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, SourceLoc, types};
use wasmos_frontend::blocks::Charge;

use super::Charges;
use super::patch::{CHARGE_TRAP, MARK};
use super::stubs::Thunk;
use super::translate::Translator;

impl Translator<'_> {
    /// Pays for the instructions that begin here.
    pub(super) fn charge(&mut self, charge: Charge) {
        match self.charges_form {
            Charges::Plain => self.charge_plainly(charge),
            Charges::Patched => self.charge_to_be_patched(charge),
        }
    }

    /// Makes what `patch` knows.
    fn charge_to_be_patched(&mut self, charge: Charge) {
        self.b.set_srcloc(SourceLoc::new(charge.offset | MARK));
        let before = self.b.ins().get_pinned_reg(types::I64);
        let after = if charge.test {
            let cost = self.b.ins().iconst(types::I64, -i64::from(charge.cost));
            self.b.ins().uadd_overflow_trap(before, cost, ir::TrapCode::unwrap_user(CHARGE_TRAP))
        } else {
            self.b.ins().iadd_imm_s(before, -i64::from(charge.cost))
        };
        self.b.ins().set_pinned_reg(after);
        self.b.set_srcloc(SourceLoc::new(charge.offset));
    }

    fn charge_plainly(&mut self, charge: Charge) {
        let before = self.b.ins().get_pinned_reg(types::I64);
        let after = self.b.ins().iadd_imm_s(before, -i64::from(charge.cost));
        self.b.ins().set_pinned_reg(after);
        if !charge.test {
            return;
        }
        let (cold, on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(cold);
        let short = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, after, 0);
        self.b.ins().brif(short, cold, &[], on, &[]);
        self.b.switch_to_block(cold);
        self.b.seal_block(cold);
        let thunk = self.thunk(Thunk::Charge);
        let cost = self.b.ins().iconst(types::I64, i64::from(charge.cost));
        self.b.ins().call(thunk, &[self.context, cost]);
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
        self.b.seal_block(on);
    }
}
