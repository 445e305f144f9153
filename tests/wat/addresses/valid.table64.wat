(module
  (table $t i64 1 funcref)
  (elem $e func)
  (type $f (func))
  (func (result i64)
    (table.fill $t (i64.const 0) (ref.null func) (i64.const 0))
    (table.init $t $e (i64.const 0) (i32.const 0) (i32.const 0))
    (table.set $t (i64.const 0) (table.get $t (i64.const 0)))
    (call_indirect $t (type $f) (i64.const 0))
    (drop (table.grow $t (ref.null func) (i64.const 0)))
    (table.size $t)))
;;= all: valid
