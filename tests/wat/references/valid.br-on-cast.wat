;; The branch takes the target type, the rest goes on.
(module
  (func (param anyref) (result i31ref)
    (br_on_cast 0 anyref i31ref (local.get 0)) (drop) (unreachable)))
;;= all: valid
