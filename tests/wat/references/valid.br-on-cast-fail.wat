;; The branch takes what the cast leaves, the target goes on.
(module
  (func (param anyref) (result (ref any))
    (br_on_cast_fail 0 anyref (ref null i31) (local.get 0)) (drop) (unreachable)))
;;= all: valid
