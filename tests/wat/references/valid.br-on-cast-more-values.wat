;; What lies below goes with the branch.
(module
  (func (param anyref) (result i32 i31ref)
    (i32.const 0) (br_on_cast 0 anyref i31ref (local.get 0)) (unreachable)))
;;= all: valid
