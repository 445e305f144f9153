//! What `facts.json` says of the bodies and `inspect` does not, by a walk of our own over them.

use serde_json::{Value, json};
use wasmos_frontend::ValidModule;
use wasmos_frontend::module::Body;
use wasmos_frontend::opcode::Instr;

/// Returns facts of a module's bodies, under the keys of `facts.json`.
pub(super) fn facts(module: &ValidModule) -> Value {
    let mut bodies = Bodies::default();
    module.bodies.iter().for_each(|body| bodies.count(module, *body));
    json!({
        "biggest_ops": bodies.biggest_ops,
        "max_locals": bodies.max_locals,
        "max_br_table": bodies.max_br_table,
    })
}

#[derive(Default)]
struct Bodies {
    /// Length of the biggest body.
    biggest_bytes: u32,
    /// Instructions of the biggest body.
    biggest_ops: usize,
    /// Most locals of a function, without its parameters.
    max_locals: u64,
    /// Most targets of a `br_table`, without the default.
    max_br_table: usize,
}

impl Bodies {
    fn count(&mut self, module: &ValidModule, body: Body) {
        let Ok((locals, instrs)) = module.code(body) else { return };
        let mut ops = 0;
        for (_, instr) in instrs {
            ops += 1;
            if let Instr::BrTable(table) = instr {
                self.max_br_table = self.max_br_table.max(table.labels().count().saturating_sub(1));
            }
        }
        if body.0.len_bytes() > self.biggest_bytes {
            self.biggest_bytes = body.0.len_bytes();
            self.biggest_ops = ops;
        }
        self.max_locals = self.max_locals.max(locals.iter().map(|(count, _)| u64::from(*count)).sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_counted_as_the_facts_count_them() {
        let module = wat::parse_str(
            "(module (func (param i32) (local i32 i64 i64) nop nop nop)
               (func (param i32) (block (block (br_table 0 1 0 (local.get 0)))) (i64.const 0x123456789abcdef) drop))",
        );
        let module = wasmos_frontend::decode(module.unwrap()).and_then(wasmos_frontend::validate).unwrap();
        assert_eq!(facts(&module), json!({ "biggest_ops": 9, "max_locals": 3, "max_br_table": 2 }));
    }
}
