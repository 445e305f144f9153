(module
  (func (param nullref) (result arrayref structref i31ref eqref)
    (local.get 0) (local.get 0) (local.get 0) (local.get 0)))
;;= all: valid
