(module
  (func (param anyref) (result (ref any))
    (br_on_non_null 0 (local.get 0)) (unreachable)))
;;= all: valid
