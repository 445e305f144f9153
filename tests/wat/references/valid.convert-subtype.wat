(module
  (func (param (ref i31)) (result (ref extern))
    (extern.convert_any (local.get 0))))
;;= all: valid
