(module
  (func $=spin (export "spin") (loop $again (br $again)))
  (func (export "call") (param i32) (call_indirect (type $t) (local.get 0)))
  (type $t (func))
  (table 2 funcref)
  (elem (i32.const 0) $=spin $=spin))
