(module
  (func (param (ref any)) (result (ref extern))
    (extern.convert_any (local.get 0))))
;;= all: valid
