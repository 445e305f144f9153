(module
  (table $any 1 anyref)
  (table $eq 1 eqref)
  (elem $e i31ref)
  (func
    (table.init $any $e (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: valid
