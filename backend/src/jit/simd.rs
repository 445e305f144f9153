//! Vectors.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value, types};

use super::translate::Translator;

impl Translator<'_> {
    /// Returns a vector with lanes of another type.
    pub(super) fn as_vector(&mut self, value: Value, ty: Type) -> Value {
        if self.ty(value) == ty {
            return value;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(ty, flags, value)
    }

    /// Takes a vector whose bits are looked at.
    pub(super) fn pop_vector(&mut self, ty: Type) -> Value {
        let value = self.pop_canonical();
        self.as_vector(value, ty)
    }

    pub(super) fn pop_vectors(&mut self, ty: Type) -> (Value, Value) {
        let b = self.pop_vector(ty);
        (self.pop_vector(ty), b)
    }

    /// Takes an operand of float arithmetic, to which all NaNs are one.
    pub(super) fn pop_float_vector(&mut self, ty: Type) -> Value {
        let value = self.pop();
        if self.ty(value) == ty {
            return value;
        }
        let value = self.canonical(value);
        self.as_vector(value, ty)
    }

    pub(super) fn pop_float_vectors(&mut self, ty: Type) -> (Value, Value) {
        let b = self.pop_float_vector(ty);
        (self.pop_float_vector(ty), b)
    }

    pub(super) fn splat(&mut self, lane: Type, ty: Type) {
        let value = self.pop_canonical();
        let value = if self.ty(value) == lane { value } else { self.b.ins().ireduce(lane, value) };
        let value = self.b.ins().splat(ty, value);
        self.push(value);
    }

    /// Pushes a lane; one of less than 32 bits is extended.
    pub(super) fn extract_lane(&mut self, ty: Type, lane: u8, signed: bool) {
        let vector = self.pop_vector(ty);
        let value = self.b.ins().extractlane(vector, lane);
        let value = match (ty.lane_bits() < 32, signed) {
            (false, _) => value,
            (true, true) => self.b.ins().sextend(types::I32, value),
            (true, false) => self.b.ins().uextend(types::I32, value),
        };
        self.push(value);
    }

    pub(super) fn replace_lane(&mut self, ty: Type, lane: u8) {
        let value = self.pop_canonical();
        let vector = self.pop_vector(ty);
        let value = if ty.lane_bits() < 32 { self.b.ins().ireduce(ty.lane_type(), value) } else { value };
        let value = self.b.ins().insertlane(vector, value, lane);
        self.push(value);
    }

    pub(super) fn shuffle(&mut self, lanes: [u8; 16]) {
        let (a, b) = self.pop_vectors(types::I8X16);
        let mask = self.b.func.dfg.immediates.push(lanes.to_vec().into());
        let value = self.b.ins().shuffle(a, b, mask);
        self.push(value);
    }

    pub(super) fn bitselect(&mut self) {
        let mask = self.pop_vector(types::I8X16);
        let (a, b) = self.pop_vectors(types::I8X16);
        let value = self.b.ins().bitselect(mask, a, b);
        self.push(value);
    }

    pub(super) fn any_true(&mut self) {
        let vector = self.pop_vector(types::I8X16);
        let value = self.b.ins().vany_true(vector);
        self.push_bool(value);
    }

    pub(super) fn all_true(&mut self, ty: Type) {
        let vector = self.pop_vector(ty);
        let value = self.b.ins().vall_true(vector);
        self.push_bool(value);
    }

    pub(super) fn bitmask(&mut self, ty: Type) {
        let vector = self.pop_vector(ty);
        let value = self.b.ins().vhigh_bits(types::I32, vector);
        self.push(value);
    }

    pub(super) fn vector_icmp(&mut self, condition: IntCC, ty: Type) {
        let (a, b) = self.pop_vectors(ty);
        let value = self.b.ins().icmp(condition, a, b);
        self.push(value);
    }

    pub(super) fn vector_fcmp(&mut self, condition: FloatCC, ty: Type) {
        let (a, b) = self.pop_float_vectors(ty);
        let value = self.b.ins().fcmp(condition, a, b);
        self.push(value);
    }

    /// `pmin` and `pmax`, by what the second operand must be for it to be taken.
    pub(super) fn pick(&mut self, ty: Type, is_max: bool) {
        let (a, b) = self.pop_vectors(ty);
        let mask = if is_max {
            self.b.ins().fcmp(FloatCC::LessThan, a, b)
        } else {
            self.b.ins().fcmp(FloatCC::LessThan, b, a)
        };
        let mask = self.as_vector(mask, ty);
        let value = self.b.ins().bitselect(mask, b, a);
        self.push(value);
    }

    /// Widens one half of a vector's lanes.
    pub(super) fn widen(&mut self, value: Value, high: bool, signed: bool) -> Value {
        match (high, signed) {
            (false, true) => self.b.ins().swiden_low(value),
            (false, false) => self.b.ins().uwiden_low(value),
            (true, true) => self.b.ins().swiden_high(value),
            (true, false) => self.b.ins().uwiden_high(value),
        }
    }

    pub(super) fn extend_half(&mut self, ty: Type, high: bool, signed: bool) {
        let vector = self.pop_vector(ty);
        let value = self.widen(vector, high, signed);
        self.push(value);
    }

    pub(super) fn extended_product(&mut self, ty: Type, high: bool, signed: bool) {
        let (a, b) = self.pop_vectors(ty);
        let (a, b) = (self.widen(a, high, signed), self.widen(b, high, signed));
        let value = self.b.ins().imul(a, b);
        self.push(value);
    }

    /// Sums of neighbours, twice as wide.
    pub(super) fn pairwise_sum(&mut self, value: Value, signed: bool) -> Value {
        let (low, high) = (self.widen(value, false, signed), self.widen(value, true, signed));
        self.b.ins().iadd_pairwise(low, high)
    }

    pub(super) fn extended_sums(&mut self, ty: Type, signed: bool) {
        let vector = self.pop_vector(ty);
        let value = self.pairwise_sum(vector, signed);
        self.push(value);
    }

    /// `i32x4.dot_i16x8_s`.
    pub(super) fn dot(&mut self) {
        let (a, b) = self.pop_vectors(types::I16X8);
        let [low, high] = self.products(a, b);
        let value = self.b.ins().iadd_pairwise(low, high);
        self.push(value);
    }

    /// Signed products of lanes, twice as wide, in halves.
    fn products(&mut self, a: Value, b: Value) -> [Value; 2] {
        [false, true].map(|high| {
            let (a, b) = (self.widen(a, high, true), self.widen(b, high, true));
            self.b.ins().imul(a, b)
        })
    }

    /// The relaxed dot product: signed by signed, the sum of a pair saturated.
    pub(super) fn relaxed_dot(&mut self, a: Value, b: Value) -> Value {
        let [low, high] = self.products(a, b).map(|products| self.pairwise_sum(products, true));
        self.b.ins().snarrow(low, high)
    }

    /// `f32x4.relaxed_madd` and its like: rounded twice.
    pub(super) fn multiply_add(&mut self, ty: Type, negated: bool) {
        let c = self.pop_float_vector(ty);
        let (a, b) = self.pop_float_vectors(ty);
        let a = if negated { self.b.ins().fneg(a) } else { a };
        let product = self.b.ins().fmul(a, b);
        let value = self.b.ins().fadd(product, c);
        self.push_raw(value);
    }

    /// Integers from two floats in the low lanes, zeros above.
    pub(super) fn truncate_to_low(&mut self, signed: bool) {
        let vector = self.pop_float_vector(types::F64X2);
        let zero = self.vector([0; 16], types::I64X2);
        let value = if signed {
            let wide = self.b.ins().fcvt_to_sint_sat(types::I64X2, vector);
            self.b.ins().snarrow(wide, zero)
        } else {
            let wide = self.b.ins().fcvt_to_uint_sat(types::I64X2, vector);
            self.b.ins().uunarrow(wide, zero)
        };
        self.push(value);
    }

    /// Floats from the two low integers.
    pub(super) fn convert_low(&mut self, signed: bool) {
        let vector = self.pop_vector(types::I32X4);
        let wide = self.widen(vector, false, signed);
        let value = if signed {
            self.b.ins().fcvt_from_sint(types::F64X2, wide)
        } else {
            self.b.ins().fcvt_from_uint(types::F64X2, wide)
        };
        self.push(value);
    }
}
