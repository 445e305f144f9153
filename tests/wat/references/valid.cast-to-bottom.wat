(module
  (func (param funcref) (result nullfuncref)
    (ref.cast nullfuncref (local.get 0))))
;;= all: valid
