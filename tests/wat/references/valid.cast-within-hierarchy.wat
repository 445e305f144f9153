(module
  (func (param anyref) (result structref)
    (ref.cast structref (local.get 0))))
;;= all: valid
