(module
  (func (param externref) (result anyref)
    (any.convert_extern (local.get 0))))
;;= all: valid
