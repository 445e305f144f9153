(module
  (table 1 anyref)
  (elem (table 0) (i32.const 0) i31ref))
;;= all: valid
