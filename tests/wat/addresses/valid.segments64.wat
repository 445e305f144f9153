(module
  (memory i64 1)
  (table i64 1 funcref)
  (data (offset i64.const 0) "a")
  (elem (offset i64.const 0) func))
;;= all: valid
