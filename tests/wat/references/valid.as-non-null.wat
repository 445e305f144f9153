(module
  (func (param anyref) (result (ref any))
    (ref.as_non_null (local.get 0))))
;;= all: valid
